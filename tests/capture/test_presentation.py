import pytest

from leadgen.capture.presentation import ShownAnswer, consents_of, origin_of

EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", "2026-01-01", 7]


@pytest.mark.parametrize("at", EDGES)
def test_impossible_time_of_a_visitor_is_left_out(at):
    touch = {"at": at, "referrer": "https://www.example.com/"}
    assert origin_of(touch) == [ShownAnswer("Referrer", "https://www.example.com/")]


def test_time_is_shown_in_the_readers_time_zone():
    assert origin_of({"at": "2026-11-23T13:05:00+01:00"}) == [
        ShownAnswer("At", "23 Nov 2026, 12:05")
    ]


def test_consent_is_shown_with_its_wording():
    given = {"field": "news", "given": True, "wording": "Write to me.", "at": "never"}
    (agreed,) = consents_of([given])
    assert (agreed.given, agreed.wording, agreed.at) == (True, "Write to me.", None)
