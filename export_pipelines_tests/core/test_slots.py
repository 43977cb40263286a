"""Slots in local time: each once, however the clocks are changed, against a minute-by-minute reckoning."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.slots import read_zone, slots_from
from export_pipelines.orchestration.cron import wall_times
from export_pipelines_tests.steps.two_years import BEGIN, END, HOURLY, PATTERNS, ZONES, expected

CHANGING = ("Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Antarctica/Troll")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - UTC is put to it


def slots(zone, pattern, start):
    return slots_from(wall_times, pattern=pattern, timezone=zone, start=start)


def shown(zone, pattern, start, number):
    return [
        f"{slot.local:%d %H:%M}{'*' * slot.fold}" for slot in islice(slots(zone, pattern, start), number)
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
def test_two_years_of_slots_are_those_of_an_independent_calculation(zone):
    end = END.to_pydatetime()
    for pattern in [*PATTERNS, *([HOURLY] if zone in CHANGING else [])]:
        found = list(takewhile(lambda slot: slot.at < end, slots(zone, pattern, BEGIN.to_pydatetime())))
        assert [slot.at for slot in found] == expected(zone, pattern), pattern
        assert len({(slot.local, slot.fold) for slot in found}) == len(found)
        there = [slot.local.replace(tzinfo=ZoneInfo(zone), fold=slot.fold).astimezone(UTC) for slot in found]
        assert there == [slot.at for slot in found]


@settings(max_examples=60)
@given(st.sampled_from(ZONES), st.sampled_from([*PATTERNS, HOURLY, "*/7 * * * *"]), MOMENTS)
def test_wherever_one_begins_the_slots_are_the_same(zone, pattern, start):
    found = list(islice(slots(zone, pattern, start), 40))
    assert found[0].at >= start
    for number in (1, 20, 39):
        between = found[number].at - timedelta(microseconds=1)
        assert list(islice(slots(zone, pattern, between), 40 - number)) == found[number:]
        assert next(slots(zone, pattern, found[number].at)) == found[number]


def test_a_time_that_comes_twice_is_due_the_second_time_and_one_that_never_comes_at_the_next_minute():
    autumn, spring = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert shown("Europe/Berlin", "30 2 * * *", autumn, 2) == ["25 02:30*", "26 02:30"]
    assert shown("Europe/Berlin", "30 2 * * *", spring, 2) == ["29 03:00", "30 02:30"]
    assert shown("Europe/Berlin", "0,40 1-3 * * *", spring, 5) == [
        "29 01:00", "29 01:40", "29 03:00", "29 03:40", "30 01:00",
    ]  # fmt: skip


def test_a_time_that_was_moved_is_found_from_the_very_moment_to_which_it_was_moved():
    moved = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert shown("Europe/Berlin", "30 2 * * *", moved, 2) == ["29 03:00", "30 02:30"]
    assert shown("Europe/Berlin", "30 2 * * *", moved + timedelta(microseconds=1), 1) == ["30 02:30"]


def test_clocks_that_change_at_midnight_or_by_half_an_hour_are_understood_too():
    # Dagster's own daily schedules are wrong in the first case: they only expect changes between one and four.
    assert shown("Africa/Cairo", "30 0 * * *", datetime(2026, 4, 23, 12, tzinfo=UTC), 2) == ["24 01:00", "25 00:30"]
    start = datetime(2026, 10, 3, 6, tzinfo=UTC)
    assert shown("Australia/Lord_Howe", "10,40 2 * * *", start, 3) == ["04 02:30", "04 02:40", "05 02:10"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("europe/berlin", "did you mean Europe/Berlin"),
        ("", "give an IANA name"),
        ("Europe", "time zone 'Europe'"),
        ("../../etc/passwd", "time zone"),
        ("localtime", "time zone"),
        ("UTC\x00", "time zone"),
        ("+01:00", "time zone"),
    ],
)
def test_a_zone_that_nobody_knows_is_refused_with_a_hint(name, said):
    with pytest.raises(ValidationError, match=said):
        read_zone(name)


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_any_text_but_a_zones_name_is_refused(name):
    with pytest.raises(ValidationError, match="time zone"):
        read_zone(name + "!")
