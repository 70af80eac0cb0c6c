"""Metrics and audit events of failed log-ins and refused requests, without personal addresses."""

from leadgen.accounts.login import limits
from leadgen.accounts.metrics import LOGINS, REFUSALS
from leadgen.accounts.models import LoginCounter, User
from leadgen.events import services as events

# Characters of a refused address that its event keeps.
_MAX_PATH = 200


def failed(email: str, network: str) -> None:
    """Count a wrong password or an unknown account."""
    LOGINS.labels("failed").inc()
    _emit("login.failed", email, network)


def limited(email: str, network: str) -> None:
    """Count a log-in that a limit refused."""
    LOGINS.labels("limited").inc()
    _emit("login.limited", email, network)


def refused(user: User, network: str, path: str) -> None:
    """Count a request that the user may not make; write at most one event a window and network."""
    REFUSALS.labels("role").inc()
    if limits.may_emit("access.refused", str(user.pk), network):
        data = {"network": network, "path": path[:_MAX_PATH]}
        events.emit("access.refused", user, actor=user, data=data)


def _emit(kind: str, email: str, network: str) -> None:
    """Write the event at most once a window for this account and network (limits.may_emit)."""
    key = limits.account_key(email)
    if not limits.may_emit(kind, key, network):
        return
    # An unknown account is named by its key, so that repetitions show.
    user = User.objects.filter(email=email.strip().lower()).first()
    events.emit(kind, user or LoginCounter(key=key), data={"network": network})
