"""A submission on its way to a lead, with what intake has found out so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from leadgen.capture.attribution import source_and_medium
from leadgen.capture.models import Submission
from leadgen.forms.models import Form, FormVersion
from leadgen.leads.intake import matching
from leadgen.leads.intake.matching import PersonDetails
from leadgen.leads.models import Campaign, Contact, Lead


@dataclass(slots=True)
class IntakeItem:
    """What identify and attach find out is set by them.

    ``differing`` holds values for which the contact has others, ``other`` is a second contact
    that one of the identities belongs to: neither is merged, both are told on the timeline.
    """

    submission: Submission
    receipt: str
    form: Form
    facts: PersonDetails
    source: str
    medium: str
    campaign: Campaign | None = None
    contact: Contact = field(init=False)
    differing: dict[str, str] = field(default_factory=dict)
    other: Contact | None = None
    lead: Lead = field(init=False)
    opens: bool = False

    @property
    def utm_campaign(self) -> str:
        return str(_mapping(self.submission.context.get("utm")).get("campaign") or "").strip()


def read(submissions: Sequence[Submission]) -> list[IntakeItem]:
    """Read each submission by the questions of the version that it answers; one query."""
    wanted = {submission.version_id for submission in submissions}
    versions = FormVersion.objects.select_related("form").in_bulk(wanted)
    definition = cache(lambda pk: versions[pk].read())
    return [
        IntakeItem(
            submission,
            str(submission.pk),
            versions[submission.version_id].form,
            matching.read(definition(submission.version_id), _mapping(submission.answers)),
            *source_and_medium(submission.context),
        )
        for submission in submissions
    ]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
