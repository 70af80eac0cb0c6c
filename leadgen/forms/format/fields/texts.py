"""Kinds with typed answers: text, long text, email, phone; and hidden fields."""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

import phonenumbers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from leadgen.forms.format.definition import FieldDefinition
from leadgen.forms.format.fields.base import (
    UNSTORABLE,
    FieldKind,
    InvalidAnswerError,
    storable,
)
from leadgen.forms.format.messages import Message
from leadgen.forms.markup import element, text
from leadgen.lib.invisible import is_invisible
from leadgen.lib.net.phone import plain_phone

LONGEST = 20_000
# Fast path: email-validator accepts every address of this form, but takes ten times as long.
_ORDINARY_EMAIL = re.compile(
    r"(?=.{6,254}\Z)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
    r"(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    rf"(?!(?:{'|'.join(SPECIAL_USE_DOMAIN_NAMES)})\Z)[a-z]{{2,63}}\Z",
    re.IGNORECASE | re.ASCII,
)
_PLAIN_PHONE = re.compile(r"\+[1-9](?:[ -]?[0-9]){6,14}\Z")
_SEPARATORS = re.compile("[ -]")
# Keyboards of phones and word processors write these; a mail server takes another address.
_LOOK_ALIKES = {
    **dict.fromkeys("\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u2032\u00b4\uff07", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2024\u3002\uff0e\uff61", "."),
    **dict.fromkeys("\ufe6b\uff20", "@"),
    **dict.fromkeys("\u203f\uff3f", "_"),
}
# Punctuation that a domain may contain (RFC 5892, CONTEXTO).
_IN_DOMAINS = "\u00b7\u0375\u05f3\u05f4\u30fb"
# The white space of Python and of ECMAScript, so that all JSON Schema validators agree.
_NOT_BLANK = r"[^\s\u001c-\u001f\u0085\ufeff]"
_AUTOCOMPLETE = {
    "name": "name",
    "first_name": "given-name",
    "last_name": "family-name",
    "email": "email",
    "phone": "tel",
    "company": "organization",
    "job_title": "organization-title",
}


class Text(FieldKind):
    label = _("Text")
    fills = frozenset(_AUTOCOMPLETE) - {"email", "phone"} | {"message", "country"}
    length: ClassVar[int] = 500
    input_type: ClassVar[str] = "text"
    inputmode: ClassVar[str | None] = None
    autocomplete: ClassVar[str | None] = None
    # Phones must not rewrite an address: no capital at the start, no typographic quotes.
    autocapitalize: ClassVar[str | None] = None
    spellcheck: ClassVar[str | None] = None

    def longest(self, field: FieldDefinition) -> int:
        """Return the longest answer in characters (code points, as JSON Schema counts)."""
        return min(field.max_length or self.length, LONGEST)

    def clean(self, field: FieldDefinition, value: Any) -> str:
        answer = storable(value)
        if field.required and is_blank(answer):
            raise InvalidAnswerError(self.missing)
        if len(answer) > self.longest(field):
            raise InvalidAnswerError("too_long", limit=self.longest(field), length=len(answer))
        return answer

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        # HTML posts each line break as CRLF; the limit counts it once, as the page and JSON do.
        return texts[-1].replace("\r\n", "\n") if texts else None

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        schema = {"type": "string", "maxLength": self.longest(field), "not": {"pattern": r"\u0000"}}
        return schema | ({"pattern": _NOT_BLANK} if field.required else {})

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        # No maxlength: browsers count UTF-16 units and cut pasted text without a message.
        return element(
            "input",
            type=self.input_type,
            id=f"f-{field.name}",
            name=field.name,
            value="".join(self.given(field, values)[-1:]),
            placeholder=field.placeholder or None,
            required=field.required,
            inputmode=self.inputmode,
            autocapitalize=self.autocapitalize,
            spellcheck=self.spellcheck,
            autocomplete=_AUTOCOMPLETE.get(field.fills, self.autocomplete),
            **described,
        )

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        if field.max_length and field.max_length > LONGEST:
            text = gettext("The longest answer may have %(limit)s characters at most.")
            yield text % {"limit": f"{LONGEST:,}"}
        yield from super().flaws(field)


class LongText(Text):
    label = _("Long text")
    length = 10_000

    def control(
        self, field: FieldDefinition, values: list[str] | None, **described: str | None
    ) -> str:
        # A browser drops the first line break of a textarea, so one more is written.
        return element(
            "textarea",
            "\n" + text("".join(self.given(field, values)[-1:])),
            id=f"f-{field.name}",
            name=field.name,
            rows="5",
            placeholder=field.placeholder or None,
            required=field.required,
            **described,
        )


class Email(Text):
    """An address that email-validator accepts, with international and quoted local parts."""

    # Not input type=email: browsers refuse valid international addresses and rewrite domains.
    label = _("Email")
    missing = "missing_email"
    fills = frozenset({"email"})
    inputmode = "email"
    autocomplete = "email"
    autocapitalize = "none"
    spellcheck = "false"

    def clean(self, field: FieldDefinition, value: Any) -> str:
        answer = super().clean(field, value)
        check_email(answer.strip())
        return answer

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        return FieldKind.parse(self, field, texts)

    def worded(self, message: Message, locale: str) -> Message:
        # The library's reasons are for programmers.
        return Message.of("wrong_email") if message.code == "invalid_email" else message

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        return super().json_schema(field) | {"format": "idn-email"}


class Phone(Text):
    """A possible phone number: +… or 00…, or national in the country given by the default."""

    label = _("Phone")
    missing = "missing_phone"
    fills = frozenset({"phone"})
    length = 100
    input_type = "tel"
    autocomplete = "tel"

    def start(self, field: FieldDefinition) -> list[str]:
        return []

    def clean(self, field: FieldDefinition, value: Any) -> str:
        answer = super().clean(field, value)
        if not _is_plainly_possible(answer) and read_phone(answer, field.default) is None:
            raise InvalidAnswerError(
                "incomplete_phone" if field.default else "phone_without_country"
            )
        return answer

    def parse(self, field: FieldDefinition, texts: list[str]) -> Any:
        return FieldKind.parse(self, field, texts)

    def json_schema(self, field: FieldDefinition) -> dict[str, Any]:
        """Add the format ``phone``, or such as ``phone-GB`` where national numbers are valid."""
        name = f"phone-{field.default}" if field.default else "phone"
        return super().json_schema(field) | {"format": name}

    def _default_flaws(self, field: FieldDefinition) -> Iterator[str]:
        if field.default not in phonenumbers.SUPPORTED_REGIONS:
            yield gettext(
                "The default is the country of numbers without a country code: "
                "write its two capital letters, such as GB, or leave it empty."
            )


class Hidden(Text):
    """A value that the visitor does not see: the default, or a parameter of the page's URL."""

    label = _("Hidden")

    def cut(self, field: FieldDefinition, value: Any) -> str:
        """Return any JSON value as a text that ``clean`` accepts."""
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return UNSTORABLE.sub("", shown)[: self.longest(field)]

    def html(self, field: FieldDefinition, values: list[str] | None, errors: list[str]) -> str:
        value = "".join(self.given(field, values)[-1:])
        return element("input", type="hidden", name=field.name, value=value)

    def flaws(self, field: FieldDefinition) -> Iterator[str]:
        if field.required:
            yield gettext("A hidden field cannot be required: a visitor has no way to fill it in.")
        yield from super().flaws(field)


def check_email(address: str) -> None:
    """Raise InvalidAnswerError for a text that is not an address to which mail can be sent."""
    if _ORDINARY_EMAIL.match(address):
        return
    _check_punctuation(address)
    try:
        validate_email(
            address,
            check_deliverability=False,
            allow_smtputf8=True,
            allow_quoted_local=True,
        )
    except EmailNotValidError as error:
        raise InvalidAnswerError("invalid_email", reason=str(error)) from None


def is_blank(answer: str) -> bool:
    """Return whether a text is white space only."""
    return not answer.replace("\ufeff", "").strip()


def _check_punctuation(address: str) -> None:
    """Raise InvalidAnswerError for look-alikes of ASCII punctuation and invisible characters."""
    for letter in address:
        if letter.isascii():
            continue
        if is_invisible(letter):
            raise InvalidAnswerError("invisible_in_email")
        if plain := _LOOK_ALIKES.get(letter):
            raise InvalidAnswerError("look_alike_in_email", character=letter, plain=plain)
        if unicodedata.category(letter)[0] in "PS" and letter not in _IN_DOMAINS:
            raise InvalidAnswerError("sign_in_email", character=letter)


def _is_plainly_possible(answer: str) -> bool:
    """Return whether a number with + is possible; fast path of phonenumbers for most numbers."""
    if not _PLAIN_PHONE.match(answer):
        return False
    digits = _SEPARATORS.sub("", answer)
    return any(len(digits) - size in _lengths(digits[1:size]) for size in (2, 3, 4))


@cache
def _lengths(country_code: str) -> frozenset[int]:
    """Return the possible numbers of digits after a country code; empty for an unknown code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(country_code), ())
    if not regions:
        return frozenset()
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        int(country_code), regions[0]
    )
    general = metadata and metadata.general_desc
    return frozenset(general.possible_length if general else ())


def read_phone(answer: str, region: str = "") -> phonenumbers.PhoneNumber | None:
    """Parse a phone number; None when it is not a possible number.

    A number that starts with neither + nor 00 needs the ISO code of its country.
    """
    try:
        number = phonenumbers.parse(plain_phone(answer), region or None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
