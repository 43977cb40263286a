"""A figure: one number, what it must be, and what we aim at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.workbench import Workbench


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        name: its key in ``results.json``, and what ``BENCH_ONLY`` takes.
        title: what is divided by what, for people.
        value: None when it could not be measured.
        must: the worst value that is right; None for what is shown for comparison only.
        at_least: larger values are better.
        unit: empty for ratios.
        detail: what the value was made of.
    """

    name: str
    title: str
    value: float | None
    must: float | None = None
    aim: float | None = None
    at_least: bool = False
    unit: str = ""
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is what it must be; what could not be measured is not."""
        return self.value is not None and (self.must is None or self._reaches(self.must))

    @property
    def reaches_aim(self) -> bool:
        """Whether it is what we aim at."""
        return self.aim is not None and self._reaches(self.aim)

    def _reaches(self, limit: float) -> bool:
        if self.value is None:
            return False
        return self.value >= limit if self.at_least else self.value <= limit


@dataclass(frozen=True, kw_only=True)
class Group:
    """Figures that are measured together.

    Attributes:
        names: of the figures, as ``BENCH_ONLY`` takes them.
        measure: measures those of the names that are asked for.
    """

    names: tuple[str, ...]
    measure: Callable[[Workbench, Sequence[str]], Sequence[Figure]]
