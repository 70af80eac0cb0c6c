"""What stands between Leadgen and PostgreSQL, and turns bad in the middle of a conversation."""

import socket
import struct
import threading
from contextlib import contextmanager, suppress

RESET = struct.pack("ii", 1, 0)  # linger for no time: close with a reset


class Meddler:
    """Passes bytes on in both directions until ``meddle`` is called with what has come so far.

    It returns True to pass on what has come; False ends that direction.
    """

    def __init__(self, upstream, meddle):
        self._upstream, self._meddle = upstream, meddle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.port = self._listener.getsockname()[1]

    def serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            for run in (self._to_server, self._to_client):
                threading.Thread(target=run, args=(client, server), daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _connect(self):
        host, port = self._upstream
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _to_server(self, client, server):
        received = 0
        with client, server:
            while piece := _received(client):
                received += len(piece)
                if not self._meddle(client, piece, received):
                    break
                server.sendall(piece)
            # Closing alone would not wake the other direction, and the server would wait for ever.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)

    def _to_client(self, client, server):
        while piece := _received(server):
            try:
                client.sendall(piece)
            except OSError:
                return


def _received(end):
    try:
        return end.recv(8192)
    except OSError:
        return b""


@contextmanager
def between(parameters, upstream, meddle):
    """Yield the parameters of a connection that goes through a Meddler."""
    meddler = Meddler(upstream, meddle)
    threading.Thread(target=meddler.serve, daemon=True).start()
    yield {**parameters, "host": "127.0.0.1", "port": meddler.port, "sslmode": "disable"}
    meddler.close()
