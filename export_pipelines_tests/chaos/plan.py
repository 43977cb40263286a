"""What a seed stands for: an export, and the moments at which whoever works on it is killed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from export_pipelines.core.jobs import ExportJob
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.chaos.moments import PHASES
from export_pipelines_tests.steps.orders import order

OUTAGES = ("restarted", "killed", "away")
"""How the database goes: stopped and started, killed and started, killed and started when the worker has ended."""

EVERY = 8
"""Of so many seeds one takes the database away before it kills workers."""

KILLS = 2
"""Workers that are killed one after the other before the export is left to complete."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One way through the steps: a type with options that make a difference to how its file is made.

    Attributes:
        alone: as :func:`~export_pipelines.steps.export.run_export` has it.
    """

    type_name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = True

    def __str__(self) -> str:
        return "-".join([self.type_name, *map(str, self.options.values()), *([] if self.alone else ["apart"])])

    def submit(self, services: Services) -> ExportJob:
        """Make a job that goes this way."""
        return submit(services, order(self.type_name, **self.options))


OF_PARTS = (
    Route(type_name="RUN_BUNDLE", alone=False),
    Route(type_name="RUN_BUNDLE"),
    Route(type_name="BULK_PARQUET"),
)
STREAMED = (
    Route(type_name="BULK_JSONL"),
    Route(type_name="BULK_JSONL", options={"compression": "gzip"}),
    Route(type_name="BULK_JSONL", options={"compression": "zstd"}),
    Route(type_name="BULK_CSV"),
    Route(type_name="BULK_CSV", options={"profile": "flat", "compression": "gzip"}),
    Route(type_name="BULK_CSV", options={"compression": "zstd"}),
)
OF_ONE_SHARD = (Route(type_name="DEFINITION_MD"), Route(type_name="SCENARIOS_YAML"))
ROUTES = (*OF_PARTS, *STREAMED, *OF_ONE_SHARD)


@dataclass(frozen=True, kw_only=True)
class Kill:
    """A moment, told as a share of the phase's calls, which are counted first."""

    phase: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A seed's export and kills.

    Attributes:
        outage: what happens to the database at the first of the moments, instead of a kill.
    """

    seed: int
    route: Route
    kills: tuple[Kill, ...]
    outage: str | None


def plan(seed: int) -> Plan:
    """The same for the same seed; seeds in a row go through all routes, and half of them through those with parts."""
    chance = random.Random(seed)
    routes = OF_PARTS if seed % 2 == 0 else (*STREAMED, *OF_ONE_SHARD)
    kills = sorted((Kill(phase=chance.choice(PHASES), share=chance.random()) for _ in range(KILLS)), key=_order)
    outage = chance.choice(OUTAGES) if seed % EVERY == EVERY - 1 else None
    return Plan(seed=seed, route=routes[seed // 2 % len(routes)], kills=tuple(kills), outage=outage)


def _order(kill: Kill) -> tuple[int, float]:
    """A worker that goes on meets the later moment only."""
    return PHASES.index(kill.phase), kill.share
