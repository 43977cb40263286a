"""Audit: whether the log is what was written, by its chain and by signed checkpoints; and signing the next one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import msgspec

from export_pipelines.core.audit import START, ChainedRow, Checkpoint, Link
from export_pipelines.core.audit_chain import Walked, walk
from export_pipelines.core.errors import ConflictError, IntegrityError, ValidationError
from export_pipelines.db import audit_chain
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import Snapshot, open_snapshot
from export_pipelines.packaging import checkpoints
from export_pipelines.packaging.codecs import decompress
from export_pipelines.packaging.records import lines
from export_pipelines.packaging.signing import PublicKey
from export_pipelines.packaging.staging import chunks_of
from export_pipelines.steps.services import Services
from export_pipelines.steps.signing import known_keys, signing_key

PART_SECONDS = 30
_CODECS = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What is known of a log.

    Attributes:
        rows: how many are as they were written, from the first on.
        end: the last of them.
        signed: of the checkpoints that agree with the rows, the position of the last; 0 when there is none.
        agreeing: how many checkpoints agree.
        uncovered: how many are of rows that the file does not hold.
        problems: one line each, the first damaged row in front.
    """

    rows: int
    end: Link
    signed: int
    agreeing: int
    uncovered: int
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AuditedPart:
    """What is known of a part of the database's log.

    Attributes:
        log_ends: the position of its last row.
        is_last: whether the part reaches it.
    """

    audited: Audited
    log_ends: int
    is_last: bool


def verify_log(database: Database, *, keys: Mapping[str, PublicKey], kept: Sequence[Checkpoint] = ()) -> Audited:
    """Check the database's log, whole, against itself and against its checkpoints.

    Args:
        database: where the log is; read from one snapshot.
        keys: those whose signatures count.
        kept: checkpoints that were kept somewhere else; whoever rewrites the whole log cannot rewrite these.
    """
    with open_snapshot(database) as snapshot:
        own = audit_chain.checkpoints(snapshot)
        marks = [checkpoint.position for checkpoint in (*own, *kept)]
        walked = walk(audit_chain.rows(snapshot), head=audit_chain.head(snapshot), marks=marks)
    missing = [f"checkpoint {number} was removed" for number in _missing(own)]
    return _audited(walked, [*own, *kept], keys, more=missing, whole=True)


def verify_part(database: Database, *, keys: Mapping[str, PublicKey], after: int, most: int) -> AuditedPart:
    """Check so many rows of the database's log and no more, for whoever cannot wait for all of them.

    The row at ``after`` is looked at too: what follows is chained to it. What only the whole can tell, as whether rows
    were removed at the end or came in past the chain, the part that reaches the end tells.

    Args:
        database: where the log is; read from one snapshot.
        keys: those whose signatures count.
        after: the position up to which the rows are known already; 0 for none.
        most: how many rows.

    Raises:
        ValidationError: the log does not reach so far.
    """
    with open_snapshot(database, seconds=PART_SECONDS) as snapshot:
        head = audit_chain.head(snapshot)
        if after > head.position:
            raise ValidationError(f"the log ends at position {head.position}; begin there or before.")
        own, last = audit_chain.checkpoints(snapshot), after + most
        whole = last >= head.position
        given = [one for one in own if after < one.position and (whole or one.position <= last)]
        begin = max(after - 1, 0)
        rows = (
            audit_chain.rows(snapshot, after=begin)
            if whole
            else audit_chain.some_rows(snapshot, after=begin, last=last)
        )
        walked = walk(
            rows,
            start=START if begin == 0 else None,
            head=head if whole else None,
            marks=[one.position for one in given],
        )
    missing = [f"checkpoint {number} was removed" for number in _missing(own)] if whole else []
    audited = _audited(walked, given, keys, more=missing, whole=whole)
    return AuditedPart(audited=audited, log_ends=head.position, is_last=whole)


def verify_file(path: Path, *, keys: Mapping[str, PublicKey], kept: Sequence[Checkpoint] = ()) -> Audited:
    """Check an exported log, or a part of one, without asking any database.

    Raises:
        NotFoundError, ValidationError: there is no such file, or it is no exported log.
        IntegrityError: its compression is damaged.
    """
    first = next(_read(path), None)
    if first is None:
        raise ValidationError(
            f"{path} holds no row of an audit log; `export-pipelines audit export` writes such files."
        )
    start = START if first.position == 1 else None
    walked = walk(_read(path), start=start, marks=[checkpoint.position for checkpoint in kept])
    return _audited(walked, kept, keys, more=[], whole=False)


