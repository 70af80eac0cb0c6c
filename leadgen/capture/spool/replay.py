"""Replay of the spool: write each object to the ledger once, in the order of the receipts."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django.core.files.storage import default_storage
from django.db import DataError, IntegrityError, connection, transaction

from leadgen.capture.idempotency import MAX_TRIES, Act, beside, is_final, next_step, with_key
from leadgen.capture.ledger.lookup import FIND_BY_KEYS, KnownByKey, known_in
from leadgen.capture.ledger.record import (
    FIND,
    INSERT,
    SubmissionRecord,
    WriteResult,
    WriteStatus,
    encode,
    find_value,
    joined,
    outcomes,
    tombstone,
    undecided_rows,
)
from leadgen.capture.metrics import SPOOL
from leadgen.capture.models import Repeat
from leadgen.capture.nudge import nudge
from leadgen.capture.reasons import ReviewReason
from leadgen.capture.spool import store
from leadgen.lib.telemetry.metrics import DEPENDENCY_ERRORS

logger = logging.getLogger("leadgen.capture")

Matches = Callable[[int, Mapping[str, Any]], bool]
"""Tells from version id and answers whether a submission is of one person."""

BATCH = 100
_THREADS = 8
_LOCK_KEY = 0x5B001


@dataclass(slots=True)
class SpoolErasure:
    """Result of an erasure in the spool: names of objects that are kept, and why."""

    erased: int = 0
    kept: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def replay(*, seconds: float) -> int:
    """Move spooled submissions to the ledger until none is left or ``seconds`` have passed.

    Return the number of moved submissions. An object is deleted after its row is committed; when
    the process is killed in between, the next run finds the row by its receipt (at-least-once). An
    advisory lock admits one run at a time.
    """
    deadline = time.monotonic() + seconds
    store.tidy()
    moved = 0
    for names in _batched(store.waiting(), BATCH):
        count = _move(names)
        if count is None:
            break
        moved += count
        if time.monotonic() > deadline:
            break
    if moved:
        logger.info("submissions replayed from the spool", extra={"rows": moved})
        nudge()
    return moved


def erase(is_theirs: Matches, *, dry_run: bool = False) -> SpoolErasure:
    """Move a person's spooled and parked submissions to the ledger as tombstones.

    ``is_theirs`` tells by version id and answers. No replay runs meanwhile: it would write an
    object that was read before. Raise store.UnavailableError when the storage cannot be listed.
    """
    outcome = SpoolErasure()
    for names in _batched(store.all_names(), BATCH):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
            rows = dict(_theirs(names, is_theirs, outcome))
            refused = {} if dry_run else _restore(list(rows.values()))
        moved = [name for name, row in rows.items() if row.id not in refused]
        outcome.erased += len(moved)
        outcome.kept += [name for name, row in rows.items() if row.id in refused]
        if not dry_run:
            for name in moved:
                default_storage.delete(name)
    return outcome


def _theirs(
    names: Iterable[str], is_theirs: Matches, outcome: SpoolErasure
) -> Iterator[tuple[str, SubmissionRecord]]:
    """Yield the person's objects as tombstones; note what cannot be read."""
    for name in names:
        try:
            row = store.unpack(store.read(name))
        except FileNotFoundError:
            continue
        except store.UnreadableError:
            outcome.unreadable.append(name)
            continue
        if is_theirs(row.version_id, row.answers):
            yield name, tombstone(row)


def _batched(names: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(names)
    while batch := list(islice(iterator, size)):
        yield batch


def _move(names: Sequence[str]) -> int | None:
    """Move one batch; None when another run has the advisory lock."""
    with transaction.atomic(), ThreadPoolExecutor(_THREADS) as threads:
        if not _has_lock():
            return None
        contents = dict(zip(names, threads.map(_content, names), strict=True))
        rows = dict(_readable(contents))
        refused = _restore(list(rows.values()))
    for name in [name for name, row in rows.items() if row.id in refused]:
        _park(name, contents[name] or b"", refused[rows.pop(name).id])
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(_delete, rows))
    return len(rows)


def _has_lock() -> bool:
    with connection.cursor() as cursor:
        # Foreign keys are checked in each statement, where a faulty row can still be isolated.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK_KEY])
        return bool(cursor.fetchone() == (True,))


