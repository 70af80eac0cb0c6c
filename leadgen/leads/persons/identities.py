"""Identities of a contact whose email or phone a person corrects (ADR 0029)."""

from collections.abc import Mapping
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.forms.format.fields import InvalidAnswerError
from leadgen.forms.format.fields.texts import check_email, read_phone
from leadgen.leads.intake.matching import email_key, phone_key
from leadgen.leads.models import Contact, Identity

_NO_PHONE = _(
    "“%(text)s” is not a whole phone number. Write it with its country code, such as +49 30 901820."
)
_TAKEN = {
    "email": _("Another contact is known by this email address: use that contact instead."),
    "phone": _("Another contact is known by this phone number: use that contact instead."),
}


def normalised(values: Mapping[str, Any], *, country: str) -> dict[str, Any]:
    """Return the values with email, phone and country in the form that intake stores.

    ``country`` is that of numbers without a country code, unless the values name one. Raise
    ValidationError, by field, for a text that is no email address, phone number or country code.
    """
    result, errors = dict(values), {}
    region = str(values.get("country") or country).strip().upper()
    readers = {"email": _email, "phone": lambda text: _phone(text, region), "country": _country}
    for name in readers.keys() & values.keys():
        try:
            result[name] = readers[name](" ".join(str(values[name] or "").split()))
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
    return result


def check_free(contact: Contact, values: Mapping[str, Any]) -> None:
    """Raise ValidationError, by field, for a normalised email or phone of another contact."""
    errors = {}
    for name in _TAKEN.keys() & values.keys():
        key = _key(name, values[name], contact.country)
        if Identity.objects.filter(kind=name, value=key).exclude(contact=contact).exists():
            errors[name] = ValidationError(_TAKEN[name])
    if errors:
        raise ValidationError(errors)


def follow(contact: Contact, changes: Mapping[str, Any]) -> None:
    """Replace the identities of earlier values by those of the contact's email and phone.

    ``changes`` holds the earlier values by field. Call it in the transaction that has locked the
    contact. Raise ValidationError for a value that another contact is known by.
    """
    for name in sorted(_TAKEN.keys() & changes.keys()):
        new = _key(name, getattr(contact, name), contact.country)
        old = _key(name, changes[name], contact.country)
        if new:
            row = Identity(contact=contact, kind=name, value=new)
            Identity.objects.bulk_create([row], ignore_conflicts=True)
        check_free(contact, {name: getattr(contact, name)})
        if old and old != new:
            Identity.objects.filter(contact=contact, kind=name, value=old).delete()


def _key(name: str, text: str, country: str) -> str:
    return email_key(text) if name == "email" else phone_key(text, country)


def _email(text: str) -> str:
    if text:
        try:
            # The rule of the form's field, so that the page takes what the form takes.
            check_email(text)
        except InvalidAnswerError as error:
            message = gettext("“%(text)s” is not an email address. %(reason)s")
            raise ValidationError(message % {"text": text, "reason": error}) from None
    return text


def _phone(text: str, region: str) -> str:
    if not text:
        return ""
    number = read_phone(text, region)
    if number is None:
        raise ValidationError(_NO_PHONE % {"text": text})
    exact = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{exact};ext={number.extension}" if number.extension else exact


def _country(text: str) -> str:
    code = text.upper()
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        message = gettext("“%(text)s” is not a country code. Write two letters, such as DE.")
        raise ValidationError(message % {"text": text})
    return code
