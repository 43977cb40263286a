"""Ending process groups, and the guard that ends them when the process that should have done so was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 15.0
"""Between asking a group to end and ending it; a run that is interrupted writes down that it was."""
POLL_SECONDS = 0.1
_DONE = "done"


def end(groups: Iterable[int], *, grace: float = GRACE_SECONDS, reap: Callable[[], object] = lambda: None) -> None:
    """Ask every process of the groups to end, and end those that have not after a while.

    Args:
        groups: ids of the groups, as ``start_new_session`` makes them.
        grace: seconds between the two.
        reap: called again and again, to collect the exit status of own children: until then they count as running.
    """
    left = {group for group in groups if _signal(group, signal.SIGTERM)}
    give_up = time.monotonic() + grace
    while left and time.monotonic() < give_up:
        time.sleep(POLL_SECONDS)
        reap()
        left = {group for group in left if _alive(group)}
    for group in left:
        _signal(group, signal.SIGKILL)
    reap()


class Guard:
    """A process beside ours that ends the groups it was told of when we are killed."""

    def __init__(self, *, grace: float = GRACE_SECONDS) -> None:
        # It sees our end because the pipe closes, which the kernel does also for a process killed by SIGKILL.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", __name__, str(grace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Tell it of a group."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(f"{group}\n")
        self._process.stdin.flush()

    def dismiss(self) -> None:
        """Tell it that all groups have ended."""
        self._process.communicate(_DONE)


def _signal(group: int, number: int) -> bool:
    """Whether there was anybody to signal."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _alive(group: int) -> bool:
    """Whether more is left of the group than exit statuses, which in a container perhaps nobody ever collects."""
    if not _signal(group, 0):
        return False
    states = [state for of_group, state in _processes() if of_group == group]
    return not states or any(state != "Z" for state in states)


def _processes() -> Iterable[tuple[int, str]]:
    """Group and state of every process, where the system has ``/proc``."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the program's name, which may hold anything: state, parent, group.
            state, _, group, *_ = file.read_text(errors="replace").rpartition(")")[2].split()
            yield int(group), state


def _keep_guard(grace: float) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    lines = sys.stdin.read().split()
    if _DONE not in lines:
        end(map(int, lines), grace=grace)


if __name__ == "__main__":
    _keep_guard(float(sys.argv[1]))
