"""The CSV profile ``summary``: what the team's spreadsheets read."""

import re

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.csv_cells import (
    BYTE_ORDER_MARK,
    END_OF_LINE,
    SafeCells,
    header,
    notes_on_names,
    safe_cell,
    safe_name,
)
from export_pipelines.rendering.csv_columns import score_cells, unique_names
from export_pipelines.rendering.fields import Texts
from export_pipelines.rendering.responses import Responses

MODEL, CODE, TEXT, ID, RESPONSE = "AI Model Name", "Decision Code", "Decision Text", "Transcript ID", "Target Response"
PENDING = b"pending"
"""The decision code of a transcript that has none yet."""

_PROVIDER = re.compile(rb"^[^:]*:(?=.)", re.DOTALL)
_DATE = re.compile(rb"(?<=.)-[0-9]{8}\Z", re.DOTALL)


def head(context: Context) -> bytes:
    """Byte-order mark, for Excel, and column names."""
    names = (MODEL, *_dimension_columns(context), CODE, TEXT, ID, RESPONSE)
    return BYTE_ORDER_MARK + header(map(safe_name, names))


def head_notes(context: Context) -> tuple[FidelityNote, ...]:
    """What the column names could not keep."""
    return notes_on_names(_dimension_columns(context))


def model_name(model: bytes) -> bytes:
    """A model's id without the provider before it and the date after it: ``claude-sonnet-4``."""
    return _DATE.sub(b"", _PROVIDER.sub(b"", model))


class SummaryRows:
    """Makes lines of the rows."""

    def __init__(self, context: Context, report: FidelityReport) -> None:
        self._report = report
        self._models = Texts(lambda model: safe_cell(model_name(model)), null=b"")
        self._codes = Texts(safe_cell, null=PENDING)
        self._scores = score_cells(context)
        self._no_scores = b"," * len(context["dimension_names"])
        self._cell = SafeCells(report).cell
        self._responses = Responses(RESPONSE, report).text

    def pieces(self, row: Row) -> tuple[bytes, ...]:
        """One line, as runs of bytes to be joined.

        Raises:
            ContentError: the content has an unknown version or a wrong shape.
        """
        id_, scenario, model, _, responses, _, _, _, _, code, text, _ = row
        if id_ is None:
            raise IntegrityError("a frozen transcript has no id; start the export again.")
        cell, scores = self._cell, self._scores.get(scenario)
        # fmt: off
        return (
            self._models[model] or cell(model_name(model or b""), MODEL, id_), b",",
            self._unknown(id_) if scores is None else scores,
            self._codes[code] or cell(code or PENDING, CODE, id_), b",",
            cell(text, TEXT, id_) if text else b"", b",",
            cell(id_, ID, id_), b",",
            cell(self._responses(responses, id_) or b"", RESPONSE, id_), END_OF_LINE,
        )
        # fmt: on

    def _unknown(self, id_: bytes) -> bytes:
        detail = "the transcript's scenario is not among the run's; its dimensions are empty"
        self._report.note("scenario_unknown", "dimensions", detail, example=id_.decode())
        return self._no_scores


def _dimension_columns(context: Context) -> list[str]:
    return unique_names(
        context["dimension_names"], taken=(MODEL, CODE, TEXT, ID, RESPONSE), numbered=lambda name, n: f"{name} ({n})"
    )
