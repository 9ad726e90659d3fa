"""HTTP/1.1 with viewers over real sockets: what they send, byte for byte, and what comes back."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

import gateway.proxy.wire as wire
from gateway.errors import BadAnswer
from gateway.message import Request, Stream
from gateway.transport.pool import Pool
from gateway.transport.resolve import Resolver
from tests.gateway.proxy.playbook import Answers, Listening, Play, Reply, listening, manifest, playing, until

pytestmark = pytest.mark.anyio

HOTELS = manifest("hotels", mounts={"/": {"upstream": "hotels"}})
HOST = b"Host: shop.test\r\n"
GET = b"GET /x HTTP/1.1\r\n" + HOST
POST = b"POST /x HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"


async def echo(request: Request) -> Reply:
    """The target, a colon, and the body."""
    body = request.body
    if isinstance(body, Stream):
        chunks = []
        while chunk := await body.read():
            chunks.append(chunk)
        body = b"".join(chunks)
    return Reply(request.target + b":" + body, headers=[("content-type", "text/plain")])


class Viewer:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, head: bool = False) -> "Answered":
        """The next answer, read by its own framing."""
        raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 3)
        first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        version, status, _ = first.split(" ", 2)
        index = dict(fields)
        body = b""
        if not head and status not in ("204", "304") and not status.startswith("1"):
            body = await asyncio.wait_for(self._body(index), 3)
        return Answered(version, int(status), index, body, raw)

    async def _body(self, fields: Mapping[str, str]) -> bytes:
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
            return body
        if "content-length" in fields:
            return await self.reader.readexactly(int(fields["content-length"]))
        return await self.reader.read()

    async def rest(self) -> bytes:
        """All that comes until the connection ends, however it ends."""
        said = b""
        try:
            while some := await asyncio.wait_for(self.reader.read(65536), 3):
                said += some
        except ConnectionError:
            pass
        return said


@dataclass(frozen=True, slots=True)
class Answered:
    version: str
    status: int
    fields: Mapping[str, str]
    body: bytes
    head: bytes


@dataclass(slots=True)
class Portal:
    play: Play
    here: Listening

    @asynccontextmanager
    async def viewer(self) -> AsyncIterator[Viewer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.here.port)
        try:
            yield Viewer(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0.001)


@asynccontextmanager
async def portal(hotels: Answers = echo, **settings: Any) -> AsyncIterator[Portal]:
    async with playing([HOTELS], {"hotels": hotels}, **settings) as play, listening(play.portal) as here:
        yield Portal(play, here)


async def asked(raw: bytes, hotels: Answers = echo) -> tuple[bytes, list[str]]:
    """All that a viewer who sends this and waits is told, and what the origin saw."""
    async with portal(hotels) as served, served.viewer() as viewer:
        viewer.send(raw)
        return await viewer.rest(), served.play.seen


# Requests as they should be


@pytest.mark.parametrize(
    ("raw", "seen", "body"),
    [
        pytest.param(b"GET /x?a=1 HTTP/1.1\r\n" + HOST + b"\r\n", "GET /x?a=1", b"/x?a=1:", id="a page"),
        pytest.param(b"\r\nGET /x HTTP/1.1\r\n" + HOST + b"\r\n", "GET /x", b"/x:", id="an empty line before it"),
        pytest.param(b"GET http://shop.test/x HTTP/1.1\r\n" + HOST + b"\r\n", "GET /x", b"/x:", id="absolute-form"),
        pytest.param(
            POST + b"Content-Length: 3\r\n\r\nabc", "POST /x", b"/x:abc", id="a length"
        ),
        pytest.param(
            POST + b"Content-Length: 0\r\n\r\n", "POST /x", b"/x:", id="a length of nothing"
        ),
        pytest.param(
            CHUNKED + b"\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: v\r\n\r\n",
            "POST /x", b"/x:abc", id="chunks",
        ),
        pytest.param(
            GET + b"Content-Length: 3\r\n\r\nabc", "GET /x", b"/x:abc", id="GET with a body"
        ),
        pytest.param(b"DELETE /x HTTP/1.1\r\n" + HOST + b"\r\n", "DELETE /x", b"/x:", id="another method"),
        pytest.param(b"GET /a%2Fb//c HTTP/1.1\r\n" + HOST + b"\r\n", "GET /a%2Fb//c", b"/a%2Fb//c:", id="raw bytes"),
        pytest.param(
            b"GET /x HTTP/1.1\r\nhOsT:shop.test\r\nX: " + b"a" * 15_000 + b"\r\n\r\n", "GET /x", b"/x:", id="15 kB"
        ),
        pytest.param(
            b"GET /" + b"p" * 8000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", "GET /" + "p" * 8000, b"/" + b"p" * 8000 + b":",
            id="a target of 8000 octets",
        ),
        pytest.param(
            GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n",
            "GET /x", b"/x:", id="a wish for h2c is ignored",
        ),
    ],
)  # fmt: skip
async def test_request(raw: bytes, seen: str, body: bytes) -> None:
    async with portal() as served, served.viewer() as viewer:
        viewer.send(raw)
        answer = await viewer.answer()
        assert (answer.version, answer.status, answer.body) == ("HTTP/1.1", 200, body)
        assert served.play.seen == [f"hotels {seen}"]
        assert "date" in answer.fields and "server" not in answer.fields
        assert not {b"upgrade", b"http2-settings", b"connection"} & dict(served.play.last.headers).keys()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(GET + b"X: y\r\n\r\n", id="a page"),
        pytest.param(POST + b"Content-Length: 3\r\n\r\nabc", id="a length"),
        pytest.param(CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n", id="chunks"),
    ],
)
async def test_a_request_may_come_a_byte_at_a_time(raw: bytes) -> None:
    async with portal() as served, served.viewer() as viewer:
        for at in range(len(raw)):
            viewer.send(raw[at : at + 1])
            await asyncio.sleep(0.0005)
        answer = await viewer.answer()
        assert (answer.status, answer.body) == (200, b"/x:" + (b"abc" if raw.startswith(b"POST") else b""))


async def test_a_connection_is_kept() -> None:
    async with portal() as served, served.viewer() as viewer:
        for number in range(5):
            viewer.send(b"GET /%d HTTP/1.1\r\n%b\r\n" % (number, HOST))
            answer = await viewer.answer()
            assert answer.body == b"/%d:" % number
            assert "connection" not in answer.fields


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        pytest.param(GET + b"Connection: close\r\n\r\n", False, id="close is obeyed"),
        pytest.param(b"GET /x HTTP/1.0\r\n\r\n", False, id="HTTP/1.0 closes"),
        pytest.param(b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True, id="HTTP/1.0 that asks to be kept"),
    ],
)
async def test_whether_a_connection_is_kept(raw: bytes, kept: bool) -> None:
    async with portal() as served, served.viewer() as viewer:
        viewer.send(raw)
        answer = await viewer.answer()
        assert (answer.status, answer.fields.get("connection")) == (200, "keep-alive" if kept else "close")
        if kept:
            viewer.send(raw)
            assert (await viewer.answer()).status == 200
        else:
            assert await viewer.rest() == b""


async def test_http_1_0_gets_no_chunks() -> None:
    pieces = Reply([b"one ", 0.01, b"two"], headers=[("content-type", "text/plain")])
    said, _ = await asked(b"GET /x HTTP/1.0\r\n\r\n", lambda _: pieces)
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == b"one two"


async def test_pipelined_requests_are_answered_in_order() -> None:
    async def mixed(request: Request) -> Reply:
        if int(request.target[1:]) % 3 == 0:
            await asyncio.sleep(0.01)
        return await echo(request)

    async with portal(mixed) as served, served.viewer() as viewer:
        viewer.send(b"".join(b"GET /%d HTTP/1.1\r\n%b\r\n" % (number, HOST) for number in range(50)))
        assert [(await viewer.answer()).body for _ in range(50)] == [b"/%d:" % number for number in range(50)]


async def test_pipelined_requests_with_bodies_keep_their_own() -> None:
    async with portal() as served, served.viewer() as viewer:
        parts = [
            b"POST /%d HTTP/1.1\r\n%bContent-Length: 2\r\n\r\n%02d" % (number, HOST, number) for number in range(20)
        ]
        viewer.send(b"".join(parts))
        assert [(await viewer.answer()).body for _ in range(20)] == [b"/%d:%02d" % (n, n) for n in range(20)]


async def test_head_has_no_body_and_the_next_answer_is_its_own() -> None:
    async with portal() as served, served.viewer() as viewer:
        viewer.send(b"HEAD /x HTTP/1.1\r\n%b\r\nGET /y HTTP/1.1\r\n%b\r\n" % (HOST, HOST))
        assert (await viewer.answer(head=True)).status == 200
        assert (await viewer.answer()).body == b"/y:"


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_statuses_without_a_body(status: int) -> None:
    def bodiless(request: Request) -> Reply:
        return Reply(b"", status) if request.target == b"/x" else Reply(b"next")

    async with portal(bodiless) as served, served.viewer() as viewer:
        viewer.send(b"GET /x HTTP/1.1\r\n%b\r\nGET /y HTTP/1.1\r\n%b\r\n" % (HOST, HOST))
        answer = await viewer.answer()
        assert answer.status == status
        assert "transfer-encoding" not in answer.fields
        assert status != 204 or "content-length" not in answer.fields
        assert status != 205 or answer.fields["content-length"] == "0"  # RFC 9110 section 15.3.6
        assert (await viewer.answer()).body == b"next"


async def test_a_body_of_unknown_length_comes_in_chunks_as_it_is_made() -> None:
    go = asyncio.Event()
    pieces = Reply([b"one", go, b"two"], headers=[("content-type", "application/octet-stream")])
    async with portal(lambda _: pieces) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        assert (await asyncio.wait_for(viewer.reader.readuntil(b"one"), 5)).endswith(b"3\r\none")
        go.set()
        assert await viewer.reader.readuntil(b"0\r\n\r\n") == b"\r\n3\r\ntwo\r\n0\r\n\r\n"


# Bodies on their way in


async def test_expect_100_is_answered_before_the_body_is_sent() -> None:
    async with portal() as served, served.viewer() as viewer:
        viewer.send(POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert (await viewer.answer()).status == 100
        viewer.send(b"abc")
        assert (await viewer.answer()).body == b"/x:abc"


async def test_who_is_refused_need_not_send_the_body() -> None:
    def refuse(_: Request) -> Reply:
        return Reply(b"no", 413)

    async with portal(refuse) as served, served.viewer() as viewer:
        viewer.send(POST + b"Content-Length: 10000000\r\nExpect: 100-continue\r\n\r\n")
        answer = await viewer.answer()
        assert (answer.status, answer.fields["connection"]) == (413, "close")


async def test_an_early_answer_is_seen_though_megabytes_are_on_their_way() -> None:
    async with portal(lambda _: Reply(b"no", 413)) as served, served.viewer() as viewer:
        viewer.send(POST + b"Content-Length: 10000000\r\n\r\n" + bytes(3_000_000))
        answer = await viewer.answer()
        assert (answer.status, answer.body, answer.fields["connection"]) == (413, b"no", "close")
        viewer.send(bytes(7_000_000) + b"GET /evil HTTP/1.1\r\n" + HOST + b"\r\n")
        assert await viewer.rest() == b""
        assert served.play.seen == ["hotels POST /x"]


async def test_an_upload_flows_at_the_origins_pace() -> None:
    taken = 0
    go = asyncio.Event()

    async def slow(request: Request) -> Reply:
        nonlocal taken
        assert isinstance(request.body, Stream)
        while chunk := await request.body.read():
            taken += len(chunk)
            await go.wait()
        return Reply(b"ok")

    async with portal(slow) as served, served.viewer() as viewer:
        viewer.send(POST + b"Content-Length: 40000000\r\n\r\n")
        viewer.send(bytes(40_000_000))
        await asyncio.sleep(0.08)
        assert taken < 2_000_000
        waiting = viewer.writer.transport.get_write_buffer_size()
        assert waiting > 20_000_000  # it lies with the viewer, not with us
        go.set()
        assert (await viewer.answer()).body == b"ok"
        assert taken == 40_000_000


async def test_an_upload_that_breaks_off_is_told_to_the_origin() -> None:
    failed: list[Exception] = []

    async def reading(request: Request) -> Reply:
        try:
            return await echo(request)
        except Exception as error:
            failed.append(error)
            raise BadAnswer("cut") from error

    async with portal(reading) as served:
        async with served.viewer() as viewer:
            viewer.send(POST + b"Content-Length: 100\r\n\r\nabc")
            await until(lambda: served.play.seen)
        await until(lambda: failed or served.play.cancelled == ["hotels POST /x"])


# Requests as they should not be


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"GET /x HTTP/1.1\r\n\r\n", id="no Host"),
        pytest.param(GET + HOST + b"\r\n", id="two Hosts that are equal"),
        pytest.param(GET + b"Host: evil.test\r\n\r\n", id="two Hosts that differ"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", id="a Host with a space"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n", id="a Host with a slash"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n", id="a Host with a user"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: a:99999\r\n\r\n", id="a Host with a port that does not exist"),
        pytest.param(
            POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="a length and chunks",
        ),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            id="chunks and a length",
        ),
        pytest.param(
            POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", id="two lengths"
        ),
        pytest.param(POST + b"Content-Length: +3\r\n\r\nabc", id="a signed length"),
        pytest.param(POST + b"Content-Length: 0x3\r\n\r\nabc", id="a hexadecimal length"),
        pytest.param(POST + b"Content-Length: 1,2\r\n\r\nab", id="a list of lengths"),
        pytest.param(POST + b"Content-Length: 1 1\r\n\r\nab", id="a length with a space"),
        pytest.param(POST + b"Content-Length: 1_0\r\n\r\nab", id="a length with a low line"),
        pytest.param(POST + b"Content-Length: 99999999999999999999\r\n\r\n", id="2^64 and more"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked not last"
        ),
        pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n", id="an unknown framing"),
        pytest.param(GET + b"X : y\r\n\r\n", id="a space before the colon"),
        pytest.param(GET + b"X: a\r\n b\r\n\r\n", id="a folded field"),
        pytest.param(b"GET /x HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n", id="white space before the first field"),
        pytest.param(GET + b"X: a\0b\r\n\r\n", id="a zero byte in a value"),
        pytest.param(GET + b"X: a\rb\r\n\r\n", id="a bare CR in a value"),
        pytest.param(GET + b"X: a\x01b\r\n\r\n", id="a control byte in a value"),
        pytest.param(GET + b"X y\r\n\r\n", id="a field without a colon"),
        pytest.param(GET + b": y\r\n\r\n", id="a field without a name"),
        pytest.param(b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", id="a space in the target"),
        pytest.param(b"GET\t/x HTTP/1.1\r\n" + HOST + b"\r\n", id="a tab in the request line"),
        pytest.param(b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", id="raw non-ASCII in the target"),
        pytest.param(b"GET /x#y HTTP/1.1\r\n" + HOST + b"\r\n", id="a fragment identifier"),
        pytest.param(b"GET /x HTTP/9.9\r\n" + HOST + b"\r\n", id="a version that does not exist"),
        pytest.param(b"GET /x http/1.1\r\n" + HOST + b"\r\n", id="a version in lower case"),
        pytest.param(b"GET /x\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", id="an asterisk"),
        pytest.param(b"GET shop.test:80 HTTP/1.1\r\n" + HOST + b"\r\n", id="authority-form"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    ],
)  # fmt: skip
async def test_refused(raw: bytes) -> None:
    """A 400 (or 5xx of the kind), and no byte of it at any origin's. Whoever sends more is not heard."""
    async with portal() as served, served.viewer() as viewer:
        viewer.send(raw)
        viewer.writer.write_eof()
        said = await viewer.rest()
        assert re.match(rb"HTTP/1\.1 (400|501|505) ", said), said
        assert b"/evil" not in said and b"HTTP/1.1 200" not in said
        assert served.play.seen == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"-1\r\nabc\r\n0\r\n\r\n", id="a signed size"),
        pytest.param(b"+3\r\nabc\r\n0\r\n\r\n", id="a plus sign"),
        pytest.param(b" 3\r\nabc\r\n0\r\n\r\n", id="a space before the size"),
        pytest.param(b"0x3\r\nabc\r\n0\r\n\r\n", id="a size with a prefix"),
        pytest.param(b"1_0\r\nabc\r\n0\r\n\r\n", id="a size with a low line"),
        pytest.param(b"3\nabc\n0\n\n", id="bare LF"),
        pytest.param(b"3\r\nabcd\r\n0\r\n\r\n", id="more than was said"),
        pytest.param(b"f" * 17 + b"\r\nabc", id="a size beyond 64 bits"),
    ],
)
async def test_a_broken_body_is_refused_or_cut_and_never_whole(body: bytes) -> None:
    whole = []

    async def reading(request: Request) -> Reply:
        reply = await echo(request)
        whole.append(reply)
        return reply

    async with portal(reading) as served, served.viewer() as viewer:
        viewer.send(CHUNKED + b"\r\n" + body)
        viewer.send(b"GET /evil HTTP/1.1\r\n" + HOST + b"\r\n")
        said = await viewer.rest()
        assert said == b"" or (said.startswith(b"HTTP/1.1 400 ") and said.count(b"HTTP/1.1 ") == 1)
        assert whole == []
        assert "hotels GET /evil" not in served.play.seen


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"GET /" + b"p" * 65_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, id="a long target"),
        pytest.param(b"GET /" + b"p" * 1_000_000, 414, id="a target without end"),
        pytest.param(GET + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431, id="a long field"),
        pytest.param(GET + b"X: " + b"a" * 1_000_000, 431, id="a field without end"),
        pytest.param(GET + b"X: y\r\n" * 20_000 + b"\r\n", 431, id="many fields"),
    ],
)
async def test_too_long(raw: bytes, status: int) -> None:
    async with portal() as served, served.viewer() as viewer:
        viewer.send(raw)
        answer = await viewer.answer()
        assert answer.status == status
        assert answer.fields["connection"] == "close"
        assert served.play.seen == []


