"""The server: waitress, with a thread for every request that may wait."""

from __future__ import annotations

import logging
import socket
import threading
from types import TracebackType

import flask
from waitress.server import create_server
from waitress.wasyncore import close_all

from genrenet.web.errors import ServeError
from genrenet.web.service import Service

SPARE = 16
"""Threads for the page, completion and players while songs are in progress or waiting."""


class Server:
    """A server of an application; use it in a ``with`` statement, or call `run`.

    Parameters
    ----------
    app : Flask
        From `genrenet.web.app.create_app`.
    host : str
    port : int, 0 <= port <= 65535
        0 selects a free one.

    Attributes
    ----------
    url : str
        Its address.

    Raises
    ------
    ServeError
        The server cannot listen at the address.
    """

    def __init__(self, app: flask.Flask, host: str = "127.0.0.1", port: int = 0) -> None:
        service: Service = app.config["SERVICE"]
        turns = self._turns = service.scoring.turns
        threads = turns.at_once + turns.limit + SPARE
        # Its warning about more tasks than threads does not apply here.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._socket = _bound(host, port)
        self.port = int(self._socket.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/"
        self._server = create_server(
            app,
            sockets=[self._socket],
            threads=threads,
            connection_limit=threads + 512,
            backlog=1024,
            # Very large requests are rejected before they are read; others by the application.
            max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + (1 << 20),
            # Detects clients that leave while they wait.
            channel_request_lookahead=4,
            channel_timeout=300,
            asyncore_use_poll=True,
            ident="genrenet",
        )
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve until the process is interrupted."""
        try:
            # The server's own loop would wait for clients at its end.
            self._server.asyncore.loop(timeout=1, map=self._server._map, use_poll=True)
        except (SystemExit, KeyboardInterrupt):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Stop, and close the connections of clients that keep them open."""
        self._turns.close()
        close_all(self._server._map, ignore_all=True)
        self._server.task_dispatcher.shutdown(timeout=5)

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            # Only the thread of the connections may close them while it runs.
            self._server.trigger.pull_trigger(lambda: close_all(self._server._map, ignore_all=True))
            self._thread.join(10)
        self.close()


def check_address(host: str, port: int) -> None:
    """Check that a server could listen at an address now.

    Raises
    ------
    ServeError
        It could not.
    """
    _bound(host, port).close()


def _bound(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except (OSError, OverflowError) as error:
        raise ServeError(
            f"cannot serve at {host}, port {port}",
            found=getattr(error, "strerror", None) or str(error),
            remedy="choose another --port or --host",
        ) from error
    return bound
