"""Subscriptions: their rows, the completed runs that they have not answered to, and the answers."""

from export_pipelines.db.subscriptions.answers import Answer, record
from export_pipelines.db.subscriptions.reading import active_since, find, get, list_all, page, reactions, tallies
from export_pipelines.db.subscriptions.unanswered import are_indexed, unanswered
from export_pipelines.db.subscriptions.writing import add, alter, pause, remove, resume

__all__ = [
    "Answer",
    "active_since",
    "add",
    "alter",
    "are_indexed",
    "find",
    "get",
    "list_all",
    "page",
    "pause",
    "reactions",
    "record",
    "remove",
    "resume",
    "tallies",
    "unanswered",
]
