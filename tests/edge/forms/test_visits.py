"""Two visits are two submissions; one visit sent twice is one."""

import asyncio
import re
from html import unescape

import pytest

from leadgen.capture.idempotency import MAX_ACTS
from leadgen.capture.models import Repeat, Submission
from leadgen.capture.spool import store
from leadgen.capture.spool.replay import replay
from leadgen.edge.forms import page_token
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.shown_version import ShownVersion
from tests.factories import DEFINITION, make_form

ADA = {"name": "Ada", "email": "ada@example.com"}
POLL = Definition(
    "Poll",
    (
        FieldDefinition("email", "email", "Email", required=True),
        FieldDefinition("news", "consent", "News", wording="Send me news."),
    ),
)
YES = {"email": "a@example.com", "news": "yes"}
NO = {"email": "a@example.com"}
pytestmark = pytest.mark.usefixtures("hurried")
VISIT = "visit-0123456789"


@pytest.fixture
def poll(transactional_db):
    return make_form(POLL)


def hidden_inputs(page):
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


def visit(client, form, answers, **headers):
    """Open the page and send it as a browser without JavaScript does."""
    page = client.get(f"/f/{form.slug}", **headers)
    return client.post_form(f"/f/{form.slug}", {**answers, **hidden_inputs(page)})


def stored_consents():
    rows = Submission.objects.order_by("received_at", "id")
    return [row.consents[0]["given"] for row in rows]


def test_two_visits_with_equal_answers_are_two_submissions(client, poll):
    answers = [visit(client, poll, YES, referer=f"https://{n}.example/") for n in ("a", "b")]
    assert answers[0].headers["location"] != answers[1].headers["location"]
    rows = Submission.objects.order_by("received_at")
    assert [row.context["referrer"] for row in rows] == ["https://a.example/", "https://b.example/"]


@pytest.mark.parametrize(
    ("posts", "kept"),
    [
        ((YES, YES), [True]),
        ((YES, NO, YES), [True, False, True]),
        ((YES, NO, NO, YES, YES, NO), [True, False, True, False]),
    ],
)
@pytest.mark.parametrize("named", [True, False], ids=["version", "token of a former release"])
def test_each_change_sent_from_one_page_is_saved(client, poll, posts, kept, named):
    page = client.get(f"/f/{poll.slug}")
    token = hidden_inputs(page)["_token"] if named else page_token.issue(1)
    for answers in posts:
        assert client.post_form(f"/f/{poll.slug}", {**answers, "_token": token}).status == 303
    assert stored_consents() == kept


def test_posts_in_flight_together_are_one_act(client, poll):
    async def story():
        posts = [client.asend("POST", f"/f/{poll.slug}", body, content_type=kind) for _ in range(8)]
        return await asyncio.gather(*posts)

    body = f"email=a%40example.com&news=yes&_token={page_token.issue(1)}".encode()
    kind = "application/x-www-form-urlencoded"
    before = client.post_form(f"/f/{poll.slug}", body.replace(b"news=yes&", b""))
    answers = client.runner.run(story())
    assert len({answer.headers["location"] for answer in (before, *answers)}) == 2
    assert stored_consents() == [False, True]


def test_acts_numbered_by_the_script_are_distinct(client, poll):
    for number, answers in ((1, YES), (1, YES), (2, NO), (3, YES), (1, YES)):
        sent = {**answers, "_visit": VISIT, "_act": number, "_token": page_token.issue(1)}
        client.post_form(f"/f/{poll.slug}", sent)
    assert stored_consents() == [True, False, True]


def test_a_duplicated_tab_loses_no_answer(client, poll):
    for answers in (YES, NO, NO):  # both tabs number their acts from one
        sent = {**answers, "_visit": VISIT, "_act": 1, "_token": page_token.issue(1)}
        client.post_form(f"/f/{poll.slug}", sent)
    assert stored_consents() == [True, False]


def test_page_cached_for_several_visitors_accepts_all(client, poll):
    page = hidden_inputs(client.get(f"/f/{poll.slug}"))
    for number in range(3):
        sent = {**YES, **page, "_visit": f"another-visitor-{number}", "_act": 1}
        client.post_form(f"/f/{poll.slug}", sent)
    assert len(stored_consents()) == 3


@pytest.mark.parametrize(
    ("visit_id", "act"), [("short", "1"), (VISIT, "0"), (VISIT, "x"), ("", "")]
)
def test_a_garbled_visit_falls_back_to_the_token(client, poll, visit_id, act):
    token = page_token.issue(1)
    for _ in range(2):
        sent = {**YES, "_token": token, "_visit": visit_id, "_act": act}
        assert client.post_form(f"/f/{poll.slug}", sent).status == 303
    assert stored_consents() == [True]


