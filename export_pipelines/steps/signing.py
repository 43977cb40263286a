"""The deployment's signing keys: which one signs, which are trusted, and what happens when one takes over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from export_pipelines.core.errors import ConflictError, ValidationError
from export_pipelines.core.settings import PREFIX, Settings
from export_pipelines.packaging.signing import PublicKey, SigningKey, read_public_key, read_signing_key
from export_pipelines.storage import signing_keys

SETTING = f"{PREFIX}SIGNING_KEY"


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """A public key that manifests may be signed with.

    Attributes:
        signs: whether new manifests are signed with it; the others verify what they signed before.
        since: when it was first kept under this home.
    """

    key: PublicKey
    signs: bool
    since: datetime


def signing_key(settings: Settings) -> SigningKey:
    """The key that signs manifests: the one that is set, or the one under home, made now when there is none.

    Its public half is kept, so that what it signs still verifies when another key has taken over.

    Raises:
        ValidationError: the key that is set, or the kept one, is none.
        StoreUnavailableError: keys cannot be kept under home.
    """
    key = _that_is_set(settings) or SigningKey(raw=signing_keys.private_key(settings.home))
    _keep(settings, key.public)
    return key


def create(settings: Settings) -> PublicKey:
    """Make the key that signs, before the first export would.

    Raises:
        ConflictError: there is one.
        ValidationError: the key is set from outside.
    """
    _refuse_when_set(settings)
    if signing_keys.has_private_key(settings.home):
        raise ConflictError(f"{settings.home} has a key that signs already; `keys signing rotate` replaces it.")
    return signing_key(settings).public


def rotate(settings: Settings) -> PublicKey:
    """Let a new key sign from now on; what the old one signed still verifies.

    Raises:
        ValidationError: the key is set from outside.
    """
    _refuse_when_set(settings)
    if signing_keys.has_private_key(settings.home):
        _keep(settings, signing_key(settings).public)
    new = SigningKey(raw=signing_keys.new_private_key(settings.home)).public
    _keep(settings, new)
    return new


def current(settings: Settings) -> PublicKey | None:
    """The public half of the key that signs; None as long as none was made."""
    if settings.signing_key is None and not signing_keys.has_private_key(settings.home):
        return None
    return signing_key(settings).public


def trusted(settings: Settings) -> tuple[TrustedKey, ...]:
    """The key that signs and all that ever did under this home, the oldest first.

    Raises:
        ValidationError: a file among the public keys is none.
    """
    own = current(settings)
    return tuple(TrustedKey(key=key, signs=key == own, since=since) for key, since in _kept(settings))


def known_keys(settings: Settings) -> Mapping[str, PublicKey]:
    """The keys that verification goes by, by their ids; makes none, and reads no private one under home.

    Raises:
        ValidationError: a file among the public keys is none.
    """
    keys = [key for key, _ in _kept(settings)]
    if own := _that_is_set(settings):
        keys.append(own.public)
    return MappingProxyType({key.id: key for key in keys})


def _that_is_set(settings: Settings) -> SigningKey | None:
    return None if settings.signing_key is None else read_signing_key(settings.signing_key, where=SETTING)


def _refuse_when_set(settings: Settings) -> None:
    if settings.signing_key is not None:
        raise ValidationError(f"{SETTING} is set, so the key is not ours to make; change the setting instead.")


def _keep(settings: Settings, key: PublicKey) -> None:
    signing_keys.keep_public_key(settings.home, key.id, key.pem())


def _kept(settings: Settings) -> Iterator[tuple[PublicKey, datetime]]:
    for found in signing_keys.public_keys(settings.home):
        yield read_public_key(found.data.decode(errors="replace"), where=str(found.path)), found.since
