"""The web application, assembled from its routes and what they talk to."""

from fastapi import FastAPI

from export_pipelines.core.slots import WallTimes
from export_pipelines.db.daemon import DaemonWatch
from export_pipelines.db.database import Database
from export_pipelines.steps.services import Services
from export_pipelines.web import downloads, health, metrics
from export_pipelines.web.access import Access
from export_pipelines.web.api.document import describe
from export_pipelines.web.api.names import operation_id
from export_pipelines.web.api.resource import PREFIX
from export_pipelines.web.api.router import router
from export_pipelines.web.bodies import Bodies
from export_pipelines.web.context import Web, no_wall_times
from export_pipelines.web.page import router as page
from export_pipelines.web.proxies import Proxies
from export_pipelines.web.refused import add_handlers
from export_pipelines.web.watching.watch import Watch

_ABOUT = """Exports of a team's data: ask for one, watch it, fetch the file, share it.

Every call takes an API key as `Authorization: Bearer ek_...`. Requests name their fields in camel case; answers name
them as the database's columns are named. What cannot be answered is a problem document (RFC 9457) with a stable `code`
and a `detail` that says what to do next.
"""


def create_app(
    services: Services, *, secret: bytes, dagster: Database | None = None, wall_times: WallTimes = no_wall_times
) -> FastAPI:
    """The application.

    Args:
        services: the database, the store, the settings and the clock.
        secret: key of the signed links, of API keys' hashes and of sessions.
        dagster: Dagster's own database, to tell whether its daemon ticks; None where it is not known.
        wall_times: reads cron patterns as Dagster does; without it, schedules cannot be made or previewed.
    """
    app = FastAPI(
        title="export-pipelines",
        version="1",
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.web = Web(services=services, secret=secret, wall_times=wall_times)
    app.state.watch = Watch(services)
    database, store, clock = services.database, services.store, services.clock
    links = downloads.Downloads(
        database, store, secret=secret, clock=clock, redirect=services.settings.redirect_downloads
    )
    watch = DaemonWatch(dagster, clock)
    figures = metrics.Deployment(database, watch, clock=clock, refused=links.refusals.counts)
    # Links, probes and figures are for those who were given their addresses, not for programs to discover.
    app.include_router(downloads.router(links), include_in_schema=False)
    app.include_router(health.router(database, store, watch=watch, clock=clock), include_in_schema=False)
    app.include_router(metrics.router(figures), include_in_schema=False)
    app.include_router(router())
    page.include(app)
    add_handlers(app)
    describe(app)
    # The last that is added is the outermost.
    app.add_middleware(Bodies)
    app.add_middleware(Access)
    app.add_middleware(Proxies, trusted=services.settings.trusted_proxies)
    return app
