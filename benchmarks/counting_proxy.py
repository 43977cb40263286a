"""A TCP proxy that counts: whatever a client library does, what crosses the wire is what it moved."""

import socket
import threading
from types import TracebackType
from typing import Self

_CHUNK = 1 << 16


class CountingProxy:
    """Listens on loopback and passes everything on, both ways, while the block lasts.

    Attributes:
        port: where it listens.
        bytes: what has passed, both ways together.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.bytes = 0
        self._target = target
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="counting proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                # The block is over.
                return
            server = socket.create_connection(self._target)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(_CHUNK):
                # Before it is sent: whoever gets an answer finds it counted.
                with self._lock:
                    self.bytes += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # One side hung up, which the other notices by itself.
            return
