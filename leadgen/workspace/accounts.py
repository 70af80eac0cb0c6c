"""Pages of people and teams; only administrators change them, and not their own access."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts import services
from leadgen.accounts.current_user import current_user
from leadgen.accounts.models import Team, User
from leadgen.leads.ownership.person_services import open_work
from leadgen.workspace.kit.html import DASH, ago, badge, clip, two_lines
from leadgen.workspace.kit.scoped_admin import ScopedAdmin, edited_values, lock_row
from leadgen.workspace.login.views import change_own_password, to_login
from leadgen.workspace.person_forms import NewPasswordForm, NewPersonForm, PersonForm
from leadgen.workspace.search import choices, no_search

admin.site.unregister([Group, EmailAddress])
# No page of the admin site checks a password without the limits of a log-in.
admin.site.login = to_login  # type: ignore[method-assign]
admin.site.password_change = change_own_password  # type: ignore[method-assign, assignment]
admin.site.search = no_search  # type: ignore[attr-defined]  # unfold has it
admin.site.autocomplete_view = choices  # type: ignore[method-assign]

_AFTER_ACCESS = 2
_ACCESS = ("role", "team", "visibility", "is_active")


@admin.register(User)
class PersonAdmin(DjangoUserAdmin, ScopedAdmin):  # type: ignore[type-arg, misc]
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = NewPasswordForm
    list_display = (
        "person",
        "role_name",
        "team_name",
        "visibility_name",
        "gets_leads",
        "last_seen",
    )
    list_filter = ("role", "team", "is_active")
    list_select_related = ("team",)
    search_fields = ("name", "email")
    search_help_text = _("Name or email")
    ordering = ("-is_active", "name")
    sortable_by = ()
    filter_horizontal = ()
    readonly_fields = ("new_password", "last_seen", "joined")
    fieldsets = (
        (None, {"fields": ("name", "email", "new_password")}),
        (_("Access"), {"fields": (("role", "team"), ("visibility", "is_active"))}),
        (_("Leads"), {"fields": ("takes_leads", "notify_by_email", "time_zone")}),
        (_("Log-in"), {"fields": (("last_seen", "joined"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "email", ("role", "team"), "takes_leads")}),
        (_("Password"), {"fields": ("password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Lock one's own role and access, so that an active administrator is always left."""
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, *_ACCESS) if obj and obj.pk == current_user(request).pk else fixed

    def lock(self, row: User) -> bool:
        return lock_row(row)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Ask for the destination of open work where the person has any."""
        fieldsets = super().get_fieldsets(request, obj)
        if not obj or obj.pk == current_user(request).pk:
            return fieldsets
        if not self.has_change_permission(request, obj) or open_work(obj).is_empty:
            return fieldsets
        # Beside the access whose change asks for it: an error below the fold is not seen.
        question = (_("Open leads and tasks"), {"fields": ("handover",)})
        return (*fieldsets[:_AFTER_ACCESS], question, *fieldsets[_AFTER_ACCESS:])

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = current_user(request)
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            form.save_with(obj)
        else:
            services.add_user(obj, actor=current_user(request))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        # Of Django's page for a new password this is the only call that knows the actor.
        match = request.resolver_match
        if match and match.url_name == "auth_user_password_change":
            services.set_password(obj, obj.password, actor=current_user(request))

    @admin.display(description=_("Password"))
    def new_password(self, user: User) -> str:
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a class="ws-link" href="{}">Set a new password</a>', url)

    @admin.display(description=_("Person"))
    def person(self, user: User) -> str:
        return two_lines(user.name, user.email)

    @admin.display(description=_("Role"))
    def role_name(self, user: User) -> str:
        return (
            badge(user.get_role_display())
            if user.is_active
            else badge(gettext("Deactivated"), "bad")
        )

    @admin.display(description=_("Team"))
    def team_name(self, user: User) -> str:
        return clip(user.team.name) if user.team else DASH

    @admin.display(description=_("Can see"))
    def visibility_name(self, user: User) -> str:
        return str(user.sees.label)

    @admin.display(description=_("Gets new leads"))
    def gets_leads(self, user: User) -> str:
        return badge(gettext("Yes"), "open") if user.takes_leads else DASH

    @admin.display(description=_("Added"))
    def joined(self, user: User) -> str:
        return ago(user.date_joined)

    @admin.display(description=_("Last log-in"))
    def last_seen(self, user: User) -> str:
        return ago(user.last_login) if user.last_login else gettext("Never")


@admin.register(Team)
class TeamAdmin(ScopedAdmin):
    list_display = ("name", "members_count", "names")
    search_help_text = _("Name")
    fields = ("name",)
    deletion_hint = _("Move its people to another team and keep this one for its older leads.")
    search_fields = ("name",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        active = Count("members", filter=Q(members__is_active=True))
        return super().get_queryset(request).annotate(active=active).prefetch_related("members")

    def lock(self, row: Team) -> bool:
        return lock_row(row)

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        actor = current_user(request)
        if change:
            services.update_team(obj, edited_values(form), actor=actor)
        else:
            services.add_team(obj, actor=actor)

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        services.delete_team(obj, actor=current_user(request))

    @admin.display(description=_("People"))
    def members_count(self, team: Any) -> int:
        return int(team.active)

    @admin.display(description=_("Members"))
    def names(self, team: Team) -> str:
        return ", ".join(user.name for user in team.members.all() if user.is_active) or DASH
