"""Answers belong to the version that was shown, whatever becomes of the form meanwhile."""

import hashlib
import json
import re
from html import unescape

import pytest

from leadgen.capture.models import Submission
from leadgen.capture.spool.replay import replay
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.models import Form, FormAddress
from tests.factories import make_form

EMAIL = FieldDefinition("email", "email", "Email", required=True, fills="email")
NEWS = FieldDefinition("news", "consent", "News", wording="Send me news once a month.")
FIRST = Definition("First", (EMAIL, FieldDefinition("message", "long_text", "Message"), NEWS))
SECOND = Definition(
    "Second",
    (
        EMAIL,
        FieldDefinition("story", "long_text", "Your story", required=True),
        FieldDefinition("news", "consent", "News", wording="Send me news every day."),
    ),
)
ANSWERS = {"email": "a@example.com", "message": "500 licences"}

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def edited_form(transactional_db):
    return make_form(FIRST)


def publish(form, definition):
    form.published = form.versions.create(
        number=form.versions.count() + 1, definition=definition.to_json()
    )
    form.save()


def unpublish(form):
    form.published = None
    form.save()


def opened(client, form):
    page = client.get(f"/f/{form.slug}")
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


def api(form):
    return f"/api/v1/public/forms/{form.public_id}/submissions"


def test_answers_are_validated_by_the_version_shown(client, edited_form):
    page, first = opened(client, edited_form), edited_form.published
    publish(edited_form, SECOND)
    answer = client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, "news": "yes", **page})
    row = Submission.objects.get()
    assert answer.status == 303
    assert (row.version, row.state) == (first, "accepted")
    assert row.answers == {**ANSWERS, "news": True}
    assert row.consents[0]["wording"] == "Send me news once a month."
    assert row.consents[0]["given"] is True


def test_a_mistake_shows_the_old_version_with_all_texts(client, edited_form):
    page = opened(client, edited_form)
    publish(edited_form, SECOND)
    again = client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, "email": "nobody", **page})
    assert again.status == 422
    for text in ("<h1>First</h1>", "500 licences", "nobody", "once a month", page["_token"]):
        assert text in again.text


def test_the_api_judges_by_the_version_that_it_names(client, edited_form):
    publish(edited_form, SECOND)
    body = {"fields": ANSWERS, "consents": {"news": True}, "version": 1}
    assert client.post_json(api(edited_form), body).status == 201
    row = Submission.objects.get()
    assert (row.version.number, row.state, row.answers["message"]) == (
        1,
        "accepted",
        "500 licences",
    )
    assert row.consents[0]["wording"] == "Send me news once a month."


def test_the_api_names_flaws_of_the_version_named(client, edited_form):
    publish(edited_form, SECOND)
    answer = client.post_json(api(edited_form), {"fields": {"story": "x"}, "version": 1})
    assert answer.status == 422
    assert set(answer.json["errors"]) == {"email", "story"}


@pytest.mark.parametrize("version", [None, "", "x", -1, 0, True, 1.5, [1], {"a": 1}, 2**70])
def test_invalid_version_counts_as_none(client, edited_form, version):
    publish(edited_form, SECOND)
    answer = client.post_json(api(edited_form), {"fields": ANSWERS, "version": version})
    assert answer.status == 422
    fields = {"email": "a@example.com", "story": "x"}
    assert client.post_json(api(edited_form), {"fields": fields, "version": version}).status == 201
    assert Submission.objects.get().version == edited_form.published


def test_an_unknown_version_is_kept_for_review(client, edited_form):
    body = {"fields": {"email": "a@example.com", "colour": "red"}, "version": 9}
    assert client.post_json(api(edited_form), body).status == 201
    row = Submission.objects.get()
    assert (row.state, row.reasons) == ("quarantined", ["version_unknown"])
    assert row.answers == row.raw == body["fields"]
    assert row.consents == []


def test_unknown_version_with_valid_answers_is_accepted(client, edited_form):
    assert client.post_json(api(edited_form), {"fields": ANSWERS, "version": 9}).status == 201
    assert Submission.objects.get().state == "accepted"


def test_a_consent_to_an_unknown_version_is_not_recorded(client, edited_form):
    body = {"fields": ANSWERS, "consents": {"news": True}, "version": 9}
    assert client.post_json(api(edited_form), body).status == 201
    row = Submission.objects.get()
    assert (row.state, row.reasons, row.consents) == ("quarantined", ["version_unknown"], [])
    assert row.answers == {**ANSWERS, "news": True}


