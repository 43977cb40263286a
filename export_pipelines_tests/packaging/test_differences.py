"""Differences: exactly those that a comparison in memory finds, whatever the order."""

import json
import random
import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.packaging.differences import LISTED_MAX, Difference, Differences, State, differences
from export_pipelines.packaging.records import RECORD, Item

SIDES = st.dictionaries(
    st.tuples(st.sampled_from(["record", "member"]), st.text(max_size=3)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.dictionaries(st.sampled_from("xy"), st.booleans())),
    max_size=8,
)


def compared(before: dict, after: dict, folder: Path) -> Differences:
    def items(side: dict) -> list[Item]:
        listed = [Item(kind=kind, id=id_, data=json.dumps(fields).encode()) for (kind, id_), fields in side.items()]
        random.shuffle(listed)
        return listed

    (folder / "differences.sqlite").unlink(missing_ok=True)
    return differences(lambda: iter(items(before)), lambda: iter(items(after)), folder=folder)


def flat(fields: dict) -> dict:
    return {
        key: one
        for name, value in fields.items()
        for key, one in (
            {f"{name}.{inner}": one for inner, one in value.items()}.items()
            if isinstance(value, dict) and value
            else [(name, value)]
        )
    }


@given(before=SIDES, after=SIDES)
def test_all_that_differs_is_found_and_nothing_else(before, after, tmp_path_factory) -> None:
    found = compared(before, after, tmp_path_factory.mktemp("x"))
    expected = {(*key, State.MISSING): () for key in before.keys() - after.keys()}
    expected |= {(*key, State.EXTRA): () for key in after.keys() - before.keys()}
    for key in before.keys() & after.keys():
        if json.dumps(before[key]) != json.dumps(after[key]):
            one, other = flat(before[key]), flat(after[key])
            names = {name for name in {*one, *other} if json.dumps(one.get(name)) != json.dumps(other.get(name))}
            absent = one.keys() ^ other.keys()
            expected[(*key, State.CHANGED)] = tuple(sorted(names | absent))
    assert {(d.kind, d.id, d.state): d.fields for d in found.listed} == expected
    for (kind, state), count in found.counts.items():
        assert count == sum(key[0] == kind and key[2] == state for key in expected)
    assert sum(found.compared.values()) == len(before)


def test_a_record_that_moved_is_the_same_record(tmp_path) -> None:
    one, two = (Item(kind=RECORD, id=id_, data=b"{}") for id_ in "ab")
    found = differences(lambda: iter([one, two]), lambda: iter([two, one]), folder=tmp_path)
    assert found == Differences(listed=(), counts={}, compared={RECORD: 2})


def test_the_first_are_listed_and_all_are_counted(tmp_path) -> None:
    before = [Item(kind=RECORD, id=f"{n:04}", data=b'{"a": 1}') for n in range(1000)]
    after = [Item(kind=RECORD, id=f"{n:04}", data=b'{"a": 2}') for n in range(500)]
    found = differences(lambda: iter(before), lambda: iter(after), folder=tmp_path)
    assert found.counts == {(RECORD, State.MISSING): 500, (RECORD, State.CHANGED): 500}
    assert len(found.listed) == 2 * LISTED_MAX
    assert found.listed[0] == Difference(kind=RECORD, id="0500", state=State.MISSING)
    assert found.listed[-1] == Difference(kind=RECORD, id="0099", state=State.CHANGED, fields=("a",))


def test_ids_and_texts_of_half_surrogate_pairs_are_compared(tmp_path) -> None:
    sides = [[Item(kind=RECORD, id="\ud83d", data=b'{"a": "\\ud83%d"}' % n)] for n in (1, 2)]
    [found] = differences(lambda: iter(sides[0]), lambda: iter(sides[1]), folder=tmp_path).listed
    assert (found.id, found.fields) == ("\ud83d", ("a",))


def test_memory_does_not_grow_with_the_records(tmp_path) -> None:
    def peak(count: int) -> int:
        (tmp_path / "differences.sqlite").unlink(missing_ok=True)

        def side(text: bytes):
            return (Item(kind=RECORD, id=f"c{n:024}", data=b'{"a": "%b%d"}' % (text, n)) for n in range(count))

        tracemalloc.start()
        found = differences(lambda: side(b"x"), lambda: side(b"y"), folder=tmp_path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.counts == {(RECORD, State.CHANGED): count}
        return most

    assert peak(20_000) < peak(2_000) + 200_000
