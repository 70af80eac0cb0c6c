"""Numbers as visitors type them: separators, digits and signs of the form's language.

A text with two readings is refused, because it could be stored as another number.
"""

import re
import unicodedata

from leadgen.lib.invisible import without_invisible


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Separators by language, from CLDR 46 (numbers/symbols). Django's own table lacks regions such as
# es-ES, and its Arabic has the separators of the Maghreb only.
_POINT_GROUPS = _codes("az bs ca da de el es eu gl hr id is it mk nl pt ro sl sr tr vi")
_DECIMAL_COMMA = _POINT_GROUPS | _codes(
    "af be bg cs eo et fi fr hu hy ka kk ky lt lv nb nn no pl ru sk sq sv tg tk uk uz"
)
_INDIAN = _codes("bn en-IN gu hi kn ml mr ne pa ta te")
_DECIMAL_POINT = _codes("cy en fil ga gd he ja ko ms si sw th ur zh") | _INDIAN
# Regions that write numbers as their language does. Others, such as de-CH or es-MX, do not, or
# differ from one source to the next: there only an unambiguous text is accepted.
_REGIONS = {
    "de": "AT BE DE LU",
    "en": "AU CA GB HK IE IN MT NZ SG US",
    "es": "AR CL CO ES UY",
    "fr": "BE CA FR LU",
    "it": "IT SM VA",
    "nl": "BE NL",
    "pt": "BR PT",
    "zh": "CN HK MO SG TW",
}
_SPACES = "\u00a0\u2007\u2008\u2009\u200a\u202f\u3000"
_PLAIN = {
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, "\u2019\u2018\u02bc\u2032\uff07\u066c"), "'"),
    **dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"), "-"),
    **dict.fromkeys(map(ord, "\ufe62\uff0b"), "+"),
    ord("\uff0c"): ",",
    ord("\uff0e"): ".",
}
_ARABIC_DECIMAL = "\u066b"
_DIGITS = 40
# A point with three digits behind it may separate thousands where the decimal sign is a comma.
_MACHINE = re.compile(r"(?P<whole>\d+)\.(?P<part>\d{1,2}|\d{4,})|(?P<zero>0)\.(?P<rest>\d+)")


def read_localized(text: str, locale: str) -> int | float | None:
    """Return the number that a text means in a language; None for other and ambiguous texts."""
    plain = plain_digits(text)
    sign, body = ("-", plain[1:]) if plain.startswith("-") else ("", plain.removeprefix("+"))
    readings = {reading for reading in _readings(body, locale) if reading}
    if len(readings) != 1:
        return None
    (digits,) = readings
    return float(sign + digits) if "." in digits else int(sign + digits)


def decimal_sign(locale: str) -> str:
    """Return the decimal sign that an example in this language uses."""
    return "," if _settled(locale) in _DECIMAL_COMMA else "."


def written(number: str, locale: str) -> str:
    """Return a number of a definition (a point for decimals) as the language writes it."""
    return number.replace(".", decimal_sign(locale))


def plain_digits(text: str) -> str:
    """Return the text with ASCII digits, signs, spaces and apostrophes, without invisible ones."""
    digits = "".join(
        str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter
        for letter in without_invisible(text)
    )
    return digits.translate(_PLAIN).strip()


def _readings(body: str, locale: str) -> list[str]:
    """Return each reading of a number without sign, as digits with a point for decimals."""
    language = _settled(locale)
    indian = language in _INDIAN or locale in _INDIAN
    if language in _DECIMAL_COMMA:
        group = "." if language in _POINT_GROUPS else ""
        return [_reading(body, ",", group), _machine(body)]
    if language in _DECIMAL_POINT:
        return [_reading(body, ".", ","), _reading(body, ".", ",", is_indian=indian)]
    return [_reading(body, ",", "."), _reading(body, ".", ",")]


def _settled(locale: str) -> str:
    """Return the language, or an empty text where its separators differ between regions."""
    parts = locale.replace("_", "-").split("-")
    region = next((part.upper() for part in parts[1:] if len(part) == 2), "")
    return "" if region and region not in _REGIONS.get(parts[0], "").split() else parts[0].lower()


def _reading(body: str, decimal: str, group: str, *, is_indian: bool = False) -> str:
    separator = f"(?P<group>[ '{re.escape(group)}])"
    inner = r"\d{2}" if is_indian else r"\d{3}"
    grouped = rf"[1-9]\d{{0,2}}{separator}(?:{inner}(?P=group))*\d{{3}}"
    match = re.fullmatch(
        rf"(?P<whole>{grouped}|\d+)(?:[{re.escape(decimal)}{_ARABIC_DECIMAL}](?P<part>\d+))?", body
    )
    if match is None or max(len(match["whole"]), len(match["part"] or "")) > _DIGITS:
        return ""
    whole = re.sub(r"\D", "", match["whole"])
    return f"{whole}.{match['part']}" if match["part"] else whole


def _machine(body: str) -> str:
    """Return a number as programs and ``<input type=number>`` write it."""
    match = _MACHINE.fullmatch(body)
    return body if match and len(body) <= 2 * _DIGITS else ""
