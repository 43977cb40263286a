"""Streams while jobs go on: in order, to the end, checked again and again, and never more work than one look a tick."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.progress import Phase, Report
from export_pipelines.db import events, jobs, shares
from export_pipelines.db.database import Database
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.evaluation import api_keys
from export_pipelines.db.jobs import Place
from export_pipelines.db.watching import statement, watcher
from export_pipelines.steps.export import run_export
from export_pipelines.web.watching import watch
from export_pipelines_tests.web.api_site import ApiSite
from export_pipelines_tests.web.listening import Heard, heard, listening, read_events

SOON = 5.0
"""Seconds within which everything here has to come; a tick takes half of one."""


def report(api: ApiSite, job: ExportJob, percent: int, message: str = "working") -> None:
    phase = Phase(name="rendering", begin=percent, end=percent)
    jobs.report_progress(
        api.services.database, jobs.ref_of(job), Report(phase=phase, message=message), now=api.services.clock()
    )


def execute(api: ApiSite, statement: bytes, *values: object) -> None:
    with api.services.database.raw_connection(autocommit=True) as connection:
        connection.execute(statement, values)


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Run the work in a thread of its own while the block lasts."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_a_stream_that_began_in_the_queue_tells_the_whole_life_of_the_job(api: ApiSite) -> None:
    job = api.job()
    with listening(api.owner, job.id) as stream:
        first = next(stream)
        with meanwhile(lambda: run_export(api.services, job.id)):
            rest = list(stream)
    assert (first.kind, first.id, first.data["status"]) == ("progress", None, "PENDING")
    assert (first.data["queue_position"], first.data["message"]) == (None, "is about to begin")
    written = events.list_events(api.services.database, job.id)
    assert [event.id for event in rest if event.id is not None] == [event.id for event in written]
    assert [event.data["message"] for event in rest if event.id is not None] == [event.message for event in written]
    assert (rest[-1].kind, rest[-1].data["status"], rest[-1].data["progress_percent"]) == ("end", "COMPLETED", 100)
    assert rest[-2].data["status"] == "PROCESSING"


def test_while_nothing_is_written_down_a_comment_comes_within_two_seconds(api: ApiSite) -> None:
    job = api.job(JobStatus.PROCESSING)
    with api.owner.stream("GET", f"/api/exports/{job.id}/events") as answer:
        at = [(time.monotonic(), line) for line, _ in zip(answer.iter_lines(), range(9), strict=False)]
    comments = [moment for moment, line in at if line.startswith(":")]
    assert len(comments) >= 2
    assert comments[-1] - comments[-2] < 2


def test_a_job_deleted_meanwhile_ends_its_stream(api: ApiSite) -> None:
    job = api.job(JobStatus.PROCESSING)
    with listening(api.owner, job.id) as stream:
        assert next(stream).kind == "progress"
        execute(api, b"DELETE FROM exports.export_jobs WHERE id = %s", job.id)
        [end] = stream
    assert (end.kind, end.id, end.data["status"]) == ("end", None, "DELETED")


def test_a_job_that_plain_sql_cancels_ends_its_stream_though_no_event_says_so(api: ApiSite) -> None:
    job = api.job(JobStatus.PROCESSING)
    with listening(api.owner, job.id) as stream:
        started = next(stream)
        execute(api, b"UPDATE exports.export_jobs SET status = 'CANCELLED' WHERE id = %s", job.id)
        [end] = stream
    assert started.id is not None
    assert (end.kind, end.id, end.data["status"]) == ("end", None, "CANCELLED")


def test_what_is_revoked_ends_the_streams_it_opened_and_no_other(api: ApiSite) -> None:
    job = api.job(JobStatus.PROCESSING)
    share_id = api.share(job)
    database, now = api.services.database, api.services.clock
    [key] = api_keys.list_for_user(database, api.people["administrator"])
    with ExitStack() as stack:
        names = ("owner", "viewer", "administrator")
        streams = {name: stack.enter_context(listening(api.clients[name], job.id)) for name in names}
        for stream in streams.values():
            next(stream)
        began = time.monotonic()
        shares.revoke(database, share_id, job_id=job.id, now=now())
        api_keys.revoke(database, key.id, now=now())
        ends = [next(streams[name]) for name in ("viewer", "administrator")]
        assert time.monotonic() - began < SOON
        report(api, job, 7)
        assert next(streams["owner"]).data["progress_percent"] == 7
    assert [(end.kind, end.data["status"]) for end in ends] == [("end", "NOT_READABLE")] * 2
    assert "no longer shared" in ends[0].data["message"]
    assert "revoked" in ends[1].data["message"]


def test_a_client_that_is_far_behind_gets_everything_page_for_page(api: ApiSite) -> None:
    job = api.job(JobStatus.PROCESSING)
    execute(
        api,
        b"INSERT INTO exports.export_events (job_id, attempt, progress_percent, rows_done, bytes_done, message, at)"
        b" SELECT %s, 1, 1, n, 0, 'old', now() FROM generate_series(1, %s) AS n",
        job.id,
        statement.MOST_EVENTS * 2 + 10,
    )
    jobs.cancel(api.services.database, job.id, now=api.services.clock())
    told = heard(api.owner, job.id)
    assert [event.id for event in told] == [event.id for event in events.list_events(api.services.database, job.id)]
    assert (told[-1].kind, told[-1].data["message"]) == ("end", "cancelled")


def test_a_hundred_streams_cost_one_look_a_tick_and_all_hear_in_time(
    api: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = api.job(JobStatus.PROCESSING)
    looks: list[int] = []
    look = watcher.look

    async def counted(*arguments: object, **more: object) -> object:
        looks.append(len(arguments[2]))  # type: ignore[arg-type]
        return await look(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(watcher, "look", counted)

    async def listen(client: httpx.AsyncClient, ready: asyncio.Semaphore) -> float:
        async with client.stream("GET", f"/api/exports/{job.id}/events") as answer:
            async for line in answer.aiter_lines():
                if '"message":"started"' in line:
                    ready.release()
                if '"message":"news"' in line:
                    return time.monotonic()
        raise AssertionError("the stream ended")

    async def listen_all() -> float:
        ready = asyncio.Semaphore(0)
        limits = httpx.Limits(max_connections=None)
        headers = {"Authorization": f"Bearer {api.keys['owner']}"}
        async with httpx.AsyncClient(base_url=api.url, headers=headers, limits=limits, timeout=30) as client:
            listeners = [asyncio.create_task(listen(client, ready)) for _ in range(100)]
            for _ in listeners:
                await ready.acquire()
            looks.clear()
            await asyncio.sleep(1.6)
            said = time.monotonic()
            await asyncio.to_thread(report, api, job, 9, "news")
            return max(await asyncio.gather(*listeners)) - said

    assert asyncio.run(listen_all()) < 2
    assert 100 in looks
    assert len(looks) < 12


def test_a_process_that_serves_as_many_streams_as_it_may_says_so_until_one_ends(
    api: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export_pipelines.web.watching.watch.MOST_STREAMS", 1)
    job = api.job(JobStatus.PROCESSING)
    path = f"/api/exports/{job.id}/events"
    with listening(api.owner, job.id) as stream:
        next(stream)
        refused = api.owner.get(path)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        jobs.cancel(api.services.database, job.id, now=api.services.clock())
        assert [event.kind for event in stream] == ["end"]
    assert heard(api.owner, job.id)[-1].kind == "end"


def test_a_client_that_takes_nothing_is_dropped(
    api: ApiSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("export_pipelines.web.watching.streams.SEND_SECONDS", 0.5)
    job = api.job(JobStatus.PROCESSING)
    address = urlsplit(api.url)
    with (
        caplog.at_level(logging.INFO),
        socket.create_connection((address.hostname or "", address.port or 0)) as connection,
    ):
        connection.sendall(
            f"GET /api/exports/{job.id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.keys['owner']}\r\n"
            "\r\n".encode()
        )
        connection.recv(15)
        for letter in ("a", "b"):
            execute(
                api,
                b"INSERT INTO exports.export_events (job_id, attempt, progress_percent, rows_done, bytes_done, message,"
                b" at) VALUES (%s, 1, 1, 0, 0, repeat(%s, 20000000), now())",
                job.id,
                letter,
            )
        give_up = time.monotonic() + 30
        while "event stream dropped" not in caplog.text:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        report(api, job, 5, "too late")
        taken = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    assert b"aaa" in taken
    assert b"too late" not in taken


def test_a_database_that_goes_away_ends_streams_with_a_hint_and_polls_with_503(
    api: ApiSite, postgres_server: EmbeddedServer
) -> None:
    job = api.job(JobStatus.PROCESSING)
    with api.owner.stream("GET", f"/api/exports/{job.id}/events") as answer:
        lines = answer.iter_lines()
        started = next(read_events(lines))
        with refusing_connections(postgres_server, api.services.database):
            rest = list(lines)
            away = api.owner.get(f"/api/exports/{job.id}/status")
    assert "retry: 10000" in rest
    assert not any(line.startswith("event") for line in rest)
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert away.headers["retry-after"]
    report(api, job, 3)
    with listening(api.owner, job.id, after=started.id) as stream:
        assert next(stream).data["progress_percent"] == 3
    assert api.owner.get(f"/api/exports/{job.id}/status").json()["progress_percent"] == 3


@contextmanager
def refusing_connections(server: EmbeddedServer, database: Database) -> Iterator[None]:
    """Cut everybody off from the database, and let nobody in while the block lasts."""
    name = database.libpq_url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(server.libpq_url("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_the_place_in_the_queue_is_told_again_when_it_changes(api: ApiSite) -> None:
    first, second = (unpromised(api) for _ in range(2))
    told: list[Heard] = []
    with listening(api.owner, second.id) as stream:
        told.append(next(stream))
        jobs.cancel(api.services.database, first.id, now=api.services.clock())
        told.append(next(stream))
        jobs.cancel(api.services.database, second.id, now=api.services.clock())
        told.extend(stream)
    assert [event.data["queue_position"] for event in told] == [2, 1, None]
    assert [event.data["status"] for event in told] == ["PENDING", "PENDING", "CANCELLED"]
    assert told[0].data["queue_waits_for"] == "launch"
    assert [event.id is None for event in told] == [True, True, False]


def test_who_asks_for_a_place_while_others_are_being_told_theirs_is_told_its_own(
    api: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (unpromised(api).id for _ in range(2))
    looking, go_on = threading.Event(), threading.Event()
    places = watch.places

    def slow_places(*arguments: object) -> object:
        looking.set()
        assert go_on.wait(timeout=20)
        return places(*arguments)  # type: ignore[arg-type]

    async def ask_one_after_the_other() -> list[Place | None]:
        asked = watch.Watch(api.services)
        one = asyncio.create_task(asked.place(first))
        assert await asyncio.to_thread(looking.wait, 20)
        other = asyncio.create_task(asked.place(second))
        # It asks now, and stands in line.
        await asyncio.sleep(0)
        go_on.set()
        told = [await one, await other]
        await asked.close()
        return told

    monkeypatch.setattr(watch, "places", slow_places)
    assert [place and place.position for place in asyncio.run(ask_one_after_the_other())] == [1, 2]


def unpromised(api: ApiSite) -> ExportJob:
    """A job that waits in the queue; those of the site are promised a run."""
    job = api.job()
    execute(api, b"UPDATE exports.export_jobs SET claimed_at = NULL, claimed_by = NULL WHERE id = %s", job.id)
    return job
