"""Reads the forms on the air before the first visitor asks: an outage may come in between."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.forms.newer_versions import resolve
from leadgen.edge.read_pool import ReadPool

logger = logging.getLogger("leadgen.capture")

MOST = 1000
# Forms are saved by other processes, on other clocks, and seen when their transaction ends.
_OVERLAP = timedelta(minutes=5)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_CHANGED = (
    "SELECT f.id, f.public_id, f.slug, f.allowed_origins, v.id, v.number, v.definition::text,"
    " f.updated_at"
    " FROM forms_form f LEFT JOIN forms_formversion v ON v.id = f.published_id"
    " WHERE f.updated_at > %s ORDER BY v.id IS NULL, f.updated_at DESC LIMIT %s"
)


class FormPreloader:
    """Reads the forms as soon as the database answers, then every ``pause`` what has changed.

    The latest MOST forms only; the others are known once they were asked for. Times in seconds.
    """

    def __init__(
        self,
        database: ReadPool,
        forms: FormCache,
        *,
        pause: float = 30.0,
        retry: float = 1.0,
    ) -> None:
        self._database = database
        self._forms = forms
        self._pause = pause
        self._retry = retry
        self._since = _NEVER
        self._following: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin in the background; nobody waits for it."""
        self._following = asyncio.create_task(self._follow())

    def close(self) -> None:
        """Stop."""
        following, self._following = self._following, None
        if following:
            following.cancel()

    async def _follow(self) -> None:
        pause = self._retry
        while True:
            try:
                await self.look()
                pause = self._pause
            except DatabaseUnavailableError:
                logger.debug("the forms on the air cannot be read ahead")
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Take in what has changed since the last look; may raise DatabaseAwayError."""
        rows = await self._database.fetch(_CHANGED, [self._since, MOST])
        for row in reversed(rows):
            self._forms.foresee(await resolve(self._database, row[:7]))
            # Reading a definition takes 0.1 ms: visitors get their turn between two of a thousand.
            await asyncio.sleep(0)
        if not rows:
            return
        if self._since == _NEVER:
            logger.info("%d forms are known ahead", len(rows))
        self._since = min(max(row[7] for row in rows), datetime.now(UTC)) - _OVERLAP
