import json
import string
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from leadgen.forms.format.definition import Definition, FieldDefinition, Option
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.json_schema import json_schema
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.page import HIDDEN_SLOT, form_page
from leadgen.forms.publish_checks import problems
from tests.forms.samples import ACCEPTED, REFUSED, Reader, ask, form_of, refusal_of

FORMATS = FormatChecker(formats=())
REGIONS = ["", "GB", "US", "IT"]
CHECKED = {"idn-email": ask("email"), "date": ask("date")} | {
    f"phone-{region}" if region else "phone": ask("phone", default=region) for region in REGIONS
}
for _format, _field in CHECKED.items():
    FORMATS.checks(_format)(
        lambda value, field=_field: not isinstance(value, str) or not refusal_of(field, value)
    )

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
VALUES = WORDS.filter(str.strip)
OPTIONS = st.lists(st.builds(Option, VALUES, WORDS), min_size=1, max_size=9, unique_by=hash)
# Near each other, so that bounds are met from both sides; and what is hard about texts, often.
DATES = st.one_of(st.dates(date(2025, 12, 1), date(2026, 2, 28)), st.dates()).map(str)
ODD = st.sampled_from(["", " ", "\u2003\t", "\ufeff", "a\x00b", "\x1c", "a\r\nb\r"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | ODD
EMAILS = st.sampled_from(["ada@example.com", "θσερ@εχαμπλε.ψομ", "ada@", " ada@example.com"])
PHONES = st.sampled_from(
    ["+44 20 7946 0958", "0049 30 901820", "12", "+1 650-253-0000", "020 7946 0958", "6502530000"]
)
# The page takes 40 decimals, so a float nearer to zero than 1e-20 cannot be posted exactly.
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers() | FLOATS.filter(lambda number: not 0 < abs(number) < 1e-20)
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)


@st.composite
def questions(draw, name):
    kind = draw(st.sampled_from(sorted(KINDS)))
    low, high = sorted(draw(st.lists(st.integers(-50, 50), min_size=2, max_size=2)))
    first, last = sorted(draw(st.lists(DATES, min_size=2, max_size=2)))
    bounds = {"number": (str(low), str(high)), "date": (first, last)}.get(kind, ("", ""))
    return FieldDefinition(
        name,
        kind,
        label=draw(WORDS),
        help=draw(st.just("") | WORDS),
        required=kind != "hidden" and draw(st.booleans()),
        options=_distinct(draw(OPTIONS)) if "choice" in kind else (),
        minimum=draw(st.sampled_from(["", bounds[0]])),
        maximum=draw(st.sampled_from(["", bounds[1]])),
        max_length=draw(st.none() | st.integers(1, 40)),
        wording=draw(VALUES) if kind == "consent" else "",
        default=draw(st.sampled_from(REGIONS)) if kind == "phone" else "",
    )


def _distinct(options):
    return tuple({option.value: option for option in options}.values())


@st.composite
def definitions(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    return Definition(draw(WORDS), tuple(draw(questions(name)) for name in names))


@st.composite
def answers_to(draw, definition):
    """Answers that are often right, sometimes nearly, sometimes nonsense, sometimes missing."""
    sent = {field.name: draw(_answer(field)) for field in definition.fields}
    missing = draw(st.sets(st.sampled_from(sorted(sent))))
    stray = draw(st.just({}) | st.dictionaries(NAMES, TEXTS, max_size=1))
    return {name: value for name, value in (stray | sent).items() if name not in missing}


def _answer(field):
    picked = [option.value for option in field.options] or ["x"]
    right = {
        "email": EMAILS,
        "phone": PHONES,
        "number": NUMBERS | st.integers(-50, 50),
        "choice": st.sampled_from(picked),
        "multiple_choice": st.lists(st.sampled_from(picked), max_size=3),
        "yes_no": st.booleans(),
        "date": DATES,
        "country": st.sampled_from(["DE", "NZ", "zz"]),
        "consent": st.booleans(),
    }.get(field.kind, TEXTS)
    nonsense = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(TEXTS, max_size=2)
    return st.one_of(right, right, right, nonsense)


def _posts(field, answer):
    """How a browser posts an answer that was given on the page."""
    if isinstance(answer, bool):
        return (["yes"] if answer else ["no"]) if field.kind == "yes_no" else ["yes"] * answer
    if field.kind == "number":
        return [f"{answer:.40f}".rstrip("0") + "0" if isinstance(answer, float) else str(answer)]
    return answer if isinstance(answer, list) else [answer]


RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(st.data())
def test_schema_and_validator_accept_the_same_answers(data):
    definition = data.draw(definitions())
    assert_agreement(definition, data.draw(answers_to(definition)))


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_agrees_on_every_hard_answer(kind, required):
    hard = [
        *ACCEPTED.get(kind, []),
        *REFUSED[kind],
        "",
        None,
        [],
        " ",
        "\u2003\t",
        "\ufeff",
        "\x1c",
    ]
    answers = [{"answer": answer} for answer in hard if _is_json(answer)]
    assert_agreement(form_of(ask(kind, required=required)), *answers)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("number", ["020 7946 0958", "650 253 0000", "+49 30 901820", "06 1", "x"])
def test_the_schema_agrees_on_numbers_without_a_country_code(region, number):
    assert_agreement(form_of(ask("phone", default=region)), {"answer": number})


@pytest.mark.parametrize("bound", ["2025-12-31", "2026-01-01", "2026-09-30", "2020-02-29"])
@pytest.mark.parametrize("side", ["minimum", "maximum"])
def test_the_schema_agrees_on_each_day_around_a_bound(bound, side):
    days = [date.fromisoformat(bound) + timedelta(distance) for distance in range(-400, 401)]
    assert_agreement(form_of(ask("date", **{side: bound})), *({"answer": str(d)} for d in days))


def assert_agreement(definition, *many_answers):
    schema = json_schema(definition)
    Draft202012Validator.check_schema(schema)
    by_schema = Draft202012Validator(schema, format_checker=FORMATS)
    for answers in many_answers:
        assert (validate(definition, answers)[1] == {}) == by_schema.is_valid(answers), answers


def _is_json(answer):
    try:
        json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


@RELAXED
@given(st.data())
def test_page_values_survive_a_post_and_a_second_rendering(data):
    definition = data.draw(definitions())
    valid, _ = validate(definition, data.draw(answers_to(definition)))
    asked = {field.name: field for field in definition.fields}
    posted = {name: _posts(asked[name], answer) for name, answer in valid.items()}
    page = form_page(definition, values=posted)
    reader = Reader(page)

    assert problems(definition) == [] or all(field.kind == "hidden" for field in definition.fields)
    assert page.count(HIDDEN_SLOT) == 1
    assert reader.names() == {*asked, "_url"}
    assert _offered(reader, asked) == _as_sets(posted)
    given_back, errors = validate(definition, parse(definition, posted))
    valid = {name: _with_plain_breaks(answer) for name, answer in valid.items()}
    assert errors.keys() <= {f.name for f in definition.fields if f.required} - valid.keys()
    assert given_back == {
        name: v for name, v in valid.items() if asked[name].kind != "consent" or v
    }


def _with_plain_breaks(answer):
    return answer.replace("\r\n", "\n") if isinstance(answer, str) else answer


def _offered(reader, asked):
    """What a browser would post if the page were sent as it is, but for empty texts."""
    posted: dict[str, list[str]] = {name: [] for name in asked}
    for control in reader.controls:
        if control["name"] in asked:
            posted[control["name"]] += _held(control)
    return _as_sets(posted)


def _as_sets(posted):
    # A page posts several choices in its own order.
    return {name: sorted(texts) for name, texts in posted.items() if any(texts)}


def _held(control):
    if control["tag"] == "textarea":
        return [control["text"].removeprefix("\n")]
    if control["tag"] == "select":
        return [option["value"] for option in control["options"] if "selected" in option]
    if control["type"] in ("radio", "checkbox"):
        return [control["value"]] if "checked" in control else []
    return [control["value"]]
