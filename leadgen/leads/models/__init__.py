"""Models of the leads domain."""

from leadgen.leads.models.campaign import Campaign
from leadgen.leads.models.lead import (
    Activity,
    Lead,
    LeadSubmission,
    Note,
    Pipeline,
    Stage,
    Task,
)
from leadgen.leads.models.people import Company, Contact, Identity

__all__ = [
    "Activity",
    "Campaign",
    "Company",
    "Contact",
    "Identity",
    "Lead",
    "LeadSubmission",
    "Note",
    "Pipeline",
    "Stage",
    "Task",
]