async def test_a_refusal_closes_the_connection_and_what_follows_is_not_heard() -> None:
    evil = POST + b"Content-Length: +3\r\n\r\nGET /evil HTTP/1.1\r\n" + HOST + b"\r\n"
    said, seen = await asked(evil)
    assert said.startswith(b"HTTP/1.1 400 ") and said.count(b"HTTP/1.1") == 1
    assert b"connection: close" in said.lower()
    assert seen == []


async def test_a_refusal_behind_an_answer_does_not_take_that_answer_away() -> None:
    said, seen = await asked(GET + b"\r\nGET /y HTTP/1.1\r\nX : y\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ") and b"/x:" in said
    assert seen == ["hotels GET /x"]


@pytest.mark.parametrize("wish", [b"h2c", b"websocket", b"TLS/1.3"])
async def test_an_ignored_upgrade_leaves_the_connection_in_order(wish: bytes) -> None:
    """Either it goes on as HTTP/1.1, or the answer says that it closes (RFC 9110 section 7.8)."""
    upgrade = GET + b"Connection: Upgrade\r\nUpgrade: " + wish + b"\r\n\r\n"
    async with portal() as served, served.viewer() as viewer:
        viewer.send(upgrade)
        first = await viewer.answer()
        assert (first.status, first.body) == (200, b"/x:")
        if first.fields.get("connection") == "close":
            assert await viewer.rest() == b""
        else:
            viewer.send(b"GET /y HTTP/1.1\r\n" + HOST + b"\r\n")
            assert (await viewer.answer()).body == b"/y:"


