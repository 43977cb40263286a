"""SCENARIOS_YAML: a definition's scenarios as the YAML file that the command-line tools read, written in a stream."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from export_pipelines.core import scenarios as stored
from export_pipelines.core.definitions import resolve
from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.core.names import key_number
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.rendering import fields
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.scenario_entries import DefinitionFacts, entry_of
from export_pipelines.rendering.scenario_keys import DEFAULT_NUMBER, scenario_keys
from export_pipelines.rendering.yaml_blocks import folded, keepable


class ScenariosYaml:
    """The format of SCENARIOS_YAML.

    Rows are ``(id, name, content)``. The context has ``definition`` (``id``, ``name``, ``tags``, ``content``) and
    ``scenarios``, a list of ``{"id", "name", "dimensions", "preamble"?}`` in the order of the rows.
    """

    def head(self, context: Context) -> bytes:
        """The preamble, and the key that the scenarios stand under.

        Raises:
            ContentError: there are no scenarios.
        """
        return _Document(context["definition"], context["scenarios"]).head()

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """Nothing is lost there."""
        return ()

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """One entry a row."""
        document = _Document(context["definition"], context["scenarios"])
        for scenario_id, name, content in map(_read_row, rows):
            yield document.entry(scenario_id, name, content, report)

    def tail(self, context: Context) -> bytes:
        """Nothing."""
        return b""


def render_document(
    definition: Mapping[str, Any], scenarios: Iterable[tuple[str, str, ScenarioContent]], report: FidelityReport
) -> Iterator[bytes]:
    """A whole file.

    Args:
        definition: ``id``, ``name``, ``tags``, ``content`` as in an export's context.
        scenarios: id, name and content of each, in the order they shall stand in; at least one.
        report: takes what the command-line tools will not see as it is.

    Raises:
        ContentError: there are no scenarios.
    """
    known = list(scenarios)
    headings = [
        {"id": scenario_id, "name": name, "dimensions": content.numeric_dimensions(), "preamble": content.preamble}
        for scenario_id, name, content in known
    ]
    document = _Document(definition, headings)
    yield document.head()
    for scenario_id, name, content in known:
        yield document.entry(scenario_id, name, content, report)


class _Document:
    """What all entries of a file share."""

    def __init__(self, definition: Mapping[str, Any], headings: Sequence[Mapping[str, Any]]) -> None:
        content = resolve([(definition["id"], definition["content"])])
        if not headings:
            raise ContentError(f"definition {definition['id']} has no scenarios; generate them first.")
        number = key_number(content.base_id or "") or DEFAULT_NUMBER
        names = [dimension.name for dimension in content.dimensions]
        self._keys = scenario_keys(headings, dimensions=names, number=number)
        self._definition = DefinitionFacts(
            name=definition["name"], tags=definition["tags"], content=content, number=number
        )
        self._first = headings[0]["id"]
        self._preamble = _shared_preamble(headings, default=content.preamble)

    def head(self) -> bytes:
        """The file up to the first entry."""
        text = keepable(self._preamble)
        # The tools refuse a file whose preamble is empty; a block with nothing but its line break is not, and strips to
        # the same.
        block = folded(text, indent=2) if text else ">+\n\n"
        return f"preamble: {block}scenarios:\n".encode()

    def entry(self, scenario_id: str, name: str, content: ScenarioContent, report: FidelityReport) -> bytes:
        """One scenario."""
        key = self._keys.get(scenario_id)
        if key is None:
            raise IntegrityError(f"scenario {scenario_id} is not among those of the export; start the export again.")
        self._note_preamble(scenario_id, content, report)
        return entry_of(scenario_id, name, content, key=key, definition=self._definition, report=report).render()

    def _note_preamble(self, scenario_id: str, content: ScenarioContent, report: FidelityReport) -> None:
        own = self._definition.content.preamble if content.preamble is None else content.preamble
        if own not in (self._preamble, self._preamble.strip()):
            detail = "The file has one preamble for all scenarios; this scenario's own is another."
            report.note("preamble_differs", "preamble", detail, example=scenario_id)
        if scenario_id != self._first:
            # The file's own preamble is noted once, whichever shards there are.
            return
        if self._preamble.strip() != self._preamble:
            detail = "The text begins or ends with blanks, which the command-line tools strip."
            report.note("stripped_by_reader", "preamble", detail)
        if keepable(self._preamble) != self._preamble:
            report.note(
                "character_replaced", "preamble", "A lone surrogate cannot stand in the file and became U+FFFD."
            )


def _shared_preamble(headings: Sequence[Mapping[str, Any]], *, default: str) -> str:
    """The scenarios' own preamble where all have the same, as after an import; else the definition's."""
    own = {heading.get("preamble") for heading in headings}
    shared = own.pop()
    return default if own or shared is None else str(shared)


def _read_row(row: Row) -> tuple[str, str, ScenarioContent]:
    scenario_id, name, content = row
    if scenario_id is None or name is None:
        raise IntegrityError("a frozen scenario has no id or no name; start the export again.")
    where = f"scenario {fields.text(scenario_id)}"
    if content is None:
        raise ContentError(f"{where} has no content; generate the scenarios again.")
    return fields.text(scenario_id), fields.text(name), stored.read(_mapping(fields.jsonb(content), where), where=where)


def _mapping(json_text: bytes, where: str) -> Mapping[str, Any]:
    try:
        content = orjson.loads(json_text)
    except orjson.JSONDecodeError:
        # The standard library also reads lone surrogates, and numbers too large for a double.
        content = json.loads(json_text)
    if not isinstance(content, dict):
        raise ContentError(f"{where} has content that is no object; correct the row.")
    return content
