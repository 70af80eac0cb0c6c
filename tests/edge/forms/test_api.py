import uuid

import pytest

from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from tests.factories import make_form

ADA = {"name": "Ada", "email": "ada@example.com"}


def test_submission_is_stored_before_acknowledgement(client, path, restricted_form, nudges):
    answer = client.post_json(path, {"fields": ADA})
    row = Submission.objects.get()
    assert answer.status == 201
    assert answer.json == {"receipt": str(row.id), "state": "received"}
    assert (row.form, row.version, row.state) == (
        restricted_form,
        restricted_form.published,
        "accepted",
    )
    assert row.raw == row.answers == ADA
    assert nudges


def test_a_repeat_with_the_same_key_gives_the_first_receipt(client, path):
    first = client.post_json(path, {"fields": ADA}, idempotency_key="k1")
    second = client.post_json(path, {"fields": ADA}, idempotency_key="k1")
    assert (first.status, second.status) == (201, 200)
    assert second.json == first.json
    assert second.headers["idempotent-replayed"] == "true"
    assert Submission.objects.count() == 1


def test_a_key_used_again_for_other_content_is_a_conflict(client, path):
    client.post_json(path, {"fields": ADA}, idempotency_key="k1")
    answer = client.post_json(path, {"fields": {**ADA, "name": "Eve"}}, idempotency_key="k1")
    assert answer.status == 409
    assert "Idempotency-Key" in answer.json["errors"][""][0]
    assert Submission.objects.count() == 1


def test_a_key_belongs_to_one_form(client, path):
    other = f"/api/v1/public/forms/{make_form().public_id}/submissions"
    answers = [client.post_json(p, {"fields": ADA}, idempotency_key="k1") for p in (path, other)]
    assert [answer.status for answer in answers] == [201, 201]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9"])
def test_a_key_that_cannot_be_kept_is_refused(client, path, key):
    assert client.post_json(path, {"fields": ADA}, idempotency_key=key).status == 400


def test_without_a_key_each_post_is_a_submission(client, path):
    receipts = {client.post_json(path, {"fields": ADA}).json["receipt"] for _ in range(2)}
    assert len(receipts) == 2


def test_wrong_answers_are_named_by_field(client, path):
    answer = client.post_json(path, {"fields": {"email": "nobody", "colour": "red"}})
    assert answer.status == 422
    assert set(answer.json["errors"]) == {"name", "email", "colour"}
    assert not Submission.objects.exists()


def test_a_quarantined_submission_is_answered_like_any_other(client, path, nudges):
    links = "https://a.example " * 4
    answer = client.post_json(path, {"fields": {**ADA, "message": links}})
    assert (answer.status, answer.json["state"]) == (201, "received")
    row = Submission.objects.get()
    assert (row.state, row.reasons) == ("quarantined", ["too_many_links"])
    assert not nudges


def test_an_unknown_form_is_not_found(client):
    answer = client.post_json("/api/v1/public/forms/nosuchform22/submissions", {"fields": ADA})
    assert answer.status == 404
    assert answer.json["errors"][""]


def test_unpublished_form_is_not_found(client, restricted_form, path):
    restricted_form.published = None
    restricted_form.save()
    assert client.post_json(path, {"fields": ADA}).status == 404


@pytest.mark.parametrize(
    ("method", "suffix", "allowed"),
    [
        ("PUT", "/submissions", "POST, OPTIONS"),
        ("GET", "/submissions", "POST, OPTIONS"),
        ("POST", "", "GET, OPTIONS, HEAD"),
    ],
)
def test_wrong_method_is_answered_with_the_allowed_ones(
    client, restricted_form, method, suffix, allowed
):
    answer = client.send(method, f"/api/v1/public/forms/{restricted_form.public_id}{suffix}")
    assert (answer.status, answer.headers["allow"]) == (405, allowed)


CONSENTING = Definition(
    title="News",
    fields=(
        FieldDefinition("email", "email", "Email", required=True, fills="email"),
        FieldDefinition("news", "consent", "News", wording="Send me news once a month."),
        FieldDefinition("calls", "consent", "Calls", wording="You may call me."),
    ),
)


@pytest.mark.parametrize("place", ["fields", "consents"])
def test_a_consent_is_kept_with_the_wording_that_was_shown(client, place):
    form = make_form(CONSENTING)
    email = {"email": "a@example.com"}
    body = {"fields": email, place: {**(email if place == "fields" else {}), "news": True}}
    answer = client.post_json(f"/api/v1/public/forms/{form.public_id}/submissions", body)
    assert answer.status == 201
    row = Submission.objects.get()
    assert [(c["field"], c["given"]) for c in row.consents] == [("news", True), ("calls", False)]
    assert row.consents[0]["wording"] == "Send me news once a month."
    assert len(row.consents[0]["wording_hash"]) == 64
    assert row.consents[0]["at"]
    assert row.answers["news"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"fields": {"email": "a@example.com"}, "consents": {"email": True}},
        {"fields": {"email": "a@example.com"}, "consents": {"nonsense": True}},
        {"fields": {"email": "a@example.com", "news": False}, "consents": {"news": True}},
    ],
)
def test_a_consent_that_is_none_or_contradicts_itself_is_named(client, body):
    form = make_form(CONSENTING)
    answer = client.post_json(f"/api/v1/public/forms/{form.public_id}/submissions", body)
    assert answer.status == 422
    assert not Submission.objects.exists()


