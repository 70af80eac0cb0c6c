"""Circuit breaker: stop calling a failed dependency until a probe succeeds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger("leadgen.capture")

Probe = Callable[[], Awaitable[object]]


class CircuitBreaker:
    """Open from ``trip`` until ``probe`` succeeds, then call ``on_close``.

    Probes start at once and back off exponentially from ``pause`` to ``max_pause`` seconds.
    """

    def __init__(
        self,
        probe: Probe,
        on_close: Callable[[], None],
        *,
        pause: float = 0.1,
        max_pause: float = 1.0,
    ) -> None:
        self._probe = probe
        self._on_close = on_close
        self._pause = pause
        self._max_pause = max_pause
        self._prober: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls should fail without a try."""
        return self._prober is not None

    def trip(self) -> None:
        """Open, and probe in the background."""
        if self._prober is None:
            logger.warning("database unavailable, circuit breaker open: writing to the spool")
            self._prober = asyncio.create_task(self._probe_until_success())

    def close(self) -> None:
        """Stop probing."""
        prober, self._prober = self._prober, None
        if prober:
            prober.cancel()

    async def _probe_until_success(self) -> None:
        pause = self._pause
        while not await self._is_available():
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._max_pause)
        logger.info("database available again, circuit breaker closed")
        self._prober = None
        self._on_close()

    async def _is_available(self) -> bool:
        try:
            await self._probe()
        except Exception as error:
            logger.debug("database still unavailable: %s", error)
            return False
        return True
