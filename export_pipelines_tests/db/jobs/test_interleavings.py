"""Whatever many hands do to jobs, in whatever order: no status ever follows another that it may not follow."""

from contextlib import nullcontext, suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from export_pipelines.core.errors import ConflictError, SupersededError, ValidationError
from export_pipelines.core.jobs import TRANSITIONS, UNFINISHED, ExportJob, JobRef, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.database import Database
from export_pipelines.db.jobs import Limits
from export_pipelines_tests.db.rows import NOW, add_job, add_user, at_percent, stored_file

LIMITS = Limits(total=3, per_user=2)
OVER = (JobStatus.COMPLETED, JobStatus.EXPIRED, JobStatus.FAILED, JobStatus.CANCELLED)
BY_HAND = """UPDATE exports.export_jobs SET status = %s, error = 'by hand', output_url = 'u', completed_at = now(),
expires_at = now() + '1 hour' WHERE id = %s"""


class Interleavings(RuleBasedStateMachine):
    """Workers, queues, sweeps and people, each acting on what it saw at some time, not on what is true now."""

    database: Database

    @initialize()
    def begin(self) -> None:
        with self.database.raw_connection() as connection:
            connection.execute("DELETE FROM exports.export_jobs")
            connection.commit()
        self.now: datetime = NOW
        self.users = [add_user(self.database) for _ in range(2)]
        self.seen: list[ExportJob] = []
        self.refs: list[JobRef] = []
        self.states: dict[str, JobStatus] = {}
        self.runs = 0

    # What happens.

    @rule(user=st.integers(0, 1))
    def insert(self, user: int) -> None:
        self._saw(add_job(self.database, user_id=self.users[user], now=self._later()))

    @rule()
    def promise_runs(self) -> None:
        before = jobs.queue_length(self.database, now=self.now)
        claimed = jobs.claim_launches(self.database, by="test", limits=LIMITS, now=self._later())
        for job in claimed:
            self._saw(job)
        running = jobs.queue_length(self.database, now=self.now).running
        assert running == before.running + len(claimed)
        assert not claimed or running <= LIMITS.total

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0))
    def begin_run(self, pick: int) -> None:
        self.runs += 1
        with suppress(SupersededError):
            self._saw(
                jobs.claim(self.database, self._old(pick).id, dagster_run_id=f"run-{self.runs}", now=self._later())
            )

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0), new_attempt=st.booleans())
    def retry(self, pick: int, new_attempt: bool) -> None:
        self.runs += 1
        with suppress(SupersededError, ConflictError):
            self._saw(
                jobs.reopen(
                    self.database,
                    self._old(pick).id,
                    dagster_run_id=f"run-{self.runs}",
                    now=self._later(),
                    new_attempt=new_attempt,
                )
            )

    @precondition(lambda self: self.refs)
    @rule(pick=st.integers(0), percent=st.integers(0, 99))
    def report(self, pick: int, percent: int) -> None:
        with suppress(SupersededError):
            jobs.report_progress(self.database, self._ref(pick), at_percent(percent), now=self._later())

    @precondition(lambda self: self.refs)
    @rule(pick=st.integers(0))
    def finish(self, pick: int) -> None:
        ref, now = self._ref(pick), self._later()
        with suppress(SupersededError):
            self._saw(
                jobs.complete(self.database, stored_file(ref), url="u", expires_at=now + timedelta(minutes=5), now=now)
            )

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0), any_attempt=st.booleans())
    def fail(self, pick: int, any_attempt: bool) -> None:
        job = self._old(pick)
        attempt = None if any_attempt else job.attempt
        jobs.fail(self.database, job_id=job.id, attempt=attempt, error="broken", now=self._later())

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0))
    def cancel(self, pick: int) -> None:
        jobs.cancel(self.database, self._old(pick).id, now=self._later())

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0))
    def expire(self, pick: int) -> None:
        jobs.expire(self.database, self._old(pick).id, now=self._later())

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0))
    def lose_worker(self, pick: int) -> None:
        job = self._old(pick)
        if job.status in UNFINISHED:
            now = self._later()
            jobs.put_back(self.database, job, launch_after=now + timedelta(seconds=30), now=now)

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0))
    def forget_claim(self, pick: int) -> None:
        jobs.release(self.database, self._old(pick), now=self._later())

    @precondition(lambda self: self.seen)
    @rule(pick=st.integers(0), status=st.sampled_from(JobStatus))
    def set_by_plain_sql(self, pick: int, status: JobStatus) -> None:
        """Whoever writes the column himself gets what the transitions allow, and is refused the rest."""
        job_id = self._old(pick).id
        before = self.states[job_id]
        allowed = status is before or status in TRANSITIONS[before]
        refused = pytest.raises(ValidationError, match=f"cannot go from {before} to {status}")
        with nullcontext() if allowed else refused, self.database.raw_connection() as connection:
            connection.execute(BY_HAND, [status, job_id])
            connection.commit()

    @rule(minutes=st.integers(1, 10))
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # What is always true.

    @invariant()
    def every_status_follows_the_one_before(self) -> None:
        for job in jobs.list_jobs(self.database):
            before = self.states.get(job.id, JobStatus.PENDING)
            assert job.status is before or job.status in TRANSITIONS[before], f"{before} to {job.status}"
            self.states[job.id] = job.status

    @invariant()
    def rows_are_whole(self) -> None:
        for job in jobs.list_jobs(self.database):
            assert (job.status is not JobStatus.COMPLETED) or (job.output_url and job.expires_at)
            assert (job.status is not JobStatus.FAILED) or job.error
            assert (job.claimed_at is None) == (job.claimed_by is None)
            assert not (job.waits and job.status in OVER)

    def teardown(self) -> None:
        for job in jobs.list_jobs(self.database):
            actions = [entry.action for entry in audit.list_for_job(self.database, job.id)]
            assert actions[0] == "created"
            assert actions.count("cancelled") <= 1
            assert actions.count("expired") <= 1

    def _later(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def _saw(self, job: ExportJob) -> None:
        self.seen.append(job)
        self.states.setdefault(job.id, job.status)
        self.refs.append(jobs.ref_of(job))

    def _old(self, pick: int) -> ExportJob:
        return self.seen[pick % len(self.seen)]

    def _ref(self, pick: int) -> JobRef:
        return self.refs[pick % len(self.refs)]


def test_no_interleaving_of_what_workers_queues_and_people_do_reaches_an_illegal_state(database: Database) -> None:
    machine = type("OnDatabase", (Interleavings,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
