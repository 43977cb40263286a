import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from export_pipelines.db.embedded import account as accounts
from export_pipelines.db.embedded import sockets
from export_pipelines.db.embedded.account import Account
from export_pipelines.db.embedded.place import Place
from export_pipelines_tests.db.embedded.conftest import as_root


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(root=tmp_path)
    yield place
    for folder in sockets.usual(place).parent.glob(f"{sockets.usual(place).name}*"):
        shutil.rmtree(folder)


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return accounts.choose(None, data=tmp_path / "data")


def test_the_folder_is_private_short_and_always_the_same(place: Place, account: Account) -> None:
    folder = sockets.prepare(place, account=account)
    assert folder == sockets.prepare(place, account=account) == sockets.usual(place)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == account.uid
    assert len(str(folder)) < 60


@as_root
def test_where_somebody_took_the_name_another_is_used(place: Place, account: Account) -> None:
    sockets.usual(place).mkdir()
    os.chown(sockets.usual(place), 12345, 12345)
    folder = sockets.prepare(place, account=account)
    assert folder != sockets.usual(place)
    assert folder.stat().st_uid == account.uid
