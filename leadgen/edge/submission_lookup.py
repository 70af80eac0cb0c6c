"""Look-up of submissions by their idempotency keys over the edge's pool."""

from collections.abc import Collection

from leadgen.capture.ledger.lookup import FIND_BY_KEYS, KnownByKey, known_in
from leadgen.edge.read_pool import ReadPool


class KnownSubmissions:
    """Port ``Lookup`` of capture.submit over the edge's pool; one statement a call."""

    def __init__(self, database: ReadPool) -> None:
        self._database = database

    async def by_keys(self, form_id: int, keys: Collection[str]) -> KnownByKey:
        """Return the form's submissions by key; raise DatabaseUnavailableError."""
        return known_in(await self._database.fetch(FIND_BY_KEYS, [form_id, list(keys)]))
