"""Origins are functions: a request in, an answer out, behind real HTTP/1.1 sockets on loopback, in threads.

They keep what they were sent, byte for byte, and answer just as told: slowly, in chunks, or as no honest server would.
"""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeAlias

from tests.kit.ports import free_port

TURNS = 6  # of the loop, from asyncio's accept to the first step of who talks: cancelled before, nobody would close

Body: TypeAlias = bytes | Iterable[bytes | float] | AsyncIterable[bytes | float]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived. `body` keeps the first `keep` bytes; `length` counts them all."""

    head: bytes
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    length: int = 0
    connection: int = 0

    def get(self, name: str) -> str | None:
        """All values of a field, joined as RFC 9110 section 5.3 allows; None when it was not sent."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes go out with Content-Length, an iterable in chunks; a number among the chunks is a pause in seconds."""

    body: Body = b""
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    delay: float = 0.0
    close: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes for the wire as they are, with pauses; the connection closes after them unless told otherwise."""

    parts: bytes | Iterable[bytes | float]
    close: bool = True


Answers: TypeAlias = Callable[[Seen], "Answer | Raw | Awaitable[Answer | Raw]"]


def html(markup: str, *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(markup.encode(), status, [("Content-Type", "text/html; charset=utf-8"), *headers])


@dataclass(slots=True)
class Origin:
    """One listening origin: `url`, `port`, and every request it saw, in order."""

    answer: Answers
    keep: int = 1 << 20
    pause: float = 0.0
    port: int = 0
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0
    failure: Exception | None = None
    _life: "_Life | None" = None
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    _lines: "set[_Line]" = field(default_factory=set)

    def __repr__(self) -> str:
        return f"<Origin {self.url}, {len(self.requests)} requests on {self.connections} connections>"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [seen.target for seen in self.requests]

    def open(self) -> Self:
        """Listens; again on the same port after a `close`, which nobody else is given meanwhile."""
        self.port = self.port or free_port()
        self._life = _Life(self._listen)
        self.port = self._life.port
        return self

    def close(self) -> None:
        """Ends every connection at once, as a crash would; raises what the function raised, if it did."""
        if self._life is not None:
            self._life.end()
            self._life = None
        if self.failure is not None:
            raise self.failure

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.open)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    async def _listen(self, listening: Callable[[int], None], over: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Line(self), "127.0.0.1", self.port, backlog=512)
        listening(self.port)
        await over.wait()
        loop.remove_reader(server.sockets[0].fileno())  # accepted after `close`, asyncio would never close it
        for _ in range(TURNS):
            await asyncio.sleep(0)
        server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        while self._lines:
            for line in self._lines:
                line.drop()
            await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer, self.connections)
        finally:
            self._talks.discard(talk)
            writer.transport.abort() if talk.cancelling() else writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while seen := await self._read(reader, writer, connection):
            self.requests.append(seen)
            answer = await self._ask(seen)
            if await self._write(writer, seen, answer) or "close" in (seen.get("Connection") or "").lower():
                return

    async def _ask(self, seen: Seen) -> Answer | Raw:
        try:
            answer = self.answer(seen)
            return await answer if inspect.isawaitable(answer) else answer
        except Exception as error:  # shown to the test by `close`
            self.failure = self.failure or error
            return Answer(repr(error).encode(), 500, close=True)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Seen | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        seen = _parsed(head)
        if (seen.get("Expect") or "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, length = await self._body(reader, seen)
        return Seen(head, seen.method, seen.target, seen.headers, body, length, connection)

    async def _body(self, reader: asyncio.StreamReader, seen: Seen) -> tuple[bytes, int]:
        kept, length = bytearray(), 0
        parts = (
            _chunks(reader) if seen.get("Transfer-Encoding") else _counted(reader, int(seen.get("Content-Length") or 0))
        )
        async for part in parts:
            length += len(part)
            kept += part[: max(0, self.keep - len(kept))]
            if self.pause:
                await asyncio.sleep(self.pause)
        return bytes(kept), length

    async def _write(self, writer: asyncio.StreamWriter, seen: Seen, answer: Answer | Raw) -> bool:
        """Sends the answer; true when the connection shall close after it."""
        if isinstance(answer, Raw):
            async for part in _spoken(answer.parts):
                writer.write(part)
                await writer.drain()
            return answer.close
        await asyncio.sleep(answer.delay)
        silent = seen.method == "HEAD" or answer.status in (204, 304)
        writer.write(_head(answer, silent))
        if not silent:
            await _send(writer, answer.body)
        await writer.drain()
        return answer.close


class _Line(asyncio.StreamReaderProtocol):
    """One connection, its origin's until it is lost: a closed one with bytes that nobody takes would stay for ever."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(asyncio.StreamReader(), origin._talk)
        self._lines = origin._lines
        self._wire: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._lines.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lines.discard(self)
        super().connection_lost(error)

    def drop(self) -> None:
        self._wire.abort()


class _Life:
    """A thread with an event loop of its own, from `listening` to `end`."""

    def __init__(self, listen: Callable[[Callable[[int], None], asyncio.Event], Awaitable[None]]) -> None:
        port: Future[int] = Future()

        async def live() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            try:
                await listen(port.set_result, self._over)
            except OSError as error:
                port.set_exception(error)

        self._thread = threading.Thread(target=lambda: asyncio.run(live()), name="origin", daemon=True)
        self._thread.start()
        self.port = port.result(5)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)


def serving(answer: Answers, *, keep: int = 1 << 20, pause: float = 0.0, port: int = 0) -> Origin:
    """`with serving(function) as origin`, or `async with`. `pause`: seconds between reads of a request's body."""
    return Origin(answer, keep, pause, port)


def _parsed(head: bytes) -> Seen:
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return Seen(head, method, target, tuple((name, value.strip()) for name, _, value in pairs))


async def _counted(reader: asyncio.StreamReader, length: int) -> AsyncIterable[bytes]:
    while length:
        part = await reader.read(min(length, 65536))
        if not part:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(part)
        yield part


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterable[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        async for part in _counted(reader, size):
            yield part
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":  # the trailer section
        pass


def _head(answer: Answer, silent: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    named = {name.lower() for name, _ in answer.headers}
    if isinstance(answer.body, bytes):
        if "content-length" not in named and answer.status not in (204, 304):
            lines.append(f"Content-Length: {len(answer.body)}")
    elif not silent:
        lines.append("Transfer-Encoding: chunked")
    if answer.close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unnamed"


async def _send(writer: asyncio.StreamWriter, body: Body) -> None:
    if isinstance(body, bytes):
        writer.write(body)
        return
    async for part in _spoken(body):
        if part:
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
    writer.write(b"0\r\n\r\n")


async def _spoken(parts: Body) -> AsyncIterable[bytes]:
    """The bytes among the parts, after the pauses among them."""
    async for part in _each(parts):
        if isinstance(part, bytes):
            yield part
        else:
            await asyncio.sleep(part)


async def _each(parts: Body) -> AsyncIterable[bytes | float]:
    if isinstance(parts, bytes):
        yield parts
    elif isinstance(parts, AsyncIterable):
        async for part in parts:
            yield part
    else:
        for part in parts:
            yield part