async def test_connect_is_no_tunnel() -> None:
    said, seen = await asked(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n\x16\x03\x01")
    assert re.match(rb"HTTP/1\.1 (400|405|501) ", said)
    assert seen == []


# Other protocols


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
WISH = GET + UPGRADE + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-Own: 1\r\n\r\n"
)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Switching:
    """An origin that reads one head, says what it is told, and then talks no HTTP."""

    answer: bytes
    talk: Talk
    head: bytes = b""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.head = await reader.readuntil(b"\r\n\r\n")
            writer.write(OK if self.head.startswith(b"GET /plain ") else self.answer)
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self.ended.set()


async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says back what it hears, to the end."""
    while said := await reader.read(65536):
        writer.write(said)
        await writer.drain()


@asynccontextmanager
async def switching(
    answer: bytes = SWITCHED, talk: Talk = back, *, waits: float = 0.0
) -> AsyncIterator[tuple[Viewer, Switching, Portal]]:
    """A viewer of a portal with that origin behind it, over real sockets on both sides."""
    origin = Switching(answer, talk)

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        origin.reached.set()
        await asyncio.sleep(waits)
        await origin.listen(reader, writer)

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hotels = manifest("hotels", mounts={"/": {"upstream": "hotels"}})
    hotels["upstreams"]["hotels"]["origins"] = [f"http://127.0.0.1:{port}"]
    pool = Pool(Resolver(("loopback",)), 8, 8)
    async with server, playing([hotels], {}, transport=pool) as play, listening(play.portal) as here:
        served = Portal(play, here)
        async with served.viewer() as viewer:
            yield viewer, origin, served
        await pool.aclose()


async def test_a_websocket_is_a_tunnel() -> None:
    async with switching() as (viewer, origin, _):
        viewer.send(WISH)
        answer = await viewer.answer()
        assert (answer.version, answer.status) == ("HTTP/1.1", 101)
        assert (answer.fields["upgrade"], answer.fields["connection"]) == ("websocket", "Upgrade")
        assert answer.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert answer.fields["x-own"] == "1"
        assert not {"content-length", "transfer-encoding"} & answer.fields.keys()
        assert b"\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" in origin.head
        viewer.send(b"GET /evil HTTP/1.1\r\n\r\n")
        assert await viewer.reader.readexactly(22) == b"GET /evil HTTP/1.1\r\n\r\n"
        viewer.writer.write_eof()
        assert await viewer.rest() == b""
        await asyncio.wait_for(origin.ended.wait(), 1)


async def test_what_is_said_before_the_answer_is_not_lost() -> None:
    async with switching(SWITCHED + b"early ", waits=0.05) as (viewer, _, _):
        viewer.send(WISH + b"one ")
        await asyncio.sleep(0.01)
        viewer.send(b"two")
        assert (await viewer.answer()).status == 101
        assert await viewer.reader.readexactly(13) == b"early one two"


async def test_not_much_is_said_before_the_answer() -> None:
    async with switching(waits=0.5) as (viewer, _, _):
        viewer.send(WISH + bytes(30_000_000))
        await asyncio.sleep(0.1)
        assert viewer.writer.transport.get_write_buffer_size() > 10_000_000  # it lies with the viewer, not with us
        assert (await viewer.answer()).status == 101
        assert len(await viewer.reader.readexactly(30_000_000)) == 30_000_000


async def test_a_websocket_behind_another_request_waits_for_its_turn() -> None:
    async with switching() as (viewer, _, _):
        viewer.send(b"GET /plain HTTP/1.1\r\n" + HOST + b"\r\n" + WISH + b"ahead")
        assert (await viewer.answer()).body == b"ok"
        assert (await viewer.answer()).status == 101
        assert await viewer.reader.readexactly(5) == b"ahead"


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(WISH.replace(b"HTTP/1.1", b"HTTP/1.0"), id="of HTTP 1.0"),
        pytest.param(WISH.replace(b"websocket", b"h2c"), id="for h2c"),
        pytest.param(GET + UPGRADE + b"\r\n", id="without a key"),
        pytest.param(WISH.replace(b"GET", b"POST", 1), id="with another method"),
        pytest.param(WISH.replace(b"GET", b"HEAD", 1), id="with HEAD"),
    ],
)
async def test_a_wish_that_is_ignored_does_not_reach_the_origin(wish: bytes) -> None:
    async with switching(OK.replace(b"2\r\n\r\nok", b"0\r\n\r\n")) as (viewer, origin, _):
        viewer.send(wish + b"GET /evil HTTP/1.1\r\n" + HOST + b"\r\n")
        answer = await viewer.answer()
        assert (answer.status, answer.fields["connection"]) == (200, "close")
        assert await viewer.rest() == b""
        assert b"upgrade" not in origin.head.lower().replace(b"insecure", b"")


async def test_an_unwished_101_is_no_answer() -> None:
    async with switching() as (viewer, _, _):
        viewer.send(GET + b"\r\n")
        answer = await viewer.answer()
        assert answer.status == 502
        assert "error=" in answer.fields["proxy-status"]


async def test_another_answer_is_one_and_nothing_behind_the_wish_is_heard() -> None:
    no = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    async with switching(no) as (viewer, origin, _):
        viewer.send(WISH + b"GET /evil HTTP/1.1\r\n" + HOST + b"\r\n")
        answer = await viewer.answer()
        assert (answer.status, answer.body, answer.fields["connection"]) == (403, b"no", "close")
        assert await viewer.rest() == b""
        assert b"/evil" not in origin.head


async def test_who_leaves_before_the_101_takes_the_wish_along() -> None:
    async with switching(waits=0.3) as (viewer, origin, _):
        viewer.send(WISH)
        await asyncio.wait_for(origin.reached.wait(), 5)
        viewer.writer.write_eof()
        assert await viewer.rest() == b""
        await asyncio.wait_for(origin.ended.wait(), 5)


async def test_leaving_ends_tunnels() -> None:
    async with switching() as (viewer, origin, served):
        viewer.send(WISH)
        assert (await viewer.answer()).status == 101
        leaving = asyncio.ensure_future(served.here.leave())
        assert await viewer.rest() == b""
        await asyncio.wait_for(origin.ended.wait(), 1)
        viewer.writer.close()
        await leaving


# What comes before an answer, and behind it


HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: a=1\r\nX: 1\r\n\r\n"


async def test_early_hints_come_early() -> None:
    go = asyncio.Event()

    async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(HINT + OK)

    async with switching(HINT, later) as (viewer, _, _):
        viewer.send(GET + b"\r\n")
        hint = await viewer.answer()
        assert (hint.status, dict(hint.fields)) == (103, {"link": "</a.css>; rel=preload"})
        go.set()
        assert [(await viewer.answer()).status for _ in range(2)] == [103, 200]


@pytest.mark.parametrize(
    ("raw", "before"),
    [
        pytest.param(b"GET /x HTTP/1.0\r\n\r\n", HINT, id="never to HTTP 1.0"),
        pytest.param(GET + b"\r\n", b"HTTP/1.1 102 Processing\r\n\r\n", id="no 102"),
        pytest.param(GET + b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", id="no 100 that was not asked for"),
        pytest.param(GET + b"\r\n", b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n", id="no 103 that hints at nothing"),
    ],
)
async def test_what_is_not_passed_on_before_an_answer(raw: bytes, before: bytes) -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with switching(before + OK, nothing) as (viewer, _, _):
        viewer.send(raw)
        assert ((await viewer.answer()).status) == 200


async def test_hints_come_again_with_a_head_that_comes_again() -> None:
    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(HINT + OK)

    async with switching(HINT + OK, again) as (viewer, _, _):
        for _ in range(4):
            viewer.send(GET + b"\r\n")
            assert [(await viewer.answer()).status for _ in range(2)] == [103, 200]


BEHIND = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    b"0\r\nServer-Timing: db\r\nSet-Cookie: s=1\r\nAge: 9\r\n\r\n"
)


@pytest.mark.parametrize(
    ("raw", "end"),
    [
        pytest.param(
            GET + b"TE: trailers\r\nConnection: TE\r\n\r\n",
            b"\r\n\r\n2\r\nok\r\n0\r\nserver-timing: db\r\n\r\n", id="who takes them gets those that may pass",
        ),
        pytest.param(GET + b"\r\n", b"\r\n\r\nok", id="others get none"),
        pytest.param(b"GET /x HTTP/1.0\r\nTE: trailers\r\n\r\n", b"\r\n\r\nok", id="HTTP 1.0 has none"),
    ],
)  # fmt: skip
async def test_fields_behind_an_answer(raw: bytes, end: bytes) -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with switching(BEHIND, nothing) as (viewer, origin, _):
        viewer.send(raw)
        viewer.writer.write_eof()
        assert (await viewer.rest()).endswith(end)
        assert (b"\r\nte: trailers\r\n" in origin.head) is (b"TE: trailers" in raw)


async def test_fields_behind_a_request_never_stand_before_it() -> None:
    """Neither in its own head, though it waits for its turn, nor in the next one's."""
    behind = b"\r\n1\r\na\r\n0\r\nX-Own: evil\r\nAuthorization: evil\r\n\r\n"
    told: list[object] = []

    async def slow(request: Request) -> Reply:
        reply = await echo(request)
        body = request.body
        told.extend(body.trailers if isinstance(body, Stream) else [])
        await asyncio.sleep(0.02)
        return reply

    async with portal(slow) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n" + CHUNKED + behind + GET + b"\r\n")
        assert [(await viewer.answer()).body for _ in range(3)] == [b"/x:", b"/x:a", b"/x:"]
        assert not [field for request in served.play.requests for field in request.headers if field[1] == b"evil"]
    assert told == [(b"x-own", b"evil"), (b"authorization", b"evil")]


