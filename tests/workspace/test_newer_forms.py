"""The workspace shows what it can of forms that a newer release published."""

import pytest
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.capture.reasons import label_of
from leadgen.forms.models import FormVersion
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import Lead
from tests.factories import DEFINITION, make_pipeline, make_submission, make_user

pytestmark = pytest.mark.django_db

OLD = DEFINITION.to_json()
MOOD = {"name": "mood", "kind": "hologram", "label": "Your mood"}
NEWER = [
    OLD | {"format": 2, "needs": ["logic"], "fields": [*OLD["fields"], MOOD]},
    {"fields": [{"name": "name", "kind": 5, "required": {}, "options": [3]}, MOOD]},
    7,
]
newer = pytest.mark.parametrize("data", NEWER)
ANSWERS = {"name": "Ada", "mood": {"joy": [1, {"deep": True}]}, "list": [{"a": 1}]}


@pytest.fixture
def client(browse):
    return browse(make_user(Role.ADMIN))


def publish(form, data):
    form.published = FormVersion.objects.create(form=form, number=2, definition=data)
    form.save()


@newer
def test_form_pages_show_a_newer_version(client, published_form, data):
    publish(published_form, data)
    listed = client.get(reverse("admin:forms_form_changelist"))
    page = client.get(reverse("admin:forms_form_change", args=[published_form.pk]))
    assert "Version 2 is of a newer release" in listed.content.decode()
    assert "Version 2 is of a newer release" in page.content.decode()


@newer
def test_a_submission_shows_raw_values_of_unknown_kinds(client, published_form, data):
    publish(published_form, data)
    row = make_submission(
        published_form,
        answers=ANSWERS,
        state="quarantined",
        reasons=["newer_form", "reason_to_come"],
    )
    listed = client.get(reverse("admin:capture_submission_changelist"))
    page = client.get(reverse("admin:capture_submission_change", args=[row.pk])).content.decode()
    assert "Sent to a form of a newer release" in listed.content.decode()
    assert "reason to come" in page
    assert "joy: 1, deep: Yes" in page


def test_labels_of_unknown_kinds_are_shown(client, published_form):
    publish(published_form, NEWER[0])
    row = make_submission(published_form, answers=ANSWERS)
    page = client.get(reverse("admin:capture_submission_change", args=[row.pk]))
    assert "Your mood" in page.content.decode()


@newer
def test_the_lead_page_shows_such_a_submission(client, published_form, data):
    make_pipeline()
    publish(published_form, data)
    row = make_submission(published_form, answers=ANSWERS)
    drain()
    lead = Lead.objects.get(links__submission=row)
    page = client.get(reverse("admin:leads_lead_change", args=[lead.pk]))
    assert page.status_code == 200
    assert "joy: 1, deep: Yes" in page.content.decode()


def test_every_known_reason_has_a_text():
    assert label_of("flood") == "Too many from one address"
    assert label_of("reason_to_come") == "reason to come"
