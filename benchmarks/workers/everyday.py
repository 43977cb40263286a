"""The summary CSV as a good engineer writes it on an ordinary day: ``sqlalchemy|pandas RUN_ID FILE``.

Streamed, in chunks, with the projection, the join and the order left to the database; no tricks.
"""

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.usage import Usage, peak_mib
from export_pipelines.cli import session

BETWEEN = "\n\n---\n\n"
HEADER = (
    "AI Model Name",
    "Freedom",
    "Harmony",
    "Decision Code",
    "Decision Text",
    "Transcript ID",
    "Target Response",
)
QUERY = sa.text("""
SELECT t.id, t.target_model, t.decision_code, t.decision_text, t.content,
    s.content->'dimensions'->'Freedom' AS freedom, s.content->'dimensions'->'Harmony' AS harmony
FROM evaluation.transcripts t JOIN evaluation.scenarios s ON s.id = t.scenario_id
WHERE t.run_id = :run_id AND t.deleted_at IS NULL
ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
""")


def with_sqlalchemy(connection: sa.Connection, run_id: str, path: Path) -> int:
    """Rows through SQLAlchemy, lines through the csv module; how many rows."""
    rows = connection.execution_options(yield_per=1000).execute(QUERY, {"run_id": run_id})
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in rows:
            writer.writerow(
                (
                    short_name(row.target_model),
                    row.freedom,
                    row.harmony,
                    row.decision_code or "pending",
                    row.decision_text,
                    row.id,
                    responses(row.content),
                )
            )
            count += 1
    return count


def with_pandas(connection: sa.Connection, run_id: str, path: Path) -> int:
    """Frames of 10 000 rows through ``read_sql`` and ``to_csv``; how many rows."""
    import pandas as pd  # noqa: PLC0415 - not for the other one's memory and time

    streaming = connection.execution_options(stream_results=True)
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        for frame in pd.read_sql(QUERY, streaming, params={"run_id": run_id}, chunksize=10_000):
            table = pd.DataFrame(
                {
                    "AI Model Name": frame["target_model"].map(short_name),
                    "Freedom": frame["freedom"],
                    "Harmony": frame["harmony"],
                    "Decision Code": frame["decision_code"].fillna("pending"),
                    "Decision Text": frame["decision_text"],
                    "Transcript ID": frame["id"],
                    "Target Response": frame["content"].map(responses),
                }
            )
            table.to_csv(file, index=False, header=count == 0)
            count += len(table)
    return count


def short_name(model: str) -> str:
    """A model's id without provider and date."""
    return re.sub(r"-[0-9]{8}$", "", model.split(":", 1)[-1])


def responses(content: dict[str, Any]) -> str:
    """All turns' responses."""
    return BETWEEN.join(turn["targetResponse"] for turn in content["turns"])


def main() -> None:
    kind, run_id, path = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    write = {"sqlalchemy": with_sqlalchemy, "pandas": with_pandas}[kind]
    with session.database() as database:
        usage = Usage()
        with database.engine.connect() as connection:
            rows = write(connection, run_id, path)
        said = {**usage.so_far(), "peak_mib": peak_mib(), "rows": rows, "bytes": path.stat().st_size}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
