"""Frozen transcripts to Arrow tables of one schema, many rows at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.parquet_arrays import TYPES, Fields, numbers, places, scores, texts, timestamps
from export_pipelines.rendering.parquet_columns import columns_of, scores_of
from export_pipelines.rendering.parquet_content import text_and_response

GROUP_BYTES = 4 << 20
"""Frozen bytes in one row group. Uncompressed it has up to twice as many, since responses stand in it a second time.

Measured with transcripts of 5 KB: twice the bytes give files of the same size and take 55 MiB more memory, half of them
give files 3 % larger and take 20 MiB less.
"""
ROW_BYTES = 256
"""What a row is taken for besides its two long texts, so that rows without any are bounded too."""


class TranscriptTables:
    """Makes tables; rows have the columns of ``transcript_lines.COLUMNS``.

    Attributes:
        schema: of every table.
    """

    def __init__(self, context: Context, report: FidelityReport) -> None:
        columns = columns_of(context)
        definition = context["definition"] or {"id": None}
        self.schema = pa.schema([pa.field(c.name, TYPES[c.type], nullable=c.nullable) for c in columns])
        self._report = report
        self._same = {"run_id": _encoded(context["run"]["id"]), "definition_id": _encoded(definition["id"])}
        self._scenarios = {id_.encode(): number for number, id_ in enumerate(context["scenarios"])}
        self._looked_up = {"scenario_name": _names(context)} | {
            column.name: scores(scores_of(context, column), column.type)
            for column in columns
            if column.dimension is not None
        }

    def table(self, rows: Sequence[Row]) -> Any:  # noqa: ANN401  pyarrow has no types
        """The rows as one table.

        Raises:
            ContentError: the content of a row has an unknown version or a wrong shape.
            IntegrityError: a row is damaged.
        """
        ids, scenario, model, version, content, turns, tokens, duration, cost, code, text, created, expires = zip(
            *rows, strict=True
        )
        if None in ids:
            raise IntegrityError("a frozen transcript has no id; start the export again.")
        contents, responses = self._contents(content, ids)
        arrays = {name: texts([value] * len(rows), name) for name, value in self._same.items()}
        for name, column in (
            ("transcript_id", ids), ("scenario_id", scenario), ("target_model", model), ("model_version", version),
            ("decision_code", code), ("decision_text", text), ("target_response", responses), ("content", contents),
        ):  # fmt: skip
            arrays[name] = texts(column, name)
        for name, column in (("turn_count", turns), ("token_count", tokens), ("duration_ms", duration)):
            arrays[name] = numbers(column, name, type_="int32")
        arrays["estimated_cost"] = numbers(cost, "estimated_cost", type_="double")
        for name, column in (("created_at", created), ("content_expires_at", expires)):
            arrays[name] = timestamps(column, name, ids=ids, report=self._report)
        arrays |= self._of_scenarios(scenario, ids)
        return pa.Table.from_arrays([arrays[name] for name in self.schema.names], schema=self.schema)

    def _contents(self, column: Sequence[bytes | None], ids: Sequence[bytes]) -> tuple[Fields, Fields]:
        report = self._report
        expired = None, None
        both = [
            expired if field is None else text_and_response(field, id_, report)
            for field, id_ in zip(column, ids, strict=True)
        ]
        contents, responses = zip(*both, strict=True)
        return contents, responses

    def _of_scenarios(self, column: Sequence[bytes | None], ids: Sequence[bytes]) -> dict[str, Any]:
        """The name and the scores, by one look at each row's scenario."""
        found = [self._scenarios.get(field or b"") for field in column]
        if None in found:
            detail = "the transcript's scenario is not among the run's; its name and dimensions are null"
            for place, id_ in zip(found, ids, strict=True):
                if place is None:
                    self._report.note("scenario_unknown", "scenario", detail, example=id_.decode())
        where = places(found)
        return {name: values.take(where) for name, values in self._looked_up.items()}


def row_groups(rows: Iterable[Row], *, group_bytes: int = GROUP_BYTES) -> Iterator[list[Row]]:
    """The rows in runs that are worth a row group; bounded by bytes, since transcripts differ a thousandfold."""
    group: list[Row] = []
    size = 0
    for row in rows:
        group.append(row)
        size += ROW_BYTES + len(row[4] or b"") + len(row[10] or b"")
        if size >= group_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


def _names(context: Context) -> Any:  # noqa: ANN401
    return texts([_encoded(facts["name"]) for facts in context["scenarios"].values()], "scenario_name")


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
