"""Create: make a job for a caller, within the caller's limits, and once only for requests that are one.

What counts as a creating request: one that made a job, or had one taken up again. One that was refused made nothing and
does not count, nor does one that only repeats another under its key.
"""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import UnavailableError, ValidationError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.db.jobs import Asking, Made, Place
from export_pipelines.db.repeats import RequestKey
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.estimate import Estimate, estimate
from export_pipelines.steps.offers import require_offered
from export_pipelines.steps.queue import places_of
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, check, require_ready

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, kw_only=True)
class Created:
    """What became of a creating request.

    Attributes:
        replayed: the job was made by an earlier request with the same key.
        place: where it stands in the queue; None when it does not wait there.
        estimate: what it will come to; None when the database was too busy to tell.
    """

    job: ExportJob
    replayed: bool
    place: Place | None
    estimate: Estimate | None


def create(services: Services, caller: Caller, order: Order, *, key: str | None = None) -> Created:
    """Check the order and make its PENDING job, with the key, the count and the audit entry in one transaction.

    Args:
        services: collaborators.
        caller: who asks; the order is for them.
        order: what they ask for.
        key: the same for requests that are one; None for another job each time.

    Raises:
        ValidationError, NotFoundError, ForbiddenError: the order is wrong, or not for this caller.
        KeyReusedError: the key came with another order within a day.
        ConflictError: the key's job was deleted.
        TooManyRequestsError: the caller has asked too often.
        StoreUnavailableError, DatabaseUnavailableError: the world is away; nothing was created.
    """
    require_offered(caller, order.type)
    asking = asking_of(services, caller, key=key, fingerprint=fingerprint("create", order))
    earlier = jobs.made_before(services.database, asking, now=services.clock())
    if earlier is not None:
        return created_of(services, Made(job=earlier, replayed=True))
    request = check(services, order)
    require_ready(services)
    return created_of(services, jobs.create_once(services.database, request, asking, now=services.clock()))


def created_of(services: Services, made: Made) -> Created:
    """What there is to say of a job that is made: by now, a database that is away is no reason to say nothing."""
    place, size = None, None
    with suppress(UnavailableError):
        place = places_of(services, [made.job]).get(made.job.id)
        size = estimate(services, export_type(made.job.type), str(made.job.input["subject_id"]))
    return Created(job=made.job, replayed=made.replayed, place=place, estimate=size)


def asking_of(services: Services, caller: Caller, *, key: str | None, fingerprint: str) -> Asking:
    """Who asks, under which key, and how often they may.

    Raises:
        ValidationError: the key is not of a kind that we keep.
    """
    if key is not None and not _KEY.fullmatch(key):
        raise ValidationError("Idempotency-Key must have 1 to 255 visible ASCII characters; a UUID is a good one.")
    return Asking(
        user_id=caller.user.id,
        actor=caller.actor,
        key=None if key is None else RequestKey(text=key, fingerprint=fingerprint),
        most=services.settings.create_requests_per_hour,
    )


def fingerprint(call: str, order: Order | None = None) -> str:
    """A hash that is equal for the same call with the same order, however its fields and options were put."""
    stated = {} if order is None else {**asdict(order), "type": order.type.upper()}
    return hashlib.sha256(json.dumps([call, stated], sort_keys=True).encode()).hexdigest()
