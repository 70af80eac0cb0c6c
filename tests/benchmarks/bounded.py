"""Delete pages and bulk acts at 200,000 leads: each within 1 second and 50 MB."""

import json
import time
from collections.abc import Iterator
from typing import Any

from dev.console import say
from tests.benchmarks import planting
from tests.benchmarks.bounded_act import ACTS
from tests.benchmarks.ground import Ground
from tests.benchmarks.results import Result
from tests.benchmarks.site import Site, inside

LEADS = 200_000
_SECONDS, _MEGABYTES = 1.0, 50.0
_FIRST = 1_000_000_000
# A thousand of everything that an act may take, and more than that of everything else.
_PREPARE = (
    "INSERT INTO accounts_team (name, created_at) VALUES ('Small', now())",
    "INSERT INTO leads_campaign (name, utm_campaign, currency, created_at) "
    "VALUES ('Small', 'small', 'EUR', now())",
    "INSERT INTO leads_company (name, website, created_at) VALUES ('Small', '', now()), "
    "('Thousand', '', now()), ('Large', '', now())",
    "UPDATE leads_lead SET source = 'thousand', campaign_id = (SELECT id FROM leads_campaign "
    "WHERE name = 'Small'), team_id = (SELECT id FROM accounts_team WHERE name = 'Small') "
    f"WHERE id >= {_FIRST} AND id < {_FIRST} + 1000",
    "UPDATE leads_lead SET company_id = (SELECT id FROM leads_company WHERE name = 'Small') "
    f"WHERE id >= {_FIRST} AND id < {_FIRST} + 400",
    *(
        "UPDATE leads_contact SET company_id = "
        f"(SELECT id FROM leads_company WHERE name = '{name}') "
        f"WHERE id >= {_FIRST} + {first} AND id < {_FIRST} + {last}"
        for name, first, last in (
            ("Small", 0, 400),
            ("Thousand", 1_000, 2_000),
            ("Large", 10_000, 15_000),
        )
    ),
    "INSERT INTO leads_task (lead_id, title, owner_id, created_at) SELECT id, 'Call back', "
    "CASE WHEN id % 200 = 0 THEN (SELECT id FROM accounts_user WHERE email = 'act@example.com') "
    "ELSE owner_id END, now() FROM leads_lead WHERE id % 2 = 0",
    "UPDATE capture_submission SET state = 'quarantined', reasons = '{honeypot}' "
    "WHERE state = 'accepted' AND substr(idempotency_key, 9)::bigint % 2 = 0",
    "UPDATE capture_submission SET parked_at = now(), attempts = 5, last_error = 'DataError' "
    "WHERE state = 'accepted'",
)


def run(ground: Ground, rounds: int) -> Iterator[Result]:
    """Yield seconds and megabytes of each act; every one is rolled back."""
    place = ground.grown(LEADS)
    _prepare(place)
    for name in ACTS:
        found = [_measured(place, name) for _ in range(rounds)]
        beside = {key: found[0][key] for key in ("cpu", "statements", "said")}
        seconds = [each["seconds"] for each in found]
        yield Result("bounded", name, seconds, unit="s", at_most=_SECONDS, detail=beside)
        megabytes = [each["megabytes"] for each in found]
        yield Result("bounded", f"{name}, memory", megabytes, unit="MB", at_most=_MEGABYTES)


def _measured(place: Site, name: str) -> dict[str, Any]:
    lines = inside(place.environment, "bounded_act", name).splitlines()
    figures: dict[str, Any] = json.loads(lines[-1])  # above it stands what was logged
    say(f"{name}: {figures}")
    return figures


def _prepare(place: Site) -> None:
    started = time.monotonic()
    inside(place.environment, "bounded_act", "prepare")
    planting.wait_for_intake(place, _FIRST + 10 * LEADS, 2_000)
    for statement in _PREPARE:
        place.database.query(statement)
    place.database.query("VACUUM (ANALYZE)")
    say(f"Prepared in {time.monotonic() - started:.0f} s.")
