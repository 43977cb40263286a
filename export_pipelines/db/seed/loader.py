"""Seeding: put the demonstration data into a database, as often as anybody likes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from export_pipelines.core.errors import ConflictError
from export_pipelines.db.database import Database
from export_pipelines.db.seed.draw import fixed_id
from export_pipelines.db.seed.rows import Rows, all_rows
from export_pipelines.db.tables import EVALUATION, Tag, load_all

DEMO_USER_EMAIL = "iris.demo@example.org"
SHOWCASE_DEFINITION_ID = fixed_id("definition", "courtyard-languages")
"""Third in its tree, with content that it mostly inherits."""
SHOWCASE_RUN_ID = fixed_id("run", "courtyard-languages")
"""A completed run with every oddity: three shapes of content, expired, empty and deleted rows, samples, six scripts."""
SHOWCASE_DAY = "2026-04-15"
"""The day, UTC, on which all of that run's transcripts were created."""


@dataclass(frozen=True, kw_only=True)
class SeedSummary:
    """What seeding found to do.

    Attributes:
        counts: rows of the demonstration data by table.
        created: how many of all these were missing and have been made.
    """

    counts: Mapping[str, int]
    created: int


def seed(database: Database) -> SeedSummary:
    """Create whatever is missing of the demonstration data; rows that are there stay as they are.

    Raises:
        ConflictError: somebody else's row holds a name that must be unique, like a demo user's e-mail address.
    """
    rows = all_rows()
    try:
        created = _create_missing(database, rows)
    except ConflictError as error:
        raise ConflictError(
            f"The demonstration data does not fit beside what is there: {error}. Seed another database, or rename that."
        ) from error
    return SeedSummary(counts={table: len(wanted) for table, wanted in rows.items()}, created=created)


def _create_missing(database: Database, rows: Rows) -> int:
    created = 0
    with database.transaction() as session:
        # Two who seed at once would each see the other's users as strangers that hold their addresses.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("seed", 0))))
        for table, wanted in rows.items():
            if table == "definition_tags":
                wanted = _with_present_tags(session, wanted, rows["tags"])  # noqa: PLW2901 - the same rows, corrected
            created += _create(session, load_all().metadata.tables[f"{EVALUATION}.{table}"], wanted)
    return created


def _create(session: Session, table: Table, rows: list[dict[str, Any]]) -> int:
    keys = list(table.primary_key)
    # A tag may be there under another id: imports make tags too. Anything else with a taken name is an error.
    target = ["name"] if table.name == "tags" else [key.name for key in keys]
    statement = insert(table).on_conflict_do_nothing(index_elements=target).returning(*keys)
    return len(session.execute(statement, rows).all())


def _with_present_tags(
    session: Session, links: list[dict[str, Any]], tags: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The links of definitions and tags with the ids that the tags really have."""
    names = {tag["id"]: tag["name"] for tag in tags}
    present = {tag.name: tag.id for tag in session.scalars(select(Tag).where(Tag.name.in_(names.values())))}
    return [{**link, "tag_id": present[names[link["tag_id"]]]} for link in links]
