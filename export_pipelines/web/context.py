"""What every route of the API and the page works with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from export_pipelines.steps.services import Services


@dataclass(frozen=True, kw_only=True)
class Web:
    """The service's collaborators.

    Attributes:
        secret: what keys, sessions, links and form tokens are hashed or signed with. Never shown.
    """

    services: Services
    secret: bytes


async def _web_of(request: Request) -> Web:
    web = request.app.state.web
    assert isinstance(web, Web)  # noqa: S101 - set by create_app, and by nobody else
    return web


WebOf = Annotated[Web, Depends(_web_of)]
"""The type of a route's parameter that is given the service's collaborators."""
