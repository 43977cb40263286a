"""One multipart upload: parts sent by a few threads, then completed, or aborted so that nothing stays."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.s3_errors import s3_errors
from export_pipelines.storage.tally import Bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

THREADS = 2
"""Parts under way at once: one hides the other's latency, and each holds a part in memory."""


class _Bounds(TypedDict, total=False):
    CopySourceRange: str


class CopyUnsupportedError(Exception):
    """The server takes part copies and copies nothing (some stores that speak S3 do): send the bytes instead."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where an upload goes: the client, and the object's full name."""

    client: "S3Client"
    bucket: str
    key: str
    media_type: str


class Upload:
    """An open multipart upload; parts get their numbers in the order they are added."""

    def __init__(self, target: Target, pool: ThreadPoolExecutor) -> None:
        self._target = target
        self._pool = pool
        self._under_way: deque[Future[str]] = deque()
        self._tags: list[str] = []
        self._number = 0
        with s3_errors(target.bucket, f"begin the upload of {target.key}"):
            answer = target.client.create_multipart_upload(
                Bucket=target.bucket, Key=target.key, ContentType=target.media_type
            )
        self._id = answer["UploadId"]

    @property
    def parts(self) -> int:
        """How many parts were added."""
        return self._number

    def send(self, body: Bytes | Callable[[], Bytes]) -> None:
        """Add a part with these bytes; a callable gives them in the thread that sends."""
        self._add(lambda number: self._send(number, body() if callable(body) else body))

    def copy(self, source_key: str, run: Segment, *, whole: bool = False) -> None:
        """Add a part that the server copies from another object of the bucket.

        Of objects up to 5 MiB S3 copies no ranges, but the ``whole``.
        """
        self._add(lambda number: self._copy(number, source_key, run, whole=whole))
        if self._number == 1:
            # Whether the server copies at all is known before anything else is sent.
            self._settle(left=0)

    def wait(self) -> None:
        """Wait until all parts have arrived."""
        self._settle(left=0)

    def complete(self) -> None:
        """Wait for the parts, and let the object appear."""
        self.wait()
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(self._tags, start=1)]
        target = self._target
        with s3_errors(target.bucket, f"complete the upload of {target.key}"):
            target.client.complete_multipart_upload(
                Bucket=target.bucket,
                Key=target.key,
                UploadId=self._id,
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]  # the stub wants its own class
            )

    def abort(self) -> None:
        """Drop everything sent; where even that fails, a sweep finds it later."""
        # A part that arrives after the abort would stay.
        self._pool.shutdown(wait=True, cancel_futures=True)
        target = self._target
        try:
            with s3_errors(target.bucket, f"abort the upload of {target.key}"):
                target.client.abort_multipart_upload(Bucket=target.bucket, Key=target.key, UploadId=self._id)
        except ExportPipelinesError as error:
            logger.warning("unfinished upload left behind key=%s reason=%s", target.key, error)

    def _add(self, work: Callable[[int], str]) -> None:
        self._settle(left=THREADS - 1)
        self._number += 1
        self._under_way.append(self._pool.submit(work, self._number))

    def _settle(self, *, left: int) -> None:
        """Wait until no more than ``left`` parts are under way, oldest first."""
        while len(self._under_way) > left:
            self._tags.append(self._under_way.popleft().result())

    def _send(self, number: int, body: Bytes) -> str:
        target = self._target
        with s3_errors(target.bucket, f"upload part {number} of {target.key}"):
            return target.client.upload_part(
                Bucket=target.bucket, Key=target.key, UploadId=self._id, PartNumber=number, Body=cast(bytes, body)
            )["ETag"]

    def _copy(self, number: int, source_key: str, run: Segment, *, whole: bool) -> str:
        target = self._target
        bounds: _Bounds = {} if whole else {"CopySourceRange": f"bytes={run.offset}-{run.offset + run.size - 1}"}
        with s3_errors(target.bucket, f"copy {source_key} into part {number} of {target.key}"):
            answer = target.client.upload_part_copy(
                Bucket=target.bucket,
                Key=target.key,
                UploadId=self._id,
                PartNumber=number,
                CopySource={"Bucket": target.bucket, "Key": source_key},
                **bounds,
            )
        tag = answer["CopyPartResult"].get("ETag")
        if not tag:
            raise CopyUnsupportedError
        return tag


@contextmanager
def multipart(target: Target) -> Iterator[Upload]:
    """An upload that completes when the block ends well and is aborted otherwise."""
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="s3-upload") as pool:
        upload = Upload(target, pool)
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise


def put(target: Target, body: Bytes) -> None:
    """Write a small object in one request."""
    with s3_errors(target.bucket, f"write {target.key}"):
        target.client.put_object(
            Bucket=target.bucket, Key=target.key, Body=cast(bytes, body), ContentType=target.media_type
        )
