"""Cursors lead back to where they came from, and nothing else is one."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from export_pipelines.core.cursors import Position, cursor_of, read_cursor
from export_pipelines.core.errors import ValidationError

TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80)
POSITIONS = st.builds(Position, at=TIMES, id=IDS)


@given(POSITIONS)
def test_a_cursor_is_read_as_the_position_it_was_made_of(position: Position) -> None:
    cursor = cursor_of(position)
    assert read_cursor(cursor) == position
    assert cursor.isascii()
    assert cursor.replace("-", "a").replace("_", "a").isalnum()


@given(st.text(max_size=200))
@example("")
@example("AAAAAAAAAAAAAAAA")
@example("x" * 5000)
@example("\ud800")
def test_other_texts_are_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(ValidationError, match="leave it out"):
        read_cursor(text)


@given(POSITIONS, st.data())
def test_a_cursor_with_one_wrong_character_is_refused(position: Position, data: st.DataObject) -> None:
    cursor = cursor_of(position)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_=+ \x00é").filter(lambda each: each != cursor[place]))
    with pytest.raises(ValidationError):
        read_cursor(cursor[:place] + other + cursor[place + 1 :])
