"""Answers that name a version, of a form that a newer release has published (ADR 0024, 0025)."""

import re
from html import unescape
from time import time

import pytest

from leadgen.capture import services
from leadgen.capture.metrics import SUBMISSIONS
from leadgen.capture.models import Submission
from leadgen.capture.newer_forms import release_judged
from leadgen.capture.spool.replay import replay
from leadgen.edge.forms import page_token
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.models import FormVersion
from leadgen.forms.shown_version import ShownVersion
from tests.edge.fixtures import submissions_path
from tests.factories import make_form, make_user

FIRST = Definition(
    "First",
    (
        FieldDefinition("email", "email", "Email", required=True),
        FieldDefinition("news", "consent", "News", wording="Send me news once a month."),
    ),
)
SIZE = {"name": "size", "kind": "text", "label": "Size", "required": True}
DAILY = {"name": "news", "kind": "consent", "label": "News", "wording": "Send me news every day."}
NEWER = {
    "title": "Newer",
    "needs": ["logic"],
    "fields": [FIRST.to_json()["fields"][0], DAILY, SIZE],
}
ANSWERS = {"email": "ada@example.com", "news": "yes"}
FIELDS = {"email": "ada@example.com", "news": True}

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def edited_form(transactional_db):
    return make_form(FIRST)


@pytest.fixture
def path(edited_form):
    return submissions_path(edited_form)


def publish(form, data):
    """Publish a definition as a newer release does."""
    number = form.versions.count() + 1
    form.published = FormVersion.objects.create(form=form, number=number, definition=data)
    form.save()
    return form.published


def hidden_inputs(page):
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


def token_of(version):
    """Return the token of a page that another process has served."""
    shown = ShownVersion(version.form_id, version.pk, version.number, "en")
    return {"_token": page_token.issue(time(), shown)}


def shown_by(page):
    token = page_token.read(page["_token"])
    assert token
    return token.shown


def wordings(row):
    return [consent["wording"] for consent in row.consents]


@pytest.mark.parametrize("is_replaced", [False, True], ids=["published", "replaced"])
@pytest.mark.parametrize("fresh", [0.0, 60.0], ids=["read", "remembered"])
def test_a_named_version_not_understood_waits_as_itself(
    make_client, edited_form, path, is_replaced, fresh
):
    client = make_client(max_age=fresh)
    client.get(f"/f/{edited_form.slug}")
    client.get(path.removesuffix("/submissions"))
    version = publish(edited_form, NEWER)
    if is_replaced:
        publish(edited_form, FIRST.to_json())
    page = client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, "size": "L", **token_of(version)})
    api = client.post_json(path, {"fields": {**FIELDS, "size": "L"}, "version": 2})
    rows = Submission.objects.order_by("id")
    assert (page.status, api.status) == (303, 202)
    assert [(row.version, row.reasons, row.consents) for row in rows] == [
        (version, ["newer_form"], [])
    ] * 2
    assert [row.raw["size"] for row in rows] == [["L"], "L"]


def test_the_older_page_names_the_version_it_shows(client, edited_form):
    first = edited_form.published
    publish(edited_form, NEWER)
    page = hidden_inputs(client.get(f"/f/{edited_form.slug}"))
    assert shown_by(page).version_id == first.pk
    assert client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, **page}).status == 303
    row = Submission.objects.get()
    assert (row.version, row.state, row.reasons) == (first, "accepted", [])
    assert wordings(row) == ["Send me news once a month."]


def test_a_mistake_in_the_older_page_shows_it_again(client, edited_form):
    publish(edited_form, NEWER)
    page = hidden_inputs(client.get(f"/f/{edited_form.slug}"))
    again = client.post_form(f"/f/{edited_form.slug}", {"email": "nobody", **page})
    assert (again.status, hidden_inputs(again)["_token"]) == (422, page["_token"])
    assert "<h1>First</h1>" in again.text


def test_api_answers_are_validated_by_the_named_version(client, edited_form, path):
    published = publish(edited_form, NEWER)
    document = client.get(path.removesuffix("/submissions")).json
    named = client.post_json(path, {"fields": FIELDS, "version": document["version"]})
    unnamed = client.post_json(path, {"fields": FIELDS})
    flawed = client.post_json(path, {"fields": {"email": "nobody"}, "version": 1})
    assert (named.status, unnamed.status, flawed.status) == (201, 202, 422)
    first, second = Submission.objects.order_by("id")
    assert (first.version.number, first.state) == (1, "accepted")
    assert (second.version, second.reasons) == (published, ["newer_form"])


def test_page_without_version_is_held_for_a_newer_reader(client, edited_form):
    published = publish(edited_form, NEWER)
    page = client.post_form(
        f"/f/{edited_form.slug}", {**ANSWERS, "_token": page_token.issue(time())}
    )
    row = Submission.objects.get()
    assert (page.status, row.version, row.reasons) == (303, published, ["newer_form"])


def test_named_answers_are_released_with_the_wording_shown(client, edited_form, path, reader):
    version = publish(edited_form, NEWER)
    publish(edited_form, FIRST.to_json())
    client.post_form(
        f"/f/{edited_form.slug}", {**ANSWERS, "size": "L", "x": "y", **token_of(version)}
    )
    client.post_json(path, {"fields": {**FIELDS, "size": "L"}, "version": 2})
    reader()
    assert release_judged(seconds=5) == 2
    for row in Submission.objects.all():
        assert (row.version, row.state, row.answers) == (
            version,
            "accepted",
            {**FIELDS, "size": "L"},
        )
        assert wordings(row) == ["Send me news every day."]


