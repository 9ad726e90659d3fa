"""The client over real sockets: framing as llhttp judges it, connections kept and dropped, backpressure both ways."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest

import gateway.rules.streams as streams
import gateway.transport.pool as pools
from gateway.errors import BadAnswer, OriginError, Overloaded, TimedOut, Unreachable, ViewerError
from gateway.message import Body, Fields, Request, Response, Stream
from gateway.table import Origin
from gateway.transport.connection import Coming, Connection
from gateway.transport.pool import Pool
from gateway.transport.resolve import Resolver
from gateway.transport.tunnel import Tunnel
from tests.kit.origin import Answer, Raw, Seen, serving
from tests.kit.ports import free_port

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\nok"


def at(port: int, scheme: str = "http") -> Origin:
    authority = f"127.0.0.1:{port}"
    url = f"{scheme}://{authority}"
    return Origin(url, scheme, "127.0.0.1", port, authority=authority.encode(), base=url.encode())


@asynccontextmanager
async def pooled(limit: int = 8, queue: int = 8) -> AsyncIterator[Pool]:
    pool = Pool(Resolver(("loopback",)), limit, queue)
    try:
        yield pool
    finally:
        await pool.aclose()


async def ask(
    pool: Pool,
    port: int,
    target: bytes = b"/",
    *,
    method: bytes = b"GET",
    headers: Fields | None = None,
    body: Body = b"",
    timeout: float = 2.0,
) -> Response:
    request = Request(method, target, [(b"host", b"o.test"), *(headers or [])], body)
    return await pool.handle_async_request(request, at(port), timeout)


async def read(response: Response) -> bytes:
    """The whole body, which comes as bytes when it was there at once."""
    if isinstance(response.body, bytes):
        return response.body
    chunks = []
    while chunk := await response.body.read():
        chunks.append(chunk)
    return b"".join(chunks)


class Given(Stream):
    """A viewer's body out of an iterator; counts what was taken."""

    def __init__(self, chunks: Iterator[bytes], length: int | None = None) -> None:
        self._chunks = chunks
        self._length = length
        self.taken = 0

    @property
    def length(self) -> int | None:
        return self._length

    async def read(self) -> bytes:
        chunk = next(self._chunks, b"")
        self.taken += len(chunk)
        await asyncio.sleep(0)
        return chunk


def scripted(*answers: Answer | Raw) -> Callable[[Seen], Answer | Raw]:
    """The first request gets the first answer, and so on; then the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


async def until(happened: Callable[[], bool], seconds: float = 2.0) -> None:
    for _ in range(int(seconds / 0.01)):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


# What goes out


async def test_the_request_goes_out_as_it_is() -> None:
    async with serving(lambda _: Answer(b"ok")) as origin, pooled() as pool:
        await ask(
            pool, origin.port, b"/a%2Fb//c;x=1/%7e?q=%20&%zz", headers=[(b"x-own", b"1"), (b"x-own", "é".encode())]
        )
    assert origin.requests[0].head == (
        b"GET /a%2Fb//c;x=1/%7e?q=%20&%zz HTTP/1.1\r\nhost: o.test\r\nx-own: 1\r\nx-own: \xc3\xa9\r\n\r\n"
    )


async def test_a_large_body_that_is_kept_is_not_the_next_one() -> None:
    bodies = [bytes([letter]) * 100_000 for letter in b"abc"]
    async with serving(scripted(*map(Answer, bodies))) as origin, pooled() as pool:
        answers = [await ask(pool, origin.port) for _ in bodies]
        assert [await read(answer) for answer in answers] == bodies


async def test_nothing_is_remembered_and_nothing_followed() -> None:
    moved = Answer(b"", 302, [("Location", "/elsewhere"), ("Set-Cookie", "s=1")])
    async with serving(lambda _: moved) as origin, pooled() as pool:
        assert (await ask(pool, origin.port)).status == 302
        assert (await ask(pool, origin.port)).status == 302
    assert origin.targets == ["/", "/"]
    assert [seen.get("Cookie") for seen in origin.requests] == [None, None]


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        pytest.param(b"abcdef", (b"content-length", b"6"), id="bytes"),
        pytest.param(Given(iter([b"abc", b"def"]), 6), (b"content-length", b"6"), id="a stream with a length"),
        pytest.param(Given(iter([b"abc", b"def"])), (b"transfer-encoding", b"chunked"), id="a stream without one"),
    ],
)
async def test_upload(body: Body, framing: tuple[bytes, bytes]) -> None:
    async with serving(lambda seen: Answer(seen.body)) as origin, pooled() as pool:
        response = await ask(pool, origin.port, method=b"POST", headers=[framing], body=body)
        assert await read(response) == b"abcdef"
        assert await read(await ask(pool, origin.port)) == b""
    assert origin.connections == 1


# What comes back


@pytest.mark.parametrize(
    ("method", "answer", "status", "body", "kept"),
    [
        pytest.param(b"GET", OK, 200, b"ok", True, id="a length"),
        pytest.param(b"GET", HEAD + b"Content-Length: 0\r\n\r\n", 200, b"", True, id="no bytes"),
        pytest.param(
            b"GET",
            CHUNKED + b"1\r\no\r\n1;x=y\r\nk\r\n0\r\nT: v\r\n\r\n",
            200,
            b"ok",
            True,
            id="chunks, an extension, a trailer",
        ),
        pytest.param(b"GET", HEAD + b"\r\nok", 200, b"ok", False, id="until the connection closes"),
        pytest.param(b"GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False, id="HTTP/1.0"),
        pytest.param(b"GET", HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False, id="close"),
        pytest.param(b"HEAD", HEAD + b"Content-Length: 1000\r\n\r\n", 200, b"", True, id="HEAD announces a length"),
        pytest.param(b"HEAD", CHUNKED, 200, b"", True, id="HEAD announces chunks"),
        pytest.param(b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True, id="204"),
        pytest.param(b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", True, id="304"),
        pytest.param(
            b"GET",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 20 + OK,
            200,
            b"ok",
            True,
            id="a storm of 1xx",
        ),
        pytest.param(b"GET", b"HTTP/1.1 199 Odd\r\n\r\n" + OK, 200, b"ok", True, id="an unknown 1xx"),
        pytest.param(b"GET", b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, b"no", True, id="404"),
        pytest.param(b"GET", b"HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nno", 599, b"no", True, id="a new status"),
    ],
)
async def test_answer(method: bytes, answer: bytes, status: int, body: bytes, kept: bool) -> None:
    """And then the next one is the next request's own."""
    with_next = scripted(Raw(answer, close=not kept), Answer(b"next"))
    async with serving(with_next) as origin, pooled() as pool:
        response = await ask(pool, origin.port, method=method)
        assert (response.status, await read(response)) == (status, body)
        assert await read(await ask(pool, origin.port)) == b"next"
        assert origin.connections == (1 if kept else 2)


