from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture.models import Submission
from leadgen.events.models import Event
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.leads import record_services, services
from leadgen.leads.intake import batches
from leadgen.leads.intake.batches import BatchOutcome, drain
from leadgen.leads.intake.writing import write_leads
from leadgen.leads.models import (
    Campaign,
    Company,
    Contact,
    Identity,
    Lead,
    LeadSubmission,
    Pipeline,
    Stage,
)
from tests.factories import make_form, make_submission, make_team, make_user

pytestmark = pytest.mark.django_db

COMPANY_FORM = Definition(
    title="Companies",
    fields=(
        FieldDefinition("email", "email", "Email", fills="email"),
        FieldDefinition("company", "text", "Company", fills="company"),
    ),
)


def events(kind):
    return list(Event.objects.filter(kind=kind).order_by("id"))


def test_a_submission_becomes_a_lead_of_a_new_contact(send):
    submission = send(name="Ada", email="Ada@example.com", message="Hello")
    lead = Lead.objects.get()
    assert (lead.contact.name, lead.contact.email, lead.message) == (
        "Ada",
        "Ada@example.com",
        "Hello",
    )
    assert (lead.stage.name, lead.form, lead.submissions_count) == ("New", submission.form, 1)
    assert lead.created_at == lead.last_activity_at == submission.received_at
    assert submission.link.lead == lead
    assert (submission.state, submission.link.reason) == ("processed", "new")


def test_second_submission_of_a_person_joins_the_open_lead(send):
    send(name="Ada", email="ada@example.com")
    again = send(name="Ada", email=" ADA@Example.com ", message="Any news?")
    lead = Lead.objects.get()
    assert (lead.submissions_count, lead.message) == (2, "Any news?")
    assert lead.last_activity_at == again.received_at
    assert again.link.reason == "matched"


def test_a_person_is_also_known_by_the_phone_number(send):
    send(name="Ada", email="ada@example.com", phone="+49 30 901820")
    send(name="Ada", phone="+4930901820")
    assert Lead.objects.get().submissions_count == 2


def test_identity_containing_another_is_another_person(send):
    send(email="ada@example.com")
    send(email="xada@example.com")
    send(email="ada@example.com.example.org")
    assert Contact.objects.count() == 3


def test_later_submission_fills_empty_fields_with_provenance(send):
    first = send(email="ada@example.com")
    second = send(name="Ada", email="ada@example.com", phone="+4930901820")
    contact = Contact.objects.get()
    assert (contact.name, contact.phone) == ("Ada", "+4930901820")
    assert contact.provenance == {
        "email": str(first.pk),
        "name": str(second.pk),
        "phone": str(second.pk),
    }
    assert "Ada" in contact.search


def test_later_submission_records_differences_only(send):
    send(name="Ada", email="ada@example.com", message="First")
    send(name="Ada King", email="ada@example.com", message="Second")
    contact, lead = Contact.objects.get(), Lead.objects.get()
    assert (contact.name, lead.message) == ("Ada", "First")
    told = events("lead.submission_added")[-1].data
    assert (told["changed"], told["message"]) == ({"name": "Ada King"}, "Second")


def test_email_decides_between_two_known_contacts(send):
    send(name="Ada", email="ada@example.com")
    send(name="Bob", email="bob@example.com", phone="+4930901820")
    both = send(email="ada@example.com", phone="+4930901820")
    bob = Contact.objects.get(name="Bob")
    assert both.link.lead.contact.name == "Ada"
    assert events("lead.submission_added")[-1].data["possible_duplicate"] == bob.pk
    assert Identity.objects.get(kind="phone").contact == bob


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_two_people_with_one_number_have_a_lead_each(send, is_one_batch):
    phone = "+4930901820"
    send(work=not is_one_batch, name="Anna Example", email="anna@example.com", phone=phone)
    send(name="Bernd Muster", email="bernd@example.com", phone=phone)
    send(name="Bernd Muster", email="bernd@example.com")
    anna, bernd = Contact.objects.order_by("pk")
    assert [lead.contact for lead in Lead.objects.order_by("pk")] == [anna, bernd]
    assert (bernd.name, bernd.phone) == ("Bernd Muster", phone)
    assert Contact.objects.matching("bernd@example.com").get() == bernd
    assert Identity.objects.get(kind="phone").contact == anna
    added = [event.data.get("possible_duplicate") for event in events("lead.submission_added")]
    assert added == [None, anna.pk, None]


