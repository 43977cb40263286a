"""How many exports run at a time, looked at again and again while something goes on."""

import threading
from collections import Counter
from typing import Any

import psycopg

from export_pipelines.db.database import Database

RUNNING = """SELECT user_id FROM exports.export_jobs WHERE status = 'PROCESSING' AND launch_after IS NULL
OR status IN ('PENDING', 'PROCESSING') AND claimed_at IS NOT NULL"""


class Sampling:
    """Looks how many run while the block lasts.

    Attributes:
        samples: how often it has looked.
        most: how many ran at a time, at most.
        trouble: what was seen that exceeds a limit: how many of whom.
    """

    def __init__(self, database: Database, *, total: int, per_user: int) -> None:
        self.samples = self.most = 0
        self.trouble: list[Any] = []
        self._database, self._total, self._per_user = database, total, per_user
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Sampling":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        with psycopg.connect(self._database.libpq_url, autocommit=True) as connection:
            while not self._over.wait(0.05):
                users = Counter(user for (user,) in connection.execute(RUNNING.encode()))
                self.samples += 1
                self.most = max(self.most, users.total())
                if users.total() > self._total or max(users.values(), default=0) > self._per_user:
                    self.trouble.append(users)
