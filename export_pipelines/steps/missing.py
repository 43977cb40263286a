"""Missing: render the shards that a run executed again passed over."""

from collections.abc import Sequence

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.frozen import FrozenShards, Part
from export_pipelines.steps.render import render
from export_pipelines.steps.services import Services


def render_missing(
    services: Services, export_type: ExportType, frozen: FrozenShards, parts: Sequence[Part]
) -> tuple[Part, ...]:
    """A part for every planned shard: those given, and the rest rendered now, or found rendered already.

    "Re-execute from failure" of a run whose worker was killed begins with the mapped steps that had started; Dagster
    does not know that others were planned (dagster-io/dagster#30077).

    Raises:
        IntegrityError, ContentError, SupersededError: as :func:`render` does.
    """
    given = {part.shard_index for part in parts}
    rest = (task for task in frozen.tasks() if task.shard.index not in given)
    return (*parts, *(render(services, export_type, task) for task in rest))
