from io import StringIO

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from leadgen.accounts.sessions import SessionStore
from leadgen.capture import erasure as ledger_erasure
from leadgen.capture.models import Submission
from leadgen.capture.spool import replay, store
from leadgen.events.models import Event
from leadgen.leads import record_services, services
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import Company, Contact, Identity, Lead, LeadSubmission, Note, Task
from leadgen.leads.ownership import person_services
from leadgen.leads.ownership.person_services import Rule
from leadgen.leads.persons import erasure
from leadgen.leads.timeline import describe
from leadgen.operations.reconcile import measure
from tests.capture.rows import make_row
from tests.factories import make_submission, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, PHONE = "ada.secret@example.com", "+4930901820"
ANSWERS = {"name": "Ada Secret", "email": EMAIL, "phone": PHONE, "message": "My secret wish"}
PERSONAL = ("secret", "901820")


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "storage")},
        },
    }
    return tmp_path / "storage"


@pytest.fixture
def ada(send):
    """A person with an open and a closed lead, notes, tasks and a company."""
    send(
        **ANSWERS,
        context={
            "utm": {"source": "google", "term": "secret"},
            "page": "https://example.com/?secret",
        },
    )
    contact, rep = Contact.objects.get(), make_user()
    lead = contact.leads.get()
    services.add_note(lead, "The secret of Ada", actor=rep)
    services.add_task(lead, "Call +4930901820", due_at=None, owner=None, actor=rep)
    services.move(lead, lead.pipeline.stages.get(type="won"), actor=rep)
    send(**{**ANSWERS, "name": "Ada Secretive", "message": "Another secret"})
    values = {"company": "Engines", "job_title": "Secretary"}
    record_services.update_contact(contact, values, actor=rep)
    return contact


def found_personal():
    """Return the tables that hold something of the person."""
    models = [model for model in apps.get_models() if model.__module__.startswith("leadgen.")]
    return {
        model._meta.label
        for model in models
        for row in model._base_manager.values_list()
        if any(word in str(row).lower() for word in PERSONAL)
    }


def erase(person=EMAIL, *options):
    printed = StringIO()
    call_command("erase", person, *options, stdout=printed)
    return printed.getvalue()


@pytest.mark.parametrize("name", [" Ada.Secret@Example.com ", PHONE, "+49 30 901820", "number"])
def test_nothing_of_the_person_is_left_in_any_table(ada, published_form, name):
    make_submission(published_form, answers=ANSWERS, state="quarantined", reasons=["flood"])
    make_submission(published_form, answers=ANSWERS, parked_at=timezone.now(), last_error="secret")
    make_submission(
        published_form, answers=ANSWERS, idempotency_key="ada.secret", raw={"x": "secret"}
    )
    assert found_personal()
    erase(str(ada.pk) if name == "number" else name, "--yes")
    assert found_personal() == set()
    assert measure().places["erased"] == 5
    assert measure().unaccounted == 0


def test_the_dry_run_counts_and_changes_nothing(ada, published_form):
    make_submission(published_form, answers=ANSWERS, state="quarantined", reasons=["flood"])
    before = found_personal()
    printed = erase()
    assert found_personal() == before
    for line in ("1  contacts", "2  leads", "2  submissions on leads", "1  submissions on no lead"):
        assert line in printed
    assert not Event.objects.filter(kind__endswith=".erased").exists()
    assert "secret" not in printed


def test_tombstones_keep_receipt_form_times_and_lead(ada):
    before = list(Submission.objects.order_by("pk").values("pk", "form", "version", "received_at"))
    links = list(LeadSubmission.objects.order_by("pk").values("lead", "submission"))
    counts = list(Lead.objects.order_by("pk").values("pk", "form", "source", "submissions_count"))
    erase(EMAIL, "--yes")
    rows = Submission.objects.order_by("pk")
    assert list(rows.values("pk", "form", "version", "received_at")) == before
    assert set(rows.values_list("state", flat=True)) == {"erased"}
    assert list(LeadSubmission.objects.order_by("pk").values("lead", "submission")) == links
    assert list(
        Lead.objects.order_by("pk").values("pk", "form", "source", "submissions_count")
    ) == (counts)