async def test_an_answer_may_come_a_byte_at_a_time() -> None:
    parts: list[bytes | float] = []
    for at_ in range(len(OK)):
        parts += [OK[at_ : at_ + 1], 0.0005]
    async with serving(lambda _: Raw(parts, close=False)) as origin, pooled() as pool:
        assert await read(await ask(pool, origin.port)) == b"ok"


async def test_fields_come_in_lower_case_and_in_order() -> None:
    headers = [("Set-Cookie", "a=1"), ("X-B", "2"), ("Set-Cookie", "c=3")]
    async with serving(lambda _: Answer(b"", headers=headers)) as origin, pooled() as pool:
        response = await ask(pool, origin.port)
    told = [field for field in response.headers if field[0] != b"content-length"]
    assert told == [(b"set-cookie", b"a=1"), (b"x-b", b"2"), (b"set-cookie", b"c=3")]


async def test_a_body_streams_as_it_comes() -> None:
    async with serving(lambda _: Answer([b"one", 0.1, b"two"])) as origin, pooled() as pool:
        response = await ask(pool, origin.port)
        assert isinstance(response.body, Stream)
        assert await response.body.read() == b"one"
        assert await read(response) == b"two"
        assert await read(await ask(pool, origin.port)) == b"onetwo"
    assert origin.connections == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\nok", "http_response_incomplete", id="a body cut short"),
        pytest.param(CHUNKED + b"2\r\nok\r\n", "http_response_incomplete", id="no last chunk"),
        pytest.param(CHUNKED + b"9\r\nok", "http_response_incomplete", id="a chunk cut short"),
        pytest.param(HEAD + b"Content-Le", "connection_terminated", id="a head cut short"),
        pytest.param(b"", "connection_terminated", id="nothing"),
    ],
)
async def test_an_incomplete_answer_never_just_ends(answer: bytes, kind: str) -> None:
    async with serving(lambda _: Raw(answer)) as origin, pooled() as pool:
        with pytest.raises(OriginError) as told:
            await read(await ask(pool, origin.port))
    assert (told.value.status, told.value.proxy_error) == (502, kind)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
        pytest.param(b"<h1>HTTP/0.9</h1>", id="no head"),
        pytest.param(HEAD + b"Content-Length: +2\r\n\r\nok", id="a signed length"),
        pytest.param(HEAD + b"Content-Length: 0x2\r\n\r\nok", id="a hexadecimal length"),
        pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: 99999999999999999999\r\n\r\nok", id="a length beyond 64 bits"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", id="length and chunks"
        ),
        pytest.param(CHUNKED + b"xyz\r\n", id="a chunk size that is none"),
        pytest.param(CHUNKED + b"-1\r\nx\r\n", id="a signed chunk size"),
        pytest.param(HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok", id="a zero byte in a field"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", id="101"),
    ],
)
async def test_what_is_no_http_is_a_bad_answer(answer: bytes) -> None:
    async with serving(scripted(Raw([answer, 0.5]), Answer(b"next"))) as origin, pooled() as pool:
        with pytest.raises(BadAnswer):
            await read(await ask(pool, origin.port, timeout=1.0))
        assert await read(await ask(pool, origin.port)) == b"next"


