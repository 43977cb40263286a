"""Keys as files: made once, replaced in one step, never half."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.storage.key_files import PRIVATE, PUBLIC, kept_key, replace, write_once


def test_a_key_is_made_by_whoever_is_first_and_is_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "some.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: kept_key(path, what="a key", lost="nothing"), range(16)))
    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == PRIVATE
    assert [entry.name for entry in path.parent.iterdir()] == ["some.key"]


def test_a_damaged_key_says_what_a_new_one_costs(tmp_path: Path) -> None:
    (tmp_path / "some.key").write_bytes(b"half")
    with pytest.raises(ValidationError, match=r"some\.key has 4 bytes .* \(all is lost\)"):
        kept_key(tmp_path / "some.key", what="a key", lost="all is lost")


def test_a_key_that_cannot_be_kept_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValidationError, match=r"Cannot keep a key at .*file/some\.key"):
        kept_key(tmp_path / "file" / "some.key", what="a key", lost="nothing")


def test_writing_once_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "public"
    assert write_once(path, b"first", mode=PUBLIC)
    assert not write_once(path, b"second", mode=PUBLIC)
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["public"]


def test_replacing_shows_old_or_new_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "some.key"
    replace(path, b"a" * 32, mode=PRIVATE)
    with ThreadPoolExecutor(4) as pool:
        seen = pool.map(lambda n: (replace(path, b"%c" % n * 32, mode=PRIVATE), path.read_bytes())[1], range(98, 122))
        assert all(len(data) == 32 and len(set(data)) == 1 for data in seen)
    assert [entry.name for entry in tmp_path.iterdir()] == ["some.key"]
