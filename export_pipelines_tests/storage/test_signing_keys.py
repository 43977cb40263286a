"""Where signing keys are kept: one private, every public."""

import os
import stat
from pathlib import Path

from export_pipelines.storage import signing_keys


def test_the_private_key_is_made_once_and_replaced_when_asked(tmp_path: Path) -> None:
    assert not signing_keys.has_private_key(tmp_path)
    first = signing_keys.private_key(tmp_path)
    assert len(first) == 32
    assert signing_keys.private_key(tmp_path) == first
    second = signing_keys.new_private_key(tmp_path)
    assert second != first
    assert signing_keys.private_key(tmp_path) == second
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


def test_public_keys_stay_as_they_were_first_kept_and_come_oldest_first(tmp_path: Path) -> None:
    assert list(signing_keys.public_keys(tmp_path)) == []
    for number, name in enumerate(("bb", "aa")):
        signing_keys.keep_public_key(tmp_path, name, name.encode())
        os.utime(tmp_path / "signing-keys" / f"{name}.pem", (1000 + number, 1000 + number))
    signing_keys.keep_public_key(tmp_path, "bb", b"another")
    found = list(signing_keys.public_keys(tmp_path))
    assert [(key.path.stem, key.data) for key in found] == [("bb", b"bb"), ("aa", b"aa")]
    assert found[0].since.timestamp() == 1000
