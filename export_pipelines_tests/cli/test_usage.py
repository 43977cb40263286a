"""``export-pipelines usage``: who exported how much."""

from datetime import UTC, datetime

from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.steps.orders import order


def test_usage_is_counted_and_shown_by_day_user_and_type(deployment: Deployment) -> None:
    assert "`export-pipelines usage rebuild` counts now" in deployment.run("usage", "show").out
    job = run_export(deployment.services, submit(deployment.services, order("BULK_CSV")).id)
    counted = deployment.run("usage", "rebuild")
    assert (counted.status, counted.out) == (0, "1 days counted, 1 rows written\n")
    assert deployment.run("usage", "rebuild", "--json").json == {"days": 1, "rows": 1}
    (row,) = deployment.run("usage", "show", "--json").json
    assert (row["user_email"], row["type"], row["exports"], row["failures"]) == (DEMO_USER_EMAIL, "BULK_CSV", 1, 0)
    assert (row["rows"], row["bytes"], row["day"]) == (job.record_count, job.output_size_bytes, _today())
    assert row["average_seconds"] == row["duration_ms"] / 1000 > 0
    shown = deployment.run("usage", "show", "--user", DEMO_USER_EMAIL, "--days", "2").out.splitlines()
    assert shown[0].split()[:3] == ["DAY", "(UTC)", "USER"]
    assert shown[1].split()[:5] == [_today(), DEMO_USER_EMAIL, "BULK_CSV", "1", "0"]


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
