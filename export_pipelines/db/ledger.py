"""The ledger of shards: what a job planned, froze and rendered, so that resuming and finishing are honest.

Every write is fenced: it happens only while the job is being processed by the same attempt. Every write may happen
twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.core.frozen import Part, Shard, StagedObject
from export_pipelines.core.jobs import JobRef
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.work import fence
from export_pipelines.db.tables import ExportShard, ShardState

_KEY = ("job_id", "attempt", "shard_index")


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One shard's line.

    Attributes:
        first_key, last_key: the range of rows it holds, in the export's order, where the plan named one.
        shard: None while it is only planned.
        part: None until it is rendered.
    """

    index: int
    state: ShardState
    first_key: str | None
    last_key: str | None
    shard: Shard | None
    part: Part | None


def plan(
    database: Database, ref: JobRef, index: int, *, first_key: str | None = None, last_key: str | None = None
) -> None:
    """Note that this shard is going to be; one that is further already stays so.

    Raises:
        SupersededError: the job has moved on.
    """
    statement = insert(ExportShard).values(**_key(ref, index), first_key=first_key, last_key=last_key)
    with database.transaction() as session:
        fence(session, ref)
        session.execute(statement.on_conflict_do_nothing(index_elements=_KEY))


def discard(database: Database, ref: JobRef) -> None:
    """Forget this attempt's shards, for a load that has to begin again.

    Raises:
        SupersededError: the job has moved on.
    """
    with database.transaction() as session:
        fence(session, ref)
        session.execute(delete(ExportShard).where(*_mine(ref)))


def commit_frozen(
    database: Database, ref: JobRef, shard: Shard, *, first_key: str | None = None, last_key: str | None = None
) -> None:
    """Note that the shard lies frozen in staging; a part rendered from the very same bytes stays good.

    Raises:
        SupersededError: the job has moved on.
    """
    if shard.staged is None:
        raise IntegrityError(f"shard {shard.index} of job {ref.job_id} was never staged; start the export again.")
    facts = {
        "rows": shard.rows,
        "copy_bytes": shard.copy_bytes,
        "frozen_key": shard.staged.key,
        "frozen_size": shard.staged.size,
        "frozen_sha256": shard.staged.sha256,
    }
    statement = insert(ExportShard).values(
        **_key(ref, shard.index), **facts, state=ShardState.FROZEN, first_key=first_key, last_key=last_key
    )
    same = ExportShard.frozen_sha256.is_not_distinct_from(statement.excluded.frozen_sha256) & ExportShard.part.is_not(
        None
    )
    changed = facts | {
        "first_key": func.coalesce(statement.excluded.first_key, ExportShard.first_key),
        "last_key": func.coalesce(statement.excluded.last_key, ExportShard.last_key),
        "state": case((same, ExportShard.state), else_=statement.excluded.state),
        "part": case((same, ExportShard.part)),
    }
    with database.transaction() as session:
        fence(session, ref)
        session.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changed))


def commit_streamed(database: Database, ref: JobRef, shards: Sequence[tuple[Shard, Part]]) -> None:
    """Note shards that were rendered as they were read: all of them, in one transaction.

    Raises:
        SupersededError: the job has moved on.
    """
    with database.transaction() as session:
        fence(session, ref)
        for shard, part in shards:
            facts = {
                "rows": shard.rows,
                "copy_bytes": shard.copy_bytes,
                "state": ShardState.RENDERED,
                "part": _stored(part),
            }
            statement = insert(ExportShard).values(**_key(ref, shard.index), **facts)
            session.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=facts))


def commit_rendered(database: Database, ref: JobRef, part: Part) -> None:
    """Note that the shard's part lies in staging.

    Raises:
        SupersededError: the job has moved on.
        IntegrityError: the shard was never frozen under this attempt.
    """
    statement = (
        update(ExportShard)
        .where(*_mine(ref), ExportShard.shard_index == part.shard_index, ExportShard.state != ShardState.PLANNED)
        .values(state=ShardState.RENDERED, part=_stored(part))
        .returning(ExportShard.shard_index)
    )
    with database.transaction() as session:
        fence(session, ref)
        if session.scalar(statement) is None:
            raise IntegrityError(
                f"Shard {part.shard_index} of export job {ref.job_id} was rendered, but the ledger does not have it "
                f"frozen under attempt {ref.attempt}; nothing was published. Start the export again."
            )


def entries(database: Database, ref: JobRef) -> tuple[LedgerEntry, ...]:
    """The attempt's shards in their order."""
    query = select(ExportShard).where(*_mine(ref)).order_by(ExportShard.shard_index)
    with database.transaction() as session:
        return tuple(_entry(row) for row in session.scalars(query))


def reusable_part(database: Database, ref: JobRef, index: int) -> Part | None:
    """The part that this attempt rendered from the shard before, None when it did not."""
    query = select(ExportShard.part).where(*_mine(ref), ExportShard.shard_index == index)
    with database.transaction() as session:
        stored = session.scalar(query)
    return None if stored is None else _part(stored)


def _mine(ref: JobRef) -> tuple[Any, Any]:
    return (ExportShard.job_id == ref.job_id, ExportShard.attempt == ref.attempt)


def _key(ref: JobRef, index: int) -> dict[str, Any]:
    return {"job_id": ref.job_id, "attempt": ref.attempt, "shard_index": index}


def _entry(row: ExportShard) -> LedgerEntry:
    return LedgerEntry(
        index=row.shard_index,
        state=row.state,
        first_key=row.first_key,
        last_key=row.last_key,
        shard=_shard(row),
        part=None if row.part is None else _part(row.part),
    )


def _shard(row: ExportShard) -> Shard | None:
    if row.state is ShardState.PLANNED:
        return None
    staged = None
    if row.frozen_key is not None and row.frozen_size is not None and row.frozen_sha256 is not None:
        staged = StagedObject(key=row.frozen_key, size=row.frozen_size, sha256=row.frozen_sha256)
    return Shard(index=row.shard_index, rows=row.rows or 0, copy_bytes=row.copy_bytes or 0, staged=staged)


def _stored(part: Part) -> dict[str, Any]:
    return asdict(part) | {"fidelity": [note.as_json() for note in part.fidelity]}


def _part(stored: Mapping[str, Any]) -> Part:
    index = stored["index"]
    return Part(
        shard_index=stored["shard_index"],
        rows=stored["rows"],
        records=stored["records"],
        body=StagedObject(**stored["body"]),
        index=None if index is None else StagedObject(**index),
        fidelity=tuple(FidelityNote.from_json(note) for note in stored["fidelity"]),
    )
