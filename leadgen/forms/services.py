"""Verbs on forms: publish, unpublish."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from leadgen.accounts.models import User
from leadgen.events.services import emit
from leadgen.forms.models import Form, FormVersion
from leadgen.forms.publish_checks import problems

_MAX_NAMED = 5


@transaction.atomic
def publish(form: Form, *, actor: User | None) -> FormVersion:
    """Publish the draft as the next version; emit form.published.

    Raise ValidationError, naming the field, when the draft fails a publish check, such as a choice
    without options, and when a newer release published the form last, because the draft lacks what
    that release added. A draft that equals the published version is not published again: return
    that version, emit nothing.
    """
    locked = Form.objects.select_for_update().get(pk=form.pk)
    _check_release(locked.versions.first())
    definition = locked.draft()
    if messages := problems(definition):
        raise ValidationError(messages)
    version = locked.published
    if version is None or version.read() != definition:
        version = locked.freeze(definition)
        data = {"version": version.number, "fields": len(definition.fields)}
        emit("form.published", locked, actor=actor, data=data)
    form.published = version
    return version


def _check_release(latest: FormVersion | None) -> None:
    if latest is None or (reading := latest.reading()).is_whole:
        return
    parts = [*reading.unknown, *reading.extra]
    named = ", ".join(part[:80] for part in parts[:_MAX_NAMED]) + ", …" * (len(parts) > _MAX_NAMED)
    text = gettext(
        "This form was last published by a newer release (version %(number)s). Publishing it here "
        "would drop what this release does not know: %(parts)s. Update Leadgen, then publish."
    )
    raise ValidationError(text % {"number": latest.number, "parts": named})


@transaction.atomic
def unpublish(form: Form, *, actor: User | None) -> None:
    """Unpublish the form (its page answers 404), keep its submissions; emit form.unpublished."""
    locked = Form.objects.select_for_update().get(pk=form.pk)
    if locked.published:
        data = {"version": locked.published.number}
        locked.published = None
        locked.save(update_fields=["published", "updated_at"])
        emit("form.unpublished", locked, actor=actor, data=data)
    form.published = None
