from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from leadgen.events.models import Event
from leadgen.forms.models import Field, Form, FormVersion
from leadgen.forms.services import publish, unpublish
from tests.factories import make_submission, make_user

pytestmark = pytest.mark.django_db


def make_draft(*fields, **texts):
    form = Form.objects.create(**{"title": "Talk to us", "slug": "talk", **texts})
    for position, field in enumerate(fields or ({"name": "email", "kind": "email"},)):
        Field.objects.create(form=form, position=position, **{"label": field["name"], **field})
    return form


def published(form):
    return [(event.kind, event.data["version"]) for event in Event.objects.about(form)]


def test_publishing_creates_a_version_and_an_event():
    form, marketer = make_draft(), make_user()
    version = publish(form, actor=marketer)

    assert Form.objects.get().published == version == form.published
    assert (version.number, version.read()) == (1, form.draft())
    assert published(form) == [("form.published", 1)]
    assert Event.objects.get().actor == marketer


def test_published_version_is_unchanged_by_later_drafts():
    form = make_draft()
    before = publish(form, actor=None).read()
    form.fields.update(label="Your address")

    assert FormVersion.objects.get().read() == before
    assert form.differs
    assert publish(form, actor=None).number == 2
    assert not form.differs


def test_publishing_the_same_draft_again_changes_nothing():
    form = make_draft({"name": "size", "kind": "choice", "options": "s | Small\nl"})
    first = publish(form, actor=None)

    assert publish(form, actor=None) == first
    assert published(form) == [("form.published", 1)]


def test_version_numbers_continue_after_an_unpublish():
    form = make_draft()
    publish(form, actor=None)
    unpublish(form, actor=None)
    unpublish(form, actor=None)

    assert Form.objects.get().published is None
    assert publish(form, actor=None).number == 2
    assert [kind for kind, _ in published(form)] == [
        "form.published",
        "form.unpublished",
        "form.published",
    ]


def test_renamed_or_removed_field_leaves_answers_unchanged():
    form = make_draft({"name": "email", "kind": "email"}, {"name": "size", "kind": "number"})
    publish(form, actor=None)
    given = make_submission(form, answers={"email": "ada@example.com", "size": 7})
    form.fields.filter(name="email").update(name="address")
    form.fields.filter(name="size").delete()
    publish(form, actor=None)
    given.refresh_from_db()

    assert given.answers == given.raw == {"email": "ada@example.com", "size": 7}
    assert [field.name for field in given.version.read().fields] == ["email", "size"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"kind": "choice"}, "Add at least one option"),
        ({"kind": "choice", "options": "a\na"}, "same value"),
        ({"kind": "choice", "options": "| A"}, "has no value"),
        ({"kind": "multiple_choice", "options": " \n"}, "Add at least one option"),
        ({"kind": "consent"}, "Write the wording"),
        ({"kind": "consent", "wording": "I agree.", "default": "yes"}, "has no default"),
        ({"kind": "number", "minimum": "ten"}, "not a number"),
        ({"kind": "number", "minimum": "2", "maximum": "1"}, "swap them"),
        ({"kind": "date", "maximum": "31.12.2026"}, "not a date"),
        ({"kind": "date", "minimum": "2026-02-02", "maximum": "2026-02-01"}, "swap them"),
        ({"kind": "text", "max_length": 20_001}, "at most"),
        ({"kind": "email", "default": "ada"}, "default is not a valid answer"),
        ({"kind": "phone", "default": "+44 20"}, "two capital letters"),
        ({"kind": "phone", "default": "ZZ"}, "two capital letters"),
        ({"kind": "text", "fills": "email"}, "cannot go to"),
        ({"kind": "yes_no", "fills": "name"}, "cannot go to"),
        ({"kind": "hidden", "required": True}, "cannot be required"),
    ],
)
def test_a_draft_that_cannot_work_is_refused_by_field_and_fix(field, message):
    form = make_draft({"name": "email", "kind": "email"}, {"name": "other", **field})

    with pytest.raises(ValidationError, match=message) as refused:
        publish(form, actor=None)

    assert refused.value.messages[0].startswith("other (other): ")
    assert not FormVersion.objects.exists()
    assert not Event.objects.exists()


def test_form_without_visible_field_cannot_be_published():
    form = make_draft({"name": "campaign", "kind": "hidden"})

    with pytest.raises(ValidationError, match="Add at least one field"):
        publish(form, actor=None)


def test_two_fields_cannot_go_to_the_same_attribute():
    form = make_draft(
        {"name": "email", "kind": "email", "fills": "email"},
        {"name": "second", "kind": "email", "fills": "email"},
    )

    with pytest.raises(ValidationError, match="email, second: only one field"):
        publish(form, actor=None)


@pytest.mark.parametrize("locale", ["English", "xx", "en-ZZ"])
def test_an_unknown_language_is_not_published(locale):
    with pytest.raises(ValidationError, match=f"“{locale}” is no language code"):
        publish(make_draft(locale=locale), actor=None)


def test_language_is_published_in_its_canonical_form():
    assert publish(make_draft(locale="ar_EG"), actor=None).read().locale == "ar-EG"


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "ftp://example.com", "//example.com", "https:///x", "http://["],
)
def test_redirect_address_must_be_a_web_page(address):
    with pytest.raises(ValidationError, match="Redirect to"):
        publish(make_draft(redirect_url=address), actor=None)


@pytest.mark.django_db(transaction=True)
def test_concurrent_publishing_creates_one_version():
    form = make_draft()

    def publish_once(_):
        try:
            return publish(Form.objects.get(pk=form.pk), actor=None).number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(publish_once, range(8)))

    assert numbers == [1] * 8
    assert published(form) == [("form.published", 1)]
