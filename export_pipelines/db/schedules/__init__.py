"""Schedules: their rows, and the slots that were turned into exports, each slot once whatever happens."""

from export_pipelines.db.schedules.changes import add, alter, pause, remove, resume
from export_pipelines.db.schedules.firing import fire, refuse, skip_to
from export_pipelines.db.schedules.outcomes import settle
from export_pipelines.db.schedules.queries import due, find, get, list_schedules, page

__all__ = [
    "add",
    "alter",
    "due",
    "find",
    "fire",
    "get",
    "list_schedules",
    "page",
    "pause",
    "refuse",
    "remove",
    "resume",
    "settle",
    "skip_to",
]