def test_leads_stay_in_their_stages_and_open_ones_are_lost(ada):
    erase(EMAIL, "--yes")
    won, lost = Lead.objects.order_by("pk")
    assert (won.stage.type, won.status) == ("won", "converted")
    assert (lost.stage.type, lost.status, lost.is_open) == ("lost", "disqualified", False)
    assert lost.first_response_at is None
    assert str(lost) == "Erased person"
    assert (won.company, won.contact.company) == (None, None)
    assert Company.objects.exists()
    assert not Note.objects.exists()
    assert [task.title for task in Task.objects.all()] == ["Erased"]
    assert not Task.objects.open().exists()


def test_erased_lead_has_no_new_message(ada):
    Lead.objects.update(new_message_at=timezone.now())
    erase(EMAIL, "--yes")
    assert not Lead.objects.exclude(new_message_at=None).exists()


def test_timeline_of_an_erased_lead_does_not_lose_its_team(ada):
    rep, lead = make_user(team=make_team()), Lead.objects.open().first()
    assert lead
    services.assign(lead, rep, actor=None)
    values = {"team": make_team()}
    person_services.update_person(rep, values, destination=Rule.ALONG, actor=None)
    erase(EMAIL, "--yes")
    moved = lead.timeline().get(kind="lead.team_changed")
    assert describe(moved, {}).text == "Moved to another team"


def test_the_events_name_rows_but_no_person(ada):
    erase(EMAIL, "--yes")
    event = Event.objects.get(kind="contact.erased")
    assert (event.subject_id, event.data) == (str(ada.pk), {"leads": 2, "submissions": 2})
    assert Event.objects.filter(kind="lead.erased").count() == 2
    assert Event.objects.filter(kind="submission.erased").count() == 2
    added = Event.objects.filter(kind="lead.submission_added").first()
    assert added
    assert added.data["form"] == "Talk to sales"


def test_a_second_erasure_changes_nothing(ada):
    erase(EMAIL, "--yes")
    events = Event.objects.count()
    for name in (EMAIL, str(ada.pk)):
        printed = erase(name, "--yes")
        assert "0  submissions on leads" in printed
    assert Event.objects.count() == events


def test_erasure_leaves_other_people_unchanged(ada, send):
    send(name="Bernd Muster", email="bernd@example.com", phone=PHONE)
    send(name="Ada Secret", email="other@example.com")
    erase(EMAIL, "--yes")
    assert Contact.objects.get(email="bernd@example.com").phone == PHONE
    names = set(Contact.objects.values_list("name", flat=True))
    assert names == {"", "Bernd Muster", "Ada Secret"}
    assert Submission.objects.filter(state="processed").count() == 2


def test_a_later_enquiry_is_a_new_person(ada, send):
    erase(EMAIL, "--yes")
    send(**ANSWERS)
    contact = Contact.objects.latest("pk")
    assert (contact.email, contact != ada) == (EMAIL, True)
    assert contact.leads.get().is_open


def test_spooled_and_parked_objects_become_tombstones(published_form):
    mine = [make_row(published_form, raw=ANSWERS, answers=ANSWERS) for _ in range(2)]
    other = make_row(published_form, answers={"name": "Eve", "email": "eve@example.com"})
    for row in (*mine, other):
        store.store(row)
    name = next(name for name in store.waiting() if str(mine[1].id) in name)
    store.park(name, store.read(name))
    before = measure().total
    printed = erase(EMAIL, "--yes")
    assert "2  submissions in the spool" in printed
    assert [str(other.id) in name for name in store.all_names()] == [True]
    assert set(Submission.objects.values_list("pk", "state")) == {
        (row.id, "erased") for row in mine
    }
    assert (measure().total, measure().unaccounted) == (before, 0)


