"""Child processes with one fate: started in order, watched, and all stopped when one ends or we are told to."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from export_pipelines.cli.groups import GRACE_SECONDS, POLL_SECONDS, Guard, end
from export_pipelines.core.errors import ValidationError, WorkError

HOST = "127.0.0.1"
LOG_TAIL_BYTES = 2000
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, kw_only=True)
class Program:
    """One child to be.

    Attributes:
        name: also the name of its log file.
        command: program and arguments.
        port: where it listens once it is ready; None when it does not.
        option: with what people name another port.
        after: name of the program that must be ready before this one starts.
    """

    name: str
    command: Sequence[str]
    port: int | None = None
    option: str = ""
    after: str | None = None


def require_free(programs: Iterable[Program]) -> None:
    """Look whether every port can be listened on.

    Raises:
        ValidationError: one cannot; nothing was started.
    """
    for program in programs:
        if program.port is None:
            continue
        with socket.socket() as probe:
            # As servers do, so that connections of the last run that are still closing are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, program.port))
            except OSError as error:
                reason = error.strerror.lower() if error.strerror else error
                raise ValidationError(
                    f"port {program.port} of {program.name} cannot be used ({reason}); end what listens there, or "
                    f"name another with {program.option}."
                ) from error


class Family:
    """The children; leaving the block ends them all, however it is left.

    Within the block SIGTERM and SIGHUP raise ``KeyboardInterrupt``, as Ctrl-C does.
    """

    def __init__(self, *, environ: Mapping[str, str], logs: Path, grace: float = GRACE_SECONDS) -> None:
        self._environ = dict(environ)
        self._logs = logs
        self._grace = grace
        self._children: dict[str, tuple[Program, subprocess.Popen[bytes]]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Family":
        self._before = {number: signal.signal(number, signal.default_int_handler) for number in _ENDINGS}
        self._guard = Guard(grace=self._grace)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C, from an impatient hand, must not leave half of them behind.
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        end((child.pid for _, child in self._children.values()), grace=self._grace, reap=self._reap)
        self._guard.dismiss()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def start(self, programs: Iterable[Program], *, seconds: float) -> None:
        """Start the programs in this order, and return when all that listen answer.

        Raises:
            WorkError: a child ended, or did not answer in time; the message holds the end of its log.
        """
        give_up = time.monotonic() + seconds
        for program in programs:
            if program.after is not None:
                self._wait_ready(self._children[program.after][0], give_up=give_up)
            self._start(program)
        for program, _ in list(self._children.values()):
            self._wait_ready(program, give_up=give_up)

    def watch(self) -> None:
        """Return never; children that end are the way out.

        Raises:
            WorkError: one did; the message holds the end of its log.
        """
        while True:
            self._check_alive()
            time.sleep(POLL_SECONDS)

    def _start(self, program: Program) -> None:
        """Start a child in a session of its own, so that Ctrl-C reaches it through us and not beside us."""
        with self._log(program).open("wb") as log:
            child = subprocess.Popen(  # noqa: S603
                program.command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_in_child,  # noqa: PLW1509
            )
        self._guard.watch(child.pid)
        self._children[program.name] = (program, child)

    def _wait_ready(self, program: Program, *, give_up: float) -> None:
        while program.port is not None and not _answers(program.port):
            self._check_alive()
            if time.monotonic() > give_up:
                raise WorkError(f"{program.name} did not answer in time; its log ends:\n{self._tail(program)}")
            time.sleep(POLL_SECONDS)

    def _check_alive(self) -> None:
        for program, child in self._children.values():
            if child.poll() is not None:
                raise WorkError(
                    f"{program.name} ended with status {child.returncode}; its log ends:\n{self._tail(program)}"
                )

    def _reap(self) -> None:
        for _, child in self._children.values():
            child.poll()

    def _log(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"

    def _tail(self, program: Program) -> str:
        return self._log(program).read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _in_child() -> None:
    # Started from a script's background we ignore Ctrl-C, and Dagster's programs treat SIGTERM as they treat Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
