"""Multipart uploads that are held up in the middle, so that something can happen to who makes them."""

import json
import secrets
import threading
from urllib.parse import parse_qs, urlsplit

from export_pipelines.db.database import Database
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines_tests.s3_refusals import Gate
from export_pipelines_tests.s3_servers import BUCKET

MIB = 1024 * 1024
# Half a MiB in each of so many answers, of what hardly compresses, so that the file has several parts.
GROW = """UPDATE evaluation.transcripts SET content = %s::jsonb
WHERE id IN (SELECT id FROM evaluation.transcripts WHERE run_id = %s AND deleted_at IS NULL ORDER BY id LIMIT %s)"""


def grow(database: Database, *, answers: int) -> None:
    """Let so many answers of the run be long."""
    turn = {"turnNumber": 1, "probePrompt": "?", "targetResponse": secrets.token_hex(MIB // 4)}
    with database.raw_connection() as connection:
        connection.execute(GROW.encode(), [json.dumps({"turns": [turn]}), SHOWCASE_RUN_ID, answers])
        connection.commit()


class Held:
    """Holds the second part of an upload up, until it is let go.

    Attributes:
        ended: how uploads were ended: by POST, which completes one, or by DELETE, which aborts it.
    """

    def __init__(self, gate: Gate, *, below: str) -> None:
        self.came, self.go_on = threading.Event(), threading.Event()
        self.ended: list[str] = []
        self._below = below
        gate.refuses = self._hold

    def _hold(self, method: str, path: str) -> bool:
        asked = parse_qs(urlsplit(path).query)
        if self._below in path and "uploadId" in asked:
            if method in ("POST", "DELETE"):
                self.ended.append(method)
            if asked.get("partNumber") == ["2"]:
                self.came.set()
                assert self.go_on.wait(60)
        return False


def unfinished(client) -> list[str]:
    """The keys of multipart uploads that are neither completed nor aborted."""
    return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]
