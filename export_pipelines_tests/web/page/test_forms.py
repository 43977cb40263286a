"""Reading what forms send."""

import asyncio
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from export_pipelines.web.page.forms import Form, form_of


def read(body: bytes) -> Form:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return asyncio.run(form_of(Request({"type": "http", "method": "POST", "headers": []}, receive)))


@given(st.binary(max_size=300))
def test_whatever_is_sent_can_be_read(body: bytes) -> None:
    for value in read(body).fields.values():
        assert "\x00" not in value


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))),
        st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))),
    )
)
def test_what_a_browser_sends_comes_back(fields: dict[str, str]) -> None:
    assert read(urlencode(fields).encode()).fields == fields


def test_more_fields_than_any_form_has_are_none() -> None:
    assert read(b"&".join(b"a=1" for _ in range(201))).fields == {}


def test_numbers_and_blanks() -> None:
    form = read(b"days=3&blank=+a+&big=99999999999&word=x&wide=%EF%BC%93")
    assert [form.whole(name) for name in ("days", "big", "word", "wide", "none")] == [3, None, None, None, None]
    assert form.text("blank") == "a"
