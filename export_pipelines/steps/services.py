"""What every step talks to, in one record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database
from export_pipelines.storage.store import ObjectStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """A step's collaborators.

    Attributes:
        clock: the present moment, aware and UTC; injected so that nothing below asks the machine.
    """

    database: Database
    store: ObjectStore
    settings: Settings
    clock: Callable[[], datetime]
