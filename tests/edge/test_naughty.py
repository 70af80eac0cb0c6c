"""Real, ugly input through every way in: only 2xx or 4xx, and what is taken reads back exactly."""

import json
import os
from pathlib import Path

import phonenumbers
import pytest

from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from tests.factories import make_form

TEXTS = Definition(
    title="Texts",
    fields=(
        FieldDefinition("line", "text", "Line"),
        FieldDefinition("story", "long_text", "Story"),
        FieldDefinition("secret", "hidden", "Secret"),
    ),
)
PERSON = Definition(
    title="Person",
    fields=(FieldDefinition("email", "email", "Email"), FieldDefinition("phone", "phone", "Phone")),
)
NAMES = [field.name for field in TEXTS.fields]
# What PostgreSQL or UTF-8 cannot hold is refused, whatever the list says of it today.
UGLY = [
    "a\x00b",
    "\ud800",
    "\u202eevil",
    "e\u0301",
    "\U0001f469\u200d\U0001f680",
    " ",
    "\r\n",
    "<b>",
]


def naughty():
    path = os.environ.get("NAUGHTY_STRINGS")
    return json.loads(Path(path).read_text("utf-8")) if path else []


def storable(text):
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


@pytest.fixture
def text_form(transactional_db):
    return make_form(TEXTS)


def via_json(client, form, fields):
    path = f"/api/v1/public/forms/{form.public_id}/submissions"
    return client.post_json(path, {"fields": fields})


def via_form(client, form, fields):
    pairs = "&".join(f"{name}={quoted(text)}" for name, text in fields.items())
    return client.post_form(f"/f/{form.slug}", pairs.encode())


def via_multipart(client, form, fields):
    pairs = [(name, text) for name, text in fields.items() if storable(text)]
    return client.post_multipart(f"/f/{form.slug}", pairs, boundary="7d1a-never-in-a-text")


def quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("post", [via_json, via_form, via_multipart])
def test_every_naughty_string_is_kept_exactly_or_refused(client, text_form, post):
    kept = 0
    for text in [*naughty(), *UGLY]:
        Submission.objects.all().delete()
        answer = post(client, text_form, dict.fromkeys(NAMES, text))
        assert 200 <= answer.status < 500
        if answer.status in (201, 303):
            kept += storable(text) and bool(text)
            # A form posts each line break as CRLF, which is one character of the answer.
            answered = text if post is via_json else text.replace("\r\n", "\n")
            _assert_kept(Submission.objects.get(), text, answered)
    assert kept >= len([text for text in UGLY if storable(text)])


def _assert_kept(row, text, answered):
    raw = {name: value if isinstance(value, str) else value[0] for name, value in row.raw.items()}
    if storable(text):
        assert raw == dict.fromkeys(NAMES, text)
        assert row.answers == (dict.fromkeys(NAMES, answered) if text else {})


@pytest.mark.parametrize("post", [via_json, via_form])
@pytest.mark.parametrize("style", ["E164", "INTERNATIONAL"])
def test_example_number_of_every_region_is_accepted(client, post, style):
    form = make_form(PERSON)
    regions = [r for r in phonenumbers.SUPPORTED_REGIONS if phonenumbers.example_number(r)]
    assert len(regions) > 200
    for region in regions:
        number = phonenumbers.example_number(region)
        assert number
        text = phonenumbers.format_number(number, getattr(phonenumbers.PhoneNumberFormat, style))
        assert post(client, form, {"phone": text}).status in (201, 303), (region, text)
    kept = set(Submission.objects.values_list("answers__phone", flat=True))
    assert len(kept) > 200


GOOD_ADDRESSES = [
    "Abc@example.tld",
    "user+mailbox/department=shipping@example.tld",
    "!#$%&'*+-/=?^_`.{|}~@example.tld",
    "伊昭傑@郵件.商務",
    "राम@मोहन.ईन्फो",
    "юзер@екзампл.ком",
    "θσερ@εχαμπλε.ψομ",
    "葉士豪@臺網中心.tw",
    "jeff@臺網中心.tw",
    "jeff葉@臺網中心.tw",
    "ñoñó@example.tld",
    "甲斐黒川日本@example.tld",
    "чебурашкаящик-с-апельсинами.рф@example.tld",
    "उदाहरण.परीक्ष@domain.with.idn.tld",
    "a" * 64 + "@example.tld",
    "me@" + "b" * 63 + ".tld",
]
BAD_ADDRESSES = [
    "my@localhost",
    "my@.leadingdot.com",
    "my@twodots..com",
    "my@baddash.-.com",
    "my@exam\nple.com",
    "my@exam ple.com",
    ".leadingdot@domain.com",
    "twodots..here@domain.com",
    "trailingdot.@domain.com",
    "me@⒈wouldbeinvalid.com",
    "@example.com",
    "white space@test",
    "a" * 65 + "@example.tld",
    "me@" + "b" * 64 + ".tld",
    "\nmy@example.com",
    "me@[127.0.0.1]",
    "me@[IPv6:::1]",
    '"quoted local"@example.com',
    '"a\\"b"@example.com',
    "Name <me@example.com>",
    "\u2000me@example.tld",
    "me\u200b@exam\u200bple.com",
    "me",
]


@pytest.mark.parametrize("post", [via_json, via_form])
def test_real_addresses_of_every_script_are_kept_as_written(client, post):
    form = make_form(PERSON)
    for address in GOOD_ADDRESSES:
        assert post(client, form, {"email": address}).status in (201, 303), address
    kept = Submission.objects.order_by("received_at").values_list("answers__email", flat=True)
    assert list(kept) == GOOD_ADDRESSES


@pytest.mark.parametrize("post", [via_json, via_form])
def test_invalid_address_is_refused_without_an_error_page(client, post):
    form = make_form(PERSON)
    for address in BAD_ADDRESSES:
        answer = post(client, form, {"email": address})
        assert answer.status in (201, 303, 422), address
