"""Many rows quickly: the rows of one real lead, multiplied by SQL.

Columns that are not named here keep what the real rows have, so a new column needs no change.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.benchmarks.site import Site, inside

TABLES = (
    "capture_submission",
    "leads_company",
    "leads_contact",
    "leads_identity",
    "leads_lead",
    "leads_leadsubmission",
    "events_event",
)
# Numbers below belong to the rows that intake made by itself.
_FIRST = 1_000_000_000
_PEOPLE_A_COMPANY = 50

_EMAIL = "'person' || n || '@example.com'"
_PHONE = "'+4474' || lpad((n % 100000000)::text, 8, '0')"
_COMPANY = f"(n / {_PEOPLE_A_COMPANY})"
# Like version 7 of lib.ids: the time first, so that the index grows at its end.
_RECEIPT = (
    "(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || "
    "substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid"
)
_ANSWERS = (
    f"t.answers || jsonb_build_object('email', {_EMAIL}, 'phone', {_PHONE}, "
    f"'company', 'Company ' || {_COMPANY})"
)
_TIMES = {"created_at": "moment", "last_activity_at": "moment", "updated_at": "moment"}
# Each column and what it holds in the n-th copy, which came about at ``moment``.
_COPIES: dict[str, dict[str, str]] = {
    "capture_submission": {
        "id": _RECEIPT,
        "answers": _ANSWERS,
        "idempotency_key": "'planted-' || n",
        "received_at": "moment",
        "processed_at": "moment",
    },
    "leads_contact": _TIMES
    | {
        "id": "n",
        "email": _EMAIL,
        "phone": _PHONE,
        "company_id": _COMPANY,
        "search": f"concat_ws(' ', 'Augusta Example', {_EMAIL}, {_PHONE}, 'Company', {_COMPANY})",
    },
    "leads_identity": {
        "id": "DEFAULT",
        "contact_id": "n",
        "value": f"CASE t.kind WHEN 'email' THEN {_EMAIL} ELSE {_PHONE} END",
    },
    # One lead in twenty is still open.
    "leads_lead": _TIMES
    | {
        "id": "n",
        "contact_id": "n",
        "company_id": _COMPANY,
        "closed_at": "CASE WHEN n % 20 > 0 THEN moment END",
        "first_response_at": "CASE WHEN n % 20 > 0 THEN moment END",
    },
    "leads_leadsubmission": {
        "id": "DEFAULT",
        "lead_id": "n",
        "submission_id": _RECEIPT,
        "created_at": "moment",
    },
    "events_event": {
        "id": "DEFAULT",
        "subject_id": "CASE t.subject_type WHEN 'form' THEN t.subject_id ELSE n::text END",
        "at": "moment",
    },
}
_NOT_YET_WORKED = {
    "id": _RECEIPT,
    "idempotency_key": "'waiting-' || n",
    "state": "'accepted'",
    "received_at": "moment",
    "processed_at": "NULL",
}


@dataclass(frozen=True)
class _Numbers:
    """So many numbers n from ``first`` on, the last one's moment being now."""

    first: int
    count: int
    span: str

    @property
    def rows(self) -> str:
        return (
            f"(SELECT n, now() - interval '{self.span}' * "
            f"(1 - (n - {self.first})::float / {self.count}) AS moment "
            f"FROM generate_series({self.first}, {self.first + self.count - 1}) AS n) AS copies"
        )


def seed(place: Site) -> None:
    """Make the rows that the other functions multiply, and keep them beside the tables."""
    inside(place.environment, "seed")
    for table in TABLES:
        place.database.query(f"CREATE TABLE seed_{table} AS SELECT * FROM {table}")


def grow(place: Site, leads: int, other: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Add so many leads, spread over two years, with all that belongs to them.

    ``other`` names further columns of a table and what they hold in the n-th copy.
    """
    other = other or {}
    with psycopg.connect(place.database.url) as connection:
        # Nothing here needs to survive a crash, and the copies refer to each other rightly.
        connection.execute("SET synchronous_commit = off; SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        with _without_indexes(connection):
            connection.execute(
                "INSERT INTO leads_company (id, name, website, created_at) "
                f"SELECT n, 'Company ' || n, '', now() FROM generate_series({_FIRST} / "
                f"{_PEOPLE_A_COMPANY}, ({_FIRST} + {leads}) / {_PEOPLE_A_COMPANY}) AS n"
            )
            for table, columns in _COPIES.items():
                values = {**columns, **other.get(table, {})}
                _multiply(connection, table, values, _Numbers(_FIRST, leads, "2 years"))
    place.database.query("VACUUM (FREEZE, ANALYZE)")
    place.database.query("CHECKPOINT")


def wait_for_intake(place: Site, first: int, count: int, *, repeated: int = 0) -> None:
    """Add so many submissions that intake has yet to work, numbered from ``first``.

    Each fifth is of the person before it, and each second one has no phone number. With
    ``repeated`` 0 that person is the last one of a batch and the first one of the next.
    """
    columns = {**_NOT_YET_WORKED, "answers": _answers(repeated)}
    with psycopg.connect(place.database.url) as connection:
        _multiply(connection, "capture_submission", columns, _Numbers(first, count, "1 minute"))


def _answers(repeated: int) -> str:
    person = f"'visitor' || (n - (n % 5 = {repeated})::int) || '@example.com'"
    return (
        f"CASE WHEN n % 2 = 0 THEN {_ANSWERS} ELSE ({_ANSWERS}) - 'phone' END || "
        f"jsonb_build_object('email', {person})"
    )


def _multiply(
    connection: psycopg.Connection[Any], table: str, columns: dict[str, str], numbers: _Numbers
) -> None:
    names = [name for name in _names(connection, table) if columns.get(name) != "DEFAULT"]
    values = [columns.get(name, f"t.{name}") for name in names]
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} "
        f"FROM {numbers.rows}, seed_{table} AS t"
    )
    connection.execute(statement.encode())


def _names(connection: psycopg.Connection[Any], table: str) -> list[str]:
    return [
        column.name
        for column in connection.execute(f"SELECT * FROM {table} LIMIT 0".encode()).description
        or ()
    ]


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Build the indexes that no constraint needs once, at the end: much quicker."""
    held = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
        [list(TABLES)],
    ).fetchall()
    for name, _ in held:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    for _, definition in held:
        connection.execute(definition.encode())
