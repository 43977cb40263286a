"""How the steps of one run are executed: in the run's own process, or each in a process of its own."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from export_pipelines.core.errors import ValidationError

# A step's process is forked from one that has imported all this; a spawned one imports it anew, 1.5 s instead of 0.3 s.
_PRELOADED = (
    "export_pipelines.definitions",
    "dagster_postgres",
    "psycopg2",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.postgresql.psycopg2",
)


def _forked(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run's choice, with processes forked from a prepared one unless it says how they are to be made."""
    processes = config.get("multiprocess")
    if processes is None or processes.get("start_method"):
        return config
    return {"multiprocess": {**processes, "start_method": {"forkserver": {"preload_modules": list(_PRELOADED)}}}}


_CHOICE = dg.Field(
    dg.multi_or_in_process_executor.config_schema.config_type,
    # Most exports are five short steps; one with many shards is launched with `multiprocess: {}`.
    default_value={"in_process": {}},
    description="in_process: one step after the other, for all but the largest exports; multiprocess: shards beside "
    "each other, each in a process of its own.",
)
_EXECUTORS = {
    "multi_or_in_process": dg.multi_or_in_process_executor.configured(
        _forked, name="multi_or_in_process", config_schema=_CHOICE
    ),
    "in_process": dg.in_process_executor,
}


def executor(name: str) -> dg.ExecutorDefinition:
    """The executor that ``EXPORT_PIPELINES_EXECUTOR`` names.

    Raises:
        ValidationError: it names none that we know.
    """
    if name not in _EXECUTORS:
        known = ", ".join(sorted(_EXECUTORS))
        raise ValidationError(f"EXPORT_PIPELINES_EXECUTOR is {name!r}, but must be one of {known}.")
    return _EXECUTORS[name]
