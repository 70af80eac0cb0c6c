"""Parser of a search: the words and telephone numbers that a row must contain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from leadgen.lib.search.key import SIGNS

# The longest search text (name, email, phone, company) has fewer words.
MAX_WORDS = 60
# Signs between the digits of a number, as people and telephones write them.
_BETWEEN = r"[\s().\-‐-―−/·]"
_EXTENSION = r"(?:;ext=|,?\s*(?:ext\.?|extension|x|#)\s*)"
_NUMBER = re.compile(
    rf"(?<![^\s(])(?P<digits>[+(]*\d(?:{_BETWEEN}*\d)+)(?:{_EXTENSION}(?P<extension>\d+))?(?![^\s,;)])",
    re.I,
)
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
_SIGN, _SYLLABLE = re.compile(f"[{SIGNS}]"), re.compile(r"[\uac00-\ud7a3]")
# Prefixes of calls abroad beside 00, and the 8 of calls within Russia and its neighbours.
_PREFIX = re.compile(r"^(?:0011|011|010|810)(?=\d{8})|^8(?=\d{10}$)")
_EDGES = "-‐‑‒–—―()[]{}<>,;:.!?\"'“”„«»’‘ʼʻ"
# From so many digits on a number is more than the last digits of one.
_WHOLE = 7
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A text to find in a search key; with ``begins`` or ``ends`` at the edge of a word only."""

    text: str
    begins: bool = False
    ends: bool = False


Term = tuple[tuple[Word, ...], ...]
"""Alternatives, of which one must match; all words of an alternative must be found."""


def parse(text: str) -> list[Term]:
    """Return the terms of a search, all of which a row must match; none for punctuation only."""
    terms, rest = [], []
    text, end = _plain(text), 0
    for match in _NUMBER.finditer(text):
        rest.append(text[end : match.start()])
        terms.append(_number(match["digits"]))
        if match["extension"]:
            terms.append(((Word(match["extension"], begins=True),),))
        end = match.end()
    words = " ".join([*rest, text[end:]])
    return list(dict.fromkeys([*terms, *(((word,),) for word in _words(words))]))


def _plain(text: str) -> str:
    """Return the text in one normal form, without invisible marks, its digits in ASCII."""
    text = unicodedata.normalize("NFKC", text)
    shown = (char for char in text if unicodedata.category(char) != "Cf")
    return "".join(str(unicodedata.decimal(char, char)) for char in shown)


def _number(written: str) -> Term:
    """Return the ways in which a number can be stored, and its groups as words of their own."""
    digits = re.sub(r"\D", "", _TRUNK_ZERO.sub("", written))
    found = {digits, re.sub(r"\D", "", written)}
    if len(digits) >= _WHOLE:
        found |= {digits.lstrip("0"), _PREFIX.sub("", digits), _international(written)} - {""}
    shortest = {each for each in found if not any(o != each and o in each for o in found)}
    alternatives = [(Word(each),) for each in sorted(shortest)]
    groups = tuple(_words(written))
    return (*alternatives, *([groups] if len(groups) > 1 else []))


def _international(written: str) -> str:
    """Return the digits of a number with + or 00 in E.164, or an empty text."""
    written = re.sub(r"^\(?0(?:0|11)", "+", written)
    try:
        number = phonenumbers.parse(_TRUNK_ZERO.sub("", written), None)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def _words(text: str) -> Iterator[Word]:
    for token in text.split():
        token = token.strip(_EDGES)
        if any(char.isalnum() or unicodedata.category(char) == "So" for char in token):
            yield _word(token)


def _word(token: str) -> Word:
    """Return a word of one or two letters as the beginning of one: no trigram is within it."""
    is_sign = _SIGN.match(token) or _SYLLABLE.match(token)
    is_short = len(token) < _SHORT
    return Word(token, begins=bool(is_sign) or is_short, ends=bool(_SIGN.match(token[-1])))
