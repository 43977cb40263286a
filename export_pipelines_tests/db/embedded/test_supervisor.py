"""The life of a server as its users see it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import EmbeddedServer, ensure_running, remove, status, stop
from export_pipelines_tests.db.embedded.conftest import Starter

TOGETHER = 8


def ask(server: EmbeddedServer, statement: str, database: str = "export_pipelines") -> list[tuple[object, ...]]:
    with psycopg.connect(server.libpq_url(database), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_home_without_a_server_has_none_to_show_stop_or_remove(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "missing"):
        assert status(home) is None
        assert stop(home) is False
        remove(home)
    assert not (tmp_path / "missing").exists()


def test_start_again_stop_twice_and_start_once_more(home: Path) -> None:
    first = ensure_running(home / "below" / "it's a $HOME")
    home = home / "below" / "it's a $HOME"
    assert ensure_running(home) == first == status(home)
    ask(first, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    assert stop(home) is True
    assert stop(home) is False
    assert status(home) is None
    assert not first.socket_dir.exists()
    again = ensure_running(home)
    assert again.pid != first.pid
    assert again.libpq_url("x") == first.libpq_url("x")
    assert ask(again, "SELECT n FROM kept") == [(7,)]
    remove(home)
    assert not again.data_dir.exists()


def test_both_databases_are_there_and_made_anew_when_somebody_dropped_them(home: Path) -> None:
    server = ensure_running(home)
    for database in ("export_pipelines", "dagster"):
        assert ask(server, "SHOW server_encoding", database) == [("UTF8",)]
    ask(server, "DROP DATABASE export_pipelines", "postgres")
    assert ask(ensure_running(home), "SELECT 1") == [(1,)]


def test_texts_sort_by_code_point_and_letters_of_all_scripts_change_case(postgres_server: EmbeddedServer) -> None:
    assert ask(postgres_server, "SELECT x FROM unnest(ARRAY['é', 'b', 'Z', 'a']) x ORDER BY x") == [
        ("Z",),
        ("a",),
        ("b",),
        ("é",),
    ]
    assert ask(postgres_server, "SELECT upper('éд')") == [("ÉД",)]


def test_what_a_person_set_by_alter_system_outlives_a_restart(home: Path) -> None:
    server = ensure_running(home)
    assert ask(server, "SHOW work_mem") == [("16MB",)]
    assert ask(server, "SHOW timezone") == [("UTC",)]
    assert ask(server, "SHOW client_connection_check_interval") == [("5s",)]
    ask(server, "ALTER SYSTEM SET work_mem = '33MB'")
    stop(home)
    server = ensure_running(home)
    assert ask(server, "SHOW work_mem") == [("33MB",)]
    assert ask(server, "SHOW max_connections") == [("200",)]


def test_nobody_else_can_enter_the_data_or_the_socket(home: Path) -> None:
    server = ensure_running(home)
    for folder in (server.data_dir, server.socket_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == server.data_dir.stat().st_uid
    assert len(str(server.socket_dir / ".s.PGSQL.65535")) <= 100


def test_eight_cold_starters_get_one_server(new_home: Path, starter: Starter) -> None:
    processes = [starter(new_home) for _ in range(TOGETHER)]
    outcomes = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * TOGETHER, outcomes
    server = status(new_home)
    assert server is not None
    assert {int(said) for said, _ in outcomes} == {server.pid}
    assert not list((new_home / "postgres").glob("data.new-*"))


def test_a_starter_returns_at_once_and_leaves_a_server_that_holds_nothing_of_its(home: Path) -> None:
    # Capturing the output waits until nobody holds the pipe any more.
    code = f"from pathlib import Path; from export_pipelines.db.embedded import *; ensure_running(Path({str(home)!r}))"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=30)
    server = status(home)
    assert server is not None
    assert os.getsid(server.pid) != os.getsid(0)
    files = {str(entry.readlink()) for entry in Path("/proc", str(server.pid), "fd").iterdir()}
    assert not any(name.startswith("/dev/pts") or name.endswith("postgres.lock") for name in files)
    assert Path("/proc", str(server.pid), "fd", "0").readlink() == Path("/dev/null")


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailableError, match=r"cannot be prepared.*EXPORT_PIPELINES_HOME"):
        ensure_running(tmp_path / "file" / "home")


def test_data_of_another_major_version_are_refused_and_left_alone(home: Path) -> None:
    server = ensure_running(home)
    stop(home)
    stated = server.data_dir / "PG_VERSION"
    ours = stated.read_text().strip()
    stated.write_text("12\n")
    with pytest.raises(DatabaseUnavailableError, match=f"made by PostgreSQL 12, but the programs here are {ours}"):
        ensure_running(home)
    stated.unlink()
    with pytest.raises(DatabaseUnavailableError, match="not a complete PostgreSQL data directory"):
        ensure_running(home)
