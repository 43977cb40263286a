"""Progress of whole exports: often enough on slow ones, adding up across processes, stopped by a cancellation."""

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import SupersededError
from export_pipelines.core.frozen import Part, ShardTask
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.settings import Settings
from export_pipelines.db import events, jobs
from export_pipelines.db.database import Database
from export_pipelines.db.events import Event
from export_pipelines.steps import progress
from export_pipelines.steps.begin import begin
from export_pipelines.steps.export import run_export
from export_pipelines.steps.load import load
from export_pipelines.steps.package import package
from export_pipelines.steps.record import record
from export_pipelines.steps.render import render
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.upload import upload
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order
from export_pipelines_tests.steps.slow_store import SlowStore


@pytest.fixture
def services(services: Services) -> Services:
    """With the machine's clock, and a store that can be made slow."""
    store = SlowStore(services.settings.home / "store")
    return replace(services, store=store, clock=lambda: datetime.now(UTC))


def slow(services: Services, *words: str, seconds: float) -> None:
    assert isinstance(services.store, SlowStore)
    services.store.words, services.store.seconds = words, seconds


def submitted(services: Services, type_name: str = "RUN_BUNDLE") -> ExportJob:
    return submit(services, order(type_name))


def told(services: Services, job_id: str) -> tuple[Event, ...]:
    """The job's events, of which the numbers of one attempt never fall and only the last says a hundred."""
    found = events.list_events(services.database, job_id)
    for one, other in pairwise(found):
        assert (one.attempt, one.progress_percent) <= (other.attempt, other.progress_percent)
    assert all(event.progress_percent < 100 for event in found[:-1])
    return found


def test_a_quick_export_tells_each_step_once(services: Services) -> None:
    job = run_export(services, submitted(services, "DEFINITION_MD").id)
    assert [(event.progress_percent, event.message) for event in told(services, job.id)] == [
        (0, "started"),
        (40, "freezing rows"),
        (85, "rendering shard 1 of 1"),
        (95, "packaging"),
        (99, "publishing"),
        (100, "published"),
    ]


def test_the_row_ends_with_all_rows_and_the_files_bytes(services: Services) -> None:
    job = run_export(services, submitted(services, "BULK_JSONL").id)
    assert job.rows_done == job.rows_total == job.record_count
    assert job.bytes_done == job.output_size_bytes
    assert (job.bytes_per_second, job.estimated_finish_at) == (None, None)


def test_an_export_of_many_shards_names_each(services: Services) -> None:
    job = run_export(services, submitted(services).id, alone=False)
    messages = dict.fromkeys(event.message for event in told(services, job.id))
    shards = [message for message in messages if message.startswith("rendering")]
    assert len(shards) > 1
    assert shards == [f"rendering shard {number} of {len(shards)}" for number in range(1, len(shards) + 1)]


@pytest.mark.parametrize("type_name", ["BULK_CSV", "RUN_BUNDLE"])
def test_an_export_that_renders_as_it_reads_says_so(services: Services, type_name: str) -> None:
    job = run_export(services, submitted(services, type_name).id)
    messages = dict.fromkeys(event.message for event in told(services, job.id))
    assert "reading and rendering rows" in messages
    assert not any(message.startswith("rendering shard") for message in messages)


def test_a_slow_export_is_heard_of_at_least_every_two_seconds(services: Services) -> None:
    services = replace(services, settings=replace(services.settings, shard_bytes=10_000_000))
    slow(services, "frozen/00000", "exports/", seconds=2.5)
    job = run_export(services, submitted(services).id, alone=False)
    found = told(services, job.id)
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(found)]
    assert max(gaps) < 2
    assert sum(event.message == "publishing" for event in found) > 2


def test_a_slow_database_does_not_make_the_interval_longer(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    job = begin(services, submitted(services).id, dagster_run_id=None)
    begun: list[float] = []
    report = jobs.report_progress

    def report_slowly(*arguments: Any, **more: Any) -> ExportJob:
        begun.append(time.monotonic())
        time.sleep(0.9)
        return report(*arguments, **more)

    monkeypatch.setattr(jobs, "report_progress", report_slowly)
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 1.0)
    with progress.Progress(services, jobs.ref_of(job), progress.RENDERING):
        while len(begun) < 3:
            time.sleep(0.01)
    assert max(later - earlier for earlier, later in pairwise(begun)) < 1.6


def test_a_cancelled_export_stops_within_two_seconds(services: Services) -> None:
    job = submitted(services)
    slow(services, "frozen/", seconds=0.4)
    stopped: list[float] = []

    def work() -> None:
        with pytest.raises(SupersededError, match="CANCELLED"):
            run_export(services, job.id, alone=False)
        stopped.append(time.monotonic())

    worker = threading.Thread(target=work)
    worker.start()
    while not any("rendering" in event.message for event in told(services, job.id)):
        time.sleep(0.02)
    jobs.cancel(services.database, job.id, now=services.clock())
    cancelled = time.monotonic()
    worker.join(timeout=60)
    assert stopped[0] - cancelled < 2
    assert jobs.get(services.database, job.id).status is JobStatus.CANCELLED
    assert told(services, job.id)[-1].message == "cancelled"


