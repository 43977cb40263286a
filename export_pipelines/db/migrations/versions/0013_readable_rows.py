"""Rows that plain SQL writes can be read: no JSON and no time in them that Python cannot hold."""

from export_pipelines.db.migrations.statements import run

revision = "0013"
down_revision = "0012"

JSON = {
    "export_jobs": {"input": "{}", "fidelity": "[]"},
    "export_schedules": {"input": "{}", "recipients": "[]"},
    "export_subscriptions": {"options": "{}", "recipients": "[]"},
}
TIMES = {
    "export_jobs": (
        "created_at",
        "started_at",
        "completed_at",
        "updated_at",
        "expires_at",
        "estimated_finish_at",
        "launch_after",
        "claimed_at",
        "admitted_at",
    ),
    "export_schedules": ("created_at", "updated_at", "resumed_at", "last_run", "next_run"),
    "export_subscriptions": ("created_at", "updated_at", "active_since"),
}
FIRST, LAST, END = (f"'{day} 00:00:00+00'" for day in ("1900-01-01", "8999-12-31", "9000-01-01"))


def upgrade() -> None:
    """Mend the rows that break the rules, each of which kept its whole table from being read, and add the rules."""
    for table, columns in JSON.items():
        for column, empty in columns.items():
            deep = f"jsonb_path_exists({column}, '$.**{{100 to last}}')"
            huge = f"jsonb_path_exists({column}, '$.** ? (@ > 1e300 || @ < -1e300)')"
            run(f"UPDATE {{exports}}.{table} SET {column} = '{empty}' WHERE {deep} OR {huge}")  # noqa: S608 - all of it stands here
            _add(table, f"{column}_is_readable", f"NOT ({deep} OR {huge})")
    for table, times in TIMES.items():
        for time in times:
            nearest = f"CASE WHEN {time} < {FIRST} THEN {FIRST}::timestamptz ELSE {LAST}::timestamptz END"
            run(f"UPDATE {{exports}}.{table} SET {time} = {nearest} WHERE {time} < {FIRST} OR {time} >= {END}")  # noqa: S608
        joined = ", ".join(times)
        _add(table, "times_are_readable", f"least({joined}) >= {FIRST} AND greatest({joined}) < {END}")
    run("UPDATE {exports}.export_jobs SET bytes_per_second = NULL WHERE bytes_per_second >= 'Infinity'")
    _add("export_jobs", "rate_is_finite", "bytes_per_second < 'Infinity'")


def downgrade() -> None:
    """Drop the rules."""
    for table, columns in JSON.items():
        for name in (*(f"{column}_is_readable" for column in columns), "times_are_readable"):
            _drop(table, name)
    _drop("export_jobs", "rate_is_finite")


def _add(table: str, name: str, rule: str) -> None:
    run(f"ALTER TABLE {{exports}}.{table} ADD CONSTRAINT ck_{table}_{name} CHECK ({rule})")


def _drop(table: str, name: str) -> None:
    run(f"ALTER TABLE {{exports}}.{table} DROP CONSTRAINT ck_{table}_{name}")
