"""Kill exports at many more moments than the suite does: ``python -m export_pipelines_tests.chaos --seeds 200``."""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from export_pipelines_tests.chaos.moments import PHASES
from export_pipelines_tests.chaos.plan import OUTAGES, Plan, plan
from export_pipelines_tests.chaos.rounds import Tally, carry_out
from export_pipelines_tests.chaos.servers import OwnServer, own_server

SEEDS = 200
EVERY_SECONDS = 10


def main() -> int:
    """Go through the seeds; 1 when any of them failed."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many; {SEEDS} when not given")
    parser.add_argument("--first", type=int, default=0, help="the first of them, to see one again or to go further")
    chosen = parser.parse_args()
    if chosen.seeds < 1 or chosen.first < 0:
        parser.error("at least one seed is needed, and none is negative")
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    tally, failed = Tally(), []
    began = told = time.monotonic()
    with own_server() as server, tempfile.TemporaryDirectory(prefix="export-pipelines-chaos-") as folder:
        for seed in seeds:
            if not _survives(server, Path(folder) / str(seed), plan(seed), tally):
                failed.append(seed)
            if time.monotonic() - told > EVERY_SECONDS:
                told = time.monotonic()
                _say(f"{seed - seeds.start + 1} of {len(seeds)} seeds, {tally.kills.total()} kills ...")
    _report(tally, failed, seconds=time.monotonic() - began)
    return 1 if failed else 0


def _survives(server: OwnServer, home: Path, of_seed: Plan, tally: Tally) -> bool:
    """Go through one seed's round, in a deployment of its own; what went wrong is said at once."""
    try:
        with server.deployment(home) as deployment:
            carry_out(deployment, of_seed, tally, server=server)
    except Exception:  # noqa: BLE001 - whatever it was, the other seeds have their turn
        _say(f"seed {of_seed.seed} FAILED: {of_seed}\n{traceback.format_exc()}")
        return False
    return True


def _report(tally: Tally, failed: list[int], *, seconds: float) -> None:
    _say(f"{'phase':<10} kills")
    for phase in PHASES:
        _say(f"{phase:<10} {tally.kills[phase]:>5}")
    _say(f"{'together':<10} {tally.kills.total():>5}, in {seconds:.0f} s")
    outages = ", ".join(f"{tally.outages[how]} times {how}" for how in OUTAGES)
    _say(f"database taken away in the middle: {outages}")
    _say(f"resumed by the same attempt: {tally.continued}, begun anew because the snapshot was lost: {tally.restarted}")
    _say(f"identical to an undisturbed export: {tally.identical}, failed: {len(failed)}")
    for seed in failed:
        _say(f"again: {Path(sys.executable).name} -m export_pipelines_tests.chaos --first {seed} --seeds 1")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