def _content(name: str) -> bytes | None:
    """Return the object's content; None when it is gone or cannot be read now."""
    try:
        return store.read(name)
    except FileNotFoundError:
        return None
    except Exception as error:  # each storage has errors of its own
        _log_kept(name, error)
        return None


def _delete(name: str) -> None:
    try:
        default_storage.delete(name)
    except Exception as error:
        _log_kept(name, error)


def _log_kept(name: str, error: Exception) -> None:
    """Log a storage error of one object; the run goes on, and the next run tries again."""
    DEPENDENCY_ERRORS.labels("storage").inc()
    logger.error("storage error, object stays in the spool: %s", error, extra={"object": name})


def _readable(contents: dict[str, bytes | None]) -> Iterator[tuple[str, SubmissionRecord]]:
    """Yield the readable submissions by object name; park unreadable objects."""
    for name, content in contents.items():
        if content is None:
            continue
        try:
            yield name, store.unpack(content)
        except store.UnreadableError as error:
            _park(name, content, str(error))


def _restore(rows: Sequence[SubmissionRecord]) -> dict[UUID, str]:
    """Write the rows; return the receipts of rejected rows with the reason."""
    try:
        with transaction.atomic():
            _write(sorted(rows, key=lambda row: row.lock_order))
    except (DataError, IntegrityError) as error:
        if len(rows) == 1:
            return {rows[0].id: type(error).__name__}
        middle = len(rows) // 2
        return _restore(rows[:middle]) | _restore(rows[middle:])
    return {}


def _write(rows: Sequence[SubmissionRecord]) -> None:
    for row, inserted in zip(rows, _insert(rows), strict=True):
        act = Act.of_key(row.idempotency_key)
        outcome = _settle_act(row, act, inserted) if act else inserted
        if outcome.status is WriteStatus.REPEATED:
            SPOOL.labels("repeated").inc()
            _remember(row, outcome.receipt)
        elif outcome.status is WriteStatus.CONFLICT:
            SPOOL.labels("conflicting").inc()
            _insert([_in_review(row)])
        else:
            SPOOL.labels("replayed").inc()


def _insert(rows: Sequence[SubmissionRecord]) -> list[WriteResult]:
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [joined(map(encode, rows))])
        inserted = {receipt for (receipt,) in cursor.fetchall()}
        undecided = undecided_rows(rows, inserted)
        if undecided:
            cursor.execute(FIND, [find_value(undecided)])
        return outcomes(rows, inserted, cursor.fetchall() if undecided else [])


def _settle_act(row: SubmissionRecord, act: Act, outcome: WriteResult) -> WriteResult:
    """Determine the act of a row, as idempotency.write_act does at the edge.

    As write_act does on the edge, but among acts that were received before and after the row.
    """
    current = act
    for _ in range(MAX_TRIES):
        if is_final(outcome, current, act):
            return outcome
        known = _known(row.form_id, act.keys())
        step = next_step(row, act, outcome, known, beside(row.id, known.values()))
        if isinstance(step, WriteResult):
            return step
        if step is None:
            break
        current = step
        (outcome,) = _insert([with_key(row, current.key)])
    (outcome,) = _insert([with_key(row, None)])
    return outcome


def _known(form_id: int, keys: list[str]) -> KnownByKey:
    with connection.cursor() as cursor:
        cursor.execute(FIND_BY_KEYS, [form_id, keys])
        return known_in(cursor.fetchall())


def _remember(row: SubmissionRecord, first: UUID) -> None:
    """Store the second receipt of a submission, because a visitor was given it."""
    Repeat.objects.get_or_create(
        receipt=row.id, defaults={"submission_id": first, "received_at": row.received_at}
    )


def _in_review(row: SubmissionRecord) -> SubmissionRecord:
    """Return the row without its key and in review: the key was used with different content.

    The edge would refuse it with 409, but a spooled submission is acknowledged already.
    """
    reasons = [*row.reasons, ReviewReason.KEY_REUSED.value]
    return msgspec.structs.replace(row, idempotency_key=None, state="quarantined", reasons=reasons)


def _park(name: str, content: bytes, reason: str) -> None:
    try:
        store.park(name, content)
    except Exception as error:
        _log_kept(name, error)
    else:
        SPOOL.labels("parked").inc()
        logger.error("a spooled submission was parked: %s", reason, extra={"object": name})
