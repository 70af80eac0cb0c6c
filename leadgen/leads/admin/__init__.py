"""The workspace's pages about leads, one module a noun."""

from leadgen.leads.admin.campaign import CampaignAdmin
from leadgen.leads.admin.contact import CompanyAdmin, ContactAdmin
from leadgen.leads.admin.lead import LeadAdmin
from leadgen.leads.admin.pipeline import PipelineAdmin
from leadgen.leads.admin.submission import SubmissionAdmin
from leadgen.leads.admin.task import TaskAdmin

__all__ = [
    "CampaignAdmin",
    "CompanyAdmin",
    "ContactAdmin",
    "LeadAdmin",
    "PipelineAdmin",
    "SubmissionAdmin",
    "TaskAdmin",
]
