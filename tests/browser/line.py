"""A TCP relay in front of a server, whose connection a test can cut and restore."""

import socket
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit


class Line:
    """A relay on a port of its own; while it is cut, connections are refused.

    While it is mute, requests arrive and their answers are lost.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._port = 0
        self.is_mute = False
        self.restore()
        self.url = f"http://127.0.0.1:{self._port}"

    def restore(self) -> None:
        """Accept connections; also the start."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            self._port = self._listener.getsockname()[1]
            Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and end those that are open."""
        if self._listener:
            # close() alone leaves a thread in accept(), and the port open.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                for way in ((near, far, False), (far, near, True)):
                    Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        self._open.add(source)
        with suppress(OSError):
            while (data := source.recv(65_536)) and not (self.is_mute and is_answer):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
