"""Which addresses a webhook may reach: public ones, in whatever form they are written, and no others."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import DeliveryRefusedError, ReceiverUnavailableError
from export_pipelines.delivering.networks import checked_addresses, may_reach, resolve

FORBIDDEN = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.8.8.8 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8
    192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::808:808
    2002:7f00:1:: 2002:a00:1:: 2001::1 2001:db8::1 100::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
    4000::1 5f00::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.215.14 172.15.255.255 172.32.0.1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
    2606:4700:4700::1111 2a00:1450::8a
"""
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not may_reach(ip_address(address), allowed=())


@pytest.mark.parametrize("address", PUBLIC.split())
def test_a_public_address_may_be_reached(address: str) -> None:
    assert may_reach(ip_address(address), allowed=())


@given(V4)
def test_an_ipv4_address_counts_the_same_however_ipv6_wraps_it(address: IPv4Address) -> None:
    number = int(address)
    wrapped = [IPv6Address((0xFFFF << 32) | number), IPv6Address((0x64FF9B << 96) | number)]
    wrapped.append(IPv6Address((0x2002 << 112) | (number << 80) | 1))
    assert {may_reach(form, allowed=()) for form in wrapped} == {may_reach(address, allowed=())}


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"])
def test_a_network_that_is_allowed_may_be_reached_and_its_neighbour_not(address: str) -> None:
    assert may_reach(ip_address(address), allowed=[ip_network("10.1.0.0/16")])
    assert not may_reach(ip_address(address), allowed=[ip_network("10.2.0.0/16"), ip_network("fd00::/8")])


def test_one_forbidden_address_among_public_ones_is_enough_to_refuse_the_host() -> None:
    with pytest.raises(DeliveryRefusedError, match=r"sly\.example has the address 169\.254\.169\.254"):
        checked_addresses("sly.example", 443, resolver=lambda *_: ["8.8.8.8", "169.254.169.254"], allowed=())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "017700000001", "localhost"])
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(DeliveryRefusedError, match="not public"):
        checked_addresses(host, 80, resolver=resolve, allowed=())


def test_a_name_without_address_may_get_one_and_a_name_that_is_none_never_will() -> None:
    with pytest.raises(ReceiverUnavailableError, match=r"nowhere\.invalid has no address"):
        checked_addresses("nowhere.invalid", 80, resolver=resolve, allowed=())
    with pytest.raises(DeliveryRefusedError, match="cannot be the name"):
        checked_addresses("a" * 70 + ".example", 80, resolver=resolve, allowed=())
    with pytest.raises(ReceiverUnavailableError, match="has no address"):
        checked_addresses("empty.example", 80, resolver=lambda *_: [], allowed=())
