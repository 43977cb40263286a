"""A transcript's dialogue as Markdown, as the command-line tools write and read it."""

from collections.abc import Sequence
from typing import Protocol

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.tool_markers import escaped, one_line

MARKER_KIND = "marker_escaped"
MARKER_DETAIL = (
    "the command-line tools would take part of the text for a marker of their own and cut it there, so a backslash "
    "stands in it; transcripts.jsonl has the text exactly"
)
FOLDED_KIND = "line_ends_in_heading"
FOLDED_DETAIL = "a heading is one line, so blanks stand for line ends; transcripts.jsonl has the text exactly"
_RETURNS_KIND = "carriage_return"
_RETURNS_DETAIL = "the text is exact in the file, but the command-line tools read a carriage return as a line feed"
_NUMBER_KIND = "turn_number"
_NUMBER_DETAIL = "the tools know no turn below 0, so its place stands for its number; transcripts.jsonl has it exactly"


class Exchange(Protocol):
    """What is shown of a turn; a :class:`~export_pipelines.core.transcripts.Turn` is one."""

    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def probe(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> str: ...  # noqa: D102


def dialogue(turns: Sequence[Exchange], *, transcript_id: str, report: FidelityReport) -> str:
    """The turns, without a line end after the last; nothing may follow a last turn but that.

    Texts are stripped, as the tools do, and escaped where the tools would cut them; one note a transcript says so.
    """
    kinds: dict[str, str] = {}
    text = "\n\n".join([_turn(turn, place, kinds) for place, turn in enumerate(turns, start=1)])
    if "\r" in text:
        kinds[_RETURNS_KIND] = _RETURNS_DETAIL
    for kind, detail in kinds.items():
        report.note(kind, "dialogue", detail, example=transcript_id)
    return text


def _turn(turn: Exchange, place: int, kinds: dict[str, str]) -> str:
    number = turn.number
    if number < 0:
        kinds[_NUMBER_KIND] = _NUMBER_DETAIL
        number = place
    label = heading(turn.label, kinds)
    title = f"#### Turn {number} ({label})" if label else f"#### Turn {number}"
    probe, target = _said(turn.probe, kinds), _said(turn.target, kinds)
    return f"{title}\n**Probe:**{probe}\n\n**Target:**{target}"


def _said(text: str, kinds: dict[str, str]) -> str:
    stripped = text.strip()
    if "*" in stripped or "#" in stripped:
        safe = escaped(stripped)
        if safe != stripped:
            kinds[MARKER_KIND] = MARKER_DETAIL
            stripped = safe
    return f" {stripped}" if stripped else ""


def heading(text: str, kinds: dict[str, str]) -> str:
    """The text as it can stand in a heading; what had to be changed is added to ``kinds`` with its explanation."""
    if text.isidentifier():  # as nearly every label is
        return text
    stripped = text.strip()
    folded = one_line(stripped)
    if folded != stripped:
        kinds[FOLDED_KIND] = FOLDED_DETAIL
    safe = escaped(folded)
    if safe != folded:
        kinds[MARKER_KIND] = MARKER_DETAIL
    return safe
