"""One transcript as one line of JSON: columns encoded, stored content spliced in unparsed, its scenario beside it."""

from collections.abc import Mapping
from typing import Any

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.columns import check_columns
from export_pipelines.rendering.fields import Texts, Timestamps, float_text, int_text
from export_pipelines.rendering.json_text import encode, encode_text
from export_pipelines.rendering.stored_content import content_text

COLUMNS = (
    "id",
    "scenario_id",
    "target_model",
    "model_version",
    "content",
    "turn_count",
    "token_count",
    "duration_ms",
    "estimated_cost",
    "decision_code",
    "decision_text",
    "created_at",
    "content_expires_at",
)
"""The columns of a row, in order."""

NULL = b"null"


class TranscriptLines:
    """Makes lines; keeps the texts of what repeats from row to row."""

    def __init__(self, context: Context, report: FidelityReport) -> None:
        check_columns(context, COLUMNS)
        self._report = report
        self.begin_run(context["run"]["id"], (context["definition"] or {"id": None})["id"])
        self._scenarios: dict[bytes | None, bytes] = {
            # Copied for the same reason as the texts that ``Texts`` keeps.
            key.encode(): bytes(memoryview(encode(_scenario(facts))))
            for key, facts in context["scenarios"].items()
        }
        self._words = Texts(encode_text, null=NULL)
        self._integers = Texts(int_text, null=NULL)
        self._time = Timestamps(quote=b'"', null=NULL).text

    def begin_run(self, run_id: str | None, definition_id: str | None) -> None:
        """From the next line on, the transcripts are of this run."""
        self._same = b',"run_id":%b,"definition_id":%b,"scenario_id":' % (encode(run_id), encode(definition_id))

    def pieces(self, row: Row) -> tuple[bytes, ...]:
        """The line, its newline included, as runs of bytes to be joined.

        Raises:
            ContentError: the content has an unknown version.
        """
        id_, scenario, model, version, content, turns, tokens, duration, cost, code, text, created, expires = row
        if id_ is None:
            raise IntegrityError("a frozen transcript has no id; start the export again.")
        words, integers, time = self._words, self._integers, self._time
        # fmt: off
        return (
            b'{"transcript_id":', encode_text(id_), self._same, words[scenario],
            b',"target_model":', words[model], b',"model_version":', words[version],
            b',"turn_count":', integers[turns], b',"token_count":', integers[tokens],
            b',"duration_ms":', NULL if duration is None else int_text(duration),
            b',"estimated_cost":', NULL if cost is None else float_text(cost) or self._no_number(id_),
            b',"decision_code":', words[code], b',"decision_text":', NULL if text is None else encode_text(text),
            b',"created_at":', time(created), b',"content_expires_at":', time(expires),
            b',"content":', NULL if content is None else content_text(content, id_, self._report),
            b',"scenario":', self._scenarios.get(scenario) or self._no_scenario(id_), b"}\n",
        )
        # fmt: on

    def _no_number(self, id_: bytes) -> bytes:
        detail = "JSON has no infinite numbers and no NaN; null stands for it"
        self._report.note("non_finite_number", "estimated_cost", detail, example=id_.decode())
        return NULL

    def _no_scenario(self, id_: bytes) -> bytes:
        detail = "the transcript's scenario is not among the run's; null stands for it"
        self._report.note("scenario_unknown", "scenario", detail, example=id_.decode())
        return NULL


def _scenario(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": facts["id"],
        "name": facts["name"],
        "dimensions": dict(sorted((facts.get("dimensions") or {}).items())),
        "prompt": facts.get("prompt"),
    }
