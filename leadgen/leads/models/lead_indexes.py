"""Indexes of leads: one for each list and number of the workspace."""

from django.db import models

from leadgen.leads import conditions
from leadgen.leads.querysets import LATEST_ENQUIRY_FIRST

LEAD_INDEXES = [
    # Covering: the numbers of a period on the home page read the index only.
    models.Index(
        fields=["-created_at", "-id"],
        include=[
            *("owner", "team", "stage", "source", "campaign", "form"),
            *("first_response_at", "closed_at", "contact"),
        ],
        name="lead_newest_list",
    ),
    # Partial indexes stay small: open leads are few among all.
    models.Index(
        fields=["-created_at", "-id"],
        include=[
            *("owner", "team", "stage", "source", "campaign", "first_response_at", "contact"),
        ],
        name="lead_open_list",
        condition=conditions.OPEN,
    ),
    # Covering, with the columns of its expression: without them PostgreSQL reads each row.
    models.Index(
        *LATEST_ENQUIRY_FIRST,
        include=[
            *("created_at", "new_message_at", "contact"),
            *("owner", "team", "stage", "source", "campaign"),
        ],
        name="lead_waiting_covering",
        condition=conditions.UNANSWERED,
    ),
    # Covering: capped counts of open leads by stage and owner read the index only.
    models.Index(
        fields=["stage", "-created_at", "-id"],
        include=["owner", "team"],
        name="lead_open_by_stage",
        condition=conditions.OPEN,
    ),
    models.Index(
        fields=["owner", "-created_at", "-id"],
        include=["team", "first_response_at", "new_message_at"],
        name="lead_open_by_owner_covering",
        condition=conditions.OPEN,
    ),
    models.Index(
        fields=["-closed_at"],
        include=["stage", "owner", "team"],
        name="lead_closed",
        condition=conditions.CLOSED,
    ),
    # Covering: what a reader of some leads sees of contacts and tasks is read from these only.
    models.Index(
        fields=["owner", "-created_at", "-id"],
        include=["contact", "team", "stage", "closed_at"],
        name="lead_by_owner_covering",
    ),
    models.Index(
        fields=["team", "-created_at", "-id"],
        include=["contact", "owner"],
        name="lead_by_team_covering",
    ),
    models.Index(fields=["stage", "-created_at", "-id"], name="lead_by_stage"),
    models.Index(fields=["status", "-created_at", "-id"], name="lead_by_status"),
    models.Index(fields=["source", "-created_at", "-id"], name="lead_by_source"),
    # Covering: the numbers of a campaign read the index only.
    models.Index(
        fields=["campaign", "-created_at", "-id"],
        include=["stage", "closed_at", "owner", "team"],
        name="lead_by_campaign_covering",
    ),
]
