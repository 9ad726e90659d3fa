"""A body on its way in: at the reader's pace, whole or not at all."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.transport.incoming import HIGH_WATER, Incoming

pytestmark = pytest.mark.anyio


class Peer:
    """The connection a body comes from; says whether it was told to wait."""

    def __init__(self) -> None:
        self.waits = self.gone = False

    def pause_reading(self) -> None:
        assert not self.waits
        self.waits = True

    def resume_reading(self) -> None:
        assert self.waits
        self.waits = False

    def abandon(self) -> None:
        self.gone = True


class Sink:
    def __init__(self, full: bool = False) -> None:
        self.taken: list[bytes] = []
        self.full = full
        self.resumes: list[Callable[[], None]] = []

    def write(self, chunk: bytes | memoryview) -> None:
        self.taken.append(bytes(chunk))

    def drained(self, resume: Callable[[], None]) -> None:
        self.resumes.append(resume)


async def test_what_came_is_read() -> None:
    body = Incoming(Peer(), 6)
    body.feed(b"abc")
    body.feed(b"def")
    body.finish()
    assert body.length == 6
    assert await body.read() == b"abcdef"
    assert await body.read() == b""
    assert await body.read() == b""


async def test_a_reader_waits_for_what_comes() -> None:
    body = Incoming(Peer(), None)
    reading = asyncio.ensure_future(body.read())
    await asyncio.sleep(0)
    assert not reading.done()
    body.feed(b"abc")
    assert await reading == b"abc"


async def test_an_incomplete_body_raises() -> None:
    body = Incoming(Peer(), 6)
    body.feed(b"abc")
    body.fail(ConnectionResetError("cut"))
    assert await body.read() == b"abc"
    with pytest.raises(ConnectionResetError):
        await body.read()


async def test_a_failure_after_the_end_is_none() -> None:
    body = Incoming(Peer(), None)
    body.finish()
    body.fail(ConnectionResetError("closed"))
    assert await body.read() == b""


async def test_a_waiting_reader_hears_of_a_failure() -> None:
    body = Incoming(Peer(), None)
    reading = asyncio.ensure_future(body.read())
    await asyncio.sleep(0)
    body.fail(ConnectionResetError("cut"))
    with pytest.raises(ConnectionResetError):
        await reading


async def test_the_peer_waits_while_nobody_reads() -> None:
    peer = Peer()
    body = Incoming(peer, None)
    body.feed(bytes(HIGH_WATER))
    assert not peer.waits
    body.feed(b"x")
    assert peer.waits
    body.feed(b"what was already on its way")
    assert len(await body.read()) == HIGH_WATER + 28
    assert not peer.waits


async def test_the_peer_waits_while_the_sink_is_full() -> None:
    peer, sink = Peer(), Sink()
    body = Incoming(peer, None)
    piping = asyncio.ensure_future(body.pipe(sink))
    await asyncio.sleep(0)
    body.feed(b"a")
    assert not peer.waits
    sink.full = True
    body.feed(b"b")
    assert peer.waits
    sink.full = False
    for resume in sink.resumes:
        resume()
    assert not peer.waits
    body.feed(b"c")
    body.finish()
    await piping
    assert sink.taken == [b"a", b"b", b"c"]


async def test_a_pipe_begins_with_what_lies_there_and_minds_a_full_sink() -> None:
    peer, sink = Peer(), Sink(full=True)
    body = Incoming(peer, None)
    body.feed(b"a")
    body.feed(b"b")
    piping = asyncio.ensure_future(body.pipe(sink))
    await asyncio.sleep(0)
    assert b"".join(sink.taken) == b"ab"
    assert peer.waits
    body.finish()
    await piping


async def test_a_pipe_of_a_whole_body_ends_at_once() -> None:
    sink = Sink()
    body = Incoming(Peer(), None)
    body.feed(b"a")
    body.finish()
    await body.pipe(sink)
    assert sink.taken == [b"a"]


@pytest.mark.parametrize("early", [True, False], ids=["before the pipe began", "while it flows"])
async def test_a_pipe_of_an_incomplete_body_raises(early: bool) -> None:
    body = Incoming(Peer(), None)
    if early:
        body.fail(ConnectionResetError("cut"))
    piping = asyncio.ensure_future(body.pipe(Sink()))
    await asyncio.sleep(0)
    if not early:
        body.fail(ConnectionResetError("cut"))
    with pytest.raises(ConnectionResetError):
        await piping


async def test_a_body_nobody_wants_is_abandoned() -> None:
    peer = Peer()
    body = Incoming(peer, None)
    body.feed(b"a")
    body.close()
    assert peer.gone
    body.feed(bytes(HIGH_WATER + 1))
    assert not peer.waits


async def test_a_whole_body_leaves_its_connection_alone_when_closed() -> None:
    peer = Peer()
    body = Incoming(peer, None)
    body.finish()
    body.close()
    assert not peer.gone


async def test_the_first_read_is_told_once() -> None:
    told = []
    body = Incoming(Peer(), None, lambda: told.append("100-continue"))
    body.feed(b"a")
    body.finish()
    assert told == []
    await body.read()
    await body.read()
    assert told == ["100-continue"]


async def test_a_cancelled_reader_loses_nothing() -> None:
    body = Incoming(Peer(), None)
    reading = asyncio.ensure_future(body.read())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    body.feed(b"abc")
    assert await body.read() == b"abc"


async def test_a_body_that_is_all_here_leaves_its_connection_free() -> None:
    """The next exchange reads on it, whether this reader takes its bytes or not."""
    peer = Peer()
    body = Incoming(peer, HIGH_WATER + 1)
    body.feed(bytes(HIGH_WATER + 1))
    assert peer.waits
    body.finish()
    assert not peer.waits
    body.close()
    assert not peer.gone


async def test_a_view_is_read_as_bytes_and_piped_as_it_is() -> None:
    read, piped = Incoming(Peer(), 3), Incoming(Peer(), 3)
    for body in (read, piped):
        body.feed(memoryview(b"xabc")[1:])
        body.finish()
    assert await read.read() == b"abc"
    sink = Sink()
    await piped.pipe(sink)
    assert sink.taken == [b"abc"]
