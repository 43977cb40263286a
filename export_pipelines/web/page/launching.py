"""Having Dagster launch what was just made, after the answer, so that nobody waits for it."""

from fastapi import BackgroundTasks

from export_pipelines.steps.queue import launch_waiting
from export_pipelines.web.page.visits import Visit

BY = "exports page"
"""Who claims, on the rows."""


def launch(visit: Visit, later: BackgroundTasks) -> None:
    """Launch whatever's turn it is; what nobody launches now, the sensor does within seconds."""
    later.add_task(launch_waiting, visit.services, by=BY)