EVIL = HEAD + b"Content-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        pytest.param(b"GET", [OK + EVIL], id="in the same packet"),
        pytest.param(b"GET", [OK, 0.02, EVIL], id="a moment later"),
        pytest.param(b"GET", [OK[:-1], 0.02, OK[-1:] + EVIL], id="with the body's last byte"),
        pytest.param(b"HEAD", [OK], id="a body after HEAD"),
        pytest.param(b"HEAD", [OK[:-2], 0.02, b"ok"], id="a body after HEAD, a moment later"),
        pytest.param(b"GET", [b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL], id="a body after 204"),
        pytest.param(b"GET", [b"HTTP/1.1 304 Not Modified\r\n\r\n" + EVIL], id="a body after 304"),
        pytest.param(b"GET", [CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + EVIL], id="chunks"),
    ],
)
async def test_bytes_after_the_end_are_never_the_next_answer(method: bytes, parts: list[bytes | float]) -> None:
    async with serving(scripted(Raw(parts, close=False), Answer(b"honest"))) as origin, pooled() as pool:
        with suppress(BadAnswer):  # when the mess came with the answer itself
            assert b"evil" not in await read(await ask(pool, origin.port, method=method))
        await until(lambda: "1 idle" not in repr(pool))
        assert await read(await ask(pool, origin.port)) == b"honest"
    assert origin.connections == 2


# Connections


async def test_connections_are_kept() -> None:
    async with serving(lambda _: Answer(b"ok")) as origin, pooled() as pool:
        for _ in range(5):
            assert await read(await ask(pool, origin.port)) == b"ok"
        assert "0 busy, 1 idle" in repr(pool)
    assert origin.connections == 1


def dies_on_second(seen: Seen) -> Answer | Raw:
    """The keep-alive race: closes a kept connection just as a request comes in on it."""
    return Raw(b"") if seen.connection == 1 and seen.target == "/second" else Answer(b"ok")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"])
async def test_a_stale_connection_is_no_failure_for_what_may_be_repeated(method: bytes) -> None:
    async with serving(dies_on_second) as origin, pooled() as pool:
        await read(await ask(pool, origin.port))
        assert (await ask(pool, origin.port, b"/second", method=method)).status == 200
    assert origin.targets == ["/", "/second", "/second"]


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param(b"POST", b"", id="POST"),
        pytest.param(b"PATCH", b"", id="PATCH"),
        pytest.param(b"PUT", Given(iter([b"abc"]), 3), id="a body that was handed out already"),
    ],
)
async def test_what_may_not_be_repeated_is_delivered_once(method: bytes, body: Body) -> None:
    async with serving(dies_on_second) as origin, pooled() as pool:
        await read(await ask(pool, origin.port))
        framing = [(b"content-length", b"3" if body else b"0")]
        with pytest.raises(OriginError) as told:
            await ask(pool, origin.port, b"/second", method=method, headers=framing, body=body)
    assert (told.value.status, told.value.proxy_error) == (502, "connection_terminated")
    assert origin.targets == ["/", "/second"]


async def test_a_new_connection_that_dies_is_not_tried_again() -> None:
    async with serving(lambda _: Raw(b"")) as origin, pooled() as pool:
        with pytest.raises(BadAnswer):
            await ask(pool, origin.port)
    assert origin.targets == ["/"]


async def test_an_origin_that_comes_back_is_found_again() -> None:
    origin = serving(lambda _: Answer(b"ok"))
    async with pooled() as pool:
        async with origin:
            await read(await ask(pool, origin.port))
        with pytest.raises(Unreachable, match="Is it running there") as told:
            await ask(pool, origin.port)
        assert told.value.proxy_error == "connection_refused"
        async with origin:
            assert await read(await ask(pool, origin.port)) == b"ok"


async def test_tls_with_a_plain_origin_is_told() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, pooled() as pool:
        with pytest.raises(Unreachable, match="No TLS") as told:
            await pool.handle_async_request(Request(b"GET", b"/", []), at(port, "https"), 2.0)
    assert told.value.proxy_error == "tls_protocol_error"


async def test_no_head_in_time() -> None:
    async with serving(lambda _: Answer(b"late", delay=5.0)) as origin, pooled() as pool:
        with pytest.raises(TimedOut) as told:
            await asyncio.wait_for(ask(pool, origin.port, timeout=0.1), 4.0)
    assert (told.value.status, told.value.proxy_error) == (504, "http_response_timeout")


async def test_a_late_answer_is_nobodys() -> None:
    def late_first(seen: Seen) -> Answer:
        return Answer(b"late", delay=0.15) if seen.target == "/late" else Answer(b"own")

    async with serving(late_first) as origin, pooled() as pool:
        with pytest.raises(TimedOut):
            await ask(pool, origin.port, b"/late", timeout=0.05)
        assert await read(await ask(pool, origin.port)) == b"own"
        await asyncio.sleep(0.15)
        assert await read(await ask(pool, origin.port)) == b"own"


