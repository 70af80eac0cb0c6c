"""Field kinds: pure classes that clean an answer, describe it (JSON Schema) and render it."""

from leadgen.forms.format.fields.base import FieldKind, InvalidAnswerError, UnknownKind
from leadgen.forms.format.fields.choices import Choice, Consent, Country, MultipleChoice, YesNo
from leadgen.forms.format.fields.numbers import Date, Number
from leadgen.forms.format.fields.texts import Email, Hidden, LongText, Phone, Text

UNKNOWN = ""
"""The name of the unknown kind: its fields store any answer as sent."""


class _Kinds(dict[str, FieldKind]):
    """The kinds by name; a kind of a newer release is read as UnknownKind."""

    _unknown = UnknownKind()

    def __missing__(self, name: str) -> FieldKind:
        return self._unknown


KINDS = _Kinds(
    {
        "text": Text(),
        "long_text": LongText(),
        "email": Email(),
        "phone": Phone(),
        "number": Number(),
        "choice": Choice(),
        "multiple_choice": MultipleChoice(),
        "yes_no": YesNo(),
        "date": Date(),
        "country": Country(),
        "hidden": Hidden(),
        "consent": Consent(),
    }
)
CHOICES = [(name, kind.label) for name, kind in KINDS.items()]

__all__ = ["CHOICES", "KINDS", "UNKNOWN", "FieldKind", "InvalidAnswerError"]
