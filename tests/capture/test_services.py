from datetime import timedelta

import pytest
from django.utils import timezone

from leadgen.capture import services
from leadgen.capture.models import Submission
from leadgen.events.models import Event
from tests.factories import make_submission, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor():
    return make_user()


def test_released_submission_is_passed_to_intake(actor, nudges, django_capture_on_commit_callbacks):
    held = make_submission(state="quarantined", reasons=["flood"])
    with django_capture_on_commit_callbacks(execute=True):
        services.release(held, actor=actor)
    assert Submission.objects.waiting().get().reasons == ["flood"]
    event = Event.objects.get()
    assert (event.kind, event.actor, event.data) == (
        "submission.released",
        actor,
        {"reasons": ["flood"]},
    )
    assert nudges


def test_releasing_twice_changes_nothing(actor):
    held = make_submission(state="quarantined")
    services.release(held, actor=actor)
    services.release(held, actor=actor)
    assert Event.objects.count() == 1


def test_processed_submission_is_not_released_again(actor):
    held = make_submission(state="quarantined")
    Submission.objects.update(state="processed")
    services.release(held, actor=actor)
    assert held.state == "processed"
    assert not Event.objects.exists()


def test_an_accepted_submission_can_be_held(actor):
    submission = make_submission()
    services.hold(submission, actor=actor)
    assert Submission.objects.quarantined().get().reasons == ["held_by_hand"]
    assert Event.objects.get().kind == "submission.held"


def test_a_parked_submission_that_is_held_is_no_longer_parked(actor):
    services.hold(make_submission(parked_at=timezone.now(), attempts=5), actor=actor)
    assert not Submission.objects.parked().exists()
    assert Submission.objects.quarantined().get().attempts == 0


@pytest.mark.parametrize("state", ["processed", "quarantined", "erased"])
def test_only_waiting_submissions_can_be_held(actor, state):
    services.hold(make_submission(state=state), actor=actor)
    assert Submission.objects.get().state == state
    assert not Event.objects.exists()


def test_a_parked_submission_gets_its_attempts_again(
    actor, nudges, django_capture_on_commit_callbacks
):
    now = timezone.now()
    parked = make_submission(parked_at=now, attempts=5, next_at=now + timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        services.retry(parked, actor=actor)
    row = Submission.objects.waiting().get()
    assert (row.attempts, row.next_at) == (0, None)
    assert Event.objects.get().kind == "submission.retried"
    assert nudges


def test_retry_of_an_unparked_submission_changes_nothing(actor):
    services.retry(make_submission(attempts=2), actor=actor)
    assert Submission.objects.get().attempts == 2
    assert not Event.objects.exists()


def test_release_of_many_rows_sends_one_nudge(actor, nudges, django_capture_on_commit_callbacks):
    rows = [make_submission(state=state) for state in ("quarantined", "quarantined", "processed")]
    with django_capture_on_commit_callbacks(execute=True):
        released = services.release_many([row.pk for row in rows], actor=actor)
    assert released == Submission.objects.filter(state="accepted").count() == 2
    assert Event.objects.filter(kind="submission.released", actor=actor).count() == 2
    assert len(nudges) == 1


def test_many_parked_submissions_are_tried_again(actor, django_capture_on_commit_callbacks):
    now = timezone.now()
    rows = [make_submission(parked_at=now, attempts=5, next_at=now), make_submission(attempts=2)]
    with django_capture_on_commit_callbacks() as callbacks:
        assert services.retry_many([row.pk for row in rows], actor=actor) == 1
        assert services.retry_many([rows[1].pk], actor=actor) == 0
    assert len(callbacks) == 1
    assert set(Submission.objects.values_list("attempts", flat=True)) == {0, 2}
