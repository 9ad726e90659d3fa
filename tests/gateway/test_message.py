"""Messages as the gateway holds them."""

import asyncio
from collections.abc import Callable

import pytest

import gateway.message as message
from gateway.message import MEMOS, Entry, Fields, Head, Request, Response, Stream

FIELDS: Fields = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]


class Chunks(Stream):
    """A body of these chunks; remembers that it was closed."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)
        self.closed = False

    async def read(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    def close(self) -> None:
        self.closed = True


class Slow:
    """A sink that is full after every chunk, and takes more a moment later."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.waits = 0
        self.full = False

    def write(self, chunk: bytes | memoryview) -> None:
        assert not self.full, "written to although it was full"
        self.taken.append(bytes(chunk))
        self.full = True

    def drained(self, resume: Callable[[], None]) -> None:
        self.waits += 1

        def drain() -> None:
            self.full = False
            resume()

        asyncio.get_running_loop().call_soon(drain)


def test_fields_are_found_by_name() -> None:
    assert message.first(FIELDS, b"a") == b"1"
    assert message.first(FIELDS, b"c") is None
    assert message.every(FIELDS, b"a") == [b"1", b"3"]
    assert message.joined(FIELDS, b"a") == b"1, 3"
    assert message.joined(FIELDS, b"c") == b""
    assert message.without(FIELDS, b"a", b"c") == [(b"b", b"2")]


def test_a_request_finds_its_fields_and_shows_itself() -> None:
    request = Request(b"GET", b"/x\xff", FIELDS)
    assert request.index == {b"a": b"3", b"b": b"2"}
    assert repr(request) == "<Request GET /xÿ>"
    assert repr(Response(204, [])) == "<Response 204>"


@pytest.mark.anyio
async def test_a_body_goes_no_faster_than_its_sink() -> None:
    sink = Slow()
    await Chunks(b"a", b"b", b"c").pipe(sink)
    assert sink.taken == [b"a", b"b", b"c"]
    assert sink.waits == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "limit", "read"),
    [
        pytest.param(b"abc", 3, b"abc", id="bytes within the limit"),
        pytest.param(b"abc", 2, None, id="bytes beyond it"),
        pytest.param(Chunks(b"a", b"bc"), 3, b"abc", id="a stream within the limit"),
        pytest.param(Chunks(), 3, b"", id="an empty stream"),
    ],
)
async def test_whole(body: bytes | Stream, limit: int, read: bytes | None) -> None:
    assert await message.whole(body, limit) == read


@pytest.mark.anyio
async def test_a_stream_beyond_the_limit_is_let_go() -> None:
    body = Chunks(b"ab", b"cd", b"ef")
    assert await message.whole(body, 3) is None
    assert body.closed


def test_a_stream_has_no_length_unless_it_says_so() -> None:
    assert Chunks(b"a").length is None


def test_an_entry_knows_its_weight_and_its_end() -> None:
    entry = Entry(200, ((b"a", b"1"),), bytes(1000), b"d", stored=0.0, fresh=1.0, revalidate=5.0, error=3.0)
    assert entry.expires == 5.0
    assert entry.size > 1000


def test_a_head_keeps_what_was_worked_out_of_it_but_not_without_end() -> None:
    head = Head([(b"a", b"1")])
    for number in range(1000):
        assert head.keep(number, number) == number
        assert head.memo[number] == number
    assert len(head.memo) <= MEMOS


def test_fields_added_for_one_message_stay_its_own() -> None:
    head = Head([(b"a", b"1")])
    one, other = Response(200, head), Response(200, head)
    one.extra.append((b"b", b"2"))
    assert one.headers == [(b"a", b"1"), (b"b", b"2")]
    assert other.headers == head.fields == [(b"a", b"1")]
    assert Request(b"GET", b"/", head, id=b"3").headers == [(b"a", b"1"), (b"x-request-id", b"3")]


@pytest.mark.anyio
@pytest.mark.parametrize("limit", [0, 1, 2, 3, 5])
async def test_gathered_loses_nothing(limit: int) -> None:
    """Short bodies come as bytes, longer ones as a stream that has all of it."""
    body = await message.gathered(Chunks(b"ab", b"cd"), limit)
    if isinstance(body, Stream):
        chunks = []
        while chunk := await body.read():
            chunks.append(chunk)
        assert limit < 4
        assert b"".join(chunks) == b"abcd"
    else:
        assert limit >= 4
        assert body == b"abcd"


@pytest.mark.anyio
async def test_a_resumed_body_lets_go_of_its_rest() -> None:
    rest = Chunks(b"ab", b"cd", b"ef")
    body = await message.gathered(rest, 1)
    assert isinstance(body, Stream)
    body.close()
    assert rest.closed


@pytest.mark.anyio
async def test_a_whole_body_is_a_stream_like_any_other() -> None:
    view = memoryview(b"xabc")[1:]
    assert await message.whole(message.Whole(view), 3) == b"abc"
    assert await message.whole(message.Whole(view), 2) is None
    sink = Slow()
    body = message.Whole(view)
    await body.pipe(sink)
    assert (sink.taken, body.length) == ([b"abc"], 3)


@pytest.mark.anyio
async def test_fields_behind_a_body_come_after_it() -> None:
    behind = [(b"server-timing", b"db")]
    body = message.Trailed(b"abcd", behind)
    resumed = await message.gathered(body, 1)
    assert isinstance(resumed, Stream) and resumed.length is None
    assert [await resumed.read(), await resumed.read()] == [b"abcd", b""]
    assert resumed.trailers == behind
    assert Chunks(b"ab").trailers == []


@pytest.mark.anyio
async def test_a_body_whose_reader_is_gone_is_closed() -> None:
    class Endless(Chunks):
        async def read(self) -> bytes:
            await asyncio.Event().wait()
            return b""

    body = Endless()
    reading = asyncio.ensure_future(message.gathered(body, 10))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert body.closed
