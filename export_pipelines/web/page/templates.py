"""The templates, loaded from the package, everything that is put into them escaped."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from export_pipelines.core.sizes import bytes_shown
from export_pipelines.web.page import shown
from export_pipelines.web.page.assets import Assets, load

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page of ours may do: load, call and send to this very server, and nothing inline."""
_FILTERS = ("number", "plural", "span", "until", "ago", "moment", "clock", "counting", "ordinal", "words")
_HEADERS = {"Content-Security-Policy": POLICY, "Vary": "Cookie"}


class Templates:
    """Fills templates in."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self._environment = Environment(
            loader=PackageLoader("export_pipelines.web.page"),
            autoescape=True,
            # A name that a template misspells is an error here, not an empty space there.
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {name: getattr(shown, name) for name in _FILTERS}
        self._environment.filters["size"] = bytes_shown
        self._environment.globals["asset"] = assets.url

    def text(self, name: str, values: Mapping[str, Any]) -> str:
        """The template of this name, filled in."""
        return self._environment.get_template(name).render(values)

    def answer(self, name: str, values: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
        """The same as an answer."""
        return HTMLResponse(self.text(name, values), status_code=status, headers=_HEADERS)


@cache
def templates() -> Templates:
    """The package's own, read once."""
    return Templates(load())