async def test_no_connection_in_time() -> None:
    """A listener whose backlog is full does not even refuse."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        crowd = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            crowd.append(one)
        try:
            async with pooled() as pool:
                with pytest.raises(TimedOut) as told:
                    await ask(pool, port, timeout=0.2)
            assert told.value.proxy_error == "connection_timeout"
        finally:
            for one in crowd:
                one.close()


async def test_timeout_is_for_the_head_and_a_slow_body_may_take_longer() -> None:
    async with serving(lambda _: Answer([b"a", 0.15, b"b"])) as origin, pooled() as pool:
        assert await read(await ask(pool, origin.port, timeout=0.1)) == b"ab"


class Counting:
    """Answers after a moment; remembers how many it had at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, seen: Seen) -> Answer:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.05)
        self.now -= 1
        return Answer(seen.target.encode())


async def test_limit_is_kept_and_who_waits_is_served() -> None:
    counting = Counting()
    async with serving(counting) as origin, pooled(limit=2, queue=100) as pool:
        answers = await asyncio.gather(*(ask(pool, origin.port, b"/%d" % number) for number in range(9)))
        assert [await read(answer) for answer in answers] == [b"/%d" % number for number in range(9)]
    assert counting.most == 2
    assert origin.connections == 2


async def test_a_full_queue_is_told_at_once() -> None:
    async with serving(Counting()) as origin, pooled(limit=1, queue=1) as pool:
        outcomes = await asyncio.gather(*(ask(pool, origin.port) for _ in range(4)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
    assert len(refused) == 2
    assert (refused[0].status, refused[0].proxy_error) == (503, "connection_limit_reached")


async def test_waiting_in_the_queue_has_an_end() -> None:
    async with serving(lambda _: Answer(b"", delay=0.3)) as origin, pooled(limit=1) as pool:
        first = asyncio.ensure_future(ask(pool, origin.port, timeout=30))
        await until(lambda: bool(origin.requests), 30)
        with pytest.raises(Overloaded):
            await ask(pool, origin.port, timeout=0.05)
        assert (await first).status == 200


async def test_who_goes_away_from_the_queue_takes_nothing_along() -> None:
    async with serving(Counting()) as origin, pooled(limit=1) as pool:
        asks = [asyncio.ensure_future(ask(pool, origin.port)) for _ in range(3)]
        await asyncio.sleep(0.02)
        asks[1].cancel()
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Response, asyncio.CancelledError, Response]
        assert "0 busy, 1 idle, 0 waiting" in repr(pool)


async def test_a_failure_makes_room_for_who_waits() -> None:
    async with serving(lambda _: Raw([0.02, b""])) as origin, pooled(limit=1) as pool:
        outcomes = await asyncio.gather(*(ask(pool, origin.port) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [BadAnswer] * 3


async def test_a_refusal_makes_room_for_who_waits() -> None:
    port = free_port()
    async with pooled(limit=1) as pool:
        outcomes = await asyncio.gather(*(ask(pool, port) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unreachable] * 3


async def test_who_no_longer_waits_closes_the_connection() -> None:
    async with serving(lambda _: Answer(b"late", delay=0.2)) as origin, pooled() as pool:
        asking = asyncio.ensure_future(ask(pool, origin.port))
        await until(lambda: len(origin.requests) == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert "0 busy, 0 idle" in repr(pool)
        assert await read(await ask(pool, origin.port)) == b"late"
    assert origin.connections == 2


async def test_a_body_nobody_wants_closes_the_connection() -> None:
    async with serving(lambda _: Answer([b"a", 0.5, b"b"])) as origin, pooled() as pool:
        response = await ask(pool, origin.port)
        assert isinstance(response.body, Stream)
        response.body.close()
        await asyncio.sleep(0)
        assert "0 busy, 0 idle" in repr(pool)


async def test_pool_lets_go_of_everything() -> None:
    async with serving(lambda _: Answer([b"a", 0.5, b"b"])) as origin:
        async with pooled() as pool:
            response = await ask(pool, origin.port)
        with pytest.raises(OriginError):
            await read(response)


# Backpressure

MIB = 1 << 20


async def test_a_stalled_reader_stops_the_origin() -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += MIB
            yield bytes(MIB)

    async with serving(lambda _: Answer(chunks())) as origin, pooled() as pool:
        response = await ask(pool, origin.port)
        assert isinstance(response.body, Stream)
        await response.body.read()
        await asyncio.sleep(0.3)
        stalled = sent
        assert stalled <= 16 * MIB  # sockets' own buffers, and one chunk on each side
        assert len(await read(response)) > 40 * MIB
    assert sent == 64 * MIB


class Stuck:
    """A sink that is full after the first chunk, until it is told to go on."""

    def __init__(self) -> None:
        self.size = 0
        self.full = False
        self._resumes: list[Callable[[], None]] = []

    def write(self, chunk: bytes | memoryview) -> None:
        self.size += len(chunk)
        self.full = True

    def drained(self, resume: Callable[[], None]) -> None:
        self._resumes.append(resume)

    def drain(self) -> None:
        self.full = False
        resumes, self._resumes = self._resumes, []
        for resume in resumes:
            resume()


async def test_a_full_sink_stops_the_origin() -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(48):
            sent += MIB
            yield bytes(MIB)

    async with serving(lambda _: Answer(chunks())) as origin, pooled() as pool:
        response = await ask(pool, origin.port)
        assert isinstance(response.body, Stream)
        sink = Stuck()
        piping = asyncio.ensure_future(response.body.pipe(sink))
        await asyncio.sleep(0.2)
        assert sent <= 16 * MIB
        assert sink.size <= 2 * MIB
        while not piping.done():
            sink.drain()
            await asyncio.sleep(0)
        await piping
        assert sink.size == 48 * MIB


async def test_a_slow_origin_stops_the_upload() -> None:
    body = Given(iter([bytes(MIB)] * 64), 64 * MIB)
    async with serving(lambda seen: Answer(b""), pause=5.0) as origin, pooled() as pool:
        asking = asyncio.ensure_future(
            ask(pool, origin.port, method=b"POST", headers=[(b"content-length", b"%d" % (64 * MIB))], body=body)
        )
        await asyncio.sleep(0.3)
        assert body.taken <= 16 * MIB
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_an_answer_before_the_upload_is_over_is_heard() -> None:
    """413 with megabytes in flight; the connection is not used again (RFC 9112 section 9.5)."""
    connections = 0

    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    server = await asyncio.start_server(impatient, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, pooled() as pool:
        for _ in range(2):
            body = Given(iter([bytes(MIB)] * 32), 32 * MIB)
            framing = [(b"content-length", b"%d" % (32 * MIB))]
            response = await ask(pool, port, method=b"POST", headers=framing, body=body)
            assert (response.status, await read(response)) == (413, b"no")
            assert body.taken < 32 * MIB
        await asyncio.sleep(0.1)  # until the origin has closed
    assert connections == 2


async def test_a_viewer_that_breaks_off_is_no_fault_of_the_origin() -> None:
    class Broken(Given):
        async def read(self) -> bytes:
            if self.taken:
                raise ConnectionResetError("the viewer went away")
            return await super().read()

    async with serving(lambda _: Answer(b"")) as origin, pooled() as pool:
        framing = [(b"content-length", b"100")]
        with pytest.raises(ViewerError, match="went away"):
            await ask(pool, origin.port, method=b"POST", headers=framing, body=Broken(iter([b"abc"]), 100))
    assert origin.requests == []


# What comes before an answer, and behind it


HINTED = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "told"),
    [
        pytest.param(HINTED, [b"</a.css>; rel=preload"], id="early hints"),
        pytest.param(HINTED * 3, [b"</a.css>; rel=preload"] * 3, id="several"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n", [], id="processing is for nobody"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", [], id="a 100 nobody asked for"),
        pytest.param(b"HTTP/1.1 199 Odd\r\nLink: </x>\r\n\r\n", [], id="an unknown one"),
        pytest.param(b"", [], id="nothing"),
    ],
)
async def test_what_an_origin_hints_at_is_told(before: bytes, told: list[bytes]) -> None:
    heard: list[Fields] = []
    async with serving(lambda _: Raw([before, 0.01, OK], close=False)) as origin, pooled() as pool:
        request = Request(b"GET", b"/", [(b"host", b"o.test")], hints=heard.append)
        assert await read(await pool.handle_async_request(request, at(origin.port), 2)) == b"ok"
    assert [value for fields in heard for _, value in fields] == told


async def test_a_hint_behind_the_answer_is_told_to_nobody() -> None:
    heard: list[Fields] = []
    async with serving(scripted(Raw([OK, 0.01, HINTED], close=False), Answer(b"next"))) as origin, pooled() as pool:
        request = Request(b"GET", b"/", [(b"host", b"o.test")], hints=heard.append)
        assert await read(await pool.handle_async_request(request, at(origin.port), 2)) == b"ok"
        await asyncio.sleep(0.05)
        assert await read(await ask(pool, origin.port)) == b"next"
    assert heard == []


BEHIND = b"2\r\nok\r\n0\r\nServer-Timing: db\r\nSet-Cookie: s=1\r\n\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([CHUNKED + BEHIND], id="at once"),
        pytest.param([CHUNKED, 0.02, BEHIND], id="behind a head that came alone"),
        pytest.param([CHUNKED + BEHIND[:-1], 0.02, BEHIND[-1:]], id="in pieces"),
    ],
)
@pytest.mark.parametrize("wanted", [True, False])
async def test_fields_behind_a_body(parts: list[bytes | float], wanted: bool) -> None:
    """They go to who takes them, and never stand before the next answer on that connection."""
    taking: Fields = [(b"te", b"trailers")] if wanted else []
    async with serving(scripted(Raw(parts, close=False), Answer(b"next"))) as origin, pooled() as pool:
        response = await ask(pool, origin.port, headers=taking)
        assert await read(response) == b"ok"
        behind = response.body.trailers if isinstance(response.body, Stream) else []
        assert behind == ([(b"server-timing", b"db"), (b"set-cookie", b"s=1")] if wanted else [])
        after = await ask(pool, origin.port)
        assert await read(after) == b"next"
        assert after.headers == [(b"content-length", b"4")]
    assert origin.connections == 1


async def test_fields_behind_a_body_have_an_end() -> None:
    endless = (b"x-%d: %b\r\n" % (number, b"v" * 1000) for number in range(1000))
    async with serving(lambda _: Raw([CHUNKED, 0.02, b"2\r\nok\r\n0\r\n", *endless])) as origin, pooled() as pool:
        with pytest.raises(BadAnswer, match="trailers"):
            await read(await ask(pool, origin.port))


async def test_fields_behind_an_upload_go_along() -> None:
    class Signed(Given):
        @property
        def trailers(self) -> Fields:
            return [(b"repr-digest", b"sha-256=:AAAA:"), (b"authorization", b"Basic x")]

    got = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.readuntil(b"\r\n0\r\n"))
        got.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server, pooled() as pool:
        framing = [(b"transfer-encoding", b"chunked")]
        port = server.sockets[0].getsockname()[1]
        response = await ask(pool, port, method=b"POST", headers=framing, body=Signed(iter([b"abc"])))
        assert await read(response) == b"ok"
    assert got.endswith(b"3\r\nabc\r\n0\r\nrepr-digest: sha-256=:AAAA:\r\n\r\n")


# Silence


EVENTS = HEAD + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "silent", "lives"),
    [
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\nok", streams.STALL + 1, False, id="a file that stopped"),
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\nok", streams.STALL - 1, True, id="a file that takes a rest"),
        pytest.param(CHUNKED + b"2\r\nok\r\n", streams.STALL + 1, True, id="a report that is being made"),
        pytest.param(CHUNKED + b"2\r\nok\r\n", streams.QUIET + 1, False, id="a report that stopped"),
        pytest.param(EVENTS + b"2\r\nok\r\n", 100_000.0, True, id="events"),
    ],
)
async def test_how_long_an_origin_may_be_silent(begin: bytes, silent: float, lives: bool) -> None:
    async with serving(lambda _: Raw([begin, 0.1], close=True)) as origin, pooled() as pool:
        response = await ask(pool, origin.port)
        assert isinstance(response.body, Stream) and await response.body.read() == b"ok"
        (home,) = pool._homes.values()
        home.sweep(asyncio.get_running_loop().time() + silent)
        with pytest.raises(BadAnswer if lives else TimedOut):
            await response.body.read()


