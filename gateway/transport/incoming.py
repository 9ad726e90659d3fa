"""A body arriving on a connection, pushed in by the parser, taken out at the reader's pace.

The peer is told to wait (its transport is paused) while more than HIGH_WATER bytes lie here unread or while the sink
is full, so that memory does not grow with the body, in either direction.
"""

from collections.abc import Callable
from typing import Protocol

from gateway.message import Fields, Sink, Stream
from gateway.transport.later import Later

HIGH_WATER = 64 * 1024  # asyncio's own default; what a stalled reader costs is this and one read of the loop


class Source(Protocol):
    """The connection the bytes come from."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def abandon(self) -> None:
        """The rest of the body is not wanted."""
        ...


class Incoming(Stream):
    """One body on its way in. `feed`, `finish` and `fail` are the connection's side of it."""

    __slots__ = (
        "_chunks",
        "_closed",
        "_done",
        "_error",
        "_length",
        "_on_first_read",
        "_paused",
        "_sink",
        "_size",
        "_source",
        "_waiter",
        "trailers",
    )

    def __init__(self, source: Source, length: int | None, on_first_read: Callable[[], None] | None = None) -> None:
        self._source = source
        self._length = length
        self._on_first_read = on_first_read
        self._chunks: list[bytes] = []
        self._size = 0
        self._sink: Sink | None = None
        self._waiter: Later[None] | None = None
        self._error: Exception | None = None
        self.trailers: Fields = []
        self._done = self._paused = self._closed = False

    @property
    def length(self) -> int | None:
        return self._length

    @property
    def complete(self) -> bool:
        return self._done

    def taken(self) -> bytes:
        """All that lies here unread, at once."""
        chunks, self._chunks, self._size = self._chunks, [], 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def feed(self, chunk: bytes | memoryview) -> None:
        sink = self._sink
        if sink is not None:
            sink.write(chunk)
            if sink.full:
                self._pause()
                sink.drained(self._resume)
            return
        if self._closed:
            return
        self._chunks.append(bytes(chunk))  # a view would hold the whole buffer it is of
        self._size += len(chunk)
        if self._size > HIGH_WATER:
            self._pause()
        self._wake()

    def finish(self) -> None:
        """All of it is here: the connection is somebody else's now, and must not stay paused for our reader."""
        self._done = True
        self._resume()
        self._wake()

    def fail(self, error: Exception) -> None:
        if not self._done:
            self._error = error
            self._wake()

    async def read(self) -> bytes:
        self._begin()
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._done:
                return b""
            await self._wait()
        chunk = self.taken()
        self._resume()
        return chunk

    async def pipe(self, sink: Sink) -> None:
        """Hands chunks from the connection straight to the sink: no task turn, no copy in between."""
        self._begin()
        if self._chunks:
            sink.write(self.taken())
        if not self._done and self._error is None:
            self._sink = sink
            try:
                if sink.full:
                    self._pause()
                    sink.drained(self._resume)
                else:
                    self._resume()
                while not self._done and self._error is None:
                    await self._wait()
            finally:
                self._sink = None
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._closed = True
        self._chunks.clear()
        if not self._done and self._error is None:
            self._source.abandon()

    def _begin(self) -> None:
        if self._on_first_read is not None:
            begin, self._on_first_read = self._on_first_read, None
            begin()

    async def _wait(self) -> None:
        self._waiter = Later()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.set(None)

    def _pause(self) -> None:
        if not self._paused and not self._done:
            self._paused = True
            self._source.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._source.resume_reading()
