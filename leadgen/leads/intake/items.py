"""Items of intake: a submission with its person, contact, campaign and lead."""

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
from leadgen.lib.invisible import plain_line


@dataclass(slots=True)
class IntakeItem:
    """One submission of a batch; resolve_contacts and write_leads set the fields with defaults.

    ``differing`` holds values that differ from the contact's, ``other`` is a second contact that
    owns one of the identities: neither is merged, the timeline shows both. ``opens`` is true when
    the submission opens a new lead.
    """

    submission: Submission
    receipt: str
    form: Form
    details: PersonDetails
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
        utm = _mapping(self.submission.context.get("utm"))
        return plain_line(str(utm.get("campaign") or ""))


def read_items(submissions: Sequence[Submission]) -> list[IntakeItem]:
    """Read each submission by the form version that it answers; one query for all versions."""
    version_ids = {submission.version_id for submission in submissions}
    versions = FormVersion.objects.select_related("form").in_bulk(version_ids)
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
