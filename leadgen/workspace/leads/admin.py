"""List of leads; the page of one lead is in workspace/leads/views.py."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.current_user import current_user
from leadgen.leads import bulk_services
from leadgen.leads.models import Lead
from leadgen.leads.persons.search import ContactSearch
from leadgen.leads.querysets import LATEST_ENQUIRY, LATEST_ENQUIRY_FIRST
from leadgen.workspace.kit.bounded_admin import outcome
from leadgen.workspace.kit.filters import DayRange
from leadgen.workspace.kit.html import DASH, ago, badge, clip, two_lines
from leadgen.workspace.kit.pagination import SEARCH_CAP, with_keys
from leadgen.workspace.kit.scoped_admin import ScopedAdmin
from leadgen.workspace.leads import views
from leadgen.workspace.leads.filters import (
    CampaignFilter,
    LeadViews,
    OwnerFilter,
    SourceFilter,
    StageFilter,
)

_AGES = '<span class="ws-two"><span>{}</span><span class="ws-two__sub">{}</span></span>'


@admin.register(Lead)
class LeadAdmin(ScopedAdmin):
    list_display = (
        "person",
        "company_name",
        "stage_badge",
        "owner_name",
        "came_from",
        "created",
    )
    list_filter = (
        LeadViews,
        StageFilter,
        OwnerFilter,
        SourceFilter,
        CampaignFilter,
        "status",
        ("created_at", DayRange),
        ("closed_at", DayRange),
    )
    list_select_related = ("contact", "contact__company", "company", "stage", "owner", "campaign")
    list_before_template = "admin/view_tabs_bar.html"
    list_fullwidth = True
    empty_hint = _("Your forms add leads: publish one and share its address.")
    search_fields = ("contact__search",)
    search_help_text = _("Name, email, phone or company")
    sortable_by = ()
    actions = ("assign_to_me",)

    def get_ordering(self, request: HttpRequest) -> Any:
        """Return the order of the view's index: those who wait, by their latest enquiry."""
        return LATEST_ENQUIRY_FIRST if _is_waiting(request) else super().get_ordering(request)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Lead], bool]:
        if not search_term.strip():
            return queryset, False
        order = LATEST_ENQUIRY if _is_waiting(request) else F("created_at")
        found = ContactSearch(search_term, "contact", order)
        return with_keys(queryset, found.keys(queryset, SEARCH_CAP)), False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<int:pk>/{address}/", self.admin_site.admin_view(view), name=name)
            for address, name, view in views.ROUTES
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return views.lead_page(request, object_id, self.admin_site.each_context(request))

    @admin.display(description=_("Person"))
    def person(self, lead: Lead) -> str:
        contact = lead.contact
        return two_lines(str(contact), contact.email if contact.name else contact.phone)

    @admin.display(description=_("Company"))
    def company_name(self, lead: Lead) -> str:
        company = lead.contact.company or lead.company
        return clip(company.name) if company else DASH

    @admin.display(description=_("Stage"))
    def stage_badge(self, lead: Lead) -> str:
        if lead.has_new_message:
            return badge(gettext("New message"), "new")
        return badge(lead.stage.name, "new" if lead.is_waiting else lead.stage.type)

    @admin.display(description=_("Owner"))
    def owner_name(self, lead: Lead) -> str:
        if not lead.owner:
            return badge(gettext("Unassigned"), "warn")
        is_gone = lead.is_open and not lead.owner.works_leads
        return badge(lead.owner.name, "warn") if is_gone else clip(lead.owner.name)

    @admin.display(description=_("Source"))
    def came_from(self, lead: Lead) -> str:
        if not lead.source:
            return DASH
        return two_lines(lead.source, lead.campaign.name if lead.campaign else lead.medium)

    @admin.display(description=_("Created"))
    def created(self, lead: Lead) -> str:
        return format_html(
            _AGES,
            ago(lead.created_at),
            format_html(gettext("active {time}"), time=ago(lead.last_activity_at)),
        )

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def assign_to_me(self, request: HttpRequest, queryset: QuerySet[Lead]) -> None:
        person, chosen = current_user(request), list(queryset.values_list("pk", flat=True))
        changed = bulk_services.assign_leads(chosen, person, actor=person)
        message = outcome(
            Lead,
            len(chosen),
            changed,
            done=gettext("assigned to you"),
            kept=gettext("already yours"),
        )
        messages.success(request, message)


def _is_waiting(request: HttpRequest) -> bool:
    return request.GET.get("view") == "new"
