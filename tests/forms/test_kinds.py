import phonenumbers
import pytest

from leadgen.forms.format.fields import CHOICES, KINDS
from leadgen.forms.format.fields.texts import read_phone
from leadgen.forms.format.messages import texts_of
from leadgen.forms.format.validation import cut_hidden, parse, validate
from leadgen.forms.models import Field as FieldRow
from leadgen.forms.page import form_page
from tests.forms.samples import ACCEPTED, REFUSED, Reader, ask, form_of, refusal

ADDRESSES = [
    "ada@example.com",
    "ada+tag@example.co.uk",
    "o'hara!#$%&*@example.org",
    '"quoted @ local"@example.com',
    "伊昭傑@郵件.商務",
    "राम@मोहन.ईन्फो",
    "юзер@екзампл.ком",
    "θσερ@εχαμπλε.ψομ",
    "葉士豪@臺網中心.tw",
    "jeff@臺網中心.tw",
    "ñoñó@example.tld",
    "a" * 64 + "@example.com",
    " ada@example.com ",
]


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in ACCEPTED.items() for v in vs])
def test_an_answer_is_kept_exactly_as_sent(kind, value):
    cleaned, errors = validate(form_of(ask(kind)), {"answer": value})

    assert errors == {}
    assert cleaned == {"answer": value}


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in REFUSED.items() for v in vs])
def test_an_answer_of_the_wrong_shape_is_named(kind, value):
    assert refusal(kind, value)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_that_mail_can_reach_is_accepted(address):
    assert refusal("email", address) == ""


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("o’brien@example.ie", "Replace “’” with ' from the keyboard."),
        ("a—b@example.com", "Replace “—” with - from the keyboard."),
        ("ada＠example.com", "Replace “＠” with @ from the keyboard."),
        ("ada@example。com", "Replace “。” with . from the keyboard."),
        ("“ada”@example.com", "Remove ““” from the email address."),
        ("ada\u200b@example.com", "invisible character"),
        ("\u202aada@example.com", "invisible character"),
        ("ada@example.com\ufeff", "invisible character"),
    ],
)
def test_sign_that_no_keyboard_types_is_refused_by_name(address, message):
    assert message in refusal("email", address)


MARKS = ["\u200b", "\u200e", "\u202a", "\u202c", "\u2066", "\u2069", "\ufeff", "\u00ad", "\u061c"]


@pytest.mark.parametrize("mark", MARKS)
def test_invisible_characters_do_not_change_a_phone_number(mark):
    for written in (
        f"{mark}+44 20 7946 0958",
        f"+44 20{mark} 7946 0958{mark}",
        f"tel:{mark}+442079460958",
    ):
        assert refusal("phone", written) == ""
        assert read_phone(written) == read_phone("+442079460958")


@pytest.mark.parametrize("shape", ["E164", "INTERNATIONAL", "RFC3966"])
def test_a_number_of_every_region_is_accepted(shape):
    written_as = getattr(phonenumbers.PhoneNumberFormat, shape)
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number(region)
        assert number, region
        written = phonenumbers.format_number(number, written_as)

        assert refusal("phone", written) == "", region
        assert read_phone(written) == number, region


def test_national_number_is_valid_in_the_default_region():
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number(region)
        assert number, region
        written = phonenumbers.format_number(number, national)

        assert refusal("phone", written, default=region) == "", region
        assert read_phone(written, region) == number, region


def test_international_number_is_valid_in_any_default_region():
    assert refusal("phone", "+49 30 901820", default="GB") == ""
    assert "from abroad" in refusal("phone", "12", default="GB")


def test_a_number_may_start_with_two_zeros():
    assert read_phone("0049 30 901820") == read_phone("+49 30 901820")


@pytest.mark.parametrize("kind", KINDS)
def test_empty_answer_is_an_error_in_required_fields_only(kind):
    required, optional = form_of(ask(kind, required=True)), form_of(ask(kind))

    for empty in KINDS[kind].empties:
        assert list(validate(required, {"answer": empty})[1]) == ["answer"]
        assert validate(optional, {"answer": empty}) == ({}, {})
    assert list(validate(required, {})[1]) == ["answer"]


@pytest.mark.parametrize("kind", ["text", "long_text", "email", "phone", "date"])
def test_white_space_alone_does_not_satisfy_a_required_field(kind):
    for blank in (" ", "\t\n", "\u2003", "\ufeff"):
        assert refusal(kind, blank, required=True)


