"""The ledger of shards: honest, fenced, and repeatable."""

from collections.abc import Callable

import pytest

from export_pipelines.core.errors import IntegrityError, SupersededError
from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.core.frozen import Part, Shard
from export_pipelines.core.jobs import JobRef
from export_pipelines.db import jobs, ledger
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ShardState
from export_pipelines_tests.db.rows import NOW, add_processing, staged

NOTE = FidelityNote(kind="k", where="w", detail="d", count=2, examples=("c1", "c2"))


@pytest.fixture
def ref(database: Database) -> JobRef:
    return add_processing(database)[1]


def shard(index: int = 0, *, rows: int = 10, sha256: str = "ab" * 32) -> Shard:
    return Shard(index=index, rows=rows, copy_bytes=9_000_000_000, staged=staged(f"s/{index}", sha256))


def part(index: int = 0, *, archive: bool = False) -> Part:
    listing = staged(f"p/{index}.index") if archive else None
    return Part(shard_index=index, rows=10, records=9, body=staged(f"p/{index}"), index=listing, fidelity=(NOTE,))


def test_a_shard_goes_from_planned_over_frozen_to_rendered(database: Database, ref: JobRef) -> None:
    ledger.plan(database, ref, 0, first_key="a", last_key="m")
    ledger.plan(database, ref, 1, first_key="n")
    ledger.commit_frozen(database, ref, shard(0))
    ledger.commit_frozen(database, ref, shard(1))
    ledger.commit_rendered(database, ref, part(1, archive=True))
    first, second = ledger.entries(database, ref)
    assert (first.index, first.state, first.shard, first.part) == (0, ShardState.FROZEN, shard(0), None)
    assert (first.first_key, first.last_key) == ("a", "m")
    assert (second.state, second.shard, second.part) == (ShardState.RENDERED, shard(1), part(1, archive=True))


def test_a_planned_shard_has_no_facts_yet(database: Database, ref: JobRef) -> None:
    ledger.plan(database, ref, 3)
    (entry,) = ledger.entries(database, ref)
    assert (entry.index, entry.state, entry.shard, entry.part) == (3, ShardState.PLANNED, None, None)


def test_every_write_may_happen_twice(database: Database, ref: JobRef) -> None:
    for _ in range(2):
        ledger.plan(database, ref, 0)
        ledger.commit_frozen(database, ref, shard())
        ledger.commit_rendered(database, ref, part())
    (entry,) = ledger.entries(database, ref)
    assert (entry.state, entry.part) == (ShardState.RENDERED, part())


def test_a_part_is_reusable_as_long_as_its_shard_has_the_same_bytes(database: Database, ref: JobRef) -> None:
    assert ledger.reusable_part(database, ref, 0) is None
    ledger.commit_frozen(database, ref, shard())
    assert ledger.reusable_part(database, ref, 0) is None
    ledger.commit_rendered(database, ref, part())
    assert ledger.reusable_part(database, ref, 0) == part()
    ledger.commit_frozen(database, ref, shard())
    assert ledger.reusable_part(database, ref, 0) == part()
    ledger.commit_frozen(database, ref, shard(rows=11, sha256="cd" * 32))
    assert ledger.reusable_part(database, ref, 0) is None
    (entry,) = ledger.entries(database, ref)
    assert (entry.state, entry.shard) == (ShardState.FROZEN, shard(rows=11, sha256="cd" * 32))


def test_a_part_of_a_shard_that_was_never_frozen_is_refused(database: Database, ref: JobRef) -> None:
    ledger.plan(database, ref, 0)
    for index in (0, 1):
        with pytest.raises(IntegrityError, match=f"Shard {index}"):
            ledger.commit_rendered(database, ref, part(index))


def test_attempts_have_ledgers_of_their_own(database: Database, ref: JobRef) -> None:
    ledger.commit_frozen(database, ref, shard())
    again = jobs.reopen(database, ref.job_id, dagster_run_id="run-2", now=NOW, new_attempt=True)
    assert ledger.entries(database, jobs.ref_of(again)) == ()
    assert len(ledger.entries(database, ref)) == 1


def test_a_load_that_begins_again_forgets_its_shards_only(database: Database, ref: JobRef) -> None:
    _, other = add_processing(database)
    for each in (ref, other):
        ledger.commit_frozen(database, each, shard())
    ledger.discard(database, ref)
    assert ledger.entries(database, ref) == ()
    assert len(ledger.entries(database, other)) == 1


WRITES: dict[str, Callable[[Database, JobRef], None]] = {
    "plan": lambda database, ref: ledger.plan(database, ref, 5),
    "commit_frozen": lambda database, ref: ledger.commit_frozen(database, ref, shard(5)),
    "commit_rendered": lambda database, ref: ledger.commit_rendered(database, ref, part(0)),
    "discard": ledger.discard,
}
MOVES: dict[str, Callable[[Database, JobRef], object]] = {
    "cancelled": lambda database, ref: jobs.cancel(database, ref.job_id, now=NOW),
    "failed": lambda database, ref: jobs.fail(database, job_id=ref.job_id, attempt=None, error="e", now=NOW),
    "another attempt": lambda database, ref: jobs.reopen(
        database, ref.job_id, dagster_run_id="run-2", now=NOW, new_attempt=True
    ),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("moved", MOVES)
def test_a_worker_whose_job_moved_on_writes_nothing(database: Database, ref: JobRef, moved: str, write: str) -> None:
    ledger.commit_frozen(database, ref, shard(0))
    before = ledger.entries(database, ref)
    MOVES[moved](database, ref)
    with pytest.raises(SupersededError):
        WRITES[write](database, ref)
    assert ledger.entries(database, ref) == before
