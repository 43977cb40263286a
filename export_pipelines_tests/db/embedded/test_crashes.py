"""What is left when something is killed, deleted or broken, and how the next command puts it right."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import EmbeddedServer, ensure_running, status, stop
from export_pipelines_tests.db.embedded.conftest import Starter, as_root


def wait_until(true: Callable[[], object], *, seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.005)):
        if true():
            return
        time.sleep(0.005)
    pytest.fail("it did not happen in time")


def is_dead(pid: int) -> bool:
    """Whether no more than an exit status is left of it, which in a container perhaps nobody ever collects."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def rows(server: EmbeddedServer) -> int:
    with psycopg.connect(server.libpq_url("export_pipelines")) as connection:
        answer = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert answer
    return int(answer[0])


def fill(server: EmbeddedServer) -> None:
    with psycopg.connect(server.libpq_url("export_pipelines")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000)")


def test_killing_the_main_process_loses_nothing(home: Path) -> None:
    server = ensure_running(home)
    fill(server)
    busy = psycopg.connect(server.libpq_url("export_pipelines"))
    # A backend in the middle of a computation outlives the main process, and PostgreSQL does not start beside it.
    busy.pgconn.send_query(b"SELECT sum(n) FROM generate_series(1, 10000000) n")
    time.sleep(0.05)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: status(home) is None)
    again = ensure_running(home)
    assert again.pid != server.pid
    assert rows(again) == 1000
    busy.close()


def test_a_starter_killed_while_initdb_runs_leaves_no_half_cluster(new_home: Path, starter: Starter) -> None:
    process = starter(new_home)
    wait_until(lambda: [*(new_home / "postgres").glob("data.new-*/base")])
    for family in [*psutil.Process(process.pid).children(recursive=True), process]:
        # initdb's own children come and go.
        with suppress(psutil.NoSuchProcess):
            family.kill()
    process.wait()
    assert not (new_home / "postgres" / "data").exists()
    assert status(new_home) is None
    server = ensure_running(new_home)
    fill(server)
    assert rows(server) == 1000
    assert not [*(new_home / "postgres").glob("data.new-*")]


@pytest.mark.parametrize("moment", ["postgres/data", "postgres/data/postmaster.pid"])
def test_a_starter_killed_at_any_moment_does_not_hinder_the_next(new_home: Path, starter: Starter, moment: str) -> None:
    process = starter(new_home)
    wait_until((new_home / moment).exists)
    process.kill()
    process.wait()
    fill(ensure_running(new_home))


def test_a_number_that_another_process_got_does_not_pass_for_the_server(home: Path) -> None:
    server = ensure_running(home)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: status(home) is None)
    stated = server.data_dir / "postmaster.pid"
    # PostgreSQL itself refuses to start over the number of a live process of its own user.
    facts = server.data_dir.stat()
    impostor = subprocess.Popen(["sleep", "60"], user=facts.st_uid if os.geteuid() == 0 else None)
    try:
        stated.write_text("\n".join([str(impostor.pid), *stated.read_text().splitlines()[1:]]) + "\n")
        assert status(home) is None
        assert stop(home) is False
        assert ensure_running(home).pid != impostor.pid
    finally:
        impostor.kill()
        impostor.wait()


def test_data_deleted_under_a_running_server_are_begun_anew(home: Path) -> None:
    server = ensure_running(home)
    subprocess.run(["rm", "-rf", str(home / "postgres")], check=True)
    again = ensure_running(home)
    assert again.pid != server.pid
    assert again.socket_dir == server.socket_dir
    wait_until(lambda: is_dead(server.pid))


def test_stopping_finds_a_server_whose_data_were_deleted(home: Path) -> None:
    server = ensure_running(home)
    subprocess.run(["rm", "-rf", str(home / "postgres")], check=True)
    assert stop(home) is True
    assert is_dead(server.pid)


def test_a_server_whose_socket_was_cleaned_away_is_started_anew(home: Path) -> None:
    server = ensure_running(home)
    fill(server)
    shutil.rmtree(server.socket_dir)
    assert status(home) is None
    again = ensure_running(home)
    assert again.pid != server.pid
    assert rows(again) == 1000
    shutil.rmtree(again.socket_dir)
    assert stop(home) is True


def test_a_server_that_dies_at_once_is_explained_by_its_log(home: Path) -> None:
    server = ensure_running(home)
    stop(home)
    (server.data_dir / "postgresql.auto.conf").write_text("shared_buffers = 'plenty'\n")
    with pytest.raises(DatabaseUnavailableError, match=r"did not start(.|\n)*invalid value.*shared_buffers.*plenty"):
        ensure_running(home)
    (server.data_dir / "postgresql.auto.conf").write_text("")
    ensure_running(home)


def test_a_server_that_is_stopping_is_awaited_and_started_again(home: Path) -> None:
    server = ensure_running(home)
    with psycopg.connect(server.libpq_url("postgres"), autocommit=True) as connection:
        connection.execute("SELECT 1")
        # A smart shutdown waits for this session, and refuses new ones meanwhile.
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: status(home) is None)
    assert ensure_running(home).pid != server.pid


@pytest.fixture
def small_disk(new_home: Path) -> Iterator[Path]:
    folder = new_home / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    stop(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


@as_root
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(small_disk: Path) -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"(?s)cannot make its data directory.*No space left"):
        ensure_running(small_disk)
    assert not [*(small_disk / "postgres").glob("data*")]
