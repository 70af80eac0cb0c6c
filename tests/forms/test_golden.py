"""Definitions of every format ever written are read with the same verdicts."""

import json
from pathlib import Path

import pytest

from leadgen.forms.format.definition import FORMAT
from leadgen.forms.format.json_schema import json_schema
from leadgen.forms.format.messages import texts_of
from leadgen.forms.format.reader import read
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.page import form_page
from tests.forms.samples import Reader

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(FOLDER.glob("format-*/*.json"))
ENTRIES = {
    "additive-keys",
    "all-required",
    "contact",
    "every-kind",
    "first-release-keys",
}
golden = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def load(path):
    entry = json.loads(path.read_text(encoding="utf-8"))
    return entry, read(entry["definition"])


def test_the_corpus_is_not_shortened():
    assert {path.stem for path in (FOLDER / "format-1").iterdir()} >= ENTRIES
    assert {path.parent.name for path in FILES} == {f"format-{n + 1}" for n in range(FORMAT)}


@golden
def test_golden_definitions_are_understood(path):
    entry, reading = load(path)
    assert reading.is_understood
    assert json_schema(reading.definition) == entry["schema"]
    page = Reader(form_page(reading.definition))
    assert page.names() >= {field.name for field in reading.definition.fields}


@golden
def test_golden_answers_are_accepted_and_kept_as_before(path):
    entry, reading = load(path)
    for case in entry["accepted"]:
        assert validate(reading.definition, case["sent"]) == (case["kept"], {})


@golden
def test_golden_answers_are_refused_with_the_same_messages(path):
    entry, reading = load(path)
    for case in entry["refused"]:
        assert texts_of(validate(reading.definition, case["sent"])[1]) == case["errors"]


@golden
def test_golden_posts_are_read_as_before(path):
    entry, reading = load(path)
    for case in entry["posted"]:
        assert parse(reading.definition, case["texts"]) == case["answers"]
