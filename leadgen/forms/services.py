"""Publish forms, and take them off the air."""

from leadgen.accounts.models import User
from leadgen.forms.models import Form, FormVersion


def publish(form: Form, *, actor: User | None) -> FormVersion:
    """Freeze the draft as the next version and put it on the air; emit form.published.

    Raise ValidationError naming the field where the draft cannot be published (no field at all, a
    choice without options, a consent without wording, two fields filling the same attribute, …).
    Publishing a draft that equals the published version returns that version and emits nothing.
    """
    raise NotImplementedError


def unpublish(form: Form, *, actor: User | None) -> None:
    """Take the form off the air (its page answers 404); emit form.unpublished. Answers stay."""
    raise NotImplementedError
