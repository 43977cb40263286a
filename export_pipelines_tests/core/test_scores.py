"""Scores in tables: exact for our importer, and what the tools make of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.scores import read_by_others, read_score, write_score


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_every_number_comes_back_exactly(score):
    assert read_score(write_score(score)) == score


@pytest.mark.parametrize(
    ("score", "cell", "others"),
    [(1, "1", 1), (2.0, "2", 2), (1.5, "1\\.5", 1), (-1.5, "-1\\.5", -1), (1e-7, "0\\.0000001", 0), (0, "0", 0)],
)
def test_a_fraction_shows_its_whole_part_to_others(score, cell, others):
    assert write_score(score) == cell
    assert read_by_others(score) == others


@pytest.mark.parametrize("cell", ["", "1.5", "1e3", "\\.5", "one", "1 2", "½", "٣", "9" * 5000, "nan"])
def test_what_is_no_exported_number_is_none(cell):
    assert read_score(cell) is None


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_written_and_dropped_by_every_reader(score):
    assert read_score(write_score(score)) is None
    assert read_by_others(score) == 0


def test_numbers_beyond_a_double_are_infinite_to_others():
    assert (read_by_others(10**400), read_by_others(-(10**400))) == (math.inf, -math.inf)
    assert read_by_others(2**53 + 1) != 2**53 + 1
