"""What cannot be kept exactly as it was sent gets a 4xx that says what is wrong."""

import asyncio
import json
from contextlib import nullcontext, suppress

import pytest

from leadgen.capture.models import Submission
from leadgen.edge.http import messages
from tests.factories import make_form

ADA = {"name": "Ada", "email": "ada@example.com"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def form(transactional_db):
    return make_form()


@pytest.fixture
def api(form):
    return f"/api/v1/public/forms/{form.public_id}/submissions"


@pytest.fixture
def page(form):
    return f"/f/{form.slug}"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b'{"fields": {}} x', "trailing"),
        (b"[]", "Expected `object`"),
        (b"{}", "`fields`"),
        (b'{"fields": []}', "$.fields"),
        (b'{"fields": {}, "consents": {"a": "yes"}}', "$.consents"),
        (b'{"fields": {"name": "\xff"}}', "UTF-8"),
        (b'{"fields": {"name": "\xed\xa0\x80"}}', "UTF-8"),
        (rb'{"fields": {"name": "\ud800"}}', "JSON"),
        (rb'{"fields": {"name": "\ude00\ud83d"}}', "surrogate"),
        (rb'{"fields": {"name": "a\u0000b"}}', "NUL"),
        (rb'{"fields": {"a\u0000": "b"}}', "NUL"),
        (rb'{"fields": {"name": ["a\u0000b"]}}', "NUL"),
        (b'{"fields": {"name": "a", "name": "b"}}', "'name' is given twice"),
        (b'{"fields": {}, "fields": {}}', "'fields' is given twice"),
        (b'{"fields": {"name": NaN}}', "JSON"),
        (b'{"fields": {"name": Infinity}}', "JSON"),
        (b'{"fields": {"name": 1e999}}', "out of range"),
        (b'{"fields": {"name": %s}}' % (b"9" * 5000), "out of range"),
        (b'{"fields": {}, "unknown": %s}' % (b"9" * 5000), "too many digits"),
        (b'{"fields": {}, "unknown": [-%s]}' % (b"9" * 4301), "too many digits"),
        (b'{"fields": {"name": %s%s}}' % (b"[" * 9, b"]" * 9), "nested too deeply"),
        (b'{"fields": {"name": %s%s}}' % (b'{"a":' * 9 + b"1", b"}" * 9), "nested too deeply"),
        (b'{"fields": {}, "context": %s%s}' % (b"[" * 20000, b"]" * 20000), "nested too deeply"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (json.dumps({"fields": {f"f{n}": "" for n in range(201)}}).encode(), "200"),
    ],
)
def test_json_that_cannot_be_kept_is_refused_by_name(client, api, body, says):
    answer = client.post_json(api, body)
    assert answer.status == 400
    assert says in answer.json["errors"][""][0]
    assert not Submission.objects.exists()


def test_an_emoji_written_as_escapes_is_one_character(client, api):
    body = rb'{"fields": {"name": "\ud83d\ude00", "email": "a@example.com"}}'
    assert client.post_json(api, body).status == 201
    assert Submission.objects.get().raw["name"] == "😀"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"name=%ED%A0%80", "UTF-8"),
        (b"name=%FF", "UTF-8"),
        (b"name=\xff", "UTF-8"),
        (b"name=a%00b", "NUL"),
        (b"na%00me=a", "NUL"),
        (b"&".join(b"f%d=1" % n for n in range(201)), "200"),
    ],
)
def test_a_plain_post_that_cannot_be_kept_is_refused_by_name(client, page, body, says):
    answer = client.post_form(page, body)
    assert answer.status == 400
    assert says in answer.text
    assert not Submission.objects.exists()


