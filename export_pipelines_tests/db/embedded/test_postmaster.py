import os
from pathlib import Path

from export_pipelines.db.embedded import postmaster


def test_a_file_that_is_missing_empty_or_nonsense_names_no_server(tmp_path: Path) -> None:
    assert postmaster.find(tmp_path) is None
    for text in ("", "\n", "x\n", "4194305\n/data\n", f"{os.getpid()}\n{tmp_path}\n"):
        (tmp_path / "postmaster.pid").write_text(text)
        assert postmaster.find(tmp_path) is None


def test_only_the_lock_files_of_live_numbers_that_serve_nothing_are_discarded(tmp_path: Path) -> None:
    data, sockets = tmp_path / "data", tmp_path / "sockets"
    data.mkdir()
    sockets.mkdir()
    in_the_way = [data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"]
    for lock in in_the_way:
        lock.write_text(f"{os.getpid()}\n")
    # PostgreSQL itself sees that this one is dead.
    (sockets / ".s.PGSQL.5433.lock").write_text("4194305\n")
    postmaster.discard_stale(data, socket_dir=sockets)
    assert [path.name for path in sockets.iterdir()] == [".s.PGSQL.5433.lock"]
    assert not in_the_way[0].exists()
