import pytest

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.events.services import emit
from leadgen.leads.models import Campaign, Company, LeadSubmission
from tests.factories import make_form, make_lead, make_submission, make_team, make_user


@pytest.fixture
def browse(client):
    """Return a function that logs a user in and returns the client."""

    def log_in(user: User):
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def place():
    """A row of every model that has pages, around one lead."""
    team = make_team()
    owner = make_user(Role.ADMIN, team=team, time_zone="Pacific/Auckland", takes_leads=True)
    lead = make_lead(owner)
    lead.contact.company = Company.objects.create(name="Mill")
    lead.contact.save()
    form = make_form()
    form.fields.create(name="day", kind="date", label="When", position=1)
    sent = make_submission(form)
    LeadSubmission.objects.create(lead=lead, submission=sent, reason="new")
    return {
        "leads.lead": lead,
        "leads.task": lead.tasks.create(title="Call", owner=owner, created_by=owner),
        "leads.contact": lead.contact,
        "leads.company": lead.contact.company,
        "leads.campaign": Campaign.objects.create(name="Spring", utm_campaign="spring"),
        "leads.pipeline": lead.pipeline,
        "forms.form": form,
        "accounts.team": team,
        "accounts.user": make_user(team=team),
        "capture.submission": sent,
        "events.event": emit("lead.created", lead, actor=owner),
    }
