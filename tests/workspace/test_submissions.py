import pytest
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.events.models import Event
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import LeadSubmission
from leadgen.lib.reference import reference_of
from tests.factories import make_form, make_lead, make_submission, make_user

pytestmark = pytest.mark.django_db

LIST = reverse("admin:capture_submission_changelist")


def make_held(**fields):
    return make_submission(state="quarantined", reasons=["honeypot"], **fields)


def listed_rows(client, **query):
    return list(client.get(LIST, query).context["cl"].result_list)


def test_list_opens_on_the_review_with_reasons_as_texts(browse):
    submission, _ = make_held(), make_submission()
    client = browse(make_user(Role.MARKETER))

    assert listed_rows(client) == [submission]
    assert "Caught by hidden field" in client.get(LIST).content.decode()


def test_one_click_releases(browse):
    submission, marketer = make_held(), make_user(Role.MARKETER)

    browse(marketer).post(reverse("admin:submission_release", args=[submission.pk]))

    submission.refresh_from_db()
    assert submission.state == "accepted"
    assert Event.objects.get(kind="submission.released").actor == marketer


def test_release_of_whole_list_counts_each_kind(browse):
    first, _, _ = make_held(), make_held(), make_submission()
    data = {"action": "release_chosen", "_selected_action": [first.pk], "select_across": "1"}

    page = browse(make_user(Role.MARKETER)).post(f"{LIST}?view=all", data, follow=True).text

    assert "2 submissions released, on a lead in a moment." in page
    assert "1 stayed as it was: not in review." in page


def test_several_are_released_at_once(browse):
    both = [make_held(), make_held()]
    data = {"action": "release_chosen", "_selected_action": [each.pk for each in both]}

    browse(make_user(Role.MARKETER)).post(LIST, data)

    assert Event.objects.filter(kind="submission.released").count() == 2


def test_failed_submission_shows_its_error_and_is_tried_again(browse):
    submission = make_submission(parked_at=timezone.now(), attempts=5, last_error="DataError: x")
    client = browse(make_user(Role.ADMIN))

    assert listed_rows(client, view="parked") == [submission]
    page = client.get(reverse("admin:capture_submission_change", args=[submission.pk]))
    assert "DataError: x" in page.content.decode()

    client.post(reverse("admin:submission_retry", args=[submission.pk]))
    submission.refresh_from_db()
    assert submission.parked_at is None


@pytest.mark.parametrize("verb", ["release", "retry", "hold"])
def test_decision_without_permission_is_refused(browse, verb):
    submission = make_held()

    answer = browse(make_user(Role.VIEWER)).post(
        reverse(f"admin:submission_{verb}", args=[submission.pk])
    )

    assert answer.status_code == 403
    submission.refresh_from_db()
    assert submission.state == "quarantined"


def test_a_viewer_sees_no_decisions(browse):
    submission = make_held()
    client = browse(make_user(Role.VIEWER))
    page = reverse("admin:capture_submission_change", args=[submission.pk])

    assert "Release</button>" not in client.get(LIST).content.decode()
    assert "Release</button>" not in client.get(page).content.decode()


def test_a_rep_sees_the_submissions_of_visible_leads_only(browse):
    rep = make_user()
    mine, theirs, unattached = make_submission(), make_submission(), make_held()
    for submission, owner in [(mine, rep), (theirs, make_user())]:
        LeadSubmission.objects.create(lead=make_lead(owner), submission=submission, reason="new")
    client = browse(rep)

    assert listed_rows(client, view="all") == [mine]
    for hidden in (theirs, unattached):
        page = reverse("admin:capture_submission_change", args=[hidden.pk])
        assert client.get(page).status_code == 404


def test_a_receipt_finds_its_submission(browse):
    submission, _ = make_submission(), make_submission()
    client = browse(make_user(Role.ADMIN))

    assert listed_rows(client, view="all", q=str(submission.pk)) == [submission]
    assert listed_rows(client, view="all", q="no receipt") == []


def test_pages_show_the_reference_that_the_visitor_got(browse):
    submission, lead = make_submission(), make_lead()
    LeadSubmission.objects.create(lead=lead, submission=submission, reason="new")
    client, reference = browse(make_user(Role.ADMIN)), reference_of(submission.pk)

    for route, key in (("leads_lead", lead.pk), ("capture_submission", submission.pk)):
        page = client.get(reverse(f"admin:{route}_change", args=[key])).text
        assert reference in page

    assert listed_rows(client, view="all", q=reference) == [submission]


