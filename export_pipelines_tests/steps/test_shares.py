"""Sharing a real export: what the recipient reads, for how long, and what revoking ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import deliveries, shares
from export_pipelines.db.audit import Actor
from export_pipelines.db.evaluation import users
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.shares import Shared, Wish, link_for, share
from export_pipelines.steps.submit import submit
from export_pipelines.storage import links
from export_pipelines.storage.secret import link_secret
from export_pipelines_tests.mail_server import MailServer
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order
from export_pipelines_tests.steps.telling import DEAD, SENT, body, row, send

VIEWER = "mei.demo@example.org"


@pytest.fixture
def job(site: Services) -> ExportJob:
    return run_export(site, submit(site, replace(order("DEFINITION_MD"), expiry_hours=72)).id)


def give(site: Services, job: ExportJob, to: str = "eve@example.net", **fields: object) -> Shared:
    return share(site, job, Wish(to=to, **fields), shared_by=job.user_id)  # type: ignore[arg-type]


def granted(site: Services, url: str) -> links.DownloadGrant:
    return links.read(link_secret(site.settings), url.rpartition("/")[2], now=site.clock())


def test_somebody_outside_gets_the_link_by_mail_with_what_there_is_to_know(
    site: Services, job: ExportJob, mail: MailServer
) -> None:
    given = give(site, job, message="Here it is.\nBcc: all@example.org", days=2)
    assert (given.is_mailed, given.until_file_ends) == (True, False)
    assert send(site) == [SENT]
    [message] = mail.taken
    assert (message["To"], message["Bcc"]) == ("eve@example.net", None)
    for kind in ("plain", "html"):
        said = body(message, kind)
        for fact in ("Iris", "Here it is.", given.link, f"{given.share.expires_at:%Y-%m-%d %H:%M} UTC"):
            assert fact in said
    grant = granted(site, given.link)
    assert (grant.job_id, grant.share_id, grant.person) == (job.id, given.share.id, None)


def test_a_share_never_outlives_the_file_and_says_so(site: Services, job: ExportJob) -> None:
    assert job.expires_at is not None
    for capped in (give(site, job, days=30), give(site, job)):
        assert (capped.share.expires_at, capped.until_file_ends) == (job.expires_at, True)
    shorter = give(site, job, days=1)
    assert shorter.share.expires_at - shorter.share.created_at <= timedelta(days=1)
    assert not shorter.until_file_ends


def test_a_user_of_ours_becomes_a_viewer_who_mints_links_that_count_for_the_share(
    site: Services, job: ExportJob, clock: Clock
) -> None:
    viewer = users.get_by_email(site.database, VIEWER)
    given = [give(site, job, to, days=1) for to in (viewer.email.upper(), viewer.id)]
    assert {(one.share.user_id, one.share.email) for one in given} == {(viewer.id, None)}
    assert {delivery.recipient for delivery in deliveries.list_deliveries(site.database)} == {VIEWER}
    minted = link_for(site, job, user_id=viewer.id, actor=Actor(user_id=viewer.id))
    grant = granted(site, minted.url)
    assert (grant.person, grant.share_id) == (viewer.id, given[1].share.id)
    assert minted.expires_at < clock.now + timedelta(hours=1)
    clock.jump(hours=23, minutes=30)
    assert link_for(site, job, user_id=viewer.id).expires_at == given[1].share.expires_at
    for one in given:
        shares.revoke(site.database, one.share.id, job_id=job.id, now=clock())
    for person in (viewer.id, job.user_id):
        with pytest.raises(NotFoundError):
            link_for(site, job, user_id=person)


def test_nobody_is_told_of_a_share_that_was_revoked_before(site: Services, job: ExportJob, mail: MailServer) -> None:
    given = give(site, job)
    shares.revoke(site.database, given.share.id, job_id=job.id, now=site.clock())
    assert send(site) == [DEAD]
    assert mail.taken == []
    assert "was revoked or over" in str(row(site).last_error)


def test_without_a_mail_server_there_is_the_link_to_hand_over(site: Services, job: ExportJob) -> None:
    silent = replace(site, settings=replace(site.settings, smtp_url=None, mail_from=None))
    given = give(silent, job)
    assert not given.is_mailed
    assert granted(silent, given.link).share_id == given.share.id
    assert given.link not in repr(given)


def test_what_cannot_be_shared_is_refused_and_nothing_is_written(site: Services, job: ExportJob) -> None:
    for fields, said in (
        ({"days": 0}, "a share lasts 1 to 30 days"),
        ({"days": 31}, "a share lasts 1 to 30 days"),
        ({"message": "x" * 2001}, "has 2001 characters"),
        ({"message": "a\x00b"}, "no text"),
        ({"message": "a\ud800b"}, "no text"),
        ({"to": "iris.demo@example.org"}, "own; share it with somebody else"),
        ({"to": "eve@example.net\r\nBcc: all@example.org"}, "unprintable"),
        ({"to": "eve@"}, "is no e-mail address"),
        ({"to": "x" * 400}, "too long"),
        ({"to": "Mei Demo"}, "neither an e-mail address nor"),
        ({"to": ""}, "neither an e-mail address nor"),
    ):
        with pytest.raises(ValidationError, match=said):
            give(site, job, **{"to": "eve@example.net", **fields})  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        give(site, job, "c0nosuchuser")
    assert shares.list_for_job(site.database, job.id) == ()


def test_an_export_without_a_file_is_not_shared(site: Services, job: ExportJob, clock: Clock) -> None:
    clock.jump(hours=73)
    for without in (job, submit(site, order("DEFINITION_MD"))):
        with pytest.raises(ConflictError, match="has no file to share"):
            give(site, without)
