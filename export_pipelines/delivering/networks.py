"""Which addresses a webhook may be posted to: public ones, and those that the deployment allows.

A webhook's URL is whatever a user types, and we may reach what the user may not: cloud metadata, neighbours, ourselves.
So the host's name is resolved once, every address is looked at, and the connection goes to an address that was.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from export_pipelines.core.errors import DeliveryRefusedError, ReceiverUnavailableError
from export_pipelines.core.settings import IPNetwork

IPAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""From host name and port to addresses as text; raises OSError when there are none."""

_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
_SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24")))
"""Set aside for protocols (RFC 6890, RFC 7526), and not known as such to every version of Python."""


def resolve(host: str, port: int) -> Sequence[str]:
    """What the machine's own resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def checked_addresses(host: str, port: int, *, resolver: Resolver, allowed: Sequence[IPNetwork]) -> tuple[str, ...]:
    """The host's addresses, provided that each of them may be reached.

    Raises:
        DeliveryRefusedError: one of them may not, or the host cannot be a name.
        ReceiverUnavailableError: the name has no address at the moment.
    """
    try:
        found = resolver(host, port)
    except UnicodeError:
        raise DeliveryRefusedError(f"{host[:100]!r} cannot be the name of a host; correct the webhook's URL.") from None
    except OSError as error:
        raise ReceiverUnavailableError(f"the host {host} has no address: {error.strerror or error}.") from error
    if not found:
        raise ReceiverUnavailableError(f"the host {host} has no address.")
    for address in found:
        if not may_reach(ip_address(address), allowed=allowed):
            raise DeliveryRefusedError(
                f"the host {host} has the address {address}, which is not public; webhooks may go there only when "
                "EXPORT_PIPELINES_WEBHOOK_ALLOW_NETWORKS lists its network."
            )
    return tuple(found)


def may_reach(address: IPAddress, *, allowed: Sequence[IPNetwork]) -> bool:
    """Whether the address is public, or in a network that is allowed; what an address wraps counts like itself."""
    meant = _meant(address)
    return _is_public(meant) or any(
        candidate.version == network.version and candidate in network
        for candidate in (address, meant)
        for network in allowed
    )


def _meant(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    special = any(address.version == network.version and address in network for network in _SPECIAL)
    return address.is_global and not (address.is_multicast or address.is_reserved or special)
