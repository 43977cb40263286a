"""What a session of tests does to itself before the first of them."""

import signal
import subprocess
import sys

from export_pipelines_tests.deployments import TREE

IN_THE_BACKGROUND = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from export_pipelines_tests.conftest import hear_interrupts
hear_interrupts()
# As Dagster does in a process that carries out a run.
signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
child.terminate()
print(child.wait())
"""


def test_what_is_started_from_a_session_in_the_background_can_be_told_to_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_BACKGROUND], capture_output=True, text=True, check=True, timeout=60, cwd=TREE
    )
    assert done.stdout == f"{-signal.SIGTERM}\n"
