"""Signed checkpoints of the audit log: made, checked, and written to a file that is kept somewhere else."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

import msgspec

from export_pipelines.core.audit import Checkpoint, canonical
from export_pipelines.core.errors import ValidationError
from export_pipelines.packaging.signing import ALGORITHM, PublicKey, SigningKey

PURPOSE = "export-pipelines audit checkpoint 1"
"""Stands in what is signed, so that no signature of anything else passes for a checkpoint's."""


def signed_bytes(checkpoint: Checkpoint) -> bytes:
    """What the signature is of: every field but the signature, and the purpose, as JSON by RFC 8785."""
    facts = asdict(checkpoint)
    del facts["signature"]
    return canonical({**facts, "algorithm": ALGORITHM, "purpose": PURPOSE})


def sign(checkpoint: Checkpoint, key: SigningKey) -> Checkpoint:
    """The checkpoint with the key's id and signature."""
    named = replace(checkpoint, key_id=key.public.id)
    return replace(named, signature=base64.b64encode(key.sign(signed_bytes(named))).decode())


def problem_of(checkpoint: Checkpoint, keys: Mapping[str, PublicKey]) -> str | None:
    """Why the checkpoint's signature does not count; None when it does."""
    key = keys.get(checkpoint.key_id)
    if key is None:
        return (
            f"it is signed by key {checkpoint.key_id[:64]}, which is not known here; if you trust that key, give its "
            "public half with --public-key"
        )
    try:
        signature = base64.b64decode(checkpoint.signature, validate=True)
    except (binascii.Error, ValueError):
        return "its signature is no base64"
    return None if key.accepts(signature, signed_bytes(checkpoint)) else "it was changed after it was signed"


def write(checkpoints: Iterable[Checkpoint]) -> bytes:
    """A line of JSON for each."""
    return b"".join(canonical(asdict(checkpoint)) + b"\n" for checkpoint in checkpoints)


def read(data: bytes, *, where: str) -> tuple[Checkpoint, ...]:
    """The checkpoints that :func:`write` wrote.

    Raises:
        ValidationError: a line is none; the message says which.
    """
    found = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            found.append(msgspec.convert(json.loads(line), Checkpoint))
        except (ValueError, RecursionError, msgspec.ValidationError) as error:
            raise ValidationError(
                f"{where}, line {number}, is no checkpoint ({error}); `export-pipelines audit checkpoint --out FILE` "
                "writes such files."
            ) from error
    if not found:
        raise ValidationError(
            f"{where} holds no checkpoint; `export-pipelines audit checkpoint --out FILE` writes them."
        )
    return tuple(found)
