"""What cannot be kept exactly as it was sent gets a 4xx that says what is wrong."""

import asyncio
import json
from contextlib import nullcontext, suppress
from time import process_time
from urllib.parse import urlencode

import pytest

from leadgen.capture.models import Submission
from leadgen.edge.http import bodies, messages
from leadgen.edge.http.large_bodies import SLOTS_PER_NETWORK
from leadgen.forms.format.definition import Definition, FieldDefinition
from tests.factories import make_form

ADA = {"name": "Ada", "email": "ada@example.com"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def api(published_form):
    return f"/api/v1/public/forms/{published_form.public_id}/submissions"


@pytest.fixture
def page(published_form):
    return f"/f/{published_form.slug}"


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
        ("multipart/form-data; boundary=b", part("name=\"a\"; filename*=UTF-8''a.txt"), "no files"),
        ("multipart/form-data; boundary=b", part('name="a"; filename*0="a"'), "no files"),
        ("multipart/form-data; boundary=b", part('name="a"; filename=""'), "no files"),
        ("multipart/form-data; boundary=b", part('wrong="a"'), "no name"),
        ("multipart/form-data; boundary=b", part(value=b"\xff"), "UTF-8"),
        ("multipart/form-data; boundary=b", part(value=b"a\x00"), "NUL"),
        ("multipart/form-data; boundary=b", part(end=b"") * 201 + b"--b--\r\n", "200"),
        (
            "multipart/form-data; boundary=b",
            part('name="a"; filename=""', b"", end=b"") * 201 + b"--b--\r\n",
            "200",
        ),
        ("multipart/form-data; boundary=" + "b" * 500, part(), "broken"),
    ],
)
def test_a_broken_multipart_post_is_refused_by_name(client, page, kind, body, says):
    answer = client.send("POST", page, body, content_type=kind)
    assert answer.status == 400
    assert says in answer.text
    assert not Submission.objects.exists()


@pytest.mark.parametrize("kind", ["text/plain", "", "application/xml", FORM])
def test_api_accepts_json_only(client, api, kind):
    answer = client.send("POST", api, b"{}", content_type=kind)
    assert answer.status == 415
    assert "application/json" in answer.json["errors"][""][0]


@pytest.mark.parametrize("kind", ["text/plain", "", "application/json"])
def test_page_accepts_form_posts_only(client, page, kind):
    assert client.send("POST", page, b"a=b", content_type=kind).status == 415


@pytest.mark.parametrize(
    "kind", ["application/json; charset=latin-1", "application/json;charset=x"]
)
def test_another_charset_is_not_guessed_at(client, api, kind):
    assert client.send("POST", api, b'{"fields": {}}', content_type=kind).status == 415


def test_a_packed_body_is_refused(client, api):
    assert client.post_json(api, {"fields": ADA}, content_encoding="gzip").status == 415


def test_body_with_too_large_content_length_is_not_read(client, api, settings):
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


def test_body_that_does_not_arrive_is_a_timeout(client, api, monkeypatch):
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


def test_error_names_the_field_whose_text_is_too_long(client, api):
    answer = client.post_json(api, {"fields": {**ADA, "name": "x" * 20_000}})
    assert answer.status == 422
    assert list(answer.json["errors"]) == ["name"]


def test_file_input_that_was_left_empty_is_no_file(client, page):
    names = [('name="name"', b"Ada"), ('name="email"', b"ada@example.com")]
    parts = [part(name, value, end=b"") for name, value in names]
    body = b"".join([*parts, part('name="cv"; filename=""', b"")])
    answer = client.send("POST", page, body, content_type="multipart/form-data; boundary=b")
    assert answer.status == 303
    assert Submission.objects.get().raw == {"name": ["Ada"], "email": ["ada@example.com"]}


def test_text_that_mentions_a_file_name_is_no_file(client, page):
    body = b"".join(
        [
            part('name="name; filename*=a"', b"x", end=b""),
            part('name="name"', b"Ada", end=b""),
            part('name="email"', b"a@example.com"),
        ]
    )
    answer = client.send("POST", page, body, content_type="multipart/form-data; boundary=b")
    assert answer.status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"content_encoding": "Identity"},
        {"content_encoding": ""},
        {"content_encoding": "identity, IDENTITY"},
        {"content_type": f"{FORM}; charset=us-ascii"},
        {"content_type": f"{FORM}; charset='utf-8'"},
        {"content_type": f"{FORM.upper()}; CHARSET=UTF8"},
    ],
)
def test_utf_8_headers_without_coding_are_accepted(client, page, headers):
    assert client.post_form(page, ADA, **headers).status == 303


