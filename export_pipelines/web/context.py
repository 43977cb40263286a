"""What every route of the API and the page works with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import Depends, Request

from export_pipelines.core.errors import UnavailableError
from export_pipelines.core.slots import WallTimes
from export_pipelines.steps.services import Services
from export_pipelines.web.errands import Errands

PREVIEWS_AT_ONCE = 2
"""Each holds some rows in memory, and a database connection."""


def no_wall_times(pattern: str, start: datetime) -> Iterator[datetime]:
    """Stands for a reader of cron patterns in a service that was given none.

    Raises:
        UnavailableError: always.
    """
    raise UnavailableError(f"this service was started without a reader of cron patterns, such as {pattern!r}.")


@dataclass(frozen=True, kw_only=True)
class Web:
    """The service's collaborators.

    Attributes:
        secret: what keys, sessions, links and form tokens are hashed or signed with. Never shown.
        wall_times: reads cron patterns; Dagster's own reader, which the web layer does not know.
        dagster: asks Dagster for what answers need not wait for.
        previews: room for the few previews that are rendered at once.
    """

    services: Services
    secret: bytes
    wall_times: WallTimes = no_wall_times
    dagster: Errands = field(default_factory=Errands)
    previews: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(PREVIEWS_AT_ONCE))


async def _web_of(request: Request) -> Web:
    web = request.app.state.web
    assert isinstance(web, Web)  # noqa: S101 - set by create_app, and by nobody else
    return web


WebOf = Annotated[Web, Depends(_web_of)]
"""The type of a route's parameter that is given the service's collaborators."""