def test_missing_required_consent_is_refused():
    assert refusal("consent", False, required=True) == "Please tick this box to go on."
    assert refusal("consent", True, required=True) == ""


@pytest.mark.parametrize(
    ("kind", "bounds", "inside", "outside"),
    [
        ("number", {"minimum": "1", "maximum": "2.5"}, [1, 2.5], [0.99, 3]),
        ("date", {"minimum": "2026-01-31"}, ["2026-01-31", "2030-01-01"], ["2026-01-30"]),
        ("date", {"maximum": "2026-01-31"}, ["2025-12-31"], ["2026-02-01"]),
        ("text", {"max_length": 3}, ["abc", "😀😀😀"], ["abcd"]),
    ],
)
def test_bounds_belong_to_what_is_accepted(kind, bounds, inside, outside):
    assert [refusal(kind, value, **bounds) for value in inside] == [""] * len(inside)
    assert all(refusal(kind, value, **bounds) for value in outside)


def test_answer_length_is_bounded_for_every_form():
    assert refusal("long_text", "x" * 20_001, max_length=10**9) == (
        "Use at most 20,000 characters; this has 20,001."
    )


def test_an_unknown_name_is_an_error_under_that_name():
    _, errors = validate(form_of(ask("text")), {"answer": "x", "budget": 1})

    assert texts_of(errors) == {"budget": ["This form has no such field."]}


@pytest.mark.parametrize(
    ("kind", "posted", "answer"),
    [
        ("number", ["12.50"], 12.5),
        ("number", ["+7"], 7),
        ("number", ["1,250"], 1250),
        ("number", ["12,5"], "12,5"),
        ("long_text", ["a\r\nb\nc\r"], "a\nb\nc\r"),
        ("number", ["nan"], "nan"),
        ("number", ["9" * 5000], "9" * 5000),
        ("yes_no", ["no"], False),
        ("yes_no", ["maybe"], "maybe"),
        ("consent", ["yes"], True),
        ("multiple_choice", ["small", "large"], ["small", "large"]),
        ("hidden", ["default", "from the address"], "from the address"),
        ("text", ["  "], "  "),
    ],
)
def test_posted_values_become_json(kind, posted, answer):
    assert parse(form_of(ask(kind)), {"answer": posted, "other": ["x"]}) == {"answer": answer}


@pytest.mark.parametrize("kind", KINDS)
def test_empty_text_counts_as_missing(kind):
    assert parse(form_of(ask(kind)), {"answer": [""]}) == {}
    assert parse(form_of(ask(kind)), {}) == {}


def test_the_database_offers_every_kind():
    assert list(FieldRow._meta.get_field("kind").choices or ()) == CHOICES


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 600, "x" * 500),
        (7, "7"),
        (True, "true"),
        (["a", "b"], '["a", "b"]'),
        ({"a": "é"}, '{"a": "é"}'),
        ("a\x00b\ud800", "ab"),
    ],
)
def test_hidden_value_is_cut_to_text_and_never_refused(value, text):
    form = form_of(ask("hidden"))
    answers, errors = validate(form, cut_hidden(form, {"answer": value}))
    assert (answers, errors) == ({"answer": text}, {})


@pytest.mark.parametrize("kind", ["consent", "yes_no"])
@pytest.mark.parametrize(
    ("posted", "answer"),
    [
        (["on"], True),
        (["TRUE"], True),
        (["1"], True),
        (["off"], False),
        (["0"], False),
        (["no", "yes"], True),
    ],
)
def test_box_of_another_page_is_read_as_html_sends_it(kind, posted, answer):
    definition = form_of(ask(kind))
    assert parse(definition, {"answer": posted}) == {"answer": answer}
    shown = Reader(form_page(definition, values={"answer": posted})).controls
    ticked = [each["value"] for each in shown if "checked" in each]
    assert ticked == ([("no", "yes")[answer]] if answer or kind == "yes_no" else [])


def test_different_answers_to_a_single_choice_are_refused():
    definition = form_of(ask("choice"))
    _, errors = validate(definition, parse(definition, {"answer": ["small", "", "large"]}))
    assert texts_of(errors) == {"answer": ["Choose one of the options."]}
    assert parse(definition, {"answer": ["small", "small"]}) == {"answer": "small"}


def test_an_answer_and_its_empty_double_are_one_answer():
    assert parse(form_of(ask("text")), {"answer": ["Ada", "Ada", ""]}) == {"answer": "Ada"}
