"""Many event streams at once, and a job that reports: ``PORT JOB STREAMS REPORTS``, and ``BENCH_KEY``.

Counts the streams that got every event once and in order, and how long the slowest event was on its way.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime

from benchmarks.usage import Usage
from export_pipelines.cli import session
from export_pipelines.core.progress import Phase, Report
from export_pipelines.db import events, jobs
from export_pipelines.steps.services import Services

REPORT_SECONDS = 1.5
PHASE = Phase(name="rendering", begin=0, end=99)


async def listen(port: int, path: str, key: str, open_streams: list[int]) -> tuple[list[int], list[float]]:
    """The ids of one stream's events, and how long each took from its writing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    ids: list[int] = []
    delays: list[float] = []
    kind = ""
    while line := (await reader.readline()).decode():
        name, _, value = line.strip().partition(": ")
        if name == "retry":
            open_streams.append(1)
        elif name == "event":
            kind = value
        elif name == "data":
            delays.append(time.time() - datetime.fromisoformat(json.loads(value)["updated_at"]).timestamp())
        elif name == "id":
            ids.append(int(value))
        elif not line.strip() and kind == "end":
            break
    writer.close()
    return ids, delays


async def work(services: Services, job_id: str, *, reports: int, streams: int, open_streams: list[int]) -> None:
    """Report as a worker does, once all are listening, and end."""
    while len(open_streams) < streams:
        await asyncio.sleep(0.05)
    ref = jobs.ref_of(jobs.get(services.database, job_id))
    for number in range(reports):
        report = Report(phase=PHASE, message="rendering", rows_done=number, rows_total=reports)
        await asyncio.to_thread(jobs.report_progress, services.database, ref, report, now=datetime.now(UTC))
        await asyncio.sleep(REPORT_SECONDS)
    await asyncio.to_thread(jobs.cancel, services.database, job_id, now=datetime.now(UTC))


async def run(services: Services, port: int, job_id: str, key: str, *, streams: int, reports: int) -> dict[str, float]:
    """Listen and work, both at once."""
    open_streams: list[int] = []
    path = f"/api/exports/{job_id}/events"
    listeners = [asyncio.create_task(listen(port, path, key, open_streams)) for _ in range(streams)]
    await work(services, job_id, reports=reports, streams=streams, open_streams=open_streams)
    async with asyncio.timeout(60):
        heard = await asyncio.gather(*listeners)
    written = [event.id for event in events.list_events(services.database, job_id)]
    # The first was written before anybody listened.
    delays = sorted(delay for _, of_stream in heard for delay in of_stream[1:])
    return {
        "whole": sum(ids == written for ids, _ in heard),
        "median_seconds": delays[len(delays) // 2],
        "worst_seconds": delays[-1],
        "events": len(written),
    }


def main() -> None:
    port, job_id, streams, reports = sys.argv[1:]
    key = os.environ["BENCH_KEY"]
    with session.services() as services:
        usage = Usage()
        said = asyncio.run(run(services, int(port), job_id, key, streams=int(streams), reports=int(reports)))
        print(json.dumps({**usage.so_far(), **said}))


if __name__ == "__main__":
    main()
