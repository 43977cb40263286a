"""What every step talks to, in one record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database
from export_pipelines.storage.store import ObjectStore


def tell_nobody(job: ExportJob, message: str) -> None:
    """Scripts and tests read the row."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """A step's collaborators.

    Attributes:
        clock: the present moment, aware and UTC; injected so that nothing below asks the machine.
        tell: hears every few seconds how a long step comes along, on the step's own thread.
    """

    database: Database
    store: ObjectStore
    settings: Settings
    clock: Callable[[], datetime]
    tell: Callable[[ExportJob, str], None] = tell_nobody
