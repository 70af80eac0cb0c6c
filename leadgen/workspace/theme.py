"""Settings of django-unfold: colours, assets and the sidebar."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _asset(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


def _allowed(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _item(title: Promise, icon: str, model: str, permission: str = "view", **more: Any) -> Any:
    app, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _allowed(f"{app}.{permission}_{name}"),
        **more,
    }


_NAVIGATION = [
    {
        "title": _("Work"),
        "items": [
            {"title": _("Home"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
            _item(_("Leads"), "inbox", "leads.lead"),
            _item(
                _("Tasks"),
                "task_alt",
                "leads.task",
                badge="leadgen.workspace.home.sections.tasks_badge",
                badge_variant="primary",
            ),
            _item(_("Contacts"), "person", "leads.contact"),
            _item(_("Companies"), "apartment", "leads.company"),
        ],
    },
    {
        "title": _("Marketing"),
        "items": [
            _item(_("Forms"), "dynamic_form", "forms.form"),
            _item(_("Campaigns"), "campaign", "leads.campaign"),
            _item(
                _("Review"),
                "shield",
                "capture.submission",
                "change",
                badge="leadgen.workspace.home.sections.quarantine_badge",
                badge_variant="warning",
            ),
        ],
    },
    {
        "title": _("Settings"),
        "items": [
            _item(_("People"), "group", "accounts.user"),
            _item(_("Teams"), "groups", "accounts.team"),
            _item(_("Pipelines"), "view_kanban", "leads.pipeline"),
            _item(_("Audit log"), "history", "events.event"),
        ],
    },
]

# Deep pine on cool paper. Step 600 carries white text (6:1), step 400 dark text on night (8:1).
_PRIMARY = {
    "50": "oklch(97.6% .016 182)",
    "100": "oklch(94.6% .038 182)",
    "200": "oklch(89.4% .070 182)",
    "300": "oklch(81.5% .100 182)",
    "400": "oklch(75.0% .112 183)",
    "500": "oklch(66.0% .108 184)",
    "600": "oklch(48.5% .085 187)",
    "700": "oklch(42.6% .073 188)",
    "800": "oklch(36.4% .060 190)",
    "900": "oklch(31.0% .048 192)",
    "950": "oklch(23.5% .036 194)",
}
_BASE = {
    "50": "oklch(98.4% .003 200)",
    "100": "oklch(96.4% .004 205)",
    "200": "oklch(92.4% .006 210)",
    "300": "oklch(86.4% .009 212)",
    "400": "oklch(70.2% .016 215)",
    "500": "oklch(53.6% .018 216)",
    "600": "oklch(44.2% .018 218)",
    "700": "oklch(36.4% .018 220)",
    "800": "oklch(27.2% .016 222)",
    "900": "oklch(20.4% .014 224)",
    "950": "oklch(15.6% .012 226)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Leadgen",
    "SITE_HEADER": "Leadgen",
    "SITE_URL": None,
    "SITE_ICON": _asset("leadgen/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _asset("leadgen/logo.svg")},
    ],
    "STYLES": [_asset("leadgen/admin.css")],
    "SCRIPTS": [_asset("leadgen/admin.js")],
    "BORDER_RADIUS": "8px",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "leadgen.workspace.home.sections.home",
    "COLORS": {"primary": _PRIMARY, "base": _BASE},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": _NAVIGATION,
    },
}
