"""From a delivery to what its recipient is told: the facts, the link, the file."""

from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from export_pipelines.core.deliveries import Delivery, DeliveryEvent, DeliveryRequest
from export_pipelines.core.errors import DeliveryRefusedError, NotFoundError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.sizes import bytes_shown
from export_pipelines.db import jobs, shares
from export_pipelines.db.evaluation import users
from export_pipelines.delivering.notices import Attachment, Notice
from export_pipelines.delivering.payloads import payload
from export_pipelines.steps.services import Services
from export_pipelines.steps.shares import link_of
from export_pipelines.storage.links import mint
from export_pipelines.storage.secret import link_secret


def notice_of(services: Services, delivery: Delivery, job: ExportJob) -> Notice:
    """What a mail says, with the file when that was asked for and it is small enough.

    Raises:
        StoreUnavailableError: the file cannot be read at the moment.
        DeliveryRefusedError: it is about a share that is revoked or over by now.
    """
    if delivery.share_id is not None:
        return _shared(services, delivery, delivery.share_id)
    attachment, remark = _file(services, delivery, job)
    link = download_link(services, delivery, job)
    if link is None and not remark and _asked(job).include_download_link and _is_over(services, delivery):
        remark = "There is no link, since the file's time was over before this message could be delivered."
    user = users.get(services.database, job.user_id)
    return replace(
        _facts(delivery), requested_by=user.name or user.email, link=link, attachment=attachment, remark=remark
    )


def payload_of(services: Services, delivery: Delivery, job: ExportJob) -> bytes:
    """The body of a webhook's message."""
    data: dict[str, Any] = {**delivery.data, "link": download_link(services, delivery, job)}
    return payload(delivery.event, at=delivery.created_at, data=data)


def download_link(services: Services, delivery: Delivery, job: ExportJob) -> str | None:
    """The link that goes into a message; None when none was asked for, the export failed, or the file's time is over.

    Each try mints the same one: equal inputs give equal tokens. This is the only place that mints links for messages,
    so it is the one where the audit log hears of them.
    """
    expires_at = _expiry(delivery)
    if expires_at is None or _is_over(services, delivery) or not _asked(job).include_download_link:
        return None
    token = mint(link_secret(services.settings), job_id=job.id, expires_at=expires_at)
    return f"{services.settings.public_url}/downloads/{token}"


def _shared(services: Services, delivery: Delivery, share_id: str) -> Notice:
    """Nobody is told of what they cannot have any more."""
    share = shares.get(services.database, share_id)
    if not share.in_force(services.clock()):
        raise DeliveryRefusedError(f"the share {share_id} was revoked or over before this message could be delivered.")
    # Each try has the same link, as below.
    link = link_of(services, share, expires_at=share.expires_at)
    return replace(
        _facts(delivery), requested_by=delivery.data["shared_by"], message=delivery.data["message"], link=link
    )


def _facts(delivery: Delivery) -> Notice:
    """What was written down when there was something to tell."""
    facts = delivery.data
    return Notice(
        id=delivery.id,
        event=delivery.event,
        at=delivery.created_at,
        job_id=delivery.job_id,
        type=facts["type"],
        title=facts["title"],
        requested_by="",
        file_name=facts["file_name"],
        size=facts["size"],
        rows=facts["rows"],
        checksum=facts["checksum"],
        expires_at=_expiry(delivery),
        error=facts["error"],
    )


def _file(services: Services, delivery: Delivery, job: ExportJob) -> tuple[Attachment | None, str | None]:
    """The file to attach, or why it is not attached; neither when nobody asked."""
    if delivery.event is not DeliveryEvent.COMPLETED or not _asked(job).attach_file:
        return None, None
    if job.status is not JobStatus.COMPLETED or job.output_path is None or job.output_size_bytes is None:
        return None, "The file is not attached, since its time is over."
    most = services.settings.mail_attachment_bytes
    if job.output_size_bytes > most:
        size = bytes_shown(job.output_size_bytes)
        return None, f"The file is not attached: it has {size}, and at most {bytes_shown(most)} are sent by mail."
    try:
        with services.store.open(job.output_path) as source:
            data = source.read()
    except NotFoundError:
        return None, "The file is not attached, since it is no longer there."
    return Attachment(name=PurePosixPath(job.output_path).name, data=data), None


def _asked(job: ExportJob) -> DeliveryRequest:
    asked = jobs.request_of(job).delivery
    # There is a delivery, so somebody asked; a row that was changed by hand since gets what is harmless.
    return asked or DeliveryRequest(recipients=(), include_download_link=False)


def _is_over(services: Services, delivery: Delivery) -> bool:
    """Whether there was a file that nobody can have any more."""
    expires_at = _expiry(delivery)
    return expires_at is not None and expires_at <= services.clock()


def _expiry(delivery: Delivery) -> datetime | None:
    text = delivery.data["expires_at"]
    return None if text is None else datetime.fromisoformat(text)
