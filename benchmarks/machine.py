"""Facts of the machine that figures depend on, without a word about whose it is."""

import os
import platform
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from benchmarks.workbench import Workbench

_PROBE_MIB = 512


def facts(bench: Workbench) -> dict[str, str]:
    """Each fact by its name."""
    with bench.database.raw_connection() as connection:
        row = connection.execute("SELECT current_setting('server_version')").fetchone()
    return {
        "processor": f"{_field('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores for us",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / (1 << 20):.0f} GiB",
        "disk": f"{_file_system(bench.folder)}, {_write_speed(bench.folder):.0f} MB/s written and synced",
        "system": f"Linux {platform.release()}",
        "PostgreSQL": str(row[0]) if row else "unknown",
        "Python": f"{platform.python_version()}, Dagster {metadata.version('dagster')}",
    }


def _field(file: str, name: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def _file_system(folder: Path) -> str:
    """Type of the file system that the folder is on: of the longest mount point above it."""
    found = max(_mounts(), key=lambda mount: len(mount[0].parts) if folder.is_relative_to(mount[0]) else -1)
    return found[1]


def _mounts() -> Iterator[tuple[Path, str]]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        # proc_pid_mountinfo(5): the fifth field is the mount point, the type stands behind a lone hyphen.
        yield Path(line.split()[4]), line.partition(" - ")[2].split()[0]


def _write_speed(folder: Path) -> float:
    path, block = folder / "write-speed", os.urandom(1 << 20)
    os.sync()
    began = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(_PROBE_MIB):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    path.unlink()
    return _PROBE_MIB * (1 << 20) / 1e6 / seconds
