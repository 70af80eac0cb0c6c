"""Invisible characters, which copying from contacts, chats and spreadsheets adds to a text."""

import re
import unicodedata

# Default_Ignorable_Code_Point of Unicode without the category Cf: joiners, fillers and selectors.
_OTHERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")

# Marks that change no spelling. Joiners (U+200C, U+200D) stay: Persian and Indic names need them.
_MARKS = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def is_invisible(letter: str) -> bool:
    """Return whether a character has no shape: bidi marks, zero-width characters, U+FEFF."""
    return unicodedata.category(letter) == "Cf" or bool(_OTHERS.match(letter))


def without_invisible(text: str) -> str:
    """Return the text without its invisible characters."""
    if text.isascii():
        return text
    return "".join(letter for letter in text if not is_invisible(letter))


def plain_line(text: str) -> str:
    """Return a name on one line in Unicode's composed form (NFC), without invisible marks.

    Names that look equal are equal, whichever keyboard, file or page they come from.
    """
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split())