def test_page_sent_many_times_loses_no_answer(client, poll):
    token = page_token.issue(1)
    for number in range(MAX_ACTS + 10):
        sent = {"email": f"v{number}@example.com", "_token": token}
        assert client.post_form(f"/f/{poll.slug}", sent).status == 303
    assert Submission.objects.count() == MAX_ACTS + 10


def test_a_token_copied_to_another_website_counts_as_none(client):
    form, other = make_form(POLL, allowed_origins="https://www.example.com"), make_form()
    token = hidden_inputs(client.get(f"/f/{other.slug}"))["_token"]
    for _ in range(2):
        sent = {**YES, "_token": token}
        client.post_form(f"/f/{form.slug}", sent, origin="https://www.example.com")
    rows = Submission.objects.all()
    assert [(row.form_id, row.state, row.version_id) for row in rows] == [
        (form.id, "accepted", form.published_id)
    ] * 2


def test_an_expired_token_only_loses_the_check_of_the_time():
    token = page_token.read(page_token.issue(0, ShownVersion(1, 2, 3, "en")))
    assert token is not None
    assert token.shown == ShownVersion(1, 2, 3, "en")
    assert token.seconds_since(page_token.MAX_AGE_SECONDS + 1) is None
    assert token.seconds_since(60) == 60


def test_the_release_before_reads_the_tokens_of_this_one():
    signed = page_token._signer().unsign(page_token.issue(5, ShownVersion(1, 2, 3, "pt-br")))
    _, _, milliseconds = signed.rpartition(".")
    assert milliseconds == "5000"


def test_the_page_shown_again_belongs_to_the_same_visit(client, poll):
    page = hidden_inputs(client.get(f"/f/{poll.slug}"))
    sent = {"email": "nobody", **page, "_visit": VISIT, "_act": 2}
    again = client.post_form(f"/f/{poll.slug}", sent)
    assert again.status == 422
    assert hidden_inputs(again) == {"_visit": VISIT, "_act": "2", "_token": page["_token"]}


def test_acts_in_the_spool_remain_separate(make_client, poll, away):
    reachable = make_client()
    cut_off = make_client(timeout=0.2, line_parameters=away)
    token = hidden_inputs(reachable.get(f"/f/{poll.slug}"))["_token"]
    reachable.post_form(f"/f/{poll.slug}", {**YES, "_token": token})
    receipts = set()
    for answers in (NO, YES, YES):
        sent = {**answers, "_token": token}
        answer = cut_off.post_form(f"/f/{poll.slug}", sent)
        receipts.add(answer.headers["location"])
    assert len(receipts) == 3
    assert replay(seconds=20) == 3
    assert stored_consents() == [True, False, True]
    assert Repeat.objects.get().submission == Submission.objects.latest("received_at")
    assert not list(store.waiting())


@pytest.mark.parametrize(
    ("posts", "kept"),
    [
        ((("up", YES), ("away", YES), ("up", NO)), [True, False]),
        ((("up", YES), ("away", NO), ("up", NO), ("up", YES)), [True, False, True]),
        ((("up", YES), ("up", NO), ("away", YES), ("up", NO)), [True, False, True]),
    ],
    ids=["repeat of the act before", "repeat of the act after", "an act of its own"],
)
def test_spooled_post_is_compared_with_the_acts_around_it(make_client, poll, away, posts, kept):
    clients = {"up": make_client(), "away": make_client(timeout=0.2, line_parameters=away)}
    token = hidden_inputs(clients["up"].get(f"/f/{poll.slug}"))["_token"]
    for state, answers in posts:
        sent = {**answers, "_token": token}
        assert clients[state].post_form(f"/f/{poll.slug}", sent).status == 303
    assert replay(seconds=20) == 1
    assert stored_consents() == kept


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_cacheable_responses_contain_no_value_of_a_visit(client, method):
    form = make_form(DEFINITION, allowed_origins="*")
    path = f"/api/v1/public/forms/{form.public_id}"
    answer = client.send(method, path, referer="https://secret.example/")
    assert "public" in answer.headers["cache-control"]
    assert "secret" not in f"{answer.headers}{answer.text}"
    assert "_token" not in answer.text


def test_missing_token_is_issued_with_the_page_shown_again(client, poll):
    again = client.post_form(f"/f/{poll.slug}", {"email": "nobody"})
    token = page_token.read(hidden_inputs(again)["_token"])
    assert token is not None
    assert token == page_token.Token(
        token.key, 0, ShownVersion(poll.id, poll.published_id, 1, "en")
    )


def test_resent_answers_stay_one_after_the_form_closes(client, poll):
    page = hidden_inputs(client.get(f"/f/{poll.slug}"))
    first = client.post_form(f"/f/{poll.slug}", {**YES, **page})
    poll.published = None
    poll.save()
    again = client.post_form(f"/f/{poll.slug}", {**YES, **page})
    assert again.headers["location"] == first.headers["location"]
    assert stored_consents() == [True]
