"""Posting a signed message to a webhook: to an address that was checked, following nothing, within a time."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from export_pipelines.core.errors import (
    ReceiverGoneError,
    ReceiverUnavailableError,
    ValidationError,
)
from export_pipelines.core.settings import IPNetwork
from export_pipelines.delivering.networks import Resolver, checked_addresses, resolve
from export_pipelines.delivering.signatures import headers

_SHAPE = "a webhook's URL begins with https:// or http:// and a host, without user, password or fragment"
_HOST = re.compile(rb"[0-9A-Za-z._:-]+")
_GONE = 410
_LONGEST_URL = 2000
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Seconds for each step on the way; the whole has a limit of its own."""
_ANSWER_BYTES = 64 * 1024
"""Read so that the receiver gets to its end; more is left unread, and nobody looks at what was said."""


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
        self._addresses(read_url(url))

    def post(self, url: str, body: bytes, *, secret: str, message_id: str, now: datetime) -> int:
        """Post a message; the status that the receiver answered, 200 to 299.

        Raises:
            DeliveryRefusedError: the address may not be reached.
            ReceiverGoneError: the receiver wants no more messages.
            ReceiverUnavailableError: anything else went wrong: later it may not.
        """
        target = read_url(url)
        addresses = self._addresses(target)
        signed = headers(secret, message_id=message_id, timestamp=int(now.timestamp()), body=body)
        sent = {"content-type": "application/json", "user-agent": "export-pipelines", **signed}
        exchange = _Exchange(target=target, addresses=addresses, body=body, headers=sent)
        return _judged(target.host, exchange.run(self.seconds))

    def _addresses(self, target: httpx.URL) -> tuple[str, ...]:
        host = target.raw_host.decode("ascii")
        return checked_addresses(host, _port(target), resolver=self.resolver, allowed=self.allowed)


@dataclass(frozen=True, kw_only=True)
class _Exchange:
    """One message on its way."""

    target: httpx.URL
    addresses: Sequence[str]
    body: bytes
    headers: dict[str, str]
    answers: list[httpx.Response] = field(default_factory=list)

    def run(self, seconds: float) -> httpx.Response:
        """The answer's status and headers."""
        try:
            # Only a loop can stop a receiver that goes on for ever, a byte at a time.
            asyncio.run(asyncio.wait_for(self._post(), seconds))
        except TimeoutError as error:
            if not self.answers:
                raise _away(self.target.host, f"no answer within {seconds:g} seconds") from error
        except httpx.HTTPError as error:
            # What comes after the answer's head cannot change that the message has arrived.
            if not self.answers:
                raise _away(self.target.host, str(error) or type(error).__name__) from error
        return self.answers[0]

    async def _post(self) -> None:
        # The environment's proxies are left aside: a proxy would resolve the name once more.
        client = httpx.AsyncClient(
            verify=httpx.create_ssl_context(), trust_env=False, follow_redirects=False, timeout=_TIMEOUT
        )
        # It would log whole addresses, and those may be secrets.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        async with client:
            for address in self.addresses[:-1]:
                try:
                    return await self._post_to(client, address)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
            return await self._post_to(client, self.addresses[-1])

    async def _post_to(self, client: httpx.AsyncClient, address: str) -> None:
        host = self.target.raw_host.decode("ascii")
        request = client.build_request(
            "POST",
            # To the very address that was checked; a name would be resolved again, to who knows what.
            self.target.copy_with(host=address),
            content=self.body,
            headers={**self.headers, "host": self.target.netloc.decode("ascii")},
            # The name that TLS asks for, and that the certificate must be for.
            extensions={"sni_hostname": host},
        )
        response = await client.send(request, stream=True)
        self.answers.append(response)
        try:
            received = 0
            async for piece in response.aiter_raw():
                received += len(piece)
                if received > _ANSWER_BYTES:
                    break
        finally:
            await response.aclose()


def read_url(text: str) -> httpx.URL:
    """The URL of a webhook.

    Raises:
        ValidationError: it can be none; the message does not repeat it, since it may hold a secret.
    """
    try:
        url = httpx.URL(text)
        usable = len(text) <= _LONGEST_URL and _is_usable(url)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise ValidationError(f"{_SHAPE}; what is given has another shape.")
    return url


def _is_usable(url: httpx.URL) -> bool:
    named = url.scheme in ("http", "https") and _HOST.fullmatch(url.raw_host) is not None
    return named and not url.userinfo and not url.fragment and 0 < _port(url) < 65536


def _port(url: httpx.URL) -> int:
    return url.port if url.port is not None else {"http": 80}.get(url.scheme, 443)


def _judged(host: str, response: httpx.Response) -> int:
    status = response.status_code
    if response.is_success:
        return status
    if status == _GONE:
        raise ReceiverGoneError(f"{host} answered 410: it wants no more messages; its webhook is paused now.")
    if 300 <= status < 400:
        raise _away(host, f"it answered {status}, and redirects are not followed; give the webhook's final address")
    raise _away(host, f"it answered {status}", retry_after=_retry_after(response))


def _away(host: str, reason: str, *, retry_after: float | None = None) -> ReceiverUnavailableError:
    return ReceiverUnavailableError(
        f"the webhook at {host} did not take the message: {reason}", retry_after=retry_after
    )


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds that the receiver asks for; the form with a date is rare and means nothing to us."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
