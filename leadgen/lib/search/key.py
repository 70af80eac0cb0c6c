"""Search key of a text: the SQL expression under which stored and searched texts are compared.

Both sides go through PostgreSQL, so they agree whatever its locale. The expression needs no
function of its own in the database and no stored column (ADR 0029).
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Lower

# Signs that are not typed alike: dashes and other punctuation become blanks; apostrophes and
# invisible marks (left-to-right mark, soft hyphen, zero width space …) are removed.
_BLANKS = '\t\r\n-‐‑‒–—―−_/\\(),;:"“”„«»&+.@=[]{}<>|!?*#~·•、。・〜～，．＠＋'
_REMOVED = "'’‘ʼʻ‛`´′＇" + "".join(
    map(
        chr,
        [
            0xAD,
            *range(0x200B, 0x2010),
            *range(0x202A, 0x202F),
            0x2060,
            *range(0x2066, 0x206A),
            0xFEFF,
        ],
    )
)
# Letters that no normal form takes apart: one for one, then those of two letters.
_LETTERS, _PLAIN = "łøđħıŧðŁØĐĦŦÐ", "lodhitdlodhtd"
_DIGRAPHS = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
# Combining accents, and the vowel points of Hebrew and Arabic.
_MARKS = r"[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]"
# Han, kana and hangul are written without blanks: each sign becomes a word of its own, so that an
# index of trigrams finds a name of one or two.
SIGNS = r"[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"


def SearchKey(text: Any) -> Func:  # noqa: N802 - reads as an expression
    """Return the search key of a text, such as `` jurgen mussig ada example com 442079460958 ``.

    It has no accents, capitals, apostrophes or punctuation, and a blank before and after each word.
    """
    value = F(text) if isinstance(text, str) else text
    value = _call("TRANSLATE", value, _BLANKS + _REMOVED, " " * len(_BLANKS))
    value = _call("REGEXP_REPLACE", _normal(value, "NFKD"), _MARKS, "", "g")
    value = _call("TRANSLATE", _normal(value, "NFKC"), _LETTERS, _PLAIN)
    for letter, pair in _DIGRAPHS.items():
        value = _call("REPLACE", value, letter, pair)
    value = _call("REGEXP_REPLACE", Lower(value), f"({SIGNS})", r" \1 ", "g")
    padded = Func(value, template="(' ' || %(expressions)s || ' ')", output_field=TextField())
    return _call("REGEXP_REPLACE", padded, " +", " ", "g")


def _call(function: str, value: Any, *texts: str) -> Func:
    return Func(value, *map(Value, texts), function=function, output_field=TextField())


def _normal(value: Any, form: str) -> Func:
    return Func(value, template=f"NORMALIZE(%(expressions)s, {form})", output_field=TextField())
