import pytest

from leadgen.capture.reasons import ReviewReason
from leadgen.capture.screening import CHECKS, Attempt, screen
from leadgen.forms.format.definition import Definition, FieldDefinition, Option
from tests.factories import DEFINITION

LINK = "see https://a.example/x "


def attempt(answers=None, **facts):
    return Attempt(DEFINITION, {"name": "Ada", **(answers or {})}, **facts)


@pytest.mark.parametrize(
    ("looked_at", "reasons"),
    [
        (attempt(), []),
        (attempt(honeypot="x"), [ReviewReason.HONEYPOT]),
        (attempt(seconds=1.9), [ReviewReason.TOO_FAST]),
        (attempt(seconds=2.0), []),
        (attempt({"message": LINK * 3}), []),
        (attempt({"message": LINK * 4}), [ReviewReason.TOO_MANY_LINKS]),
        (
            attempt({"message": LINK * 2, "name": "www.b.example,HTTP://c"}),
            [ReviewReason.TOO_MANY_LINKS],
        ),
        (attempt({"message": "https://www.a.example " * 3}), []),
        (attempt({"message": "a.b " * 50}), []),
        (attempt(posts_this_minute=20), []),
        (attempt(posts_this_minute=21), [ReviewReason.FLOOD]),
        (attempt({"email": "a@mailinator.com"}), [ReviewReason.DISPOSABLE_ADDRESS]),
        (attempt({"email": "a@MAILINATOR.com"}), [ReviewReason.DISPOSABLE_ADDRESS]),
        (attempt({"email": "a@x.y.mailinator.com"}), [ReviewReason.DISPOSABLE_ADDRESS]),
        (attempt({"email": "a@mailinator.example.com"}), []),
        (attempt({"email": "a@com"}), []),
        (attempt({"message": "a@mailinator.com"}), []),
    ],
)
def test_each_check_returns_only_its_reason(looked_at, reasons):
    assert screen(looked_at) == reasons


def test_reasons_are_in_the_order_of_the_checks():
    worst = attempt({"message": LINK * 9}, honeypot="x", seconds=0.1, posts_this_minute=99)
    assert screen(worst) == [
        ReviewReason.HONEYPOT,
        ReviewReason.TOO_FAST,
        ReviewReason.TOO_MANY_LINKS,
        ReviewReason.FLOOD,
    ]


def test_every_screening_reason_has_a_check_of_its_name():
    names = [check.__name__ for check in CHECKS]
    given_elsewhere = (
        ReviewReason.KEY_REUSED,
        ReviewReason.NEWER_FORM,
        ReviewReason.UNFIT_ANSWERS,
        ReviewReason.HELD_BY_HAND,
        ReviewReason.UNPUBLISHED,
        ReviewReason.EXPIRED_PAGE,
        ReviewReason.VERSION_UNKNOWN,
    )
    assert names == [reason.value for reason in ReviewReason if reason not in given_elsewhere]


FOUR = "https://a/?x=https://b/&y=https://c/&z=https://d/"


@pytest.mark.parametrize(
    ("field", "reasons"),
    [
        (FieldDefinition("u", "hidden", "U"), []),
        (FieldDefinition("u", "choice", "U", options=(Option(FOUR, "All"),)), []),
        (FieldDefinition("u", "text", "U", default=FOUR), []),
        (FieldDefinition("u", "text", "U"), [ReviewReason.TOO_MANY_LINKS]),
        (FieldDefinition("other", "text", "O"), [ReviewReason.TOO_MANY_LINKS]),
    ],
)
def test_only_links_that_the_visitor_wrote_count(field, reasons):
    definition = Definition("T", (field,))
    assert screen(Attempt(definition, {"u": FOUR})) == reasons
