"""Secrets that have to be read again: encrypted for the database with AES-256-GCM, bound to the row they belong to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from export_pipelines.core.errors import ValidationError

_PURPOSE = b"export-pipelines webhook secret"
_NONCE_BYTES = 12


def seal(key: bytes, secret: str, *, owner: str) -> bytes:
    """The secret encrypted; only ``unseal`` with the same key and owner gets it back."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, secret.encode(), owner.encode())


def unseal(key: bytes, sealed: bytes, *, owner: str) -> str:
    """The secret.

    Raises:
        ValidationError: it was sealed with another key, for another owner, or was changed since.
    """
    try:
        return _cipher(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise ValidationError(
            "the webhook's secret cannot be read: it was encrypted with another key than the one that "
            "EXPORT_PIPELINES_WEBHOOK_KEY or webhook.key under home holds. Remove the webhook and add it again."
        ) from error


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key))
