"""Moments to die at: the n-th call that our own code makes in a step, so that a seed means the same moment again.

Calls of functions of ours and calls that ours make into C (writes, renames, statements) both count, on the thread that
does the step's work; so a process dies before a rename, after it, between two writes, and wherever else it could.
"""

import importlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import export_pipelines

PHASES = ("begin", "load", "render", "package", "upload", "record")
STEPS = "export_pipelines.steps.export"
_OURS = str(Path(export_pipelines.__file__).parent)
_COUNTED = ("call", "c_call", "c_return")


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When a process dies.

    Attributes:
        phase: the step it dies in, by its function's name; :data:`PHASES` has them in their order.
        call: at which of the phase's calls, from 1; the next phase's beginning at the latest.
        number: the signal it gets. With SIGSTOP it can be made to go on.
    """

    phase: str
    call: int
    number: int = signal.SIGKILL

    def __str__(self) -> str:
        """For test ids and reports."""
        return f"{self.phase}-{self.call}"

    def as_argument(self) -> str:
        """As :mod:`export_pipelines_tests.dying` reads it."""
        return json.dumps(asdict(self))

    def arm(self) -> None:
        """Have this process die then."""
        left, over = self.call, False

        def die() -> None:
            nonlocal over
            if not over:
                over = True
                os.kill(os.getpid(), self.number)

        def count() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                die()

        place = PHASES.index(self.phase)
        for later in PHASES[place + 1 : place + 2]:
            _wrap(later, lambda work: (die(), work())[1])
        _wrap(self.phase, lambda work: _watched(work, count, after=die if self.phase == PHASES[-1] else None))


def count_calls() -> Counter[str]:
    """Count every phase's calls from now on, in a counter that is filled while the export goes on."""
    counted: Counter[str] = Counter()
    for phase in PHASES:
        _wrap(phase, lambda work, phase=phase: _watched(work, lambda: counted.update([phase])))
    return counted


def _watched(work: Callable[[], Any], count: Callable[[], None], *, after: Callable[[], None] | None = None) -> Any:
    def profile(frame: FrameType, event: str, _: object) -> None:
        if event in _COUNTED and frame.f_code.co_filename.startswith(_OURS):
            count()

    sys.setprofile(profile)
    try:
        result = work()
    finally:
        sys.setprofile(None)
    if after is not None:
        after()
    return result


def _wrap(phase: str, around: Callable[[Callable[[], Any]], Any]) -> None:
    module = importlib.import_module(STEPS)
    original = getattr(module, phase)
    setattr(module, phase, lambda *arguments, **keywords: around(lambda: original(*arguments, **keywords)))
