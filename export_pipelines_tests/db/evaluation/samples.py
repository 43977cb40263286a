"""Rows that several tests need, made through the product's own queries."""

from datetime import UTC, datetime, timedelta

from export_pipelines.core import evaluation as records
from export_pipelines.core.definitions import DefinitionContent, Dimension, Level
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, runs, scenarios

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

CONTENT = DefinitionContent(
    preamble="Read it twice.",
    template="A bridge and [Freedom].",
    dimensions=(Dimension(name="Freedom", levels=(Level(score=1, label="Low", options=("a gate",)),)),),
    matching_rules="The first digit.",
    base_id="scenario_007",
)


def definition(database: Database, name: str = "Bridge") -> records.Definition:
    return definitions.create(database, name=name, content=CONTENT, now=NOW)


def scenario(database: Database, definition_id: str, name: str = "scenario_001_Freedom1") -> records.Scenario:
    content = ScenarioContent(prompt="A bridge and a gate.", dimensions={"Freedom": 1})
    return scenarios.create(database, definition_id=definition_id, name=name, content=content, now=NOW)


def run(database: Database, definition_id: str, name: str | None = None) -> records.Run:
    return runs.create(database, definition_id=definition_id, config={"models": ["a:b"]}, name=name, now=NOW)