# Tunnels


KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
WISH = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket"), (b"sec-websocket-key", KEY)]
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


async def wish(pool: Pool, port: int) -> Response:
    request = Request(b"GET", b"/", [(b"host", b"o.test"), *WISH], upgrade=b"websocket")
    return await pool.handle_async_request(request, at(port), 2.0)


def switching(seen: Seen) -> Answer | Raw:
    return Raw([SWITCHED, 5.0]) if seen.get("Upgrade") else Answer(b"page")


async def test_a_tunnel_has_a_connection_of_its_own() -> None:
    async with serving(switching) as origin, pooled() as pool:
        await ask(pool, origin.port)
        response = await wish(pool, origin.port)
        assert response.status == 101 and isinstance(response.body, Tunnel)
        assert [seen.connection for seen in origin.requests] == [1, 2]
        await ask(pool, origin.port)
        assert "0 busy, 1 idle, 0 waiting, 1 tunnels" in repr(pool)
        response.body.close()
        assert "0 busy, 1 idle, 0 waiting, 0 tunnels" in repr(pool)
    assert origin.requests[-1].connection == 1


async def test_tunnels_take_no_pages_place() -> None:
    async with serving(switching) as origin, pooled(limit=1) as pool:
        tunnels = [await wish(pool, origin.port) for _ in range(3)]
        assert await read(await ask(pool, origin.port)) == b"page"
        tunnels.append(await wish(pool, origin.port))  # though all connections are taken by one that idles
        assert await read(await ask(pool, origin.port)) == b"page"
    assert [response.status for response in tunnels] == [101] * 4


