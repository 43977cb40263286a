"""One whole export to an S3 server, and the bytes that cross to compose its file: ``TYPE RUN_ID HOST PORT``.

HOST and PORT are the server's; the store is told of a proxy in between, which counts all that passes, headers and all.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.counting_proxy import CountingProxy
from benchmarks.data import USER_EMAIL
from benchmarks.usage import Usage, peak_mib
from export_pipelines.cli import session
from export_pipelines.core.frozen import Segment
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import Order, submit
from export_pipelines.storage.store import ObjectStore, Proceed, uninterrupted


class Watched:
    """A store that notes what crosses while objects are composed; in everything else the store it stands before."""

    def __init__(self, store: ObjectStore, proxy: CountingProxy) -> None:
        self.crossed = 0
        self._store = store
        self._proxy = proxy

    def compose(
        self, key: str, segments: Sequence[Segment], *, media_type: str, proceed: Proceed = uninterrupted
    ) -> None:
        """Compose, and count."""
        before = self._proxy.bytes
        self._store.compose(key, segments, media_type=media_type, proceed=proceed)
        self.crossed += self._proxy.bytes - before

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self._store, name)


def main() -> None:
    type_name, run_id, host, port = sys.argv[1:]
    with CountingProxy((host, int(port))) as proxy:
        os.environ["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{proxy.port}"
        with session.services() as opened:
            watched = Watched(opened.store, proxy)
            services = replace(opened, store=watched)
            usage = Usage()
            job = submit(services, Order(type=type_name, user=USER_EMAIL, run_id=run_id))
            done = run_export(services, job.id)
            said = {
                **usage.so_far(),
                "peak_mib": peak_mib(),
                "bytes": done.output_size_bytes,
                "crossed": watched.crossed,
                "crossed_in_all": proxy.bytes,
            }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
