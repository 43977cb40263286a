"""Errands to Dagster, run after the answer: whoever asked for something has it, and a webserver may be slow or away."""

import logging
import threading

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.steps.queue import launch_waiting, terminate_runs
from export_pipelines.steps.services import Services

logger = logging.getLogger(__name__)

API = "API"
"""Who claims what is launched here, on the rows."""


class Errands:
    """Runs them; of many launches that are wanted at once, one does what all of them want."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = self._running = False

    def launch(self, services: Services) -> None:
        """Launch what waits; what cannot be launched now is found by Dagster's sensor."""
        with self._lock:
            self._wanted = True
            if self._running:
                return
            self._running = True
        try:
            while self._take():
                self._launch(services)
        except BaseException:
            # A bug; who wants a launch after it must not take us for at work.
            with self._lock:
                self._running = False
            raise

    def terminate(self, services: Services, job: ExportJob) -> None:
        """End the runs of a cancelled job; a worker that is not reached stops by itself."""
        ended = terminate_runs(services, job)
        if ended.trouble is not None:
            logger.warning("not terminated job_id=%s reason=%s", job.id, ended.trouble)

    def _take(self) -> bool:
        """Whether a launch is wanted that nobody has begun; if not, the next who wants one has to run it."""
        with self._lock:
            self._running, self._wanted = self._wanted, False
            return self._running

    def _launch(self, services: Services) -> None:
        try:
            launched = launch_waiting(services, by=API)
        except ExportPipelinesError as error:
            logger.warning("not launched reason=%s", error)
            return
        if launched.trouble is not None:
            logger.info("not launched reason=%s", launched.trouble)
