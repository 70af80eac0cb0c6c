"""QuerySet filter by a search: every word and number of a text must be in a row's search key."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar

from django.db.models import Func, Q, QuerySet, TextField, Value

from leadgen.lib.search.key import SearchKey
from leadgen.lib.search.terms import MAX_WORDS, Term, Word, parse

_Rows = TypeVar("_Rows", bound=QuerySet[Any])


def matching(rows: _Rows, stored: Any, text: str) -> _Rows:
    """Return the rows whose stored text (a path or an expression) has all that is searched for.

    No row matches a text of punctuation only, or of more than MAX_WORDS words.
    """
    if not text.strip():
        return rows
    if not 0 < len(terms := parse(text)) <= MAX_WORDS:
        return rows.none()
    return rows.alias(search_key=SearchKey(stored)).filter(*map(_containing, terms))


def _containing(term: Term) -> Q:
    """Return the condition that ``search_key`` contains one of the alternatives of a term."""
    alternatives = (reduce(and_, map(_contains, words)) for words in term)
    return reduce(or_, alternatives)


def _contains(word: Word) -> Q:
    key: Any = Func(SearchKey(Value(word.text)), function="TRIM", output_field=TextField())
    edges = ("(' ' || " if word.begins else "("), (" || ' ')" if word.ends else ")")
    template = "%(expressions)s".join(edges)
    return Q(search_key__contains=Func(key, template=template, output_field=TextField()))
