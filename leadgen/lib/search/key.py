"""Search key of a text: the SQL expression under which stored and searched texts are compared.

Both sides go through PostgreSQL, so they agree whatever its locale. The expression needs no
function of its own in the database and no stored column (ADR 0031). An index is built on it: a
change of the expression needs a new index, under a new name.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Lower

# Removed: accents (also one that stands alone for an apostrophe), the vowel points of Hebrew and
# Arabic, apostrophes, and invisible marks such as zero width space and left-to-right mark.
_MARKS = r"\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670"
_REMOVED = (
    rf" ?[{_MARKS}]|['`\u02bb\u02bc\u2018\u2019\u201b\u2032"
    r"\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
# Blanks in a key: dashes and other punctuation, in any number.
_PUNCTUATION = (
    r'\t\r\n\-_/\\(),;:"&+.@=\[\]{}<>|!?*#~\u00ab\u00bb\u00b7\u2010-\u2015\u2022\u2212'
    r"\u201c-\u201f\u3001\u3002\u301c\u30fb"
)
_BLANKS = rf" *[{_PUNCTUATION}][{_PUNCTUATION} ]*| {{2,}}"
# Letters that no normal form takes apart: one for one, then those of two letters.
_LETTERS, _PLAIN = "łøđħıŧð", "lodhitd"
_DIGRAPHS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
# Han, kana and (by its first letter) a syllable of hangul are written without blanks: each is a
# word of its own, so that an index of trigrams finds a name of one or two.
SIGNS = r"\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
HANGUL = r"\u1100-\u115f"


def SearchKey(text: Any) -> Func:  # noqa: N802 - reads as an expression
    """Return the search key of a text, such as `` jurgen mussig ada example com 442079460958 ``.

    It has no accents, capitals, apostrophes or punctuation, and a blank before and after each word.
    """
    value = F(text) if isinstance(text, str) else text
    value = Func(value, template="NORMALIZE(%(expressions)s, NFKD)", output_field=TextField())
    value = Lower(_call("REGEXP_REPLACE", value, _REMOVED, "", "g"))
    value = _call("TRANSLATE", value, _LETTERS, _PLAIN)
    for letter, pair in _DIGRAPHS.items():
        value = _call("REPLACE", value, letter, pair)
    value = _call("REGEXP_REPLACE", value, f"([{SIGNS}])|([{HANGUL}])", r" \1 \2", "g")
    padded = Func(value, template="(' ' || %(expressions)s || ' ')", output_field=TextField())
    return _call("REGEXP_REPLACE", padded, _BLANKS, " ", "g")


def _call(function: str, value: Any, *texts: str) -> Func:
    return Func(value, *map(Value, texts), function=function, output_field=TextField())
