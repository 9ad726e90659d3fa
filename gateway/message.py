"""HTTP messages as the gateway holds them: bytes on the wire, field names in lower case, in the order they came.

Values only; what may be done with a message is decided in `gateway.rules`.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Field = tuple[bytes, bytes]
Fields = list[Field]
Hints = Callable[[Fields], None]
T = TypeVar("T")

MEMOS = 32  # per head; a head that is many mounts' and many viewers' is worked out anew now and then


def first(fields: Iterable[Field], name: bytes) -> bytes | None:
    """The first value of that lower-case name."""
    for key, value in fields:
        if key == name:
            return value
    return None


def every(fields: Iterable[Field], name: bytes) -> list[bytes]:
    """All values of that lower-case name, in order."""
    return [value for key, value in fields if key == name]


def joined(fields: Iterable[Field], name: bytes) -> bytes:
    """All values of a list-typed field as one (RFC 9110 section 5.3); empty when there is none."""
    return b", ".join(value for key, value in fields if key == name)


def without(fields: Iterable[Field], *names: bytes) -> Fields:
    """The fields, less those of these lower-case names."""
    return [field for field in fields if field[0] not in names]


class Sink(Protocol):
    """Where a body goes. `write` never blocks; when `full`, who writes waits for `drained`."""

    @property
    def full(self) -> bool: ...

    def write(self, chunk: bytes | memoryview, /) -> None: ...

    def drained(self, resume: Callable[[], None], /) -> None:
        """Calls `resume` once, as soon as the sink takes more, or is gone."""
        ...


class Stream:
    """A body that is not all here yet: chunk after chunk, at the reader's pace.

    `length` is in bytes, None when it is not known before the end. `costly`: others work for it while it is read.
    """

    __slots__ = ()
    costly = False

    @property
    def length(self) -> int | None:
        return None

    @property
    def trailers(self) -> Fields:
        """The fields behind the body (RFC 9110 section 6.5), once it came to its end."""
        return []

    async def read(self) -> bytes:
        """The next chunk; empty at the end. An incomplete body raises, it never just ends."""
        raise NotImplementedError

    async def pipe(self, sink: Sink) -> None:
        """The whole body into the sink, no faster than the sink takes it."""
        while chunk := await self.read():
            sink.write(chunk)
            if sink.full:
                await _drained(sink)

    def close(self) -> None:
        """The rest is not wanted; what the stream holds is let go."""


async def _drained(sink: Sink) -> None:
    taken = asyncio.Event()
    sink.drained(taken.set)
    await taken.wait()


Body = bytes | Stream


class Head:
    """A message's fields, maybe those of many messages: never changed, so that what is worked out of them can be kept.

    `index` finds a field by name at once; of several with one name it holds the last. `memo` is for whoever works
    something out, under a key of its own; it is emptied when it grows.
    """

    __slots__ = ("fields", "index", "memo")

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.index = dict(fields)
        self.memo: dict[object, Any] = {}

    def keep(self, key: object, value: T) -> T:
        if len(self.memo) >= MEMOS:
            self.memo.clear()
        self.memo[key] = value
        return value


class Request:
    """What a viewer asks, or what is asked of an origin. `target` is the request target's raw bytes.

    `id` is the gateway's own for it, told to origins as X-Request-Id. `upgrade` is the protocol it wants to speak.
    `hints` takes the fields of a 103 while no answer is there yet.
    """

    __slots__ = ("body", "head", "hints", "id", "method", "peer", "scheme", "target", "upgrade", "version")

    def __init__(
        self,
        method: bytes,
        target: bytes,
        headers: Fields | Head,
        body: Body = b"",
        *,
        id: bytes = b"",
        scheme: bytes = b"http",
        peer: str = "",
        version: bytes = b"1.1",
        upgrade: bytes = b"",
        hints: Hints | None = None,
    ) -> None:
        self.method = method
        self.target = target
        self.head = headers if type(headers) is Head else Head(headers)  # type: ignore[arg-type]  # the other of two
        self.body = body
        self.id = id
        self.scheme = scheme
        self.peer = peer
        self.version = version
        self.upgrade = upgrade
        self.hints = hints

    @property
    def headers(self) -> Fields:
        return [*self.head.fields, (b"x-request-id", self.id)] if self.id else self.head.fields

    @property
    def index(self) -> dict[bytes, bytes]:
        return self.head.index

    def __repr__(self) -> str:
        return f"<Request {self.method.decode()} {self.target.decode('latin-1')}>"


class Response:
    """What an origin answers, or what the viewer gets. `extra` are the fields added for this one answer."""

    __slots__ = ("body", "extra", "head", "status")

    def __init__(self, status: int, headers: Fields | Head, body: Body = b"") -> None:
        self.status = status
        self.head = headers if type(headers) is Head else Head(headers)  # type: ignore[arg-type]  # the other of two
        self.extra: Fields = []
        self.body = body

    @property
    def headers(self) -> Fields:
        return [*self.head.fields, *self.extra]

    @property
    def index(self) -> dict[bytes, bytes]:
        return self.head.index

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored answer, already mounted. Times are seconds since the epoch; `digest` names the body's bytes.

    It is fresh until `fresh`, may be served while it is refreshed until `revalidate`, and when its origin fails
    until `error` (RFC 5861). `since` is the number of the last purge that was known when it was asked for.
    """

    status: int
    headers: tuple[Field, ...]
    body: bytes
    digest: bytes
    stored: float
    fresh: float
    revalidate: float
    error: float
    tags: tuple[str, ...] = ()
    since: int = 0
    _head: Head | None = field(default=None, compare=False, repr=False)

    @property
    def head(self) -> Head:
        """Its fields as a head, made once."""
        if self._head is None:
            object.__setattr__(self, "_head", Head(list(self.headers)))
            assert self._head is not None
        return self._head

    @property
    def expires(self) -> float:
        """When nothing can be done with it any more."""
        return max(self.fresh, self.revalidate, self.error)

    @property
    def size(self) -> int:
        """What it weighs in memory, in bytes, near enough for a budget."""
        return len(self.body) + sum(len(name) + len(value) + 120 for name, value in self.headers) + 500


