"""Where a manifest may point, address by address."""

import pytest

from gateway.rules.addresses import is_here, refusal

ALL = ("public", "private", "loopback")


@pytest.mark.parametrize(
    ("address", "word"),
    [
        pytest.param("0", "in full", id="zero"),
        pytest.param("2130706433", "in full", id="one decimal number"),
        pytest.param("0x7f.1", "in full", id="hexadecimal and short"),
        pytest.param("0x7f000001", "in full", id="hexadecimal"),
        pytest.param("017700000001", "in full", id="octal"),
        pytest.param("127.1", "in full", id="short"),
        pytest.param("127.0.0.1.", "in full", id="a dot at the end"),
        pytest.param("0177.0.0.1", "in full", id="octal part"),
        pytest.param("host.1", "in full", id="a name that ends in a number"),
        pytest.param("", "in full", id="nothing"),
        pytest.param(":::", "in full", id="no address"),
        pytest.param("0.0.0.0", "unspecified", id="this machine as 0.0.0.0"),
        pytest.param("0.1.2.3", "unspecified", id="this network"),
        pytest.param("::", "unspecified", id="this machine over IPv6"),
        pytest.param("169.254.169.254", "metadata", id="metadata"),
        pytest.param("::ffff:169.254.169.254", "metadata", id="metadata mapped"),
        pytest.param("64:ff9b::a9fe:a9fe", "metadata", id="metadata translated"),
        pytest.param("2002:a9fe:a9fe::1", "metadata", id="metadata in 6to4"),
        pytest.param("fd00:ec2::254", "metadata", id="metadata over IPv6"),
        pytest.param("fd00:ec2::254%1", "metadata", id="metadata with a zone"),
        pytest.param("100.100.100.200", "metadata", id="metadata of another cloud"),
        pytest.param("169.254.1.1", "link-local", id="link-local"),
        pytest.param("fe80::1", "link-local", id="link-local over IPv6"),
        pytest.param("fe80::1%eth0", "link-local", id="link-local with a zone"),
        pytest.param("224.0.0.1", "multicast", id="multicast"),
        pytest.param("ff02::1", "multicast", id="multicast over IPv6"),
        pytest.param("240.0.0.1", "reserved", id="reserved"),
        pytest.param("255.255.255.255", "reserved", id="broadcast"),
        pytest.param("::127.0.0.1", "reserved", id="compatible"),
        pytest.param("2001:0:53aa::1", "reserved", id="Teredo"),
    ],
)
def test_no_origin_is_there_whatever_is_allowed(address: str, word: str) -> None:
    assert word in (refusal(address, ALL) or "")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param("127.0.0.1", "loopback", id="loopback"),
        pytest.param("127.8.9.1", "loopback", id="loopback, all of it"),
        pytest.param("::1", "loopback", id="loopback over IPv6"),
        pytest.param("[::1]", "loopback", id="loopback in brackets"),
        pytest.param("::ffff:127.0.0.1", "loopback", id="loopback mapped"),
        pytest.param("64:ff9b::7f00:1", "loopback", id="loopback translated"),
        pytest.param("localhost", "loopback", id="localhost"),
        pytest.param("a.LocalHost.", "loopback", id="below localhost"),
        pytest.param("10.1.2.3", "private", id="10/8"),
        pytest.param("172.16.0.1", "private", id="172.16/12"),
        pytest.param("192.168.0.1", "private", id="192.168/16"),
        pytest.param("100.64.0.1", "private", id="shared address space"),
        pytest.param("fd12::1", "private", id="unique local"),
        pytest.param("::ffff:10.0.0.1", "private", id="private mapped"),
        pytest.param("192.0.2.1", "private", id="for documentation"),
        pytest.param("8.8.8.8", "public", id="public"),
        pytest.param("2606:4700::1111", "public", id="public over IPv6"),
    ],
)
def test_a_class_is_allowed_or_not(address: str, network: str) -> None:
    assert refusal(address, (network,)) is None
    others = tuple(other for other in ALL if other != network)
    assert f"class {network}" in (refusal(address, others) or "")


@pytest.mark.parametrize("name", ["hotels", "hotels.internal", "portal.example", "1.example", "xn--bcher-kva.example"])
def test_names_pass(name: str) -> None:
    assert refusal(name, ()) is None


@pytest.mark.parametrize(
    ("host", "port", "listener", "here"),
    [
        pytest.param("127.0.0.1", 8081, ("127.0.0.1", 8081), True, id="the same"),
        pytest.param("127.0.0.1", 8082, ("127.0.0.1", 8081), False, id="another port"),
        pytest.param("localhost", 8080, ("0.0.0.0", 8080), True, id="by name, of a listener on all addresses"),
        pytest.param("::1", 8080, ("0.0.0.0", 8080), True, id="over IPv6"),
        pytest.param("::ffff:127.0.0.1", 8081, ("localhost", 8081), True, id="mapped, of a listener by name"),
        pytest.param("Portal.Example", 8080, ("portal.example", 8080), True, id="by the listener's name"),
        pytest.param("hotels.internal", 8080, ("0.0.0.0", 8080), False, id="another machine on the same port"),
        pytest.param("10.0.0.1", 8080, ("0.0.0.0", 8080), False, id="another address on the same port"),
    ],
)
def test_the_gateways_own_listeners_are_known(host: str, port: int, listener: tuple[str, int], here: bool) -> None:
    assert is_here(host, port, listener) is here
