"""Signed download links: a token that names a job, when it ends and (when asked) whom it is for, and by which share.

A token is the base64url of ``1 | expiry | length of job id | job id | person | HMAC-SHA-256``; one of a share, of
``2 | expiry | length of job id | job id | length of share id | share id | person | HMAC-SHA-256``; one that shall be
unlike any other, of ``3 | expiry | ... | share id | 8 random bytes | person | HMAC-SHA-256``. Equal inputs give equal
tokens. A token grants a download to whoever holds it, so it never belongs in a log.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from export_pipelines.core.errors import ExpiredLinkError, ForgedLinkError, ValidationError

_OF_JOB = 1
_OF_SHARE = 2
_UNIQUE = 3
NONCE_BYTES = 8
_HEAD = struct.Struct(">BQB")
_MAC_BYTES = hashlib.sha256().digest_size
_PURPOSE = b"export-pipelines download link\0"
"""Keeps the signature apart from any other use of the same key."""
_LAST_SECOND = 253402300799
"""9999-12-31T23:59:59Z, the last second ``datetime`` knows."""
_MAX_TOKEN_CHARACTERS = 1024


@dataclass(frozen=True, kw_only=True)
class DownloadGrant:
    """What a genuine token says.

    Attributes:
        expires_at: whole seconds, UTC.
        person: the user id the link was made for, None for anybody who has it.
        share_id: the share whose link it is, which may be revoked; None for a link of the job's own.
    """

    job_id: str
    expires_at: datetime
    person: str | None
    share_id: str | None = None


def mint(
    secret: bytes,
    *,
    job_id: str,
    expires_at: datetime,
    person: str | None = None,
    share_id: str | None = None,
    nonce: bytes = b"",
) -> str:
    """A token for the job, or for one share of it; fractions of the expiry's second are dropped.

    Args:
        secret: the deployment's.
        job_id: whose file it opens.
        expires_at: when it stops to.
        person: the user it is made for.
        share_id: the share it belongs to.
        nonce: random bytes, :data:`NONCE_BYTES` of them, that make this token another than all before; or none.

    Raises:
        ValidationError: a value that no token can hold.
    """
    job, share, whom = job_id.encode(), (share_id or "").encode(), (person or "").encode()
    if not secret or not 0 < len(job) < 256 or max(len(share), len(whom)) > 255 or expires_at.tzinfo is None:
        raise ValidationError(
            "A download link needs a key, a job id of 1 to 255 bytes, a person and a share of at most 255 each, and an "
            f"aware expiry; got job {job_id!r}, person {person!r}, share {share_id!r}, expiry {expires_at!r}."
        )
    if len(nonce) not in (0, NONCE_BYTES):
        raise ValidationError(f"A download link takes {NONCE_BYTES} random bytes or none, not {len(nonce)}.")
    version = _UNIQUE if nonce else _OF_SHARE if share else _OF_JOB
    of_share = b"" if version == _OF_JOB else bytes([len(share)]) + share + nonce
    payload = _HEAD.pack(version, int(expires_at.timestamp()), len(job)) + job + of_share + whom
    return base64.urlsafe_b64encode(payload + _sign(secret, payload)).rstrip(b"=").decode()


def read(secret: bytes, token: str, *, now: datetime) -> DownloadGrant:
    """What the token grants.

    Raises:
        ForgedLinkError: not made with this key, or changed since.
        ExpiredLinkError: genuine, but its time is over.
    """
    payload = _genuine_payload(secret, token)
    version, expiry, job_size = _HEAD.unpack_from(payload)
    job, rest = _cut(payload[_HEAD.size :], job_size)
    share, rest = ("", rest) if version == _OF_JOB else _cut(rest[1:], rest[0])
    person = rest[NONCE_BYTES if version == _UNIQUE else 0 :].decode() or None
    expires_at = datetime.fromtimestamp(min(expiry, _LAST_SECOND), UTC)
    if now >= expires_at:
        ended = f"This link ended at {expires_at:%Y-%m-%d %H:%M:%S} UTC; ask for a new one."
        raise ExpiredLinkError(ended, job_id=job, person=person)
    return DownloadGrant(job_id=job, expires_at=expires_at, person=person, share_id=share or None)


def _cut(data: bytes, size: int) -> tuple[str, bytes]:
    return data[:size].decode(), data[size:]


def _genuine_payload(secret: bytes, token: str) -> bytes:
    raw = _decode(token)
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    genuine = hmac.compare_digest(mac, _sign(secret, payload))
    # Base64 leaves spare bits in the last character: only the spelling we made is the token.
    canonical = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token
    if not (genuine and canonical and len(payload) > _HEAD.size and payload[0] in (_OF_JOB, _OF_SHARE, _UNIQUE)):
        raise _forged()
    return payload


def _decode(token: str) -> bytes:
    if not token.isascii() or len(token) > _MAX_TOKEN_CHARACTERS:
        raise _forged()
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _forged() from None


def _sign(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + payload, "sha256")


def _forged() -> ForgedLinkError:
    return ForgedLinkError("This link was not made by this server, or was changed on its way; copy it again in full.")