def test_second_address_of_one_person_joins_by_the_number(send):
    send(name="Ada King", email="ada@example.com", phone="+4930901820")
    send(name="Ada", email="ada@example.org", phone="+4930901820")
    assert Lead.objects.get().submissions_count == 2


def test_a_closed_lead_opens_a_new_one_for_the_same_contact(send):
    first = send(email="ada@example.com")
    lost = Stage.objects.get(name="Lost")
    services.move(first.link.lead, lost, actor=make_user())
    second = send(email="ada@example.com")
    assert Contact.objects.count() == 1
    assert second.link.lead != first.link.lead
    assert second.link.lead.is_open


def test_a_submission_without_any_identity_still_becomes_a_lead(send):
    send(name="Anonymous", message="Call me")
    send(name="Anonymous", message="Call me")
    assert Lead.objects.count() == Contact.objects.count() == 2


def test_one_person_in_one_batch_has_one_open_lead(send):
    for number in range(20):
        send(work=False, name=f"Ada {number}", email="ada@example.com")
    assert drain() == BatchOutcome(processed=20)
    lead = Lead.objects.get()
    assert lead.submissions_count == lead.links.count() == 20
    assert len(events("lead.created")) == 1
    assert len(events("lead.submission_added")) == 20


def test_quarantined_parked_and_later_rows_are_skipped(published_form):
    later = timezone.now() + timedelta(hours=1)
    make_submission(published_form, state="quarantined")
    make_submission(published_form, parked_at=timezone.now())
    make_submission(published_form, next_at=later)
    assert drain() == BatchOutcome()
    assert not Lead.objects.exists()


def test_draining_again_changes_nothing(send):
    send(email="ada@example.com")
    assert drain() == BatchOutcome()
    assert LeadSubmission.objects.count() == Lead.objects.get().submissions_count == 1


def test_new_leads_are_assigned_round_robin(send):
    people = [make_user(takes_leads=True, team=make_team()) for _ in range(3)]
    make_user(takes_leads=True, is_active=False)
    for number in range(6):
        send(work=False, email=f"ada{number}@example.com")
    drain()
    assert [person.leads.count() for person in people] == [2, 2, 2]
    lead = people[0].leads.first()
    assert lead
    assert (lead.team, lead.status) == (people[0].team, "assigned")


def test_timeline_shows_the_automatic_assignment(send):
    owner = make_user(takes_leads=True)
    send(email="ada@example.com")
    kinds = [event.kind for event in Event.objects.order_by("id")]
    assert kinds == ["lead.created", "lead.submission_added", "lead.assigned"]
    assert events("lead.assigned")[0].data == {"owner": owner.pk, "by": "round robin"}


def test_lead_has_no_owner_if_no_user_takes_leads(send):
    assert not User.objects.taking_leads().exists()
    assert send(email="ada@example.com").link.lead.owner is None


def test_lead_records_source_medium_and_campaign(send):
    spring = Campaign.objects.create(name="Spring", utm_campaign="spring-26")
    utm = {"source": "Google", "medium": "cpc", "campaign": " SPRING-26 "}
    lead = send(email="ada@example.com", context={"utm": utm}).link.lead
    assert (lead.source, lead.medium, lead.campaign) == ("google", "cpc", spring)
    assert events("lead.created")[0].data["campaign"] == "Spring"


def test_context_of_the_wrong_shape_loses_no_lead(send):
    assert send(email="ada@example.com", context={"utm": None}).link.lead.source == "direct"


