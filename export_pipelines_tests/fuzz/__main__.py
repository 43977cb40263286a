"""Drive the whole API with thousands of requests: ``python -m export_pipelines_tests.fuzz --cases 5000``."""

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from export_pipelines_tests.chaos.servers import OwnServer, own_server
from export_pipelines_tests.fuzz.driving import Round, drive
from export_pipelines_tests.fuzz.site import driven_site

CASES = 5000
EXAMPLES = 60
"""Thought up for one operation in one round; with the cases at its bounds, a round has about four thousand."""
WHO = ("owner", "administrator")


def main() -> int:
    """Go on, round by round, until there were enough; 1 when anything was not as described."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help=f"at least so many; {CASES} when not given")
    parser.add_argument("--seed", type=int, help="what the rounds are thought up from, to see them again")
    chosen = parser.parse_args()
    if chosen.cases < 1:
        parser.error("at least one case is needed")
    seed = secrets.randbelow(2**32) if chosen.seed is None else chosen.seed
    began, cases, failures, rounds = time.monotonic(), 0, 0, 0
    # Each of them is heard at least once, however many cases there were.
    with own_server() as server:
        while cases < chosen.cases or rounds < len(WHO):
            who = WHO[rounds % len(WHO)]
            went = _one_round(server, who, seed=seed + rounds)
            _say(f"{who}, seed {seed + rounds}: {went.cases} cases, {went.failures} failures, {went.seconds:.0f} s")
            if went.failures:
                _say(went.said)
            cases, failures, rounds = cases + went.cases, failures + went.failures, rounds + 1
    _say(f"together: {cases} cases, {failures} failures, {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


def _one_round(server: OwnServer, who: str, *, seed: int) -> Round:
    """A round on a database of its own, so that none finds what another left."""
    with tempfile.TemporaryDirectory(prefix="export-pipelines-fuzz-") as name:
        folder = Path(name)
        with server.deployment(folder / "home") as deployment, driven_site(deployment.services) as site:
            return drive(
                site.api.url,
                key=site.api.keys[who],
                examples=EXAMPLES,
                seed=seed,
                folder=folder,
                ids=site.ids,
            )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
