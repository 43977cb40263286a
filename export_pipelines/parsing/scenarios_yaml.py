"""Scenarios from a YAML file, ours or one that the command-line tools use; as a whole or not at all."""

from collections.abc import Mapping
from typing import BinaryIO

from export_pipelines.core.errors import ImportFileError
from export_pipelines.core.imports import ImportedScenario, ImportedScenarios
from export_pipelines.core.names import key_variables
from export_pipelines.parsing.decoding import decode
from export_pipelines.parsing.yaml_events import Events, Scalar

LIMIT = 256 * 1024 * 1024
"""10 000 scenarios have some 50 MB."""

FIELDS = ("base_id", "category", "subject", "body")


def parse(data: bytes | BinaryIO) -> ImportedScenarios:
    """The preamble and the scenarios in the file, in its order.

    Dimensions are read back from the keys, as the tools' analysis step reads them.

    Raises:
        ImportFileError: what is wrong and in which line: not UTF-8, not YAML, too large, no preamble, no scenarios, a
            key twice, a value that is no text, an alias.
    """
    content = data if isinstance(data, bytes) else data.read(LIMIT + 1)
    events = Events(decode(content, limit=LIMIT))
    events.start()
    preamble: Scalar | None = None
    scenarios: list[ImportedScenario] = []
    ignored: dict[str, str] = {}
    for key in events.keys("the file"):
        if key.text == "preamble":
            preamble = events.text("the preamble")
        elif key.text == "scenarios":
            scenarios.extend(_scenario(name, events, ignored) for name in events.keys("scenarios"))
        else:
            ignored.setdefault(key.text, f"{key.text} (line {key.line})")
            events.skip()
    events.end()
    if preamble is None:
        raise ImportFileError("the file has no preamble; add a line like preamble: >.")
    if not scenarios:
        raise ImportFileError("the file has no scenarios under the key scenarios.")
    return ImportedScenarios(preamble=preamble.text, scenarios=tuple(scenarios), ignored=tuple(ignored.values()))


def _scenario(key: Scalar, events: Events, ignored: dict[str, str]) -> ImportedScenario:
    found: dict[str, str] = {}
    for field in events.keys(f"scenario {key.text[:60]}"):
        if field.text in FIELDS:
            found[field.text] = events.text(f"{field.text} of {key.text[:60]}").text
        else:
            ignored.setdefault(f"scenarios.*.{field.text}", f"scenarios.*.{field.text} (from line {field.line})")
            events.skip()
    return _record(key, found)


def _record(key: Scalar, found: Mapping[str, str]) -> ImportedScenario:
    if not key.text.strip():
        raise ImportFileError("a scenario has an empty key; name it.", line=key.line)
    if "body" not in found:
        raise ImportFileError(f"scenario {key.text[:60]} has no body.", line=key.line)
    return ImportedScenario(key=key.text, dimensions=key_variables(key.text), line=key.line, **found)
