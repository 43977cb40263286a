"""``export-pipelines dev``: Dagster UI, daemon, code server and download service, side by side."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from export_pipelines.cli import console, session
from export_pipelines.cli.processes import Family, Program
from export_pipelines.db import migrate
from export_pipelines.orchestration.instance import prepare_instance, project_file

HOST = "127.0.0.1"
READY_SECONDS = 90.0


def run_all(*, ui_port: int, serve_port: int, code_port: int) -> None:
    """Start everything, print the addresses, and run until Ctrl-C or until a part ends.

    Raises:
        ValidationError: a port is taken.
        WorkError: a part ended by itself; the message holds the end of its log.
    """
    chosen = session.settings()
    with session.database() as database:
        migrate.upgrade(database)
    environ = dict(os.environ)
    prepare_instance(chosen, environ)
    environ |= {
        "EXPORT_PIPELINES_HOME": str(chosen.home),
        "EXPORT_PIPELINES_CODE_SERVER_HOST": HOST,
        "EXPORT_PIPELINES_CODE_SERVER_PORT": str(code_port),
        "EXPORT_PIPELINES_PUBLIC_URL": os.environ.get("EXPORT_PIPELINES_PUBLIC_URL", f"http://{HOST}:{serve_port}"),
    }
    family = Family(environ=environ, logs=chosen.home / "logs")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for program in programs(ui_port=ui_port, serve_port=serve_port, code_port=code_port):
            family.start(program)
        console.notes.print("starting ...")
        family.wait_ready(seconds=READY_SECONDS)
        console.print_fields(
            {
                "Dagster UI": f"http://{HOST}:{ui_port}",
                "downloads": f"http://{HOST}:{serve_port}",
                "logs": chosen.home / "logs",
            }
        )
        console.out.print("Ctrl-C stops all")
        family.wait()
    except KeyboardInterrupt:
        console.notes.print("stopping ...")
    finally:
        family.stop()


def programs(*, ui_port: int, serve_port: int, code_port: int) -> tuple[Program, ...]:
    """The four parts, as docker/compose.yaml starts them too."""
    scripts = Path(sys.executable).parent
    workspace = str(project_file("workspace.yaml"))
    return (
        Program(
            name="code-server",
            command=(
                str(scripts / "dagster"),
                "code-server",
                "start",
                "--host",
                HOST,
                "--port",
                str(code_port),
                "--module-name",
                "export_pipelines.definitions",
            ),
            port=code_port,
        ),
        Program(
            name="webserver",
            command=(str(scripts / "dagster-webserver"), "--host", HOST, "--port", str(ui_port), "-w", workspace),
            port=ui_port,
        ),
        Program(name="daemon", command=(str(scripts / "dagster-daemon"), "run", "-w", workspace)),
        Program(
            name="serve",
            command=(str(scripts / "export-pipelines"), "serve", "--host", HOST, "--port", str(serve_port)),
            port=serve_port,
        ),
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
