"""``export-pipelines jobs share``, ``shares`` and ``unshare``: a finished export for others than its owner."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.exports import JsonOption
from export_pipelines.core.shares import Share
from export_pipelines.db import jobs, shares
from export_pipelines.db.evaluation import users
from export_pipelines.steps import shares as steps

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or the beginning of it.")]
ToArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="Anybody's e-mail address, or the id of a user.")]
GrantArgument = Annotated[str, typer.Argument(metavar="GRANT", help="The share's id, or the beginning of it.")]
DaysOption = Annotated[
    int | None, typer.Option(min=1, max=30, help="How long; as long as the file without it, and never longer.")
]
MessageOption = Annotated[str, typer.Option(help="What the recipient is told besides.")]
COLUMNS = ("ID", "SHARED WITH", "STATE", "DOWNLOADS", "LAST (UTC)", "SHARED (UTC)", "UNTIL (UTC)")
_MANY = 10_000


def share(
    job_id: IdArgument,
    to: ToArgument,
    days: DaysOption = None,
    message: MessageOption = "",
    as_json: JsonOption = False,
) -> None:
    """Share a finished export's file, in its owner's name, with a user or an address outside; who is told by mail."""
    with session.services() as services:
        job = jobs.find(services.database, job_id)
        wish = steps.Wish(to=to, days=days, message=message)
        given = steps.share(services, job, wish, shared_by=job.user_id)
    if as_json:
        mailed = {"is_mailed": given.is_mailed, "until_file_ends": given.until_file_ends}
        console.print_json({**asdict(given.share), **mailed, "link": given.link})
        return
    console.out.print(given.link, markup=False)
    why = ", when the file ends" if given.until_file_ends else ""
    told = "is told by mail" if given.is_mailed else "is not told, since no mail server is set: hand over the link"
    console.notes.print(
        f"share {given.share.id} ends at {given.share.expires_at:%Y-%m-%d %H:%M} UTC{why}; {to.strip()} {told}. "
        f"`export-pipelines jobs unshare {given.share.id}` ends it at once.",
        markup=False,
    )


def list_shares(job_id: IdArgument, as_json: JsonOption = False) -> None:
    """List whom a job's file is, or was, shared with, and how often each has downloaded it."""
    with session.services() as services:
        job = jobs.find(services.database, job_id)
        found = shares.list_for_job(services.database, job.id, limit=_MANY)
        emails = {user.id: user.email for user in users.list_all(services.database)}
    if as_json:
        console.print_json([asdict(one) for one in found])
        return
    empty = f"Not shared. Share it with `export-pipelines jobs share {job.id} EMAIL`."
    console.print_table(COLUMNS, [_cells(one, emails) for one in found], empty=empty)


def unshare(share_id: GrantArgument, as_json: JsonOption = False) -> None:
    """End a share at once: its links open nothing any more."""
    with session.services() as services:
        found = shares.find(services.database, share_id)
        ended = shares.revoke(services.database, found.id, job_id=found.job_id, now=session.now())
    if as_json:
        console.print_json(asdict(ended))
        return
    console.out.print(f"share {ended.id} is revoked")


def _cells(one: Share, emails: dict[str, str]) -> tuple[Any, ...]:
    whom = one.email or emails.get(one.user_id or "", one.user_id)
    state = one.state(session.now()).lower().replace("_", " ")
    return (one.id, whom, state, one.download_count, one.last_downloaded_at, one.created_at, one.expires_at)
