r"""Other people's programs as contestants: psql's ``\copy``, and whatever else is measured by its process."""

import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measured import Measured, MeasureError
from benchmarks.usage import server_cpu_seconds
from benchmarks.workbench import Workbench
from export_pipelines.db.embedded import programs


def copy(bench: Workbench, statement: tuple[str, str], path: Path) -> Measured:
    r"""Write a statement's rows to the file with psql's ``\copy``.

    Returns:
        With ``rows`` and ``bytes`` among the facts.

    Raises:
        MeasureError: psql failed.
    """
    sql, format_ = statement
    # A backslash command of psql ends with its line.
    command = f"\\copy ({' '.join(sql.split())}) TO '{path}' WITH ({format_})"
    url = bench.database.libpq_url
    path.unlink(missing_ok=True)
    done = run(bench, [psql(), "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--dbname={url}", f"--command={command}"])
    said = str(done.facts["said"]).strip()
    if not said.startswith("COPY "):
        raise MeasureError(f"psql says {said!r} instead of a number of rows")
    return Measured(
        seconds=done.seconds,
        cpu_seconds=done.cpu_seconds,
        server_seconds=done.server_seconds,
        facts={"rows": int(said.removeprefix("COPY ")), "bytes": path.stat().st_size},
    )


def run(bench: Workbench, command: Sequence[str | Path], *, cwd: Path | None = None) -> Measured:
    """One process to its end; what it said is among the facts.

    Raises:
        MeasureError: it failed.
    """
    bench.settle()
    server, used, began = server_cpu_seconds(bench.server.pid), _children_cpu_seconds(), time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise MeasureError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return Measured(
        seconds=seconds,
        cpu_seconds=_children_cpu_seconds() - used,
        server_seconds=server_cpu_seconds(bench.server.pid) - server,
        facts={"said": done.stdout},
    )


def psql() -> Path:
    """The psql that came with the embedded server's programs, or the system's.

    Raises:
        MeasureError: there is none.
    """
    for found in programs.find_all():
        if (found.bin / "psql").is_file():
            return found.bin / "psql"
    return required("psql")


def required(name: str) -> Path:
    """A program of the system's.

    Raises:
        MeasureError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise MeasureError(f"this figure needs the program {name}; install it")
    return Path(path)


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
