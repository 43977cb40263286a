"""Child processes with one fate: started together, watched, and all stopped when one ends or we are told to."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from export_pipelines.core.errors import ValidationError, WorkError

GRACE_SECONDS = 15.0
"""Between asking a child to end and ending it."""
POLL_SECONDS = 0.2
LOG_TAIL_BYTES = 2000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Program:
    """One child to be.

    Attributes:
        name: also the name of its log file.
        command: program and arguments.
        port: where it listens once it is ready; None when it does not.
    """

    name: str
    command: Sequence[str]
    port: int | None = None


class Family:
    """The running children."""

    def __init__(self, *, environ: Mapping[str, str], logs: Path) -> None:
        self._environ = dict(environ)
        self._logs = logs
        self._children: list[tuple[Program, subprocess.Popen[bytes]]] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, program: Program) -> None:
        """Start a child in a session of its own, so that Ctrl-C reaches it through us and in order.

        Raises:
            ValidationError: its port is taken.
        """
        if program.port is not None and _answers(program.port):
            raise ValidationError(f"port {program.port} for the {program.name} is taken; name another with its option.")
        with self._log(program).open("wb") as log:
            child = subprocess.Popen(  # noqa: S603
                program.command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        self._children.append((program, child))

    def wait_ready(self, *, seconds: float) -> None:
        """Return when every child that listens answers.

        Raises:
            WorkError: a child ended, or did not answer in time; the message holds the end of its log.
        """
        give_up = time.monotonic() + seconds
        for program, _ in self._children:
            while program.port is not None and not _answers(program.port):
                self._check_alive()
                if time.monotonic() > give_up:
                    raise WorkError(f"the {program.name} did not answer in {seconds:.0f} s:\n{self._tail(program)}")
                time.sleep(POLL_SECONDS)

    def wait(self) -> None:
        """Watch until a child ends.

        Raises:
            WorkError: one did.
        """
        while True:
            self._check_alive()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End all children, youngest first; none is left behind."""
        for _, child in reversed(self._children):
            _signal_group(child, signal.SIGTERM)
        give_up = time.monotonic() + GRACE_SECONDS
        for _, child in reversed(self._children):
            try:
                child.wait(timeout=max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.wait()
            # Grandchildren (run workers, code servers) share the group and may outlive the child.
            _signal_group(child, signal.SIGKILL)

    def _check_alive(self) -> None:
        for program, child in self._children:
            if child.poll() is not None:
                raise WorkError(f"the {program.name} ended with status {child.returncode}:\n{self._tail(program)}")

    def _log(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"

    def _tail(self, program: Program) -> str:
        return self._log(program).read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        # The whole group has ended; that is what we wanted.
        return


def _die_with_parent() -> None:
    """Ask Linux to end the child when we are killed without a chance to stop it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
