from typing import Any

import pytest
from django.core.exceptions import ValidationError

from leadgen.events.actors import Actor, ActorType
from leadgen.events.models import Event
from leadgen.forms import services
from leadgen.forms.models import Field, Form, FormAddress
from leadgen.lib.edits import RowEdits

pytestmark = pytest.mark.django_db

KEY = Actor(ActorType.API_KEY, "key_7", "Zapier")


def events() -> list[tuple[str, str, dict[str, Any]]]:
    return [(each.kind, each.author.label, each.data) for each in Event.objects.order_by("id")]


def field(name: str, **values: Any) -> Field:
    return Field(name=name, kind="text", label=name.title(), **values)


@pytest.fixture
def saved_form() -> Form:
    form = Form(title="Talk to us", slug="talk")
    services.add_form(form, [field("name"), field("size", position=1)], actor=KEY)
    Event.objects.all().delete()
    return form


def test_form_verbs_emit_their_events():
    form = Form(title="Talk to us", slug="talk")
    services.add_form(form, [field("name")], actor=KEY)
    services.publish(form, actor=KEY)
    services.unpublish(form, actor=KEY)
    other = Form(title="Other", slug="other")
    services.add_form(other, [], actor=KEY)
    services.delete_form(other, actor=KEY)
    assert events() == [
        ("form.added", "Zapier", {}),
        ("form.published", "Zapier", {"version": 1, "fields": 1}),
        ("form.unpublished", "Zapier", {"version": 1}),
        ("form.added", "Zapier", {}),
        ("form.deleted", "Zapier", {"name": "Other"}),
    ]


def test_edit_of_a_form_and_its_fields_is_one_event(saved_form):
    name, size = saved_form.fields.all()
    edits = RowEdits(
        added=[field("email", position=2)], changed={name.pk: {"label": "You"}}, deleted=[size.pk]
    )
    services.update_form(saved_form, {"title": "Talk", "intro": ""}, edits, actor=KEY)
    names = {"fields_added": ["email"], "fields_changed": ["name"], "fields_deleted": ["size"]}
    assert events() == [("form.changed", "Zapier", {"changes": ["title"], **names})]
    assert [each.label for each in saved_form.fields.all()] == ["You", "Email"]


def test_new_address_emits_an_event_and_keeps_the_former(saved_form):
    services.publish(saved_form, actor=KEY)
    services.update_form(saved_form, {"slug": "hello"}, actor=KEY)
    assert events()[1:] == [
        ("form.changed", "Zapier", {"changes": ["slug"]}),
        ("form.address_changed", "Zapier", {"from": "talk", "to": "hello"}),
    ]
    assert FormAddress.objects.get().slug == "talk"


def test_equal_values_emit_nothing_and_keep_the_time_of_change(saved_form):
    name = saved_form.fields.all()[0]
    before = Form.objects.get(pk=saved_form.pk).updated_at
    same = RowEdits(changed={name.pk: {"label": name.label}})
    services.update_form(saved_form, {"title": saved_form.title}, same, actor=KEY)
    assert events() == []
    assert Form.objects.get(pk=saved_form.pk).updated_at == before


def test_edit_does_not_undo_a_publication(saved_form):
    services.publish(Form.objects.get(pk=saved_form.pk), actor=KEY)
    services.update_form(saved_form, {"title": "Talk"}, actor=KEY)
    stored = Form.objects.get(pk=saved_form.pk)
    assert (stored.title, stored.published is not None) == ("Talk", True)


@pytest.mark.parametrize("values", [{"slug": "no address"}, {"allowed_origins": "nonsense"}])
def test_refused_value_of_a_form_changes_nothing(saved_form, values):
    with pytest.raises(ValidationError) as refusal:
        services.update_form(saved_form, {**values, "title": "Talk"}, actor=KEY)
    assert list(refusal.value.message_dict) == list(values)
    assert Form.objects.get(pk=saved_form.pk).title == "Talk to us"
    assert events() == []


def test_name_of_another_field_is_refused(saved_form):
    size = saved_form.fields.get(name="size")
    edits = RowEdits(changed={size.pk: {"name": "name"}})
    with pytest.raises(ValidationError, match="Another field of this form has this name"):
        services.update_form(saved_form, {}, edits, actor=KEY)


def test_edit_of_a_deleted_field_is_refused(saved_form):
    size = saved_form.fields.get(name="size")
    edits = RowEdits(deleted=[size.pk])
    Field.objects.filter(pk=size.pk).delete()
    with pytest.raises(ValidationError, match=f"number {size.pk} no longer exist"):
        services.update_form(saved_form, {"title": "Talk"}, edits, actor=KEY)
    assert Form.objects.get(pk=saved_form.pk).title == "Talk to us"
