"""How times, spans and numbers are written."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.web.page import shown
from export_pipelines_tests.db.rows import NOW


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
        (86400, "24 h"), (172799, "47 h 59 min"), (172800, "2 d"), (277200, "3 d 5 h"),
    ],
)  # fmt: skip
def test_a_span_has_two_units_at_most(seconds: float, text: str) -> None:
    assert shown.span(seconds) == text


@given(st.floats(-1e12, 1e12))
def test_every_span_can_be_written(seconds: float) -> None:
    assert 1 <= len(shown.span(seconds).split()) // 2 <= 2


def test_moments_are_told_in_utc_and_marked_for_scripts() -> None:
    there = datetime(2026, 3, 1, 14, 5, 9, tzinfo=timezone(timedelta(hours=2)))
    assert shown.moment(there) == '<time datetime="2026-03-01T12:05:09Z" data-local>1 Mar 2026, 12:05 UTC</time>'
    assert ">12:05:09 UTC<" in shown.clock(there)
    assert shown.counting(there, NOW).endswith(">5 min</time>")
    assert (shown.ago(NOW, NOW), shown.ago(NOW, NOW + timedelta(hours=1))) == ("just now", "1 h ago")


def test_days_are_called_as_people_call_them() -> None:
    today = date(2026, 3, 1)
    days = (today, date(2026, 2, 28), date(2026, 2, 27), date(2025, 12, 31))
    assert [shown.day(day, today) for day in days] == ["Today", "Yesterday", "27 February", "31 December 2025"]


def test_numbers_have_their_words() -> None:
    assert [shown.plural(count, "row") for count in (0, 1, 12345)] == ["0 rows", "1 row", "12,345 rows"]
    places = (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 1002)
    assert " ".join(shown.ordinal(place) for place in places) == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th 1,002nd"
    )
    assert shown.words("allow_partial") == "Allow partial"


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_machines_read_is_the_moment(moment: datetime) -> None:
    assert datetime.fromisoformat(shown.machine(moment)) == moment.replace(microsecond=0)
