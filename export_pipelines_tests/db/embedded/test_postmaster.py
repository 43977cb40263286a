import os
import subprocess
import time
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


def test_a_process_that_is_just_giving_way_to_the_next_program_lives(tmp_path: Path) -> None:
    script = tmp_path / "again.sh"
    script.write_text('#!/bin/sh\nexec "$0" "$@"\n')
    script.chmod(0o700)
    # It does nothing but become itself anew, so most looks at it fall near such a moment.
    process = subprocess.Popen([script, "-D", tmp_path])
    try:
        wait_until_started(process.pid, tmp_path)
        assert all(postmaster.serves(process.pid, tmp_path) for _ in range(1000))
    finally:
        process.kill()
    # Dead, and not reaped yet.
    process_state = Path(f"/proc/{process.pid}/stat")
    while process_state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.001)
    assert not postmaster.serves(process.pid, tmp_path)
    process.wait()
    assert not postmaster.serves(process.pid, tmp_path)


def wait_until_started(pid: int, data: Path) -> None:
    for _ in range(1000):
        if postmaster.serves(pid, data):
            return
        time.sleep(0.01)
    raise AssertionError("it never started")
