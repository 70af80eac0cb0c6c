"""Metrics and audit events of log-ins that failed; no address of a person is written."""

from leadgen.accounts.login import limits
from leadgen.accounts.metrics import LOGINS
from leadgen.accounts.models import LoginCounter, User
from leadgen.events import services as events


def failed(email: str, network: str) -> None:
    """Count a wrong password or an unknown account."""
    LOGINS.labels("failed").inc()
    _emit("login.failed", email, network)


def limited(email: str, network: str) -> None:
    """Count a log-in that a limit refused."""
    LOGINS.labels("limited").inc()
    _emit("login.limited", email, network)


def _emit(kind: str, email: str, network: str) -> None:
    """Write the event at most once a window for this account and network (limits.may_emit)."""
    key = limits.account_key(email)
    if not limits.may_emit(kind, key, network):
        return
    # An unknown account is named by its key, so that repetitions show.
    user = User.objects.filter(email=email.strip().lower()).first()
    events.emit(kind, user or LoginCounter(key=key), data={"network": network})
