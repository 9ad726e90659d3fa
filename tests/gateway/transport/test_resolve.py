"""Names to addresses, asked again soon, and never to where no origin may be."""

import socket
from typing import Any

import pytest

import gateway.transport.resolve as resolve
from gateway.errors import Unreachable
from gateway.transport.resolve import Resolver

pytestmark = pytest.mark.anyio


class Names:
    """The system's resolver, as a dict that counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **known: list[str]) -> None:
        self.known = {name.replace("_", "."): addresses for name, addresses in known.items()}
        self.asked: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)

    def _answer(self, host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.known[host]]


async def test_an_address_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    assert await Resolver(("loopback",)).addresses("127.0.0.1", 80) == ["127.0.0.1"]
    assert await Resolver(("loopback",)).addresses("::1", 80) == ["::1"]
    assert names.asked == []


async def test_a_names_addresses_come_in_order_and_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, o_test=["10.0.0.2", "10.0.0.1", "10.0.0.2"])
    assert await Resolver(("private",)).addresses("o.test", 80) == ["10.0.0.2", "10.0.0.1"]


async def test_a_name_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, o_test=["10.0.0.1"])
    resolver = Resolver(("private",))
    for _ in range(3):
        await resolver.addresses("o.test", 80)
    assert names.asked == ["o.test"]
    monkeypatch.setattr(resolve, "KEPT", -1.0)
    other = Resolver(("private",))
    await other.addresses("o.test", 80)
    names.known["o.test"] = ["10.0.0.9"]
    assert await other.addresses("o.test", 80) == ["10.0.0.9"]


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        pytest.param("169.254.169.254", ("public", "private", "loopback"), id="a cloud's metadata"),
        pytest.param("169.254.1.1", ("public", "private", "loopback"), id="link-local"),
        pytest.param("0.0.0.0", ("public", "private", "loopback"), id="unspecified"),
        pytest.param("127.0.0.1", ("public", "private"), id="loopback, when not allowed"),
        pytest.param("10.0.0.1", ("public",), id="private, when not allowed"),
        pytest.param("8.8.8.8", ("private",), id="public, when not allowed"),
    ],
)
@pytest.mark.parametrize("by_name", [True, False], ids=["by name", "by address"])
async def test_where_no_origin_may_be(
    monkeypatch: pytest.MonkeyPatch, address: str, networks: tuple[str, ...], by_name: bool
) -> None:
    Names(monkeypatch, o_test=[address])
    with pytest.raises(Unreachable, match="may not be reached") as told:
        await Resolver(networks).addresses("o.test" if by_name else address, 80)
    assert told.value.proxy_error == "destination_ip_prohibited"


async def test_of_several_addresses_only_allowed_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, o_test=["169.254.169.254", "10.0.0.1"])
    assert await Resolver(("private",)).addresses("o.test", 80) == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        pytest.param("nobody.test", {}, id="a name nobody knows"),
        pytest.param("a" * 64 + ".test", {}, id="a label no name has"),
    ],
)
async def test_no_such_name(monkeypatch: pytest.MonkeyPatch, host: str, known: dict[str, list[str]]) -> None:
    Names(monkeypatch, **known)
    with pytest.raises(Unreachable, match="has no address") as told:
        await Resolver(("private",)).addresses(host, 80)
    assert (told.value.status, told.value.proxy_error) == (502, "dns_error")


async def test_a_name_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, o_test=[])
    with pytest.raises(Unreachable, match="it has no address"):
        await Resolver(("private",)).addresses("o.test", 80)


async def test_the_gateways_own_listener_is_no_origin_whatever_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, admin_test=["127.0.0.1"])
    resolver = Resolver(("loopback",), own=[("0.0.0.0", 8080), ("127.0.0.1", 8081)])
    with pytest.raises(Unreachable, match="the gateway itself"):
        await resolver.addresses("admin.test", 8081)
    assert await resolver.addresses("admin.test", 8082) == ["127.0.0.1"]
