"""Preloading of live forms, so that they are served when the database is unavailable later."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.forms.newer_versions import resolve
from leadgen.edge.read_pool import ReadPool

logger = logging.getLogger("leadgen.capture")

MAX_FORMS = 1000
# Other processes save forms: their clocks differ, and a row is visible only after its commit.
_OVERLAP = timedelta(minutes=5)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_CHANGED = (
    "SELECT f.id, f.public_id, f.slug, f.allowed_origins, v.id, v.number, v.definition::text,"
    " f.updated_at"
    " FROM forms_form f LEFT JOIN forms_formversion v ON v.id = f.published_id"
    " WHERE f.updated_at > %s ORDER BY v.id IS NULL, f.updated_at DESC LIMIT %s"
)


class FormPreloader:
    """Preload the forms at start, then the changed ones every ``pause`` seconds.

    At most MAX_FORMS forms, the latest ones. While the database is unavailable at the start, try
    again every ``retry`` seconds.
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
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start in the background."""
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        """Stop the background task."""
        task, self._task = self._task, None
        if task:
            task.cancel()

    async def _run(self) -> None:
        pause = self._retry
        while True:
            try:
                await self.refresh()
                pause = self._pause
            except DatabaseUnavailableError:
                logger.debug("database unavailable, forms not preloaded")
            await asyncio.sleep(pause)

    async def refresh(self) -> None:
        """Preload the forms that changed since the last call; raise DatabaseUnavailableError."""
        rows = await self._database.fetch(_CHANGED, [self._since, MAX_FORMS])
        for row in reversed(rows):
            self._forms.preload(await resolve(self._database, row[:7]))
            # Yield to requests: parsing a definition takes 0.1 ms, and there may be a thousand.
            await asyncio.sleep(0)
        if not rows:
            return
        if self._since == _NEVER:
            logger.info("preloaded %d forms", len(rows))
        self._since = min(max(row[7] for row in rows), datetime.now(UTC)) - _OVERLAP
