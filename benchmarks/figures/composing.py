"""Bytes that cross the worker while an S3 object is composed of its parts, as a share of the object's size."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from benchmarks.figure import Figure, Group
from benchmarks.workbench import Workbench, say
from export_pipelines_tests.s3_servers import BUCKET, moto_server

NAME = "s3_compose"
TYPES = ("BULK_JSONL", "RUN_BUNDLE")
"""A file that is one staged object already, and one of many parts with a directory behind them."""


def measure(bench: Workbench, _: Sequence[str]) -> list[Figure]:
    """Against a real server process that copies parts; the figure is the worst type's."""
    say("composing S3 objects ...")
    run_id = bench.run(bench.options.middle)
    shares, each = [], []
    for type_name in TYPES:
        # A server for each: moto keeps every object in memory.
        with moto_server() as server:
            address = urlsplit(server.url)
            more = {**server.environment, "EXPORT_PIPELINES_STORE_URL": f"s3://{BUCKET}/bench"}
            done = bench.work("composing", type_name, run_id, str(address.hostname), str(address.port), **more)
        facts = done.facts
        shares.append(facts["crossed"] / facts["bytes"])
        each.append(
            f"{type_name} {facts['crossed'] / 1024:.0f} KiB for {facts['bytes'] / 1e6:.0f} MB "
            f"({facts['crossed_in_all'] / facts['bytes']:.2f} times its size in the whole export, staging included)"
        )
    return [
        Figure(
            name=NAME,
            title="bytes crossing the worker to compose an S3 object, over its size",
            value=max(shares),
            must=0.01,
            aim=0,
            detail=f"{'; '.join(each)}; requests and answers with their headers, at the socket",
        )
    ]


GROUPS = (Group(names=(NAME,), measure=measure),)
