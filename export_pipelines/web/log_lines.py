"""Lines of the service's log: every one says which export, run and type it is about, as text or as JSON."""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from types import MappingProxyType

from export_pipelines.core.jobs import ExportJob

UNKNOWN = "-"
_NAMES = ("job", "run", "type")
# One dictionary a request, shared with the threads that its routes run in: what they learn of the job, all lines say.
_about: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)


def begin() -> Token[dict[str, str] | None]:
    """From here on, lines are about a request of its own."""
    return _about.set({})


def end(token: Token[dict[str, str] | None]) -> None:
    """The request is over."""
    _about.reset(token)


def is_about(job_id: str) -> None:
    """The request turned out to be about this export."""
    _note({"job": job_id})


def is_about_job(job: ExportJob) -> None:
    """The request turned out to be about this export, and its row was found."""
    _note({"job": job.id, "run": job.dagster_run_id or UNKNOWN, "type": job.type})


def _note(facts: Mapping[str, str]) -> None:
    about = _about.get()
    if about is not None:
        about.update(facts)


def configure(log_format: str) -> None:
    """Send all loggers' lines to standard error.

    Args:
        log_format: ``text`` or ``json``.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


class TextLines(logging.Formatter):
    """``time LEVEL logger message job=... run=... type=...``; the traceback, if there is one, follows."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """The line itself."""
        fields = {**_fields_of(record), **_job_of_line()}
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in fields.items())])


class JsonLines(logging.Formatter):
    """An object a line: at, level, logger, message, job, run, type, and whatever else the line says by name."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, whatever it holds on one line."""
        line = {
            "at": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
            **_job_of_line(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    """What the line was given by name, with ``extra={"fields": ...}``."""
    fields: Mapping[str, object] = getattr(record, "fields", MappingProxyType({}))
    return fields


def _job_of_line() -> dict[str, str]:
    about = _about.get() or {}
    return {name: about.get(name, UNKNOWN) for name in _NAMES}
