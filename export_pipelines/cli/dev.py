"""``export-pipelines dev``: Dagster UI, daemon, code server and web service, side by side."""

import os
import sys
from pathlib import Path

from export_pipelines.cli import console, session
from export_pipelines.cli.processes import HOST, Family, Program, require_free
from export_pipelines.core.settings import Settings
from export_pipelines.db import migrate
from export_pipelines.orchestration.instance import prepare_instance, project_file

READY_SECONDS = 120.0
"""Usually five to ten; a laptop that does other things at the same time may need more."""


def run_all(*, ui_port: int, serve_port: int, code_port: int) -> None:
    """Start everything, print the addresses, and run until Ctrl-C or until a part ends.

    Raises:
        ValidationError: a port is taken.
        WorkError: a part ended by itself; the message holds the end of its log.
    """
    parts = programs(ui_port=ui_port, serve_port=serve_port, code_port=code_port)
    require_free(parts)
    chosen = session.settings()
    console.notes.print("starting ...")
    with session.database() as database:
        migrate.upgrade(database)
    environ = environment(chosen, ui_port=ui_port, serve_port=serve_port, code_port=code_port)
    try:
        with Family(environ=environ, logs=chosen.home / "logs") as family:
            family.start(parts, seconds=READY_SECONDS)
            console.print_fields(
                {
                    "Dagster UI": f"http://{HOST}:{ui_port}",
                    "exports page": environ["EXPORT_PIPELINES_PUBLIC_URL"],
                    "logs": chosen.home / "logs",
                }
            )
            console.out.print("Ctrl-C stops all.")
            family.watch()
    except KeyboardInterrupt:
        console.notes.print("stopped")
        if chosen.database_url is None:
            console.notes.print(
                "The embedded PostgreSQL keeps running; `export-pipelines db stop` ends it.", markup=False
            )


def environment(chosen: Settings, *, ui_port: int, serve_port: int, code_port: int) -> dict[str, str]:
    """What the four parts are told: ours, and what makes them find each other."""
    environ = dict(os.environ)
    prepare_instance(chosen, environ)
    return environ | {
        "EXPORT_PIPELINES_HOME": str(chosen.home),
        "EXPORT_PIPELINES_DAGSTER_URL": f"http://{HOST}:{ui_port}",
        "EXPORT_PIPELINES_CODE_SERVER_HOST": HOST,
        "EXPORT_PIPELINES_CODE_SERVER_PORT": str(code_port),
        "EXPORT_PIPELINES_PUBLIC_URL": os.environ.get("EXPORT_PIPELINES_PUBLIC_URL", f"http://{HOST}:{serve_port}"),
    }


def programs(*, ui_port: int, serve_port: int, code_port: int) -> tuple[Program, ...]:
    """The four parts, as docker/compose.yaml starts them too; UI and daemon find the code server answering."""
    scripts = Path(sys.executable).parent
    workspace = f"--workspace={project_file('workspace.yaml')}"

    def command(name: str, *arguments: str) -> tuple[str, ...]:
        return (str(scripts / name), *arguments)

    def listen(port: int) -> tuple[str, str]:
        return (f"--host={HOST}", f"--port={port}")

    code_module = "--module-name=export_pipelines.definitions"
    return (
        Program(
            name="code-server",
            command=command("dagster", "code-server", "start", *listen(code_port), code_module),
            port=code_port,
            option="--code-port",
        ),
        Program(
            name="serve",
            command=command("export-pipelines", "serve", *listen(serve_port)),
            port=serve_port,
            option="--port",
        ),
        Program(
            name="webserver",
            command=command("dagster-webserver", *listen(ui_port), workspace),
            port=ui_port,
            option="--ui-port",
            after="code-server",
        ),
        Program(name="daemon", command=command("dagster-daemon", "run", workspace), after="code-server"),
    )
