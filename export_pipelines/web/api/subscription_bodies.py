"""What requests about subscriptions are made of."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from export_pipelines.core.errors import ValidationError
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.orders import Terms, Told, build_order, delivery_of
from export_pipelines.steps.submit import HOURS
from export_pipelines.steps.subscribe import NAME_LENGTH, Wish
from export_pipelines.web.api.bodies import Body
from export_pipelines.web.api.export_bodies import DeliveryBody, Text

_WHICH = "say which runs: definitionId, tag or all, and only one of them."


class SubscriptionBody(Body):
    """Which runs, and what their exports are like. Exactly one of `definitionId`, `tag` and `all`."""

    type: str = Field(min_length=1, max_length=63, description="A type that exports a run, like `RUN_BUNDLE`.")
    definition_id: Text | None = Field(default=None, description="Runs of this definition: id, or name.")
    tag: Text | None = Field(default=None, description="Runs of definitions that have this tag as the run completes.")
    all: bool = Field(default=False, description="All runs.")
    name: str = Field(default="", max_length=NAME_LENGTH, description="What to call it; made up without it.")
    options: dict[Annotated[str, Field(max_length=63)], bool | Text] = Field(default={}, max_length=20)
    expiry_hours: int = Field(default=24, ge=HOURS.start, le=HOURS.stop - 1, description="Hours that files are kept.")
    delivery: DeliveryBody | None = None

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [{"type": "RUN_BUNDLE", "tag": "health", "delivery": {"recipients": ["ada@example.org"]}}]
        },
    )

    def wish(self, caller: Caller) -> Wish:
        """The subscription, for the caller.

        Raises:
            ValidationError: it does not say which runs.
        """
        if [self.definition_id is not None, self.tag is not None, self.all].count(True) != 1:
            raise ValidationError(_WHICH)
        terms = Terms(options=self.options, expiry_hours=self.expiry_hours)
        told = None if self.delivery is None else Told(**self.delivery.model_dump())
        order = build_order(self.type, user=caller.user.id, terms=terms, told=told)
        return Wish(order=order, name=self.name, definition=self.definition_id, tag=self.tag)


class SubscriptionChange(Body):
    """What shall be different; what is left out stays. The type stays; options are given anew as a whole.

    Which runs it is about is said by exactly one of `definitionId`, `tag` and `all`, or by none of them to leave it.
    """

    name: str = Field(default_factory=str, max_length=NAME_LENGTH, description="What to call it; made up when empty.")
    definition_id: Text = Field(default_factory=str, description="Runs of this definition: id, or name.")
    tag: Text = Field(default_factory=str, description="Runs of definitions that have this tag as the run completes.")
    all: bool = Field(default_factory=bool, description="All runs.")
    options: dict[Annotated[str, Field(max_length=63)], bool | Text] = Field(default_factory=dict, max_length=20)
    expiry_hours: int = Field(default_factory=lambda: HOURS.start, ge=HOURS.start, le=HOURS.stop - 1)
    delivery: DeliveryBody | None = Field(default=None, description="`null`: nobody is told any more.")

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"tag": "multilingual", "options": {"strict": True}}]}
    )

    def wish(self, now: Wish) -> Wish:
        """What it asks for now, with what is different.

        Raises:
            ValidationError: it does not say which runs, or a message was ordered for nobody.
        """
        given = self.model_fields_set
        ordered: dict[str, Any] = {name: getattr(self, name) for name in ("options", "expiry_hours") if name in given}
        wished: dict[str, Any] = {"name": self.name} if "name" in given else {}
        if "delivery" in given:
            ordered["delivery"] = self.delivery and delivery_of(Told(**self.delivery.model_dump()))
        if given & {"definition_id", "tag", "all"}:
            wished |= self._which()
        return replace(now, order=replace(now.order, **ordered), **wished)

    def _which(self) -> dict[str, str | None]:
        """Which runs, in the terms of a wish; as with those of a new one, `all: false` says nothing."""
        named = {name: getattr(self, name) for name in ("definition_id", "tag") if name in self.model_fields_set}
        if len(named) + self.all != 1:
            raise ValidationError(_WHICH)
        return {"definition": named.get("definition_id"), "tag": named.get("tag")}
