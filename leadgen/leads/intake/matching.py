"""Matching of persons: details read from answers, normalised email and phone identities."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from leadgen.forms.format.definition import CONTACT_FIELDS, Definition
from leadgen.lib.invisible import plain_line, without_invisible
from leadgen.lib.net.phone import plain_phone

Key = tuple[str, str]
"""An identity: ("email", normalised address) or ("phone", E.164 number)."""

_LONGEST = {"email": 320, "phone": 64}
_LONGEST_TEXT = 200
# Marks a text that was cut to the length of its column; the submission has the whole answer.
_CUT = "…"
# The whole answer must be a number: a number within a sentence does not identify a person.
_NUMBER = re.compile(
    r"\(?\+?[\d\s().\-/]+"
    r"(?:(?:;ext=|,?\s*\(?(?:ext(?:ensi[oó]n|n)?[.:]?|anexo|int\.?|x|#))\s*\d+\)?)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


# Characters of a letter with its marks, before they are composed.
_MARKS = 4
# Words of a name that are compared: more are no name.
_NAME_WORDS = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """Name and email of a contact, as far as they are known."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A person as one submission describes it: trimmed, cut to the columns' lengths with a mark."""

    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    job_title: str = ""
    country: str = ""
    message: str = ""
    keys: tuple[Key, ...] = ()


def read(definition: Definition, answers: Mapping[str, Any]) -> PersonDetails:
    """Return the person that the answers describe; ``keys`` has the email before the phone."""
    texts = dict.fromkeys(CONTACT_FIELDS, "")
    for field in definition.fields:
        if field.fills in texts and field.name in answers:
            texts[field.fills] = _text(answers[field.name])
    country = _country(texts["country"])
    # By the region of the phone field, as in the form; else by the country in the answers.
    number = phone_key(texts["phone"], _region(definition)) or phone_key(texts["phone"], country)
    keys = {"email": email_key(texts["email"]), "phone": number}
    return PersonDetails(
        name=_line(texts["name"] or f"{texts['first_name']} {texts['last_name']}"),
        email=_line(without_invisible(texts["email"]), "email"),
        phone=number or _line(without_invisible(texts["phone"]), "phone"),
        company=_line(texts["company"]),
        job_title=_line(texts["job_title"]),
        country=country,
        message=texts["message"].strip(),
        keys=tuple((kind, value) for kind, value in keys.items() if value),
    )


def email_key(text: str) -> str:
    """Return the address in lower case with an ASCII domain, or "" when the text is not one."""
    text = without_invisible(text).strip().lower()
    # The time of NFC is quadratic in combining marks, of which a letter of an address has few:
    # 84,000 in an answer in review took 5 s.
    if len(text) > _MARKS * _LONGEST["email"]:
        return ""
    text = unicodedata.normalize("NFC", text)
    if not _EMAIL.fullmatch(text) or len(text) > _LONGEST["email"]:
        return ""
    local, _, domain = text.partition("@")
    address = f"{local}@{domain if domain.isascii() else _ascii(domain)}"
    return address if len(address) <= _LONGEST["email"] else ""


def phone_key(text: str, country: str = "") -> str:
    """Return the number in E.164, an extension as ``;ext=``, or "" when it is not one.

    A number that starts with neither + nor 00 needs the ISO code of its country.
    """
    # Without runs of spaces, for which the time of the pattern is quadratic: 20,000 took 8 s.
    text = " ".join(plain_phone(text).split())
    if not _NUMBER.fullmatch(text):
        return ""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    # Made-up numbers are common and shared: only a valid number identifies a person.
    if not phonenumbers.is_valid_number(number):
        return ""
    exact = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{exact};ext={number.extension}" if number.extension else exact


def group(
    rows: Sequence[PersonDetails],
    contact_by_key: Mapping[Key, int],
    profiles: Mapping[int, Profile],
) -> tuple[list[int], dict[Key, int]]:
    """Return the person of each row, and the person of every key including the new ones.

    ``contact_by_key`` holds the ids of existing contacts and ``profiles`` their names and emails; a
    new person is a negative number. The first key of a row that has a person decides, email before
    phone, unless the row contradicts that person (is_another_person).
    """
    owners, known = dict(contact_by_key), dict(profiles)
    persons: list[int] = []
    for row in rows:
        person = _person(row, owners, known) or -len(persons) - 1
        for key in row.keys:
            owners.setdefault(key, person)
        profile = known.get(person, Profile())
        email = profile.email or dict(row.keys).get("email", "")
        known[person] = Profile(profile.name or row.name, email)
        persons.append(person)
    return persons, owners


def is_another_person(row: PersonDetails, profile: Profile) -> bool:
    """Return whether both name and email differ: they outweigh a shared phone (ADR 0029).

    A missing name or email, or a name that only lacks words of the other, contradicts nothing.
    """
    email = dict(row.keys).get("email", "")
    has_other_email = bool(email and profile.email) and email_key(profile.email) != email
    return has_other_email and _is_other_name(row.name, profile.name)


def _person(
    row: PersonDetails, owners: Mapping[Key, int], known: Mapping[int, Profile]
) -> int | None:
    for key in row.keys:
        person = owners.get(key)
        if person is None:
            continue
        if key[0] == "email" or not is_another_person(row, known.get(person, Profile())):
            return person
    return None


def _is_other_name(first: str, second: str) -> bool:
    words, others = _name_words(first), _name_words(second)
    return bool(words and others) and not (_within(words, others) or _within(others, words))


def _name_words(name: str) -> list[str]:
    """Return the words of a name without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return re.findall(r"\w+", letters)[:_NAME_WORDS]


def _within(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether each word is among the others; an initial stands for its word."""
    return all(any(_is_same_word(word, other) for other in others) for word in words)


def _is_same_word(word: str, other: str) -> bool:
    return word == other or (1 in (len(word), len(other)) and word[0] == other[0])


def _region(definition: Definition) -> str:
    """Return the country of numbers without a country code, the default of the phone field."""
    fields = (field for field in definition.fields if field.kind == field.fills == "phone")
    return next((field.default for field in fields), "")


def _text(answer: Any) -> str:
    # An object answers a field kind of a newer release: it is not a text that a person typed.
    if isinstance(answer, list):
        return ", ".join(filter(None, map(_text, answer)))
    return "" if answer is None or isinstance(answer, bool | dict) else str(answer)


def _line(text: str, attribute: str = "") -> str:
    line, longest = plain_line(text), _LONGEST.get(attribute, _LONGEST_TEXT)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + _CUT


def _country(text: str) -> str:
    # A country's name must not be cut to two letters: "Germany" is not GE.
    text = text.strip().upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""


def _ascii(domain: str) -> str:
    try:
        found = validate_email(f"x@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return domain
    return found.ascii_domain
