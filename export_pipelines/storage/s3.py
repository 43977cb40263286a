"""Objects in an S3 bucket, or in anything that speaks S3.

An object appears when its upload completes, so nothing half-written is ever visible; what an interrupted writer leaves
is an unfinished multipart upload, which :meth:`S3Store.abort_unfinished` drops.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, BinaryIO, cast

from export_pipelines.core.errors import IntegrityError, NotFoundError, StoreUnavailableError, ValidationError
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.disposition import content_disposition
from export_pipelines.storage.keys import INCOMPLETE, MAX_PREFIX_BYTES, check_key, check_prefix
from export_pipelines.storage.s3_compose import Sources, compose
from export_pipelines.storage.s3_errors import error_code, s3_errors
from export_pipelines.storage.s3_upload import Target, put
from export_pipelines.storage.s3_writer import s3_writer
from export_pipelines.storage.store import ObjectFacts, ObjectWriter, Proceed, Spare, nothing, uninterrupted
from export_pipelines.storage.streams import Guard, Source, bounded, check_range

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import MultipartUploadTypeDef


def s3_client_from_environment() -> "S3Client":
    """A client made from the usual AWS variables (credentials, AWS_REGION, AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3).

    It gives up on a dead server within seconds, so that what fails is retried where people see it.

    Raises:
        ValidationError: the variables make no client.
    """
    # The slowest import of the project; only deployments on S3 pay for it.
    import boto3.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    config = Config(
        signature_version="s3v4",
        connect_timeout=5,
        # Long enough for the server to copy one part before it answers.
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
    )
    try:
        # Not the module's own session: that one keeps the first credentials it saw.
        return boto3.session.Session().client("s3", config=config)
    except (BotoCoreError, ValueError) as error:
        # ValueError: an endpoint that is no URL. Neither text holds a secret.
        raise ValidationError(
            f"The AWS settings make no S3 client: {error}. Set AWS_REGION and AWS_ENDPOINT_URL_S3."
        ) from error


class S3Store:
    """An object store in a bucket, below a prefix; see :class:`~export_pipelines.storage.store.ObjectStore`.

    The client may be shared by threads. Whatever its settings, it is made to sign links with signature version 4, and
    not to ask for S3's own checksums when reading: objects have a SHA-256 of ours.
    """

    def __init__(self, client: "S3Client", bucket: str, prefix: str = "") -> None:
        if prefix and len(check_key(prefix).encode()) > MAX_PREFIX_BYTES:
            raise ValidationError(f"The prefix in EXPORT_PIPELINES_STORE_URL is over {MAX_PREFIX_BYTES} bytes.")
        self._client = client
        self._bucket = bucket
        self._folder = f"{prefix}/" if prefix else ""
        # botocore's default still presigns with version 2 in the older regions. The stub knows no handler that answers.
        client.meta.events.register_first("choose-signer.s3.GetObject", _sign_links_v4)  # type: ignore[arg-type]
        # Stores that speak S3 (rclone 1.75) send the sum of the whole object with a range of it, which then fails.
        client.meta.events.register_last("before-parameter-build", _ask_for_no_checksum)

    @contextmanager
    def writer(
        self, key: str, *, media_type: str = "application/octet-stream", read_soon: bool = True
    ) -> Iterator[ObjectWriter]:
        """Write an object: in one request up to 8 MiB, else in parts sent while more is written."""
        with s3_writer(self._target(key, media_type), key=key) as writer:
            yield writer

    @contextmanager
    def open(self, key: str, *, offset: int = 0, size: int | None = None) -> Iterator[BinaryIO]:
        """Read an object or a run of it; a range beyond the end is empty."""
        check_range(key, offset=offset, size=size)
        full = self._full(key)
        body = self._get(full, offset, size)
        try:
            yield bounded(cast(Source, body), size=size, guard=self._reading(full))
        finally:
            body.close()

    def compose(
        self, key: str, segments: Sequence[Segment], *, media_type: str, proceed: Proceed = uninterrupted
    ) -> None:
        """Join the segments by copies inside the server; a few bytes pass through us, as S3 demands.

        Raises:
            NotFoundError: a segment's object is not there.
            IntegrityError: a segment reaches past the end of its object, or the result has another size.
        """
        sizes = self._sizes_of(segments)
        sources = Sources(sizes=sizes, read=self._read, full_key=self._full)
        compose(self._target(key, media_type), segments, sources, proceed=proceed)
        size = sum(segment.size for segment in segments)
        made = self.stat(key)
        if made is None or made.size != size:
            self.delete(key)
            raise IntegrityError(
                f"{key} was joined to {made.size if made else 0} bytes instead of {size} and removed again; "
                "is anybody else writing it?"
            )

    def stat(self, key: str) -> ObjectFacts | None:
        """Size and time of change, by a HEAD request."""
        full = self._full(key)
        with suppress(NotFoundError), self._reading(full)():
            facts = self._client.head_object(Bucket=self._bucket, Key=full)
            return ObjectFacts(key=key, size=facts["ContentLength"], modified_at=facts["LastModified"].astimezone(UTC))
        return None

    def list(self, prefix: str) -> Iterator[ObjectFacts]:
        """Every object below the prefix, ordered by key; objects that are no keys of ours are passed over."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._folder + check_prefix(prefix)
        )
        with s3_errors(self._bucket, f"list {self._folder}{prefix}"):
            for page in pages:
                for found in page.get("Contents", []):
                    key = found["Key"].removeprefix(self._folder)
                    with suppress(ValidationError):
                        modified = found["LastModified"].astimezone(UTC)
                        yield ObjectFacts(key=check_key(key), size=found["Size"], modified_at=modified)

    def delete(self, key: str) -> None:
        """Remove the object."""
        full = self._full(key)
        with suppress(NotFoundError), s3_errors(self._bucket, f"delete {full}"):
            self._client.delete_object(Bucket=self._bucket, Key=full)

    def abort_unfinished(self, prefix: str, *, older_than: datetime, spare: Spare = nothing) -> int:
        """Abort the multipart uploads below the prefix that began before."""
        full = self._folder + check_prefix(prefix)
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=full)
        found: list[MultipartUploadTypeDef] = []
        dropped = 0
        # Some stores call a bucket without uploads an upload that is not there.
        with (
            s3_errors(self._bucket, f"list the unfinished uploads of {full}"),
            suppress(self._client.exceptions.NoSuchUpload),
        ):
            for page in pages:
                found.extend(page.get("Uploads", []))
        for key, upload_id in ((one["Key"], one["UploadId"]) for one in found if one["Initiated"] < older_than):
            if spare(key.removeprefix(self._folder)):
                continue
            # Completed or aborted meanwhile is as good.
            with suppress(StoreUnavailableError), s3_errors(self._bucket, f"abort the upload of {key}"):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
                dropped += 1
        return dropped

    def url(self, key: str) -> str:
        """The object's ``s3://`` address."""
        return f"s3://{self._bucket}/{self._full(key)}"

    def local_path(self, key: str) -> Path | None:
        """None: objects lie elsewhere."""
        return None

    def presigned_url(self, key: str, *, seconds: int, file_name: str, media_type: str) -> str | None:
        """A link that any HTTP client may follow until it ends; the answer carries name and type."""
        full = self._full(key)
        with s3_errors(self._bucket, f"sign a link to {full}"):
            return self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": full,
                    "ResponseContentDisposition": content_disposition(file_name),
                    "ResponseContentType": media_type,
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=seconds,
            )

    def check_writable(self) -> None:
        """Write and remove a probe, outside of every listing."""
        probe = f"{self._folder}{INCOMPLETE}/probe-{token_hex(8)}"
        put(Target(client=self._client, bucket=self._bucket, key=probe, media_type="text/plain"), b"probe")
        with s3_errors(self._bucket, f"delete {probe}"):
            self._client.delete_object(Bucket=self._bucket, Key=probe)

    def _full(self, key: str) -> str:
        return self._folder + check_key(key)

    def _target(self, key: str, media_type: str) -> Target:
        return Target(client=self._client, bucket=self._bucket, key=self._full(key), media_type=media_type)

    def _reading(self, full: str) -> Guard:
        return lambda: s3_errors(self._bucket, f"read {full}")

    def _get(self, full: str, offset: int, size: int | None) -> "StreamingBody | BytesIO":
        """The body of a GET; empty where the range begins at the end or after it, which S3 calls an error."""
        with self._reading(full)():
            if size == 0:
                self._client.head_object(Bucket=self._bucket, Key=full)
                return BytesIO()
            try:
                return self._client.get_object(Bucket=self._bucket, Key=full, Range=_range(offset, size))["Body"]
            except self._client.exceptions.ClientError as error:
                if error_code(error) != "InvalidRange":
                    raise
                return BytesIO()

    def _read(self, segment: Segment) -> bytes:
        with self.open(segment.key, offset=segment.offset, size=segment.size) as file:
            data = file.read(segment.size)
        if len(data) != segment.size:
            raise _too_short(segment, segment.offset + len(data))
        return data

    def _sizes_of(self, segments: Sequence[Segment]) -> dict[str, int]:
        """Ask for every source once: servers differ in what they make of a range that is not there."""
        sizes: dict[str, int] = {}
        for segment in segments:
            check_range(segment.key, offset=segment.offset, size=segment.size)
            if segment.key not in sizes:
                facts = self.stat(segment.key)
                if facts is None:
                    raise NotFoundError(f"Cannot join: {segment.key} is not in the S3 bucket {self._bucket}.")
                sizes[segment.key] = facts.size
            if segment.offset + segment.size > sizes[segment.key]:
                raise _too_short(segment, sizes[segment.key])
        return sizes


def _range(offset: int, size: int | None) -> str:
    return f"bytes={offset}-" if size is None else f"bytes={offset}-{offset + size - 1}"


def _too_short(segment: Segment, end: int) -> IntegrityError:
    return IntegrityError(
        f"{segment.key} ends at byte {end}, before the run of {segment.size} from {segment.offset} that was asked for; "
        "render the export again."
    )


def _ask_for_no_checksum(params: dict[str, object], **_: object) -> None:
    params.pop("ChecksumMode", None)


def _sign_links_v4(signature_version: str, **_: object) -> str | None:
    return "s3v4-query" if signature_version.endswith("-query") else None
