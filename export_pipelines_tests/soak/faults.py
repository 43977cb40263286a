"""What is broken, and when: a seed's plan, and how each fault is done and healed."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import httpx

from export_pipelines_tests.s3_refusals import nothing
from export_pipelines_tests.soak.world import World

EVERY_SECONDS = 60
"""In each such stretch of time every kind of fault comes once, at a moment of its own."""

LASTS: Mapping[str, tuple[float, float]] = {
    "mail server killed": (10, 30),
    "store answers 503": (4, 12),
    "daemon killed": (1, 5),
    "receiver frozen": (5, 20),
    "run worker killed": (0, 0),
}
"""The kinds, and how long each may last, in seconds."""

_AT_WORK = """SELECT dagster_run_id FROM exports.export_jobs
WHERE status = 'PROCESSING' AND dagster_run_id IS NOT NULL AND launch_after IS NULL ORDER BY started_at DESC"""
_LOOK_FOR_WORKER_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: its kind, and when it begins and for how long it lasts, in seconds."""

    kind: str
    at: float
    lasts: float


def plan(seed: int, *, seconds: float) -> tuple[Fault, ...]:
    """The same for the same seed; faults of different kinds may come at the same time."""
    chance = random.Random(seed)
    rounds = max(1, int(seconds // EVERY_SECONDS))
    return tuple(
        Fault(kind=kind, at=(number + chance.random()) * seconds / rounds, lasts=chance.uniform(*LASTS[kind]))
        for number in range(rounds)
        for kind in LASTS
    )


def inject(world: World, planned: tuple[Fault, ...], over: threading.Event) -> Counter[str]:
    """Carry the plan out; kinds do not wait for each other. How often each was done.

    Everything is healed when this returns, also when it is told that time is over.
    """
    began = time.monotonic()
    done: Counter[str] = Counter()

    def carry_out(kind: str) -> None:
        begin, heal = _ways(world, over)[kind]
        for fault in (fault for fault in planned if fault.kind == kind):
            if over.wait(max(0.0, began + fault.at - time.monotonic())):
                return
            if not begin():
                continue
            done[kind] += 1
            over.wait(fault.lasts)
            heal()

    with ThreadPoolExecutor(len(LASTS)) as threads:
        for ended in [threads.submit(carry_out, kind) for kind in LASTS]:
            ended.result()
    return done


def _ways(world: World, over: threading.Event) -> Mapping[str, tuple[Callable[[], bool], Callable[[], None]]]:
    """How each kind begins, which may turn out to be impossible, and how it is healed."""
    gate, receiver, parts = world.gate, world.receiver.process, world.parts

    def refuse() -> None:
        gate.refuses = lambda _method, _path: True

    def allow() -> None:
        gate.refuses = nothing

    return {
        "mail server killed": (_always(world.mailbox.kill), world.mailbox.start),
        "store answers 503": (_always(refuse), allow),
        "daemon killed": (_always(lambda: parts.kill("daemon")), lambda: parts.start("daemon")),
        "receiver frozen": (
            _always(lambda: receiver.send_signal(signal.SIGSTOP)),
            lambda: receiver.send_signal(signal.SIGCONT),
        ),
        "run worker killed": (lambda: _kill_worker(world, over), lambda: None),
    }


def _always(begin: Callable[[], object]) -> Callable[[], bool]:
    def begun() -> bool:
        begin()
        return True

    return begun


def _kill_worker(world: World, over: threading.Event) -> bool:
    """Kill the process of a run that is at work; false when for long enough none was."""
    give_up = time.monotonic() + _LOOK_FOR_WORKER_SECONDS
    while time.monotonic() < give_up and not over.wait(0.2):
        for (run_id,) in world.parts.rows(_AT_WORK):
            # It may not have told of its process yet, or have ended meanwhile.
            with suppress(AssertionError, KeyError, httpx.HTTPError, ProcessLookupError):
                os.kill(world.parts.ui.worker(run_id), signal.SIGKILL)
                return True
    return False
