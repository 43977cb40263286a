"""The transcripts of a run bundle: each as a file, as a block of its model's file, and as a line of JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from export_pipelines.core import scenarios
from export_pipelines.core.archive import Absent, Entry, Member, Piece
from export_pipelines.core.definitions import resolve
from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.core.transcripts import Turn, read_turns
from export_pipelines.rendering import fields, frontmatter
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.bundle_names import NO_SCENARIO, BundleNames
from export_pipelines.rendering.fields import Timestamps
from export_pipelines.rendering.scenario_entries import DefinitionFacts, subject_of
from export_pipelines.rendering.scenario_keys import DEFAULT_NUMBER
from export_pipelines.rendering.stored_content import parse
from export_pipelines.rendering.transcript_lines import COLUMNS as LINE_COLUMNS
from export_pipelines.rendering.transcript_lines import TranscriptLines
from export_pipelines.rendering.transcript_markdown import dialogue, heading

COLUMNS = (*LINE_COLUMNS, "sample")
"""The columns of a row, in order; ``sample`` counts the transcripts of one scenario and model from 1."""

EXPIRED = "expired"
FILE_VERSION = "v0.1"
"""The tools' own version of the transcript file."""


class BundleTranscripts:
    """Makes the entries of rows; what repeats for a scenario or a model is written once."""

    def __init__(self, context: Context, names: BundleNames, report: FidelityReport) -> None:
        run = context["run"]
        known = {scenario["id"]: _read(scenario) for scenario in context["scenarios"]}
        self._names = names
        self._models = [model["id"] for model in context["models"]]
        self._report = report
        self._lines = TranscriptLines(_with_lookup(context, known), report)
        self._time = Timestamps().text
        self._front = "---\n" + frontmatter.line("file_version", FILE_VERSION) + frontmatter.line("run_id", run["id"])
        self._run_front = "---\n" + frontmatter.line("run_id", run["id"])
        self._probe_front = frontmatter.line("probe_model", run["config"].get("probe_model"))
        self._scenario_front: dict[str, str] = {}
        self._model_front: dict[str, str] = {}
        self._headings = _headings(context, known)

    def beginnings(self) -> Iterator[Entry]:
        """The start of every member that several shards have a share of, and what headings could not keep."""
        for id_, (_, _, kinds) in self._headings.items():
            for kind, detail in kinds.items():
                self._report.note(kind, "scenario heading", detail, example=id_)
        for model in self._models:
            anonymous = frontmatter.line("anon_model_id", self._names.anonymous(model))
            yield Piece(name=self._names.aggregated(model), data=f"{self._run_front}{anonymous}---\n\n".encode())
        yield Piece(name=self._names.lines, data=b"")

    def entries(self, row: Row) -> Iterator[Entry]:
        """One transcript; of expired content only the line of JSON, and an absence.

        Raises:
            ContentError: the content has an unknown version or a wrong shape.
            IntegrityError: the row is not of this context.
        """
        id_, scenario, model = (fields.text(field or b"") for field in row[:3])
        self._names.check(id_, scenario, model)
        yield Piece(name=self._names.lines, data=b"".join(self._lines.pieces(row[:-1])))
        content = row[4]
        if content is None:
            yield Absent(id=id_, reason=EXPIRED)
            return
        sample, turns = _sample(row), self._turns(content, id_)
        text = dialogue(turns, transcript_id=id_, report=self._report).encode()
        title, subject, _ = self._headings[scenario]
        front = self._frontmatter(scenario, model, created=row[11], turns=len(turns))
        above = f"{front}# Scenario {title}: {subject}\n\n## Dialogue\n".encode()
        whole = above + text + b"\n" if text else above
        yield Member(name=self._names.transcript(scenario, model, sample), data=whole, record=True)
        above = f"## Scenario: {self._names.judged(scenario, sample)} — {subject}\n\n### Dialogue\n".encode()
        yield Piece(name=self._names.aggregated(model), data=above + text + b"\n\n")

    def _turns(self, content: bytes, id_: str) -> tuple[Turn, ...]:
        # The line of JSON has reported what is wrong with the text already.
        value = parse(fields.jsonb(content), transcript_id=id_, where="content", report=FidelityReport())
        if not isinstance(value, dict):
            raise ContentError(f"transcript {id_} has content that is no object; correct the row.")
        return read_turns(value, where=f"transcript {id_}")

    def _frontmatter(self, scenario: str, model: str, *, created: bytes | None, turns: int) -> str:
        scenario_line = self._scenario_front.get(scenario)
        if scenario_line is None:
            scenario_line = frontmatter.line("scenario_id", None if scenario == NO_SCENARIO else scenario)
            self._scenario_front[scenario] = scenario_line
        model_line = self._model_front.get(model)
        if model_line is None:
            model_line = self._model_front[model] = frontmatter.line("target_model", model) + self._probe_front
        # A time in quotes is what a safe dumper writes for a text that looks like a time.
        time = f"timestamp: '{self._time(created).decode()}'\n"
        return f"{self._front}{scenario_line}{model_line}{time}context_pairs: {turns}\n---\n\n"


def _read(scenario: Mapping[str, Any]) -> ScenarioContent:
    return scenarios.read(scenario["content"], where=f"scenario {scenario['id']}")


def _with_lookup(context: Context, known: Mapping[str, ScenarioContent]) -> dict[str, Any]:
    """The context as lines of JSON want it: scenarios by id."""
    lookup = {
        scenario["id"]: {
            "id": scenario["id"],
            "name": scenario["name"],
            "dimensions": known[scenario["id"]].dimensions,
            "prompt": known[scenario["id"]].prompt,
        }
        for scenario in context["scenarios"]
    }
    return {**context, "scenarios": lookup}


def _headings(context: Context, known: Mapping[str, ScenarioContent]) -> dict[str, tuple[str, str, dict[str, str]]]:
    """By scenario id: id and subject as headings show them, and what had to be changed for that."""
    stored = context["definition"]
    content = resolve([(stored["id"], stored["content"])])
    definition = DefinitionFacts(name=stored["name"], tags=stored["tags"], content=content, number=DEFAULT_NUMBER)
    headings: dict[str, tuple[str, str, dict[str, str]]] = {NO_SCENARIO: ("none", "no scenario", {})}
    for scenario in context["scenarios"]:
        kinds: dict[str, str] = {}
        title = heading(scenario["id"], kinds)
        # The judge knows no scenario without a subject, so the id stands for an empty one.
        subject = heading(subject_of(scenario["name"], known[scenario["id"]], definition), kinds) or title
        headings[scenario["id"]] = (title, subject, kinds)
    return headings


def _sample(row: Row) -> int:
    sample = row[-1]
    if sample is None:
        raise IntegrityError("a frozen transcript has no sample number; start the export again.")
    return fields.int8(sample)
