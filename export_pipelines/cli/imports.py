"""``export-pipelines import``: bring a definition or scenarios back from a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.core.errors import ImportFileError, ValidationError
from export_pipelines.steps import imports

app = typer.Typer(help="Bring a definition or scenarios back from a file.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.")]
ForkOption = Annotated[str | None, typer.Option(help="Make it a child of this definition.")]
RenameOption = Annotated[str | None, typer.Option(help="Give it this name instead of the file's.")]
DefinitionOption = Annotated[
    str | None, typer.Option(help="Definition that the scenarios belong to; a new one is made without it.")
]

NewNameOption = Annotated[str | None, typer.Option("--rename", help="Name of the new definition, not the file's.")]

MAX_BYTES = 256 << 20


@app.command()
def definition(file: FileArgument, fork_of: ForkOption = None, rename: RenameOption = None) -> None:
    """Import a definition from Markdown: all of it, or nothing."""
    data = _read(file)
    with session.services() as services, _named(file):
        made = imports.import_definition(services, data, fork_of=fork_of, rename=rename)
        console.print_fields({"definition": made.id, "name": made.name})


@app.command()
def scenarios(file: FileArgument, definition_id: DefinitionOption = None, rename: NewNameOption = None) -> None:
    """Import scenarios from YAML: all of them, or nothing."""
    data = _read(file)
    with session.services() as services, _named(file):
        made = imports.import_scenarios(services, data, definition_id=definition_id, name=rename or _stem(file))
        console.print_fields({"definition": made.definition_id, "scenarios": len(made.scenario_ids)})


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it, as compilers do."""
    try:
        yield
    except ImportFileError as error:
        raise ImportFileError(f"{file}: {error}") from error


def _stem(file: Path) -> str:
    """The file's name without ``.scenarios.yaml``."""
    return file.stem.removesuffix(".scenarios")


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValidationError(f"{file} is larger than {MAX_BYTES >> 20} MiB; split it.")
        return file.read_bytes()
    except OSError as error:
        raise ValidationError(f"{file} cannot be read: {error.strerror}; name a readable file.") from error
