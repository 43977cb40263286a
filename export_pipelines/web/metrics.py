"""``/metrics``: figures of the deployment for Prometheus, read from the database at most every few seconds.

Labels take few values: export types of the catalog (whatever else a row says is ``other``), statuses, classes of
failures, our own sensors and schedules. What happened is counted over the last day, since rows are looked at and not
events; only refusals are counted by this process, from its start.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import metrics
from export_pipelines.db.daemon import Daemon, DaemonWatch
from export_pipelines.db.database import Database
from export_pipelines.db.metrics import Figures

logger = logging.getLogger(__name__)

KEPT = timedelta(seconds=5)
"""Scrapes are seldom nearer than that; a stranger's are answered from memory."""
OTHER = "other"
_TYPES = frozenset(type_.name for type_ in EXPORT_TYPES)
_PREFIX = "export_pipelines_"

Samples = Iterable[tuple[tuple[str, ...], float]]


class Deployment(Collector):
    """Makes families of what the databases tell."""

    def __init__(
        self,
        database: Database,
        watch: DaemonWatch,
        *,
        clock: Callable[[], datetime],
        refused: Callable[[], Mapping[str, int]],
    ) -> None:
        self._database = database
        self._watch = watch
        self._clock = clock
        self._refused = refused
        self._lock = threading.Lock()
        self._made: tuple[datetime, list[Metric]] | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: registering must not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The families, as they were at most :data:`KEPT` ago; refusals as they are."""
        now = self._clock()
        with self._lock:
            if self._made is None or not self._made[0] <= now < self._made[0] + KEPT:
                self._made = (now, [*self._of_database(now), *_of_daemon(self._watch.look(), now)])
            families = self._made[1]
        yield from families
        name, says = f"{_PREFIX}links_refused", "Download links refused by this process, by reason."
        refusals = CounterMetricFamily(name, says, labels=["code"])
        for code, count in sorted(self._refused().items()):
            refusals.add_metric([code], count)
        yield refusals

    def _of_database(self, now: datetime) -> Iterator[Metric]:
        try:
            figures = metrics.read(self._database, now=now)
        except ExportPipelinesError as error:
            logger.warning("no figures reason=%s", error)
            yield _gauge("database_up", "Whether the application's database answers.", [((), 0)])
            return
        yield _gauge("database_up", "Whether the application's database answers.", [((), 1)])
        yield from _of_jobs(figures, now)
        yield from _of_audit(figures, now)


def _of_jobs(figures: Figures, now: datetime) -> Iterator[Metric]:
    waits = (now - figures.oldest_pending).total_seconds() if figures.oldest_pending else 0.0
    done = figures.completed
    seconds = [
        ((type_, str(quantile)), value)
        for type_, one in done.items()
        if type_ in _TYPES
        for quantile, value in one.seconds.items()
    ]
    yield _gauge("jobs", "Export jobs.", (_none() | _known(figures.jobs)).items(), labels=("type", "status"))
    yield _gauge("queue_oldest_age_seconds", "How long the job has waited that waits longest.", [((), max(0.0, waits))])
    yield _gauge("duration_seconds", "From start to completion, of the last day.", seconds, labels=("type", "quantile"))
    counts = {type_: one.count for type_, one in done.items()}
    yield _of_type("completed_last_day", "Exports completed in the last day.", counts)
    yield _of_type("completed_bytes_last_day", "Bytes of those.", {name: one.bytes for name, one in done.items()})
    yield _of_type("stored_bytes", "Bytes of files that have not expired.", figures.stored)
    yield _gauge(
        "failed_last_day",
        "Exports that failed in the last day.",
        _known(figures.failed).items(),
        labels=("type", "reason"),
    )
    if figures.deliveries:
        states = [((state,), count) for state, count in figures.deliveries.items()]
        yield _gauge("deliveries_last_day", "Deliveries of the last day.", states, labels=("state",))


def _of_audit(figures: Figures, now: datetime) -> Iterator[Metric]:
    audit = figures.audit
    yield _gauge("audit_rows", "Rows of the audit log.", [((), audit.position)])
    yield _gauge("audit_unsigned_rows", "Rows since the last signed checkpoint.", [((), audit.position - audit.signed)])
    if audit.signed_at is not None:
        age = (now - audit.signed_at).total_seconds()
        yield _gauge("audit_checkpoint_age_seconds", "Since the last signed checkpoint.", [((), age)])


def _of_daemon(found: Daemon | None, now: datetime) -> Iterator[Metric]:
    yield _gauge("dagster_database_up", "Whether Dagster's database answers.", [((), float(found is not None))])
    if found is None:
        return
    beats = [((part,), (now - at).total_seconds()) for part, at in found.heartbeats.items()]
    ages = [((tick.name, tick.kind), (now - tick.at).total_seconds()) for tick in found.ticks]
    failed = [((tick.name, tick.kind), float(tick.status == "FAILURE")) for tick in found.ticks]
    yield _gauge("daemon_up", "Whether Dagster's daemon ticks.", [((), float(not found.stopped(now)))])
    yield _gauge("daemon_heartbeat_age_seconds", "Since the last heartbeat of a part.", beats, labels=("part",))
    yield _gauge("tick_age_seconds", "Since a sensor's or schedule's last tick began.", ages, labels=("name", "kind"))
    yield _gauge("tick_failed", "Whether that tick failed.", failed, labels=("name", "kind"))


def _known(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, ...], float]:
    """Counts whose first label is a type of the catalog; a row that plain SQL inserted may say anything."""
    known: dict[tuple[str, ...], float] = {}
    for (type_, what), count in counts.items():
        key = (type_ if type_ in _TYPES else OTHER, what)
        known[key] = known.get(key, 0) + count
    return known


def _none() -> dict[tuple[str, ...], float]:
    """Zeros for what there is none of, so that a series does not vanish when its last job changes its status."""
    return {(type_, str(status)): 0.0 for type_ in _TYPES for status in JobStatus}


def _of_type(name: str, help_: str, values: Mapping[str, int]) -> Metric:
    samples = [((type_,), value) for type_, value in values.items() if type_ in _TYPES]
    return _gauge(name, help_, samples, labels=("type",))


def _gauge(name: str, help_: str, samples: Samples, *, labels: tuple[str, ...] = ()) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, help_, labels=labels)
    for values, value in sorted(samples):
        family.add_metric(values, value)
    return family


def router(deployment: Deployment) -> APIRouter:
    """The route; in the text format that the scraper asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(deployment)
    ProcessCollector(registry=registry)

    def scrape(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": content_type})

    routes = APIRouter()
    routes.add_api_route("/metrics", scrape, methods=["GET", "HEAD"], response_model=None)
    return routes
