"""Cron patterns are read as Dagster reads them, and what it would read wrongly is refused."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import given, settings
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.orchestration.cron import check_pattern, wall_times

START = datetime(2027, 6, 1)  # noqa: DTZ001 - wall times have no zone
FIELDS = ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))


def field(low, high):
    number = st.integers(low, high).map(str)
    step = st.integers(1, high - low).map(lambda n: f"*/{n}")
    pairs = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda pair: f"{min(pair)}-{max(pair)}")
    return st.just("*") | number | step | pairs | st.lists(number, min_size=2, max_size=3).map(",".join)


@settings(max_examples=60)
@given(st.tuples(*(field(low, high) for low, high in FIELDS)).map(" ".join))
def test_the_times_are_those_at_which_a_dagster_schedule_would_tick(pattern):
    theirs = schedule_execution_time_iterator(START.replace(tzinfo=UTC).timestamp(), pattern, "UTC")
    wanted = [tick.replace(tzinfo=None) for tick in islice(theirs, 20)]
    assert list(islice(wall_times(pattern, START), 20)) == wanted


def test_a_leap_day_is_found_from_wherever_one_looks():
    wanted = datetime(2028, 2, 29, 12)  # noqa: DTZ001 - a wall time
    for hours in (0, 1, 23, 24, 25, 48, 49, 24 * 365):
        assert next(wall_times("0 12 29 2 *", wanted - timedelta(hours=hours))) == wanted
    assert next(wall_times("0 12 29 2 *", wanted + timedelta(minutes=1))).year == 2032


@pytest.mark.parametrize(
    "pattern",
    [
        "", "* * * *", "* * * * * *", "61 * * * *", "0 0 0 * *", "0 0 * * 8", "*/0 * * * *", "0 0 31 2 *", "@reboot",
        "é * * * *", "\x00 * * * *", "h h * * *", "R * * * *", "0 R(1-3) * * *", "0 0 * * fri#6", "* " * 300,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_an_example(pattern):
    with pytest.raises(ValidationError, match="like '30 2"):
        check_pattern(pattern)


@pytest.mark.parametrize(("pattern", "said"), [("0 0 31 4 *", "ever comes"), ("*/90 * * * *", "longer than its field")])
def test_what_says_something_else_than_it_seems_to_is_refused(pattern, said):
    with pytest.raises(ValidationError, match=said):
        wall_times(pattern, START)


@given(st.text("0123456789*/,-LhrR#@ adilymonfri?", max_size=20))
def test_any_text_is_a_pattern_or_refused(text):
    try:
        first, second = islice(wall_times(text, START), 2)
    except ValidationError:
        return
    assert START <= first < second
