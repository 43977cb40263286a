"""What this process has used: time, CPU, memory, its children's included; and what the database server has."""

import resource
import time
from pathlib import Path

import psutil


class Usage:
    """A stopwatch for wall and CPU seconds of this process and of the children it has waited for."""

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), own_cpu_seconds()

    def so_far(self) -> dict[str, float]:
        """``seconds`` and ``cpu_seconds`` since the beginning."""
        return {"seconds": time.perf_counter() - self._began, "cpu_seconds": own_cpu_seconds() - self._used}


def own_cpu_seconds() -> float:
    """User and system time, of all threads and of children that have ended."""
    times = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(of.ru_utime + of.ru_stime for of in times)


def peak_mib() -> float:
    """The most that this process, or any child of its own, ever had resident.

    Not ``ru_maxrss`` of ourselves: Linux begins that one with what the parent had when it forked us.
    """
    status = Path("/proc/self/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def server_cpu_seconds(pid: int) -> float:
    """CPU seconds so far of a whole database server: main process, sessions, and those that have ended."""
    server = psutil.Process(pid)
    own = server.cpu_times()
    total: float = own.user + own.system + own.children_user + own.children_system
    for child in server.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
