"""The web service: status reads, open event streams, and downloads against nginx with the same file."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, MeasureError, Results, interleaved, median, ratio
from benchmarks.serving import Service, free_port, processing, published, served
from benchmarks.workbench import Workbench, say
from export_pipelines.cli.processes import Program

STATUS_RATE, STATUS_P99 = "status_rate", "status_p99"
STREAMS, STREAM_DELAY = "event_streams", "event_delay"
DOWNLOAD, DOWNLOAD_MEMORY = "download", "download_memory"
CONNECTIONS = 16
POLL_SECONDS = 5
OPEN_STREAMS = 200
REPORTS = 8
FILE_BYTES = 1024**3
ROUNDS_OF_DOWNLOADS = 7
"""A download takes a second, of which a busy machine may take half: more rounds than what takes longer."""

_OURS, _NGINX = "ours", "nginx"
_NGINX_CONF = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off; sendfile on; tcp_nopush on;
    client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
    uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def measure_status(bench: Workbench, wanted: Sequence[str]) -> list[Figure]:
    """Both figures are medians of the rounds; the load shares the processors with the service and the database."""
    say("asking for the status ...")
    with served(bench) as service:
        arguments = (f"/api/exports/{processing(bench).id}/status", str(CONNECTIONS), str(POLL_SECONDS))
        polled = [
            bench.work("polling", str(service.port), *arguments, BENCH_KEY=service.key)
            for _ in range(bench.options.rounds)
        ]
    results = {"": polled}

    def middle(fact: str) -> float:
        return median(results, "", of=lambda measured: measured.facts[fact])

    detail = (
        f"one serve process, {CONNECTIONS} connections, {POLL_SECONDS} s a round; median {middle('median_ms'):.1f} ms, "
        f"p99 {middle('p99_ms'):.1f} ms, worst {middle('worst_ms'):.0f} ms"
    )
    rate = Figure(
        name=STATUS_RATE,
        title="status reads a second, load on the same processors",
        value=middle("requests_a_second"),
        must=1000,
        aim=2000,
        at_least=True,
        detail=detail,
    )
    p99 = Figure(
        name=STATUS_P99,
        title="99th percentile of the time of a status read under that load",
        value=middle("p99_ms"),
        must=50,
        aim=20,
        unit=" ms",
    )
    return [figure for figure in (rate, p99) if figure.name in wanted]


def measure_streams(bench: Workbench, wanted: Sequence[str]) -> list[Figure]:
    """Streams that got every event once, in order; and the slowest event of them all."""
    say("listening to events ...")
    with served(bench) as service:
        arguments = (processing(bench).id, str(OPEN_STREAMS), str(REPORTS))
        done = bench.work("listening", str(service.port), *arguments, BENCH_KEY=service.key)
        memory = service.resident_mib()
    facts = done.facts
    figures = (
        Figure(
            name=STREAMS,
            title="event streams open at once that got every event once",
            value=facts["whole"],
            must=OPEN_STREAMS,
            aim=OPEN_STREAMS,
            at_least=True,
            detail=f"{facts['events']} events each, one serve process, {memory:.0f} MiB resident",
        ),
        Figure(
            name=STREAM_DELAY,
            title="from the writing of an event to its arrival in the last stream",
            value=facts["worst_seconds"],
            must=2,
            aim=1,
            unit=" s",
            detail=f"the slowest of all; the median is {facts['median_seconds']:.2f} s",
        ),
    )
    return [figure for figure in figures if figure.name in wanted]


def measure_downloads(bench: Workbench, wanted: Sequence[str]) -> list[Figure]:
    """The same file from our service, through a link, and from nginx; where there is no nginx, of ours the memory."""
    say("downloading ...")
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    if nginx is None:
        say(f"{DOWNLOAD}: skipped, for nginx is not installed; on Debian: apt-get install nginx-light")
    path = bench.store.local_path((job := published(bench, size=FILE_BYTES)).output_path or "")
    if path is None:
        raise MeasureError("the benchmarks' store is no folder")
    port = free_port()
    beside = () if nginx is None else (_nginx(bench, nginx, root=path.parent, port=port),)
    with served(bench, beside=beside) as service:
        contestants = {_OURS: _fetching(bench, service.port, _link(service, job.id))}
        if beside:
            contestants[_NGINX] = _fetching(bench, port, f"/{path.name}")
        contestants[_OURS]()
        before = service.resident_mib()
        results = interleaved(contestants, rounds=max(ROUNDS_OF_DOWNLOADS, bench.options.rounds))
        grown = service.resident_mib() - before
    bench.store.delete(job.output_path or "")
    figures = [*_speed(results), _memory(grown)]
    return [figure for figure in figures if figure.name in wanted]


def _speed(results: Results) -> list[Figure]:
    if _NGINX not in results:
        return []
    each = (f"{who} {FILE_BYTES / 1e6 / median(results, who):.0f} MB/s" for who in results)
    return [
        Figure(
            name=DOWNLOAD,
            title="download of 1 GB through a link, speed over nginx with sendfile",
            value=ratio(results, _NGINX, _OURS),
            must=0.6,
            aim=0.9,
            at_least=True,
            detail=f"{', '.join(each)}; medians of {len(results[_OURS])} interleaved rounds, one connection",
        )
    ]


def _memory(grown: float) -> Figure:
    return Figure(
        name=DOWNLOAD_MEMORY,
        title="growth of the service's resident memory by these downloads",
        value=grown,
        must=16,
        aim=4,
        unit=" MiB",
        detail="high-water mark after all of them over that after the first",
    )


def _fetching(bench: Workbench, port: int, path: str) -> Callable[[], Measured]:
    def fetch() -> Measured:
        done = bench.work("downloading", str(port), path)
        if done.facts["bytes"] != FILE_BYTES:
            raise MeasureError(f"{done.facts['bytes']} bytes arrived instead of {FILE_BYTES}")
        return done

    return fetch


def _link(service: Service, job_id: str) -> str:
    """The path of a link, as programs get one."""
    answer = httpx.get(
        f"{service.url}/api/exports/{job_id}/download", headers={"Authorization": f"Bearer {service.key}"}, timeout=30
    )
    if answer.status_code != 200:
        raise MeasureError(f"the service gives no link: {answer.status_code}")
    return urlsplit(answer.json()["download_url"]).path


def _nginx(bench: Workbench, program: str, *, root: Path, port: int) -> Program:
    conf = bench.folder / "nginx.conf"
    conf.write_text(_NGINX_CONF.format(folder=bench.folder, root=root, port=port))
    return Program(name="nginx", command=(program, "-c", str(conf)), port=port)


GROUPS = (
    Group(names=(STATUS_RATE, STATUS_P99), measure=measure_status),
    Group(names=(STREAMS, STREAM_DELAY), measure=measure_streams),
    Group(names=(DOWNLOAD, DOWNLOAD_MEMORY), measure=measure_downloads),
)
