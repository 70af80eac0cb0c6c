"""Stops asking a dependency that has failed, until a probe finds it well again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger("leadgen.capture")

Probe = Callable[[], Awaitable[object]]


class CircuitBreaker:
    """Open from a fault until ``probe`` succeeds; it asks at once, then with growing pauses."""

    def __init__(
        self,
        probe: Probe,
        on_close: Callable[[], None],
        *,
        pause: float = 0.1,
        longest: float = 1.0,
    ) -> None:
        self._probe = probe
        self._on_close = on_close
        self._pause = pause
        self._longest = longest
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody should ask now."""
        return self._watch is not None

    def trip(self) -> None:
        """Open, and watch for the return in the background."""
        if self._watch is None:
            logger.warning("the database is away: submissions go to the spool")
            self._watch = asyncio.create_task(self._until_back())

    def close(self) -> None:
        """Stop watching."""
        watch, self._watch = self._watch, None
        if watch:
            watch.cancel()

    async def _until_back(self) -> None:
        pause = self._pause
        while not await self._answers():
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._longest)
        logger.info("the database is back")
        self._watch = None
        self._on_close()

    async def _answers(self) -> bool:
        try:
            await self._probe()
        except Exception as error:
            logger.debug("still away: %s", error)
            return False
        return True
