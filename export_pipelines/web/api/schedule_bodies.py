"""What requests about schedules are made of."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from export_pipelines.core.schedules import MissedSlots
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.orders import Told, delivery_of
from export_pipelines.steps.schedules import NAME_LENGTH, Plan
from export_pipelines.steps.submit import HOURS, TITLE_LENGTH
from export_pipelines.web.api.bodies import Body
from export_pipelines.web.api.export_bodies import DeliveryBody, ExportBody, Text

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, description="Unique among your schedules.")]
Pattern = Annotated[
    str, Field(min_length=1, max_length=200, description="Five fields, like `30 2 * * *`; or `@daily` and the like.")
]
Zone = Annotated[str, Field(min_length=1, max_length=100, description="IANA time zone that the pattern is meant in.")]
Policy = Annotated[
    Literal["SKIP", "RUN_ONCE"], Field(description="After an outage: leave what was missed, or run the newest once.")
]
_ORDERED = ("run_id", "definition_id", "day", "options", "expiry_hours")
_PLANNED = ("name", "cron_pattern", "timezone")
EXAMPLE: dict[str, Any] = {
    "name": "nightly",
    "cronPattern": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "missedSlots": "RUN_ONCE",
    "type": "BULK_CSV",
    "runId": "@latest",
    "options": {"profile": "flat"},
    "delivery": {"recipients": ["ada@example.org"]},
}


class ScheduleBody(ExportBody):
    """What to export at each time, and the times. `@latest` and `@yesterday` are asked for at each."""

    name: Name
    cron_pattern: Pattern
    timezone: Zone = "UTC"
    missed_slots: Policy = "SKIP"

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [EXAMPLE]})

    def plan(self, caller: Caller) -> Plan:
        """The plan, for the caller."""
        return Plan(
            order=self.order(caller),
            name=self.name,
            cron_pattern=self.cron_pattern,
            timezone=self.timezone,
            missed_slots=MissedSlots(self.missed_slots),
        )


class ScheduleChange(Body):
    """What shall be different; what is left out stays. The type stays; options are given anew as a whole."""

    name: Name = Field(default_factory=str)
    cron_pattern: Pattern = Field(default_factory=str)
    timezone: Zone = Field(default_factory=str)
    missed_slots: Policy = Field(default_factory=lambda: "SKIP")
    run_id: Text = Field(default_factory=str, description="As in requests for exports; likewise the others.")
    definition_id: Text = Field(default_factory=str)
    day: Text = Field(default_factory=str)
    options: dict[Annotated[str, Field(max_length=63)], bool | Text] = Field(default_factory=dict, max_length=20)
    title: str = Field(default_factory=str, max_length=TITLE_LENGTH)
    expiry_hours: int = Field(default_factory=lambda: HOURS.start, ge=HOURS.start, le=HOURS.stop - 1)
    delivery: DeliveryBody | None = Field(default=None, description="`null`: nobody is told any more.")

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"cronPattern": "0 6 * * 1", "timezone": "Europe/Berlin"}]}
    )

    def plan(self, now: Plan) -> Plan:
        """The plan as it is now, with what is different.

        Raises:
            ValidationError: a message was ordered for nobody.
        """
        given = self.model_fields_set
        ordered: dict[str, Any] = {name: getattr(self, name) for name in _ORDERED if name in given}
        planned: dict[str, Any] = {name: getattr(self, name) for name in _PLANNED if name in given}
        if "title" in given:
            ordered["title"] = self.title.strip()
        if "delivery" in given:
            ordered["delivery"] = self.delivery and delivery_of(Told(**self.delivery.model_dump()))
        if "missed_slots" in given:
            planned["missed_slots"] = MissedSlots(self.missed_slots)
        return replace(now, order=replace(now.order, **ordered), **planned)
