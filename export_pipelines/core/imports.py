"""What people bring back: files that were read for import, before anything is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from export_pipelines.core.definitions import DefinitionContent
from export_pipelines.core.scenarios import ScenarioContent


@dataclass(frozen=True, kw_only=True)
class ImportedDefinition:
    """A definition read from Markdown.

    Attributes:
        name: as the file states it.
        base_id: as the file states it, or derived from the name where it states none.
        category: as the file states it; empty when it states none.
        tags: what to tag the definition with, so that an export states the same category again.
        content: its ``base_id`` is None where the file's follows from the name anyway. Whoever stores the definition
            under another name puts :attr:`base_id` there, so that the id survives the new name.
    """

    name: str
    base_id: str
    category: str
    tags: tuple[str, ...]
    content: DefinitionContent


@dataclass(frozen=True, kw_only=True)
class ImportedScenario:
    """One scenario read from YAML.

    Attributes:
        key: the scenario's key, which becomes its name.
        base_id, category, subject: as the file states them, None where it states none.
        body: the full prompt.
        dimensions: the scores that the key carries, by the words in it.
        line: 1-based line of the key.
    """

    key: str
    body: str
    base_id: str | None = None
    category: str | None = None
    subject: str | None = None
    dimensions: Mapping[str, int] = field(default_factory=dict)
    line: int = 0

    def content(self, *, preamble: str) -> ScenarioContent:
        """What is stored for it: everything that makes the next export give the same entry again."""
        return ScenarioContent(
            prompt=self.body,
            dimensions=dict(self.dimensions),
            preamble=preamble,
            subject=self.subject,
            category=self.category,
            base_id=self.base_id,
        )


@dataclass(frozen=True, kw_only=True)
class ImportedScenarios:
    """A whole scenarios file.

    Attributes:
        preamble: the text before every prompt.
        scenarios: in the order of the file; store them with ids that ascend in this order.
        ignored: parts of the file that have no place here, each with its line, like ``followups (line 3)``.
    """

    preamble: str
    scenarios: tuple[ImportedScenario, ...]
    ignored: tuple[str, ...] = ()