# Answers that never end


EVENTS = Reply([b"data: one\n\n", 5.0, b"data: two\n\n"], headers=[("content-type", "text/event-stream")])
REPORT = Reply([b"one", 0.1, b"two"], headers=[("content-type", "text/plain")])


async def test_who_stops_sending_has_stopped_listening_to_events() -> None:
    async with portal(lambda _: EVENTS) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        await viewer.reader.readuntil(b"data: one\n\n")
        viewer.writer.write_eof()
        await until(lambda: served.play.bodies[0].closed, 4.0)
        assert await viewer.rest() == b"\r\n"


async def test_who_stopped_sending_before_the_first_event_is_told_none() -> None:
    late = Reply(EVENTS.body, headers=EVENTS.headers, delay=0.03)
    async with portal(lambda _: late) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        viewer.writer.write_eof()
        assert await viewer.rest() == b""
        assert served.play.bodies[0].closed


async def test_who_stops_sending_still_reads_what_has_an_end() -> None:
    async with portal(lambda _: REPORT) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        await viewer.reader.readuntil(b"one")
        viewer.writer.write_eof()
        assert await viewer.rest() == b"\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_leaving_does_not_wait_for_the_end_of_events() -> None:
    async with portal(lambda _: EVENTS) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        await viewer.reader.readuntil(b"data: one\n\n")
        leaving = asyncio.ensure_future(served.here.leave())
        assert await viewer.rest() == b"\r\n"
        viewer.writer.close()
        await asyncio.wait_for(leaving, 1)


