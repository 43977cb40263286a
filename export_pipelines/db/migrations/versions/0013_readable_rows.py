"""Rows that plain SQL writes can be read: no JSON and no time in them that Python cannot hold."""

from export_pipelines.db.migrations.statements import run

revision = "0013"
down_revision = "0012"

JSON = {
    "export_jobs": ("input", "fidelity"),
    "export_schedules": ("input", "recipients"),
    "export_subscriptions": ("options", "recipients"),
}
TIMES = {
    "export_jobs": "created_at, started_at, completed_at, updated_at, expires_at, estimated_finish_at, launch_after, "
    "claimed_at, admitted_at",
    "export_schedules": "created_at, updated_at, resumed_at, last_run, next_run",
    "export_subscriptions": "created_at, updated_at, active_since",
}


def upgrade() -> None:
    """Add the rules; a row that breaks one has kept its whole table from being read until now."""
    for table, columns in JSON.items():
        for column in columns:
            deep = f"jsonb_path_exists({column}, '$.**{{100 to last}}')"
            huge = f"jsonb_path_exists({column}, '$.** ? (@ > 1e300 || @ < -1e300)')"
            _add(table, f"{column}_is_readable", f"NOT ({deep} OR {huge})")
    for table, times in TIMES.items():
        first, last = (f"'{year}-01-01 00:00:00+00'" for year in (1900, 9000))
        _add(table, "times_are_readable", f"least({times}) >= {first} AND greatest({times}) < {last}")
    _add("export_jobs", "rate_is_finite", "bytes_per_second < 'Infinity'")


def downgrade() -> None:
    """Drop them."""
    for table, columns in JSON.items():
        for name in (*(f"{column}_is_readable" for column in columns), "times_are_readable"):
            _drop(table, name)
    _drop("export_jobs", "rate_is_finite")


def _add(table: str, name: str, rule: str) -> None:
    run(f"ALTER TABLE {{exports}}.{table} ADD CONSTRAINT ck_{table}_{name} CHECK ({rule})")


def _drop(table: str, name: str) -> None:
    run(f"ALTER TABLE {{exports}}.{table} DROP CONSTRAINT ck_{table}_{name}")
