"""The audit log's records: a chained row, what its hash is made of, and a signed checkpoint of the chain."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""What the first row has for a previous hash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainedRow:
    """A row of the log as the database holds it, with the texts that its hash is made of.

    Attributes:
        position: 1 for the first of the chain; None for a row that was put there past the chain.
        at: UTC with six decimals, ``2026-01-02T03:04:05.678900Z``.
        additional_data: JSON text, as PostgreSQL writes it; kept as text, since its bytes are hashed.
        previous_hash: the hash of the row before.
        hash: SHA-256 in hex of :func:`content_of`.
    """

    position: int | None
    id: int
    at: str
    action: str
    job_id: str | None
    user_id: str | None
    address: str | None
    user_agent: str | None
    additional_data: str
    previous_hash: str | None
    hash: str | None


@dataclass(frozen=True, kw_only=True)
class Link:
    """A place in the chain: the row there, by its hash."""

    position: int
    hash: str


START = Link(position=0, hash=GENESIS)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where the chain ended at some moment, signed.

    Attributes:
        number: 1 for the first; one more each time, so that one that is taken away is missed.
        taken_at: UTC with six decimals, as in rows.
        key_id: of the key that signed, as in manifests.
        signature: Ed25519, in base64; empty before it is signed.
    """

    number: int
    position: int
    hash: str
    taken_at: str
    key_id: str
    signature: str = ""


def content_of(row: ChainedRow, *, position: int | None = None) -> bytes:
    """What the row's hash is made of: a JSON array in the one form of RFC 8785.

    Args:
        row: the row.
        position: takes the place of the row's own, to try whether it was written there.
    """
    return canonical(
        [
            row.previous_hash,
            row.position if position is None else position,
            row.id,
            row.at,
            row.action,
            row.job_id,
            row.user_id,
            row.address,
            row.user_agent,
            row.additional_data,
        ]
    )


def hash_of(row: ChainedRow, *, position: int | None = None) -> str:
    """The hash that the row must have; arguments as for :func:`content_of`."""
    return hashlib.sha256(content_of(row, position=position)).hexdigest()


def canonical(value: Any) -> bytes:  # noqa: ANN401 - JSON of texts, whole numbers, null, arrays and objects
    """JSON in the one form of RFC 8785, for values without fractions: no blanks, sorted keys, few escapes."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    # A row read from a file may hold half a surrogate pair, which no database text does: it is then simply another.
    return text.encode("utf-8", "backslashreplace")
