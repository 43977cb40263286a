"""Storing what was read from files: each call stores everything, or nothing."""

import dataclasses
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.definitions import DefinitionContent, to_json
from export_pipelines.core.errors import ConflictError
from export_pipelines.core.imports import ImportedDefinition, ImportedScenarios
from export_pipelines.db import tables
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, lookup, scenarios, tags
from export_pipelines.db.evaluation.rows import listed, record_of


@dataclass(frozen=True, kw_only=True)
class StoredScenarios:
    """What an import of scenarios made.

    Attributes:
        definition_id: the one they belong to.
        scenario_ids: theirs, in the order of the file.
    """

    definition_id: str
    scenario_ids: tuple[str, ...]


def import_definition(
    database: Database,
    imported: ImportedDefinition,
    *,
    fork_of: str | None = None,
    rename: str | None = None,
    now: datetime,
) -> records.Definition:
    """Store a definition that was read from a file.

    Args:
        database: where.
        imported: what the file says.
        fork_of: id, beginning of an id or name of the definition to become its parent.
        rename: name to store it under, in place of the file's.
        now: the present moment.

    Raises:
        ConflictError: a definition of that name exists, and it is not to be forked.
        NotFoundError: there is no definition to fork.
    """
    name = rename or imported.name
    content = imported.content
    if name != imported.name and content.base_id is None:
        # The file's id follows from its name; under another name it has to be stated to survive.
        content = dataclasses.replace(content, base_id=imported.base_id)
    with database.transaction() as session:
        parent = None if fork_of is None else lookup.find(session, tables.Definition, fork_of).id
        if parent is None:
            _claim_name(
                session, name, way_out="Give --fork-of {id} to make this a fork of it, or --rename another name."
            )
        row = definitions.add(session, name=name, content=to_json(content), parent_id=parent, now=now)
        tags.add(session, row.id, names=imported.tags, now=now)
        return record_of(records.Definition, row)


def import_scenarios(
    database: Database,
    imported: ImportedScenarios,
    *,
    definition_id: str | None = None,
    name: str = "Imported scenarios",
    now: datetime,
) -> StoredScenarios:
    """Store scenarios that were read from a file.

    Args:
        database: where.
        imported: what the file says.
        definition_id: id, beginning of an id or name of their definition; None makes one that holds the preamble.
        name: of the definition that is made.
        now: the present moment.

    Raises:
        ConflictError: the definition has scenarios of these names already, or the name for a new one is taken.
        NotFoundError: there is no such definition.
    """
    with database.transaction() as session:
        if definition_id is None:
            _claim_name(session, name, way_out="Give --definition-id {id} to add to it, or another name with --rename.")
            own = to_json(DefinitionContent(preamble=imported.preamble))
            definition = definitions.add(session, name=name, content=own, now=now)
        else:
            definition = lookup.find(session, tables.Definition, definition_id)
            session.refresh(definition, with_for_update={"key_share": True})
        _refuse_duplicates(session, definition, imported)
        contents = [(item.key, item.content(preamble=imported.preamble)) for item in imported.scenarios]
        ids = scenarios.add_all(session, contents, definition_id=definition.id, now=now)
        return StoredScenarios(definition_id=definition.id, scenario_ids=ids)


def _claim_name(session: Session, name: str, *, way_out: str) -> None:
    """See that no live definition has the name, and that no other import takes it meanwhile."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"definition name {name}", 0))))
    query = select(tables.Definition.id).where(tables.Definition.name == name, tables.Definition.deleted_at.is_(None))
    taken = session.scalars(query.limit(1)).first()
    if taken is not None:
        raise ConflictError(f"There is a definition {name!r} already ({taken}). {way_out.format(id=taken)}")


def _refuse_duplicates(session: Session, definition: tables.Definition, imported: ImportedScenarios) -> None:
    query = select(tables.Scenario.name).where(
        tables.Scenario.definition_id == definition.id, tables.Scenario.deleted_at.is_(None)
    )
    keys = Counter(item.key for item in imported.scenarios)
    taken = set(session.scalars(query))
    twice = sorted(key for key, times in keys.items() if times > 1 or key in taken)
    if twice:
        raise ConflictError(
            f"Scenarios of these names are there already or come twice: {listed(twice)}. Import without "
            f"--definition-id to make a definition of their own, or delete those of definition {definition.id} first."
        )
