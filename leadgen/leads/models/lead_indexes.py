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
            *("first_response_at", "closed_at"),
        ],
        name="lead_newest_covering",
    ),
    # Partial indexes stay small: open leads are few among all.
    models.Index(
        fields=["-created_at", "-id"],
        include=[
            *("owner", "team", "stage", "source", "campaign", "first_response_at"),
        ],
        name="lead_open_covering",
        condition=conditions.OPEN,
    ),
    models.Index(
        *LATEST_ENQUIRY_FIRST,
        include=["owner", "team", "stage", "source", "campaign"],
        name="lead_waiting",
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
        include=["team", "first_response_at"],
        name="lead_open_by_owner",
        condition=conditions.OPEN,
    ),
    models.Index(
        fields=["-closed_at"],
        include=["stage", "owner", "team"],
        name="lead_closed",
        condition=conditions.CLOSED,
    ),
    models.Index(fields=["owner", "-created_at", "-id"], name="lead_by_owner"),
    models.Index(fields=["team", "-created_at", "-id"], name="lead_by_team"),
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
