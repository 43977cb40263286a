"""Programs with one fate: nothing is left behind, whoever ends first and however."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from export_pipelines.cli.processes import Family, Program, require_free
from export_pipelines.core.errors import ValidationError, WorkError
from export_pipelines_tests.dagster_ui import free_ports

SLEEPER = ("sleep", "600")
# A child with a child of its own, which does not listen when it is asked to end.
PARENT = ("sh", "-c", "trap '' TERM; sleep 600 & sleep 600 & wait; wait")
HEAD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from export_pipelines.cli.processes import Family, Program

    try:
        with Family(environ={"PATH": "/usr/bin:/bin"}, logs=Path(sys.argv[1]), grace=1) as family:
            family.start([Program(name=name, command=sys.argv[2:]) for name in ("one", "two")], seconds=5)
            print(*(child.pid for _, child in family._children.values()), flush=True)
            family.watch()
    except KeyboardInterrupt:
        print("stopped", flush=True)
    """
)


def family(tmp_path: Path) -> Family:
    return Family(environ=dict(os.environ), logs=tmp_path / "logs", grace=0.5)


def members(group: int) -> list[str]:
    """The processes of a group that are more than an exit status."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines())
    return [args for pgid, state, args in rows if int(pgid) == group and not state.startswith("Z")]


def assert_gone(ids: list[int], *, seconds: float = 10) -> None:
    give_up = time.monotonic() + seconds
    while any(map(members, ids)):
        assert time.monotonic() < give_up, [members(group) for group in ids]
        time.sleep(0.05)


def test_a_taken_port_is_named_together_with_the_program_that_wanted_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with pytest.raises(ValidationError, match=f"port {port} of webserver cannot be used .* name another with --ui"):
            require_free(
                [
                    Program(name="daemon", command=SLEEPER),
                    Program(name="webserver", command=(), port=port, option="--ui"),
                ]
            )
    require_free([Program(name="webserver", command=(), port=port)])


def test_a_program_starts_only_when_the_one_before_it_answers(tmp_path) -> None:
    with free_ports(1) as [port]:
        pass
    serve = f"import socket, time; time.sleep(0.5); kept = socket.create_server(('127.0.0.1', {port})); time.sleep(600)"
    look = f"import socket, time; socket.create_connection(('127.0.0.1', {port})); time.sleep(600)"
    with family(tmp_path) as running:
        running.start(
            [
                Program(name="server", command=(sys.executable, "-c", serve), port=port),
                Program(name="client", command=(sys.executable, "-c", look), after="server"),
            ],
            seconds=30,
        )
        time.sleep(0.3)
        running._check_alive()


def test_a_program_that_ends_takes_the_others_with_it_and_its_last_words_are_shown(tmp_path) -> None:
    running = family(tmp_path)
    dying = ("sh", "-c", "sleep 0.3; echo no such table >&2; exit 3")
    with pytest.raises(WorkError, match=r"(?s)second ended with status 3; its log ends:.*no such table"), running:  # noqa: PT012
        running.start([Program(name="first", command=SLEEPER), Program(name="second", command=dying)], seconds=5)
        running.watch()
    assert_gone([child.pid for _, child in running._children.values()], seconds=0)


def test_a_program_that_never_answers_is_given_up_with_its_log(tmp_path) -> None:
    with free_ports(1) as [port]:
        pass
    with pytest.raises(WorkError, match="server did not answer in time"), family(tmp_path) as running:
        running.start([Program(name="server", command=SLEEPER, port=port)], seconds=0.3)


def test_children_that_do_not_listen_are_ended_after_a_while(tmp_path) -> None:
    with family(tmp_path) as running:
        running.start([Program(name="deaf", command=PARENT)], seconds=5)
        [(_, child)] = running._children.values()
        while len(members(child.pid)) < 3:
            time.sleep(0.02)
    assert_gone([child.pid])


def test_signals_mean_again_what_they_meant_before(tmp_path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with family(tmp_path):
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=str)
def test_however_the_head_is_ended_no_child_and_no_grandchild_stays(tmp_path, number) -> None:
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD, str(tmp_path), *PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    ids = [int(word) for word in head.stdout.readline().split()]
    assert len(ids) == 2
    assert all(map(members, ids))
    head.send_signal(number)
    if number != signal.SIGKILL:
        # Impatience changes nothing.
        time.sleep(0.2)
        head.send_signal(number)
        assert head.communicate(timeout=20)[0] == "stopped\n"
        assert head.returncode == 0
    head.wait(timeout=20)
    assert_gone(ids)
