"""The code location that ``workspace.yaml`` names."""

import gc

from dagster import Definitions


def _load() -> Definitions:
    """Import and build everything with the garbage collector at rest.

    Modules stay until the process ends; to look through them again and again while they are imported takes a third of a
    run's start.
    """
    resting = gc.isenabled()
    gc.disable()
    try:
        from export_pipelines.orchestration.build import build_definitions  # noqa: PLC0415

        return build_definitions()
    finally:
        gc.freeze()
        if resting:
            gc.enable()


defs = _load()
