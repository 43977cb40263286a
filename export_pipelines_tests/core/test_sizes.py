"""Sizes as people read them."""

import pytest

from export_pipelines.core.sizes import bytes_shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 * 1024**2, "5.0 MiB"),
        (3 * 1024**4, "3072.0 GiB"),
    ],
)
def test_a_size_has_the_unit_that_keeps_it_short(size: int | None, shown: str) -> None:
    assert bytes_shown(size) == shown
