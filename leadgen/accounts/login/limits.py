"""Limits on failed log-ins, counted in PostgreSQL for each account and each network (ADR 0023)."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from leadgen.accounts.models import LoginCounter

WINDOW = timedelta(minutes=5)
ACCOUNT_FAILURES = 5
NETWORK_FAILURES = 20
# Audit events of one kind in a window, over all accounts: a flood must not fill the event log.
MAX_EVENTS = 100
# Expired rows that each attempt deletes; an attempt adds two rows at most.
_PRUNED_ROWS = 10
_KEY_LENGTH = 32
_INTERVAL = f"{WINDOW.total_seconds():.0f} seconds"

# One statement, so that PostgreSQL's row lock makes check and count one step in all processes.
# EXCLUDED holds the moment of this attempt.
_COUNT = """
INSERT INTO accounts_logincounter AS counter (key, attempts, expires_at)
VALUES (%(key)s, ARRAY[clock_timestamp()], clock_timestamp() + %(window)s::interval)
ON CONFLICT (key) DO UPDATE SET
  attempts = ARRAY(
    SELECT at FROM unnest(counter.attempts) AS at
    WHERE at > EXCLUDED.attempts[1] - %(window)s::interval
  ) || EXCLUDED.attempts[1],
  expires_at = EXCLUDED.expires_at
WHERE (
  SELECT count(*) FROM unnest(counter.attempts) AS at
  WHERE at > EXCLUDED.attempts[1] - %(window)s::interval
) < %(limit)s
RETURNING attempts[cardinality(attempts)]
"""
_WAIT = """
SELECT coalesce(extract(epoch FROM min(at) + %(window)s::interval - clock_timestamp()), 0)
FROM accounts_logincounter, unnest(attempts) AS at
WHERE key = %(key)s AND at > clock_timestamp() - %(window)s::interval
"""
_RELEASE = """
UPDATE accounts_logincounter SET attempts =
  attempts[:array_position(attempts, %(at)s) - 1] || attempts[array_position(attempts, %(at)s) + 1:]
WHERE key = %(key)s AND array_position(attempts, %(at)s) IS NOT NULL
"""
_PRUNE = """
DELETE FROM accounts_logincounter WHERE key IN (
  SELECT key FROM accounts_logincounter WHERE expires_at < clock_timestamp()
  LIMIT %(rows)s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A counted key and how many attempts it may have in a window."""

    key: str
    attempts: int


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One counted log-in: its two keys, and the moment at which PostgreSQL counted each."""

    account: str
    network: str
    account_at: datetime
    network_at: datetime


class TooManyAttemptsError(Exception):
    """A limit is reached; the next attempt is possible after ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def account_key(email: str) -> str:
    """Return the keyed hash of an address; spellings that name one account give one key."""
    # lower() first, as the look-up of the account does; NFKC and casefold only merge further.
    folded = unicodedata.normalize("NFKC", email.strip().lower()).casefold()
    return _key("account", folded)


def network_key(network: str) -> str:
    return _key("network", network)


def count_attempt(email: str, network: str) -> LoginAttempt:
    """Count a log-in as failed before its password is looked at, and commit.

    Raise TooManyAttemptsError, with nothing counted, when account or network is at its limit.
    """
    account, near = account_key(email), network_key(network)
    # Always the network first: two attempts never wait for each other's row in a circle.
    limits = (Limit(near, NETWORK_FAILURES), Limit(account, ACCOUNT_FAILURES))
    with transaction.atomic():
        network_at, account_at = _count(limits)
    _prune()
    return LoginAttempt(account, near, account_at, network_at)


def forget_failures(attempt: LoginAttempt) -> None:
    """Clear the account's failures after a right password; of the network's, this attempt only."""
    with transaction.atomic():
        _execute(_RELEASE, key=attempt.network, at=attempt.network_at)
        LoginCounter.objects.filter(pk=attempt.account).delete()


def withdraw(attempt: LoginAttempt) -> None:
    """Take back an attempt whose password was not checked after all."""
    with transaction.atomic():
        _execute(_RELEASE, key=attempt.network, at=attempt.network_at)
        _execute(_RELEASE, key=attempt.account, at=attempt.account_at)


def clear_account(email: str) -> None:
    """Clear the account's failures, as after a reset of its password."""
    LoginCounter.objects.filter(pk=account_key(email)).delete()


def may_emit(kind: str, account: str, network: str) -> bool:
    """Tell whether an audit event may be written: one a window for account and network together."""
    limits = (
        Limit(_key(kind, f"{account} {network}"), 1),
        Limit(_key(kind, "all"), MAX_EVENTS),
    )
    try:
        with transaction.atomic():
            _count(limits)
    except TooManyAttemptsError:
        return False
    return True


def _count(limits: Sequence[Limit]) -> list[datetime]:
    """Count one attempt on each key, in order; raise TooManyAttemptsError at the first limit."""
    return [_count_one(limit) for limit in limits]


def _count_one(limit: Limit) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": limit.key, "limit": limit.attempts, "window": _INTERVAL})
        row: tuple[datetime] | None = cursor.fetchone()
        if row:
            return row[0]
        cursor.execute(_WAIT, {"key": limit.key, "window": _INTERVAL})
        wait: tuple[float] = cursor.fetchone()
    raise TooManyAttemptsError(max(math.ceil(wait[0]), 1))


def _prune() -> None:
    _execute(_PRUNE, rows=_PRUNED_ROWS)


def _execute(query: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)


def _key(kind: str, text: str) -> str:
    digest = salted_hmac(f"leadgen.login.{kind}", text, algorithm="sha256")
    return digest.hexdigest()[:_KEY_LENGTH]
