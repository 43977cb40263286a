"""Watching jobs: what pollers and event streams ask again and again, answered many at a time by one statement."""

from export_pipelines.db.watching.records import Question, Sight
from export_pipelines.db.watching.watcher import Watcher

__all__ = ["Question", "Sight", "Watcher"]
