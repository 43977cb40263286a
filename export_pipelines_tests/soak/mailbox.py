"""A real SMTP server in a process of its own, which may be killed and comes back at the same address.

Mail is on disk before the server says that it has it, so a sender that was told so cannot be wrong.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from export_pipelines_tests.dagster_parts import answers
from export_pipelines_tests.dagster_ui import soon
from export_pipelines_tests.deployments import TREE

REFUSED = "nobody@example.net"
"""A recipient that the server does not know: what is for it is given up at once."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as it arrived."""

    message_id: str
    recipient: str


@dataclass(kw_only=True)
class Mailbox:
    """The server, and what it has taken since it was first started."""

    folder: Path
    port: int
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Have it answer, unless it does."""
        if self._process is None:
            command = [sys.executable, "-m", __name__, str(self.folder), str(self.port)]
            self._process = subprocess.Popen(command, cwd=TREE, stderr=subprocess.DEVNULL)
            soon(lambda: answers(self.port), seconds=60)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.kill()

    @property
    def mails(self) -> list[Mail]:
        """Everything so far, in order."""
        return [Mail(**json.loads(path.read_text())) for path in sorted(self.folder.glob("*.json"))]


class _Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == REFUSED:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        unfinished = self._folder / f"{time.time_ns():020}"
        facts = {"message_id": message["Message-ID"].strip(), "recipient": envelope.rcpt_tos[0]}
        unfinished.write_text(json.dumps(facts))
        unfinished.rename(f"{unfinished}.json")
        return "250 OK"


def main(folder: str, port: str) -> None:
    """Serve until killed."""
    controller = Controller(_Keeper(Path(folder)), hostname="127.0.0.1", port=int(port))
    controller.start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