def test_an_unpublished_form_keeps_open_pages_for_review(client, edited_form):
    page = opened(client, edited_form)
    unpublish(edited_form)
    answer = client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, **page})
    row = Submission.objects.get()
    assert (answer.status, row.state) == (303, "quarantined")
    assert "unpublished" in row.reasons
    assert row.answers == ANSWERS
    assert "Thank you" in client.get(answer.headers["location"]).text


def test_unpublished_form_stores_api_answers_with_a_version(client, edited_form):
    unpublish(edited_form)
    answer = client.post_json(api(edited_form), {"fields": ANSWERS, "version": 1})
    assert (answer.status, answer.json["state"]) == (201, "received")
    assert Submission.objects.get().reasons == ["unpublished"]
    assert client.post_json(api(edited_form), {"fields": ANSWERS}).status == 404
    assert client.post_json(api(edited_form), {"fields": ANSWERS, "version": 7}).status == 404
    assert client.get(f"/api/v1/public/forms/{edited_form.public_id}").status == 404


def test_unpublished_form_shows_the_refused_answers(client, edited_form):
    unpublish(edited_form)
    assert client.get(f"/f/{edited_form.slug}").status == 404
    page = client.post_form(f"/f/{edited_form.slug}", {**ANSWERS, "message": "<b>Hi</b>"})
    assert page.status == 404
    assert "&lt;b&gt;Hi&lt;/b&gt;" in page.text
    assert not Submission.objects.exists()


def test_page_of_an_unknown_form_shows_the_typed_answers(client, edited_form):
    page = client.post_form("/f/nowhere", ANSWERS)
    assert page.status == 404
    assert "500 licences" in page.text


def test_another_website_cannot_show_its_texts_here(client, edited_form):
    page = client.post_form("/f/nowhere", ANSWERS, origin="https://evil.example")
    assert page.status == 404
    assert "500 licences" not in page.text


def test_a_draft_that_was_never_published_is_not_found(client, edited_form):
    Form.objects.create(slug="draft", title="Draft")
    assert client.get("/f/draft").status == 404
    assert client.get("/f/draft/thanks").status == 404


@pytest.mark.parametrize(
    "change",
    [lambda form: publish(form, SECOND), unpublish],
    ids=["published", "unpublished"],
)
def test_a_retry_with_its_key_gets_the_first_receipt(client, edited_form, change):
    def send(fields):
        return client.post_json(api(edited_form), {"fields": fields}, idempotency_key="k")

    first = send(ANSWERS)
    change(edited_form)
    again = send(ANSWERS)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert send({**ANSWERS, "message": "other"}).status == 409
    assert Submission.objects.count() == 1


def test_a_retry_of_a_removed_origin_gets_the_first_receipt(client):
    form = make_form(FIRST, allowed_origins="https://www.example.com")
    headers = {"origin": "https://www.example.com", "idempotency_key": "k"}
    first = client.post_json(api(form), {"fields": ANSWERS}, **headers)
    Form.objects.update(allowed_origins="")
    again = client.post_json(api(form), {"fields": ANSWERS}, **headers)
    assert (again.status, again.json) == (200, first.json)
    assert client.post_json(api(form), {"fields": ANSWERS}, **{**headers, "idempotency_key": "n"})
    assert Submission.objects.count() == 1


def test_a_key_kept_by_the_release_before_still_repeats(client, edited_form):
    fields = {**ANSWERS, "message": "", "news": False}
    client.post_json(api(edited_form), {"fields": fields}, idempotency_key="k")
    row = Submission.objects.get()
    content = [edited_form.id, row.answers]  # what that release hashed: the cleaned answers
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert row.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_a_renamed_address_leads_to_the_form(client, edited_form):
    page, old = opened(client, edited_form), edited_form.slug
    edited_form.slug = "renamed"
    edited_form.save()
    moved = client.get(f"/f/{old}?utm_source=print")
    assert (moved.status, moved.headers["location"]) == (308, "/f/renamed?utm_source=print")
    assert moved.headers["cache-control"] == "no-store"
    answer = client.post_form(f"/f/{old}?utm_source=print", {**ANSWERS, **page})
    assert answer.headers["location"].startswith("/f/renamed/thanks?receipt=")
    row = Submission.objects.get()
    assert (row.state, row.context["utm"]) == ("accepted", {"source": "print"})
    assert client.get(f"/f/{old}/thanks?receipt={row.id}").status == 200


def test_readopted_address_is_served_again(client, edited_form):
    old = edited_form.slug
    for slug in ("renamed", old):
        edited_form.slug = slug
        edited_form.save()
    assert client.get(f"/f/{old}").status == 200
    assert client.get("/f/renamed").status == 308
    assert list(FormAddress.objects.values_list("slug", flat=True)) == ["renamed"]


