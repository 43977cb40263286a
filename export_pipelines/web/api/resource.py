"""A router for one resource of the API, whose routes have their whole address themselves.

The log shows a route's own pattern; what a router is given only where it is included would be missing there.
"""

from fastapi import APIRouter

PREFIX = "/api"
"""What every address of the API begins with."""


def resource(path: str, *, tag: str) -> APIRouter:
    """The router; ``path`` is below :data:`PREFIX`, and ``tag`` groups its calls in the OpenAPI document."""
    return APIRouter(prefix=PREFIX + path, tags=[tag])
