"""Phone numbers as people paste them, in the characters that phonenumbers parses."""

import re
import unicodedata

from leadgen.lib.invisible import without_invisible

_DASHES = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff70"), "-"
) | dict.fromkeys(map(ord, "\u00b7\u2022\u2219\u22c5"), " ")
_PREFIX = re.compile(r"(?:tel(?:ephone)?|phone|mobile|mob|cell|callto|sms|whatsapp)[.:\s]+", re.I)

_ABROAD = re.compile(r"^(\(?)00")
# Mexico's numbering plan dropped the 1 of mobile numbers in August 2019; WhatsApp and address books
# still write it, and phonenumbers calls the number invalid.
_MEXICAN_MOBILE = re.compile(r"^(\(?\+52\)?)[\s().-]*1(?=[\s().-]*(?:\d[\s().-]*){10}\Z)")


def plain_phone(text: str) -> str:
    """Return a number without invisible characters and ``tel:``, with 00 written as +.

    The 1 that Mexican mobile numbers had is removed.
    Letters of other widths become ASCII; a superscript stays, because it is no digit.
    """
    letters = without_invisible(text).translate(_DASHES)
    if not letters.isascii():
        letters = "".join(map(_ascii, letters))
    stripped = letters.strip()
    start = _PREFIX.match(stripped)
    number = _ABROAD.sub(r"\1+", stripped[start.end() :] if start else stripped)
    return _MEXICAN_MOBILE.sub(r"\1", number)


def _ascii(letter: str) -> str:
    if unicodedata.category(letter) == "Nd":
        return str(unicodedata.decimal(letter))
    return letter if unicodedata.category(letter) == "No" else unicodedata.normalize("NFKC", letter)
