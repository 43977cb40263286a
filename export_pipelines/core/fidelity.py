"""The fidelity report: what an export could not keep exactly, or left out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXAMPLES_KEPT = 10
"""How many places of one kind a note names; the count is always whole."""


@dataclass(frozen=True, kw_only=True)
class FidelityNote:
    """One kind of difference at one place (or, in bulk formats, in one column).

    Attributes:
        kind: a stable code, like ``formula_neutralised``.
        where: the field, like ``dimensions[2].levels[1].label`` or ``column Target Response``.
        detail: one sentence a person understands: what differs and why.
        count: how many values are meant.
        examples: ids of the first rows concerned, at most :data:`EXAMPLES_KEPT`; empty for single documents.
    """

    kind: str
    where: str
    detail: str
    count: int = 1
    examples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The note as it stands in the row, the manifest and ``--json``."""
        return {
            "kind": self.kind,
            "where": self.where,
            "detail": self.detail,
            "count": self.count,
            "examples": list(self.examples),
        }

    @classmethod
    def from_json(cls, note: Mapping[str, Any]) -> "FidelityNote":
        """The note back from its JSON form."""
        return cls(
            kind=note["kind"],
            where=note["where"],
            detail=note["detail"],
            count=note["count"],
            examples=tuple(note["examples"]),
        )


PARTIAL_RUN = FidelityNote(
    kind="partial_run",
    where="run",
    detail="The run was not finished when it was read; what came later is not in the file.",
)
"""Noted on every export of an unfinished run."""


class FidelityReport:
    """Collects notes while rendering; notes of equal kind, place and detail are counted together."""

    def __init__(self, notes: Iterable[FidelityNote] = ()) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        self._examples: dict[tuple[str, str, str], list[str]] = {}
        for note in notes:
            self.add(note)

    def note(self, kind: str, where: str, detail: str, *, example: str | None = None) -> None:
        """Record one value that differs."""
        self.add(FidelityNote(kind=kind, where=where, detail=detail, examples=() if example is None else (example,)))

    def add(self, note: FidelityNote) -> None:
        """Record a note that may stand for many values already."""
        key = (note.kind, note.where, note.detail)
        self._counts[key] = self._counts.get(key, 0) + note.count
        examples = self._examples.setdefault(key, [])
        for example in note.examples:
            if len(examples) < EXAMPLES_KEPT and example not in examples:
                examples.append(example)

    def __iter__(self) -> Iterator[FidelityNote]:
        for (kind, where, detail), count in self._counts.items():
            examples = tuple(self._examples[kind, where, detail])
            yield FidelityNote(kind=kind, where=where, detail=detail, count=count, examples=examples)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def notes(self) -> tuple[FidelityNote, ...]:
        """Everything collected so far."""
        return tuple(self)
