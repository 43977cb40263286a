import pytest

from export_pipelines.rendering.csv_columns import score_cells, snake_case, unique_names


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Freedom", "freedom"),
        ("SelfDirection", "self_direction"),
        ("Self-Direction", "self_direction"),
        ("  Physical   Safety ", "physical_safety"),
        ("AISafety2Level", "ai_safety2_level"),
        ("Überleben", "überleben"),
        ("自由", "自由"),
        ("", "dimension"),
        ("=!?", "dimension"),
        ("a,b\r\n\"c\"", "a_b_c"),
    ],
)  # fmt: skip
def test_names_become_columns(name, column):
    assert snake_case(name) == column


def test_names_that_collide_are_numbered():
    names = unique_names(["a", "b", "a", "a", "id"], taken=("id", "a_2"), numbered=lambda name, n: f"{name}_{n}")
    assert names == ["a", "b", "a_3", "a_4", "id_2"]


def test_only_numbers_are_scores():
    scenarios = {"s": {"dimensions": {"a": 1, "b": -2.5, "c": "3", "d": True, "e": None}}}
    context = {"dimension_names": ["a", "b", "c", "d", "e", "f"], "scenarios": scenarios}
    assert score_cells(context) == {b"s": b"1,-2.5,,,,,"}
