"""What the progress bar says."""

from dataclasses import replace
from datetime import timedelta

from export_pipelines.cli.bar import figures
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job


def test_rows_bytes_rate_and_time_left_are_said_as_far_as_they_are_known(database: Database) -> None:
    job = add_job(database)
    assert figures(job, now=NOW) == ""
    begun = replace(job, rows_done=0, rows_total=1_234_567)
    assert figures(begun, now=NOW) == "0 of 1,234,567 rows"
    halfway = replace(
        begun,
        rows_done=600_000,
        bytes_done=3 * 1024**3,
        bytes_per_second=25.5 * 1024**2,
        estimated_finish_at=NOW + timedelta(seconds=125.4),
    )
    assert figures(halfway, now=NOW) == "600,000 of 1,234,567 rows, 3.0 GiB, 25.5 MiB/s, 0:02:05 left"
    assert figures(halfway, now=NOW + timedelta(hours=1)).endswith("0:00:00 left")
