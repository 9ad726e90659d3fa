"""Two connections joined: bytes, pace and ends of the one are the other's. The transports write down what is done."""

import asyncio
from typing import Any, cast

import pytest

import gateway.transport.tunnel as tunnels
from gateway.transport.tunnel import Side, Tunnel

pytestmark = pytest.mark.anyio


class Line(asyncio.Transport):
    """A transport that says what was done to it."""

    def __init__(self, name: str, told: list[str], halves: bool = True) -> None:
        super().__init__()
        self.name = name
        self.told = told
        self.halves = halves
        self.closing = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: Any) -> None:
        if data:
            self.told.append(f"{self.name} gets {bytes(data).decode()}")

    def can_write_eof(self) -> bool:
        return self.halves

    def write_eof(self) -> None:
        self.told.append(f"{self.name} hears the end")

    def pause_reading(self) -> None:
        self.told.append(f"{self.name} waits")

    def resume_reading(self) -> None:
        self.told.append(f"{self.name} goes on")

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self._end("is closed")

    def abort(self) -> None:
        self._end("is cut")

    def _end(self, how: str) -> None:
        if not self.closing:
            self.closing = True
            self.told.append(f"{self.name} {how}")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high is not None and high <= 65_536


class Home:
    def __init__(self) -> None:
        self.over: list[Tunnel] = []

    def parted(self, tunnel: Tunnel) -> None:
        self.over.append(tunnel)


class Joined:
    """A tunnel between "viewer" and "origin", and what happened since it was joined."""

    def __init__(
        self, *, early: bytes = b"", ahead: bytes = b"", full: bool = False, viewer_halves: bool = True
    ) -> None:
        self.told: list[str] = []
        self.home = Home()
        self.left: list[asyncio.Protocol] = []
        self.viewer = Line("viewer", self.told, viewer_halves)
        self.origin = Line("origin", self.told)
        self.tunnel = Tunnel(self.origin, early, self.home)
        self.tunnel.join(self.viewer, ahead, full, self.left.append)
        self.opening = self.told[:]
        self.told.clear()
        self.near = cast(Side, self.viewer.protocol)
        self.far = cast(Side, self.origin.protocol)


async def test_what_came_along_with_the_heads_goes_first() -> None:
    joined = Joined(early=b"welcome", ahead=b"hello")
    assert joined.opening == [
        "origin waits", "viewer gets welcome", "origin gets hello", "viewer goes on", "origin goes on"
    ]  # fmt: skip


async def test_a_viewer_that_takes_no_more_is_not_sent_more() -> None:
    assert "origin goes on" not in Joined(full=True).opening


async def test_bytes_go_across() -> None:
    joined = Joined()
    joined.near.data_received(b"a")
    joined.far.data_received(b"b")
    assert joined.told == ["origin gets a", "viewer gets b"]


async def test_a_full_side_makes_the_other_wait() -> None:
    joined = Joined()
    joined.near.pause_writing()
    joined.near.resume_writing()
    joined.far.pause_writing()
    joined.far.resume_writing()
    assert joined.told == ["origin waits", "origin goes on", "viewer waits", "viewer goes on"]


async def test_ends_are_told_one_by_one() -> None:
    joined = Joined()
    assert joined.far.eof_received() is True
    joined.near.data_received(b"still here")
    assert joined.told == ["viewer hears the end", "origin gets still here"]
    assert joined.near.eof_received() is False
    assert joined.told[2:] == ["origin is closed"]


async def test_who_has_said_all_is_not_asked_for_more() -> None:
    joined = Joined()
    joined.near.pause_writing()
    joined.far.eof_received()
    joined.told.clear()
    joined.near.resume_writing()
    assert joined.told == []


async def test_tls_ends_both_ways_at_once() -> None:
    joined = Joined(viewer_halves=False)
    assert joined.far.eof_received() is False
    assert joined.told == ["viewer is closed"]
    joined = Joined(viewer_halves=False)
    assert joined.near.eof_received() is False
    assert joined.told == ["origin hears the end"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(None, "origin is closed", id="what is on its way still arrives"),
        pytest.param(ConnectionResetError(), "origin is cut", id="a reset goes on as one"),
    ],
)
async def test_a_lost_side_ends_the_other(error: Exception | None, told: str) -> None:
    joined = Joined()
    joined.near.connection_lost(error)
    assert joined.told == [told]
    assert joined.left == [joined.near]
    joined.far.data_received(b"nobody there") if error is None else None
    joined.far.connection_lost(None)
    assert joined.home.over == [joined.tunnel]


async def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    joined = Joined()
    joined.tunnel.check(joined.tunnel.heard + tunnels.QUIET)
    assert joined.told == []
    joined.tunnel.check(joined.tunnel.heard + tunnels.QUIET + 1)
    assert joined.told == ["origin is cut", "viewer is cut"]
    assert joined.home.over == [joined.tunnel]


async def test_every_byte_counts_as_life() -> None:
    joined = Joined()
    joined.tunnel.heard = 0.0
    joined.near.data_received(b"ping")
    assert joined.tunnel.heard == pytest.approx(asyncio.get_running_loop().time(), abs=1)


async def test_leaving_lets_both_hear_the_end() -> None:
    joined = Joined()
    joined.near.shutdown()
    assert joined.told == ["viewer is closed", "origin is closed"]


async def test_an_origin_that_is_gone_before_is_told_at_once() -> None:
    told: list[str] = []
    viewer, origin, home = Line("viewer", told), Line("origin", told), Home()
    tunnel = Tunnel(origin, b"", home)
    assert repr(tunnel) == "<Tunnel open>"
    tunnel.close()
    assert tunnel.join(viewer, b"", False, lambda _: None) is None
    assert told == ["origin waits", "origin is cut", "viewer is cut"]
    assert viewer.protocol is None and home.over == [tunnel]
