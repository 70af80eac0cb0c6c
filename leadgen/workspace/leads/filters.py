"""Filters of the lead list."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.visibility import visible
from leadgen.leads import conditions
from leadgen.leads.models import Campaign, Lead, Stage
from leadgen.leads.sources import distinct_sources
from leadgen.leads.visibility import owners_for
from leadgen.workspace.kit.filters import DropdownFilter, ViewTabs

_UNASSIGNED = "none"
_MAX_CHOICES = 200


class LeadViews(ViewTabs):
    views: ClassVar = {
        "open": (_("Open"), lambda rows, user: rows.open()),
        "mine": (_("Mine"), lambda rows, user: rows.open().filter(owner=user.pk)),
        "new": (_("Not contacted"), lambda rows, user: rows.unanswered()),
        "unowned": (_("No owner"), lambda rows, user: rows.unowned()),
        "won": (_("Won"), lambda rows, user: rows.won()),
        "lost": (_("Lost"), lambda rows, user: rows.lost()),
        "all": (_("All"), lambda rows, user: rows),
    }


class StageFilter(DropdownFilter):
    title, parameter_name = _("stage"), "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        stages = visible(Stage, current_user(request)).select_related("pipeline")
        many = len({stage.pipeline_id for stage in stages}) > 1
        return [
            (stage.pk, f"{stage.pipeline}: {stage}" if many else stage.name) for stage in stages
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lead]) -> QuerySet[Lead]:
        return queryset.filter(stage=self.chosen_id) if self.chosen_id else queryset


class OwnerFilter(DropdownFilter):
    title, parameter_name = _("owner"), "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        people = owners_for(current_user(request))
        return [
            (_UNASSIGNED, gettext("Unassigned")),
            *((person.pk, person.name) for person in people),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lead]) -> QuerySet[Lead]:
        if self.chosen == _UNASSIGNED:
            return queryset.filter(conditions.NO_OWNER)
        return queryset.filter(owner=self.chosen_id) if self.chosen_id else queryset


class SourceFilter(DropdownFilter):
    title, parameter_name = _("source"), "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(source, source) for source in distinct_sources(limit=_MAX_CHOICES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lead]) -> QuerySet[Lead]:
        return queryset.filter(source=self.chosen) if self.chosen else queryset


class CampaignFilter(DropdownFilter):
    title, parameter_name = _("campaign"), "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(
            visible(Campaign, current_user(request))
            .order_by("-id")
            .values_list("pk", "name")[:_MAX_CHOICES]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lead]) -> QuerySet[Lead]:
        return queryset.filter(campaign=self.chosen_id) if self.chosen_id else queryset