def test_replay_of_an_erased_receipt_stays_a_tombstone(published_form):
    row = make_row(published_form, raw=ANSWERS, answers=ANSWERS, idempotency_key="k")
    store.store(row)
    replay.replay(seconds=10)
    drain()
    erase(EMAIL, "--yes")
    store.store(row)
    replay.replay(seconds=10)
    drain()
    assert found_personal() == set()
    assert (measure().places["erased"], measure().total) == (1, 1)


def test_an_unreadable_object_is_named_for_a_person(published_form):
    default_storage.save("spool/parked/broken.json", ContentFile(b"{"))
    printed = StringIO()
    with pytest.raises(SystemExit):
        call_command("erase", EMAIL, "--yes", stdout=printed)
    assert "look at it by hand: spool/parked/broken.json" in printed.getvalue()


def test_without_the_storage_nothing_is_erased(ada, storage):
    storage.write_text("in the way")
    with pytest.raises(CommandError, match="nothing was erased"):
        erase(EMAIL, "--yes")
    assert Identity.objects.exists()


def test_an_erasure_that_was_killed_is_finished_by_the_next(ada, monkeypatch):
    monkeypatch.setattr(erasure, "_LEADS", 1)
    monkeypatch.setattr(ledger_erasure, "_ROWS", 1)

    def die(*details):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_erase_contact", die)
        with pytest.raises(KeyboardInterrupt):
            erase(EMAIL, "--yes")
    assert measure().unaccounted == 0
    erase(EMAIL, "--yes")
    assert found_personal() == set()
    assert Event.objects.filter(kind="lead.erased").count() == 2


def test_statements_grow_with_batches_only(send, django_assert_max_num_queries):
    for number in range(30):
        send(work=False, **{**ANSWERS, "message": f"Secret {number}"})
    drain()
    with django_assert_max_num_queries(70):
        erase(EMAIL, "--yes")
    assert measure().places["erased"] == 30


def test_erasure_by_a_shared_number_is_refused(ada):
    other = Contact.objects.create(name="Bernd", phone=PHONE)
    with pytest.raises(CommandError, match=f"Contacts {ada.pk}, {other.pk} have this number"):
        erase(PHONE, "--yes")


@pytest.mark.parametrize("text", ["Ada Secret", "", "030 901820"])
def test_a_text_that_names_no_person_is_refused(db, text):
    with pytest.raises(CommandError, match="Write an email address"):
        erase(text)


@pytest.mark.parametrize(
    ("former", "new"),
    [
        ((EMAIL, "email"), "ada@new.example.com"),
        ((PHONE, "phone"), "+49 30 901821"),
        (("ada@bücher.example.com", "email"), "ada@new.example.com"),
    ],
)
def test_a_contact_of_a_replaced_address_is_named(send, former, new):
    text, field = former
    send(**{**ANSWERS, field: text})
    send(name="Bert", email="ada.bert@example.com")
    contact = Contact.objects.get(name=ANSWERS["name"])
    record_services.update_contact(contact, {field: new}, actor=make_user())
    assert f"Contact {contact.pk} sent this earlier" in erase(text)
    with pytest.raises(SystemExit):
        erase(text, "--yes")
    assert not Submission.objects.filter(state="erased").exists()
    assert "sent this earlier" not in erase(str(contact.pk), "--yes")
    assert "sent this earlier" not in erase(text, "--yes")
    assert Submission.objects.exclude(state="erased").count() == 1


def test_messages_in_sessions_are_erased_and_sessions_stay(ada):
    session = SessionStore()
    session["_messages"], session["kept"] = '["Ada Secret was changed."]', 1
    session.save()
    erase(EMAIL, "--yes")
    assert SessionStore(session.session_key).load().keys() >= {"kept"}
    assert "_messages" not in SessionStore(session.session_key).load()
