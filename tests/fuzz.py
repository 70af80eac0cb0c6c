"""A fuzz of Django's routes: random parameters, declared by a page or not, as each role.

Each attempt runs in a savepoint that is rolled back, so that attempts do not depend on each other.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.controls import Controls
from tests.nasty import DATES, MOMENTS, NUMBERS, TEXTS

# A statement that runs longer is cancelled, and its request fails.
STATEMENT_LIMIT = "5s"
IDS = ["0", "-1", "x", "%00", "2147483648", "9223372036854775808", "9" * 30, "1/2", "é", "_00"]
VALUES = [*DATES, *MOMENTS, *NUMBERS, *TEXTS, "", "on", "null", "[]", "1,2,3", "None", "x"]
UNDECLARED = [
    "id",
    "pk",
    "e",
    "o",
    "p",
    "q",
    "all",
    "next",
    "view",
    "action",
    "_selected_action",
    "_to_field",
    "_popup",
    "_changelist_filters",
    "owner__password__startswith",
    "message__regex",
    "created_at__gte",
    "id__in",
    "q[]",
    "x" * 300,
    "nul\x00",
]
_ARGUMENT = re.compile(r"<[^>]+>|\(\?P<[^>]+>(?:\[[^]]*\]|[^)])*\)")


@dataclass(frozen=True)
class Attempt:
    """One request. ``path`` is quoted; ``data`` goes into the query of a GET, else the body."""

    role: str
    method: str
    path: str
    data: Mapping[str, str]

    def send(self, client: Client) -> int:
        return int(getattr(client, self.method)(self.path, self.data).status_code)

    def __str__(self) -> str:
        data = {name[:40]: value[:40] for name, value in self.data.items()}
        return f"{self.role}: {self.method} {self.path} {data!r}"


@dataclass
class Fuzz:
    """Attempts as the users of ``clients``, by role, on the rows of ``ids``, by start of route."""

    clients: Mapping[str, Client]
    ids: Mapping[str, str]
    random: Random
    statuses: Counter[int] = field(default_factory=Counter)
    _declared: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def run(self, attempts: int) -> list[tuple[str, int]]:
        """Make so many attempts; return those that the server could not answer."""
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_LIMIT}'")
        routes = sorted({*walk(get_resolver())})
        made = (self._attempt(self.random.choice(routes)) for _ in range(attempts))
        outcomes = [(str(attempt), self._send(attempt)) for attempt in made]
        self.statuses.update(status for _, status in outcomes)
        return [(attempt, status) for attempt, status in outcomes if status >= 500]

    def _attempt(self, route: str) -> Attempt:
        choose = self.random.choice
        role, method = choose(sorted(self.clients)), choose(["get", "get", "post"])
        path = "/" + _ARGUMENT.sub(lambda _: self._id(route), route)
        declared = self._controls(role, path)
        names = [*declared, *UNDECLARED]
        count = choose([1, 1, 2, len(names)])
        data = {name: entered(choose(VALUES)) for name in self.random.sample(names, count)}
        return Attempt(role, method, path, {**(declared if method == "post" else {}), **data})

    def _id(self, route: str) -> str:
        """Return the row of the route's model three times of four, else an id of no row."""
        known = [row for start, row in self.ids.items() if route.startswith(start)]
        return self.random.choice([*(known or IDS) * 3, self.random.choice(IDS)])

    def _controls(self, role: str, path: str) -> Mapping[str, str]:
        """Return the values that the page's own forms and links would send."""
        key = (role, path)
        if key not in self._declared:
            answer = _undone(lambda: self.clients[role].get(path))
            is_page = answer.status_code == 200 and "html" in answer.get("Content-Type", "")
            self._declared[key] = _sendable(answer.text) if is_page else {}
        return self._declared[key]

    def _send(self, attempt: Attempt) -> int:
        return int(_undone(lambda: attempt.send(self.clients[attempt.role])))


def walk(resolver: Any, route: str = "") -> Iterator[str]:
    """Yield the text of each route, with the arguments as Django writes them."""
    for pattern in resolver.url_patterns:
        here = route + str(pattern.pattern).removeprefix("^")
        if not isinstance(pattern, URLPattern):
            yield from walk(pattern, here)
        elif "logout" not in here:
            yield here.removesuffix("$").removesuffix("\\Z")


def entered(value: str) -> str:
    """Return a text as Django reads it from a request: what is no UTF-8 is replaced."""
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _sendable(page: str) -> dict[str, str]:
    links = re.findall(r"[?&;]([a-zA-Z_]+)=", page)
    return {**dict.fromkeys(links, ""), **Controls(page).values}


def _undone(request: Any) -> Any:
    """Return the answer of a request whose changes are rolled back."""
    savepoint = transaction.savepoint()
    try:
        return request()
    finally:
        connection.needs_rollback = False
        transaction.savepoint_rollback(savepoint)


def clients_of(users: Mapping[str, Any]) -> dict[str, Client]:
    """Return a client for each user, logged in, and one of a stranger."""
    clients = {"stranger": Client(raise_request_exception=False)}
    for role, user in users.items():
        clients[role] = Client(raise_request_exception=False)
        clients[role].force_login(user)
    return clients


def ids_of(rows: Mapping[str, Any]) -> dict[str, str]:
    """Return the start of each model's routes in the workspace, and the quoted id of its row."""
    return {
        f"admin/{label.replace('.', '/')}/": quote(str(row.pk), safe="")
        for label, row in rows.items()
    }
