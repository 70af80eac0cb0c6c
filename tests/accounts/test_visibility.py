import pytest
from django.apps import apps
from django.db import models

from leadgen.accounts.models import User
from leadgen.accounts.roles import ADMIN_ONLY, GRANTS, Role
from leadgen.accounts.visibility import (
    UnregisteredModelError,
    registered_models,
    visible,
    visible_rows,
)
from leadgen.capture.models import Submission
from leadgen.events.models import Cursor, Event
from leadgen.events.services import emit
from leadgen.leads.models import LeadSubmission, Note
from tests.factories import make_lead, make_submission, make_team, make_user

# Tables that no page or program lists by itself, and the reason.
INTERNAL = {
    "accounts.logincounter": "keyed hashes of failed log-ins",
    "accounts.notification": "the queue of mails; read by the role delivery, doctor and metrics",
    "capture.repeat": "read with its submission",
    "events.cursor": "the position of a consumer",
    "events.parkedevent": "read by doctor and metrics",
    "forms.formaddress": "read with its form",
    "leads.activity": "read with its lead",
    "leads.identity": "read with its contact",
    "leads.leadsubmission": "read with its lead",
    "operations.backup": "read by doctor",
    "operations.balance": "read by metrics",
    "operations.cacheentry": "counters of limits",
}


def own_models() -> set[str]:
    return {
        model._meta.label_lower
        for model in apps.get_models()
        if model.__module__.startswith("leadgen.")
    }


def labels() -> set[str]:
    return {model._meta.label_lower for model in registered_models()}


def test_every_model_has_a_visibility_rule_or_a_reason():
    assert labels() | INTERNAL.keys() == own_models()
    assert labels() & INTERNAL.keys() == set()


def test_every_registered_model_is_in_the_table_of_roles():
    granted = {resource for grants in GRANTS.values() for resource in grants}
    assert labels() == granted | ADMIN_ONLY


def test_model_without_a_rule_raises():
    class Planted(models.Model):
        class Meta:
            app_label = "leads"
            managed = False

    try:
        for rows in (Planted, Cursor):
            with pytest.raises(UnregisteredModelError, match=rows.__name__):
                visible(rows, User(role=Role.ADMIN))
        with pytest.raises(UnregisteredModelError, match="Planted has no visibility rule"):
            visible_rows(Planted._default_manager.filter(pk=1), User(role=Role.ADMIN))
    finally:
        del apps.all_models["leads"]["planted"]
        apps.clear_cache()


@pytest.mark.django_db
def test_notes_are_visible_with_their_lead():
    owner, colleague = make_user(role=Role.SALES_REP), make_user(role=Role.SALES_REP)
    note = Note.objects.create(lead=make_lead(owner), body="Called.", author=owner)
    assert list(visible(Note, owner)) == [note]
    assert list(visible(Note, colleague)) == []


@pytest.mark.django_db
def test_only_administrators_see_the_audit_log():
    event = emit("team.added", make_team())
    assert list(visible(Event, make_user(role=Role.ADMIN))) == [event]
    for role in set(Role) - {Role.ADMIN}:
        assert not visible(Event, make_user(role=role)).exists()


@pytest.mark.django_db
def test_a_sales_representative_sees_no_submission_of_others():
    owner = make_user(role=Role.SALES_REP)
    lead = make_lead(owner)
    submission = make_submission(state=Submission.State.PROCESSED)
    LeadSubmission.objects.create(lead=lead, submission=submission, reason="new")
    assert list(visible(Submission, owner)) == [submission]
    assert list(visible(Submission, make_user(role=Role.SALES_REP))) == []
