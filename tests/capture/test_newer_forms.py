"""Forms that a newer release published: pages are served, answers are kept and judged later."""

import asyncio
import json
import re
from datetime import datetime
from uuid import UUID

import pytest
from django.db import connection, transaction

from leadgen.capture import services
from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.capture.models import Submission
from leadgen.capture.newer_forms import release_judged
from leadgen.capture.spool.replay import replay
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.forms.form_preloader import FormPreloader
from leadgen.edge.read_pool import ReadPool
from leadgen.events.models import Event
from leadgen.forms.models import FormVersion
from tests.factories import DEFINITION, make_form, make_submission, make_user

ADA = {"name": "Ada", "email": "ada@example.com"}
OLD = DEFINITION.to_json()
MOOD = {"name": "mood", "kind": "hologram", "label": "Mood"}
CONSENT = {"name": "news", "kind": "consent", "label": "News", "wording": "Send me news."}
NEWER = {
    "unknown kind": OLD | {"theme": {"colour": "teal"}, "fields": [*OLD["fields"], MOOD]},
    "format": OLD | {"format": 2},
    "needs": OLD | {"needs": ["logic"]},
    "rule": OLD | {"fields": [{**OLD["fields"][0], "required": {"field": "email"}}]},
    "not a list": OLD | {"fields": {}},
    "no definition": 7,
}
newer = pytest.mark.parametrize("data", NEWER.values(), ids=list(NEWER))


def publish(form, data):
    """Put a definition on the air as a newer release does."""
    last = form.versions.first()
    form.published = FormVersion.objects.create(form=form, number=last.number + 1, definition=data)
    form.save()
    return form.published


def without_hidden(page):
    """Return a page without its token."""
    return re.sub(r'<input type="hidden"[^>]*>', "", page)


def only(form, data):
    """Leave one version, which nobody here understands."""
    form.versions.update(definition=data)


@newer
def test_the_last_understood_page_stays(client, restricted_form, data):
    before = client.get(f"/f/{restricted_form.slug}").text
    publish(restricted_form, data)
    page = client.get(f"/f/{restricted_form.slug}?mood=x")
    document = client.get(f"/api/v1/public/forms/{restricted_form.public_id}")
    assert (page.status, without_hidden(page.text)) == (200, without_hidden(before))
    assert (document.status, document.json["version"]) == (200, 1)


@newer
def test_a_process_started_later_serves_that_page_too(make_client, restricted_form, data):
    publish(restricted_form, data)
    client = make_client()
    assert "Your name" in client.get(f"/f/{restricted_form.slug}").text
    assert client.get(f"/api/v1/public/forms/{restricted_form.public_id}").json["version"] == 1


@newer
def test_both_channels_store_answers_to_a_newer_form(client, path, restricted_form, data, nudges):
    published = publish(restricted_form, data)
    page = client.post_form(
        f"/f/{restricted_form.slug}", {**ADA, "mood": ["joy", "awe"], "_url": ""}
    )
    sent = {**ADA, "mood": {"joy": 1}, "age": 10**30}
    api = client.post_json(path, {"fields": sent, "consents": {"news": True}})
    kept = [(row.state, row.reasons, row.version) for row in Submission.objects.order_by("id")]
    assert (page.status, api.status) == (303, 202)
    assert kept == [("quarantined", ["newer_form"], published)] * 2
    raws = list(Submission.objects.order_by("id").values_list("raw", flat=True))
    assert raws[0] == {"name": ["Ada"], "email": ["ada@example.com"], "mood": ["joy", "awe"]}
    assert raws[1] == sent | {"news": True}
    assert UUID(api.json["receipt"]) in Submission.objects.values_list("id", flat=True)
    assert not nudges


@newer
def test_a_form_never_understood_is_being_updated(make_client, path, restricted_form, data):
    only(restricted_form, data)
    client = make_client()
    page = client.get(f"/f/{restricted_form.slug}")
    document = client.get(path.removesuffix("/submissions"), origin="https://www.example.com")
    assert (page.status, document.status) == (503, 503)
    assert page.headers["retry-after"] == document.headers["retry-after"] == "60"
    assert "being updated" in page.text
    assert document.headers["access-control-allow-origin"] == "https://www.example.com"


