"""``/downloads/<token>`` and ``/downloads/<token>/manifest``: from a signed link to the bytes behind it.

What counts as a download: a GET that begins with the first byte of the file. HEAD does not count, nor does a request
for later bytes, by which clients continue what broke off; unless nobody has begun yet, so that no byte leaves
uncounted. The manifest is not counted. The link of a share opens nothing once the share is revoked, and its downloads
are counted for the share, too.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import NoReturn

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from export_pipelines.catalog.options import MEDIA_TYPES
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.errors import ConflictError, ExpiredLinkError, ForgedLinkError, NotFoundError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.shares import Share
from export_pipelines.db import jobs, shares
from export_pipelines.db.audit import Actor
from export_pipelines.db.database import Database
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.storage import links
from export_pipelines.storage.links import DownloadGrant
from export_pipelines.storage.store import ObjectStore
from export_pipelines.web import log_lines
from export_pipelines.web.delivery import Download, FileResponse
from export_pipelines.web.problems import Problem, ProblemError
from export_pipelines.web.ranges import Everything, Span, Wanted, read_range, same_file
from export_pipelines.web.refusals import Refusals

PRESIGNED_SECONDS = 300
"""How long the store's own link lives: long enough to follow it, too short to pass on."""
_USER_AGENT_CHARACTERS = 500
_REFUSED = (403, 404, 410)
"""A range that does not exist is the client's mistake, and no refusal of the link."""


class Downloads:
    """Answers download requests."""

    def __init__(
        self, database: Database, store: ObjectStore, *, secret: bytes, clock: Callable[[], datetime], redirect: bool
    ) -> None:
        self.refusals = Refusals(database, clock)
        self._database = database
        self._store = store
        self._secret = secret
        self._clock = clock
        self._redirect = redirect

    def file(self, request: Request, token: str) -> Response:
        """The exported file."""
        with self._refusals_noted(request):
            return self._file(request, token)

    def manifest(self, request: Request, token: str) -> Response:
        """The sidecar that says what the file holds and how to check it."""
        with self._refusals_noted(request):
            return self._manifest(request, token)

    @contextmanager
    def _refusals_noted(self, request: Request) -> Iterator[None]:
        try:
            yield
        except ProblemError as error:
            if error.problem.status in _REFUSED:
                self.refusals.note(
                    job_id=getattr(request.state, "job_id", None),
                    code=error.problem.code,
                    status=error.problem.status,
                    actor=_actor(request, getattr(request.state, "person", None)),
                )
            raise

    def _file(self, request: Request, token: str) -> Response:
        job, grant = self._open_link(request, token)
        share = self._share(grant)
        download = self._find(
            job, suffix="", media_type=_media_type(job), sha256=job.checksum, size=job.output_size_bytes
        )
        wanted = _wanted(request, download)
        if request.method == "HEAD":
            return Response(headers=download.headers())
        # Opened first, counted second: what is counted can be delivered, whoever deletes the file from here on.
        with ExitStack() as unless_counted:
            response = self._send(job, download, wanted)
            if isinstance(response, FileResponse):
                unless_counted.callback(response.close)
            if not isinstance(wanted, Span) or wanted.start == 0 or (share or job).download_count == 0:
                self._count(request, job, grant, share)
            unless_counted.pop_all()
        return response

    def _manifest(self, request: Request, token: str) -> Response:
        job, grant = self._open_link(request, token)
        self._share(grant)
        download = self._find(job, suffix=MANIFEST_SUFFIX, media_type="application/json", sha256=None, size=None)
        if request.method == "HEAD":
            return Response(headers=download.headers())
        return self._send(job, download, _wanted(request, download))

    def _open_link(self, request: Request, token: str) -> tuple[ExportJob, DownloadGrant]:
        try:
            grant = links.read(self._secret, token, now=self._clock())
            _is_about(request, grant.job_id, grant.person)
            job = jobs.get(self._database, grant.job_id)
            log_lines.is_about_job(job)
        except ForgedLinkError as error:
            raise ProblemError(
                Problem(status=403, code="link-forged", title="This link is not valid", detail=str(error))
            ) from error
        except ExpiredLinkError as error:
            _is_about(request, error.job_id, error.person)
            raise ProblemError(
                Problem(status=410, code="link-expired", title="This link has expired", detail=str(error))
            ) from error
        except NotFoundError as error:
            raise _gone("job-gone", "The export this link belongs to was deleted; ask for a new one.") from error
        if job.status is JobStatus.EXPIRED or (job.expires_at is not None and job.expires_at <= self._clock()):
            _refuse_expired(job)
        return job, grant

    def _share(self, grant: DownloadGrant) -> Share | None:
        """The share that the link is of, in force; None for a link of the job's own."""
        if grant.share_id is None:
            return None
        try:
            share = shares.get(self._database, grant.share_id)
        except NotFoundError as error:
            raise _unshared() from error
        if not share.in_force(self._clock()):
            raise _unshared()
        return share

    def _find(self, job: ExportJob, *, suffix: str, media_type: str, sha256: str | None, size: int | None) -> Download:
        if job.status is not JobStatus.COMPLETED or job.output_path is None:
            raise _gone("no-file", f"This export has no file: it is {job.status}. Ask for a new one.")
        key = job.output_path + suffix
        facts = self._store.stat(key)
        if facts is None:
            raise _gone("file-gone", "The file was removed from the store before its time; ask for a new export.")
        if size is not None and facts.size != size:
            raise _gone("file-damaged", "The file in the store is not the one that was made; ask for a new export.")
        return Download(
            key=key,
            file_name=key.rpartition("/")[2],
            media_type=media_type,
            size=facts.size,
            sha256=sha256,
            modified_at=facts.modified_at,
        )

    def _count(self, request: Request, job: ExportJob, grant: DownloadGrant, share: Share | None) -> None:
        actor, now = _actor(request, grant.person), self._clock()
        try:
            if share is None:
                counted = jobs.count_download(self._database, job.id, now=now, actor=actor)
            else:
                counted = shares.count_download(self._database, share, now=now, actor=actor)
        except ConflictError as error:
            raise _unshared() from error
        if counted is None:
            _refuse_expired(job)

    def _send(self, job: ExportJob, download: Download, wanted: Wanted) -> Response:
        if wanted is Everything.NOTHING:
            detail = f"The file has {download.size} bytes, and none of them is in the range that was asked for."
            headers = {"Content-Range": f"bytes */{download.size}", "Accept-Ranges": "bytes"}
            title = "There are no such bytes"
            raise ProblemError(Problem(status=416, code="no-such-range", title=title, detail=detail, headers=headers))
        url = self._store_link(job, download)
        if url is not None:
            return RedirectResponse(url, status_code=307)
        try:
            return FileResponse(self._store, download, wanted)
        except NotFoundError as error:
            raise _gone("file-gone", "The file was removed from the store just now; ask for a new export.") from error

    def _store_link(self, job: ExportJob, download: Download) -> str | None:
        if not self._redirect:
            return None
        return self._store.presigned_url(
            download.key,
            seconds=self._seconds_left(job),
            file_name=download.file_name,
            media_type=download.media_type,
        )

    def _seconds_left(self, job: ExportJob) -> int:
        if job.expires_at is None:
            return PRESIGNED_SECONDS
        return max(1, min(PRESIGNED_SECONDS, int((job.expires_at - self._clock()).total_seconds())))


