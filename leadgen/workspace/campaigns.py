"""Page of campaigns with the numbers of their leads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Func, IntegerField, OuterRef, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.accounts.roles import Visibility
from leadgen.accounts.visibility import visible
from leadgen.leads import conditions, record_services
from leadgen.leads.models import Campaign, Lead
from leadgen.workspace.kit import pagination
from leadgen.workspace.kit.html import DASH, two_lines
from leadgen.workspace.kit.pagination import shown
from leadgen.workspace.kit.scoped_admin import ScopedAdmin, edited_values, lock_row


def with_returns(campaigns: QuerySet[Campaign], leads: QuerySet[Lead]) -> QuerySet[Campaign]:
    """Add ``leads_count`` and ``won_count`` of the newest leads, CAP at most, to each campaign.

    Only a page's campaigns are counted, each within its range of the index lead_by_campaign.
    """
    mine = leads.filter(campaign=OuterRef("pk")).order_by("-created_at", "-id")
    is_won = mine.annotate(is_won=Case(When(conditions.WON, then=Value(1)), default=Value(0)))
    flags = ArraySubquery(is_won.values("is_won")[: pagination.CAP])
    won = Func(flags, Value(0), function="array_remove", output_field=flags.output_field)
    return campaigns.annotate(leads_count=_size(flags), won_count=_size(won))


def _size(array: Any) -> Func:
    return Func(array, function="cardinality", output_field=IntegerField())


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
    def leads(self, campaign: Any) -> str:
        address = reverse("admin:leads_lead_changelist")
        link = '<a class="ws-link" href="{}?view=all&campaign={}">{}</a>'
        return format_html(link, address, campaign.pk, shown(campaign.leads_count))

    @admin.display(description=_("Won"))
    def won(self, campaign: Any) -> str:
        won, leads = campaign.won_count, campaign.leads_count
        if not leads:
            return "0"
        text = f"{won:,} ({won / leads:.0%})"
        of_newest = gettext("%(won)s of the newest %(leads)s")
        is_capped = leads >= pagination.CAP
        return of_newest % {"won": text, "leads": f"{leads:,}"} if is_capped else text

    @admin.display(description=_("Budget"))
    def budget_shown(self, campaign: Campaign) -> str:
        return _money(campaign.budget, campaign.currency)

    @admin.display(description=_("Cost per lead"))
    def cost_per_lead(self, campaign: Any) -> str:
        known = campaign.budget and 0 < campaign.leads_count < pagination.CAP
        return _money(campaign.budget / campaign.leads_count if known else None, campaign.currency)


def _money(amount: Decimal | None, currency: str) -> str:
    return DASH if amount is None else f"{amount:,.2f} {currency}"