def test_answers_are_not_validated_by_an_earlier_version(client, edited_form, path, reader):
    version = publish(edited_form, NEWER)
    client.post_json(path, {"fields": FIELDS, "version": 2})
    client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, **token_of(version)})
    by_hand = Submission.objects.latest("id")
    reader()
    services.release(by_hand, actor=make_user())
    assert release_judged(seconds=5) == 1
    first, second = Submission.objects.order_by("id")
    assert (first.version, first.reasons, first.consents) == (version, ["unfit_answers"], [])
    assert (second.version, second.state, second.consents) == (version, "accepted", [])


def test_a_retry_with_its_key_gets_one_receipt_across_the_sweep(
    make_client, edited_form, path, reader
):
    def send(client, **fields):
        body = {"fields": {**FIELDS, "size": "M", **fields}}
        return client.post_json(path, body, idempotency_key="k")

    publish(edited_form, NEWER)
    client = make_client()
    first, before = send(client), send(client)
    reader()
    assert release_judged(seconds=5) == 1
    assert Submission.objects.get().state == "accepted"
    for process in (client, make_client()):
        after = send(process)
        assert (after.status, after.json) == (200, first.json)
        assert after.headers["idempotent-replayed"] == "true"
        assert send(process, size="L").status == 409
    assert (first.status, before.status, before.json) == (202, 200, first.json)


@pytest.mark.parametrize("script", [{}, {"_visit": "visit-0123456789", "_act": "1"}])
def test_a_page_sent_twice_is_one_act_across_the_sweep(make_client, edited_form, reader, script):
    post = {**ANSWERS, "size": "L", **token_of(publish(edited_form, NEWER)), **script}
    first = make_client().post_form(f"/f/{edited_form.slug}", post)
    reader()
    assert release_judged(seconds=5) == 1
    again = make_client().post_form(f"/f/{edited_form.slug}", post)
    assert (again.status, again.headers["location"]) == (303, first.headers["location"])
    assert Submission.objects.get().state == "accepted"


def test_unpublished_newer_form_is_validated_and_held(client, edited_form, path, reader):
    version = publish(edited_form, NEWER)
    edited_form.published = None
    edited_form.save()
    api = client.post_json(path, {"fields": {**FIELDS, "size": "L"}, "version": 2})
    older = client.post_json(path, {"fields": FIELDS, "version": 1})
    assert (api.status, older.status) == (202, 201)
    assert client.post_json(path, {"fields": FIELDS}).status == 404
    assert client.get(f"/f/{edited_form.slug}").status == 404
    reasons = [row.reasons for row in Submission.objects.order_by("id")]
    assert reasons == [["unpublished", "newer_form"], ["unpublished"]]
    reader()
    assert release_judged(seconds=5) == 1
    row = Submission.objects.earliest("id")
    assert (row.version, row.state, row.reasons) == (version, "quarantined", ["unpublished"])
    assert wordings(row) == ["Send me news every day."]


def test_version_not_in_memory_is_quarantined_in_an_outage(
    make_client, edited_form, path, away, reader
):
    publish(edited_form, NEWER)
    client = make_client(max_age=60)
    client.get(path.removesuffix("/submissions"))
    client.runner.run(client.app._database.close())
    client.app._database._parameters = away
    client.app._database._timeout = 0.2
    assert client.post_json(path, {"fields": FIELDS, "version": 7}).status == 201
    reader()
    assert (replay(seconds=5), release_judged(seconds=5)) == (0, 0)
    row = Submission.objects.get()
    assert (row.reasons, row.consents) == (["version_unknown"], [])


def test_unknown_version_is_validated_by_the_newer_reader(client, edited_form, path, reader):
    published = publish(edited_form, NEWER)
    assert client.post_json(path, {"fields": FIELDS | {"size": "L"}, "version": 9}).status == 202
    reader()
    assert release_judged(seconds=5) == 1
    row = Submission.objects.get()
    assert (row.version, row.state) == (published, "accepted")


def test_a_page_shown_again_in_an_outage_claims_no_version(
    make_client, edited_form, away, no_storage
):
    publish(edited_form, NEWER)
    client = make_client()
    client.get(f"/f/{edited_form.slug}")
    client.app._ledger._writer._connection.close()
    client.app._ledger._writer._connection._parameters = away
    again = client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, "size": "L"})
    assert again.status == 503
    assert shown_by(hidden_inputs(again)) is None
    assert hidden_inputs(again)["size"] == "L"


def test_a_former_address_keeps_answers_to_a_newer_version(client, edited_form):
    version, old = publish(edited_form, NEWER), edited_form.slug
    edited_form.slug = "renamed"
    edited_form.save()
    page = client.post_form(f"/f/{old}", {**ANSWERS, "size": "L", **token_of(version)})
    assert page.headers["location"].startswith("/f/renamed/thanks?receipt=")
    assert Submission.objects.get().version == version


@pytest.mark.parametrize("channel", ["page", "api"])
def test_answers_to_a_version_out_of_memory_count_once(make_client, edited_form, path, channel):
    client = make_client(max_age=60)
    client.get(f"/f/{edited_form.slug}")
    client.get(path.removesuffix("/submissions"))
    publish(edited_form, Definition("Second", (FieldDefinition("name", "text", "Name"),)).to_json())
    invalid = SUBMISSIONS.labels("invalid")._value.get()
    if channel == "page":
        assert client.post_form(f"/f/{edited_form.slug}", {"name": "Ada"}).status == 303
    else:
        assert client.post_json(path, {"fields": {"name": "Ada"}}).status == 201
    assert Submission.objects.get().version == edited_form.published
    assert SUBMISSIONS.labels("invalid")._value.get() == invalid
