"""DEFINITION_MD: one definition, its inheritance resolved."""

from collections.abc import Mapping
from typing import Any

from export_pipelines.core.definitions import resolve, to_json
from export_pipelines.core.errors import NotFoundError
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.source import Source, typed

# A tree this deep is a cycle in a database without our trigger.
_DEEPEST = 1_000

ROWS = """
SELECT d.id::text AS id, d.name::text AS name, d.content::jsonb AS content
FROM {evaluation}.definitions d
WHERE d.id = %(definition_id)s
"""

CHAIN = """
WITH RECURSIVE chain AS (
    SELECT d.id, d.parent_id, d.content, 0 AS depth
    FROM {evaluation}.definitions d
    WHERE d.id = %(definition_id)s
    UNION ALL
    SELECT d.id, d.parent_id, d.content, chain.depth + 1
    FROM chain JOIN {evaluation}.definitions d ON d.id = chain.parent_id
    WHERE chain.depth < %(deepest)s
)
SELECT id, content FROM chain ORDER BY depth
"""

TAGS = """
SELECT t.name
FROM {evaluation}.definition_tags dt JOIN {evaluation}.tags t ON t.id = dt.tag_id
WHERE dt.definition_id = %(definition_id)s
ORDER BY t.name COLLATE "C"
"""

Chain = list[tuple[str, Mapping[str, Any]]]


def read_definition(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """The definition as its one row, and resolved in the context.

    Raises:
        NotFoundError: there is no such definition, or it is deleted.
        ContentError: its content, or an ancestor's, cannot be read.
    """
    return Source(
        context={"definition": live_definition(snapshot, subject_id)},
        sql=ROWS,
        params={"definition_id": subject_id},
        columns=typed(id="text", name="text", content="jsonb"),
        counted_rows=1,
    )


def live_definition(snapshot: Snapshot, definition_id: str) -> dict[str, Any]:
    """``id``, ``name``, ``tags`` and resolved ``content`` of a definition that is not deleted.

    Raises:
        NotFoundError: there is no such definition, or it is deleted.
    """
    known = "SELECT name, deleted_at FROM {evaluation}.definitions WHERE id = %(definition_id)s"
    found = snapshot.rows(known, {"definition_id": definition_id})
    if not found or found[0]["deleted_at"] is not None:
        state = "is deleted" if found else "does not exist"
        raise NotFoundError(f"Definition {definition_id!r} {state}; choose another one.")
    return {
        "id": definition_id,
        "name": found[0]["name"],
        "tags": tags(snapshot, definition_id),
        "content": to_json(resolve(chain(snapshot, definition_id))),
    }


def chain(snapshot: Snapshot, definition_id: str) -> Chain:
    """Id and stored content of the definition and its ancestors, nearest first; deleted ancestors still pass on."""
    rows = snapshot.rows(CHAIN, {"definition_id": definition_id, "deepest": _DEEPEST})
    return [(row["id"], row["content"]) for row in rows]


def tags(snapshot: Snapshot, definition_id: str) -> list[str]:
    """The names of the definition's tags, sorted bytewise."""
    return [row["name"] for row in snapshot.rows(TAGS, {"definition_id": definition_id})]
