"""What one measured piece of work took, and how pieces of work are compared: in turns, by the median."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
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


def spread(work: Work, number: int, *, over: float) -> Work:
    """The same work, ``number`` times each at another moment of a span of seconds.

    Who looks for work does so every so many seconds. Work that is begun when the one before has ended would always
    wait as long as that one's duration makes it, and not as long as anybody's does on average.
    """
    moments = cycle(over * index / number for index in range(number))

    def at_its_moment() -> Measured:
        time.sleep((next(moments) - time.time()) % over)
        return work()

    return at_its_moment


def _order(names: list[str], number: int) -> Iterator[str]:
    return reversed(names) if number % 2 else iter(names)
