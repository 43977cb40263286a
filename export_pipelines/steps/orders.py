"""Orders out of what somebody typed, in a form, on a command line or in a program's request: one way for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ValidationError
from export_pipelines.steps.submit import Order


@dataclass(frozen=True, kw_only=True)
class Of:
    """What an export is of, as it was typed: one of these, whichever the type needs; each as in :class:`Order`."""

    run_id: str | None = None
    definition_id: str | None = None
    day: str | None = None
    positions: str | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """Who is told of the end, and what they get.

    Attributes:
        recipients: e-mail addresses, and ``webhook:`` with a name.
        named_by: what they are called where they are typed, for the message when there are none.
    """

    recipients: Sequence[str] = ()
    include_download_link: bool = True
    attach_file: bool = False
    named_by: str = "recipients"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the file shall be, whatever it is of."""

    options: Mapping[str, Any] = field(default_factory=dict)
    expiry_hours: int = 24
    title: str = ""


def build_order(
    type_name: str, *, user: str, of: Of | None = None, terms: Terms | None = None, told: Told | None = None
) -> Order:
    """The order; whether it can be carried out is for ``submit.check`` to say.

    Raises:
        ValidationError: there is something to get, and nobody to get it.
    """
    what, how = of or Of(), terms or Terms()
    return Order(
        type=type_name,
        user=user,
        run_id=what.run_id,
        definition_id=what.definition_id,
        day=what.day,
        positions=what.positions,
        expiry_hours=how.expiry_hours,
        options=how.options,
        title=how.title,
        delivery=None if told is None else delivery_of(told),
    )


def delivery_of(told: Told) -> DeliveryRequest | None:
    """The delivery; None when nobody is told.

    Raises:
        ValidationError: as :func:`build_order`.
    """
    if told.recipients:
        return DeliveryRequest(
            recipients=tuple(dict.fromkeys(told.recipients)),
            include_download_link=told.include_download_link,
            attach_file=told.attach_file,
        )
    if told.attach_file or not told.include_download_link:
        raise ValidationError(
            f"an attached file, or a message without a link, needs somebody who gets it; say who with {told.named_by}."
        )
    return None