# Time


async def test_a_slow_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_TIME", 0.1)
    async with portal() as served, served.viewer() as viewer:
        viewer.send(b"GET /x HTT")
        await asyncio.wait_for(viewer.rest(), 5)
        assert served.play.seen == []


async def test_a_head_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_TIME", 0.1)
    async with portal() as served, served.viewer() as viewer:
        ended = asyncio.ensure_future(viewer.rest())
        for _ in range(50):
            viewer.send(b"X")
            await asyncio.sleep(0.01)
            if ended.done():
                break
        assert ended.done()
        await ended


async def test_an_idle_connection_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_TIME", 0.05)
    monkeypatch.setattr(wire, "KEEP_ALIVE", 0.1)
    async with portal() as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        assert (await viewer.answer()).status == 200
        assert await viewer.rest() == b""


async def test_a_slow_answer_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_TIME", 0.03)
    monkeypatch.setattr(wire, "KEEP_ALIVE", 0.03)
    async with portal(lambda _: Reply(b"late", delay=0.2)) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        assert (await viewer.answer()).body == b"late"


# Ends


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"one", 0.02, BadAnswer("cut")], id="in the middle"),
        pytest.param([BadAnswer("cut")], id="before the first byte"),
    ],
)
async def test_a_body_that_was_cut_is_no_clean_end(pieces: list[bytes | float | Exception]) -> None:
    reply = Reply(pieces, headers=[("content-type", "application/octet-stream")])
    async with portal(lambda _: reply) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        said = await viewer.rest()
        assert not said.endswith(b"0\r\n\r\n")
        assert said == b"" or b"HTTP/1.1 200" in said


