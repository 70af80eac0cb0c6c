"""Serve the last understood version of a form whose published version is newer (ADR 0025)."""

from leadgen.edge.read_pool import ReadPool
from leadgen.forms.format.reader import read_text
from leadgen.forms.newer import FormRow

# One look-up reads at most this many definitions, of some 4 kB each.
MOST_EARLIER = 20
_EARLIER = (
    "SELECT id, number, definition::text FROM forms_formversion "
    "WHERE form_id = %s AND number < %s ORDER BY number DESC LIMIT %s"
)

"""Form id, public id, slug, origins, version id, number, definition as text; is it published?"""
Resolved = tuple[FormRow, FormRow | None]
"""The row of the version looked up, and of the version to serve; None where none is understood."""


async def resolve(database: ReadPool, row: FormRow) -> Resolved:
    """Find the newest version, from this one back, that this release understands.

    A row without a version is returned as it is. Raise DatabaseAwayError.
    """
    if row[4] is None or read_text(row[6]).is_understood:
        return row, row
    for version in await database.fetch(_EARLIER, [row[0], row[5], MOST_EARLIER]):
        if read_text(version[2]).is_understood:
            return row, (*row[:4], *version, *row[7:])
    return row, None
