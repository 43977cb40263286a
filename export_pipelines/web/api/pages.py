"""Pages of lists: how long one may be, whose things are on it, and where the next begins."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from export_pipelines.core.cursors import Position, cursor_of, read_cursor
from export_pipelines.web.api.exports import Switch

MOST = 100

Item = TypeVar("Item")


class PageQuery(BaseModel):
    """Which page of a list."""

    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )
    limit: int = Field(default=50, ge=1, le=MOST)

    model_config = ConfigDict(extra="forbid")

    @property
    def after(self) -> Position | None:
        """Where the page before ended.

        Raises:
            ValidationError: the cursor is none of ours.
        """
        return None if self.cursor is None else read_cursor(self.cursor)


class OwnersQuery(PageQuery):
    """Which page, and whose things are on it."""

    user: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Of this user: e-mail or id. For administrators."
    )
    everybody: Switch = Field(default=False, alias="all", description="Everybody's. For administrators.")


def cut(
    found: Sequence[Item], query: PageQuery, *, place: Callable[[Item], Position]
) -> tuple[Sequence[Item], str | None]:
    """The page and the cursor of the next, out of one item more than the page has room for."""
    shown = found[: query.limit]
    return shown, cursor_of(place(shown[-1])) if len(found) > query.limit else None