def test_a_submission_cannot_be_edited(browse):
    submission = make_held()
    page = reverse("admin:capture_submission_change", args=[submission.pk])

    browse(make_user(Role.ADMIN)).post(page, {"state": "processed", "answers": "{}"})

    submission.refresh_from_db()
    assert submission.state == "quarantined"


def test_release_redirects_to_this_site_only(browse):
    client = browse(make_user(Role.MARKETER))
    address = reverse("admin:submission_release", args=[make_held().pk])

    answer = client.post(address, headers={"referer": "https://evil.example.com/"})

    assert answer.url == LIST


def test_server_fault_is_not_shown_as_submission_failure(browse):
    submission = make_submission(last_error="OperationalError: disk full")
    url = reverse("admin:capture_submission_change", args=[submission.pk])
    page = browse(make_user(Role.ADMIN)).get(url).text
    assert "will try again: OperationalError: disk full" in page
    assert "failed 0 times" not in page


@pytest.mark.parametrize(
    "typed", ["Hugo", "hügo", "hugo@example.com", "+44 20 7946 3183", "020 7946 3183", "3183"]
)
@pytest.mark.parametrize("state", ["quarantined", "waiting", "parked", "processed"])
def test_search_finds_submissions_in_every_state(typed, state, browse):
    answers = {"name": "Hugo", "email": "hugo@example.com", "phone": "+44 (0)20 7946 3183"}
    others = {"name": "Ida", "email": "ida@example.com", "phone": "+44 20 7946 9999"}
    form, parked_at = make_form(), timezone.now() if state == "parked" else None
    sent = make_submission(form, answers=answers, parked_at=parked_at)
    make_submission(form, answers=others, parked_at=parked_at)
    if state == "processed":
        drain()
    elif state == "quarantined":
        Submission.objects.update(state=state)

    assert listed_rows(browse(make_user(Role.ADMIN)), view="all", q=typed) == [sent]


def test_first_eight_characters_of_a_receipt_find_it(browse):
    sent = make_submission(state="quarantined", reasons=["flood"])
    client = browse(make_user(Role.ADMIN))

    for typed in (str(sent.pk)[:8], str(sent.pk)[:13], sent.pk.hex, str(sent.pk).upper()):
        assert listed_rows(client, view="all", q=typed) == [sent], typed
    assert not listed_rows(client, view="all", q="00000000")


@pytest.mark.parametrize("verb", ["release", "hold", "retry"])
def test_decision_after_intake_links_to_the_lead(browse, verb):
    boss = make_user(Role.ADMIN)
    submission, lead = make_submission(state="processed"), make_lead()
    LeadSubmission.objects.create(lead=lead, submission=submission, reason="new")

    address = reverse(f"admin:submission_{verb}", args=[submission.pk])
    page = browse(boss).post(address, follow=True).text

    assert "Nothing was changed: it is on a lead already" in page
    assert reverse("admin:leads_lead_change", args=[lead.pk]) in page
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("verb", "fields", "words"),
    [
        ("release", {}, "it waits already and is added to a lead in a moment."),
        ("retry", {}, "it waits already and is added to a lead in a moment."),
        ("hold", {"state": "quarantined"}, "it is held for review already."),
        ("retry", {"state": "quarantined"}, "it is held for review already."),
        ("release", {"parked_at": timezone.now()}, "it failed and waits for “Try again”."),
        ("hold", {"state": "processed"}, "it is on a lead already."),
        ("hold", {"state": "erased"}, "its data was erased."),
    ],
)
def test_decision_without_effect_names_the_current_state(browse, verb, fields, words):
    submission = make_submission(**fields)
    address = reverse(f"admin:submission_{verb}", args=[submission.pk])

    page = browse(make_user(Role.ADMIN)).post(address, follow=True).text

    assert f"Nothing was changed: {words}" in page
    assert not Event.objects.exists()


def test_second_release_reports_no_change(browse):
    client, address = browse(make_user(Role.ADMIN)), "admin:submission_release"
    submission = make_held()
    first, second = (
        client.post(reverse(address, args=[submission.pk]), follow=True).text for _ in range(2)
    )
    assert "Released: it is added to a lead in a moment." in first
    assert "Nothing was changed: it waits already" in second
    assert Event.objects.count() == 1
