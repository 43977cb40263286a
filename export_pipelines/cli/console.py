"""What the command line prints: tables and notes for people, one JSON object for programs."""

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from export_pipelines.core import sizes
from export_pipelines.core.jobs import ExportJob

out = Console(soft_wrap=True, highlight=False)
notes = Console(stderr=True, soft_wrap=True, highlight=False)
"""Everything that is not the answer itself goes to standard error."""
bytes_shown = sizes.bytes_shown
# Names and titles are other people's: they shall neither steer the terminal nor look like lines of ours.
_STEERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def show_any_text() -> None:
    """Have a terminal that lacks a letter show the letter's number; without this, printing it would be an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(value: object) -> None:
    """One JSON document on standard output, nothing else."""
    # Letters that the locale lacks are escaped as JSON does it; readers get the same text everywhere.
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=plain, indent=2, default=_plain) + "\n")


def job_json(job: ExportJob, *, local_path: str | None) -> dict[str, Any]:
    """The row's fields by their column names, and where the file is on this machine."""
    row = asdict(job)
    row["fidelity"] = list(job.fidelity)
    if local_path is not None:
        row["local_path"] = local_path
    return row


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table; what ``empty`` says when there are no rows."""
    if not rows:
        out.print(empty)
        return
    # Not rich's table: it cuts ids and paths to the terminal's width, and those are there to be copied.
    lines = [list(columns), *([shown(value) for value in row] for row in rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(columns))]
    for line in lines:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True))
        out.print("  ".join(padded).rstrip(), markup=False)


def print_fields(fields: Mapping[str, object]) -> None:
    """One value a line."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        out.print(f"{name:<{width}}  {shown(value)}", markup=False)


def shown(value: object) -> str:
    """A value for people, on one line."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    is_nested = isinstance(value, list | dict | tuple)
    text = json.dumps(value, ensure_ascii=False, default=_plain) if is_nested else str(value)
    return _STEERS.sub(lambda found: repr(found[0])[1:-1], text)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
