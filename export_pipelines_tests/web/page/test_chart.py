"""The usage chart as numbers."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.web.page.chart import HEIGHT, WIDTH, Day, draw, scale

COUNTS = st.integers(0, 10_000_000)


def days(counts: list[tuple[int, int]]) -> list[Day]:
    first = date(2026, 3, 1)
    return [
        Day(day=first + timedelta(days=number), done=done, failed=failed)
        for number, (done, failed) in enumerate(counts)
    ]


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=40))
def test_every_bar_stands_on_the_floor_within_its_slot_and_the_picture(counts: list[tuple[int, int]]) -> None:
    chart = draw(days(counts))
    assert len(chart.bars) == len(counts)
    for bar in chart.bars:
        assert abs(bar.done_y + bar.done_height - chart.floor) < 0.2
        assert abs(bar.failed_y + bar.failed_height - bar.done_y) < 0.2
        assert 0 <= bar.failed_y <= bar.done_y <= chart.floor < HEIGHT
        assert chart.left <= bar.slot_x < bar.x < bar.x + bar.width < bar.slot_x + bar.slot_width <= WIDTH + 1
    assert chart.bars[-1].label


@given(COUNTS)
def test_the_scale_has_few_lines_at_round_numbers_and_room_for_the_most(most: int) -> None:
    step, top = scale(most)
    assert top >= most
    assert top % step == 0
    assert 1 <= top // step <= 4
    assert str(step).rstrip("0") in ("1", "2", "5")


def test_heights_are_as_the_numbers() -> None:
    one, two = draw(days([(2, 0), (4, 4)])).bars
    assert (two.done_height, two.failed_height, one.failed_height) == (2 * one.done_height, two.done_height, 0)
    assert two.title == "2 Mar: 4 completed, 4 failed"
