"""Mail from Notification rows: at-least-once delivery with a lease and exponential back-off.

Handlers of events call ``notify``, which only writes a row. The role `delivery` claims due rows
(FOR UPDATE SKIP LOCKED), sends outside the transaction and records the result. A crash after the
server has accepted a mail and before the result is recorded is the one case of a second mail.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string

from leadgen.accounts.metrics import NOTIFICATIONS
from leadgen.accounts.models import Notification
from leadgen.events.models import Event

MessageBuilder = Callable[[Notification], EmailMessage | None]
"""Builds the mail of a notification; None drops it."""

# 1, 2, 4 … minutes, then hourly: 99 waits are 94 hours. RFC 5321 section 4.5.4.1 asks senders to
# give up after four to five days.
MAX_ATTEMPTS = 100
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_BATCH_ROWS = 20
# No mail of a batch starts later than this. One takes about six answers of the server, each limited
# by EMAIL_TIMEOUT (10 s), so a batch ends before its lease of five minutes.
_BATCH_SECONDS = 120.0
_LEASE = timedelta(minutes=5)
_RETENTION = timedelta(days=90)

logger = logging.getLogger(__name__)


def notify(
    recipient_id: int,
    kind: str,
    data: Mapping[str, Any],
    *,
    event: Event | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Write a notification in the caller's transaction; once for each event, kind and person.

    ``kind`` has a builder in leadgen/pipeline.py. A mail not sent by ``expires_at`` is dropped.
    """
    row = Notification(
        recipient_id=recipient_id, kind=kind, data=data, event=event, expires_at=expires_at
    )
    Notification.objects.bulk_create([row], ignore_conflicts=True)


def deliver(limit: int = _BATCH_ROWS) -> int:
    """Attempt due notifications; return how many, or 0 once the mail server is unavailable.

    An unavailable server costs one notification an attempt, the rest of the batch stays due.
    """
    rows, attempts, mail = _claim(limit), 0, get_connection()
    deadline = time.monotonic() + _BATCH_SECONDS
    is_available = True
    try:
        while rows and is_available and time.monotonic() < deadline:
            is_available = _attempt(rows.pop(0), mail)
            attempts += 1
    finally:
        _close(mail)
        _release(rows)
    return attempts if is_available else 0


def wait_after(attempts: int) -> timedelta:
    """Return the wait before the next attempt when this many have failed."""
    # The exponent is limited because a power of 99 would overflow a timedelta.
    doublings: int = 1 << min(attempts - 1, 10)
    return min(_FIRST_WAIT * doublings, _LONGEST_WAIT)


def retry_parked() -> int:
    """Make every parked notification due again with all its attempts; return how many."""
    return Notification.objects.parked().update(
        state=Notification.DeliveryState.WAITING, attempts=0, next_at=Now()
    )


def prune() -> int:
    """Delete notifications that ended and are older than 90 days; return how many."""
    old = Notification.objects.filter(created_at__lt=Now() - _RETENTION)
    deleted, _ = old.exclude(state=Notification.DeliveryState.WAITING).delete()
    return deleted


def _claim(limit: int) -> list[Notification]:
    with transaction.atomic():
        due = Notification.objects.due().select_related("recipient")
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
        keys = [row.pk for row in rows]
        Notification.objects.filter(pk__in=keys).update(
            attempts=F("attempts") + 1, next_at=Now() + _LEASE
        )
    for row in rows:
        row.attempts += 1
    return rows


def _release(rows: Sequence[Notification]) -> None:
    """Return claimed rows without an attempt; they are due at once."""
    for row in rows:
        _update(row, attempts=row.attempts - 1, next_at=Now())


def _attempt(row: Notification, mail: BaseEmailBackend) -> bool:
    """Send one mail and record the result; return whether the server was available."""
    is_open = True
    try:
        message = _build(row)
        if message:
            is_open = False
            mail.open()
            is_open = True
            mail.send_messages([message])
    except Exception as error:
        _close(mail)  # the connection may be broken; the next mail opens a new one
        _record_failure(row, error)
    else:
        _record(row, "sent" if message else "dropped")
    return is_open


def _build(row: Notification) -> EmailMessage | None:
    if not row.recipient.is_active or (row.expires_at and row.expires_at <= timezone.now()):
        return None
    return _builders()[row.kind](row)


@cache
def _builders() -> dict[str, MessageBuilder]:
    listed: dict[str, str] = import_string(settings.NOTIFICATION_BUILDERS)
    return {kind: import_string(path) for kind, path in listed.items()}


def _record(row: Notification, outcome: str) -> None:
    _update(
        row, state=Notification.DeliveryState(outcome), sent_at=Now() if outcome == "sent" else None
    )
    NOTIFICATIONS.labels(row.kind, outcome).inc()


def _record_failure(row: Notification, error: Exception) -> None:
    reason = _describe(error)
    is_last = row.attempts >= MAX_ATTEMPTS
    outcome = "parked" if is_last else "failed"
    state = Notification.DeliveryState.PARKED if is_last else Notification.DeliveryState.WAITING
    _update(row, state=state, next_at=Now() + wait_after(row.attempts), error=reason)
    NOTIFICATIONS.labels(row.kind, outcome).inc()
    logger.warning(
        "mail of notification %d (%s) %s, attempt %d of %d: %s",
        row.pk,
        row.kind,
        "parked" if is_last else "failed, retrying later",
        row.attempts,
        MAX_ATTEMPTS,
        reason,
    )


def _update(row: Notification, **values: Any) -> None:
    # The number of attempts is the fencing token: a worker whose lease has ended changes nothing.
    Notification.objects.waiting().filter(pk=row.pk, attempts=row.attempts).update(**values)


def _describe(error: Exception) -> str:
    """Return class and SMTP code only: the texts of servers quote addresses."""
    refused: dict[str, tuple[int, bytes]] = getattr(error, "recipients", None) or {}
    codes = [str(code) for code, _ in refused.values()] or [str(getattr(error, "smtp_code", ""))]
    return " ".join([type(error).__name__, *codes]).strip()[:100]


def _close(mail: BaseEmailBackend) -> None:
    with suppress(OSError):
        mail.close()
