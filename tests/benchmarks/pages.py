"""Statements of lists, searches, home and delete pages at a million leads, for each role.

Each statement may take at most 100 ms and 2,000 buffers, a delete page at most 1 second.
"""

import json
from collections.abc import Iterator
from typing import Any

from dev.console import say
from tests.benchmarks import planting
from tests.benchmarks.ground import LARGE, Ground
from tests.benchmarks.results import Result
from tests.benchmarks.site import Site, inside

_MILLISECONDS, _BUFFERS, _PAGE_SECONDS = 100.0, 2_000.0, 1.0
_ROLES = ("admin", "sales_manager", "sales_rep", "marketer", "viewer")
_FIRST_NAMES = "ARRAY['Anna','Bernd','Jürgen','José','Łukasz','Zoé','Ömer','Siobhan']"
_NAME = f"({_FIRST_NAMES})[n % 8 + 1] || ' Family' || n % 5000"
_OWNER = "(SELECT id FROM benchmark_people WHERE place = n / 20 % 60)"
# One open lead in two hundred has no owner and one in seven of the closed ones is won.
_LEAD = {
    "owner_id": f"CASE WHEN n % 4000 = 2000 THEN NULL ELSE {_OWNER} END",
    "team_id": "(SELECT team_id FROM benchmark_people WHERE place = n / 20 % 60)",
    "stage_id": "CASE WHEN n % 20 = 0 THEN (SELECT id FROM benchmark_stages WHERE place = n / 20 "
    "% 2) ELSE (SELECT id FROM benchmark_stages WHERE place = 2 + (n % 7 > 0)::int) END",
    "source": "(ARRAY['newsletter','google','bing','linkedin','direct'])[n / 7 % 5 + 1]",
    "status": "CASE WHEN n % 20 = 0 THEN 'assigned' WHEN n % 7 = 0 THEN 'converted' "
    "ELSE 'disqualified' END",
}
# Half of the open leads are answered.
_LEAD["first_response_at"] = (
    "CASE WHEN n % 20 > 0 OR n % 40 = 0 THEN moment + interval '4 hours' END"
)
_CONTACT = {
    "name": _NAME,
    "search": f"concat_ws(' ', {_NAME}, 'person' || n || '@example.com', "
    "'+4474' || lpad((n % 100000000)::text, 8, '0'), 'Company ' || (n / 50))",
}
_BEFORE = (
    "CREATE TABLE benchmark_people AS SELECT id, team_id, row_number() OVER (ORDER BY id) - 1 "
    "AS place FROM accounts_user WHERE email ~ '^pages[0-9]'",
    "CREATE TABLE benchmark_stages AS SELECT id, row_number() OVER (ORDER BY position) - 1 "
    "AS place FROM leads_stage",
    "ANALYZE",
)
_AFTER = (
    "INSERT INTO leads_task (lead_id, title, owner_id, due_at, done_at, created_at) SELECT id, "
    "'Call back ' || id % 1000, owner_id, created_at + interval '3 days', "
    "CASE WHEN id % 10 > 0 THEN created_at END, created_at FROM leads_lead WHERE id % 2 = 0",
    "UPDATE capture_submission SET state = 'quarantined', reasons = '{honeypot}' "
    "WHERE idempotency_key LIKE 'planted-%0000' OR idempotency_key LIKE 'planted-%9900'",
    "DROP TABLE benchmark_people, benchmark_stages",
    "VACUUM (ANALYZE)",
)


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield the worst statement of each page for each role, by time and by buffers."""
    with ground.site("pages") as place:
        prepare(place)
        for role in _ROLES:
            yield from _of_role(place, role)


def prepare(place: Site, leads: int = LARGE) -> None:
    """Plant the leads of sixty reps in six teams."""
    say(f"Planting {leads:,} leads of 60 people …")
    inside(place.environment, "pages_visit", "people")
    for statement in _BEFORE:
        place.database.query(statement)
    planting.seed(place)
    planting.grow(place, leads, {"leads_lead": _LEAD, "leads_contact": _CONTACT})
    for statement in _AFTER:
        place.database.query(statement)


def _of_role(place: Site, role: str) -> Iterator[Result]:
    for visit in visits(place, role):
        name, about = f"{visit['page']}, {role}", {"statement": visit["slowest"]}
        yield Result(
            "pages", name, [visit["milliseconds"]], "ms", at_most=_MILLISECONDS, detail=about
        )
        about = {"statement": visit["largest"]}
        yield Result(
            "pages", f"{name}, buffers", [visit["buffers"]], "", at_most=_BUFFERS, detail=about
        )
        if "delete" in visit["page"]:
            seconds = [visit["seconds"]]
            yield Result("pages", f"{name}, page", seconds, "s", at_most=_PAGE_SECONDS)


def visits(place: Site, role: str, *only: str) -> list[dict[str, Any]]:
    """Return the figures of each page for a role; ``only`` narrows the pages by their names."""
    lines = inside(place.environment, "pages_visit", role, *only).splitlines()
    # Between them stands what was logged.
    return [json.loads(line) for line in lines if line.startswith('{"page"')]
