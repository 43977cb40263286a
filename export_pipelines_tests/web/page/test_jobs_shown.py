"""A job as the page shows it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.web.page.jobs_shown import ShownJob, by_day
from export_pipelines_tests.db.rows import NOW, later

JOB = ExportJob(
    id="c1", user_id="u1", type="BULK_CSV", status=JobStatus.PROCESSING, input={}, title="Transcripts (CSV): April",
    attempt=1, progress_percent=10, download_count=0, created_at=NOW, updated_at=NOW, phase="freezing rows",
)  # fmt: skip


def shown(place: int | None = None, **fields: object) -> ShownJob:
    return ShownJob(job=replace(JOB, **fields), now=NOW, place=place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "type_", "name", "label"),
    [
        ("Transcripts (CSV): April", "BULK_CSV", "April", "Transcripts (CSV): April"),
        ("Transcripts (CSV): iris, April", "BULK_CSV", "iris, April", "Transcripts (CSV): iris, April"),
        ("Mine", "BULK_CSV", "Mine", "Mine"),
        ("iOS, for Ada", "BULK_CSV", "iOS, for Ada", "iOS, for Ada"),
        ("", "BULK_CSV", "Transcripts (CSV)", "Transcripts (CSV)"),
        ("Audit log (JSON Lines): rows 1 to 9", "AUDIT_JSONL", "Rows 1 to 9", "Audit log (JSON Lines): rows 1 to 9"),
        ("", "NO_LONGER_OFFERED", "NO_LONGER_OFFERED", "NO_LONGER_OFFERED"),
    ],
)
def test_the_type_is_not_said_twice(title: str, type_: str, name: str, label: str) -> None:
    found = shown(title=title, type=type_)
    assert (found.name, found.label) == (name, label)


def test_whose_it_is_belongs_to_its_label_where_that_is_told() -> None:
    assert replace(shown(), owner="ada@example.org").label == "Transcripts (CSV): April, of ada@example.org"


@pytest.mark.parametrize(
    ("fields", "doing"),
    [
        ({}, "Freezing rows"),
        ({"phase": None}, "Starting"),
        ({"launch_after": NOW}, "Its worker was lost; it goes on in a moment"),
        ({"status": JobStatus.PENDING, "place": 1}, "Next in the queue"),
        ({"status": JobStatus.PENDING, "place": 12}, "12th in the queue"),
        ({"status": JobStatus.PENDING}, "In the queue"),
        ({"status": JobStatus.PENDING, "claimed_at": NOW}, "Starting"),
    ],
)
def test_what_it_is_at(fields: dict[str, object], doing: str) -> None:
    assert shown(**fields).doing == doing  # type: ignore[arg-type]


def test_a_file_whose_time_is_over_is_expired_before_the_sweep_has_come() -> None:
    there = shown(status=JobStatus.COMPLETED, expires_at=later(seconds=1))
    over = shown(status=JobStatus.COMPLETED, expires_at=NOW)
    assert [(found.word, found.downloadable, found.retryable) for found in (there, over)] == [
        ("Ready", True, False),
        ("Expired", False, True),
    ]


def test_who_only_looks_is_offered_nothing_that_changes_it() -> None:
    for status in JobStatus:
        viewed = replace(shown(status=status, expires_at=later(hours=1)), manageable=False)
        assert [viewed.cancellable, viewed.retryable, viewed.deletable] == [False] * 3


def test_time_is_left_while_there_is_a_second_of_it() -> None:
    finishes = (None, NOW, later(seconds=0.9), later(seconds=90))
    assert [shown(estimated_finish_at=finish).left for finish in finishes] == ["", "", "", "1 min left"]


def test_jobs_stand_under_the_days_they_were_made_on() -> None:
    found = tuple(shown(created_at=NOW - timedelta(days=days)) for days in (0, 0, 1, 40))
    assert [(day, len(jobs)) for day, jobs in by_day(found)] == [("Today", 2), ("Yesterday", 1), ("20 January", 1)]
