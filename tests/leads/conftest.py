import pytest

from leadgen.leads.intake.batches import drain
from tests.factories import make_form, make_pipeline, make_submission


@pytest.fixture
def form(db):
    make_pipeline()
    return make_form()


@pytest.fixture
def send(form):
    """Send the form's answers through the ledger and intake."""

    def send(work=True, **answers):
        fields = {name: answers.pop(name) for name in ("context", "received_at") if name in answers}
        submission = make_submission(form, answers=answers, **fields)
        if work:
            drain()
            submission.refresh_from_db()
        return submission

    return send
