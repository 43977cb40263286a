"""What a page's form sends: names and values, read from the request's body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

_MOST_FIELDS = 200
CSRF_FIELD = "csrf_token"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form's fields; of several values of one name the last."""

    fields: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """The value without blanks around it."""
        return self.fields.get(name, default).strip()

    def whole(self, name: str) -> int | None:
        """The value as a whole number; None when it is none."""
        value = self.text(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


async def form_of(request: Request) -> Form:
    """The form in the body of a request; empty when there is none."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        # More fields than any form of ours has: whatever it is, it has no form token.
        pairs = []
    # PostgreSQL's text has no NUL; nobody types one.
    return Form(fields={name: value.replace("\x00", "") for name, value in pairs})


FormOf = Annotated[Form, Depends(form_of)]
"""The type of a route's parameter that is given the form's fields."""
