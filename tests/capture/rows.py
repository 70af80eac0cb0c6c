from django.utils import timezone

from leadgen.capture.ledger.record import SubmissionRecord
from leadgen.lib.ids import uuid7

ADA = {"name": "Ada", "email": "ada@example.com"}


def make_row(form, **fields):
    """A row as the edge hands it over, for a form on the air."""
    defaults = {
        "id": uuid7(),
        "form_id": form.id,
        "version_id": form.published_id,
        "raw": ADA,
        "answers": ADA,
        "context": {},
        "consents": [],
        "idempotency_key": None,
        "fingerprint": "0" * 64,
        "state": "accepted",
        "reasons": [],
        "submitted_at": None,
        "received_at": timezone.now(),
    }
    return SubmissionRecord(**{**defaults, **fields})
