"""What Dagster is told follows from the catalog, and says what it does."""

import dagster as dg
import pytest

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.errors import ValidationError
from export_pipelines.orchestration.build import build_definitions

DEFINITIONS = build_definitions()


@pytest.mark.parametrize("type_", EXPORT_TYPES, ids=lambda type_: type_.name)
def test_every_export_type_is_a_job_of_five_ops(type_) -> None:
    job = DEFINITIONS.resolve_job_def(type_.job_name)
    names = [node.name for node in job.graph.nodes]
    assert sorted(names) == sorted(
        [f"load_{type_.subject}", f"render_{type_.noun}", "package", "upload", "record_export_job"]
    )
    assert job.tags["export/type"] == type_.name
    assert job.description


@pytest.mark.parametrize("type_", EXPORT_TYPES, ids=lambda type_: type_.name)
def test_no_op_leaves_retries_to_a_policy_that_would_retry_what_a_person_terminated(type_) -> None:
    for node in DEFINITIONS.resolve_job_def(type_.job_name).graph.nodes:
        assert node.definition.retry_policy is None
        assert node.definition.description


@pytest.mark.parametrize("hours", [0, 169, "soon"])
def test_the_launch_form_refuses_what_is_out_of_bounds(hours: object) -> None:
    job = DEFINITIONS.resolve_job_def("export_bulk_csv")
    form = {"run_id": "c123", "user": "a@example.org", "expiry_hours": hours}
    with pytest.raises((dg.DagsterInvalidConfigError, ValueError)):
        job.execute_in_process(run_config={"ops": {"load_run": {"config": form}}})


def test_every_field_of_every_launch_form_is_described() -> None:
    for type_ in EXPORT_TYPES:
        load = DEFINITIONS.resolve_job_def(type_.job_name).graph.node_named(f"load_{type_.subject}")
        fields = load.definition.config_schema.config_type.fields
        assert {type_.subject_field, "user", "expiry_hours", "title", "job_id", "strict"} <= set(fields)
        assert all(field.description for field in fields.values())


def test_sensors_and_schedules_say_what_they_do() -> None:
    repository = DEFINITIONS.get_repository_def()
    assert all(sensor.description for sensor in repository.sensor_defs)
    assert all(schedule.description for schedule in repository.schedule_defs)
    crons = {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs}
    running = {schedule.name for schedule in repository.schedule_defs if schedule.default_status.name == "RUNNING"}
    times = {
        "sweep_hourly": "7 * * * *",
        "dispatch_schedules": "* * * * *",
        "catch_up_hourly": "37 * * * *",
        "count_usage_daily": "23 0 * * *",
        "checkpoint_hourly": "37 * * * *",
    }
    assert {name: crons[name] for name in running} == times


def test_an_unknown_executor_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_PIPELINES_EXECUTOR", "abacus")
    with pytest.raises(ValidationError, match="multi_or_in_process"):
        build_definitions()
