"""Copy of objects and spooled submissions from the old storage to the new one."""

from uuid import UUID

from django.core.files.storage import Storage

from leadgen.capture.spool import store
from leadgen.operations.transfer import objects
from leadgen.operations.transfer.errors import VerificationError
from leadgen.operations.transfer.tables import Connection

_KNOWN = """
SELECT id FROM capture_submission WHERE id = ANY (%(receipts)s)
UNION ALL SELECT receipt FROM capture_repeat WHERE receipt = ANY (%(receipts)s)
"""


def copy_objects(source: Storage, target: Storage) -> tuple[int, int]:
    """Make the target equal to the source, without the spool; return (copied objects, bytes)."""
    wanted = set(objects.names(source, spooled=False))
    existing = set(objects.names(target, spooled=False))
    for name in existing - wanted:
        target.delete(name)
    entries = list(objects.copy_all(source, target, sorted(wanted - existing)))
    return len(entries), sum(entry.size for entry in entries)


def copy_spool(source: Storage, target: Storage, ledger: Connection) -> int:
    """Copy the spooled submissions that are not in the target's ledger; return their number.

    The source keeps its objects, so the old deployment can continue after a cancelled move.
    """
    waiting = set(objects.names(source, store.FOLDER, spooled=True))
    waiting -= set(objects.names(target, store.FOLDER, spooled=True))
    return len(list(objects.copy_all(source, target, _unknown(sorted(waiting), ledger))))


def verify_spool(source: Storage, target: Storage, ledger: Connection) -> int:
    """Return the size of the source's spool; raise VerificationError for a lost submission."""
    waiting = list(objects.names(source, store.FOLDER, spooled=True))
    # The target's spool first: objects replayed meanwhile are in its ledger.
    spooled = {_file_name(name) for name in objects.names(target, store.FOLDER, spooled=True)}
    not_spooled = [name for name in waiting if _file_name(name) not in spooled]
    if lost := _unknown(not_spooled, ledger):
        raise VerificationError(
            f"{len(lost)} spooled submissions are missing in the target, for example {lost[0]}."
        )
    return len(waiting)


def _unknown(names: list[str], ledger: Connection) -> list[str]:
    receipts = {name: receipt for name in names if (receipt := _receipt(name))}
    rows = ledger.execute(_KNOWN, {"receipts": list(receipts.values())}).fetchall()
    known = {receipt for (receipt,) in rows}
    return [name for name in names if receipts.get(name) not in known]


def _receipt(name: str) -> UUID | None:
    try:
        return UUID(_file_name(name)[:36])
    except ValueError:
        return None


def _file_name(name: str) -> str:
    return name.rpartition("/")[2]
