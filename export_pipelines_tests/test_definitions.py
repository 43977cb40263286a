"""The code location loads whole, in a fresh process, with nothing set and nothing running."""

import os
import subprocess
import sys

from export_pipelines.catalog.types import EXPORT_TYPES

LOAD = """
import sys
import dagster as dg
from export_pipelines.definitions import defs

dg.Definitions.validate_loadable(defs)
print(*sorted(job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")))
print(*sorted({"numpy", "pandas", "pyarrow", "boto3", "reportlab"} & set(sys.modules)))
"""

# What ticks, other jobs, other formats' files and rare turns of an export need; every run would pay for it.
FOR_OTHERS = """
import sys
import export_pipelines.definitions

print(*sorted({
    "argon2", "alembic", "email.policy", "urllib.request",
    "export_pipelines.db.deliveries", "export_pipelines.db.jobs.pages", "export_pipelines.db.jobs.once",
    "export_pipelines.db.schedules", "export_pipelines.db.subscriptions", "export_pipelines.db.tables.deliveries",
    "export_pipelines.db.tables.schedules", "export_pipelines.db.tables.subscriptions", "export_pipelines.db.usage",
    "export_pipelines.delivering", "export_pipelines.orchestration.lost", "export_pipelines.orchestration.reacting",
    "export_pipelines.orchestration.reconcile", "export_pipelines.packaging.archive", "export_pipelines.parsing",
    "export_pipelines.steps.audit", "export_pipelines.steps.deliver", "export_pipelines.steps.dispatch",
    "export_pipelines.steps.react", "export_pipelines.steps.recipients", "export_pipelines.steps.sweep",
} & set(sys.modules)))
"""


def test_a_run_loads_nothing_that_only_sensors_and_other_jobs_need():
    loaded = subprocess.run([sys.executable, "-c", FOR_OTHERS], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_code_location_loads_without_any_setting_and_without_heavy_imports(tmp_path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("EXPORT_", "DAGSTER_"))}
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert loaded.returncode == 0, loaded.stderr
    jobs, heavy = loaded.stdout.splitlines()
    own = [
        "sweep_exports",
        "dispatch_exports",
        "catch_up_subscriptions",
        "count_usage_stats",
        "sign_audit_checkpoint",
    ]
    assert jobs.split() == sorted([*(type_.job_name for type_ in EXPORT_TYPES), *own])
    assert heavy == ""
    assert list(tmp_path.iterdir()) == []
    assert "Warning" not in loaded.stderr
