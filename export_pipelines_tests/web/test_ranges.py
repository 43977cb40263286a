"""Which bytes a Range header asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.web.ranges import Everything, Span, read_range, same_file

WHOLE, NOTHING = Everything.WHOLE, Everything.NOTHING


def span(start: int, end: int) -> Span:
    return Span(start=start, end=end)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-", span(0, 10)), ("bytes=0-0", span(0, 1)), ("bytes=3-5", span(3, 6)), ("bytes=3-", span(3, 10)),
        ("bytes=9-9", span(9, 10)), ("bytes=5-999", span(5, 10)), ("bytes=-3", span(7, 10)), ("bytes=-99", span(0, 10)),
        ("BYTES= 1-2 ", span(1, 3)), ("bytes=007-8", span(7, 9)),
        ("bytes=10-", NOTHING), ("bytes=10-12", NOTHING), ("bytes=-0", NOTHING), ("bytes=99999999-", NOTHING),
        (None, WHOLE), ("", WHOLE), ("bytes=", WHOLE), ("bytes=-", WHOLE), ("bytes=5-3", WHOLE), ("bytes=a-b", WHOLE),
        ("bytes=0-1,3-4", WHOLE), ("items=0-1", WHOLE), ("bytes 0-1", WHOLE), ("bytes=1-2-3", WHOLE),
        ("bytes=²-", WHOLE), ("bytes=" + "9" * 5000 + "-", WHOLE), ("bytes=+1-2", WHOLE), ("bytes=0-1\n", WHOLE),
    ],
)  # fmt: skip
def test_a_header_asks_for_one_run_or_for_all(header: str | None, wanted: object) -> None:
    assert read_range(header, size=10) == wanted


def test_an_empty_file_has_no_bytes_to_ask_for() -> None:
    assert read_range("bytes=0-", size=0) == NOTHING
    assert read_range("bytes=-5", size=0) == NOTHING
    assert read_range(None, size=0) == WHOLE


@given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(0, 10**12))
def test_whatever_is_answered_lies_within_the_file(header: str, size: int) -> None:
    wanted = read_range(header, size=size)
    if isinstance(wanted, Span):
        assert 0 <= wanted.start < wanted.end <= size


def test_a_condition_holds_only_for_the_same_bytes() -> None:
    date = "Sun, 01 Mar 2026 12:00:00 GMT"
    assert same_file(None, etag='"x"', last_modified=date)
    assert same_file('"x"', etag='"x"', last_modified=date)
    assert same_file(date, etag='"x"', last_modified=date)
    assert not same_file('"y"', etag='"x"', last_modified=date)
    assert not same_file('W/"x"', etag='"x"', last_modified=date)
    assert not same_file("x", etag=None, last_modified=date)
    assert not same_file("Sun, 01 Mar 2026 12:00:01 GMT", etag='"x"', last_modified=date)