def sign_checkpoint(services: Services) -> Checkpoint | None:
    """Sign where the chain ends now, after a look at what came since the last checkpoint; None for an empty log.

    Returns the last checkpoint where nothing came. Rows before it are left to :func:`verify_log`: looking at all of
    them every hour would take longer from month to month.

    Raises:
        IntegrityError: the log is damaged; nothing was signed.
    """
    with open_snapshot(services.database) as snapshot:
        last = next(reversed(audit_chain.checkpoints(snapshot)), None)
        head = audit_chain.head(snapshot)
        walked = _since(snapshot, last, head)
    damage = _damage(walked, last, known_keys(services.settings))
    if damage:
        raise IntegrityError(
            f"The audit log is damaged, so no checkpoint was signed: {damage}. "
            "`export-pipelines audit verify` says whether that is all."
        )
    if head.position == (last.position if last else 0):
        return last
    return _sign(services, head, number=last.number + 1 if last else 1)


def _since(snapshot: Snapshot, last: Checkpoint | None, head: Link) -> Walked:
    """The rows from the one on that was signed last."""
    if last is None:
        return walk(audit_chain.rows(snapshot), head=head)
    return walk(audit_chain.rows(snapshot, after=last.position - 1), start=None, head=head, marks=[last.position])


def _damage(walked: Walked, last: Checkpoint | None, keys: Mapping[str, PublicKey]) -> str | None:
    broken = str(walked.broken) if walked.broken else None
    if last is None or (broken and walked.rows):
        return broken
    problem = checkpoints.problem_of(last, keys)
    if problem:
        return f"checkpoint {last.number}: {problem}"
    if walked.marks.get(last.position) != last.hash:
        return f"the row at position {last.position} is not the one that checkpoint {last.number} was signed for"
    return None


def _sign(services: Services, head: Link, *, number: int) -> Checkpoint:
    key = signing_key(services.settings)
    moment = services.clock().astimezone(UTC)
    unsigned = Checkpoint(
        number=number,
        position=head.position,
        hash=head.hash,
        taken_at=f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        key_id=key.public.id,
    )
    signed = checkpoints.sign(unsigned, key)
    try:
        audit_chain.add_checkpoint(services.database, signed)
    except ConflictError:
        # Two schedulers, or a person beside one: theirs is as good as ours.
        return all_checkpoints(services.database)[-1]
    return signed


def all_checkpoints(database: Database) -> tuple[Checkpoint, ...]:
    """The checkpoints that were signed, the oldest first."""
    with open_snapshot(database) as snapshot:
        return audit_chain.checkpoints(snapshot)


def _audited(
    walked: Walked, given: Sequence[Checkpoint], keys: Mapping[str, PublicKey], *, more: Sequence[str], whole: bool
) -> Audited:
    problems = [str(walked.broken)] if walked.broken else []
    signed = agreeing = uncovered = 0
    for checkpoint in sorted(given, key=lambda one: one.position):
        problem = checkpoints.problem_of(checkpoint, keys) or _contradiction(checkpoint, walked, signed, whole=whole)
        if problem:
            problems.append(f"checkpoint {checkpoint.number}, of position {checkpoint.position}: {problem}")
        elif checkpoint.position in walked.marks:
            signed, agreeing = checkpoint.position, agreeing + 1
        else:
            uncovered += 1
    return Audited(
        rows=walked.rows,
        end=walked.end,
        signed=signed,
        agreeing=agreeing,
        uncovered=uncovered,
        problems=(*problems, *more),
    )


def _contradiction(checkpoint: Checkpoint, walked: Walked, signed: int, *, whole: bool) -> str | None:
    """What the rows say against a checkpoint; nothing where they break off before it, or never came so far."""
    found = walked.marks.get(checkpoint.position)
    if found is not None and found != checkpoint.hash:
        return (
            f"the rows were written anew after it was signed at {checkpoint.taken_at}: the first that differs is one "
            f"of {signed + 1} to {checkpoint.position}"
        )
    if found is None and whole and walked.broken is None:
        return (
            f"rows {walked.end.position + 1} to {checkpoint.position} were removed after it was signed at "
            f"{checkpoint.taken_at}"
        )
    return None


def _missing(own: Sequence[Checkpoint]) -> Iterator[int]:
    there = {checkpoint.number for checkpoint in own}
    yield from (number for number in range(1, max(there, default=0)) if number not in there)


def _read(path: Path) -> Iterator[ChainedRow]:
    try:
        with path.open("rb") as source:
            for number, line in enumerate(lines(decompress(chunks_of(source), _CODECS.get(path.suffix, "none"))), 1):
                yield _row(line, f"{path}, line {number},")
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}.") from error


def _row(line: bytes, where: str) -> ChainedRow:
    try:
        return msgspec.json.decode(line, type=ChainedRow)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValidationError(f"{where} is no row of an exported audit log: {error}.") from error
