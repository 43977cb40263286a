"""The keys of the signed links and of webhooks' secrets: those that are set, or made once and kept under home."""

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.storage.key_files import kept_key

FILE_NAME = "link.key"
WEBHOOK_FILE_NAME = "webhook.key"
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
    return _long_enough(settings.link_secret, variable="EXPORT_PIPELINES_LINK_SECRET")


def webhook_key(settings: Settings) -> bytes:
    """The key that webhooks' secrets are encrypted with in the database; every process of one home gets the same.

    Raises:
        ValidationError: the key that is set is too short to be one, or the kept file is not ours.
        StoreUnavailableError: the key cannot be kept under home.
    """
    if settings.webhook_key is None:
        return kept_key(
            settings.home / WEBHOOK_FILE_NAME,
            what="the key of the webhooks' secrets",
            lost="webhooks made before have to be removed and added again",
        )
    return _long_enough(settings.webhook_key, variable="EXPORT_PIPELINES_WEBHOOK_KEY")


def _long_enough(secret: str, *, variable: str) -> bytes:
    key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ValidationError(
            f"{variable} has {len(key)} bytes, but needs at least {MIN_SECRET_BYTES}; "
            "set a long random text, for instance from `openssl rand -hex 32`."
        )
    return key
