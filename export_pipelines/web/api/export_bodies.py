"""What requests for exports are made of."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from export_pipelines.steps.callers import Caller
from export_pipelines.steps.orders import Of, Terms, Told, build_order
from export_pipelines.steps.recipients import MOST_RECIPIENTS
from export_pipelines.steps.submit import HOURS, TITLE_LENGTH, Order
from export_pipelines.web.api.bodies import Body

Text = Annotated[str, Field(max_length=500)]
EXAMPLE: dict[str, Any] = {
    "type": "BULK_CSV",
    "runId": "c4yyvpdcu2ohltd2j2wix57oa",
    "options": {"profile": "flat"},
    "title": "April, for the meeting",
    "expiryHours": 48,
    "delivery": {"recipients": ["ada@example.org"], "includeDownloadLink": True, "attachFile": False},
}


class DeliveryBody(Body):
    """Who is told when the export has ended, and what they get."""

    recipients: list[Text] = Field(
        min_length=1, max_length=MOST_RECIPIENTS, description="E-mail addresses; `webhook:NAME` is a webhook of yours."
    )
    include_download_link: bool = True
    attach_file: bool = Field(default=False, description="E-mails have the file itself when it is small enough.")

    model_config = ConfigDict(strict=True)


class ExportBody(Body):
    """What to export, and how; `GET /api/types` says what each type takes."""

    type: str = Field(min_length=1, max_length=63, description="Like `BULK_CSV`; any case.")
    run_id: Text | None = Field(
        default=None,
        description="A run: its id, four or more characters of its beginning, or its name; `@latest` is the run that "
        "was completed last, `@latest:DEFINITION` that of a definition.",
    )
    definition_id: Text | None = Field(default=None, description="A definition: its id, or as for runs.")
    day: Text | None = Field(default=None, description="A day that is over, UTC, like `2026-03-01`; or `@yesterday`.")
    positions: Text | None = Field(default=None, description="Of the audit log, like `1-2000`; all without it.")
    options: dict[Annotated[str, Field(max_length=63)], bool | Text] = Field(default={}, max_length=20)
    title: str = Field(default="", max_length=TITLE_LENGTH, description="What lists call it; made up without it.")
    expiry_hours: int = Field(default=24, ge=HOURS.start, le=HOURS.stop - 1, description="Hours that the file is kept.")
    delivery: DeliveryBody | None = None

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [EXAMPLE]})

    def order(self, caller: Caller) -> Order:
        """The order, for the caller."""
        told = self.delivery
        return build_order(
            self.type,
            user=caller.user.id,
            of=Of(run_id=self.run_id, definition_id=self.definition_id, day=self.day, positions=self.positions),
            terms=Terms(options=self.options, expiry_hours=self.expiry_hours, title=self.title.strip()),
            told=None if told is None else Told(**told.model_dump()),
        )
