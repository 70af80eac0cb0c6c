import ast
from pathlib import Path

import pytest

import leadgen
from leadgen.forms.format.fields import KINDS, InvalidAnswerError
from leadgen.forms.format.messages import TEXTS, Message, text_of
from leadgen.forms.format.validation import validate
from tests.forms.samples import ask, form_of

_RAISING = {"InvalidAnswerError", "of", "text_of", "not_found"}

TOO_LONG = "Use at most 1,000 characters; this has 1,234."
ABROAD = "Enter a whole phone number; from abroad with + and the country code first."
WITH_CODE = "Enter the number with + and the country code first, such as +44 20 7946 0958."
UNSTORABLE = "This contains a character that cannot be stored: please remove it."
NOT_DATE = "Enter a date as year-month-day, such as 2026-03-31."


@pytest.mark.parametrize(
    ("kind", "options", "answer", "code", "text"),
    [
        ("text", {}, 1, "not_text", "This must be a text."),
        ("text", {}, "a\x00", "unstorable", UNSTORABLE),
        ("text", {"max_length": 1000}, "x" * 1234, "too_long", TOO_LONG),
        ("text", {"required": True}, "  ", "missing", "Please fill this in."),
        ("phone", {}, "020 7946 0958", "phone_without_country", WITH_CODE),
        ("phone", {"default": "GB"}, "12", "incomplete_phone", ABROAD),
        ("number", {}, "x", "not_number", "Enter a number in digits, such as 1250 or 12.5."),
        ("number", {"minimum": "3"}, 2, "number_too_small", "Enter 3 or more."),
        ("number", {"maximum": "2.5"}, 3, "number_too_large", "Enter 2.5 or less."),
        ("date", {}, "2026-02-30", "not_date", NOT_DATE),
        (
            "date",
            {"minimum": "2026-02-01"},
            "2026-01-31",
            "date_too_early",
            "Enter 2026-02-01 or later.",
        ),
        (
            "date",
            {"maximum": "2026-02-01"},
            "2026-02-02",
            "date_too_late",
            "Enter 2026-02-01 or earlier.",
        ),
        ("choice", {}, "x", "not_an_option", "Choose one of the options."),
        ("multiple_choice", {}, "x", "not_a_list", "This must be a list of options."),
        ("multiple_choice", {}, ["small", "small"], "repeated_option", "Choose each option once."),
        ("yes_no", {}, 1, "not_yes_or_no", "Choose yes or no."),
        ("consent", {}, 1, "not_true_or_false", "This must be true or false."),
    ],
)
def test_invalid_answer_has_its_code_and_text(kind, options, answer, code, text):
    with pytest.raises(InvalidAnswerError) as raised:
        KINDS[kind].clean(ask(kind, **options), answer)

    assert (raised.value.message.code, str(raised.value)) == (code, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text", "Please fill this in."),
        ("email", "Enter an email address, such as name@example.com."),
        ("phone", "Enter a phone number."),
        ("number", "Enter a number."),
        ("date", "Enter a date."),
        ("choice", "Choose an option."),
        ("multiple_choice", "Choose at least one option."),
        ("country", "Choose a country."),
        ("yes_no", "Choose yes or no."),
        ("consent", "Please tick this box to go on."),
    ],
)
def test_missing_answer_has_the_text_of_its_kind(kind, text):
    _, errors = validate(form_of(ask(kind, required=True)), {})

    assert [message.text for message in errors["answer"]] == [text]


def test_email_message_carries_the_reason_of_the_library():
    _, errors = validate(form_of(ask("email")), {"answer": "ada{0}@"})

    (message,) = errors["answer"]
    assert message.code == "invalid_email"
    assert message.text == message.parameters["reason"] != ""


def test_message_text_uses_the_plural_form_of_its_count():
    assert text_of("fields_to_correct", count=1) == "1 field needs your attention"
    assert text_of("fields_to_correct", count=2) == "2 fields need your attention"


def test_parameter_with_braces_is_shown_unchanged():
    assert Message.of("invalid_email", reason="{limit} {").text == "{limit} {"


def test_every_message_code_in_use_has_a_text_and_reverse():
    assert _codes_in_use() == TEXTS.keys()


def _codes_in_use():
    root = Path(leadgen.__file__).parent
    files = [*root.glob("forms/**/*.py"), *root.glob("edge/forms/*.py")]
    return {code for file in files for code in _codes(ast.parse(file.read_text()))} | {"missing"}


def _codes(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _RAISING:
            yield from (text for text in _texts(node.args[:1]) if " " not in text)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if {_name(target) for target in targets} & {"missing", "_TITLES"}:
                yield from _texts([node.value])


def _texts(nodes):
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _name(node):
    return getattr(node, "id", getattr(node, "attr", ""))