def _is_about(request: Request, job_id: str, person: str | None) -> None:
    """A genuine link names this export and, perhaps, whom it was made for."""
    request.state.job_id, request.state.person = job_id, person
    log_lines.is_about(job_id)


def _actor(request: Request, person: str | None) -> Actor:
    """Who came, as far as the link and the connection say."""
    return Actor(
        user_id=person,
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent", "")[:_USER_AGENT_CHARACTERS] or None,
    )


def router(downloads: Downloads) -> APIRouter:
    """The routes; plain functions, which the framework runs in worker threads."""
    routes = APIRouter()
    methods = ["GET", "HEAD"]
    routes.add_api_route("/downloads/{token}", downloads.file, methods=methods, response_model=None)
    routes.add_api_route("/downloads/{token}/manifest", downloads.manifest, methods=methods, response_model=None)
    return routes


def _wanted(request: Request, download: Download) -> Wanted:
    condition = request.headers.get("if-range")
    if request.method == "HEAD" or not same_file(condition, etag=download.etag, last_modified=download.last_modified):
        return Everything.WHOLE
    return read_range(request.headers.get("range"), size=download.size)


def _media_type(job: ExportJob) -> str:
    codec = str(job.input.get("options", {}).get("compression", "none"))
    plain = {type_.name: type_.media_type for type_ in EXPORT_TYPES}
    return MEDIA_TYPES.get(codec) or plain.get(job.type, "application/octet-stream")


def _gone(code: str, detail: str) -> ProblemError:
    return ProblemError(Problem(status=404, code=code, title="There is no file here", detail=detail))


def _unshared() -> ProblemError:
    return ProblemError(
        Problem(
            status=410,
            code="share-ended",
            title="This file is no longer shared",
            detail="Whoever shared it with you has ended that; ask them for a new link.",
        )
    )


def _refuse_expired(job: ExportJob) -> NoReturn:
    until = f" It was kept until {job.expires_at:%Y-%m-%d %H:%M} UTC." if job.expires_at else ""
    raise ProblemError(
        Problem(
            status=410,
            code="file-expired",
            title="This file has expired",
            detail=f"The file is no longer kept.{until} Ask for a new export.",
        )
    )
