"""One lead that came about in the usual way, for planting to multiply; runs inside Django."""

from leadgen.forms.models import Form
from leadgen.leads.intake.batches import drain
from tests.benchmarks.site import BODY
from tests.factories import make_submission


def main() -> None:
    """Take one submission all the way to its lead."""
    fields, context = BODY["fields"], {**BODY["context"], "channel": "api"}
    answers = {**fields, "email": "seed@example.com", "phone": "+442079460958"}
    form = Form.objects.select_related("published").get()
    make_submission(form, raw=BODY, answers=answers, context=context, idempotency_key="seed")
    drain()