@newer
def test_unreadable_form_accepts_answers_for_review(make_client, path, restricted_form, data):
    only(restricted_form, data)
    client = make_client()
    page = client.post_form(f"/f/{restricted_form.slug}", ADA)
    assert (page.status, client.post_json(path, {"fields": ADA}).status) == (303, 202)
    assert client.get(page.headers["location"]).status == 200
    assert Submission.objects.filter(reasons=["newer_form"]).count() == 2


def test_a_definition_nested_beyond_python_is_not_understood(make_client, restricted_form):
    publish(restricted_form, [])
    with connection.cursor() as cursor:
        nested = "[" * 3000 + "]" * 3000
        cursor.execute("UPDATE forms_formversion SET definition = %s WHERE number = 2", [nested])
    assert make_client().get(f"/f/{restricted_form.slug}").status == 200


def test_a_form_not_understood_is_logged_once(client, restricted_form, caplog):
    publish(restricted_form, NEWER["needs"])
    for _ in range(3):
        client.get(f"/f/{restricted_form.slug}")
    messages = [message for message in caplog.messages if "newer release" in message]
    assert len(messages) == 1
    assert "needs logic" in messages[0]


def test_spam_is_still_screened(client, path, restricted_form):
    publish(restricted_form, NEWER["unknown kind"])
    client.post_form(f"/f/{restricted_form.slug}", {**ADA, "_url": "x"})
    assert Submission.objects.get().reasons == ["honeypot", "newer_form"]


def test_a_double_click_is_one_row(client, path, restricted_form):
    publish(restricted_form, NEWER["needs"])
    first, second = (
        client.post_json(path, {"fields": ADA}, idempotency_key="k1") for _ in range(2)
    )
    assert (first.status, second.status) == (202, 200)
    assert first.json["receipt"] == second.json["receipt"]


def test_a_retry_at_the_newer_process_is_the_same_act(make_client, path, restricted_form, reader):
    publish(restricted_form, NEWER["unknown kind"])
    sent = {"fields": {**ADA, "phone": "", "mood": "joy"}}
    first = make_client().post_json(path, sent, idempotency_key="k1")
    reader()
    second = make_client().post_json(path, sent, idempotency_key="k1")
    assert (first.status, second.status) == (202, 200)


def test_answers_are_spooled_while_the_ledger_is_unavailable(
    make_client, restricted_form, path, away
):
    publish(restricted_form, NEWER["unknown kind"])
    client = make_client()
    client.get(f"/f/{restricted_form.slug}")
    client.get(path.removesuffix("/submissions"))
    client.app._ledger._writer._connection.close()
    client.app._ledger._writer._connection._parameters = away
    answer = client.post_json(path, {"fields": {**ADA, "mood": {"joy": 1}}})
    assert answer.status == 202
    assert not Submission.objects.exists()
    replay(seconds=5)
    assert Submission.objects.get().reasons == ["newer_form"]


def test_the_page_shown_in_an_outage_carries_every_answer(
    make_client, restricted_form, away, no_storage
):
    publish(restricted_form, NEWER["unknown kind"])
    client = make_client()
    client.get(f"/f/{restricted_form.slug}")
    client.app._ledger._writer._connection.close()
    client.app._ledger._writer._connection._parameters = away
    page = client.post_form(f"/f/{restricted_form.slug}", {**ADA, "mood": ["joy", "awe"]})
    assert page.status == 503
    assert page.text.count('name="mood"') == 2
    assert 'value="awe"' in page.text


@newer
def test_preloaded_form_is_served_without_the_database(restricted_form, data, monkeypatch):
    async def story():
        database = ReadPool()
        forms = FormCache(database, max_age=0, stale_timeout=0.01)
        await FormPreloader(database, forms).refresh()
        await database.close()
        monkeypatch.setattr(database, "fetch", _unavailable)
        return await forms.by_slug(restricted_form.slug)

    published = publish(restricted_form, data)
    found = asyncio.run(story())
    assert (found.version_id, found.newer.version_id) == (
        restricted_form.versions.last().pk,
        published.pk,
    )
    assert json.loads(found.document)["version"] == 1


