"""From a store's URL to the store."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from export_pipelines.core.errors import ValidationError
from export_pipelines.storage.local import LocalStore
from export_pipelines.storage.store import ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FORMS = "EXPORT_PIPELINES_STORE_URL takes file:///absolute/folder or s3://bucket/prefix"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_store(url: str, *, s3_client: "S3Client | None" = None) -> ObjectStore:
    """The store at ``file:///folder`` or ``s3://bucket/prefix``; nothing is touched yet.

    Args:
        url: percent-escapes count in ``file:`` URLs only.
        s3_client: what an S3 store talks through; None makes one from the usual AWS variables.

    Raises:
        ValidationError: any other URL, or AWS settings that make no client.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValidationError(f"{_FORMS}; what is set is no URL.") from None
    # A URL may carry credentials by mistake, so no message repeats it.
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValidationError(
            f"{_FORMS}, without user, password, query or fragment; credentials go into AWS variables."
        )
    if parts.scheme == "file":
        return LocalStore(_folder(parts))
    if parts.scheme == "s3":
        return _s3_store(parts, s3_client)
    raise ValidationError(f"{_FORMS}; a URL that begins with {parts.scheme or 'no scheme'!r} is neither.")


def _folder(parts: SplitResult) -> Path:
    folder = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not folder.startswith("/") or "\0" in folder:
        raise ValidationError(f"{_FORMS}; write three slashes after file:, as in file:///srv/exports.")
    return Path(folder)


def _s3_store(parts: SplitResult, client: "S3Client | None") -> ObjectStore:
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValidationError(f"{_FORMS}; {parts.netloc!r} cannot be a bucket's name.")
    # Only deployments on S3 pay for importing its client.
    from export_pipelines.storage.s3 import S3Store, s3_client_from_environment  # noqa: PLC0415

    return S3Store(client or s3_client_from_environment(), bucket=parts.netloc, prefix=parts.path.strip("/"))
