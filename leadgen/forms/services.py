"""Verbs on forms: add, update, publish, unpublish, delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from leadgen.accounts.models import User
from leadgen.events.actors import Actor
from leadgen.events.services import emit
from leadgen.forms.models import Field, Form, FormVersion
from leadgen.forms.publish_checks import problems
from leadgen.lib.edits import RowEdits, apply_values, lock_rows, set_values

_MAX_NAMED = 5
_NO_EDITS = RowEdits()


@transaction.atomic
def add_form(form: Form, fields: Sequence[Field], *, actor: Actor | User | None) -> None:
    """Save a new form with the fields of its draft; emit form.added."""
    form.save()
    _add_fields(form, fields)
    emit("form.added", form, actor=actor)


@transaction.atomic
def update_form(
    form: Form,
    values: Mapping[str, Any],
    fields: RowEdits = _NO_EDITS,
    *,
    actor: Actor | User | None,
) -> None:
    """Set values of the draft and edit its fields; equal values change nothing.

    Emit form.changed {changes, fields_added, fields_changed, fields_deleted}, and for another
    address form.address_changed {from, to}. Raise ValidationError for a value that its field
    refuses, and for a field that is gone.
    """
    changes = apply_values(form, values)
    edited = _edit_fields(form, fields)
    if not changes and not edited:
        return
    # Also without changes of its own: updated_at is the time of the last change of the draft.
    form.save(update_fields=[*changes, "updated_at"])
    emit("form.changed", form, actor=actor, data={"changes": list(changes), **edited})
    if "slug" in changes:
        data = {"from": changes["slug"], "to": form.slug}
        emit("form.address_changed", form, actor=actor, data=data)


@transaction.atomic
def delete_form(form: Form, *, actor: Actor | User | None) -> None:
    """Delete a form that was never published; emit form.deleted {name}."""
    emit("form.deleted", form, actor=actor, data={"name": form.title})
    form.delete()


def _edit_fields(form: Form, edits: RowEdits) -> dict[str, list[str]]:
    """Delete, change and add fields of the draft; return their names by key of the payload."""
    locked: dict[int, Field] = lock_rows(form.fields.all(), edits.keys)
    deleted = [_delete_field(locked[key]) for key in edits.deleted]
    changed = [key for key, values in (edits.changed or {}).items() if _change(locked[key], values)]
    names = {
        "fields_deleted": deleted,
        "fields_changed": [locked[key].name for key in changed],
        "fields_added": _add_fields(form, edits.added),
    }
    return {key: fields for key, fields in names.items() if fields}


def _add_fields(form: Form, fields: Sequence[Field]) -> list[str]:
    for field in fields:
        field.form = form
        field.save()
    return [field.name for field in fields]


def _change(field: Field, values: Mapping[str, Any]) -> bool:
    changes = set_values(field, values)
    if changes:
        field.save(update_fields=changes)
    return bool(changes)


def _delete_field(field: Field) -> str:
    field.delete()
    return field.name


@transaction.atomic
def publish(form: Form, *, actor: Actor | User | None) -> FormVersion:
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
def unpublish(form: Form, *, actor: Actor | User | None) -> None:
    """Unpublish the form (its page answers 404), keep its submissions; emit form.unpublished."""
    locked = Form.objects.select_for_update().get(pk=form.pk)
    if locked.published:
        data = {"version": locked.published.number}
        locked.published = None
        locked.save(update_fields=["published", "updated_at"])
        emit("form.unpublished", locked, actor=actor, data=data)
    form.published = None