async def test_a_viewer_that_leaves_takes_its_exchange_along() -> None:
    """Leaves by a reset: a FIN alone only says that it has sent all it had."""
    async with portal(lambda _: Reply(b"late", delay=5.0)) as served:
        async with served.viewer() as viewer:
            viewer.send(GET + b"\r\n")
            await until(lambda: served.play.seen)
            connection = viewer.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await until(lambda: served.play.cancelled == ["hotels GET /x"], 4.0)


async def test_a_viewer_that_only_stops_sending_still_reads() -> None:
    async with portal(lambda _: Reply(b"late", delay=0.05)) as served, served.viewer() as viewer:
        viewer.send(GET + b"\r\n")
        viewer.writer.write_eof()
        assert (await viewer.answer()).body == b"late"


async def test_a_stalled_viewer_stops_the_origin() -> None:
    handed = 0

    class Endless(Stream):
        async def read(self) -> bytes:
            nonlocal handed
            if handed >= 64 << 20:
                return b""
            handed += 1 << 20
            await asyncio.sleep(0)
            return bytes(1 << 20)

    async with portal() as served, served.viewer() as viewer:
        response = await served.play.flow.serve(Request(b"GET", b"/-/health/live", [(b"host", b"shop.test")]))

        async def endless(request: Request) -> Any:
            response.body = Endless()
            return response

        served.play.portal.serve = endless
        viewer.send(GET + b"\r\n")
        await asyncio.sleep(0.2)
        assert handed <= 16 << 20
        size = 0
        while size < 64 << 20:
            size += len(await viewer.reader.read(1 << 20))
        assert handed == 64 << 20


