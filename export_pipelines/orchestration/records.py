"""What passes between ops lies in the object store as JSON, so that any worker on any host can pick it up."""

from contextlib import AbstractContextManager

import dagster as dg
import msgspec

from export_pipelines.core.frozen import FrozenShards, Package, Part, ShardTask, StoredFile
from export_pipelines.db.database import Database
from export_pipelines.orchestration.failures import failing_its_job
from export_pipelines.steps import staging
from export_pipelines.storage.store import ObjectStore

PREFIX = "staging/dagster"
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (FrozenShards, ShardTask, Part, Package, StoredFile)}


class RecordsIOManager(dg.IOManager):
    """Writes an op's output record under its run and step, and reads it back, also for a run that re-executes."""

    def __init__(self, store: ObjectStore, database: Database) -> None:
        self._store = store
        self._database = database

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write the record; writing it again replaces it."""
        if obj is None:
            return
        envelope = {"kind": type(obj).__name__, "record": obj}
        with self._boundary(context):
            staging.stage_record(self._store, _key(context), envelope)

    def load_input(self, context: dg.InputContext) -> object:
        """Read the record that the upstream op wrote."""
        upstream = context.upstream_output
        if upstream is None:
            message = "this input has no upstream op; it cannot be loaded."
            raise dg.DagsterInvariantViolationError(message)
        with self._boundary(context):
            data = staging.read_staged(self._store, _key(upstream))
        envelope = msgspec.json.decode(data)
        return msgspec.convert(envelope["record"], _KINDS[envelope["kind"]])

    def _boundary(self, context: dg.OutputContext | dg.InputContext) -> AbstractContextManager[None]:
        step = context.step_context
        return failing_its_job(step.dagster_run, self._database, tries=step.previous_attempt_count)


@dg.io_manager(
    required_resource_keys={"store", "database"}, description="Small records between ops, in the object store."
)
def records_io_manager(context: dg.InitResourceContext) -> RecordsIOManager:
    """The IO manager on the configured store."""
    return RecordsIOManager(context.resources.store, context.resources.database)


def _key(context: dg.OutputContext) -> str:
    step = context.step_key.replace("[", ".").replace("]", "")
    name = context.name if context.mapping_key is None else f"{context.name}.{context.mapping_key}"
    return f"{PREFIX}/{context.run_id}/{step}/{name}.json"