def test_the_definition_is_published_with_its_schema(client, restricted_form):
    answer = client.get(f"/api/v1/public/forms/{restricted_form.public_id}")
    assert answer.status == 200
    assert answer.json["id"] == restricted_form.public_id
    assert answer.json["definition"]["fields"][0]["name"] == "name"
    assert answer.json["schema"]["required"] == ["name", "email"]
    assert "max-age=60" in answer.headers["cache-control"]


def test_an_unchanged_definition_is_not_sent_again(client, restricted_form):
    path = f"/api/v1/public/forms/{restricted_form.public_id}"
    etag = client.get(path).headers["etag"]
    again = client.get(path, if_none_match=etag)
    assert (again.status, again.body) == (304, b"")


def test_an_allowed_website_may_read_and_send(client, restricted_form, path):
    answer = client.post_json(path, {"fields": ADA}, origin="https://www.example.com")
    assert answer.status == 201
    assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
    assert answer.headers["vary"] == "Origin"


def test_allowed_website_may_read_the_errors(client, path):
    answer = client.post_json(path, {"fields": {}}, origin="https://www.example.com")
    assert answer.status == 422
    assert answer.headers["access-control-allow-origin"] == "https://www.example.com"


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_another_website_may_not_send(client, path, origin):
    answer = client.post_json(path, {"fields": ADA}, origin=origin)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers
    assert not Submission.objects.exists()


def test_form_open_to_all_accepts_any_website(client):
    form = make_form(allowed_origins="*")
    path = f"/api/v1/public/forms/{form.public_id}/submissions"
    assert client.post_json(path, {"fields": ADA}, origin="https://any.example").status == 201


def test_preflight_lists_allowed_methods_and_headers(client, path):
    answer = client.send("OPTIONS", path, origin="https://www.example.com")
    assert answer.status == 204
    assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_a_preflight_of_another_website_allows_nothing(client, path):
    answer = client.send("OPTIONS", path, origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("access-control-allow")]


def test_the_request_id_is_carried_through(client, path):
    answer = client.post_json(path, {"fields": ADA}, x_request_id="abc-1")
    assert answer.headers["x-request-id"] == "abc-1"


def test_an_unfit_request_id_is_replaced(client, path):
    answer = client.post_json(path, {"fields": ADA}, x_request_id="<script>")
    assert len(answer.headers["x-request-id"]) == 32


def test_other_paths_are_passed_to_django(client):
    assert client.get("/api/v1/public/nothing").status == 404
    assert client.get("/").status == 302


def test_context_has_the_attribution(client, path):
    context = {
        "page_url": "https://www.example.com/pricing?utm_source=google&utm_medium=cpc&gclid=G1",
        "referrer": "https://www.google.com/",
        "utm": "garbage",
        "elapsed_ms": 5300,
        "first_touch": {"at": "2026-01-01T10:00:00Z", "utm": {"source": "news"}},
    }
    client.post_json(path, {"fields": ADA, "context": context}, user_agent="Test/1")
    kept = Submission.objects.get().context
    assert kept["channel"] == "api"
    assert kept["utm"] == {"source": "google", "medium": "cpc"}
    assert kept["click_ids"] == {"gclid": "G1"}
    assert kept["first_touch"] == {"at": "2026-01-01T10:00:00Z", "utm": {"source": "news"}}
    assert (kept["address"], kept["user_agent"], kept["elapsed_ms"]) == (
        "203.0.113.0",
        "Test/1",
        5300,
    )


@pytest.mark.parametrize("context", [None, 7, "x", [], {"utm": [1], "page_url": {}, "x": "\x00"}])
def test_invalid_context_does_not_lose_the_submission(client, path, context):
    assert client.post_json(path, {"fields": ADA, "context": context}).status == 201


@pytest.mark.parametrize("said", [None, "yesterday", 5, "9999-12-31T23:59:59+00:00", "2001-01-01"])
def test_wrong_client_clock_does_not_lose_the_submission(client, path, said):
    assert client.post_json(path, {"fields": ADA, "submitted_at": said}).status == 201
    assert Submission.objects.get().submitted_at is None


def test_the_receipt_is_a_uuid_of_version_7(client, path):
    receipt = client.post_json(path, {"fields": ADA}).json["receipt"]
    assert uuid.UUID(receipt).version == 7
