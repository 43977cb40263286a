"""The transcripts of a run bundle: each as a file, as a block of its model's file, and as a line of JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from export_pipelines.core import scenarios
from export_pipelines.core.archive import Absent, Entry, Member, Piece
from export_pipelines.core.definitions import resolve
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.rendering import fields, frontmatter
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.bundle_names import NO_SCENARIO, BundleNames
from export_pipelines.rendering.fields import Timestamps
from export_pipelines.rendering.scenario_entries import DefinitionFacts, subject_of
from export_pipelines.rendering.scenario_keys import DEFAULT_NUMBER
from export_pipelines.rendering.stored_content import stored_turns
from export_pipelines.rendering.transcript_lines import COLUMNS as LINE_COLUMNS
from export_pipelines.rendering.transcript_lines import TranscriptLines
from export_pipelines.rendering.transcript_markdown import dialogue, heading

COLUMNS = (*LINE_COLUMNS, "sample")
"""The columns of a row, in order; ``sample`` counts the transcripts of one scenario and model from 1."""

EXPIRED = "expired"
FILE_VERSION = "v0.1"
"""The tools' own version of the transcript file."""

_SHARED_MAX = 4096
"""Pairs of scenario and model whose texts are kept at once: some 4 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shared:
    """What transcripts of one scenario and model have in common.

    Attributes:
        name: of the first sample's file.
        front: the file's front matter up to what differs.
        title: the file from behind that to the dialogue.
        subject: what follows the judge's number in the heading of a block.
    """

    scenario: str
    model: str
    name: str
    spanning: str
    front: bytes
    title: bytes
    subject: bytes


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
        self._line = lru_cache(_SHARED_MAX)(frontmatter.line)
        self._shared: dict[Row, _Shared] = {}
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
        id_ = fields.text(row[0] or b"")
        shared = self._shared.get(row[1:3]) or self._share(row, id_)
        yield Piece(name=self._names.lines, data=b"".join(self._lines.pieces(row[:-1])))
        content = row[4]
        if content is None:
            yield Absent(id=id_, reason=EXPIRED)
            return
        # The line of JSON has reported what is wrong with the text already.
        turns = stored_turns(fields.jsonb(content), transcript_id=id_)
        said = dialogue(turns, transcript_id=id_, report=self._report)
        text = f"{said}\n".encode() if said else b""
        sample = _sample(row)
        yield Member(
            name=shared.name if sample == 1 else self._names.transcript(shared.scenario, shared.model, sample),
            # A time in quotes is what a safe dumper writes for a text that looks like a time.
            data=b"%btimestamp: '%b'\ncontext_pairs: %d\n%b%b"
            % (shared.front, self._time(row[11]), len(turns), shared.title, text),
            record=True,
        )
        judged = self._names.judged(shared.scenario, sample).encode()
        yield Piece(name=shared.spanning, data=b"## Scenario: %b%b%b\n" % (judged, shared.subject, text or b"\n"))

    def _share(self, row: Row, id_: str) -> "_Shared":
        """What transcripts of the row's scenario and model have in common, kept for the next."""
        scenario, model = (fields.text(field or b"") for field in row[1:3])
        self._names.check(id_, scenario, model)
        title, subject, _ = self._headings[scenario]
        scenario_line = self._line("scenario_id", None if scenario == NO_SCENARIO else scenario)
        if len(self._shared) >= _SHARED_MAX:
            self._shared.clear()
        self._shared[row[1:3]] = made = _Shared(
            scenario=scenario,
            model=model,
            name=self._names.transcript(scenario, model, 1),
            spanning=self._names.aggregated(model),
            front=f"{self._front}{scenario_line}{self._line('target_model', model)}{self._probe_front}".encode(),
            title=f"---\n\n# Scenario {title}: {subject}\n\n## Dialogue\n".encode(),
            subject=f" — {subject}\n\n### Dialogue\n".encode(),
        )
        return made


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