async def test_who_waits_for_a_place_gets_a_connection_nobody_used() -> None:
    slow = scripted(Answer(b"slow", delay=0.05), Raw([SWITCHED, 5.0]))
    async with serving(slow) as origin, pooled(limit=1) as pool:
        asking = asyncio.ensure_future(ask(pool, origin.port))
        await asyncio.sleep(0.01)
        assert (await wish(pool, origin.port)).status == 101
        assert (await asking).body == b"slow"
    assert [seen.connection for seen in origin.requests] == [1, 2]


async def test_tunnels_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "TUNNELS", 2)
    async with serving(switching) as origin, pooled() as pool:
        first, _ = await wish(pool, origin.port), await wish(pool, origin.port)
        with pytest.raises(Overloaded, match="2 tunnels"):
            await wish(pool, origin.port)
        assert isinstance(first.body, Tunnel)
        first.body.close()
        assert (await wish(pool, origin.port)).status == 101


async def test_a_tunnel_nobody_joins_is_let_go() -> None:
    async with serving(switching) as origin, pooled() as pool:
        await wish(pool, origin.port)
        (home,) = pool._homes.values()
        home.sweep(asyncio.get_running_loop().time() + streams.QUIET + 1)
        assert "0 tunnels" in repr(pool)


async def test_another_answer_than_101_is_an_answer_and_the_connection_is_kept() -> None:
    refusal = Answer(b"no", 426, [("Upgrade", "websocket"), ("Connection", "Upgrade")])
    async with serving(scripted(refusal, Answer(b"page"))) as origin, pooled() as pool:
        response = await wish(pool, origin.port)
        assert (response.status, await read(response)) == (426, b"no")
        assert await read(await ask(pool, origin.port)) == b"page"
    assert origin.connections == 1


