"""Pages of lists: how long one may be, and where the next begins."""

from typing import Annotated

from fastapi import Query

MOST = 100

CursorQuery = Annotated[
    str | None, Query(max_length=1000, description="`next_cursor` of the page before; without it, the first page.")
]
LimitQuery = Annotated[int, Query(ge=1, le=MOST, description="At most so many on a page.")]
