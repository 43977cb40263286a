"""Imports: a file that people bring, read and stored whole, or refused with the line that is wrong."""

from export_pipelines.core import evaluation
from export_pipelines.db.evaluation import imports
from export_pipelines.db.evaluation.imports import StoredScenarios
from export_pipelines.parsing import definition_markdown, scenarios_yaml
from export_pipelines.steps.services import Services


def import_definition(
    services: Services, data: bytes, *, fork_of: str | None = None, rename: str | None = None
) -> evaluation.Definition:
    """Store the definition in a Markdown file.

    Args:
        services: collaborators.
        data: the file.
        fork_of: definition that becomes its parent, as a person names it.
        rename: a name in place of the file's.

    Raises:
        ImportFileError: the file breaks the format's rules; the message has the line.
        ConflictError: a definition of that name exists.
        NotFoundError: there is no definition to fork.
    """
    imported = definition_markdown.parse(data)
    return imports.import_definition(services.database, imported, fork_of=fork_of, rename=rename, now=services.clock())


def import_scenarios(services: Services, data: bytes, *, definition_id: str | None, name: str) -> StoredScenarios:
    """Store the scenarios in a YAML file.

    Args:
        services: collaborators.
        data: the file.
        definition_id: what they belong to, as a person names it; None makes a definition called ``name``.
        name: used only when a definition is made.

    Raises:
        ImportFileError: the file breaks the format's rules; the message has the line.
        ConflictError: a definition or scenario of that name exists.
        NotFoundError: there is no such definition.
    """
    imported = scenarios_yaml.parse(data)
    return imports.import_scenarios(
        services.database, imported, definition_id=definition_id, name=name, now=services.clock()
    )