def part(name='name="name"', value=b"Ada", boundary=b"b", end=b"--b--\r\n"):
    return b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n%b" % (
        boundary,
        name.encode(),
        value,
        end,
    )


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("multipart/form-data", part(), "boundary"),
        ("multipart/form-data; boundary=", part(), "boundary"),
        ("multipart/form-data; boundary=other", part(), "broken"),
        ("multipart/form-data; boundary=b", part(end=b""), "ends too early"),
        ("multipart/form-data; boundary=b", b"", "ends too early"),
        ("multipart/form-data; boundary=b", b"garbage", "broken"),
        ("multipart/form-data; boundary=b", part('name="a"; filename="a.txt"'), "no files"),
        ("multipart/form-data; boundary=b", part('wrong="a"'), "no name"),
        ("multipart/form-data; boundary=b", part(value=b"\xff"), "UTF-8"),
        ("multipart/form-data; boundary=b", part(value=b"a\x00"), "NUL"),
        ("multipart/form-data; boundary=b", part(end=b"") * 201 + b"--b--\r\n", "200"),
        ("multipart/form-data; boundary=" + "b" * 500, part(), "broken"),
    ],
)
def test_a_broken_multipart_post_is_refused_by_name(client, page, kind, body, says):
    answer = client.send("POST", page, body, content_type=kind)
    assert answer.status == 400
    assert says in answer.text
    assert not Submission.objects.exists()


@pytest.mark.parametrize("kind", ["text/plain", "", "application/xml", FORM])
def test_the_api_takes_json_only(client, api, kind):
    answer = client.send("POST", api, b"{}", content_type=kind)
    assert answer.status == 415
    assert "application/json" in answer.json["errors"][""][0]


@pytest.mark.parametrize("kind", ["text/plain", "", "application/json"])
def test_the_page_takes_forms_only(client, page, kind):
    assert client.send("POST", page, b"a=b", content_type=kind).status == 415


@pytest.mark.parametrize(
    "kind", ["application/json; charset=latin-1", "application/json;charset=x"]
)
def test_another_charset_is_not_guessed_at(client, api, kind):
    assert client.send("POST", api, b'{"fields": {}}', content_type=kind).status == 415


def test_a_packed_body_is_refused(client, api):
    assert client.post_json(api, {"fields": ADA}, content_encoding="gzip").status == 415


def test_a_body_that_says_it_is_too_large_is_not_read(client, api, settings):
    async def never():
        raise AssertionError("the body was read")

    length = str(settings.CAPTURE_MAX_BODY_BYTES + 1)
    headers = {"content_type": "application/json", "content_length": length}
    answer = client.runner.run(client.asend("POST", api, receive=never, **headers))
    assert answer.status == 413
    assert str(settings.CAPTURE_MAX_BODY_BYTES) in answer.json["errors"][""][0]


def test_a_body_that_grows_too_large_is_cut_off(client, page, settings):
    chunks = []

    async def endless():
        chunks.append(1)
        return {"type": "http.request", "body": b"a" * 10_000, "more_body": True}

    answer = client.runner.run(client.asend("POST", page, receive=endless, content_type=FORM))
    assert answer.status == 413
    assert len(chunks) <= settings.CAPTURE_MAX_BODY_BYTES // 10_000 + 1


def test_a_body_that_does_not_come_is_not_waited_for(client, api, monkeypatch):
    monkeypatch.setattr(messages, "BODY_SECONDS", 0.05)

    async def silent():
        await asyncio.Future()

    kind = "application/json"
    answer = client.runner.run(client.asend("POST", api, receive=silent, content_type=kind))
    assert answer.status == 408


def test_late_body_piece_does_not_extend_the_timeout(client, api, monkeypatch):
    monkeypatch.setattr(messages, "BODY_SECONDS", 0.05)
    swallows = iter([suppress(asyncio.CancelledError)])  # as servers do on Python 3.11

    async def trickle():
        with next(swallows, nullcontext()):
            await asyncio.sleep(1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    kind = "application/json"
    answer = client.runner.run(client.asend("POST", api, receive=trickle, content_type=kind))
    assert answer.status == 408


def test_a_text_longer_than_the_field_takes_is_named(client, api):
    answer = client.post_json(api, {"fields": {**ADA, "name": "x" * 20_000}})
    assert answer.status == 422
    assert list(answer.json["errors"]) == ["name"]
