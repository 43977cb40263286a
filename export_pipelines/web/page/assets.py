"""Style sheet, scripts and icon: read once, served under a name that changes with their content.

Browsers may keep them for ever, since an address never means other bytes. A request only picks one of the names that
were read at the start; nothing of it reaches the file system.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_VERSION_CHARACTERS = 16


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    data: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Assets:
    """All of them.

    Attributes:
        version: of all together: scripts import each other by relative names, so they change as one.
    """

    files: Mapping[str, Asset]
    version: str

    def url(self, name: str) -> str:
        """The address of the file of this name; a name that does not exist is a mistake in a template."""
        if name not in self.files:
            raise LookupError(f"There is no static file {name!r}; see web/page/static.")
        return f"/static/{self.version}/{name}"


def load() -> Assets:
    """Read the files that the package brings."""
    folder = resources.files("export_pipelines.web.page") / "static"
    found = {file.name: file.read_bytes() for file in folder.iterdir()}
    kinds = {name: next((type_ for end, type_ in _TYPES.items() if name.endswith(end)), None) for name in found}
    files = {name: Asset(data=found[name], media_type=kind) for name, kind in sorted(kinds.items()) if kind}
    digest = hashlib.sha256()
    for name, asset in files.items():
        digest.update(f"{name} {len(asset.data)} ".encode() + asset.data)
    return Assets(files=files, version=digest.hexdigest()[:_VERSION_CHARACTERS])


def router(assets: Assets) -> APIRouter:
    """The route to them."""

    def send(version: str, name: str) -> Response:
        """One file; of another version there is none any more, and whoever asks has a page of before an update."""
        asset = assets.files.get(name)
        if asset is None or version != assets.version:
            raise HTTPException(404)
        return Response(asset.data, media_type=asset.media_type, headers={"Cache-Control": _FOREVER})

    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/static/{version}/{name}", send, methods=["GET", "HEAD"], response_model=None)
    return routes
