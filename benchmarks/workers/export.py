"""One whole export without Dagster, from its submission to COMPLETED: ``TYPE RUN_ID [OPTION=VALUE ...]``."""

import json
import sys

from benchmarks.data import USER_EMAIL
from benchmarks.usage import Usage, peak_mib
from export_pipelines.cli import session
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import Order, submit


def main() -> None:
    type_name, run_id, *pairs = sys.argv[1:]
    options = dict(pair.split("=", 1) for pair in pairs)
    with session.services() as services:
        usage = Usage()
        job = submit(services, Order(type=type_name, user=USER_EMAIL, run_id=run_id, options=options))
        done = run_export(services, job.id)
        said = {
            **usage.so_far(),
            "peak_mib": peak_mib(),
            "job_id": done.id,
            "rows": done.record_count,
            "bytes": done.output_size_bytes,
            "path": str(services.store.local_path(done.output_path or "")),
        }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
