"""Default pipeline: the stage of new leads, created when the database has none."""

from django.db import transaction

from leadgen.leads.models import Pipeline, Stage

STAGES = {
    "New": "open",
    "Contacted": "open",
    "Qualified": "open",
    "Proposal": "open",
    "Won": "won",
    "Lost": "lost",
}


def first_stage() -> Stage:
    """Return the first open stage of the default pipeline, else the first stage of any.

    A missing pipeline must not stop intake: a fresh installation gets one here.
    """
    stages = Stage.objects.select_related("pipeline").order_by(
        "-pipeline__is_default", "pipeline_id", "position", "id"
    )
    return stages.filter(type=Stage.Type.OPEN).first() or stages.first() or make_default()


@transaction.atomic
def make_default() -> Stage:
    """Create the stages of the default pipeline, or the pipeline Sales; return its first stage."""
    pipeline = Pipeline.objects.filter(is_default=True).first() or _sales()
    Stage.objects.bulk_create(
        [
            Stage(pipeline=pipeline, name=name, type=kind, position=position)
            for position, (name, kind) in enumerate(STAGES.items())
        ],
        ignore_conflicts=True,
    )
    return Stage.objects.select_related("pipeline").filter(pipeline=pipeline)[0]


def _sales() -> Pipeline:
    return Pipeline.objects.get_or_create(name="Sales", defaults={"is_default": True})[0]
