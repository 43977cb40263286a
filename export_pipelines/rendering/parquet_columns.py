"""The columns of BULK_PARQUET's tables: names, types and meanings, from an export's context alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.frozen import Context
from export_pipelines.rendering.csv_columns import snake_case, unique_names

_INT64 = range(-(1 << 63), 1 << 63)


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """One column.

    Attributes:
        type: as readers name it: ``string``, ``int32``, ``int64``, ``double`` or ``timestamp[us, UTC]``.
        dimension: the dimension whose scores it holds, as the definition spells it.
    """

    name: str
    type: str
    meaning: str
    nullable: bool = True
    dimension: str | None = None


BEFORE = (
    TableColumn(name="transcript_id", type="string", nullable=False, meaning="The transcript's id; unique."),
    TableColumn(name="run_id", type="string", nullable=False, meaning="The run's id; the same in every row."),
    TableColumn(name="definition_id", type="string", meaning="The id of the run's definition; the same in every row."),
    TableColumn(name="scenario_id", type="string", meaning="The scenario's id."),
    TableColumn(
        name="scenario_name", type="string", meaning="The scenario's name; null when it is not among the run's."
    ),
    TableColumn(name="target_model", type="string", meaning="The id of the model that answered, provider first."),
    TableColumn(name="model_version", type="string", meaning="The version that the provider named."),
)
AFTER = (
    TableColumn(name="decision_code", type="string", meaning="The decision read out of the answer, as a code."),
    TableColumn(name="decision_text", type="string", meaning="The decision in words."),
    TableColumn(name="turn_count", type="int32", meaning="Exchanges in the dialogue."),
    TableColumn(name="token_count", type="int32", meaning="Tokens used."),
    TableColumn(name="duration_ms", type="int32", meaning="Milliseconds that the dialogue took."),
    TableColumn(name="estimated_cost", type="double", meaning="Estimated cost in US dollars."),
    TableColumn(name="created_at", type="timestamp[us, UTC]", meaning="When the transcript was stored."),
    TableColumn(
        name="content_expires_at",
        type="timestamp[us, UTC]",
        meaning="When the content is removed, or was; null when it stays.",
    ),
    TableColumn(
        name="target_response",
        type="string",
        meaning="All responses of the model, a line with --- between two turns; null when the content has expired.",
    ),
    TableColumn(
        name="content", type="string", meaning="The stored dialogue as JSON text; null when the content has expired."
    ),
)


def columns_of(context: Context) -> tuple[TableColumn, ...]:
    """All columns in order; those of the dimensions are named as in the flat CSV, where no column here has the name."""
    dimensions: list[str] = context["dimension_names"]
    taken = (column.name for column in (*BEFORE, *AFTER))
    names = unique_names(map(snake_case, dimensions), taken=taken, numbered=lambda name, n: f"{name}_{n}")
    scores = (
        TableColumn(
            name=name,
            type=_score_type(context, dimension),
            meaning="The scenario's score in a dimension of the definition; null where it has none, or a word.",
            dimension=dimension,
        )
        for name, dimension in zip(names, dimensions, strict=True)
    )
    return (*BEFORE, *scores, *AFTER)


def scores_of(context: Context, column: TableColumn) -> list[int | float | None]:
    """The score of each scenario as the column holds it, in the context's order; None where there is none."""
    found = _stated(context, column.dimension)
    return [_as_double(score) for score in found] if column.type == "double" else found


def changed_scores(context: Context, column: TableColumn) -> list[str]:
    """The scenarios whose score the column does not hold exactly."""
    kept = zip(context["scenarios"], _stated(context, column.dimension), scores_of(context, column), strict=True)
    # Python compares whole numbers with doubles exactly.
    return [id_ for id_, stated, held in kept if stated != held]


def _stated(context: Context, dimension: str | None) -> list[int | float | None]:
    found = (facts["dimensions"].get(dimension) for facts in context["scenarios"].values())
    return [score if isinstance(score, int | float) and not isinstance(score, bool) else None for score in found]


def _as_double(score: float | None) -> float | None:
    try:
        return None if score is None else float(score)
    except OverflowError:
        return None


def _score_type(context: Context, dimension: str) -> str:
    scores = _stated(context, dimension)
    whole = all(score is None or (isinstance(score, int) and score in _INT64) for score in scores)
    return "int64" if whole else "double"


def schema_document(context: Context) -> bytes:
    """The schema for people and programs: JSON, UTF-8, two spaces of indentation, and a newline at the end."""
    document = {
        "format": "Apache Parquet",
        "tables": "transcripts/*.parquet",
        "order": ["target_model", "scenario_id", "transcript_id"],
        "columns": [_described(column) for column in columns_of(context)],
    }
    # Half a surrogate pair cannot be UTF-8; as a backslash escape it is legal JSON.
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _described(column: TableColumn) -> Mapping[str, Any]:
    stated = {"name": column.name, "type": column.type, "nullable": column.nullable, "meaning": column.meaning}
    return stated if column.dimension is None else {**stated, "dimension": column.dimension}
