"""Pages over HTTP for one role, each statement explained afterwards; runs inside Django."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role

# What takes longer is stopped: its figure is not needed.
_LONGEST_SECONDS = 2
_LISTS = {
    "leads_lead": (
        *("", "?view=mine", "?view=new", "?view=unowned", "?view=won", "?view=lost", "?view=all"),
        "?view=all&p=100",
        "?view=all&status__exact=nurturing",
        "?view=open&source=bing",
        "?view=all&created_at_from=2026-01-01&created_at_to=2026-01-31",
        "?q=example.com",
        "?view=all&q=example.com",
        "?view=all&q=jurgen",
        "?view=open&source=bing&q=example.com",
        "?view=new&q=family77",
        "?view=all&q=person1000123456",
        "?view=all&q=%2B44+7400+123456",
        "?view=all&q=0740+0123+456",
        "?view=all&q=m",
        "?view=all&q=no-such-text",
    ),
    "leads_contact": ("", "?q=ma", "?q=example.com", "?q=family77", "?q=0123456", "?q=m&p=50"),
    "leads_company": ("", "?q=1", "?q=company+77", "?q=no-such-text"),
    "leads_task": (
        *("", "?view=due", "?view=overdue", "?view=open", "?view=done"),
        *("?view=open&q=call", "?view=done&q=back+77", "?view=open&q=no-such-text"),
    ),
    "leads_campaign": ("",),
    "capture_submission": (
        *("", "?view=parked", "?view=waiting", "?view=all", "?view=all&p=100"),
        "?view=all&received_at_from=2026-01-01&received_at_to=2026-01-31",
        *("?view=all&form__id__exact=1", "?view=all&q=family77", "?q=family77", "?view=all&q=m"),
        "?view=all&q=person1000123456%40example.com",
    ),
    "events_event": ("", "?kind=lead.created"),
    "accounts_user": ("",),
    "accounts_team": ("",),
    "leads_pipeline": ("",),
    "forms_form": ("",),
}
_DELETIONS = (
    *("leads_pipeline", "leads_campaign", "leads_company", "leads_task", "forms_form"),
    "accounts_team",
)


def main(role: str, *only: str) -> None:
    """Make the people, or visit the pages of one role and print the figures as JSON."""
    if role == "people":
        _make_people()
        return
    user = User.objects.filter(role=role, email__startswith="pages").order_by("pk")[0]
    client = Client(raise_request_exception=False)
    client.force_login(user)
    client.get(reverse("admin:index"))
    pages = [page for page in _pages() if not only or any(name in page for name in only)]
    for page in pages:
        if figures := _visit(client, page):
            sys.stdout.write(f"{json.dumps(figures)}\n")
            sys.stdout.flush()


def _make_people() -> None:
    from tests.factories import make_team, make_user

    User.objects.update(takes_leads=False)
    teams = [make_team(f"Region {n}") for n in range(6)]
    for n in range(60):
        make_user(
            Role.SALES_REP, team=teams[n % 6], takes_leads=True, email=f"pages{n}@example.com"
        )
    for role in (Role.ADMIN, Role.SALES_MANAGER, Role.MARKETER, Role.VIEWER):
        make_user(role, team=teams[0], email=f"pages-{role}@example.com")


def _pages() -> Iterator[str]:
    yield reverse("admin:index")
    for model, queries in _LISTS.items():
        yield from (reverse(f"admin:{model}_changelist") + query for query in queries)
    for name in _DELETIONS:
        row = apps.get_model(name.replace("_", "."))._default_manager.order_by("pk").first()
        if row:
            yield reverse(f"admin:{name}_delete", args=[row.pk])


def _visit(client: Client, page: str) -> dict[str, Any] | None:
    """Return the slowest and the largest statement of a page; None where it is forbidden."""
    statements: list[tuple[str, Any]] = []
    connection.cursor().execute(f"SET statement_timeout = '{_LONGEST_SECONDS}s'")
    with connection.execute_wrapper(_recording(statements)):
        client.get(page)
        statements.clear()
        started = time.monotonic()
        answer = client.get(page)
        seconds = time.monotonic() - started
    if answer.status_code in (403, 404):
        return None
    found = [(*_explained(sql, params), sql) for sql, params in statements]
    slowest, largest = max(found), max(found, key=lambda each: each[1])
    return {
        "page": page,
        "status": answer.status_code,
        "seconds": seconds,
        "statements": len(found),
        "milliseconds": slowest[0],
        "slowest": _short(slowest[2]),
        "buffers": largest[1],
        "largest": _short(largest[2]),
    }


def _recording(statements: list[tuple[str, Any]]) -> Callable[..., Any]:
    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(("SELECT", "WITH", "(SELECT")):
            statements.append((sql, params))
        return run(sql, params, many, context)

    return execute


def _explained(sql: str, params: Any) -> tuple[float, int]:
    """Return milliseconds and buffers of a statement; the limit where it is stopped."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            (plan,) = cursor.fetchone()[0]
    except OperationalError:
        return _LONGEST_SECONDS * 1_000.0, 1_000_000
    buffers = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return plan["Execution Time"], buffers


def _short(sql: str) -> str:
    _, _, end = sql.partition(" FROM ")
    return f"FROM {end}"[:300]
