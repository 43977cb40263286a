"""The one face of every object store: what it promises, and what it does not.

Promised: an object is either wholly there under its key or not at all; writing a key again replaces it in one step;
``compose`` publishes many staged runs of bytes as one object without holding them in memory; deleting what is gone is
no error. Not promised: locking, renaming, or an order among writers of one key (the job's row decides that).

Keys are ``/``-separated, relative, without empty, ``.`` or ``..`` components; stores refuse others with
``ValidationError``. Whatever fails outside is raised as ``StoreUnavailableError`` (retry may help) or
``NotFoundError``; messages never show credentials.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from export_pipelines.core.frozen import Segment, StagedObject

Proceed = Callable[[], None]
"""Asked between two pieces of a long piece of work; what it raises ends the work as if it had failed."""


def uninterrupted() -> None:
    """Go on in any case."""


Spare = Callable[[str], bool]
"""Whether an unfinished object, by the key it is for, shall be left alone however old it is."""


def nothing(_key: str) -> bool:
    """Spare nothing."""
    return False


@dataclass(frozen=True, kw_only=True)
class ObjectFacts:
    """What a store knows of an object without reading it."""

    key: str
    size: int
    modified_at: datetime


class ObjectWriter(Protocol):
    """Takes bytes for one key; the object appears when the ``with`` block ends well, and never otherwise."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take more bytes; hashed and counted on the way."""
        ...

    @property
    def staged(self) -> StagedObject:
        """Key, size and SHA-256 of what was written; complete once the block has ended."""
        ...


class ObjectStore(Protocol):
    """Where bytes go."""

    def writer(
        self, key: str, *, media_type: str = "application/octet-stream", read_soon: bool = True
    ) -> AbstractContextManager[ObjectWriter]:
        """Write an object in a stream, in constant memory; nothing is visible when the block raises.

        What we do not read again ourselves (``read_soon=False``) leaves the machine's page cache alone where it can.
        """
        ...

    def open(self, key: str, *, offset: int = 0, size: int | None = None) -> AbstractContextManager[BinaryIO]:
        """Read an object, or a run of its bytes, in a stream."""
        ...

    def compose(
        self, key: str, segments: Sequence[Segment], *, media_type: str, proceed: Proceed = uninterrupted
    ) -> None:
        """Publish the segments, joined in order, under ``key``: all at once, or not at all.

        ``proceed`` is asked again and again meanwhile, the last time when all but the publishing is done.
        """
        ...

    def stat(self, key: str) -> ObjectFacts | None:
        """The object's facts, None when it is not there."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectFacts]:
        """Every object whose key begins with the prefix, ordered by key."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; no error when it is gone already."""
        ...

    def abort_unfinished(self, prefix: str, *, older_than: datetime, spare: Spare = nothing) -> int:
        """Drop what interrupted writers left behind (temporary files, multipart uploads); the number dropped.

        Some stores know only when a writer began, and none knows whether it lives: ``spare`` says whose may go on.
        """
        ...

    def url(self, key: str) -> str:
        """The store's own address of the object: ``file:///...`` or ``s3://bucket/...``."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Where the object lies on this machine, None when it lies elsewhere."""
        ...

    def presigned_url(self, key: str, *, seconds: int, file_name: str, media_type: str) -> str | None:
        """A link of the store's own that lives for ``seconds``, None when the store has none."""
        ...

    def check_writable(self) -> None:
        """Raise ``StoreUnavailableError`` or ``ValidationError`` unless an object can be written and removed now."""
        ...
