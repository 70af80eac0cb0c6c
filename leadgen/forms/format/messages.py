"""Messages to visitors: codes with parameters, and the one table of their English texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Plural:
    """The plural forms of one text; ``count`` is the name of the parameter that is counted."""

    count: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message by its code, a key of TEXTS; ``parameters`` are the values in its text."""

    code: str
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, code: str, **parameters: Any) -> Self:
        """Return the message of a code with its parameters by name."""
        return cls(code, parameters)

    @property
    def text(self) -> str:
        """The English text; raise KeyError for an unknown code or a missing parameter."""
        return text_of(self.code, **self.parameters)


Errors = dict[str, list[Message]]
"""Messages by field name; those of the name "" concern the whole form."""


def text_of(code: str, **parameters: Any) -> str:
    """Return the English text of a code; raise KeyError for an unknown code or parameter."""
    template = TEXTS[code]
    if isinstance(template, Plural):
        template = template.one if parameters[template.count] == 1 else template.other
    return template.format_map(parameters)


def texts_of(errors: Mapping[str, list[Message]]) -> dict[str, list[str]]:
    """Return the English texts by field name, as the page and the API show them."""
    return {name: [message.text for message in messages] for name, messages in errors.items()}


TEXTS: dict[str, str | Plural] = {
    # A required answer is missing.
    "missing": "Please fill this in.",
    "missing_email": "Enter an email address, such as name@example.com.",
    "missing_phone": "Enter a phone number.",
    "missing_number": "Enter a number.",
    "missing_date": "Enter a date.",
    "missing_choice": "Choose an option.",
    "missing_choices": "Choose at least one option.",
    "missing_country": "Choose a country.",
    "missing_yes_no": "Choose yes or no.",
    "missing_consent": "Please tick this box to go on.",
    # An answer is invalid.
    "not_text": "This must be a text.",
    "unstorable": "This contains a character that cannot be stored: please remove it.",
    "too_long": "Use at most {limit:,} characters; this has {length:,}.",
    # email-validator words the reason; it has no codes.
    "invalid_email": "{reason}",
    "wrong_email": "Enter an address such as name@example.com.",
    "look_alike_in_email": "Replace “{character}” with {plain} from the keyboard.",
    "sign_in_email": "Remove “{character}” from the email address.",
    "invisible_in_email": (
        "This contains an invisible character: delete the address and type it by hand."
    ),
    "incomplete_phone": (
        "Enter a whole phone number; from abroad with + and the country code first."
    ),
    "phone_without_country": (
        "Enter the number with + and the country code first, such as +44 20 7946 0958."
    ),
    "not_number": "Enter a number in digits, such as 1250 or 12.5.",
    "not_plain_number": (
        "Enter a number without separators between thousands, such as 1250 or {example}."
    ),
    "number_too_small": "Enter {limit} or more.",
    "number_too_large": "Enter {limit} or less.",
    "not_date": "Enter a date as year-month-day, such as 2026-03-31.",
    "date_too_early": "Enter {limit} or later.",
    "date_too_late": "Enter {limit} or earlier.",
    "not_an_option": "Choose one of the options.",
    "not_a_list": "This must be a list of options.",
    "repeated_option": "Choose each option once.",
    "not_yes_or_no": "Choose yes or no.",
    "not_true_or_false": "This must be true or false.",
    "date_may_be_empty": "Leave it empty if no date is fixed.",
    # The request and the form do not fit.
    "nothing_given": "Fill in at least one field.",
    "unknown_field": "This form has no such field.",
    "unknown_consent": "This form asks for no such consent.",
    "contradicting_consent": "The consent in fields says something else.",
    # The hosted page: headings, then texts.
    "not_sent": "This could not be sent",
    "fields_to_correct": Plural(
        "count",
        one="1 field needs your attention",
        other="{count} fields need your attention",
    ),
    "title_forbidden": "This page may not send the form",
    "title_not_found": "There is no such form",
    "title_too_large": "That is too much",
    "title_too_many": "Too many at once",
    "title_unavailable": "Please try again",
    "title_failed": "That did not work",
    "title_thanks": "Thank you",
    "form_not_found": "Check the address, or ask whoever gave it to you.",
    "form_closed": (
        "This form is closed and takes no more answers. Ask whoever gave you its address."
    ),
    "foreign_page": "Open the form itself and send it from there.",
    "not_saved": (
        "We could not save your answers just now. They are still here: send them again in a moment."
    ),
    "thanks": "We have your message and will be in touch.",
}
