"""Soak a whole deployment, with faults: ``python -m export_pipelines_tests.soak --minutes 10``."""

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from export_pipelines_tests.queue_sampling import Sampling
from export_pipelines_tests.soak import checks, faults
from export_pipelines_tests.soak.messages import all_deliveries, check_messages
from export_pipelines_tests.soak.report import table
from export_pipelines_tests.soak.settling import settle
from export_pipelines_tests.soak.traffic import Traffic
from export_pipelines_tests.soak.world import PER_USER, TOTAL, World, keep_logs, world

MINUTES = 10.0
_ENDINGS = (signal.SIGINT, signal.SIGTERM)
_PYTHON = Path(sys.executable).name


def main() -> int:
    """Go through it; 1 when anything did not hold, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"of traffic and faults; {MINUTES:g} by default")
    parser.add_argument("--seed", type=int, help="of an earlier soak, to have its plan again")
    chosen = parser.parse_args()
    if chosen.minutes <= 0:
        parser.error("--minutes must be more than 0")
    seed = random.randrange(1_000_000) if chosen.seed is None else chosen.seed
    # Servers are removed however this ends.
    for number in _ENDINGS:
        signal.signal(number, _interrupt)
    _say(f"soaking for {chosen.minutes:g} min, seed {seed}; starting ...")
    again = f"-m export_pipelines_tests.soak --minutes {chosen.minutes:g} --seed {seed}"
    try:
        violations, kept = _soaked(seed=seed, seconds=60 * chosen.minutes)
    except KeyboardInterrupt:
        _say(f"interrupted, so nothing was checked; everything that was started has ended. Again: {_PYTHON} {again}")
        return 130
    for violation in violations:
        _say(f"VIOLATION: {violation}")
    if violations:
        _say(f"{len(violations)} violations; the processes' logs are in {kept}")
        _say(f"the same plan again: {_PYTHON} {again}")
        return 1
    _say("nothing lost, nothing doubled, audit chain intact")
    return 0


def _soaked(*, seed: int, seconds: float) -> tuple[list[str], Path | None]:
    """What did not hold, and where the processes' logs are then; no process and no server is left, however it ends."""
    with tempfile.TemporaryDirectory(prefix="export-pipelines-soak-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with world(Path(folder)) as made:
            violations = soak(made, seed=seed, seconds=seconds)
            if not violations:
                return violations, None
            kept = Path(tempfile.mkdtemp(prefix="export-pipelines-soaked-"))
            keep_logs(made, kept)
            return violations, kept


def soak(made: World, *, seed: int, seconds: float) -> list[str]:
    """Traffic and faults for so long, then everything's end, and what did not hold."""
    over = threading.Event()
    traffic = Traffic(world=made, chance=random.Random(seed))
    with Sampling(made.services.database, total=TOTAL, per_user=PER_USER) as sampling:
        traffic.open()
        with ThreadPoolExecutor(2) as threads:
            flowing = threads.submit(traffic.flow, over)
            breaking = threads.submit(faults.inject, made, faults.plan(seed, seconds=seconds), over)
            try:
                _watch(made, seconds=seconds)
            except KeyboardInterrupt:
                _say(_statuses(made))
                raise
            finally:
                # Both go on until they are told.
                over.set()
        _say("traffic and faults are over; waiting for everything to end ...")
        violations = [f"traffic broke off: {error!r}" for error in [flowing.exception()] if error]
        violations += settle(made, traffic)
    violations += [f"too many at a time: {dict(users)}" for users in sampling.trouble]
    violations += _checked(made, traffic)
    for name, figure in table(
        made,
        traffic,
        faults=Counter(breaking.result()),
        sampling=sampling,
        found=checks.all_jobs(made),
        sent=all_deliveries(made),
    ):
        _say(f"{name:<56} {figure}")
    return violations


def _checked(made: World, traffic: Traffic) -> Iterator[str]:
    found, sent = checks.all_jobs(made), all_deliveries(made)
    yield from checks.check_jobs(made, traffic, found)
    yield from checks.check_slots(made, traffic)
    yield from checks.check_reactions(made, traffic)
    yield from check_messages(made, found, sent)
    yield from checks.check_files(made, traffic, found)
    yield from checks.check_audit(made, found)


def _watch(made: World, *, seconds: float) -> None:
    """Say how it comes along until time is over."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, 30))
        _say(_statuses(made))


def _statuses(made: World) -> str:
    statuses = made.parts.rows("SELECT status::text, count(*) FROM exports.export_jobs GROUP BY 1 ORDER BY 1")
    return ", ".join(f"{number} {status}" for status, number in statuses)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End everything, once: a second Ctrl-C, from an impatient hand, must not leave half of the processes behind."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    _say("interrupted; ending traffic, faults and servers, which takes up to a minute ...")
    raise KeyboardInterrupt


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
