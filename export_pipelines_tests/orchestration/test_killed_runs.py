"""A run whose worker was killed among its mapped steps is completed by "re-execute from failure", whatever it skips."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.core.settings import read_settings
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.instance import prepare_instance
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests import postgres
from export_pipelines_tests.chaos.checks import kept_work, undisturbed, wait_until_quiet
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point
from export_pipelines_tests.steps.orders import order

SECOND_RENDERED = Point(target="export_pipelines.orchestration.ops:render", when="after", call=2)
ARGUMENTS = ("cli", "export", "RUN_BUNDLE", "--run-id", SHOWCASE_RUN_ID)


def bundle_job() -> dg.JobDefinition:
    """How Dagster finds the job again."""
    return build_definitions().resolve_job_def("export_run_bundle")


def test_a_run_killed_after_two_of_its_shards_uses_them_again_and_renders_those_that_dagster_skips(
    postgres_server: EmbeddedServer, deployment: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.new_database(postgres_server) as name:
        monkeypatch.setenv("EXPORT_PIPELINES_DAGSTER_DATABASE_URL", postgres_server.url(name))
        monkeypatch.delenv("DAGSTER_HOME", raising=False)
        services = Services(
            database=deployment,
            store=LocalStore(tmp_path / "store"),
            settings=read_settings(os.environ),
            clock=lambda: datetime.now(UTC),
        )
        workers = Deployment(services=services, dagster_url=postgres_server.url(name))
        # One process would render what it reads; that the rows are frozen already has it take the other way.
        frozen = submit(services, order("RUN_BUNDLE"))
        workers.work(Point(target="export_pipelines.steps.export:load", when="after"), frozen.id, alone=False).wait()
        wait_until_quiet(deployment, frozen.id)
        died = workers.fork(SECOND_RENDERED, *ARGUMENTS).wait()
        assert died.status == -signal.SIGKILL, died
        [left] = jobs.list_jobs(deployment)
        assert (left.id, left.status, left.attempt) == (frozen.id, JobStatus.PROCESSING, 1)
        kept = kept_work(services, left)
        prepared: dict[str, str] = {}
        prepare_instance(services.settings, prepared)
        for variable, value in prepared.items():
            monkeypatch.setenv(variable, value)
        with dg.DagsterInstance.get() as instance:
            [run] = instance.get_runs()
            # The code server says so of a worker of its own that was killed.
            instance.report_run_failed(run)
            options = dg.ReexecutionOptions.from_failure(run.run_id, instance)
            with dg.execute_job(
                dg.reconstructable(bundle_job), instance=instance, reexecution_options=options, raise_on_error=True
            ) as again:
                assert again.success
                rendered = {
                    event.step_key
                    for event in again.all_node_events
                    if event.step_key and "render" in event.step_key and event.is_successful_output
                }
    done = jobs.get(deployment, left.id)
    assert done.status is JobStatus.COMPLETED
    shards = len(list((tmp_path / "store" / jobs.ref_of(done).staging_prefix / "frozen").glob("*.copy.zst")))
    # What Dagster carried out anew does not add up to the plan; the ledger does.
    assert len(rendered) < shards
    assert len(kept.files) > 2
    kept.check_reused(done)
    assert done.checksum == undisturbed(services, done)
