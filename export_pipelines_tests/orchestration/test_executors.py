"""Where steps run is the deployment's choice first and the run's choice second, and never stops a job from loading."""

import os

import dagster as dg
import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.executors import executor, in_one_process, never_retries

PROCESSES = {"execution": {"config": {"multiprocess": {}}}}


def execution(job_name: str, run_config: dict[str, object]) -> dict[str, object]:
    job = build_definitions().resolve_job_def(job_name)
    return dict(dg.validate_run_config(job, run_config)["execution"])


@pytest.mark.parametrize("job_name", ["export_bulk_csv", "sweep_exports"])
def test_a_run_that_says_nothing_stays_in_one_process(job_name) -> None:
    [choice] = execution(job_name, {}).values()
    assert list(choice) == ["in_process"]


def test_a_run_may_ask_for_processes_and_gets_them_forked_from_a_prepared_one() -> None:
    [choice] = execution("export_bulk_csv", PROCESSES).values()
    forked = choice["multiprocess"]["start_method"]["forkserver"]
    assert "export_pipelines.definitions" in forked["preload_modules"]


def test_a_run_that_does_not_say_how_many_gets_a_process_for_every_core_it_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [choice] = execution("export_run_bundle", PROCESSES).values()
    assert choice["multiprocess"]["max_concurrent"] == len(os.sched_getaffinity(0))
    monkeypatch.setenv("DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "7")
    [choice] = execution("export_run_bundle", PROCESSES).values()
    assert choice["multiprocess"]["max_concurrent"] is None


def test_a_run_may_say_itself_how_its_processes_are_made() -> None:
    spawned = {"max_concurrent": 3, "start_method": {"spawn": {}}}
    [choice] = execution("export_bulk_csv", {"execution": {"config": {"multiprocess": spawned}}}).values()
    assert choice["multiprocess"]["start_method"] == {"spawn": {}}
    assert choice["multiprocess"]["max_concurrent"] == 3


def test_a_deployment_may_allow_one_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_PIPELINES_EXECUTOR", "in_process")
    dg.Definitions.validate_loadable(build_definitions())
    assert list(execution("export_bulk_csv", {})) == ["in_process"]
    with pytest.raises(dg.DagsterInvalidConfigError):
        execution("export_bulk_csv", PROCESSES)


@pytest.mark.parametrize(("said", "alone"), [({}, True), ({"in_process": {}}, True), ({"multiprocess": {}}, False)])
def test_a_run_is_carried_out_by_one_process_unless_it_says_otherwise(said, alone) -> None:
    assert in_one_process({"execution": {"config": said}}) == alone
    assert in_one_process({})


@pytest.mark.parametrize("which", [{}, {"in_process": {}}, {"multiprocess": {}}], ids=str)
def test_a_run_tries_again_unless_it_says_otherwise(which) -> None:
    assert not never_retries({"execution": {"config": which}})
    assert not never_retries({})
    off = {"retries": {"disabled": {}}}
    config = dict.fromkeys(which, off) or off
    assert never_retries({"execution": {"config": config}})
    assert not never_retries({"execution": {"config": {name: {"retries": {"enabled": {}}} for name in which}}})


def test_an_unknown_executor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"'abacus', but must be one of in_process, multi_or_in_process"):
        executor("abacus")