async def _unavailable(*_):
    raise DatabaseUnavailableError


def test_valid_deferred_answers_are_released(client, restricted_form, path, reader, nudges):
    published = publish(
        restricted_form, OLD | {"needs": ["logic"], "fields": [*OLD["fields"], MOOD, CONSENT]}
    )
    client.post_form(
        f"/f/{restricted_form.slug}", {**ADA, "mood": "joy", "news": "yes", "_token": ""}
    )
    client.post_json(path, {"fields": {**ADA, "mood": "awe", "phone": ""}})
    raws = list(Submission.objects.order_by("id").values_list("raw", flat=True))
    assert release_judged(seconds=5) == 0
    reader()
    assert release_judged(seconds=5) == 2
    rows = list(Submission.objects.order_by("id"))
    assert [row.state for row in rows] == ["accepted", "accepted"]
    assert [row.answers["mood"] for row in rows] == ["joy", "awe"]
    assert [row.consents[0]["given"] for row in rows] == [True, False]
    assert datetime.fromisoformat(rows[0].consents[0]["at"]) == rows[0].received_at
    assert [row.raw for row in rows] == raws
    assert {row.version for row in rows} == {published}
    events = Event.objects.filter(kind="submission.released")
    assert [(event.actor, event.data) for event in events] == [
        (None, {"reasons": ["newer_form"]})
    ] * 2
    assert nudges
    assert release_judged(seconds=5) == 0


def test_answers_that_do_not_fit_stay_for_review(client, restricted_form, path, reader):
    publish(restricted_form, NEWER["needs"])
    client.post_json(path, {"fields": {"name": "Ada", "email": "nowhere"}})
    reader()
    assert (release_judged(seconds=5), release_judged(seconds=5)) == (1, 0)
    row = Submission.objects.get()
    assert (row.state, row.reasons) == ("quarantined", ["unfit_answers"])
    assert row.raw == {"name": "Ada", "email": "nowhere"}
    assert Event.objects.get(kind="submission.held").data == {"reasons": ["unfit_answers"]}


def test_other_reason_keeps_validated_answers_in_review(client, restricted_form, reader):
    publish(restricted_form, NEWER["needs"])
    client.post_form(f"/f/{restricted_form.slug}", {**ADA, "_url": "x"})
    reader()
    assert release_judged(seconds=5) == 1
    row = Submission.objects.get()
    assert (row.state, row.reasons, row.answers) == ("quarantined", ["honeypot"], ADA)


def test_answers_to_the_older_page_are_validated_by_it(client, restricted_form, path, reader):
    extra = {"name": "size", "kind": "text", "label": "Size", "required": True}
    publish(restricted_form, OLD | {"needs": ["logic"], "fields": [*OLD["fields"], extra]})
    client.post_form(f"/f/{restricted_form.slug}", ADA)
    reader()
    release_judged(seconds=5)
    row = Submission.objects.get()
    assert (row.state, row.version.number, row.answers) == ("accepted", 1, ADA)


def test_form_not_understood_blocks_no_other(client, restricted_form, path, reader):
    other = make_form()
    publish(restricted_form, OLD | {"format": 9})
    publish(other, NEWER["needs"])
    client.post_json(path, {"fields": ADA})
    client.post_form(f"/f/{other.slug}", ADA)
    reader()
    assert release_judged(seconds=5) == 1
    assert Submission.objects.get(form=other).state == "accepted"
    assert Submission.objects.get(form=restricted_form).reasons == ["newer_form"]


def test_a_batch_is_bounded_and_none_is_left(restricted_form, reader, monkeypatch):
    monkeypatch.setattr("leadgen.capture.newer_forms.BATCH_ROWS", 2)
    publish(restricted_form, NEWER["needs"])
    for _ in range(5):
        make_submission(restricted_form, state="quarantined", reasons=["newer_form"])
    reader()
    assert release_judged(seconds=5) == 5
    assert Submission.objects.waiting().count() == 5


