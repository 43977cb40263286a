import os
import stat
from pathlib import Path

import pytest

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import folders
from export_pipelines_tests.db.embedded.conftest import as_root


def test_a_folder_of_ours_is_made_once_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        for _ in range(2):
            made = folders.own(tmp_path / "a" / "b", mode=0o755)
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.stat().st_mode) == 0o755


def test_a_link_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "name").symlink_to(tmp_path / "target")
    with pytest.raises(DatabaseUnavailableError, match="is a link or belongs to another user"):
        folders.own(tmp_path / "name", mode=0o700)


@as_root
def test_another_users_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    os.chown(tmp_path / "name", 12345, 12345)
    with pytest.raises(DatabaseUnavailableError, match=r"another user \(number 12345\)"):
        folders.own(tmp_path / "name", mode=0o700)
