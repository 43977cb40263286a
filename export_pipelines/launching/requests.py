"""What a run of an export job is launched with, whoever launches it: the sensor, the command line, an HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JOB_TAG = "export/job_id"
USER_TAG = "export/user_id"
TYPE_TAG = "export/type"
RUN_KEY_TAG = "export/run_key"
"""By these tags an engineer filters the runs; the last is how a run proves that it is the one that was promised."""


@dataclass(frozen=True, kw_only=True)
class LaunchRequest:
    """One run to be launched.

    Attributes:
        job_id: the export job.
        dagster_job: the Dagster job's name.
        run_key: one for each launch of the job.
    """

    job_id: str
    dagster_job: str
    run_key: str
    run_config: Mapping[str, Any]
    tags: Mapping[str, str]
