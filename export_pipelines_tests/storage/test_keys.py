"""Which keys stores accept."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.storage.keys import MAX_KEY_BYTES, check_key, check_prefix


@given(st.text())
def test_an_accepted_key_is_a_plain_relative_path(text: str) -> None:
    try:
        key = check_key(text)
    except ValidationError:
        return
    path = PurePosixPath(key)
    assert key == text == str(path)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert 0 < len(key.encode()) <= MAX_KEY_BYTES


@given(st.text(), st.integers(min_value=0, max_value=30))
def test_every_beginning_of_a_key_is_a_prefix(text: str, length: int) -> None:
    try:
        key = check_key(text)
    except ValidationError:
        return
    assert check_prefix(key[:length]) == key[:length]


def test_a_key_that_is_as_long_as_allowed_is_accepted() -> None:
    key = "/".join(["x" * 199] * 4)
    assert len(key) == 799
    assert check_key(key) == key
    with pytest.raises(ValidationError, match="800 bytes"):
        check_key(key + "/y")


def test_the_message_shows_what_was_wrong_without_control_characters() -> None:
    with pytest.raises(ValidationError, match=r"'a\\x1bb' holds U\+001B"):
        check_key("a\x1bb")
