"""Objects as files below one folder; private to the user that runs us.

Keys are paths below the folder, so a key cannot be both an object and the beginning of another. Symbolic links below
the folder are never followed, those above it are. Missing parents of the folder are made with the usual mode, because
other programs (the embedded server) may have to pass through them.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from export_pipelines.core.errors import IntegrityError, NotFoundError, StoreUnavailableError, ValidationError
from export_pipelines.core.frozen import Segment, StagedObject
from export_pipelines.storage.keys import INCOMPLETE, check_key, check_prefix
from export_pipelines.storage.local_files import DENIED, copy_bytes, os_errors, prune_empty
from export_pipelines.storage.local_publishing import probe, published_file, published_link
from export_pipelines.storage.past_cache import PastCache, Sink
from export_pipelines.storage.store import ObjectFacts, ObjectWriter, Proceed, Spare, nothing, uninterrupted
from export_pipelines.storage.streams import bounded, check_range
from export_pipelines.storage.tally import Bytes, Tally


class LocalWriter:
    """Writes into the file that is published later, hashing on the way."""

    def __init__(self, file: Sink | BinaryIO, *, key: str, path: Path) -> None:
        self._file = file
        self._path = path
        self._tally = Tally(key)

    def write(self, data: Bytes, /) -> int:
        """Take more bytes."""
        with os_errors(self._path, "write"):
            self._file.write(data)
        return self._tally.add(data)

    @property
    def staged(self) -> StagedObject:
        """Key, size and SHA-256 of what was written."""
        return self._tally.staged


class LocalStore:
    """An object store in a folder; see :class:`~export_pipelines.storage.store.ObjectStore`."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    @contextmanager
    def writer(
        self, key: str, *, media_type: str = "application/octet-stream", read_soon: bool = True
    ) -> Iterator[ObjectWriter]:
        """Write an object; the media type is not kept, files have none."""
        path = self._path(key)
        with published_file(self._root, path) as file:
            if read_soon:
                yield LocalWriter(file, key=key, path=path)
                return
            sink = PastCache(file.fileno())
            yield LocalWriter(sink, key=key, path=path)
            with os_errors(path, "write"):
                sink.finish()

    @contextmanager
    def open(self, key: str, *, offset: int = 0, size: int | None = None) -> Iterator[BinaryIO]:
        """Read an object or a run of it; a range beyond the end is empty."""
        check_range(key, offset=offset, size=size)
        path = self._path(key)
        with os.fdopen(self._descriptor(path), "rb", buffering=0) as file:
            file.seek(offset)
            yield bounded(file, size=size, guard=lambda: os_errors(path, "read"))

    def compose(
        self, key: str, segments: Sequence[Segment], *, media_type: str, proceed: Proceed = uninterrupted
    ) -> None:
        """Concatenate the segments into a new file, by the kernel where it can.

        Raises:
            NotFoundError: a segment's object is not there.
            IntegrityError: a segment reaches past the end of its object.
        """
        path = self._path(key)
        proceed()
        if len(segments) == 1 and self._link(segments[0], path):
            return
        with published_file(self._root, path) as file:
            for segment in segments:
                self._append(segment, file.fileno(), path)
                proceed()

    def _link(self, segment: Segment, path: Path) -> bool:
        """Give a whole object its second name instead of copying it: objects are replaced, never written into."""
        source = self._path(segment.key)
        facts = self.stat(segment.key)
        if facts is None or (segment.offset, segment.size) != (0, facts.size):
            return False
        return published_link(self._root, source, path)

    def stat(self, key: str) -> ObjectFacts | None:
        """Size and time of change of the file."""
        try:
            return _facts(key, self._path(key).lstat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, prefix: str) -> Iterator[ObjectFacts]:
        """Every object below the prefix, ordered by key; what cannot be a key is passed over."""
        folders, _, _ = check_prefix(prefix).rpartition("/")
        for facts in _walk(self._root / folders, folders + "/" if folders else ""):
            if facts.key.startswith(prefix) and not facts.key.startswith(INCOMPLETE + "/"):
                yield facts

    def delete(self, key: str) -> None:
        """Remove the file, and the folders that are empty then."""
        path = self._path(key)
        with suppress(NotFoundError), os_errors(path, "remove"):
            path.unlink()
        prune_empty(path.parent, root=self._root)

    def abort_unfinished(self, prefix: str, *, older_than: datetime, spare: Spare = nothing) -> int:
        """Remove temporary files for keys with this prefix that nobody has written to since."""
        check_prefix(prefix)
        aside = self._root / INCOMPLETE
        dropped = 0
        for facts in list(_walk(aside, "")):
            # The name behind the last dot is the writer's own.
            key = facts.key.rpartition(".")[0]
            if facts.key.startswith(prefix) and facts.modified_at < older_than and not spare(key):
                with suppress(NotFoundError), os_errors(aside / facts.key, "remove"):
                    (aside / facts.key).unlink()
                    dropped += 1
                prune_empty((aside / facts.key).parent, root=aside)
        return dropped

    def url(self, key: str) -> str:
        """The file's ``file://`` address."""
        return self._path(key).as_uri()

    def local_path(self, key: str) -> Path | None:
        """Where the file lies, whether or not it is there."""
        return self._path(key)

    def presigned_url(self, key: str, *, seconds: int, file_name: str, media_type: str) -> str | None:
        """None: a folder has no links of its own."""
        return None

    def check_writable(self) -> None:
        """Write and remove a probe, outside of every listing.

        Raises:
            ValidationError: the folder is a file, or we may not write there: a setting to correct before work starts.
            StoreUnavailableError: the disk is full or broken.
        """
        try:
            probe(self._root)
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in DENIED:
                raise ValidationError(str(error)) from error
            raise

    def _path(self, key: str) -> Path:
        path = self._root / check_key(key)
        if os.path.realpath(path) != str(path) or path.is_symlink():
            raise ValidationError(
                f"The key {key} leads through a symbolic link in {self._root}; links are not followed, remove it."
            )
        return path

    def _descriptor(self, path: Path) -> int:
        with os_errors(path, "read"):
            # Without O_NONBLOCK, opening a pipe somebody left there would wait for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def _append(self, segment: Segment, target: int, path: Path) -> None:
        check_range(segment.key, offset=segment.offset, size=segment.size)
        source = self._descriptor(self._path(segment.key))
        try:
            with os_errors(path, "write"):
                copied = copy_bytes(source, target, offset=segment.offset, size=segment.size)
        finally:
            os.close(source)
        if copied != segment.size:
            raise IntegrityError(
                f"{segment.key} ends {segment.size - copied} bytes before the run of {segment.size} that {path.name} "
                "takes from it; render the export again."
            )


def _facts(key: str, status: os.stat_result) -> ObjectFacts | None:
    if not stat.S_ISREG(status.st_mode):
        return None
    return ObjectFacts(key=key, size=status.st_size, modified_at=datetime.fromtimestamp(status.st_mtime, UTC))


def _walk(folder: Path, prefix: str) -> Iterator[ObjectFacts]:
    """Regular files below the folder in order of their keys; nothing where there is no folder."""
    with os_errors(folder, "list"):
        try:
            found = [(entry.name + "/" * entry.is_dir(follow_symlinks=False), entry) for entry in os.scandir(folder)]
        except (FileNotFoundError, NotADirectoryError):
            return
    # A folder sorts as its keys do, with the slash: S3's order, too.
    for name, entry in sorted(found, key=lambda pair: pair[0]):
        if name.endswith("/"):
            yield from _walk(Path(entry.path), prefix + name)
            continue
        with suppress(FileNotFoundError, ValidationError):
            facts = _facts(check_key(prefix + name), entry.stat(follow_symlinks=False))
            if facts is not None:
                yield facts
