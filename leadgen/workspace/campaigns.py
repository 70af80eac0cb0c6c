"""Page of campaigns with the numbers of their leads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.roles import Visibility
from leadgen.accounts.visibility import visible
from leadgen.leads import conditions, record_services
from leadgen.leads.models import Campaign, Lead
from leadgen.workspace.kit.html import DASH, two_lines
from leadgen.workspace.kit.scoped_admin import ScopedAdmin, edited_values, lock_row


def with_returns(campaigns: QuerySet[Campaign], leads: QuerySet[Lead]) -> QuerySet[Campaign]:
    """Add ``leads_count`` and ``won_count`` of the given leads to each campaign.

    Only a page's campaigns are counted, each within its range of the index lead_by_campaign.
    """
    mine = leads.filter(campaign=OuterRef("pk")).order_by().values("campaign")

    def count(**options: Any) -> Subquery:
        return Subquery(
            mine.annotate(n=Count("pk", **options)).values("n"), output_field=IntegerField()
        )

    return campaigns.annotate(leads_count=count(), won_count=count(filter=conditions.WON))


@admin.register(Campaign)
class CampaignAdmin(ScopedAdmin):
    list_display = ("campaign", "period", "leads", "won", "budget_shown", "cost_per_lead")
    list_per_page = 25
    search_fields = ("name", "utm_campaign")
    search_help_text = _("Name or UTM value")
    deletion_hint = _("Set its last day instead: its leads keep their source.")
    empty_hint = _("Add one, and put its utm_campaign into the links you share.")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("name", "utm_campaign")}),
        (_("Period and budget"), {"fields": (("starts_on", "ends_on"), ("budget", "currency"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).order_by("-starts_on", "name")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Campaign], search_term: str
    ) -> tuple[QuerySet[Campaign], bool]:
        """Count for the list only: a campaign's own page and its deletion need no counts."""
        campaigns, repeats = super().get_search_results(request, queryset, search_term)
        return with_returns(campaigns, visible(Lead, current_user(request))), repeats

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out budget and cost per lead for readers who do not see all leads.

        The cost of a part of the leads would be wrong.
        """
        shown = super().get_list_display(request)
        return shown if current_user(request).sees == Visibility.ALL else shown[:-2]

    def lock(self, row: Campaign) -> bool:
        return lock_row(row)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        actor = current_user(request)
        if change:
            record_services.update_campaign(obj, edited_values(form), actor=actor)
        else:
            record_services.add_campaign(obj, actor=actor)

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        record_services.delete_campaign(obj, actor=current_user(request))

    @admin.display(description=_("Campaign"))
    def campaign(self, campaign: Campaign) -> str:
        return two_lines(campaign.name, f"utm_campaign={campaign.utm_campaign}")

    @admin.display(description=_("Period"))
    def period(self, campaign: Campaign) -> str:
        days = [f"{day:%-d %b %Y}" if day else "" for day in (campaign.starts_on, campaign.ends_on)]
        return " – ".join(days) if any(days) else DASH

    @admin.display(description=_("Leads"))
    def leads(self, campaign: Any) -> int:
        return campaign.leads_count or 0

    @admin.display(description=_("Won"))
    def won(self, campaign: Any) -> str:
        won, leads = campaign.won_count or 0, campaign.leads_count or 0
        return f"{won} ({won / leads:.0%})" if leads else "0"

    @admin.display(description=_("Budget"))
    def budget_shown(self, campaign: Campaign) -> str:
        return _money(campaign.budget, campaign.currency)

    @admin.display(description=_("Cost per lead"))
    def cost_per_lead(self, campaign: Any) -> str:
        known = campaign.budget and campaign.leads_count
        return _money(campaign.budget / campaign.leads_count if known else None, campaign.currency)


def _money(amount: Decimal | None, currency: str) -> str:
    return DASH if amount is None else f"{amount:,.2f} {currency}"
