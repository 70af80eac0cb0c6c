"""Role-based access control: one table of grants, read by every page through User.has_perm."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ADMIN = "admin", _("Administrator")
    MARKETER = "marketer", _("Marketer")
    SALES_MANAGER = "sales_manager", _("Sales manager")
    SALES_REP = "sales_rep", _("Sales representative")
    VIEWER = "viewer", _("Viewer")


class Visibility(models.TextChoices):
    OWN = "own", _("Own leads")
    TEAM = "team", _("The team's leads")
    ALL = "all", _("All leads")


DEFAULT_VISIBILITY = {
    Role.ADMIN: Visibility.ALL,
    Role.MARKETER: Visibility.ALL,
    Role.SALES_MANAGER: Visibility.TEAM,
    Role.SALES_REP: Visibility.OWN,
    Role.VIEWER: Visibility.ALL,
}

_EVERYTHING = frozenset({"view", "add", "change", "delete"})
_WORK = frozenset({"view", "add", "change"})
_LOOK = frozenset({"view"})

_SALES = {
    "leads.lead": _WORK,
    "leads.contact": _WORK,
    "leads.company": _WORK,
    "leads.task": _EVERYTHING,
    "leads.note": _WORK,
    "leads.pipeline": _LOOK,
    "leads.stage": _LOOK,
    "leads.campaign": _LOOK,
    "capture.submission": _LOOK,
    "forms.form": _LOOK,
    "forms.field": _LOOK,
    "forms.formversion": _LOOK,
}

GRANTS: dict[Role, dict[str, frozenset[str]]] = {
    Role.MARKETER: {
        **dict.fromkeys(_SALES, _LOOK),
        "forms.form": _EVERYTHING,
        "forms.field": _EVERYTHING,
        "leads.campaign": _EVERYTHING,
        "capture.submission": frozenset({"view", "change"}),
    },
    Role.SALES_MANAGER: {
        **_SALES,
        "leads.pipeline": _WORK,
        "leads.stage": _WORK,
        "capture.submission": frozenset({"view", "change"}),
        "accounts.user": _LOOK,
        "accounts.team": _LOOK,
    },
    Role.SALES_REP: _SALES,
    Role.VIEWER: dict.fromkeys(_SALES, _LOOK),
}

# Models that only administrators see: the audit log names leads and users of every team.
ADMIN_ONLY = frozenset({"events.event"})

# Refused to every role, administrators included: history is not edited through a page.
NEVER = frozenset(
    {
        "capture.add_submission",
        "capture.delete_submission",
        "events.add_event",
        "events.change_event",
        "events.delete_event",
        "forms.add_formversion",
        "forms.change_formversion",
        "forms.delete_formversion",
        "accounts.delete_user",
        "accounts.add_notification",
        "accounts.change_notification",
        "accounts.delete_notification",
        "leads.add_lead",
        "leads.delete_lead",
        "leads.delete_contact",
    }
)


def allows(role: Role, perm: str) -> bool:
    """Return whether a role holds ``app.action_model``, such as ``leads.change_lead``."""
    if perm in NEVER:
        return False
    if role == Role.ADMIN:
        return True
    app, _, rest = perm.partition(".")
    action, _, model = rest.partition("_")
    return action in GRANTS[role].get(f"{app}.{model}", frozenset())


# Roles that may own leads and tasks: the owner must be able to answer.
WORKING_ROLES = tuple(role for role in Role if allows(role, "leads.change_lead"))


def opens(role: Role, app_label: str) -> bool:
    """Return whether a role may use any model of an application."""
    if role == Role.ADMIN:
        return True
    return any(resource.startswith(f"{app_label}.") for resource in GRANTS[role])
