"""The error tree: named for what to do next.

``RequestError`` means the request or the data is wrong and trying again changes nothing. ``UnavailableError``
means the world is away for the moment and trying again may help. ``WorkError`` means the work itself cannot go on
as it stands. Vendor errors are translated into these in ``db`` and ``storage``; ``orchestration`` translates these
into Dagster's.
"""

from collections.abc import Sequence


class ExportPipelinesError(Exception):
    """Everything this project raises on purpose; the message names the thing, the reason and the next step."""


class RequestError(ExportPipelinesError):
    """The request, or what it points at, is wrong: never retry."""


class ValidationError(RequestError):
    """A value is missing, malformed or out of its bounds."""


class UnfinishedRunError(ValidationError):
    """The run has not finished, and nobody said that what is there so far will do."""


class NotFoundError(RequestError):
    """The named row or object does not exist, or is deleted."""


class ForbiddenError(RequestError):
    """Whoever asks may see the thing, but not do this with it."""


class ConflictError(RequestError):
    """The thing exists already, or somebody else holds it."""


class TooManyRequestsError(RequestError):
    """Somebody has asked as often as they may for now.

    Attributes:
        retry_after: whole seconds after which one more is taken.
    """

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class KeyReusedError(RequestError):
    """A key that makes a request repeatable was used for another request before."""


class ContentError(RequestError):
    """Stored content has an unknown version or an impossible shape; the message names the row."""


class FidelityError(RequestError):
    """The request said ``strict`` and the format cannot hold every value exactly."""


class ForgedLinkError(RequestError):
    """A download link that was not signed by us, or was changed since."""


class ExpiredLinkError(RequestError):
    """A genuine download link, or the file behind it, whose time is over.

    Attributes:
        job_id: the export that the link names.
        person: whom it was made for, if for anybody.
    """

    def __init__(self, message: str, *, job_id: str, person: str | None = None) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.person = person


class DeliveryRefusedError(RequestError):
    """A message will not be accepted however often it is sent: no such mailbox, a forbidden address, too large."""


class ReceiverGoneError(DeliveryRefusedError):
    """A webhook's receiver says that it is gone for good and wants no more messages."""


class ImportFileError(RequestError):
    """A file that was brought for import breaks its format's rules.

    Attributes:
        line: 1-based line in the file, or None when the whole file is meant.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class UnavailableError(ExportPipelinesError):
    """Something outside is away; the same call may work later."""


class DatabaseUnavailableError(UnavailableError):
    """PostgreSQL cannot be reached, went away, or gave up (lock, timeout, shutdown)."""


class DagsterUnavailableError(UnavailableError):
    """The Dagster webserver cannot be reached, or refuses to launch or terminate a run."""


class StoreUnavailableError(UnavailableError):
    """The object store cannot be reached or refuses to work for the moment (also: no space left)."""


class ReceiverUnavailableError(UnavailableError):
    """Whoever should get a message cannot be reached, or does not take it for the moment.

    Attributes:
        retry_after: seconds that the receiver asked us to wait; None when it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MailServerUnavailableError(ReceiverUnavailableError):
    """No mail at all can be handed over for the moment: the server is away, or does not let us in."""


class WorkError(ExportPipelinesError):
    """The export cannot go on as it stands."""


class IntegrityError(WorkError):
    """Planned and committed differ, or a checksum does not match: publishing would lie.

    Attributes:
        problems: one line for every difference found.
    """

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SupersededError(WorkError):
    """The job moved on without this worker (cancelled, failed, another attempt); its result is dropped."""


class CancelledError(WorkError):
    """Somebody cancelled the job while this worker was at it."""
