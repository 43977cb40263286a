"""One message on its way to a webhook; apart, since the HTTP client takes long to import for those who post nothing."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from export_pipelines.core.errors import ReceiverGoneError, ReceiverUnavailableError, ValidationError

_SHAPE = "a webhook's URL begins with https:// or http:// and a host, without user, password or fragment"
_HOST = re.compile(rb"[0-9A-Za-z._:-]+")
_GONE = 410
_LONGEST_URL = 2000
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Seconds for each step on the way; the whole has a limit of its own."""
_ANSWER_BYTES = 64 * 1024
"""Read so that the receiver gets to its end; more is left unread, and nobody looks at what was said."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A webhook's URL, taken apart by the client that will use it: two readers of one URL may not agree."""

    url: httpx.URL

    @property
    def host(self) -> str:
        """In ASCII."""
        return self.url.raw_host.decode("ascii")

    @property
    def port(self) -> int:
        """Also where the URL leaves it to its scheme."""
        return self.url.port if self.url.port is not None else {"http": 80}.get(self.url.scheme, 443)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One message, and the addresses that it may go to."""

    target: Target
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
        except (httpx.HTTPError, httpx.InvalidURL) as error:
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
        request = client.build_request(
            "POST",
            # To the very address that was checked; a name would be resolved again, to who knows what.
            self.target.url.copy_with(host=address),
            content=self.body,
            headers={**self.headers, "host": self.target.url.netloc.decode("ascii")},
            # The name that TLS asks for, and that the certificate must be for.
            extensions={"sni_hostname": self.target.host},
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


def read_url(text: str) -> Target:
    """The URL of a webhook.

    Raises:
        ValidationError: it can be none; the message does not repeat it, since it may hold a secret.
    """
    try:
        target = Target(url=httpx.URL(text))
        usable = len(text) <= _LONGEST_URL and _is_usable(target)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise ValidationError(f"{_SHAPE}; what is given has another shape.")
    return target


def _is_usable(target: Target) -> bool:
    url = target.url
    named = url.scheme in ("http", "https") and _HOST.fullmatch(url.raw_host) is not None
    return named and not url.userinfo and not url.fragment and 0 < target.port < 65536


def judged(host: str, response: httpx.Response) -> int:
    """The status, provided that it means success.

    Raises:
        ReceiverGoneError: the receiver wants no more messages.
        ReceiverUnavailableError: it did not take this one.
    """
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
