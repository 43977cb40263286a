"""What one measured piece of work took, and how pieces of work are compared: in turns, by the median."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class MeasureError(Exception):
    """A figure could not be measured; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One piece of work.

    Attributes:
        seconds: on the wall.
        cpu_seconds: of the process that did it, and its children.
        server_seconds: CPU seconds of the database server meanwhile.
        peak_mib: most resident memory of any one process.
        facts: whatever else it told: rows, bytes, path.
    """

    seconds: float
    cpu_seconds: float
    server_seconds: float = 0.0
    peak_mib: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


Results = Mapping[str, Sequence[Measured]]
Work = Callable[[], Measured]


def interleaved(contestants: Mapping[str, Work], *, rounds: int) -> Results:
    """Let every contestant do its work once a round; each second round in the opposite order.

    What a machine does besides comes and goes: contestants of one round meet the same weather.
    """
    results: dict[str, list[Measured]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in _order(list(contestants), number):
            results[name].append(contestants[name]())
    return results


def ratio(results: Results, name: str, to: str, *, of: Callable[[Measured], float] = lambda m: m.seconds) -> float:
    """Median over the rounds of one contestant's value over the other's in the same round."""
    return statistics.median(of(ours) / of(theirs) for ours, theirs in zip(results[name], results[to], strict=True))


def median(results: Results, name: str, *, of: Callable[[Measured], float] = lambda m: m.seconds) -> float:
    """Median over the rounds."""
    return statistics.median(map(of, results[name]))


def _order(names: list[str], number: int) -> Iterator[str]:
    return reversed(names) if number % 2 else iter(names)
