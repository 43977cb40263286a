"""How the steps of one run are executed: in the run's own process, or each in a process of its own."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from typing import Any

import dagster as dg

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import CHOOSING

# A step's process is forked from one that has imported all this; a spawned one imports it anew, 1.5 s instead of 0.3 s.
_PRELOADED = (
    "export_pipelines.definitions",
    "dagster_postgres",
    "psycopg2",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.postgresql.psycopg2",
)


_AT_ONCE = "DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT"
"""Dagster's own variable for what a run does not say."""


def _forked(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run's choice; what it leaves open: one process a core, forked from a prepared one."""
    processes = config.get("multiprocess")
    if processes is None:
        return config
    chosen = dict(processes)
    if not chosen.get("start_method"):
        chosen["start_method"] = {"forkserver": {"preload_modules": list(_PRELOADED)}}
    if not chosen.get("max_concurrent") and not os.environ.get(_AT_ONCE):
        chosen["max_concurrent"] = usable_cores()
    return {"multiprocess": chosen}


def usable_cores() -> int:
    """Cores that this process may use: in a container or under ``taskset`` fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        # macOS keeps no such list.
        return os.cpu_count() or 1


def in_one_process(run_config: Mapping[str, Any]) -> bool:
    """Whether one process carries out every step of a run with this config."""
    return "multiprocess" not in run_config.get("execution", {}).get("config", {})


def never_retries(run_config: Mapping[str, Any]) -> bool:
    """Whether a run with this config is told to try nothing again."""
    config = run_config.get("execution", {}).get("config") or {}
    chosen = (config, *(config.get(name) or {} for name in ("in_process", "multiprocess")))
    return any("disabled" in (choice.get("retries") or {}) for choice in chosen)


def start_forking_quietly() -> None:
    """Start the process that steps' processes are forked from, so that nothing they say comes out here.

    For who launches a run from a terminal: whatever the run's own config says, Dagster greets from every such process
    on standard error. What a step itself writes is kept with the run, as always.
    """
    multiprocessing.set_forkserver_preload(list(_PRELOADED))
    with _silent():
        forkserver.ensure_running()


@contextmanager
def _silent() -> Iterator[None]:
    """Processes that are started in the block have no terminal; what was closed before stays closed."""
    kept = {}
    for stream in (1, 2):
        with suppress(OSError):
            kept[stream] = os.dup(stream)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in kept:
            os.dup2(nowhere, stream)
        yield
    finally:
        os.close(nowhere)
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)


_CHOICE = dg.Field(
    dg.multi_or_in_process_executor.config_schema.config_type,
    # Most exports are five short steps; one with many shards is launched with `multiprocess: {}` (run_config.py).
    default_value={"in_process": {}},
    description="in_process: one step after the other, for all but the largest exports; multiprocess: shards beside "
    "each other, each in a process of its own.",
)
_EXECUTORS = {
    CHOOSING: dg.multi_or_in_process_executor.configured(_forked, name=CHOOSING, config_schema=_CHOICE),
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
