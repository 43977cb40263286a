"""Subscribe: check a subscription as far as it can be checked before there is a run, and write it down."""

from dataclasses import dataclass

from export_pipelines.catalog.export_type import Subject
from export_pipelines.catalog.types import EXPORT_TYPES, export_type
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.subscriptions import NewSubscription, RunsOf, Subscription
from export_pipelines.db import subscriptions
from export_pipelines.db.evaluation import lookup, tags
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, check_terms

NAME_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A subscription as a person typed it.

    Attributes:
        order: what every export shall be like; it names neither a run nor a definition.
        name: what to call it; made up when empty.
        definition, tag: id, beginning of an id or name of the definition; name of the tag. Neither means all runs.
    """

    order: Order
    name: str = ""
    definition: str | None = None
    tag: str | None = None


def subscribe(services: Services, wish: Wish) -> Subscription:
    """Check the wish and write it down; it answers to runs completed from now on.

    Raises:
        ValidationError, NotFoundError, ConflictError: the wish is wrong; nothing was written.
    """
    type_ = export_type(wish.order.type)
    if type_.subject is not Subject.RUN:
        of_runs = ", ".join(offered.name for offered in EXPORT_TYPES if offered.subject is Subject.RUN)
        raise ValidationError(
            f"{type_.name} exports a {type_.subject}, but a subscription is about runs; choose one of {of_runs}."
        )
    terms = check_terms(services, wish.order)
    runs_of, subject_id, subject = _subject(services, wish)
    new = NewSubscription(
        name=_name(wish.name or f"{type_.name} of {subject}"[:NAME_LENGTH]),
        user_id=terms.user_id,
        runs_of=runs_of,
        subject_id=subject_id,
        type=terms.type,
        options=terms.options,
        expiry_hours=terms.expiry_hours,
        delivery=terms.delivery,
    )
    return subscriptions.add(services.database, new, now=services.clock())


def _subject(services: Services, wish: Wish) -> tuple[RunsOf, str | None, str]:
    """Which runs, the id of what they are of, and how a made-up name speaks of them."""
    if wish.definition is not None and wish.tag is not None:
        raise ValidationError("a subscription is about one definition, or one tag, or all runs; give one of them.")
    if wish.definition is not None:
        definition = lookup.find_definition(services.database, wish.definition)
        return RunsOf.DEFINITION, definition.id, definition.name
    if wish.tag is None:
        return RunsOf.ALL, None, "all runs"
    known = {tag.name: tag.id for tag in tags.list_all(services.database)}
    if wish.tag not in known:
        raise NotFoundError(f"There is no tag called {wish.tag!r}; there are {', '.join(known) or 'none'}.")
    return RunsOf.TAG, known[wish.tag], f"tag {wish.tag}"


def _name(text: str) -> str:
    name = text.strip()
    if not name.isprintable() or not 0 < len(name) <= NAME_LENGTH:
        raise ValidationError(
            f"{name[:40]!r} cannot be a subscription's name: it must have 1 to {NAME_LENGTH} printable characters."
        )
    return name
