import pytest

from export_pipelines.core.errors import NotFoundError
from export_pipelines.web.sentences import sentence


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("the title is too long; shorten it.", "The title is too long; shorten it."),
        ("ann@example.org has no webhook 'ours'; add it.", "ann@example.org has no webhook 'ours'; add it."),
        ("There is no share 'c0'. See: export-pipelines jobs shares ID", "There is no share 'c0'. Take another."),
        ("", ""),
    ],
)
def test_a_message_becomes_a_sentence(message: str, said: str) -> None:
    assert sentence(NotFoundError(message), instead=" Take another.") == said


def test_a_reason_that_quotes_what_came_is_cut() -> None:
    assert sentence(NotFoundError("x" * 5000)) == "X" + "x" * 999
