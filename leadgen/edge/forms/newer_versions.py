"""Resolution of form versions that are too new for this release (ADR 0025)."""

from leadgen.edge.read_pool import ReadPool
from leadgen.forms.format.reader import read_text
from leadgen.forms.newer import FormRow

# Definitions read by one look-up, of about 4 kB each.
MAX_EARLIER_VERSIONS = 20
_EARLIER = (
    "SELECT id, number, definition::text FROM forms_formversion "
    "WHERE form_id = %s AND number < %s ORDER BY number DESC LIMIT %s"
)

Resolved = tuple[FormRow, FormRow | None]
"""The row of the version looked up, and that of the version to serve, or None."""


async def resolve(database: ReadPool, row: FormRow) -> Resolved:
    """Return the row with the newest version, up to its own, that this release understands.

    A row without a version is returned unchanged. Raise DatabaseUnavailableError.
    """
    if row[4] is None or read_text(row[6]).is_understood:
        return row, row
    for version in await database.fetch(_EARLIER, [row[0], row[5], MAX_EARLIER_VERSIONS]):
        if read_text(version[2]).is_understood:
            return row, (*row[:4], *version, *row[7:])
    return row, None
