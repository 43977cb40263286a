"""RUN_BUNDLE over ``zip -1`` of the same files: content a second of one core; ours reads and renders it besides."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import programs
from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, interleaved, median, ratio
from benchmarks.workbench import Workbench, say

NAME = "bundle"
_ZIP = "zip"


def measure(bench: Workbench, _: Sequence[str]) -> list[Figure]:
    """CPU seconds are those of our process and of zip's; each packs the same content, so their ratio is the figure."""
    zip_, unzip = programs.required("zip"), programs.required("unzip")
    say("RUN_BUNDLE and zip -1 ...")
    # Of the middling run: what a core packs in a second does not depend on how long it goes on.
    run_id = bench.run(bench.options.middle)
    folder = bench.folder / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        first = bench.export_and_keep("RUN_BUNDLE", run_id)
        programs.run(bench, [unzip, "-q", bench.file_of(first), "-d", folder])
        bench.remove(first)
        contestants = {NAME: partial(bench.export, "RUN_BUNDLE", run_id), _ZIP: partial(_zipped, bench, zip_, folder)}
        results = interleaved(contestants, rounds=bench.options.rounds)
        content = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ours, theirs = (median(results, who, of=_cpu) for who in (NAME, _ZIP))
    sizes = [results[who][0].facts["bytes"] / 1e6 for who in (NAME, _ZIP)]
    return [
        Figure(
            name=NAME,
            title="RUN_BUNDLE, content a second per core, over zip -1",
            value=ratio(results, _ZIP, NAME, of=_cpu),
            must=2,
            aim=4,
            at_least=True,
            detail=f"{content:.0f} MB of {bench.options.middle} transcripts, {content / ours:.0f} MB/s of CPU against "
            f"{content / theirs:.0f} MB/s; {median(results, NAME):.1f} s on the wall against "
            f"{median(results, _ZIP):.1f} s; {sizes[0]:.0f} MB packed against {sizes[1]:.0f} MB",
        )
    ]


def _zipped(bench: Workbench, program: Path, folder: Path) -> Measured:
    target = bench.folder / "zipped.zip"
    target.unlink(missing_ok=True)
    measured = programs.run(bench, [program, "-1", "-q", "-r", target, "."], cwd=folder)
    size = target.stat().st_size
    target.unlink()
    return Measured(seconds=measured.seconds, cpu_seconds=measured.cpu_seconds, facts={"bytes": size})


def _cpu(measured: Measured) -> float:
    return measured.cpu_seconds


GROUPS = (Group(names=(NAME,), measure=measure),)
