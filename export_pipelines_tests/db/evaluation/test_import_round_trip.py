"""export → import → export gives the same bytes: every seeded definition and its scenarios, through the database."""

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, imports, scenarios, tags
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID
from export_pipelines.parsing import definition_markdown as markdown_reader
from export_pipelines.parsing import scenarios_yaml as yaml_reader
from export_pipelines.rendering import definition_markdown, scenarios_yaml
from export_pipelines_tests.db.evaluation.samples import NOW


def as_markdown(database: Database, definition_id: str, report: FidelityReport | None = None) -> bytes:
    return definition_markdown.render(
        name=definitions.get(database, definition_id).name,
        tags=[tag.name for tag in tags.of_definition(database, definition_id)],
        content=definitions.resolved_content(database, definition_id),
        report=FidelityReport() if report is None else report,
    )


def as_yaml(database: Database, definition_id: str, report: FidelityReport | None = None) -> bytes:
    definition = {
        "id": definition_id,
        "name": definitions.get(database, definition_id).name,
        "tags": [tag.name for tag in tags.of_definition(database, definition_id)],
        "content": definitions.to_json(definitions.resolved_content(database, definition_id)),
    }
    found = scenarios.list_for_definition(database, definition_id)
    rows = [(item.id, item.name, item.content) for item in found]
    report = FidelityReport() if report is None else report
    return b"".join(scenarios_yaml.render_document(definition, rows, report))


def ids(database: Database) -> list[str]:
    return [definition.id for definition in definitions.list_all(database)]


def test_every_seeded_definition_comes_back_as_the_same_markdown(seeded_database: Database) -> None:
    for definition_id in ids(seeded_database):
        first = as_markdown(seeded_database, definition_id)
        imported = markdown_reader.parse(first)
        copy = imports.import_definition(seeded_database, imported, fork_of=definition_id, now=NOW)

        assert copy.name == definitions.get(seeded_database, definition_id).name
        assert as_markdown(seeded_database, copy.id) == first


def test_every_seeded_set_of_scenarios_comes_back_as_the_same_yaml(seeded_database: Database) -> None:
    for definition_id in ids(seeded_database):
        first = as_yaml(seeded_database, definition_id)
        imported = yaml_reader.parse(first)
        copy = imports.import_scenarios(seeded_database, imported, name=f"copy of {definition_id}", now=NOW)

        assert as_yaml(seeded_database, copy.definition_id) == first


def test_the_showcase_loses_nothing_but_names_that_no_key_can_hold(seeded_database: Database) -> None:
    markdown, yaml = FidelityReport(), FidelityReport()

    as_markdown(seeded_database, SHOWCASE_DEFINITION_ID, markdown)
    as_yaml(seeded_database, SHOWCASE_DEFINITION_ID, yaml)

    assert markdown.notes() == ()
    assert [(note.kind, note.count) for note in yaml] == [("renamed", 6)]
