"""The key of the signed links: the one that is set, or one that is made once and kept under home."""

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.storage.key_files import kept_key

FILE_NAME = "link.key"
MIN_SECRET_BYTES = 16


def link_secret(settings: Settings) -> bytes:
    """The key of the deployment's links; every process of one home gets the same.

    Raises:
        ValidationError: the secret that is set is too short to be one, or the kept file is not ours.
        StoreUnavailableError: the key cannot be kept under home.
    """
    if settings.link_secret is None:
        return kept_key(
            settings.home / FILE_NAME, what="the key of the download links", lost="links made before stop working"
        )
    key = settings.link_secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ValidationError(
            f"EXPORT_PIPELINES_LINK_SECRET has {len(key)} bytes, but needs at least {MIN_SECRET_BYTES}; "
            "set a long random text, for instance from `openssl rand -hex 32`."
        )
    return key
