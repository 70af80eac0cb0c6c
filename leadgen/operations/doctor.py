"""Checks of every configured backend, each with the change that fixes a fault."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.db import connection, models
from django.http.request import validate_host
from django.utils import timezone

from leadgen.capture.models import Submission
from leadgen.capture.spool import store
from leadgen.events.models import Event
from leadgen.lib.net.timeouts import run_with_timeout
from leadgen.operations import probes, server_checks
from leadgen.operations.collectors import notifications
from leadgen.operations.models import Backup, Balance

SECONDS = 10.0
_OLDEST_POSTGRESQL = 14
_MAX_DRIFT = timedelta(seconds=5)
_MAX_WAIT = timedelta(minutes=1)
_MAX_BALANCE_AGE = timedelta(hours=1)
_MAX_NOTIFICATION_AGE = timedelta(hours=1)
# A day, and two hours for the backup itself: the alert LeadgenBackupIsOld has the same limit.
_BACKUP_MAX_AGE = timedelta(hours=26)


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.subject:<12} {mask(self.text)}"


class AdviceError(Exception):
    """A failed check; the message names the change that fixes it."""


def mask(text: str) -> str:
    """Return the text with the secrets of URLs and settings replaced by asterisks."""
    text = re.sub(r"://[^/@\s]*@", "://***@", text)
    for secret in _secrets():
        text = text.replace(secret, "***")
    return text


def _secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    passwords = [urlsplit(url).password for url in (settings.DATABASE_URL, settings.BROKER_URL)]
    for secret in (*passwords, settings.EMAIL_HOST_PASSWORD, settings.METRICS_TOKEN):
        if secret and len(secret) > 3:
            yield secret


def examine() -> Iterator[Finding]:
    """Yield one finding for each check; a check that hangs or raises is a failed finding."""
    yield from _settings()
    for subject, advice, check in CHECKS:
        yield _examine(subject, advice, check)


def _examine(subject: str, advice: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(Level.OK, subject, run_with_timeout(SECONDS, check))
    except AdviceError as fault:
        return Finding(Level.FAIL, subject, str(fault))
    except UserWarning as warning:
        return Finding(Level.WARN, subject, str(warning))
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        return Finding(Level.FAIL, subject, f"{type(error).__name__}: {first} {advice}")


def _settings() -> Iterator[Finding]:
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if validate_host(host, settings.ALLOWED_HOSTS):
        yield Finding(Level.OK, "PUBLIC_URL", settings.PUBLIC_URL)
    else:
        yield Finding(Level.FAIL, "PUBLIC_URL", f"{host} is not among ALLOWED_HOSTS: add it there.")
    if settings.DEBUG:
        yield Finding(
            Level.WARN,
            "DEBUG",
            "is on: acceptable on a laptop, never on a server that others reach.",
        )
    elif not settings.PUBLIC_URL.startswith("https://"):
        yield Finding(
            Level.WARN, "PUBLIC_URL", "is not https: answers and passwords are sent unencrypted."
        )
    yield from _outbound()


def _outbound() -> Iterator[Finding]:
    for entry in settings.OUTBOUND_ALLOWED_NETWORKS:
        if covered := ", ".join(map(str, entry.metadata())):
            text = (
                f"OUTBOUND_ALLOWED_NETWORKS: {entry} covers cloud metadata ({covered}): narrow it."
            )
            yield Finding(Level.WARN, "outbound", text)


def _database() -> str:
    connection.ensure_connection()
    version = connection.cursor().connection.info.server_version // 10_000
    if version < _OLDEST_POSTGRESQL:
        raise AdviceError(f"PostgreSQL {version} is too old: {_OLDEST_POSTGRESQL} or later.")
    encoding = connection.connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise AdviceError(f"the encoding is {encoding}: make the database with ENCODING 'UTF8'.")
    if connection.connection.info.parameter_status("is_superuser") == "on":
        raise UserWarning(
            "the role is a superuser: a flaw in a statement would reach the whole server. See"
            " deploy/docs/runbooks/database-role.md."
        )
    return f"PostgreSQL {version} on {connection.settings_dict['HOST'] or 'a local socket'}"


def _migrations() -> str:
    try:
        probes.database()
    except probes.NotMigratedError as error:
        raise AdviceError(f"{error}: run manage.py migrate.") from error
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if not cursor.fetchone():
            raise AdviceError("pg_trgm is missing: CREATE EXTENSION pg_trgm as its owner.")
    return "all applied, pg_trgm is installed"


def _clock() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (database_time,) = cursor.fetchone()
    drift = abs(database_time - timezone.now())
    if drift > _MAX_DRIFT:
        raise UserWarning(
            f"differs from the database's clock by {drift.total_seconds():.0f} s: use NTP."
        )
    return "agrees with the database's clock"


def _event_log() -> str:
    newest = Event.objects.aggregate(newest=models.Max("transaction"))["newest"] or 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (server,) = cursor.fetchone()
    if newest > server:
        raise AdviceError(
            "has transaction numbers that this server has not reached, as after a restore into a"
            " new server: consumers wait. Stop every process and run manage.py rebase_events."
        )
    return "transaction numbers are those of this server"


def _storage() -> str:
    probes.storage_round_trip()
    return "wrote, read and deleted an object"


def _spool() -> str:
    depth = store.depth()
    if depth.oldest and timezone.now() - depth.oldest > _MAX_WAIT:
        raise AdviceError(
            f"{depth.waiting} submissions wait in the spool since {depth.oldest:%Y-%m-%d %H:%M}"
            " UTC: check that the database, worker and beat are running."
        )
    if depth.parked:
        raise UserWarning(
            f"{depth.parked} parked objects under {store.PARKED}/: see docs/operating/faults.md."
        )
    return f"{depth.waiting} submissions wait in the spool"


def _broker() -> str:
    probes.broker_declares()
    return "connected and declared a queue"


def _email() -> str:
    if settings.EMAIL_BACKEND != "django.core.mail.backends.smtp.EmailBackend":
        raise UserWarning("EMAIL_URL=console:// sends no mail: set smtp://… on a server.")
    mail = get_connection()
    mail.open()
    mail.close()
    return f"{settings.EMAIL_HOST} accepts the log-in"


def _notifications() -> str:
    counts = notifications.count()
    if timedelta(seconds=counts.age) > _MAX_NOTIFICATION_AGE:
        raise UserWarning(
            f"{counts.waiting} wait, the oldest since {counts.oldest:%Y-%m-%d %H:%M} UTC: check"
            " EMAIL_URL, and that the role delivery (on one machine the worker) runs."
        )
    if counts.parked:
        raise UserWarning(
            f"{counts.parked} are parked (dead-lettered): repair EMAIL_URL or the address, then run"
            " manage.py retry_notifications."
        )
    return f"{counts.waiting} wait"


def _workers() -> str:
    oldest = Submission.objects.waiting().aggregate(oldest=models.Min("received_at"))["oldest"]
    if oldest and timezone.now() - oldest > _MAX_WAIT:
        raise AdviceError(
            f"a submission has waited since {oldest:%Y-%m-%d %H:%M} UTC: check that"
            " worker and beat are running."
        )
    return "no submission has waited for more than a minute"


def _beat() -> str:
    last = Balance.objects.newest()
    if not last or timezone.now() - last.at > _MAX_BALANCE_AGE:
        raise UserWarning("has not measured the ledger for an hour: check that it is running.")
    if last.unaccounted:
        raise AdviceError(f"{last.unaccounted} submissions unaccounted: run manage.py reconcile.")
    return f"measured the ledger at {last.at:%Y-%m-%d %H:%M} UTC"


def _backup() -> str:
    newest = Backup.objects.newest()
    if newest is None:
        raise UserWarning(
            "there is none, so a lost disk loses everything. One server: deploy/docs/compose.md,"
            " Backup; Kubernetes: the component backup."
        )
    age = timezone.now() - newest.at
    if age > _BACKUP_MAX_AGE:
        raise UserWarning(
            f"the newest is {age / timedelta(hours=1):.0f} hours old: check the log of the backup"
            " service or CronJob, and run manage.py backup."
        )
    return f"the newest is of {newest.at:%Y-%m-%d %H:%M} UTC"


CHECKS: list[tuple[str, str, Callable[[], str]]] = [
    ("database", "Check DATABASE_URL.", _database),
    ("migrations", "Run manage.py migrate.", _migrations),
    ("clock", "", _clock),
    ("event log", "", _event_log),
    ("storage", "Check STORAGE_URL and its credentials.", _storage),
    ("spool", "Check STORAGE_URL and its credentials.", _spool),
    ("broker", "Check BROKER_URL: without the broker leads are late, none is lost.", _broker),
    ("email", "Check EMAIL_URL.", _email),
    ("delivery", "", _notifications),
    ("workers", "", _workers),
    ("beat", "", _beat),
    ("backup", "", _backup),
    *server_checks.CHECKS,
]
