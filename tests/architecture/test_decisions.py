"""Architecture decision records: form and index."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs/adr"
RECORDS = sorted(FOLDER.glob("0*.md"))
INDEX = (FOLDER / "README.md").read_text()
SECTIONS = ["## Context", "## Decision", "## Rejected options", "## Measured"]


def faults(text: str) -> list[str]:
    """Return what a record lacks."""
    lines = text.splitlines()
    missing = [section for section in SECTIONS if section not in lines]
    if not re.match(r"Status: (accepted|replaced by \d{4}), \d{4}-\d\d-\d\d", lines[2]):
        missing.append("status")
    return missing


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem[:4])
def test_record_has_status_date_and_sections(record):
    assert not faults(record.read_text())


@pytest.mark.parametrize("part", [*SECTIONS, "Status: accepted"])
def test_record_without_a_part_is_caught(part):
    assert faults(RECORDS[0].read_text().replace(part, "Other"))


def test_index_lists_each_record_with_its_title():
    rows = dict(re.findall(r"^\| \[\d{4}\]\((.+?)\) \| (.+?) \|", INDEX, re.M))
    assert rows == {path.name: path.read_text().splitlines()[0][2:] for path in RECORDS}


def test_index_explains_each_unused_number():
    used = {int(path.name[:4]) for path in RECORDS}
    unused = set(range(1, max(used))) - used
    explanation = INDEX.rpartition("|")[2]
    spans = [(int(a), int(b or a)) for a, b in re.findall(r"(\d{4})(?: to (\d{4}))?", explanation)]
    assert unused <= {number for start, end in spans for number in range(start, end + 1)}
