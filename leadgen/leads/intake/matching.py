"""Who sent a submission: what its answers say of a person, and what that person is known by."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from leadgen.forms.format.definition import CONTACT_FIELDS, Definition

Key = tuple[str, str]
"""An identity: ("email", normalised address) or ("phone", E.164 number)."""

ATTRIBUTES = ("name", "email", "phone", "company", "job_title", "country")
_LONGEST = {"email": 320, "phone": 64}
_LONGEST_TEXT = 200
# Ends a text that was cut to its column; the submission has the whole answer.
_CUT = "…"
# The whole answer must be a number: a number found within a sentence identifies nobody.
_NUMBER = re.compile(r"[+＋]?[\d\s().\-‐-―/]+(?:(?:;ext=|,?\s*(?:ext\.?|x|#))\s*\d+)?", re.I)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """What a submission tells of a person: trimmed, and cut visibly where the column ends."""

    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    job_title: str = ""
    country: str = ""
    message: str = ""
    keys: tuple[Key, ...] = ()


def read(definition: Definition, answers: Mapping[str, Any]) -> PersonDetails:
    """Gather the answers by the attribute that their field fills; keys stand email first."""
    told = dict.fromkeys(CONTACT_FIELDS, "")
    for field in definition.fields:
        if field.fills in told and field.name in answers:
            told[field.fills] = _text(answers[field.name])
    country = _country(told["country"])
    # As the form has read it; else as the country that the person has chosen would.
    number = phone_key(told["phone"], _region(definition)) or phone_key(told["phone"], country)
    keys = {"email": email_key(told["email"]), "phone": number}
    return PersonDetails(
        name=_line(told["name"] or f"{told['first_name']} {told['last_name']}"),
        email=_line(told["email"], "email"),
        phone=number or _line(told["phone"], "phone"),
        company=_line(told["company"]),
        job_title=_line(told["job_title"]),
        country=country,
        message=told["message"].strip(),
        keys=tuple((kind, value) for kind, value in keys.items() if value),
    )


def email_key(text: str) -> str:
    """Return the address in lower case with an ASCII domain, or "" where it is none."""
    text = unicodedata.normalize("NFC", text.strip().lower())
    if not _EMAIL.fullmatch(text) or len(text) > _LONGEST["email"]:
        return ""
    local, _, domain = text.partition("@")
    address = f"{local}@{domain if domain.isascii() else _ascii(domain)}"
    return address if len(address) <= _LONGEST["email"] else ""


def phone_key(text: str, country: str = "") -> str:
    """Return the number in E.164, an extension as ``;ext=``, or "" where it is none.

    A number that starts with neither + nor 00 needs the ISO code of its country.
    """
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return ""
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    # Many type a made-up number: only one that can be somebody's tells people apart.
    if not phonenumbers.is_valid_number(number):
        return ""
    exact = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{exact};ext={number.extension}" if number.extension else exact


def group(
    rows: Sequence[tuple[Key, ...]], known: Mapping[Key, int]
) -> tuple[list[int], dict[Key, int]]:
    """Tell each row's person, and whom every key belongs to then.

    ``known`` are contacts by key; a new person is a negative number. The first key that is known,
    or that an earlier row has brought, decides: email before phone.
    """
    owners = dict(known)
    persons: list[int] = []
    for keys in rows:
        person = next((owners[key] for key in keys if key in owners), -len(persons) - 1)
        for key in keys:
            owners.setdefault(key, person)
        persons.append(person)
    return persons, owners


def _region(definition: Definition) -> str:
    """Return the country of numbers without a country code, as the phone field names it."""
    fields = (field for field in definition.fields if field.kind == field.fills == "phone")
    return next((field.default for field in fields), "")


def _text(answer: Any) -> str:
    # An object is the answer to a kind of a newer release: no text that a person wrote.
    if isinstance(answer, list):
        return ", ".join(filter(None, map(_text, answer)))
    return "" if answer is None or isinstance(answer, bool | dict) else str(answer)


def _line(text: str, attribute: str = "") -> str:
    line, longest = " ".join(text.split()), _LONGEST.get(attribute, _LONGEST_TEXT)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + _CUT


def _country(text: str) -> str:
    # Cutting a country's name would name another country: "Germany" is not GE.
    text = text.strip().upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""


def _ascii(domain: str) -> str:
    try:
        found = validate_email(f"x@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return domain
    return found.ascii_domain
