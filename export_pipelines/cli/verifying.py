"""``export-pipelines verify``: re-check every checksum and count in a file's manifest."""

from pathlib import Path
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.steps.verify import verify_job, verify_path

TargetArgument = Annotated[str, typer.Argument(metavar="FILE_OR_JOB_ID", help="A file beside its manifest, or a job.")]


def verify(target: TargetArgument) -> None:
    """Check a file against its manifest; exit status 1 when anything differs, with every difference named."""
    path = Path(target)
    if path.exists() or not looks_like_id(target):
        found = verify_path(path)
    else:
        with session.services() as services:
            found = verify_job(services, target)
    for problem in found.problems:
        console.out.print(problem, markup=False)
    if found.problems:
        raise IntegrityError(f"{target} is not what was published ({len(found.problems)} differences above).")
    console.out.print(f"ok: {', '.join(found.checked)}", markup=False)