async def test_leaving_finishes_what_is_in_flight() -> None:
    async with (
        portal(lambda _: Reply(b"late", delay=0.15)) as served,
        served.viewer() as viewer,
        served.viewer() as idle,
    ):
        viewer.send(GET + b"\r\n")
        await until(lambda: served.play.seen)
        leaving = asyncio.ensure_future(served.here.leave())
        answer = await viewer.answer()
        assert (answer.status, answer.body, answer.fields["connection"]) == (200, b"late", "close")
        assert await idle.rest() == b""
        for gone in (viewer, idle):
            gone.writer.close()
        await leaving


async def test_a_defect_of_ours_is_told_to_the_log_and_ends_the_connection() -> None:
    async with portal() as served, served.viewer() as viewer:

        async def broken(request: Request) -> Any:
            raise ZeroDivisionError("ours")

        served.play.portal.serve = broken
        viewer.send(GET + b"\r\n")
        said = await viewer.rest()
        assert said == b"" or said.startswith(b"HTTP/1.1 500 ")
        assert any("ZeroDivisionError" in repr(fact) for fact in served.play.facts)


# Heads that come again


async def test_the_same_head_again_is_answered_again() -> None:
    async with portal() as served, served.viewer() as viewer:
        for _ in range(6):
            viewer.send(GET + b"\r\n")
            assert (await viewer.answer()).body == b"/x:"
        viewer.send((GET + b"\r\n") * 6)
        assert [(await viewer.answer()).body for _ in range(6)] == [b"/x:"] * 6
        for at in range(len(GET + b"\r\n")):
            viewer.send((GET + b"\r\n")[at : at + 1])
            await asyncio.sleep(0.0003)
        assert (await viewer.answer()).body == b"/x:"
        assert len(served.play.seen) == 13


