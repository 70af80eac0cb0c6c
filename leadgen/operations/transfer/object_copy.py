"""Objects and spooled submissions from the old storage to the new one, nothing left behind."""

from uuid import UUID

from django.core.files.storage import Storage

from leadgen.capture.spool import store
from leadgen.operations.transfer import objects
from leadgen.operations.transfer.errors import VerificationError
from leadgen.operations.transfer.tables import Connection

_KNOWN = """
SELECT id FROM capture_submission WHERE id = ANY (%(asked)s)
UNION ALL SELECT receipt FROM capture_repeat WHERE receipt = ANY (%(asked)s)
"""


def copy_objects(source: Storage, target: Storage) -> tuple[int, int]:
    """Make the target hold what the source does, the spool left out; return (copied, bytes)."""
    wanted = set(objects.names(source, spooled=False))
    held = set(objects.names(target, spooled=False))
    for name in held - wanted:
        target.delete(name)
    entries = list(objects.copy_all(source, target, sorted(wanted - held)))
    return len(entries), sum(entry.size for entry in entries)


def copy_spool(source: Storage, target: Storage, ledger: Connection) -> int:
    """Copy every spooled submission that the target's ledger does not hold; return how many.

    The source keeps its own: until the old deployment is given up it can go on.
    """
    waiting = set(objects.names(source, store.FOLDER, spooled=True))
    waiting -= set(objects.names(target, store.FOLDER, spooled=True))
    return len(list(objects.copy_all(source, target, _unknown(sorted(waiting), ledger))))


def verify_spool(source: Storage, target: Storage, ledger: Connection) -> int:
    """Return how many the source's spool has; raise DifferentError for one that is nowhere else."""
    waiting = list(objects.names(source, store.FOLDER, spooled=True))
    # The target's spool first: what is replayed meanwhile is in its ledger.
    held = {_last(name) for name in objects.names(target, store.FOLDER, spooled=True)}
    nowhere = [name for name in waiting if _last(name) not in held]
    if lost := _unknown(nowhere, ledger):
        raise VerificationError(
            f"{len(lost)} spooled submissions did not arrive, such as {lost[0]}."
        )
    return len(waiting)


def _unknown(names: list[str], ledger: Connection) -> list[str]:
    receipts = {name: receipt for name in names if (receipt := _receipt(name))}
    found = ledger.execute(_KNOWN, {"asked": list(receipts.values())}).fetchall()
    known = {receipt for (receipt,) in found}
    return [name for name in names if receipts.get(name) not in known]


def _receipt(name: str) -> UUID | None:
    try:
        return UUID(_last(name)[:36])
    except ValueError:
        return None


def _last(name: str) -> str:
    return name.rpartition("/")[2]
