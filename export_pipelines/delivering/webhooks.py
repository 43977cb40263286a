"""Webhooks: where a message may be posted, and what the receiver is to know it by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from export_pipelines.core.settings import IPNetwork
from export_pipelines.delivering.networks import Resolver, checked_addresses, resolve
from export_pipelines.delivering.signatures import headers


@dataclass(frozen=True, kw_only=True)
class Poster:
    """Posts messages to webhooks.

    Attributes:
        allowed: networks that may be reached although they are not public.
        seconds: longest that all of one message may take, name resolution aside.
        resolver: from names to addresses.
    """

    allowed: Sequence[IPNetwork] = ()
    seconds: float = 15.0
    resolver: Resolver = field(default=resolve)

    def check(self, url: str) -> None:
        """Refuse what can be no webhook, or leads where none may be.

        Raises:
            ValidationError: the URL has another shape.
            DeliveryRefusedError: its host may not be reached.
            ReceiverUnavailableError: its host has no address at the moment.
        """
        from export_pipelines.delivering.posting import read_url  # noqa: PLC0415 - see that module

        target = read_url(url)
        self._addresses(target.host, target.port)

    def post(self, url: str, body: bytes, *, secret: str, message_id: str, now: datetime) -> int:
        """Post a message; the status that the receiver answered, 200 to 299.

        Raises:
            DeliveryRefusedError: the address may not be reached.
            ReceiverGoneError: the receiver wants no more messages.
            ReceiverUnavailableError: anything else went wrong: later it may not.
        """
        from export_pipelines.delivering.posting import Exchange, judged, read_url  # noqa: PLC0415 - see that module

        target = read_url(url)
        addresses = self._addresses(target.host, target.port)
        signed = headers(secret, message_id=message_id, timestamp=int(now.timestamp()), body=body)
        sent = {"content-type": "application/json", "user-agent": "export-pipelines", **signed}
        exchange = Exchange(target=target, addresses=addresses, body=body, headers=sent)
        return judged(target.host, exchange.run(self.seconds))

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        return checked_addresses(host, port, resolver=self.resolver, allowed=self.allowed)
