"""Invisible characters, which copying from contacts, chats and spreadsheets adds to a text."""

import re
import unicodedata

# Default_Ignorable_Code_Point of Unicode without the category Cf: joiners, fillers and selectors.
_OTHERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")


def is_invisible(letter: str) -> bool:
    """Return whether a character has no shape: bidi marks, zero-width characters, U+FEFF."""
    return unicodedata.category(letter) == "Cf" or bool(_OTHERS.match(letter))


def without_invisible(text: str) -> str:
    """Return the text without its invisible characters."""
    if text.isascii():
        return text
    return "".join(letter for letter in text if not is_invisible(letter))
