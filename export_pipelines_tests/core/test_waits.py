import pytest

from export_pipelines.core.waits import wait_shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (36, "36 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (121, "3 minutes"),
        (3600, "60 minutes"),
    ],
)
def test_nobody_is_asked_to_come_back_too_early(seconds: int, words: str) -> None:
    assert wait_shown(seconds) == words
