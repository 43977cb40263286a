"""The parts of a deployment as processes of their own, each of which can be killed and started again."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_connection
from typing import Any

import psycopg

from export_pipelines.cli.dev import programs
from export_pipelines.core.settings import read_settings
from export_pipelines.db.database import Database
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.orchestration.instance import prepare_instance
from export_pipelines_tests import postgres
from export_pipelines_tests.dagster_ui import DagsterUI, free_ports, soon


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Code server, webserver and daemon, and what they work on.

    Attributes:
        environ: what they, and a command line beside them, are told.
        processes: those that run now, by name.
    """

    database: Database
    ui: DagsterUI
    home: Path
    environ: Mapping[str, str]
    dagster_url: str
    commands: Mapping[str, tuple[str, ...]]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start one of them; its log goes on where it was."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name], env=dict(self.environ), stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one of them, at once."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(timeout=60)

    def end(self, name: str, *, seconds: float = 30) -> None:
        """End one of them in order; where that takes too long, it and its children at once."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What our own database holds; the statement may also change it."""
        with psycopg.connect(self.database.libpq_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def runs(self, statement: str) -> list[tuple[Any, ...]]:
        """What Dagster's database holds."""
        with psycopg.connect(self.dagster_url) as connection:
            return connection.execute(statement.encode()).fetchall()


@contextmanager
def started(server: EmbeddedServer, template: str, home: Path, **settings: str) -> Iterator[Parts]:
    """A deployment with the demonstration data; everything is ended with the block, run workers included."""
    with (
        postgres.opened(server, template=template) as database,
        postgres.new_database(server) as dagster,
        free_ports(3) as (ui, serve, code),
    ):
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("EXPORT_", "DAGSTER_"))}
        environ |= {
            "EXPORT_PIPELINES_HOME": str(home),
            "EXPORT_PIPELINES_DATABASE_URL": database.url,
            "EXPORT_PIPELINES_DAGSTER_DATABASE_URL": server.dagster_url(dagster),
            "EXPORT_PIPELINES_DAGSTER_URL": f"http://127.0.0.1:{ui}",
            "EXPORT_PIPELINES_PUBLIC_URL": f"http://127.0.0.1:{serve}",
            "EXPORT_PIPELINES_CODE_SERVER_HOST": "127.0.0.1",
            "EXPORT_PIPELINES_CODE_SERVER_PORT": str(code),
            **settings,
        }
        prepare_instance(read_settings(environ), environ)
        parts = Parts(
            database=database,
            ui=DagsterUI(url=f"http://127.0.0.1:{ui}"),
            home=home,
            environ=environ,
            dagster_url=server.libpq_url(dagster),
            commands={
                each.name: tuple(each.command) for each in programs(ui_port=ui, serve_port=serve, code_port=code)
            },
        )
        try:
            for name, port in (("code-server", code), ("webserver", ui)):
                parts.start(name)
                soon(lambda port=port: answers(port), seconds=150)
            parts.start("daemon")
            yield parts
        finally:
            # The code server last: while others ask it for something it does not end.
            for name in reversed(list(parts.processes)):
                parts.end(name, seconds=5)


def answers(port: int) -> bool:
    with suppress(OSError), create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
