"""Subscribe: check a subscription, new or changed, as far as it can be before there is a run, and write it down."""

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
        definition, tag: id, beginning of an id or name of the definition; id or name of the tag. Neither means all
            runs.
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
    return subscriptions.add(services.database, _checked(services, wish), now=services.clock())


def change(services: Services, subscription: Subscription, wish: Wish) -> Subscription:
    """Have the subscription be another one, checked as if it were made now; a paused one stays paused.

    When it is about other runs than before, it answers to runs completed from now on. What it has answered to stays
    answered.

    Raises:
        ValidationError, NotFoundError: the wish is wrong; nothing was changed.
        ConflictError: its owner has another subscription of that name, or this one was changed meanwhile.
    """
    return subscriptions.alter(services.database, subscription, _checked(services, wish), now=services.clock())


def wish_of(subscription: Subscription) -> Wish:
    """What the subscription asks for now."""
    return Wish(
        order=order_of(subscription),
        name=subscription.name,
        definition=subscription.subject_id if subscription.runs_of is RunsOf.DEFINITION else None,
        tag=subscription.subject_id if subscription.runs_of is RunsOf.TAG else None,
    )


def order_of(subscription: Subscription) -> Order:
    """What each export of the subscription shall be like; of which run, each run says for itself."""
    return Order(
        type=subscription.type,
        user=subscription.user_id,
        expiry_hours=subscription.expiry_hours,
        options=subscription.options,
        delivery=subscription.delivery,
    )


def _checked(services: Services, wish: Wish) -> NewSubscription:
    """The wish as a subscription that can be kept."""
    type_ = export_type(wish.order.type)
    if type_.subject is not Subject.RUN:
        of_runs = ", ".join(offered.name for offered in EXPORT_TYPES if offered.subject is Subject.RUN)
        raise ValidationError(
            f"{type_.name} exports a {type_.subject}, but a subscription is about runs; choose one of {of_runs}."
        )
    terms = check_terms(services, wish.order)
    runs_of, subject_id, subject = _subject(services, wish)
    return NewSubscription(
        name=_name(wish.name or f"{type_.name} of {subject}"[:NAME_LENGTH]),
        user_id=terms.user_id,
        runs_of=runs_of,
        subject_id=subject_id,
        type=terms.type,
        options=terms.options,
        expiry_hours=terms.expiry_hours,
        delivery=terms.delivery,
    )


def _subject(services: Services, wish: Wish) -> tuple[RunsOf, str | None, str]:
    """Which runs, the id of what they are of, and how a made-up name speaks of them."""
    if wish.definition is not None and wish.tag is not None:
        raise ValidationError("a subscription is about one definition, or one tag, or all runs; give one of them.")
    if wish.definition is not None:
        definition = lookup.find_definition(services.database, wish.definition)
        return RunsOf.DEFINITION, definition.id, definition.name
    if wish.tag is None:
        return RunsOf.ALL, None, "all runs"
    known = tags.list_all(services.database)
    fitting = [tag for tag in known if tag.id == wish.tag] or [tag for tag in known if tag.name == wish.tag]
    if not fitting:
        names = ", ".join(tag.name for tag in known)
        raise NotFoundError(f"There is no tag called {wish.tag!r}; there are {names or 'none'}.")
    return RunsOf.TAG, fitting[0].id, f"tag {fitting[0].name}"


def _name(text: str) -> str:
    name = text.strip()
    if not name.isprintable() or not 0 < len(name) <= NAME_LENGTH:
        raise ValidationError(
            f"{name[:40]!r} cannot be a subscription's name: it must have 1 to {NAME_LENGTH} printable characters."
        )
    return name
