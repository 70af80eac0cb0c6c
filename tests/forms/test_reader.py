import json

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from leadgen.forms.format.definition import Definition
from leadgen.forms.format.json_schema import json_schema
from leadgen.forms.format.reader import read, read_text
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.page import form_page
from leadgen.forms.publish_checks import problems
from leadgen.forms.services import publish
from tests.factories import DEFINITION, make_form

EMAIL = {"name": "email", "kind": "email", "label": "Email", "required": True}


def form(*fields, **keys):
    return {"title": "Talk", "fields": [EMAIL, *fields], **keys}


def ask(kind="text", **keys):
    return {"name": "more", "kind": kind, "label": "More", **keys}


UNDERSTOOD = [
    form(),
    form(format=1, needs=[]),
    form(theme={"colour": "teal"}, locales=["en"]),
    form(ask(width="half", fills="linkedin")),
    form(ask("choice", options=[{"value": "a", "label": "A", "number": 1}])),
    form(ask("number", minimum="1.5", maximum="3")),
    form(ask("text", minimum="any", help=None, max_length=None)),
]
NOT_UNDERSTOOD = {
    "format 2": form(format=2),
    "format 0": form(format=0),
    "format True": form(format=True),
    "format 1.0": form(format="1.0"),
    "needs logic": form(needs=["logic"]),
    "needs {'a': 1}": form(needs=[{"a": 1}]),
    "needs": form(needs="logic"),
    "field more: kind hologram": form(ask("hologram")),
    "field more: kind": form(ask(kind=7)),
    "field more: required": form(ask(required={"field": "email", "is": "filled"})),
    "field more: minimum": form(ask("number", minimum=1)),
    "field more: bound today": form(ask("date", minimum="today")),
    "field more: bound two": form(ask("number", maximum="two")),
    "field more: max_length": form(ask(max_length=True)),
    "field more: no options": form(ask("choice")),
    "field more: no wording": form(ask("consent")),
    "field more: options": form(ask("choice", options={"from": "list"})),
    "field more: option: not an object": form(ask("choice", options=["a"])),
    "field more: option: no value": form(ask("choice", options=[{"label": "A"}])),
    "field more: no label": form({"name": "more", "kind": "text"}),
    "field 2: no name": form({"kind": "text", "label": "More"}),
    "field 2: not an object": form("more"),
    "field email: given 2 times": form(EMAIL),
    "no title": {"fields": [EMAIL]},
    "title": form() | {"title": ["Talk"]},
    "fields": {"title": "Talk", "fields": {"email": EMAIL}},
    "no fields": {"title": "Talk"},
    "redirect_url": form(redirect_url="http://["),
    "not an object": [],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "title",
                    "fields",
                    "name",
                    "kind",
                    "label",
                    "options",
                    "value",
                    "required",
                    "needs",
                ]
            ),
            inner | st.sampled_from(["text", "choice", "number", "hologram"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("data", UNDERSTOOD)
def test_additive_keys_do_not_stop_a_form(data):
    assert read(data).unknown == ()


@pytest.mark.parametrize(("part", "data"), NOT_UNDERSTOOD.items())
def test_keys_that_may_change_the_questions_are_named(part, data):
    assert part in read(data).unknown


def test_ignored_keys_are_named_with_their_place():
    data = form(ask("choice", options=[{"value": "a", "label": "A", "number": 1}], step="x"), a=1)
    assert set(read(data).extra) == {"a", "field more: step", "field more: option: number"}


def test_own_definitions_are_read_completely():
    reading = read(DEFINITION.to_json())
    assert (reading.definition, reading.is_whole) == (DEFINITION, True)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"talk"', "7", "null"])
def test_broken_json_is_a_definition_not_understood(text):
    assert not read_text(text).is_understood


@given(JSON)
def test_reader_and_its_users_accept_any_json(data):
    definition = read(json.loads(json.dumps(data))).definition
    names = {field.name: ["a", "b"] for field in definition.fields}
    assert form_page(definition, values=names)
    assert json_schema(definition)["type"] == "object"
    assert validate(definition, parse(definition, names))
    assert isinstance(problems(definition), list)


def test_an_unknown_kind_keeps_its_answers_as_sent():
    definition = Definition.from_json(form(ask("hologram")))
    answers = {"email": "ada@example.com", "more": {"joy": [1]}}
    assert validate(definition, answers) == (answers, {})


@pytest.mark.django_db
@pytest.mark.parametrize("keys", [{"format": 2}, {"needs": ["logic"]}, {"theme": {}}])
def test_a_form_of_a_newer_release_is_not_published_over(keys):
    made = make_form()
    made.fields.create(name="email", kind="email", label="Email")
    made.versions.update(definition=DEFINITION.to_json() | keys)
    with pytest.raises(ValidationError, match="newer release") as refused:
        publish(made, actor=None)
    assert next(iter(keys)) in refused.value.messages[0]
    assert made.versions.count() == 1


@pytest.mark.django_db
def test_keys_a_former_release_did_not_write_are_no_difference():
    made = make_form()
    made.title = "Talk"
    made.fields.create(name="email", kind="email", label="Email", required=True)
    made.published = made.versions.get()
    made.published.definition = form() | {"thanks_text": made.thanks_text}
    assert not made.differs
