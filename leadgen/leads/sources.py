"""Sources of leads: the distinct values that the lead list can be filtered by."""

from django.db import connection

# A loose index scan: one look into the index lead_by_source for each source there is, instead of
# DISTINCT over every lead.
_SOURCES = """
    WITH RECURSIVE found(source) AS (
        (SELECT source FROM leads_lead ORDER BY source LIMIT 1)
        UNION ALL
        SELECT (SELECT l.source FROM leads_lead l WHERE l.source > found.source
                ORDER BY l.source LIMIT 1)
        FROM found WHERE found.source IS NOT NULL
    )
    SELECT source FROM found WHERE source <> '' LIMIT %s
"""


def distinct_sources(*, limit: int) -> list[str]:
    """Return the sources that leads have, in order of the alphabet, ``limit`` at most."""
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES, [limit])
        return [source for (source,) in cursor.fetchall()]