def test_a_resumed_export_goes_on_from_where_it_was(services: Services) -> None:
    job = begin(services, submitted(services).id, dagster_run_id=None)
    type_ = export_type(job.type)
    frozen = load(services, type_, job)
    for task in frozen.tasks()[:2]:
        render(services, type_, task)
    jobs.fail(services.database, job_id=job.id, attempt=1, error="broken", now=services.clock())
    before = jobs.get(services.database, job.id)
    assert run_export(services, job.id).progress_percent == 100
    found = told(services, job.id)
    (place,) = (number for number, event in enumerate(found) if event.message == "continued")
    assert found[place].progress_percent == before.progress_percent > 40
    assert found[place + 1].rows_done > before.rows_done
    assert "shard 3" in found[place + 1].message
    assert {event.attempt for event in found} == {1}


def test_an_export_whose_frozen_rows_are_gone_begins_from_nothing_under_its_next_attempt(services: Services) -> None:
    job = begin(services, submitted(services).id, dagster_run_id=None)
    load(services, export_type(job.type), job)
    for facts in list(services.store.list("staging/")):
        services.store.delete(facts.key)
    assert run_export(services, job.id).attempt == 2
    assert next(event.progress_percent for event in told(services, job.id) if event.attempt == 2) == 0


def test_processes_that_render_beside_each_other_add_up(services: Services) -> None:
    job = begin(services, submitted(services).id, dagster_run_id=None)
    type_ = export_type(job.type)
    frozen = load(services, type_, job)
    tasks = frozen.tasks()
    # The first two are done twice, as when a worker was lost and its shard given to another.
    work = [*tasks, *tasks[:2]]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        arguments = [(services.database.url, services.settings.home, task) for task in work]
        parts = list(pool.map(render_alone, arguments))
    found = told(services, job.id)
    counted = [event.rows_done for event in found if "rendering" in event.message]
    assert counted == sorted(counted)
    assert counted[-1] == frozen.counted_rows
    assert found[-1].progress_percent == 85
    done = record(services, upload(services, package(services, type_, frozen, parts[: len(tasks)])))
    assert done.progress_percent == 100


def render_alone(given: tuple[str, Path, ShardTask]) -> Part:
    """One shard in a process of its own, slowly enough that two overlap."""
    url, home, task = given
    store = SlowStore(home / "store")
    store.words, store.seconds = ("frozen/0",), 0.4
    database = Database(url)
    try:
        services = Services(
            database=database, store=store, settings=Settings(home=home), clock=lambda: datetime.now(UTC)
        )
        return render(services, export_type(task.job.type), task)
    finally:
        database.close()


def test_who_listens_hears_of_long_steps_only_and_on_their_own_thread(services: Services) -> None:
    heard: list[tuple[str, int]] = []
    listening = replace(services, tell=lambda job, message: heard.append((message, threading.get_ident())))
    run_export(listening, submitted(services).id)
    assert heard == []
    # A clock that runs forty times as fast makes it a long one.
    began = datetime.now(UTC)
    fast = replace(listening, clock=lambda: began + 40 * (datetime.now(UTC) - began))
    slow(services, "frozen/00000", seconds=1.0)
    run_export(fast, submitted(services).id, alone=False)
    assert heard
    assert {thread for _, thread in heard} == {threading.get_ident()}


def test_a_database_that_is_away_for_a_moment_costs_a_report_and_nothing_more(services: Services) -> None:
    job = begin(services, submitted(services).id, dagster_run_id=None)
    ref = jobs.ref_of(job)
    away = replace(services, database=Database("postgresql://nobody@127.0.0.1:9/nothing"))

    def work() -> None:
        with progress.Progress(away, ref, progress.RENDERING) as counting:
            time.sleep(1.0)
            counting.advance(rows=1)
            raise LookupError("the work's own")

    with pytest.raises(LookupError, match="the work's own"):
        work()


def test_counting_costs_the_work_next_to_nothing(services: Services) -> None:
    job = begin(services, submitted(services).id, dagster_run_id=None)
    assert isinstance(services.store, LocalStore)
    with progress.Progress(services, jobs.ref_of(job), progress.FREEZING, rows_total=10**6) as counting:
        began = time.process_time()
        for _ in range(4000):
            counting.advance(rows=256)
        taken = timedelta(seconds=time.process_time() - began)
    assert taken < timedelta(milliseconds=200)
