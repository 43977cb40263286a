"""Whatever is done to a chain, the first row that it was done to is named."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from export_pipelines.core.audit import ChainedRow, Link, hash_of
from export_pipelines.core.audit_chain import Break, Damage, Walked, walk
from export_pipelines_tests.audit_logs import chained, head_of, row

few = settings(max_examples=30)
FIELDS = st.sampled_from(["at", "action", "job_id", "user_id", "address", "user_agent", "additional_data"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NULLABLE = st.none() | TEXTS
ROWS = st.lists(
    st.builds(dict, user_id=NULLABLE, address=NULLABLE, user_agent=NULLABLE, additional_data=TEXTS),
    min_size=2,
    max_size=9,
)


@st.composite
def chains(draw: st.DrawFn) -> list[ChainedRow]:
    return chained([row(number, **fields) for number, fields in enumerate(draw(ROWS), start=1)])


def broken(rows: list[ChainedRow], head: Link) -> Break:
    found = walk(rows, head=head).broken
    assert found is not None
    return found


@few
@given(chains())
def test_a_chain_as_it_was_written_is_whole_to_its_end(rows: list[ChainedRow]) -> None:
    marks = {1, len(rows)}
    assert walk(rows, head=head_of(rows), marks=marks) == Walked(
        rows=len(rows), end=head_of(rows), marks={mark: str(rows[mark - 1].hash) for mark in marks}, broken=None
    )


@few
@given(chains(), st.data())
def test_any_part_of_a_chain_is_whole_by_itself_and_says_what_it_follows(
    rows: list[ChainedRow], data: st.DataObject
) -> None:
    first = data.draw(st.integers(1, len(rows) - 1))
    found = walk(rows[first:], start=None, marks={first})
    assert (found.rows, found.broken, found.marks) == (len(rows) - first, None, {first: rows[first - 1].hash})


@few
@given(chains(), st.data(), FIELDS, NULLABLE)
def test_a_changed_field_is_found_in_its_row(
    rows: list[ChainedRow], data: st.DataObject, field: str, value: Any
) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    if value == getattr(rows[at], field):
        value = f"{value}x"
    head = head_of(rows)
    rows[at] = replace(rows[at], **{field: value})
    found = broken(rows, head)
    assert (found.damage, found.position) == (Damage.CHANGED, at + 1)
    assert walk(rows, head=head).rows == at


@few
@given(chains(), st.data())
def test_a_row_that_was_changed_and_hashed_anew_is_found_all_the_same(
    rows: list[ChainedRow], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    head = head_of(rows)
    changed = replace(rows[at], user_id="somebody else")
    rows[at] = replace(changed, hash=hash_of(changed))
    found = broken(rows, head)
    assert (found.damage, found.position) == (Damage.CHANGED, at + 1)


@few
@given(chains(), st.data())
def test_removed_rows_are_missed_wherever_they_were(rows: list[ChainedRow], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(rows) - 1))
    last = data.draw(st.integers(first + 1, len(rows)))
    found = broken(rows[:first] + rows[last:], head_of(rows))
    assert (found.damage, found.position) == (Damage.REMOVED, first + 1)


@few
@given(chains(), st.data())
def test_a_hole_that_was_closed_by_numbering_anew_is_found_where_it_was(
    rows: list[ChainedRow], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(rows) - 2))
    head = head_of(rows)
    rest = [replace(later, position=(later.position or 0) - 1) for later in rows[at + 1 :]]
    found = broken(rows[:at] + rest, head)
    assert (found.damage, found.position) == (Damage.MOVED, at + 1)
    assert f"was written at position {at + 2}" in found.detail


@few
@given(chains(), st.data())
def test_a_row_put_in_between_is_found_however_well_it_was_made(rows: list[ChainedRow], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows)))
    head = head_of(rows)
    before = head_of(rows[:at]) if at else None
    [intruder] = chained([row(99)], after=before)
    rest = [replace(later, position=(later.position or 0) + 1) for later in rows[at:]]
    found = broken([*rows[:at], intruder, *rest], head)
    assert (found.damage, found.position) == (Damage.INSERTED, at + 1)


@few
@given(chains())
def test_a_row_that_came_past_the_chain_is_found(rows: list[ChainedRow]) -> None:
    found = broken([*rows, row(99, position=None)], head_of(rows))
    assert (found.damage, found.position) == (Damage.INSERTED, None)
    assert "row 990 (downloaded at " in str(found)


@few
@given(chains(), st.data())
def test_rows_that_changed_places_are_found_at_the_first_place(rows: list[ChainedRow], data: st.DataObject) -> None:
    one = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(one + 1, len(rows) - 1))
    head = head_of(rows)
    rows[one], rows[other] = (
        replace(rows[other], position=rows[one].position),
        replace(rows[one], position=rows[other].position),
    )
    found = broken(rows, head)
    assert (found.damage, found.position) == (Damage.MOVED, one + 1)
    assert f"was written at position {other + 1}" in found.detail


@few
@given(chains())
def test_an_end_that_was_written_down_otherwise_is_found(rows: list[ChainedRow]) -> None:
    end = head_of(rows)
    assert broken(rows, replace(end, hash="f" * 64)).position == end.position
    assert broken(rows, Link(position=end.position - 1, hash="f" * 64)).damage is Damage.INSERTED
    assert broken(rows[1:], end).position == 1
    assert broken(chained([row(7), row(8)], after=end), end).damage is Damage.REMOVED


@few
@given(chains())
def test_a_chain_that_begins_with_something_else_is_found(rows: list[ChainedRow]) -> None:
    foreign = chained([row(5), row(6)], after=Link(position=0, hash="e" * 64))
    found = broken(foreign, head_of(foreign))
    assert (found.damage, found.position) == (Damage.REMOVED, 1)
    assert broken([], head_of(rows)).damage is Damage.REMOVED


@few
@given(chains())
def test_a_row_that_comes_twice_is_found(rows: list[ChainedRow]) -> None:
    assert broken([rows[0], *rows], head_of(rows)).damage is Damage.INSERTED