async def test_hints_may_come_before_a_101() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\n" + HINTED + SWITCHED
    async with serving(lambda _: Raw([early, 5.0])) as origin, pooled() as pool:
        assert (await wish(pool, origin.port)).status == 101


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(SWITCHED.replace(b"s3p", b"S3p"), "http_upgrade_failed", id="another handshake accepted"),
        pytest.param(SWITCHED.replace(b": websocket", b": h2c"), "http_upgrade_failed", id="another protocol"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "http_response_incomplete", id="no protocol"),
    ],
)
async def test_a_101_that_is_no_answer(answer: bytes, kind: str) -> None:
    async with serving(lambda _: Raw([answer, 1.0])) as origin, pooled() as pool:
        with pytest.raises(BadAnswer) as failure:
            await wish(pool, origin.port)
        assert failure.value.proxy_error == kind


# Heads that come again


DATED = b"HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:%02d GMT\r\nContent-Length: 2\r\n\r\n%b"


async def test_the_same_head_again_has_its_own_body_and_date() -> None:
    answers = [Raw(DATED % (number, b"%02d" % number), close=False) for number in range(6)]
    async with serving(scripted(*answers)) as origin, pooled() as pool:
        for number in range(6):
            assert await read(await ask(pool, origin.port)) == b"%02d" % number
    assert origin.connections == 1


@pytest.mark.parametrize(
    ("method", "last", "body"),
    [
        pytest.param(b"GET", [OK + EVIL], b"ok", id="more bytes behind it"),
        pytest.param(b"GET", [OK[:-1], 0.02, b"k" + EVIL], b"ok", id="more bytes behind it, in pieces"),
        pytest.param(b"GET", [OK, 0.02, EVIL], b"ok", id="more bytes a moment later"),
        pytest.param(b"HEAD", [OK], b"", id="a body behind HEAD"),
    ],
)
async def test_a_head_known_from_before_changes_nothing_about_the_end(
    method: bytes, last: list[bytes | float], body: bytes
) -> None:
    answers: list[Answer | Raw] = [*[Raw(OK, close=False)] * 4, Raw(last, close=False), Answer(b"honest")]
    async with serving(scripted(*answers)) as origin, pooled() as pool:
        for _ in range(4):
            assert await read(await ask(pool, origin.port)) == b"ok"
        with suppress(BadAnswer):  # when the mess came with the answer itself
            assert await read(await ask(pool, origin.port, method=method)) == body
        await until(lambda: "1 idle" not in repr(pool))
        assert await read(await ask(pool, origin.port)) == b"honest"
    assert origin.connections == 2


async def test_a_head_known_from_before_may_be_cut_short_all_the_same() -> None:
    async with serving(scripted(*[Raw(OK, close=False)] * 4, Raw(OK[:-1]))) as origin, pooled() as pool:
        for _ in range(4):
            await read(await ask(pool, origin.port))
        with pytest.raises(BadAnswer):
            await read(await ask(pool, origin.port))


async def test_a_head_known_from_before_may_come_in_pieces() -> None:
    pieces: list[bytes | float] = [OK[:10], 0.01, OK[10:-2], 0.01, OK[-2:-1], 0.01, OK[-1:]]
    answers = [Raw(OK, close=False)] * 4 + [Raw(pieces, close=False), Raw(OK, close=False)]
    async with serving(scripted(*answers)) as origin, pooled() as pool:
        for _ in range(6):
            assert await read(await ask(pool, origin.port)) == b"ok"
    assert origin.connections == 1


# Whole answers that come again


@pytest.mark.parametrize(
    ("last", "same"),
    [
        pytest.param(DATED % (9, b"ok"), True, id="at another time"),
        pytest.param(DATED % (9, b"no"), False, id="with another body"),
        pytest.param(
            (DATED % (9, b"ok")).replace(b"Content", b"X-More: 1\r\nContent"), False, id="with one more field"
        ),
        pytest.param((DATED % (9, b"ok")).replace(b"2023", b"2\r\n3"), False, id="with a line in its date"),
        pytest.param((DATED % (9, b"ok")).replace(b"200 OK", b"404 OK"), False, id="with another status"),
        pytest.param((DATED % (9, b"abc")).replace(b": 2\r\n", b": 3\r\n"), False, id="with a longer body"),
    ],
)
async def test_an_answer_that_came_before_is_known_by_its_bytes(last: bytes, same: bool) -> None:
    answers = [Raw(DATED % (number, b"ok"), close=False) for number in range(4)]
    async with serving(scripted(*answers, Raw(last, close=False))) as origin, pooled() as pool:
        before = [await ask(pool, origin.port) for _ in answers][-1]
        again = await ask(pool, origin.port)
    assert (again.status, again.body) == (int(last[9:12]), last.partition(b"\r\n\r\n")[2])
    assert (again.head is before.head and again.body is before.body) is same