async def gathered(body: Body, limit: int) -> Body:
    """All of a body as bytes; one that is longer than `limit` bytes as a stream that still has all of it."""
    if isinstance(body, bytes):
        return body
    if type(body) is Whole and body.length <= limit:
        return body.taken()
    chunks, size = [], 0
    try:
        while chunk := await body.read():
            size += len(chunk)
            chunks.append(chunk)
            if size > limit:
                return Resumed(b"".join(chunks), body)
    except BaseException:
        body.close()  # who read it is gone, and nobody else knows of it
        raise
    return b"".join(chunks)


class Whole(Stream):
    """A large body that is all here, as a view into the bytes it came in: it passes without being copied."""

    __slots__ = ("_left", "view")

    def __init__(self, view: memoryview) -> None:
        self.view = view
        self._left = view

    @property
    def length(self) -> int:
        return len(self.view)

    async def read(self) -> bytes:
        return self.taken()

    def taken(self) -> bytes:
        """All of it that was not read yet."""
        left, self._left = self._left, self._left[:0]
        return bytes(left)

    async def pipe(self, sink: Sink) -> None:
        sink.write(self.view)


class Trailed(Stream):
    """A body that is all here, with fields behind it."""

    __slots__ = ("_left", "trailers")

    def __init__(self, body: bytes, trailers: Fields) -> None:
        self._left = body
        self.trailers: Fields = trailers

    async def read(self) -> bytes:
        left, self._left = self._left, b""
        return left


class Resumed(Stream):
    """A body of which a part was read already."""

    __slots__ = ("_read", "_rest")

    def __init__(self, read: bytes, rest: Stream) -> None:
        self._read = read
        self._rest = rest

    @property
    def length(self) -> int | None:
        return self._rest.length

    @property
    def trailers(self) -> Fields:
        return self._rest.trailers

    async def read(self) -> bytes:
        if self._read:
            read, self._read = self._read, b""
            return read
        return await self._rest.read()

    def close(self) -> None:
        self._rest.close()


async def whole(body: Body, limit: int) -> bytes | None:
    """All of a body, or None when it is longer than `limit` bytes; then the rest of it is let go."""
    read = await gathered(body, limit)
    if isinstance(read, bytes) and len(read) <= limit:
        return read
    if isinstance(read, Stream):
        read.close()
    return None
