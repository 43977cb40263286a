"""Options of commands that change something: all may be left out, and what is left out stays."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ValidationError
from export_pipelines.steps.orders import Told, delivery_of

HoursChange = Annotated[int | None, typer.Option(help="Hours that files are kept, 1 to 168.")]
SetChange = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="An option of the type; those not given get their defaults."),
]
AttachChange = Annotated[
    bool | None,
    typer.Option("--attach-file/--no-attach-file", help="Whether e-mails have the file itself when it is small."),
]
NobodyChange = Annotated[bool, typer.Option("--tell-nobody", help="Nobody is told any more.")]


@dataclass(frozen=True, kw_only=True)
class ToldNow:
    """What shall be different about who is told; None leaves it.

    Attributes:
        nobody: nobody is told any more.
        named_by: the option that names recipients.
    """

    recipients: list[str] | None
    include_download_link: bool | None
    attach_file: bool | None
    nobody: bool
    named_by: str

    def after(self, now: DeliveryRequest | None) -> DeliveryRequest | None:
        """Who is told then; None when nobody is.

        Raises:
            ValidationError: there is something to get and nobody to get it, or nobody and somebody at once.
        """
        terms = given(include_download_link=self.include_download_link, attach_file=self.attach_file)
        if self.nobody:
            if self.recipients or terms:
                raise ValidationError(f"--tell-nobody and {self.named_by} or its like exclude each other.")
            return None
        was = now or DeliveryRequest(recipients=())
        kept = {"include_download_link": was.include_download_link, "attach_file": was.attach_file, **terms}
        return delivery_of(Told(recipients=self.recipients or was.recipients, named_by=self.named_by, **kept))


def given(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - options of every kind
    """Those values that were given."""
    return {name: value for name, value in values.items() if value is not None}
