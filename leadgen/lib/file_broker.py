"""File-system broker: kombu's transport with atomic writes, for one machine.

kombu writes a message in place, so a reader can get it while it is empty, which ends a worker
(celery/kombu#1551). Here every file is written under a temporary name and then renamed.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """kombu's channel with atomic writes; reading, moving and acknowledging are kombu's."""

    # kombu's own classes disagree on this signature.
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        _write_atomically(Path(self.data_folder_out) / name, dumps(payload))

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str
    ) -> None:
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with _locked(Path(self.control_folder) / ".lock"):
            table = self.get_table(exchange)
            if binding not in table:
                file = Path(self.control_folder) / f"{exchange}.exchange"
                _write_atomically(file, dumps([binding, *table]))


class Transport(filesystem.Transport):
    Channel = Channel


def register() -> None:
    """Register this transport for ``filesystem://`` in this process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"


def _write_atomically(path: Path, text: str) -> None:
    # The leading dot hides the file from readers, who look for <anything>.<queue>.msg.
    temporary = path.parent / f".{uuid.uuid4()}"
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise ChannelError(f"Cannot write {path}: {error.strerror}.") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
