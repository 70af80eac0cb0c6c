"""Pages of contacts and companies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from leadgen.accounts.current_user import current_user
from leadgen.accounts.visibility import visible
from leadgen.leads import record_services
from leadgen.leads.models import Company, Contact, Lead
from leadgen.leads.persons import identities
from leadgen.lib.search.matching import matching
from leadgen.workspace.kit.html import DASH, ago, badge, clip, phone, two_lines
from leadgen.workspace.kit.scoped_admin import ScopedAdmin, edited_values

_PERSON = '<p><a class="ws-link" href="{}">{}</a> {}</p>'
_MANY = 20
_LEAD = '<p><a class="ws-link" href="{}">{} {}</a></p>'


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    company_name = forms.CharField(
        label=_("Company"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("A name that is not known yet makes a new company."),
    )

    class Meta:
        model = Contact
        fields = ("name", "email", "phone", "job_title", "country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.company:
            self.initial["company_name"] = self.instance.company.name

    def clean(self) -> dict[str, Any] | None:
        super().clean()
        changed = {name: self.cleaned_data.get(name) for name in self.changed_data}
        known = {name: text for name, text in changed.items() if name in self.cleaned_data}
        values = identities.normalised(known, country=self.instance.country)
        identities.check_free(self.instance, values)
        self.cleaned_data.update(values)
        return self.cleaned_data


@admin.register(Contact)
class ContactAdmin(ScopedAdmin):
    form = ContactForm
    fieldsets = (
        (None, {"fields": ("name", ("email", "phone"), ("company_name", "job_title"), "country")}),
        (_("Identities"), {"fields": ("identities_shown", "leads_shown")}),
    )
    readonly_fields = ("identities_shown", "leads_shown")
    list_display = ("person", "phone_number", "company_name", "job", "created")
    empty_hint = _("Your forms add contacts.")
    list_select_related = ("company",)
    search_fields = ("search",)
    search_help_text = _("Name, email, phone or company")
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a contact is added by a form only, which knows its source

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        return queryset.matching(search_term), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Contact | None:
        contact: Contact | None = super().get_object(request, object_id, from_field)
        if contact:
            leads = visible(Lead, current_user(request)).filter(contact=contact)
            vars(contact)["seen_leads"] = leads.select_related("stage")[: _MANY + 1]
        return contact

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        values = edited_values(form)
        if "company_name" in values:
            values["company"] = values.pop("company_name")
        record_services.update_contact(obj, values, actor=current_user(request))

    @admin.display(description=_("Person"))
    def person(self, contact: Contact) -> str:
        return two_lines(str(contact), contact.email if contact.name else "")

    @admin.display(description=_("Phone"))
    def phone_number(self, contact: Contact) -> str:
        return phone(contact.phone) or DASH

    @admin.display(description=_("Company"))
    def company_name(self, contact: Contact) -> str:
        return clip(contact.company.name) if contact.company else DASH

    @admin.display(description=_("Job title"))
    def job(self, contact: Contact) -> str:
        return clip(contact.job_title) if contact.job_title else DASH

    @admin.display(description=_("Added"))
    def created(self, contact: Contact) -> str:
        return ago(contact.created_at)

    @admin.display(description=_("Other emails and phones"))
    def identities_shown(self, contact: Contact) -> str:
        values = list(contact.identities.values_list("value", flat=True)[: _MANY + 1])
        more = gettext(" and more") if len(values) > _MANY else ""
        return f"{', '.join(values[:_MANY])}{more}" if values else DASH

    @admin.display(description=_("Leads"))
    def leads_shown(self, contact: Contact) -> str:
        links = (
            (
                reverse("admin:leads_lead_change", args=[lead.pk]),
                badge(lead.stage.name, lead.stage.type),
                ago(lead.created_at),
            )
            for lead in getattr(contact, "seen_leads", ())
        )
        return _listed(_LEAD, links, gettext("There are more: search the leads for this person."))


class CompanyForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Company
        fields = ("name",)  # the page adds the other ones

    def clean_name(self) -> str:
        """Refuse a new name for a company of more people than one request may write."""
        name = str(self.cleaned_data["name"])
        if name != self.initial.get("name"):
            record_services.require_renamable(self.instance)
        return name


@admin.register(Company)
class CompanyAdmin(ScopedAdmin):
    form = CompanyForm
    list_display = ("company", "site", "created")
    fieldsets = ((None, {"fields": ("name", "website")}), (_("People"), {"fields": ("people",)}))
    readonly_fields = ("people",)
    search_fields = ("name",)
    search_help_text = _("Name")
    deletion_hint = _(
        "Correct its name and website instead, or move its people on their own pages."
    )
    empty_hint = _("The first contact who names a company adds it.")
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a company comes with its first contact

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Company], search_term: str
    ) -> tuple[QuerySet[Company], bool]:
        return matching(queryset, "name", search_term), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Company | None:
        company: Company | None = super().get_object(request, object_id, from_field)
        if company:
            people = visible(Contact, current_user(request)).filter(company=company)
            vars(company)["seen_people"] = people[: _MANY + 1]
        return company

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        values = edited_values(form)
        record_services.update_company(obj, values, actor=current_user(request))

    def delete_model(self, request: HttpRequest, obj: Company) -> None:
        record_services.delete_company(obj, actor=current_user(request))

    @admin.display(description=_("Company"))
    def company(self, company: Company) -> str:
        return clip(company.name)

    @admin.display(description=_("Website"))
    def site(self, company: Company) -> str:
        return clip(company.website) if company.website else DASH

    @admin.display(description=_("People"))
    def people(self, company: Company) -> str:
        links = (
            (reverse("admin:leads_contact_change", args=[person.pk]), person, person.job_title)
            for person in getattr(company, "seen_people", ())
        )
        return _listed(
            _PERSON, links, gettext("There are more: search the contacts for this company.")
        )

    @admin.display(description=_("Added"))
    def created(self, company: Company) -> str:
        return ago(company.created_at)


def _listed(row: str, links: Iterable[tuple[Any, ...]], more: str) -> str:
    """Return the first _MANY links and a hint to the others."""
    rows = list(links)
    shown = format_html_join("", row, rows[:_MANY]) or DASH
    return format_html("{}<p>{}</p>", shown, more) if len(rows) > _MANY else shown