@pytest.fixture
def replaced(client, edited_form):
    """The form's open page, at an address that another form has taken over since."""
    page, slug = opened(client, edited_form), edited_form.slug
    unpublish(edited_form)
    edited_form.slug = "archive"
    edited_form.save()
    return page, make_form(SECOND, slug=slug)


def test_reused_address_accepts_open_pages_of_the_old_form(client, edited_form, replaced):
    page, other = replaced
    sent = {**ANSWERS, "story": "", "news": "yes", **page}
    answers = [client.post_form(f"/f/{other.slug}", sent) for _ in range(2)]
    (row,) = Submission.objects.all()
    assert {answer.headers["location"] for answer in answers} == {
        f"/f/archive/thanks?receipt={row.id}"
    }
    assert (row.form, row.version.number, row.reasons) == (edited_form, 1, ["unpublished"])
    assert row.answers == {**ANSWERS, "news": True}
    assert row.consents[0]["wording"] == "Send me news once a month."


def test_reused_address_shows_errors_in_the_old_form(client, replaced):
    page, other = replaced
    again = client.post_form(f"/f/{other.slug}", {**ANSWERS, "email": "nobody", **page})
    assert (again.status, "<h1>First</h1>" in again.text) == (422, True)
    assert f'value="{page["_token"]}"' in again.text


def test_reused_address_stores_pages_of_a_deleted_form(client, edited_form, replaced):
    page, other = replaced
    edited_form.versions.all().delete()
    edited_form.delete()
    assert client.post_form(f"/f/{other.slug}", {**ANSWERS, "news": "yes", **page}).status == 303
    row = Submission.objects.get()
    assert (row.form, row.reasons, row.consents) == (other, ["version_unknown"], [])
    assert row.answers["message"] == "500 licences"


def test_reused_address_is_spooled_for_the_form_shown(
    make_client, edited_form, away, storage, replaced
):
    page, other = replaced
    cut_off = make_client(away, timeout=0.2)
    answer = cut_off.post_form(f"/f/{other.slug}", {**ANSWERS, "news": "yes", **page})
    assert (answer.status, replay(seconds=20)) == (303, 1)
    row = Submission.objects.get()
    assert (row.form, row.version.number, row.consents) == (edited_form, 1, [])


@pytest.mark.parametrize(
    "variant", ["/f/{}/", "/f/{upper}", "/F/{}", "/f/{upper}/?a=1", "/f/{}.", "/f/{})", "/f/{}//"]
)
def test_a_variant_of_the_address_leads_to_the_form(client, edited_form, variant):
    address = variant.format(edited_form.slug, upper=edited_form.slug.upper())
    page = client.get(address)
    query = "?a=1" if "?" in address else ""
    assert (page.status, page.headers["location"]) == (308, f"/f/{edited_form.slug}{query}")
    assert client.post_form(address, ANSWERS).status == 303


def test_variants_of_the_other_addresses_are_served(client, edited_form):
    assert client.get(f"/f/{edited_form.slug}/thanks/?receipt={'0' * 32}").status == 200
    assert client.get(f"/api/v1/public/forms/{edited_form.public_id}/").status == 200
    assert client.post_json(f"{api(edited_form)}/", {"fields": ANSWERS}).status == 201


def test_uncached_version_is_quarantined_during_an_outage(make_client, edited_form, away, storage):
    page = opened(make_client(), edited_form)
    cut_off = make_client(away, timeout=0.2)
    answer = cut_off.post_form(f"/f/{edited_form.slug}", {**ANSWERS, **page})
    assert answer.status == 303
    assert "Thank you" in cut_off.get(answer.headers["location"]).text
    assert replay(seconds=20) == 1
    row = Submission.objects.get()
    assert (row.version, row.state) == (edited_form.published, "quarantined")
    assert row.reasons == ["version_unknown"]
    assert row.answers == ANSWERS


def test_page_shows_the_answers_without_database_and_storage(
    make_client, edited_form, away, no_storage
):
    page = opened(make_client(), edited_form)
    cut_off = make_client(away, timeout=0.2)
    answer = cut_off.post_form(f"/f/{edited_form.slug}", {**ANSWERS, **page})
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert "500 licences" in answer.text


def test_the_public_document_names_its_version(client, edited_form):
    publish(edited_form, SECOND)
    document = json.loads(client.get(f"/api/v1/public/forms/{edited_form.public_id}").body)
    assert document["version"] == 2
