"""``export-pipelines verify``: re-check a file's manifest, its signature, and what the database says by now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.differing import compared, lines, summary
from export_pipelines.core.errors import IntegrityError, ValidationError, WorkError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.packaging.signing import PublicKey, read_public_key
from export_pipelines.steps.against_database import compare
from export_pipelines.steps.services import Services
from export_pipelines.steps.signing import known_keys
from export_pipelines.steps.verify import Published, Trust, beside, published
from export_pipelines.steps.verify import verify as check

TargetArgument = Annotated[str, typer.Argument(metavar="FILE_OR_JOB_ID", help="A file beside its manifest, or a job.")]
KeyOption = Annotated[
    str | None, typer.Option(metavar="FILE_OR_BASE64", help="The one public key to trust; else all under home.")
]
UnsignedOption = Annotated[bool, typer.Option("--allow-unsigned", help="Accept a manifest without a signature.")]
DatabaseOption = Annotated[
    bool, typer.Option("--against-database", help="Also say what the database has lost, gained or changed since.")
]


def verify(
    target: TargetArgument,
    public_key: KeyOption = None,
    allow_unsigned: UnsignedOption = False,
    against_database: DatabaseOption = False,
) -> None:
    """Check a file against its manifest; exit status 1 when anything differs, with every difference named."""
    trust = _trust(public_key, allow_unsigned=allow_unsigned)
    path = Path(target)
    if path.exists() or not looks_like_id(target):
        found = beside(path)
        _check(found, target, trust)
        if against_database:
            with session.services() as services:
                _compare(services, found, target)
        return
    with session.services() as services, published(services, target) as found:
        _check(found, target, trust)
        if against_database:
            _compare(services, found, target)


def _trust(public_key: str | None, *, allow_unsigned: bool) -> Trust:
    return Trust(keys=trusted_keys(public_key), allow_unsigned=allow_unsigned)


def trusted_keys(public_key: str | None) -> Mapping[str, PublicKey]:
    """The one key that was given, or all under home, by their ids."""
    if public_key is None:
        return known_keys(session.settings())
    key = read_public_key(_key_text(public_key), where=f"--public-key {public_key}")
    return {key.id: key}


def _key_text(given: str) -> str:
    """The file's text where there is such a file, else what was given."""
    try:
        path = Path(given)
        return path.read_text(errors="replace") if path.is_file() else given
    except OSError as error:
        raise ValidationError(f"--public-key {given} cannot be read: {error.strerror}.") from error


def _check(found: Published, target: str, trust: Trust) -> None:
    outcome = check(found, trust=trust)
    for problem in outcome.problems:
        console.out.print(problem, markup=False)
    if outcome.problems:
        raise IntegrityError(f"{target} is not what was published ({len(outcome.problems)} differences above).")
    console.out.print(f"ok: {', '.join(outcome.checked)}", markup=False)


def _compare(services: Services, found: Published, target: str) -> None:
    console.notes.print("comparing with the database ...")
    comparison = compare(services, found.path, manifest=found.manifest)
    for line in lines(comparison.differences):
        console.out.print(line, markup=False)
    moved = summary(comparison, found.manifest)
    if moved:
        raise WorkError(f"{target} is intact, but the data has moved on since it was made: {moved}")
    console.out.print(f"ok: the database still says the same of {compared(comparison.differences)}", markup=False)
