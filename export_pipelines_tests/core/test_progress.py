"""Percent, rate and estimated finish, as they follow from reports."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.progress import Phase, Report, advanced, smoothed
from export_pipelines.steps.progress import FREEZING, PACKAGING, PUBLISHING, RENDERING

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PHASES = [FREEZING, RENDERING, PACKAGING, PUBLISHING]
JOB = ExportJob(
    id="c1",
    user_id="c2",
    type="BULK_CSV",
    status=JobStatus.PROCESSING,
    input={},
    title="",
    attempt=1,
    progress_percent=0,
    download_count=0,
    created_at=NOW,
    updated_at=NOW,
)
COUNTS = st.integers(min_value=0, max_value=2**60)
REPORTS = st.builds(
    Report,
    phase=st.sampled_from(PHASES),
    message=st.just("m"),
    rows_done=COUNTS,
    rows_total=st.none() | COUNTS,
    bytes_done=COUNTS,
    bytes_total=st.none() | COUNTS,
)


def after(job: ExportJob, report: Report, *, seconds: float) -> ExportJob:
    """The row after the report, as the database would have it."""
    now = job.updated_at + timedelta(seconds=seconds)
    values = asdict(advanced(job, report, now=now))
    return replace(job, **values, updated_at=max(now, job.updated_at))


@given(st.lists(st.tuples(REPORTS, st.floats(min_value=-5, max_value=1e6)), max_size=30))
def test_whatever_is_reported_percent_never_falls_and_never_says_done(reports: list[tuple[Report, float]]) -> None:
    job = JOB
    for report, seconds in reports:
        later = after(job, report, seconds=seconds)
        assert job.progress_percent <= later.progress_percent <= 99
        if later.phase == job.phase:
            assert (later.rows_done, later.bytes_done) >= (job.rows_done, job.bytes_done)
        assert later.bytes_per_second is None or later.bytes_per_second >= 0
        assert later.estimated_finish_at is None or later.estimated_finish_at > job.updated_at - timedelta(seconds=5)
        job = later


def test_the_phases_share_a_hundred_percent_without_gaps() -> None:
    assert [phase.begin for phase in PHASES] == [0, *(phase.end for phase in PHASES[:-1])]
    assert PUBLISHING.end == 99


def test_a_steady_export_knows_its_rate_and_its_end() -> None:
    job = JOB
    for second in range(1, 21):
        done = Report(phase=FREEZING, message="m", rows_done=second * 10, rows_total=400, bytes_done=second * 5000)
        job = after(job, done, seconds=1)
    assert (job.progress_percent, job.rows_done, job.rows_total) == (20, 200, 400)
    assert job.bytes_per_second == pytest.approx(5000)
    # Half of the forty percent took 20 s, so the whole takes 100.
    assert job.estimated_finish_at is not None
    assert (job.estimated_finish_at - NOW).total_seconds() == pytest.approx(100, abs=0.01)


def test_the_rate_follows_a_change_within_seconds_and_is_not_upset_by_one_moment() -> None:
    assert smoothed(100.0, 0, seconds=0.1) == pytest.approx(100, rel=0.02)
    assert smoothed(100.0, 200 * 30, seconds=30) == pytest.approx(200, rel=0.03)
    assert smoothed(None, 50, seconds=2) == 25
    assert smoothed(10.0, 50, seconds=0) == 10


def test_many_small_steps_of_time_smooth_like_one_large() -> None:
    rate: float | None = 100.0
    for _ in range(100):
        rate = smoothed(rate, 5, seconds=0.1)
    assert rate == pytest.approx(smoothed(100.0, 500, seconds=10))


def test_a_phase_that_counts_bytes_only_keeps_the_rows() -> None:
    frozen = after(JOB, Report(phase=FREEZING, message="m", rows_done=7, rows_total=7, bytes_done=900), seconds=1)
    packed = after(frozen, Report(phase=PACKAGING, message="m", bytes_done=50, bytes_total=100), seconds=1)
    assert (packed.rows_done, packed.rows_total, packed.bytes_done, packed.progress_percent) == (7, 7, 50, 90)
    assert packed.bytes_per_second == 50


def test_an_export_without_rows_or_bytes_is_through_each_phase_at_once() -> None:
    assert Report(phase=FREEZING, message="m", rows_total=0).exact_percent == 40
    assert Report(phase=PUBLISHING, message="m", bytes_total=0).exact_percent == 99


def test_a_stalled_export_has_no_estimate_rather_than_one_of_centuries() -> None:
    crawl = Report(phase=Phase(name="p", begin=0, end=40), message="m", bytes_done=1, bytes_total=2**60)
    assert after(JOB, crawl, seconds=3600).estimated_finish_at is None