async def test_what_came_before_is_known_at_its_own_address_only() -> None:
    answer = Raw(DATED % (1, b"ok"), close=False)
    async with serving(lambda _: answer) as origin, pooled() as pool:
        here = [await ask(pool, origin.port, b"/here") for _ in range(5)][-1]
        there = await ask(pool, origin.port, b"/there")
        posted = await ask(pool, origin.port, b"/here", method=b"POST")
    assert here.body == there.body == posted.body == b"ok"
    assert origin.connections == 1


async def test_an_answer_that_came_before_frees_its_connection_before_it_is_told() -> None:
    async with serving(lambda _: Raw(OK, close=False)) as origin, pooled(limit=1) as pool:
        for _ in range(8):
            assert await read(await ask(pool, origin.port)) == b"ok"
        assert await asyncio.gather(*(read_of(pool, origin.port) for _ in range(4))) == [b"ok"] * 4
    assert origin.connections == 1


async def read_of(pool: Pool, port: int) -> bytes:
    return await read(await ask(pool, port))


# Asked for at once


def get(target: bytes = b"/") -> Request:
    return Request(b"GET", target, [(b"host", b"o.test")])


def begin(pool: Pool, port: int) -> Coming | None:
    """What came of it, if a connection was idle."""
    coming = Coming(cast(Connection, None))
    connection = pool.begin(get(), at(port), 2.0, coming)
    if connection is None:
        return None
    coming._connection = connection
    return coming


async def test_a_request_leaves_at_once_where_a_connection_is_idle() -> None:
    async with serving(lambda _: Answer(b"ok")) as origin, pooled() as pool:
        assert begin(pool, origin.port) is None
        await ask(pool, origin.port)
        begun = begin(pool, origin.port)
        assert begun is not None and not begun.done
        assert begin(pool, origin.port) is None  # that one is busy now
        assert begun.origin == at(origin.port)
        assert await read(await pool.finish(begun, get(), at(origin.port), 2.0)) == b"ok"
    assert origin.connections == 1


async def test_what_left_on_a_connection_that_was_closed_is_asked_again() -> None:
    answers = [Raw([OK, 0.05], close=True), Raw(OK, close=False)]
    async with serving(scripted(*answers)) as origin, pooled() as pool:
        await ask(pool, origin.port)
        begun = begin(pool, origin.port)
        assert begun is not None
        assert await read(await pool.finish(begun, get(), at(origin.port), 2.0)) == b"ok"
    assert origin.connections == 2


async def test_what_nobody_waits_for_any_more_is_given_up() -> None:
    async with serving(scripted(Answer(b"ok"), Answer(b"late", delay=5.0))) as origin, pooled() as pool:
        await ask(pool, origin.port)
        begun = begin(pool, origin.port)
        assert begun is not None
        begun.give_up()
        await until(lambda: not next(iter(pool._homes.values())).all)


async def test_a_body_nobody_waits_for_any_more_is_given_up() -> None:
    def streaming(_: Seen) -> Raw:
        return Raw([HEAD + b"Content-Length: 9\r\n\r\nabc", 5.0], close=False)

    async with serving(scripted(Answer(b"ok"), streaming(Seen(b"", "", "", ())))) as origin, pooled() as pool:
        await ask(pool, origin.port)
        begun = begin(pool, origin.port)
        assert begun is not None
        await until(lambda: begun.done)
        begun.give_up()
        await until(lambda: not next(iter(pool._homes.values())).all)


async def test_each_answer_is_late_at_its_own_time() -> None:
    loop = asyncio.get_running_loop()
    waits = (0.4, 0.1, 0.25, 0.1)
    ended: dict[float, float] = {}

    async def late(seconds: float, port: int) -> None:
        began = loop.time()
        with pytest.raises(TimedOut):
            await ask(pool, port, timeout=seconds)
        ended[seconds] = loop.time() - began

    async with serving(lambda _: Answer(b"late", delay=5.0)) as origin, pooled() as pool:
        await asyncio.wait_for(asyncio.gather(*(late(seconds, origin.port) for seconds in waits)), 4.0)
    assert all(seconds <= ended[seconds] for seconds in waits)
    assert ended[0.1] < 0.35 and ended[0.25] < ended[0.4]


async def test_what_came_before_is_known_again_when_answers_that_differ_have_ended() -> None:
    count = itertools.count()

    def differing(_: Seen) -> Raw:
        return Raw(DATED % (1, b"%02d" % min(next(count), 20)), close=False)

    async with serving(differing) as origin, pooled() as pool:
        bodies = [(await ask(pool, origin.port)).body for _ in range(300)]
    assert bodies == [b"%02d" % min(number, 20) for number in range(300)]
    assert bodies[-1] is bodies[-2]


async def test_what_came_before_to_a_get_is_no_answer_to_a_head_on_its_connection() -> None:
    async with serving(lambda _: Raw(OK, close=False)) as origin, pooled() as pool:
        for _ in range(5):
            assert await read(await ask(pool, origin.port)) == b"ok"
        with suppress(BadAnswer):
            assert await read(await ask(pool, origin.port, method=b"HEAD")) == b""