def test_companies_are_matched_by_name_without_case(published_form):
    kept = Company.objects.create(name="Ångström Works")
    companies_form = make_form(COMPANY_FORM)
    for number, name in enumerate(["ångström works", "ÅNGSTRÖM WORKS", "New Ltd", "new ltd"]):
        answers = {"email": f"a{number}@example.com", "company": name}
        make_submission(companies_form, answers=answers)
    drain()
    assert Company.objects.count() == 2
    assert kept.contacts.count() == kept.leads.count() == 2


@pytest.mark.parametrize(
    "name",
    ["Zoe\u0301 AG", "Zoé\u200b AG", "Zoé\u00a0 AG", "\u202aZOÉ AG\u202c", "\ufeffZoé AG"],
)
def test_companies_that_look_equal_are_one(published_form, name):
    companies_form = make_form(COMPANY_FORM)
    for number, company in enumerate(["Zoé AG", name]):
        answers = {"email": f"a{number}@example.com", "company": company}
        make_submission(companies_form, answers=answers)
    drain()
    colleague = Contact.objects.create(name="Colleague")
    record_services.update_contact(colleague, {"company": name}, actor=None)
    assert Company.objects.get().contacts.count() == 3


def test_campaigns_and_sources_that_look_equal_are_one(send):
    campaign = Campaign.objects.create(name="Été", utm_campaign="été 26")
    utm = {"source": "News\u200bletter", "medium": "mail\ufeff", "campaign": "e\u0301te\u0301  26"}
    lead = send(email="ada@example.com", context={"utm": utm}).link.lead
    assert (lead.source, lead.medium, lead.campaign) == ("newsletter", "mail", campaign)


def test_joiners_of_persian_names_are_kept(send):
    name = "علی\u200cرضا"
    assert send(email="ada@example.com", name=name).link.lead.contact.name == name


def test_first_lead_creates_the_default_pipeline(db):
    make_submission()
    drain()
    pipeline = Pipeline.objects.get(is_default=True)
    assert Lead.objects.get().stage == pipeline.stages.first()
    assert pipeline.stages.filter(type="won").count() == 1


def test_first_lead_adds_stages_to_an_empty_pipeline(db):
    pipeline = Pipeline.objects.create(name="Ours", is_default=True)
    make_submission(make_form())
    assert drain() == BatchOutcome(processed=1)
    assert Lead.objects.get().pipeline == pipeline


def test_the_oldest_are_worked_first(published_form):
    now = timezone.now()
    late = make_submission(published_form, received_at=now)
    early = make_submission(published_form, received_at=now - timedelta(days=1))
    drain(1)
    leads = list(Lead.objects.order_by("id").values_list("links__submission", flat=True))
    assert leads == [early.pk, late.pk]


def test_late_submission_is_processed_in_same_drain(published_form, monkeypatch):
    now = timezone.now()
    for minute in range(3):
        make_submission(published_form, received_at=now + timedelta(minutes=minute))
    late = iter([now - timedelta(days=1), now + timedelta(seconds=90)])

    def replayed_meanwhile(*batch):
        if received_at := next(late, None):
            make_submission(published_form, received_at=received_at)
        return write_leads(*batch)

    monkeypatch.setattr(batches, "write_leads", replayed_meanwhile)
    assert drain(1) == BatchOutcome(processed=5)


def test_statements_do_not_grow_with_the_rows_of_a_batch(send):
    make_user(takes_leads=True)
    Campaign.objects.create(name="Spring", utm_campaign="spring")
    context = {"utm": {"source": "x", "campaign": "spring"}}

    def statements(pairs):
        for number in range(pairs):
            for email in (f"known{number}@example.com", f"new{pairs}-{number}@example.com"):
                answers = {"name": "Ada", "email": email, "message": "Hello"}
                send(work=False, context=context, **answers)
        with CaptureQueriesContext(connection) as captured:
            assert drain().processed == 2 * pairs
        return len(captured)

    statements(25)
    assert statements(1) == statements(24) < 30


def test_intake_leaves_stored_answers_unchanged(send):
    sent = send(name=" Ada  ", email="Ada@Example.com")
    kept = Submission.objects.get(pk=sent.pk)
    assert kept.answers == kept.raw == {"name": " Ada  ", "email": "Ada@Example.com"}
