"""The serve process is killed amid streams, and started again: no job is lost, no event, and none comes twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from export_pipelines.core.settings import PREFIX
from export_pipelines.db import events, jobs
from export_pipelines.steps.services import Services
from export_pipelines_tests.dagster_ui import free_ports
from export_pipelines_tests.db.rows import add_job, add_user, at_percent, stored_file
from export_pipelines_tests.web.api_site import new_key
from export_pipelines_tests.web.listening import read_events
from export_pipelines_tests.web.site import SECRET

STREAMS = 5
KILLS = 1
SCRIPTS = Path(sys.executable).parent


@contextmanager
def serving(services: Services, port: int) -> Iterator["subprocess.Popen[str]"]:
    """``export-pipelines serve`` as its users run it, from when it listens."""
    environ = {
        "PATH": os.environ["PATH"],
        f"{PREFIX}HOME": str(services.settings.home),
        f"{PREFIX}DATABASE_URL": services.database.url,
        f"{PREFIX}STORE_URL": services.settings.effective_store_url,
        f"{PREFIX}LINK_SECRET": SECRET.decode(),
    }
    command = [str(SCRIPTS / "export-pipelines"), "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert any("listening" in line for line in process.stderr)
            # Whoever writes lines must find a reader.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield process
        finally:
            process.kill()


class Listener(threading.Thread):
    """A client as browsers are: whenever its stream breaks off, it comes back with the last id it has."""

    def __init__(self, url: str, key: str, job_id: str) -> None:
        super().__init__(daemon=True)
        self.ids: list[int] = []
        self.ends: list[str] = []
        self.begun = 0
        self._path = f"{url}/api/exports/{job_id}/events"
        self._key = key

    def run(self) -> None:
        while not self.ends:
            headers = {"Authorization": f"Bearer {self._key}"}
            if self.ids:
                headers["Last-Event-ID"] = str(self.ids[-1])
            try:
                with httpx.stream("GET", self._path, headers=headers, timeout=10) as answer:
                    self.begun += 1
                    for event in read_events(answer.iter_lines()):
                        self.ids += [] if event.id is None else [event.id]
                        self.ends += [event.data["status"]] if event.kind == "end" else []
            except httpx.TransportError:
                time.sleep(0.1)


def work_on(services: Services, job_id: str, over: threading.Event) -> None:
    """What a worker writes while it works."""
    job = jobs.claim(services.database, job_id, dagster_run_id=None, now=services.clock())
    while not over.wait(0.1):
        jobs.report_progress(services.database, jobs.ref_of(job), at_percent(1), now=services.clock())
    for number in range(5):
        jobs.report_progress(services.database, jobs.ref_of(job), at_percent(90 + number), now=services.clock())
    ends = services.clock().replace(year=2100)
    stored = stored_file(jobs.ref_of(job))
    jobs.complete(services.database, stored, url="u", expires_at=ends, now=services.clock())


def test_streams_outlive_the_process_that_serves_them(services: Services) -> None:
    with free_ports(1) as (free_port,):
        pass
    owner = add_user(services.database)
    key = new_key(services, owner)
    [job_id, waiting] = (add_job(services.database, user_id=owner).id for _ in range(2))
    over = threading.Event()
    worker = threading.Thread(target=work_on, args=(services, job_id, over), daemon=True)
    url = f"http://127.0.0.1:{free_port}"
    listeners = [Listener(url, key, job_id) for _ in range(STREAMS)]
    for thread in (worker, *listeners):
        thread.start()
    for _ in range(KILLS):
        with serving(services, free_port) as process:
            already = [len(listener.ids) for listener in listeners]
            while not all(len(each.ids) > had + 3 for each, had in zip(listeners, already, strict=True)):
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
    with serving(services, free_port) as process:
        over.set()
        for listener in listeners:
            listener.join(timeout=60)
        status = httpx.get(f"{url}/api/exports/{waiting}/status", headers={"Authorization": f"Bearer {key}"}).json()
        ends_at_once(process, url, key, waiting)
    written = [event.id for event in events.list_events(services.database, job_id)]
    assert [listener.ids for listener in listeners] == [written] * STREAMS
    assert [listener.ends for listener in listeners] == [["COMPLETED"]] * STREAMS
    assert min(listener.begun for listener in listeners) > KILLS
    assert status["status"] == "PENDING"


def ends_at_once(process: "subprocess.Popen[str]", url: str, key: str, job_id: str) -> None:
    """Told to end, it does not wait for streams, which would go on for ever."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.stream("GET", f"{url}/api/exports/{job_id}/events", headers=headers, timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        began = time.monotonic()
        process.terminate()
        assert not any("event: end" in line for line in lines)
    process.wait(timeout=30)
    assert time.monotonic() - began < 10
