"""Running the web application until somebody ends it."""

import errno
import logging
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from export_pipelines.core.errors import ValidationError
from export_pipelines.web import log_lines
from export_pipelines.web.protocol import Connection
from export_pipelines.web.watching.watch import Watch

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30
"""How long downloads under way may go on after we were told to end; supervisors commonly kill after that."""
STALLED_SECONDS = 300
"""A client that takes no byte for so long has gone; it can continue later with a Range request."""
_BACKLOG = 2048


def serve(app: ASGIApp, *, host: str, port: int, log_format: str = "text") -> None:
    """Serve until Ctrl-C or SIGTERM, then let downloads under way finish, for a while.

    Args:
        app: the application.
        host: address to listen on.
        port: 0 takes any free one.
        log_format: ``text`` or ``json`` lines on standard error.

    Raises:
        ValidationError: the address cannot be listened on; nothing was started.
    """
    listener = listen(host, port)
    log_lines.configure(log_format)
    logger.info("listening address=%s port=%d", host, listener.getsockname()[1])
    # Ctrl-C is the way to end it, and no error.
    with listener, suppress(KeyboardInterrupt):
        server(app).run(sockets=[listener])


def server(app: ASGIApp) -> uvicorn.Server:
    """The server, not started yet."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        # The paths it would log hold tokens; web.access writes lines of its own.
        access_log=False,
        server_header=False,
        # An address in the audit is the one that connected, not one that a header claims.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """Also ends what would go on for ever: event streams, whose clients come back to whoever serves next."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let downloads finish, but not streams."""
        watch = getattr(getattr(self.config.app, "state", None), "watch", None)
        if isinstance(watch, Watch):
            watch.end()
        await super().shutdown(sockets)
        if isinstance(watch, Watch):
            await watch.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        ValidationError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # A name that does not resolve comes as an OSError, too.
        raise ValidationError(_cannot_listen(host, port, error)) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections inherit it: the kernel drops those that take nothing.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_SECONDS * 1000)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken; choose another with --port, or stop what uses it."
    return f"Cannot listen on port {port} of {host}: {error.strerror}. Choose others with --host and --port."
