"""WebSocket, as little as the tests need (RFC 6455): both ends, frames as they are on the wire, no library in between.

`opened` is a viewer's end, blocking; `serving` is a server in threads that says back what it hears.
"""

import base64
import hashlib
import os
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DEFLATED = 0x40  # RSV1, a message of permessage-deflate (RFC 7692 section 6)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, unmasked. `first` is its first octet: FIN, RSV1-3, opcode."""

    first: int
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.first & 0x0F

    @property
    def code(self) -> int:
        """A close frame's code; 1005 when it has none."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else 1005


class Ended(Exception):
    """The other end is gone, in the middle of nothing or of a frame."""


class Socket:
    """One end of an open WebSocket. A viewer's end masks what it sends (section 5.3)."""

    def __init__(self, wire: socket.socket, rest: bytes = b"", *, masks: bool, head: str = "") -> None:
        self.wire = wire
        self.head = head
        self._rest = bytearray(rest)
        self._masks = masks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def send(self, payload: bytes, opcode: int = BINARY, *, flags: int = 0x80) -> None:
        self.wire.sendall(frame(payload, opcode, flags=flags, masks=self._masks))

    def close(self, code: int, why: str = "") -> None:
        self.send(code.to_bytes(2, "big") + why.encode(), CLOSE)

    def receive(self) -> Frame:
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(self._take(2), "big")
        elif length == 127:
            length = int.from_bytes(self._take(8), "big")
        mask = self._take(4) if second & 0x80 else b""
        payload = self._take(length)
        return Frame(first, masked(payload, mask) if mask else payload)

    def frames(self) -> Iterator[Frame]:
        with suppress(Ended):
            while True:
                yield self.receive()

    def _take(self, count: int) -> bytes:
        while len(self._rest) < count:
            try:
                some = self.wire.recv(1 << 18)
            except ConnectionError as error:
                raise Ended(str(error)) from error
            if not some:
                raise Ended("the connection ended")
            self._rest += some
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken


def frame(payload: bytes, opcode: int = BINARY, *, flags: int = 0x80, masks: bool = False) -> bytes:
    """A frame as it goes out: section 5.2."""
    size = len(payload)
    bit = 0x80 if masks else 0
    if size < 126:
        head = struct.pack("!BB", flags | opcode, bit | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", flags | opcode, bit | 126, size)
    else:
        head = struct.pack("!BBQ", flags | opcode, bit | 127, size)
    if not masks:
        return head + payload
    mask = os.urandom(4)
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """Section 5.3; all at once, as one long number."""
    size = len(payload)
    long = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(long, "big")).to_bytes(size, "big")


def accept(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())


def inflated(payload: bytes) -> bytes:
    """A message of permessage-deflate without context takeover (RFC 7692 section 7.2.2)."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\x00\x00\xff\xff")


def deflated(payload: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def handshake(target: str, host: str, *headers: tuple[str, str], key: bytes = b"dGhlIHNhbXBsZSBub25jZQ==") -> bytes:
    """A viewer's half of the opening handshake (section 4.1)."""
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key.decode()}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def opened(url: str, *headers: tuple[str, str], ahead: bytes = b"", room: int = 0, timeout: float = 10) -> Socket:
    """A WebSocket at this http:// address. `ahead` is said before the answer, `room` is a small receive buffer."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    wire = socket.socket()
    if room:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    wire.settimeout(timeout)
    try:
        wire.connect((name, int(port)))
        wire.sendall(handshake(f"/{path}", host, *headers) + ahead)
        head, rest = head_of(wire)
    except BaseException:
        wire.close()
        raise
    if not head.startswith("HTTP/1.1 101 "):
        wire.close()
        raise Refused(head)
    return Socket(wire, rest, masks=True, head=head)


class Refused(Exception):
    """The answer to a handshake that was no 101."""


def head_of(wire: socket.socket) -> tuple[str, bytes]:
    """A message's head, and what came behind it."""
    read = bytearray()
    while b"\r\n\r\n" not in read:
        some = wire.recv(65536)
        if not some:
            raise Ended("no whole head")
        read += some
    head, _, rest = bytes(read).partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def field_of(head: str, name: str) -> str | None:
    """The first field of that name in a head."""
    for line in head.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


Speech = Callable[[Socket], None]


def echoing(end: Socket) -> None:
    """Says back every frame as it came, pings as pongs, a close as a close; then it is over."""
    for heard in end.frames():
        opcode = PONG if heard.opcode == PING else heard.opcode
        end.send(heard.payload, opcode, flags=heard.first & 0xF0)
        if heard.opcode == CLOSE:
            return


@dataclass(slots=True)
class Server:
    """WebSockets on a loopback port, a thread each. It takes the first subprotocol and permessage-deflate."""

    speech: Speech = echoing
    early: bytes = b""  # said in one packet with the 101
    extra: Sequence[tuple[str, str]] = ()
    key: bytes | None = None  # what it takes the viewer's key for
    port: int = 0
    heads: list[str] = field(default_factory=list)
    wires: list[socket.socket] = field(default_factory=list)
    over: list[str] = field(default_factory=list)  # how each ended, as this end saw it
    _listener: socket.socket = field(default_factory=socket.socket)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Every connection breaks, as in a crash."""
        for wire in self.wires:
            with suppress(OSError):
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                wire.shutdown(socket.SHUT_RD)  # wakes the thread that reads
                wire.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                wire, _ = self._listener.accept()
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.wires.append(wire)
                threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        try:
            with wire:
                head, rest = head_of(wire)
                self.heads.append(head)
                wire.sendall(self._answer(head) + self.early)
                self.speech(Socket(wire, rest, masks=False, head=head))
            self.over.append("end")
        except (Ended, OSError) as error:
            self.over.append(type(error).__name__)

    def _answer(self, head: str) -> bytes:
        key = self.key or (field_of(head, "Sec-WebSocket-Key") or "").encode()
        fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept(key).decode())]
        if protocols := field_of(head, "Sec-WebSocket-Protocol"):
            fields.append(("Sec-WebSocket-Protocol", protocols.partition(",")[0]))
        if "permessage-deflate" in (field_of(head, "Sec-WebSocket-Extensions") or ""):
            limits = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            fields.append(("Sec-WebSocket-Extensions", limits))
        lines = "".join(f"{name}: {value}\r\n" for name, value in [*fields, *self.extra])
        return f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode()


@contextmanager
def serving(
    speech: Speech = echoing,
    *,
    early: bytes = b"",
    extra: Sequence[tuple[str, str]] = (),
    key: bytes | None = None,
) -> Iterator[Server]:
    server = Server(speech, early, extra, key)
    with server._listener as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        server.port = listener.getsockname()[1]
        listening = threading.Thread(target=server._listen, daemon=True)
        listening.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for wire in server.wires:
                with suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)
            listening.join(2)
