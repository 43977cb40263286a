"""One scenario as an entry of the scenarios file, with everything derived that its content does not state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from export_pipelines.core.definitions import DefinitionContent, category_of
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.names import base_id_of, is_scenario_key, key_number, key_variables, yaml_key
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.rendering.scenario_keys import whole
from export_pipelines.rendering.yaml_blocks import flow, keepable, literal

_STRIPPED = "The text begins or ends with blanks, which the command-line tools strip."
_REPLACED = "A lone surrogate cannot stand in the file and became U+FFFD."
_RENAMED = "A key holds letters, digits and _ only, and the scores in a fixed form; the name itself is not in the file."
_NO_WHOLE_NUMBER = "A key holds whole numbers only, so the tools do not see this score."
_OTHER_WORD = "A key holds plain words only, so the tools see this score under another word, or another score."

# A loader accepts longer keys only when they are marked as keys (YAML 1.2, section 7.4.2).
_LONGEST_SIMPLE_KEY = 1000


@dataclass(frozen=True, kw_only=True)
class DefinitionFacts:
    """What entries take from their definition.

    Attributes:
        number: the digits of made-up keys.
    """

    name: str
    tags: Sequence[str]
    content: DefinitionContent
    number: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the file says of one scenario."""

    key: str
    base_id: str
    category: str
    subject: str
    body: str

    def render(self) -> bytes:
        """The entry as YAML, two spaces deep."""
        key = flow(self.key)
        head = f"  {key}:\n" if len(key) <= _LONGEST_SIMPLE_KEY else f"  ? {key}\n  :\n"
        return (
            f"{head}"
            f"    base_id: {flow(self.base_id)}\n"
            f"    category: {flow(self.category)}\n"
            f"    subject: {flow(self.subject)}\n"
            f"    body: {literal(self.body, indent=6)}"
        ).encode()


def entry_of(
    scenario_id: str,
    name: str,
    content: ScenarioContent,
    *,
    key: str,
    definition: DefinitionFacts,
    report: FidelityReport,
) -> Entry:
    """The entry of one scenario; notes what the command-line tools will not see as it is."""
    texts = {
        "base_id": _base_id(key, name, content, definition),
        "category": _category(content, definition),
        "subject": subject_of(name, content, definition),
        "body": content.prompt,
    }
    for field, text in texts.items():
        if text.strip() != text and field != "category":
            report.note("stripped_by_reader", field, _STRIPPED, example=scenario_id)
        texts[field] = kept = keepable(text)
        if kept != text:
            report.note("character_replaced", field, _REPLACED, example=scenario_id)
    if key != name:
        report.note("renamed", "name", _RENAMED, example=scenario_id)
    _note_scores(scenario_id, content, key, report)
    return Entry(key=key, **texts)


def _note_scores(scenario_id: str, content: ScenarioContent, key: str, report: FidelityReport) -> None:
    read = key_variables(key)
    for name, score in content.dimensions.items():
        if read.get(name) == score:
            continue
        where = f"dimensions.{keepable(name)}"
        if whole(score) is None:
            report.note("score_not_in_key", where, _NO_WHOLE_NUMBER, example=scenario_id)
        else:
            report.note("score_read_otherwise", where, _OTHER_WORD, example=scenario_id)


def _base_id(key: str, name: str, content: ScenarioContent, definition: DefinitionFacts) -> str:
    if content.base_id is not None:
        return content.base_id
    if definition.content.base_id is not None:
        return definition.content.base_id
    # The key's own digits may have grown to keep keys apart; the base id is what they grew from.
    number = key_number(yaml_key(name)) or (definition.number if is_scenario_key(key) else None)
    return base_id_of(definition.name) if number is None else f"scenario_{number}"


def _category(content: ScenarioContent, definition: DefinitionFacts) -> str:
    if content.category is not None:
        return content.category
    return category_of(definition.tags, definition.content) or "_vs_".join(content.dimensions)


def subject_of(name: str, content: ScenarioContent, definition: DefinitionFacts) -> str:
    """What the scenario is about, in a line: as it states itself, else the definition and the scores."""
    if content.subject is not None:
        return content.subject
    scores = ", ".join(f"{dimension} {score}" for dimension, score in _ordered(content.dimensions, definition))
    return f"{definition.name} - {scores or name}".strip()


def _ordered(scores: Mapping[str, int | float | str], definition: DefinitionFacts) -> Iterator[tuple[str, object]]:
    """The scores, the definition's dimensions first and in its order; jsonb keeps an order of its own."""
    names = [dimension.name for dimension in definition.content.dimensions if dimension.name in scores]
    for name in dict.fromkeys([*names, *sorted(scores)]):
        score = scores[name]
        number = whole(score)
        yield name, score if number is None else number
