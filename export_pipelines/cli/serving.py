"""``export-pipelines serve`` and ``dev``: the web service alone, or everything together."""

from contextlib import closing
from typing import Annotated

import typer

from export_pipelines.cli import session
from export_pipelines.cli.schedules import wall_times
from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database, dagster_database_url

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of the web service.")]
UiPortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of the Dagster UI.")]
CodePortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of the code server.")]


def serve(host: HostOption = "127.0.0.1", port: PortOption = 8010) -> None:
    """Serve the HTTP API, the exports page and download links until Ctrl-C."""
    # The web framework is imported by the two commands that need it only.
    from export_pipelines.storage.secret import link_secret  # noqa: PLC0415
    from export_pipelines.web.app import create_app  # noqa: PLC0415
    from export_pipelines.web.serve import serve as run_server  # noqa: PLC0415

    with session.services(serving=True) as services, closing(_dagster(services.settings)) as dagster:
        secret = link_secret(services.settings)
        app = create_app(services, secret=secret, dagster=dagster, wall_times=wall_times)
        run_server(app, host=host, port=port, log_format=services.settings.log_format)


def _dagster(settings: Settings) -> Database:
    """Dagster's database, of which links need nothing: nobody waits for it."""
    return Database(dagster_database_url(settings), connect_seconds=2)


def dev(ui_port: UiPortOption = 3000, port: PortOption = 8010, code_port: CodePortOption = 4266) -> None:
    """Dagster UI, daemon, code location and web service together; Ctrl-C stops all."""
    from export_pipelines.cli.dev import run_all  # noqa: PLC0415

    run_all(ui_port=ui_port, serve_port=port, code_port=code_port)
