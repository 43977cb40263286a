from pathlib import Path

from export_pipelines.db.embedded import ensure_running, process, stop
from export_pipelines.db.embedded.place import locate


def test_a_large_log_is_put_aside_at_the_next_start(home: Path) -> None:
    ensure_running(home)
    stop(home)
    log = locate(home).log
    with log.open("ab") as file:
        file.truncate(process._LARGEST_LOG_BYTES + 1)
    ensure_running(home)
    assert log.with_suffix(".log.1").stat().st_size > process._LARGEST_LOG_BYTES
    assert b"ready to accept connections" in log.read_bytes()


def test_stopping_what_is_gone_is_no_error(tmp_path: Path) -> None:
    # Above the largest number Linux gives out.
    process.stop(4_194_305, data=tmp_path)
