"""Small records in staging, as JSON, and the keys they lie under."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, TypeVar

import msgspec

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Segment, StagedObject
from export_pipelines.core.jobs import JobRef
from export_pipelines.storage.store import ObjectStore

Record = TypeVar("Record")


def frozen_key(ref: JobRef) -> str:
    """The record that is written last by the load step: there when everything frozen is."""
    return f"{ref.staging_prefix}/frozen.json"


def context_key(ref: JobRef) -> str:
    """The export's context."""
    return f"{ref.staging_prefix}/frozen/context.json.zst"


def shard_key(ref: JobRef, index: int) -> str:
    """A shard's frozen rows."""
    return f"{ref.staging_prefix}/frozen/{index:05d}.copy.zst"


def part_key(ref: JobRef, index: int, *, kind: str = "part") -> str:
    """A rendered part's body, or its ``index``."""
    return f"{ref.staging_prefix}/rendered/{index:05d}.{kind}"


def package_key(ref: JobRef, name: str) -> str:
    """What packaging adds."""
    return f"{ref.staging_prefix}/package/{name}"


def opener(store: ObjectStore) -> Callable[[Segment], AbstractContextManager[BinaryIO]]:
    """How packaging reads runs of staged bytes."""
    return lambda segment: store.open(segment.key, offset=segment.offset, size=segment.size)


def stage(store: ObjectStore, key: str, data: bytes) -> StagedObject:
    """Write a small object whole."""
    with store.writer(key) as writer:
        writer.write(data)
    return writer.staged


def stage_record(store: ObjectStore, key: str, record: object) -> StagedObject:
    """Write a record as JSON."""
    return stage(store, key, msgspec.json.encode(record))


def read_staged(store: ObjectStore, key: str) -> bytes:
    """Read a small object whole."""
    with store.open(key) as stream:
        return stream.read()


def read_record(store: ObjectStore, key: str, kind: type[Record]) -> Record:
    """Read a record back.

    Raises:
        NotFoundError: nothing is there.
        IntegrityError: what is there is not such a record.
    """
    try:
        return msgspec.json.decode(read_staged(store, key), type=kind)
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"{key} does not hold a {kind.__name__} ({error}); start the export again.") from error