@pytest.mark.parametrize("headers", [{"content_encoding": "gzip, identity"}])
def test_a_coding_among_others_is_refused(client, page, headers):
    assert client.post_form(page, ADA, **headers).status == 415


SCRIPTS = ["a", "é", "漢", "क", "😀", '"', "\\"]


@pytest.mark.parametrize("character", SCRIPTS)
@pytest.mark.parametrize("shape", ["form", "multipart", "json", "escaped json"])
def test_text_of_the_stated_length_is_accepted_in_any_script(
    client, transactional_db, character, shape
):
    fields = tuple(
        FieldDefinition(name, "long_text", name, max_length=20_000) for name in ("a", "b", "c", "d")
    )
    form = make_form(Definition("T", fields))
    answers = dict.fromkeys("abcd", character * 20_000)
    api = f"/api/v1/public/forms/{form.public_id}/submissions"
    if shape == "form":
        answer = client.post_form(f"/f/{form.slug}", answers)
    elif shape == "multipart":
        answer = client.post_multipart(f"/f/{form.slug}", answers.items(), "7d1a-never-in-a-text")
    else:
        text = json.dumps({"fields": answers}, ensure_ascii=shape == "escaped json")
        answer = client.post_json(api, text.encode())
    assert answer.status in (201, 303), answer.text[:200]
    assert Submission.objects.get().answers == answers


@pytest.mark.parametrize("shape", ["form", "json"])
def test_more_characters_than_any_form_allows_are_refused(client, api, page, shape):
    text = "x" * 90_000
    if shape == "form":
        answer = client.post_form(page, {**ADA, "message": text})
    else:
        answer = client.post_json(api, {"fields": {**ADA, "message": text}})
    assert answer.status == 413
    assert "at most 84,000 characters" in answer.text


def test_large_bodies_of_one_address_are_limited(client, page):
    async def story():
        started, go = [], asyncio.Event()

        def slow(number):
            pieces = [b"name=", b"%E6%BC%A2" * 10_000]

            async def receive():
                if pieces:
                    return {"type": "http.request", "body": pieces.pop(0), "more_body": True}
                started.append(number)
                if len(started) == SLOTS_PER_NETWORK:
                    go.set()
                await done.wait()
                return {"type": "http.request", "body": b"", "more_body": False}

            return receive

        done = asyncio.Event()
        posts = [
            asyncio.create_task(client.asend("POST", page, receive=slow(n), content_type=FORM))
            for n in range(SLOTS_PER_NETWORK)
        ]
        await go.wait()
        refused = await client.asend("POST", page, receive=slow(99), content_type=FORM)
        small = await client.asend("POST", page, b"name=Ada", content_type=FORM)
        done.set()
        held = await asyncio.gather(*posts)
        again = await client.asend("POST", page, b"name=" + b"a" * 70_000, content_type=FORM)
        return refused, [each.status for each in (*held, small, again)]

    refused, others = client.runner.run(story())
    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    assert others == [422] * (SLOTS_PER_NETWORK + 2)


@pytest.mark.parametrize("escaped", ['\\"', "\\\\", '"', ';"', "; a=", "; filename*1=", "x"])
def test_header_of_a_part_is_read_in_linear_time(escaped):
    # 190 parts stopped a process for 10 s: the end of a text was looked for from each quote.
    header = f'name="x"; a="{escaped * (4000 // len(escaped))}'
    body = part(header, end=b"") * 190 + b"--b--\r\n"
    started = process_time()
    with suppress(messages.Refusal):
        bodies.read_multipart(body, "multipart/form-data; boundary=b")
    assert process_time() - started < 2


def test_body_of_percent_signs_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.delattr(bodies, "parse_qsl")
    with pytest.raises(messages.Refusal, match="too long"):
        bodies.read_urlencoded(b"a=" + b"%" * 1_000_000)


@pytest.mark.parametrize("text", ["\U0001f600", "é a", "%C3%A9", "100 %", "%41", "a&b=c+d", "%"])
def test_escaped_letters_are_parsed_like_plain_ones(text):
    body = urlencode({text: text}).encode()
    assert bodies.read_urlencoded(body) == {text: [text]}
    assert bodies.read_urlencoded(body.lower()) == {text.lower(): [text.lower()]}


def test_longest_post_is_parsed_within_a_tenth_of_a_second():
    body = b"a=" + b"%F0%9F%98%80" * (bodies.MAX_CHARACTERS - 1)
    started = process_time()
    assert len(bodies.read_urlencoded(body)["a"][0]) == bodies.MAX_CHARACTERS - 1
    assert process_time() - started < 0.1
