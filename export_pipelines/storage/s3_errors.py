"""What S3 and its client refuse, in our words; never with a key, a secret or a signature in them.

A wrong bucket or wrong credentials are a setting to correct (``ValidationError``); throttling, server errors and the
network may be better in a moment (``StoreUnavailableError``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from export_pipelines.core.errors import ExportPipelinesError, NotFoundError, StoreUnavailableError, ValidationError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
# An upload disappears under its writer when a sweep takes it for abandoned; expired session credentials are renewed.
_PASSING = frozenset(
    {"NoSuchUpload", "RequestTimeout", "ExpiredToken", "TokenRefreshRequired", "BadDigest", "IncompleteBody"}
)
_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role) that may list, read, write and delete there"
)


@contextmanager
def s3_errors(bucket: str, action: str) -> Iterator[None]:
    """Raise what the client raises as our errors; ``action`` reads as in "cannot <action>"."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # heavy; only S3 deployments pay

    try:
        yield
    except ClientError as error:
        raise _from_answer(error, bucket, action) from error
    except BotoCoreError as error:
        raise _from_client(error, bucket, action) from error


def error_code(error: "ClientError") -> str:
    """S3's code of the error, or the HTTP status where an answer has no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _from_answer(error: "ClientError", bucket: str, action: str) -> ExportPipelinesError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    what = f"Cannot {action} in the S3 bucket {bucket}: the server answered {code or status}"
    if code == "NoSuchBucket":
        return ValidationError(f"{what}; create the bucket, or correct EXPORT_PIPELINES_STORE_URL.")
    if code in _MISSING:
        return NotFoundError(f"{what}; the object is not there (any more).")
    if code in _PASSING or status >= 500 or status == 429:
        return StoreUnavailableError(f"{what}; try again in a moment.")
    if status in (401, 403):
        return ValidationError(f"{what}; {_CREDENTIALS}, and check this machine's clock.")
    return ValidationError(f"{what}; check EXPORT_PIPELINES_STORE_URL, AWS_REGION and AWS_ENDPOINT_URL_S3.")


def _from_client(error: "BotoCoreError", bucket: str, action: str) -> ExportPipelinesError:
    from botocore import exceptions  # noqa: PLC0415  # as above

    what = f"Cannot {action} in the S3 bucket {bucket}"
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return ValidationError(f"{what}: no AWS credentials were found; {_CREDENTIALS}.")
    if isinstance(error, exceptions.ParamValidationError | exceptions.NoRegionError):
        return ValidationError(f"{what}: the client refused the call; check EXPORT_PIPELINES_STORE_URL and AWS_REGION.")
    # The class says enough (a timeout, a refused connection); the text may hold a signed URL.
    return StoreUnavailableError(
        f"{what}: {type(error).__name__}; check the network and AWS_ENDPOINT_URL_S3, and try again."
    )
