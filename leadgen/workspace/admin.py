"""Registration of the workspace's pages with Django's admin site."""

from leadgen.workspace.accounts import PersonAdmin, TeamAdmin
from leadgen.workspace.audit_log import EventAdmin
from leadgen.workspace.campaigns import CampaignAdmin
from leadgen.workspace.contacts import CompanyAdmin, ContactAdmin
from leadgen.workspace.forms import FormAdmin
from leadgen.workspace.leads.admin import LeadAdmin
from leadgen.workspace.pipelines import PipelineAdmin
from leadgen.workspace.submissions.admin import SubmissionAdmin
from leadgen.workspace.task_list import TaskAdmin

__all__ = [
    "CampaignAdmin",
    "CompanyAdmin",
    "ContactAdmin",
    "EventAdmin",
    "FormAdmin",
    "LeadAdmin",
    "PersonAdmin",
    "PipelineAdmin",
    "SubmissionAdmin",
    "TaskAdmin",
    "TeamAdmin",
]
