"""What PostgreSQL, its driver and SQLAlchemy say, translated into our errors; passwords never get into a message."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy import exc

from export_pipelines.core.errors import (
    ConflictError,
    DatabaseUnavailableError,
    ExportPipelinesError,
    ValidationError,
)

TIMEOUT_VARIABLE = "EXPORT_PIPELINES_STATEMENT_TIMEOUT_SECONDS"


@contextmanager
def translated(place: str, *, secret: str | None = None) -> Iterator[None]:
    """Turn what the database raises in the block into errors of ours; what is a bug of ours stays as it is.

    Args:
        place: names the database, like ``db.example:5432/app``.
        secret: the password, blotted out of anything quoted.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise ValidationError(f"Text holds {error.object[error.start : error.end]!r}, which UTF-8 has not.") from error
    except (psycopg.Error, exc.DBAPIError, exc.TimeoutError) as error:
        ours = _translate(error, place=place, secret=secret)
        if ours is None:
            raise
        raise ours from error


def _translate(error: Exception, *, place: str, secret: str | None) -> ExportPipelinesError | None:
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    reason = _reason(cause or error, secret)
    if isinstance(cause, psycopg.IntegrityError):
        return _constraint(cause, reason)
    if isinstance(cause, errors.QueryCanceled):
        return DatabaseUnavailableError(_cancelled(reason))
    for kinds, ours, message in _KINDS:
        if isinstance(cause, kinds):
            return ours(message.format(place=place, reason=reason))
    return None


_KINDS: tuple[tuple[tuple[type[Exception], ...], type[ExportPipelinesError], str], ...] = (
    (
        (psycopg.DataError,),
        ValidationError,
        "The database cannot hold a value: {reason}. Correct the value.",
    ),
    (
        (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedColumn),
        ValidationError,
        "The database {place} is not prepared: {reason}. Run: export-pipelines db migrate",
    ),
    (
        (errors.TransactionTimeout, errors.IdleInTransactionSessionTimeout),
        DatabaseUnavailableError,
        "A snapshot was held longer than EXPORT_PIPELINES_SNAPSHOT_HOLD_SECONDS allows; raise it, or export less.",
    ),
    (
        (errors.InsufficientPrivilege,),
        ValidationError,
        "The database {place} refuses: {reason}. Grant the role what it needs.",
    ),
    (
        (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError, exc.TimeoutError),
        DatabaseUnavailableError,
        "The database {place} cannot be used: {reason}. Check that it runs and that its URL is right.",
    ),
)
"""The first line that fits decides; what fits none is a bug of ours and stays as it is."""


def _constraint(cause: psycopg.IntegrityError, reason: str) -> ExportPipelinesError:
    detail = cause.diag.message_detail or reason
    if isinstance(cause, errors.UniqueViolation | errors.ExclusionViolation):
        return ConflictError(f"There is such a row in {cause.diag.table_name} already: {detail}")
    if isinstance(cause, errors.ForeignKeyViolation):
        return ConflictError(f"{reason}: {detail}") if "still referenced" in detail else ValidationError(detail)
    # The detail of the others quotes the whole row, with whatever it holds: only the rule's name goes out.
    return ValidationError(f"The database refuses the change: {reason}.")


def _cancelled(reason: str) -> str:
    if "statement timeout" in reason:
        return f"A statement took longer than {TIMEOUT_VARIABLE} allows and was stopped; raise it, or export less."
    return f"The statement was stopped: {reason}."


def _reason(error: BaseException, secret: str | None) -> str:
    diagnosis = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    text = " ".join((diagnosis or str(error)).split()).rstrip(".")
    return text.replace(secret, "***") if secret else text