def test_row_that_cannot_be_validated_stops_no_other(restricted_form, reader, monkeypatch):
    publish(restricted_form, NEWER["needs"])
    broken = make_submission(restricted_form, state="quarantined", reasons=["newer_form"], raw=[1])
    make_submission(restricted_form, state="quarantined", reasons=["newer_form"])
    reader()
    assert release_judged(seconds=5) == 2
    broken.refresh_from_db()
    assert broken.reasons == ["unfit_answers"]


def test_manually_released_row_is_read_by_its_version(client, restricted_form, reader):
    publish(restricted_form, OLD | {"needs": ["logic"], "fields": [*OLD["fields"], CONSENT]})
    client.post_form(f"/f/{restricted_form.slug}", {**ADA, "news": "yes"})
    row = Submission.objects.get()
    reader()
    services.release(row, actor=make_user())
    row.refresh_from_db()
    assert (row.state, row.consents[0]["given"]) == ("accepted", True)
    assert release_judged(seconds=5) == 0


def test_manually_released_unread_row_keeps_its_answers(client, restricted_form, path):
    publish(restricted_form, NEWER["unknown kind"])
    client.post_json(path, {"fields": {**ADA, "mood": {"joy": 1}}})
    row = Submission.objects.get()
    services.release(row, actor=make_user())
    row.refresh_from_db()
    assert (row.state, row.answers) == ("accepted", {**ADA, "mood": {"joy": 1}})


def test_rows_that_wait_for_a_reader_have_an_index(restricted_form):
    rows = Submission.objects.unjudged().filter(version=restricted_form.published)
    with transaction.atomic(), connection.cursor() as cursor:
        # In a small table the planner may take the index of the whole quarantine.
        cursor.execute("DROP INDEX submission_quarantine")
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = rows.order_by("received_at", "id").explain()
        transaction.set_rollback(True)
    assert "submission_unjudged" in plan


@pytest.mark.parametrize("channel", ["page", "api"])
def test_answers_to_a_version_not_yet_in_memory_are_kept(
    make_client, restricted_form, path, channel
):
    client = make_client(max_age=60)
    client.get(f"/f/{restricted_form.slug}")
    client.get(path.removesuffix("/submissions"))
    published = publish(restricted_form, OLD | {"needs": ["logic"], "fields": [MOOD]})
    if channel == "page":
        assert client.post_form(f"/f/{restricted_form.slug}", {"mood": "joy"}).status == 303
    else:
        assert client.post_json(path, {"fields": {"mood": "joy"}}).status == 202
    assert Submission.objects.get().version == published


def test_invalid_answers_are_refused_without_the_database(make_client, restricted_form, path, away):
    client = make_client(max_age=60)
    client.get(path.removesuffix("/submissions"))
    client.runner.run(client.app._database.close())
    client.app._database._parameters = away
    assert client.post_json(path, {"fields": {"email": "nowhere"}}).status == 422


PUBLISH = (
    "WITH made AS (INSERT INTO forms_formversion (form_id, number, definition, published_at) "
    "VALUES (%s, %s, %s::jsonb, now()) RETURNING id) UPDATE forms_form "
    "SET published_id = (SELECT id FROM made), updated_at = now() WHERE id = %s RETURNING id"
)


@pytest.mark.parametrize("fresh", [0.0, 0.05])
def test_publishing_during_posts_loses_no_submission(make_client, restricted_form, path, fresh):
    async def story(client):
        edge = client.app
        answers = []
        for number, data in enumerate([*NEWER.values(), OLD], 2):
            posts = [edge_post(client, path, number, at) for at in range(10)]
            values = [restricted_form.pk, number, json.dumps(data), restricted_form.pk]
            published = edge._database.fetch(PUBLISH, values)
            answers += (await asyncio.gather(*posts, published))[:-1]
        return answers

    client = make_client(max_age=fresh)
    client.get(f"/f/{restricted_form.slug}")
    answers = client.runner.run(story(client))
    assert {answer.status for answer in answers} <= {201, 202}
    receipts = {UUID(answer.json["receipt"]) for answer in answers}
    assert receipts == set(Submission.objects.values_list("id", flat=True))
    assert len(receipts) == 70


async def edge_post(client, path, number, at):
    body = json.dumps({"fields": {**ADA, "message": f"{number} {at}"}}).encode()
    return await client.asend("POST", path, body, content_type="application/json")
