"""The key of the links: set, or made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.storage.secret import link_secret, webhook_key


def test_the_secret_that_is_set_is_the_key() -> None:
    assert link_secret(Settings(home=Path("/nowhere"), link_secret="0123456789abcdef")) == b"0123456789abcdef"


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(ValidationError, match="EXPORT_PIPELINES_LINK_SECRET has 6 bytes") as caught:
        link_secret(Settings(home=Path("/nowhere"), link_secret="hunter"))
    assert "hunter" not in str(caught.value)


def test_a_key_is_made_once_and_for_this_user_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new" / "home")
    key = link_secret(settings)
    assert len(key) == 32
    assert link_secret(settings) == key
    assert stat.S_IMODE((settings.home / "link.key").stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["link.key"]


def test_all_who_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    for number in range(20):
        settings = Settings(home=tmp_path / str(number))
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda _, settings=settings: link_secret(settings), range(8)))
        assert len(keys) == 1
        assert [path.name for path in settings.home.iterdir()] == ["link.key"]


def test_homes_have_different_keys(tmp_path: Path) -> None:
    assert link_secret(Settings(home=tmp_path / "a")) != link_secret(Settings(home=tmp_path / "b"))


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "link.key").write_bytes(b"half")
    with pytest.raises(ValidationError, match=r"link\.key has 4 bytes"):
        link_secret(Settings(home=tmp_path))


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(ValidationError, match="home"):
        link_secret(Settings(home=tmp_path / "home"))


def test_webhooks_have_a_key_of_their_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert webhook_key(settings) == webhook_key(settings) != link_secret(settings)
    assert stat.S_IMODE((tmp_path / "webhook.key").stat().st_mode) == 0o600
    assert webhook_key(Settings(home=tmp_path, webhook_key="0123456789abcdef")) == b"0123456789abcdef"
    with pytest.raises(ValidationError, match="EXPORT_PIPELINES_WEBHOOK_KEY has 6 bytes"):
        webhook_key(Settings(home=tmp_path, webhook_key="hunter"))
