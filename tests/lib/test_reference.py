from datetime import UTC, datetime
from uuid import UUID

import pytest
import time_machine

from leadgen.capture.models import Repeat, Submission
from leadgen.lib.ids import uuid7
from leadgen.lib.reference import matching, range_of, reference_of
from tests.factories import make_form, make_submission


def test_reference_has_eight_characters_that_are_not_misread():
    references = {reference_of(uuid7()) for _ in range(200)}
    assert {len(each) for each in references} == {8}
    assert not set("".join(references)) & set("ILOUilou-")


@pytest.mark.parametrize("year", [2024, 2026, 2057])
def test_reference_leads_back_to_its_receipt(year):
    with time_machine.travel(datetime(year, 3, 1, 12, 0, 0, 999_000, tzinfo=UTC), tick=False):
        receipt = uuid7()
    low, high = range_of(reference_of(receipt)) or (receipt, receipt)
    assert low <= receipt < high
    assert matching(reference_of(receipt), [receipt, UUID(int=receipt.int + 1)]) == [receipt]


@pytest.mark.parametrize("text", ["", "ABC", "ABCDEFGHJ", "ABCDEFG!", "ä" * 8, "UUUUUUUU"])
def test_other_texts_are_no_reference(text):
    assert range_of(text) is None
    assert matching(text, [uuid7()]) == []


@pytest.mark.django_db
def test_submission_is_found_by_its_reference_in_any_writing():
    form = make_form()
    rows = [make_submission(form) for _ in range(3)]
    row = rows[1]
    reference = reference_of(row.pk)
    read_out = f" {reference[:4].lower()}-{reference[4:]} ".replace("1", "l").replace("0", "o")
    for text in (str(row.pk), reference, read_out):
        assert row in Submission.objects.by_reference(text)
    assert not Submission.objects.by_reference("nonsense").exists()


@pytest.mark.django_db
def test_second_receipt_finds_the_submission():
    row = make_submission()
    repeat = Repeat.objects.create(receipt=uuid7(), submission=row, received_at=row.received_at)
    for text in (str(repeat.receipt), reference_of(repeat.receipt)):
        assert list(Submission.objects.by_reference(text)) == [row]
