"""Shares: a finished export for a colleague, who becomes its viewer, or for an address outside; revocable at once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.evaluation import User
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.shares import MESSAGE_LENGTH, NewShare, Share
from export_pipelines.db import shares
from export_pipelines.db.audit import Actor
from export_pipelines.db.evaluation import users
from export_pipelines.delivering.addresses import read_address
from export_pipelines.steps.services import Services
from export_pipelines.storage.links import NONCE_BYTES, mint
from export_pipelines.storage.secret import link_secret

DAYS = range(1, 31)
LONGEST_LINK = timedelta(hours=1)
"""What a viewer mints lives no longer; a new one is a request away, and revoking needs nobody's memory of old ones."""
_ADDRESS_LENGTH = 320


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A share as a person typed it.

    Attributes:
        to: e-mail address of anybody, or the id of a user of ours.
        days: how long; None for as long as the file is kept, which it never outlives.
        message: what the recipient is told besides.
    """

    to: str
    days: int | None = None
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A share that was just given.

    Attributes:
        link: downloads the file, for this share; to hand over where no mail is sent.
        until_file_ends: whether it ends with the file: nobody asked for days, or for more than the file has left.
        is_mailed: whether a message with the link is on its way; False where no mail server is set.
    """

    share: Share
    link: str = field(repr=False)
    until_file_ends: bool
    is_mailed: bool


@dataclass(frozen=True, kw_only=True)
class Link:
    """A way to a file, and when it closes."""

    url: str = field(repr=False)
    expires_at: datetime


def share(services: Services, job: ExportJob, wish: Wish, *, shared_by: str, actor: Actor | None = None) -> Shared:
    """Share a finished export's file, and have the recipient told.

    Args:
        services: collaborators.
        job: a completed one.
        wish: with whom, and for how long.
        shared_by: id of the user who shares it.
        actor: for the audit log.

    Raises:
        ValidationError: a value is out of bounds, or the recipient is the owner.
        NotFoundError: the recipient is an id that no user has.
        ConflictError: the job has no file, or is shared too often already.
    """
    now = services.clock()
    if job.expires_at is None or job.expires_at <= now:
        raise ConflictError(f"job {job.id} is {job.status} and has no file to share; start a new export.")
    message = _message(wish.message)
    ends = _ends(wish.days, job.expires_at, now=now)
    user, address = _recipient(services, wish.to)
    if user is not None and user.id == job.user_id:
        raise ValidationError(f"the export is {user.email}'s own; share it with somebody else.")
    new = NewShare(
        job_id=job.id,
        created_by=shared_by,
        user_id=user.id if user else None,
        email=None if user else address,
        message=message,
        expires_at=ends,
    )
    sharer = users.get(services.database, shared_by)
    given = shares.create(
        services.database, new, recipient=address, sharer=sharer.name or sharer.email, now=now, actor=actor
    )
    return Shared(
        share=given,
        link=link_of(services, given, expires_at=given.expires_at),
        until_file_ends=given.expires_at == job.expires_at,
        is_mailed=services.settings.smtp_url is not None,
    )


def link_for(services: Services, job: ExportJob, *, user_id: str, actor: Actor | None = None) -> Link:
    """A link for a viewer of the job, whose downloads count for the share that makes them one; an hour long at most.

    Raises:
        NotFoundError: the job is not shared with the user, or not any more.
    """
    now = services.clock()
    held = shares.held_by(services.database, job.id, user_id=user_id, now=now)
    if held is None:
        raise NotFoundError(f"There is no export job {job.id!r}.")
    expires_at = min(now + LONGEST_LINK, held.expires_at)
    try:
        # Written down before anybody has it.
        shares.note_link(services.database, held, expires_at=expires_at, now=now, actor=actor)
    except ConflictError as error:
        raise NotFoundError(f"There is no export job {job.id!r}.") from error
    nonce = token_bytes(NONCE_BYTES)
    return Link(url=link_of(services, held, expires_at=expires_at, nonce=nonce), expires_at=expires_at)


def link_of(services: Services, share: Share, *, expires_at: datetime, nonce: bytes = b"") -> str:
    """The share's link that ends then; without a nonce, the same each time it is asked for."""
    token = mint(
        link_secret(services.settings),
        job_id=share.job_id,
        expires_at=expires_at,
        person=share.user_id,
        share_id=share.id,
        nonce=nonce,
    )
    return f"{services.settings.public_url}/downloads/{token}"


def _ends(days: int | None, file_ends: datetime, *, now: datetime) -> datetime:
    if days is None:
        return file_ends
    if days not in DAYS:
        raise ValidationError(f"a share lasts {DAYS.start} to {DAYS.stop - 1} days, not {days}.")
    return min(now + timedelta(days=days), file_ends)


def _recipient(services: Services, text: str) -> tuple[User | None, str]:
    """The user, None for somebody outside, and the address."""
    wanted = text.strip()
    if len(wanted) > _ADDRESS_LENGTH or not wanted.isprintable():
        raise ValidationError(f"{wanted[:40]!r} cannot be an e-mail address or a user's id: too long, or unprintable.")
    if "@" in wanted:
        try:
            user = users.get_by_email(services.database, wanted)
        except NotFoundError:
            return None, read_address(wanted).address
        return user, user.email
    if not looks_like_id(wanted):
        raise ValidationError(f"{wanted!r} is neither an e-mail address nor a user's id; give one of them.")
    user = users.get(services.database, wanted)
    return user, user.email


def _message(text: str) -> str:
    message = text.strip()
    if len(message) > MESSAGE_LENGTH:
        raise ValidationError(f"the message has {len(message)} characters, but may have {MESSAGE_LENGTH}; shorten it.")
    if "\x00" in message or any("\ud800" <= character <= "\udfff" for character in message):
        raise ValidationError("the message holds characters that are no text (NUL, or half of a pair); remove them.")
    return message
