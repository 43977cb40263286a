"""A process that dies at a chosen point of its work: ``python -m export_pipelines_tests.dying POINT COMMAND ...``.

``COMMAND`` is ``job ID [apart]`` (the steps alone, which start quickly; ``apart`` as if each had a process of its own),
``calls ID [apart]`` (the same, and the calls that each step made), ``all FOLDER`` (every export type into a folder),
``dispatch`` (the slots of schedules that are due) or ``cli ARGUMENTS`` (the whole command line).
"""

import functools
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines_tests.chaos.moments import Moment, count_calls


@dataclass(frozen=True, kw_only=True)
class Point:
    """Before or after which call the process dies.

    Attributes:
        target: ``module:attribute``, a function or method as its caller finds it.
        when: ``before`` or ``after``.
        call: which of its calls, from 1.
        within: count only calls made inside this other function, the first time it runs.
        number: the signal it dies of.
    """

    target: str
    when: str
    call: int = 1
    within: str | None = None
    number: int = signal.SIGKILL

    def __str__(self) -> str:
        """For test ids: short, and the same on every worker."""
        inside = f"{_name(self.within)}:" if self.within else ""
        return f"{self.when}-{inside}{_name(self.target)}-{self.call}"

    def as_argument(self) -> str:
        return json.dumps(asdict(self))

    def arm(self) -> None:
        """Have this process die there."""
        counting = self.within is None
        calls = 0

        def enter(work: Callable[[], Any]) -> Any:
            nonlocal counting
            counting = True
            return work()

        def count(work: Callable[[], Any]) -> Any:
            nonlocal calls
            calls += counting
            ours = counting and calls == self.call
            if ours and self.when == "before":
                os.kill(os.getpid(), self.number)
            result = work()
            if ours and self.when == "after":
                os.kill(os.getpid(), self.number)
            return result

        if self.within is not None:
            _wrap(self.within, enter)
        _wrap(self.target, count)


def _name(target: str | None) -> str:
    return str(target).replace(":", ".").rpartition(".")[2].lstrip("_")


def _wrap(target: str, around: Callable[[Callable[[], Any]], Any]) -> None:
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        return around(lambda: original(*arguments, **keywords))

    setattr(owner, name, wrapped)


NOWHERE = "nowhere"


def main(point: str, command: str, *arguments: str) -> None:
    """Load what the command needs, arm the point, and go to work."""
    works = {
        "job": run_job,
        "calls": run_and_count,
        "all": export_all,
        "dispatch": dispatch_slots,
        "cli": command_line,
    }
    work = works[command](*arguments)
    if point != NOWHERE:
        facts = json.loads(point)
        (Moment if "phase" in facts else Point)(**facts).arm()
    try:
        work()
    except ExportPipelinesError as error:
        sys.exit(f"error: {error}")


def forked(environ: Mapping[str, str], folder: str, said: Sequence[str], arguments: Sequence[str]) -> None:
    """The same in a process that was forked from one that has everything loaded.

    Args:
        environ: the whole environment.
        folder: where to stand.
        said: the files for standard output and standard error.
        arguments: of :func:`main`.
    """
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for stream, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    main(*arguments)


def run_job(job_id: str, *apart: str) -> Callable[[], None]:
    """The job's five steps, by the function that scripts call."""
    from export_pipelines.cli import session
    from export_pipelines.steps import export

    def work() -> None:
        with session.services() as services:
            export.run_export(services, job_id, alone=not apart)

    return work


def run_and_count(job_id: str, *apart: str) -> Callable[[], None]:
    """The job's steps; then how many calls each made, as JSON on standard output."""
    run = run_job(job_id, *apart)

    def work() -> None:
        calls = count_calls()
        run()
        sys.stdout.write(json.dumps(calls))
        # Whoever forked this process ends it without the interpreter's last moves.
        sys.stdout.flush()

    return work


def export_all(folder: str) -> Callable[[], None]:
    """Every export type of the demonstration data, the files under ``folder``."""
    from pathlib import Path

    from export_pipelines.cli import session
    from export_pipelines.cli.exports import copy_out
    from export_pipelines.steps import export
    from export_pipelines.steps.submit import submit
    from export_pipelines_tests.steps.orders import EVALUATION, order

    def work() -> None:
        with session.services() as services:
            for type_ in EVALUATION:
                job = export.run_export(services, submit(services, order(type_.name)).id)
                assert copy_out(services, job, Path(folder))

    return work


def dispatch_slots() -> Callable[[], None]:
    """What one tick of the schedule ``dispatch_schedules`` does."""
    from export_pipelines.cli import session
    from export_pipelines.orchestration.cron import wall_times
    from export_pipelines.steps import dispatch

    def work() -> None:
        with session.services() as services:
            dispatch.dispatch(services, wall_times)

    return work


def command_line(*arguments: str) -> Callable[[], None]:
    """``export-pipelines``, as its script starts it."""
    sys.argv = ["export-pipelines", *arguments]
    from export_pipelines.cli.main import run

    return run


if __name__ == "__main__":
    main(*sys.argv[1:])
