"""The CSV profile ``flat``: every metric, exact, for pandas, R and DuckDB."""

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.csv_cells import END_OF_LINE, exact, header
from export_pipelines.rendering.csv_columns import score_cells, snake_case, unique_names
from export_pipelines.rendering.fields import Texts, Timestamps, float_text, int_text, non_finite_text
from export_pipelines.rendering.responses import Responses

BEFORE = ("transcript_id", "run_id", "scenario_id", "scenario_name", "target_model", "model_version")
AFTER = (
    "decision_code",
    "decision_text",
    "turn_count",
    "token_count",
    "duration_ms",
    "estimated_cost",
    "created_at",
    "target_response",
)


def head(context: Context) -> bytes:
    """Column names; no byte-order mark."""
    dimensions = unique_names(
        map(snake_case, context["dimension_names"]), taken=(*BEFORE, *AFTER), numbered=lambda name, n: f"{name}_{n}"
    )
    return header(name.encode() for name in (*BEFORE, *dimensions, *AFTER))


class FlatRows:
    """Makes lines of the rows."""

    def __init__(self, context: Context, report: FidelityReport) -> None:
        self._report = report
        self._run = b"," + exact(context["run"]["id"].encode()) + b","
        self._names: dict[bytes | None, bytes] = {
            id_.encode(): exact(facts["name"].encode()) for id_, facts in context["scenarios"].items()
        }
        self._scores = score_cells(context)
        self._no_scores = b"," * len(context["dimension_names"])
        self._words = Texts(exact, null=b"")
        self._integers = Texts(int_text, null=b"")
        self._time = Timestamps().text
        self._responses = Responses("target_response", report).text

    def pieces(self, row: Row) -> tuple[bytes, ...]:
        """One line, as runs of bytes to be joined.

        Raises:
            ContentError: the content has an unknown version or a wrong shape.
        """
        id_, scenario, model, version, responses, turns, tokens, duration, cost, code, text, created = row
        if id_ is None:
            raise IntegrityError("a frozen transcript has no id; start the export again.")
        words, integers, scores = self._words, self._integers, self._scores.get(scenario)
        # fmt: off
        return (
            exact(id_), self._run, words[scenario], b",", self._names.get(scenario, b""), b",",
            words[model], b",", words[version], b",", self._unknown(id_) if scores is None else scores,
            words[code], b",", exact(text), b",",
            integers[turns], b",", integers[tokens], b",", b"" if duration is None else int_text(duration), b",",
            b"" if cost is None else float_text(cost) or non_finite_text(cost), b",",
            self._time(created), b",", exact(self._responses(responses, id_)), END_OF_LINE,
        )
        # fmt: on

    def _unknown(self, id_: bytes) -> bytes:
        detail = "the transcript's scenario is not among the run's; its name and dimensions are empty"
        self._report.note("scenario_unknown", "scenario", detail, example=id_.decode())
        return self._no_scores
