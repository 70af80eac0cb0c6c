import pytest

from leadgen.leads.intake.batches import drain
from tests.factories import make_submission


@pytest.fixture
def send(published_form):
    """Send the form's answers through the ledger and intake."""

    def send(work=True, **answers):
        fields = {name: answers.pop(name) for name in ("context", "received_at") if name in answers}
        submission = make_submission(published_form, answers=answers, **fields)
        if work:
            drain()
            submission.refresh_from_db()
        return submission

    return send
