r"""Ed25519 signatures (RFC 8032) of the sidecar: made of its canonical bytes, checked without asking anybody.

The signed bytes are the sidecar's own without its member ``signature``: the JSON text with sorted keys, two spaces of
indentation, non-ASCII characters as they are (halves of surrogate pairs as ``\udXXX``), in UTF-8, one LF at the end.
``sidecar.canonical`` writes exactly that, so removing the member from the parsed file and writing it again gives them.
The signed sidecar is written the same way, and must be, byte for byte: a changed blank is found like a changed digit.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from export_pipelines.core.errors import ValidationError
from export_pipelines.packaging import sidecar
from export_pipelines.packaging.problems import Findings

ALGORITHM = "Ed25519"
MEMBER = "signature"
RAW_BYTES = 32
_FIELDS = {"algorithm", "key_id", "value"}
_PRIVATE_FORMS = "32 bytes in base64, or an Ed25519 private key as PEM (`openssl genpkey -algorithm ed25519` makes one)"
_PUBLIC_FORMS = "32 bytes in base64, or an Ed25519 public key as PEM (`export-pipelines keys signing public` prints it)"


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """What signatures are checked with: 32 bytes."""

    raw: bytes

    @property
    def id(self) -> str:
        """How manifests name the key: the first 16 hex digits of the SHA-256 of its 32 bytes."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def base64(self) -> str:
        """The 32 bytes on one line."""
        return base64.b64encode(self.raw).decode()

    def pem(self) -> bytes:
        """As openssl and others read it (SubjectPublicKeyInfo)."""
        return self._key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )  # fmt: skip

    def accepts(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature is this key's, of exactly these bytes."""
        try:
            self._key().verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """What signatures are made with: 32 secret bytes."""

    raw: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The half that everybody may know."""
        return PublicKey(raw=self._key().public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """The signature; the same bytes always have the same one."""
        return self._key().sign(data)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.raw)


def read_signing_key(text: str, *, where: str) -> SigningKey:
    """The private key in a setting; the message never repeats it.

    Raises:
        ValidationError: it is no such key.
    """
    text = text.strip()
    data = _bytes_of(text)
    if data is not None and len(data) == RAW_BYTES:
        return SigningKey(raw=data)
    try:
        # A variable often cannot hold line ends: "\n" stands for them, or the PEM's body alone is given.
        key = (
            serialization.load_pem_private_key(text.replace("\\n", "\n").encode(), None)
            if data is None
            else serialization.load_der_private_key(data, None)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValidationError(f"{where} holds no key that signs; it takes {_PRIVATE_FORMS}.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValidationError(f"{where} holds a key of another kind; it takes {_PRIVATE_FORMS}.")
    return SigningKey(raw=key.private_bytes_raw())


def read_public_key(text: str, *, where: str) -> PublicKey:
    """A public key as somebody hands it on.

    Raises:
        ValidationError: it is none, or a private one, which has no business there.
    """
    text = text.strip()
    data = _bytes_of(text)
    if data is not None and len(data) == RAW_BYTES:
        return PublicKey(raw=data)
    try:
        key = serialization.load_pem_public_key(text.encode()) if data is None else None
    except (ValueError, UnsupportedAlgorithm):
        raise ValidationError(f"{where} is no public key; give {_PUBLIC_FORMS}.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValidationError(f"{where} is a key of another kind; give {_PUBLIC_FORMS}.")
    return PublicKey(raw=key.public_bytes_raw())


def sign(manifest: bytes, key: SigningKey) -> bytes:
    """The signed sidecar.

    Args:
        manifest: what ``sidecar.build`` gave.
        key: signs it.
    """
    signature = {
        "algorithm": ALGORITHM,
        "key_id": key.public.id,
        "value": base64.b64encode(key.sign(manifest)).decode(),
    }
    return sidecar.canonical({**json.loads(manifest), MEMBER: signature})


def check_signature(
    findings: Findings, data: bytes, *, keys: Mapping[str, PublicKey], allow_unsigned: bool = False
) -> None:
    """Check that the sidecar is, byte for byte, what the holder of a known key signed.

    Args:
        findings: takes what is wrong.
        data: the sidecar as it lies there; ``sidecar.read`` must accept it.
        keys: those that are trusted, by their ids.
        allow_unsigned: a sidecar without any signature, as earlier releases made them, is no problem.
    """
    found: dict[str, Any] = json.loads(data)
    if _written_again(found) != data:
        findings.problem(
            "the manifest is not written as it was signed: blanks, escapes, or the order of its keys differ"
        )
    if MEMBER not in found:
        if allow_unsigned:
            findings.checked("no signature (the manifest has none, which was allowed)")
        else:
            findings.problem(
                "the manifest is not signed, so anybody may have written it; --allow-unsigned accepts files of "
                "releases that did not sign"
            )
        return
    signature = found.pop(MEMBER)
    problem = _problem(signature, _written_again(found) or b"", keys)
    if problem:
        findings.problem(problem)
    else:
        findings.checked("the manifest's signature")


def _written_again(found: Mapping[str, Any]) -> bytes | None:
    """The canonical bytes; None for what we never write: numbers that are none, nesting without end."""
    try:
        return sidecar.canonical(found)
    except (ValueError, RecursionError):
        return None


def _problem(signature: object, signed: bytes, keys: Mapping[str, PublicKey]) -> str | None:
    if not isinstance(signature, dict) or set(signature) != _FIELDS or signature["algorithm"] != ALGORITHM:
        return f"the manifest's signature is none that is known; it has {', '.join(sorted(_FIELDS))}, by {ALGORITHM}"
    key = keys.get(str(signature["key_id"]))
    if key is None:
        return (
            f"the manifest is signed by key {str(signature['key_id'])[:64]}, which is not known here; if you trust "
            "that key, give its public half with --public-key"
        )
    value = _bytes_of(signature["value"])
    if value is None or not key.accepts(value, signed):
        return f"the manifest was changed after it was signed: its signature is not that of key {key.id} for this text"
    return None


def _bytes_of(text: object) -> bytes | None:
    """What base64 text stands for; None for anything else, also for a second way to write the same bytes."""
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
