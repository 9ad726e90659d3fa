"""Two connections joined after a 101 (RFC 9110 section 7.8): what comes in on one goes out on the other, unread.

No faster than the slower side takes it; each side's end is told to the other, a clean one and a broken one alike.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from gateway.message import Stream
from gateway.transport.incoming import HIGH_WATER

QUIET = 300.0  # seconds without a byte either way; what is meant to live longer pings (RFC 6455 section 5.5.2)


class Side(asyncio.Protocol):
    """One of the two connections, in place of the protocol that spoke HTTP on it."""

    def __init__(
        self, transport: asyncio.Transport, tunnel: "Tunnel", over: Callable[[asyncio.Protocol], None]
    ) -> None:
        self.transport = transport
        self.other: Side = self
        self.ended = False
        self._tunnel = tunnel
        self._over = over
        self._time = asyncio.get_running_loop().time

    def data_received(self, data: bytes) -> None:
        self._tunnel.heard = self._time()
        if not self.other.transport.is_closing():
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """One direction is done; the other goes on until it is done too. TLS knows no half of a connection."""
        self.ended = True
        other = self.other
        if other.ended or not other.transport.can_write_eof() or other.transport.is_closing():
            other.transport.close()
            return False
        other.transport.write_eof()
        return self.transport.can_write_eof()

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.other.ended:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if error is None:
            self.other.transport.close()
        else:
            self.other.transport.abort()
        self._over(self)

    def shutdown(self) -> None:
        """The server wants to leave."""
        self._tunnel.leave()


class Keeper(Protocol):
    """Who owns all tunnels to an origin."""

    def parted(self, tunnel: "Tunnel") -> None:
        """It is over."""
        ...


class Tunnel(Stream):
    """The body of a 101: the origin's side, until it is joined with the viewer's."""

    __slots__ = ("_early", "_home", "_origin", "_sides", "heard")

    def __init__(self, origin: asyncio.Transport, early: bytes, home: Keeper) -> None:
        origin.pause_reading()
        self.heard = asyncio.get_running_loop().time()
        self._origin = origin
        self._early = early
        self._home = home
        self._sides: tuple[Side, ...] = ()

    def __repr__(self) -> str:
        return f"<Tunnel {'joined' if self._sides else 'open'}>"

    def join(
        self, viewer: asyncio.Transport, ahead: bytes, full: bool, over: Callable[[asyncio.Protocol], None]
    ) -> "Side | None":
        """The viewer's side; None when the origin is gone already.

        `ahead` is what the viewer said before it was answered, `full` whether it takes no more for now.
        """
        origin = self._origin
        if origin.is_closing():
            viewer.abort()
            return None
        near, far = Side(viewer, self, over), Side(origin, self, self._over)
        near.other, far.other = far, near
        self._sides = (near, far)
        viewer.set_protocol(near)
        origin.set_protocol(far)
        origin.set_write_buffer_limits(high=HIGH_WATER)
        viewer.write(self._early)
        origin.write(ahead)
        viewer.resume_reading()
        if not full:
            origin.resume_reading()
        return near

    def check(self, now: float) -> None:
        """Called every few seconds: where nothing is said any more, nobody is there any more."""
        if now - self.heard > QUIET:
            self.close()

    def leave(self) -> None:
        """What is on its way still arrives, at both ends; then each is told the end."""
        for side in self._sides:
            side.transport.close()

    def close(self) -> None:
        self._origin.abort()
        for side in self._sides:
            side.transport.abort()
        self._home.parted(self)

    def _over(self, _: asyncio.Protocol) -> None:
        self._home.parted(self)