async def test_the_same_head_again_has_its_own_body() -> None:
    head = POST + b"Content-Length: 2\r\n\r\n"
    async with portal() as served, served.viewer() as viewer:
        for number in range(10, 16):
            viewer.send(head + b"%d" % number)
            assert (await viewer.answer()).body == b"/x:%d" % number
        viewer.send(head)
        await asyncio.sleep(0.01)
        viewer.send(b"16" + head + b"17" + GET + b"\r\n")
        assert [(await viewer.answer()).body for _ in range(3)] == [b"/x:16", b"/x:17", b"/x:"]


async def test_a_head_known_from_another_viewer_is_still_this_viewers_request() -> None:
    async with portal() as served:
        for _ in range(4):
            async with served.viewer() as viewer:
                viewer.send(GET + b"Connection: close\r\n\r\n")
                answer = await viewer.answer()
                assert (answer.body, answer.fields["connection"]) == (b"/x:", "close")
        ids = [dict(request.headers)[b"x-request-id"] for request in served.play.requests]
        assert len(set(ids)) == 4


async def test_garbage_behind_a_known_head_is_refused() -> None:
    async with portal() as served, served.viewer() as viewer:
        for _ in range(4):
            viewer.send(GET + b"\r\n")
            await viewer.answer()
        viewer.send(GET + b"\r\nGET /evil HTTP/1.1\r\nX : y\r\n\r\n")
        assert (await viewer.answer()).body == b"/x:"
        assert re.match(rb"HTTP/1\.1 400 ", await viewer.rest())
        assert "hotels GET /evil" not in served.play.seen
