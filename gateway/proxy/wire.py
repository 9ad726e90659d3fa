"""HTTP/1.1 with viewers: a protocol uvicorn runs, speaking Request and Response directly. No ASGI in between.

uvicorn keeps processes, sockets, TLS and signals. The parser is llhttp, strict; what it refuses is answered and the
connection closed. An exchange that needs no waiting is answered before the next byte is read, in one write.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol, cast

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

import gateway.rules.streams as streams
import gateway.rules.trailers as trailers
import gateway.rules.upgrades as upgrades
from gateway.errors import GatewayError, ViewerError
from gateway.message import Body, Field, Fields, Head, Hints, Request, Response, Stream, Whole
from gateway.proxy.eager import Run
from gateway.recent import Kept
from gateway.transport.incoming import Incoming
from gateway.transport.probing import probe
from gateway.transport.tunnel import Side, Tunnel

KEEP_ALIVE = 75.0  # seconds an idle viewer is kept: nginx's default, above the 60 s of common load balancers in front
HEAD_TIME = 15.0  # seconds for a request's head; slower ones hold a connection for nothing (nginx: 60, Caddy: none)
TARGET_LIMIT = 16 * 1024  # RFC 9112 section 3 asks for 8000 octets at least
HEAD_LIMIT = 64 * 1024
FIELDS_LIMIT = 100  # field lines; Apache's default too, browsers send some twenty
VERSIONS = {"1.1": b"1.1", "1.0": b"1.0"}
LINGER = 2.0  # seconds a body nobody wants is still read, so that the viewer gets to see the answer
HIGH_WATER = 64 * 1024  # bytes a slow viewer may leave unsent here before its origin is told to wait
LARGE = 16 * 1024  # bytes from which a copy costs more than a second call

KNOWN_HEAD = 4096  # bytes of a request's fields that are remembered
LINES = "lines of a response"  # key of a head's memo

_GET = re.compile(rb"GET (/[\x21-\x7e]*) HTTP/1\.1")
# what makes more of a request than a question: a body, an upgrade, a wish about this connection
_UNUSUAL = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"expect"})

STATUS = {int(status): b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
BODILESS = frozenset({204, 304})
# what frames the message on this hop is ours to write
FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"date"})
# what a browser takes from a 103 (HTML, section 2.6.4); everything else waits for the answer
HINTS = frozenset({b"link", b"content-security-policy"})


class _Refused(Exception):
    """Raised inside the parser, which then reads no further."""

    def __init__(self, status: int) -> None:
        self.status = status


Heads = Kept[bytes, Head]


class Serving(Protocol):
    """What the wire needs of the application uvicorn was given."""

    serve: Callable[[Request], Coroutine[Any, Any, Response]]
    failed: Callable[[BaseException], None]
    heads: Heads


class Clock:
    """The Date field, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def date(self, now: float) -> bytes:
        second = int(now)
        if second != self._second:
            self._second = second
            self._line = b"date: " + formatdate(usegmt=True).encode() + b"\r\n"
        return self._line


CLOCK = Clock()


class Wire(asyncio.Protocol):
    """One viewer's connection: exchanges one after the other, pipelined ones in order."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._portal = cast(Serving, config.loaded_app)
        self._connections = cast(set[asyncio.Protocol], server_state.connections)
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._parser = httptools.HttpRequestParser(self)
        self._peer = ""
        self._scheme = b"http"
        self._target = b""
        self._headers: list[Field] = []
        self._head_size = 0
        self._fields_size = 0
        self._refusal = 0
        self._incoming: Incoming | None = None
        self._queue: deque[tuple[Request, bool]] = deque()
        self._run: Run[None] | None = None
        self._busy = self._held = self._deaf = self._closing = self._lost = self.full = False
        self._resumes: list[Callable[[], None]] = []
        self._between = True
        self._begun = 0
        self._piece = b""
        self._ahead = bytearray()
        self._side: Side | None = None
        self._wished = self._endless = self._costly = self._ended = False
        self._hints: Hints | None = self._hint
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._scheme = b"https" if transport.get_extra_info("sslcontext") is not None else b"http"
        self._connections.add(self)
        self._since = self._loop.time()
        self._timer = self._loop.call_later(HEAD_TIME, self._check)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._hints = None
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._incoming is not None:
            self._incoming.fail(ViewerError("The viewer went away in the middle of its request."))
        if self._run is not None:
            self._run.cancel()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            if self._wished:
                self._overheard(data)
            return
        if self._between and not self._busy and self._known(data):
            return
        self._begun = 0
        self._piece = data if self._between else b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            # what follows is no HTTP, or the wish is ignored (RFC 9110 section 7.8) and the connection ends
            self._deaf = True
            self._overheard(data[wish.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, _Refused):
                self._refuse(error.__context__.status)
            else:
                self._portal.failed(error)
                self._transport.abort()
        except httptools.HttpParserError:
            self._refuse(400)
        else:
            if self._head_size:
                self._head_size += len(data)
                if self._head_size > HEAD_LIMIT + TARGET_LIMIT:
                    self._refuse(431)

    def _overheard(self, data: bytes) -> None:
        """What a viewer says before it knows whether the protocol is switched: not much of it is kept."""
        if self._side is not None:
            self._side.data_received(data)
        elif self._wished:
            self._ahead += data
            if len(self._ahead) > HIGH_WATER:
                self._transport.pause_reading()

    def _known(self, data: bytes) -> bool:
        """A GET whose fields llhttp has judged before, byte for byte: only its request line is new."""
        end = data.find(b"\r\n")
        head = self._portal.heads.get(data[end:]) if 0 < end < TARGET_LIMIT else None
        if head is None:
            return False
        if not data.startswith(b"GET /") or data[end - 9 : end] != b" HTTP/1.1":
            return False
        # what else may not stand in a target is refused by rules.paths, as it is for every request
        self._begin(
            Request(b"GET", data[4 : end - 9], head, scheme=self._scheme, peer=self._peer, hints=self._hints), True
        )
        return True

    def _remember(self, data: bytes, request: Request) -> None:
        """The fields of a GET that was all there was in one piece, and asks for nothing but an answer."""
        end = data.find(b"\r\n")
        block = data[end:]
        fields = request.head.fields
        plain = len(block) <= KNOWN_HEAD and block.count(b"\n") == len(fields) + 2
        if plain and _UNUSUAL.isdisjoint(request.index) and _GET.fullmatch(data, 0, end):
            self._portal.heads.keep(block, request.head)

    def eof_received(self) -> bool:
        """A viewer that sent all it had may still read (RFC 9112 section 9.6); one that did not has gone away.

        Who listens to what never ends has gone away too: a browser's closed tab looks like that, and nothing else would
        be noticed before the next news, which may be hours away. So has who stops in the middle of a page for which
        fragments are still being fetched. Half a WebSocket, before it is one, is none.
        """
        if self._incoming is not None:
            self._incoming.fail(ViewerError("The viewer went away in the middle of its request."))
            return False
        self._closing = self._ended = True
        if (self._wished or self._endless or self._costly) and self._run is not None:
            self._run.cancel()
        return self._busy

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        resumes, self._resumes = self._resumes, []
        for resume in resumes:
            resume()

    def shutdown(self) -> None:
        """uvicorn wants to leave: what is in flight is finished, and what never ends is asked for again elsewhere."""
        self._closing = True
        if not self._busy:
            self._transport.close()
        elif self._endless and self._run is not None:
            self._run.cancel()

    # httptools

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = []
        self._head_size = 1
        self._fields_size = 0
        self._between = False
        self._begun += 1

    def on_url(self, target: bytes) -> None:
        self._target += target
        if len(self._target) > TARGET_LIMIT:
            raise _Refused(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))
        self._fields_size += len(name) + len(value) + 4
        if self._fields_size > HEAD_LIMIT or len(self._headers) > FIELDS_LIMIT:
            raise _Refused(431)

    def on_headers_complete(self) -> None:
        self._head_size = 0
        parser = self._parser
        version = VERSIONS.get(parser.get_http_version())
        if version is None:
            raise _Refused(505)
        method = parser.get_method()
        keep = parser.should_keep_alive() and not parser.should_upgrade() and method != b"CONNECT"
        body: Body = b""
        headers, self._headers = self._headers, []  # what still comes stands behind the body
        for name, value in headers:
            if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                raise _Refused(501)  # RFC 9112 section 6.1: a coding we do not know
            if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ")):
                body = self._incoming = self._arriving(headers)
        request = Request(
            method,
            self._target,
            headers,
            body,
            scheme=self._scheme,
            peer=self._peer,
            version=version,
            hints=self._hints if version == b"1.1" else None,
        )
        if not keep and parser.should_upgrade():
            request.upgrade = upgrades.wished(request)
            self._wished = request.upgrade != b""
        if keep and self._begun == 1 and body == b"" and self._piece.endswith(b"\r\n\r\n"):
            self._remember(self._piece, request)
        if self._busy:
            self._queue.append((request, keep))
            self._held = True
            self._transport.pause_reading()
        else:
            self._begin(request, keep)

    def on_body(self, chunk: bytes) -> None:
        if self._incoming is not None:
            self._incoming.feed(chunk)

    def on_message_complete(self) -> None:
        self._between = True
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.trailers = self._headers
            incoming.finish()

    # A body on its way in

    def _arriving(self, headers: Fields) -> Incoming:
        length = None
        asked = None
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"expect" and value.lower() == b"100-continue":
                asked = self._continue
        return Incoming(self, length, asked)

    def _continue(self) -> None:
        self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _hint(self, fields: Fields) -> None:
        """What to fetch meanwhile (RFC 8297); `_head` sees to it that none of this overtakes the answer."""
        lines = _lines([field for field in fields if field[0] in HINTS])
        if lines and not self._lost:
            self._transport.write(b"HTTP/1.1 103 Early Hints\r\n%b\r\n" % lines)

    def pause_reading(self) -> None:
        if not self._lost:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._lost and not self._queue:
            self._transport.resume_reading()

    def abandon(self) -> None:
        """The rest of the body is read and thrown away after the answer, for a moment."""

    # A body on its way out

    def write(self, chunk: bytes | memoryview) -> None:
        self._transport.write(chunk)

    def writelines(self, chunks: Iterable[bytes | memoryview]) -> None:
        self._transport.writelines(chunks)

    def drained(self, resume: Callable[[], None]) -> None:
        self._resumes.append(resume)
        if not self.full or self._lost:
            self.resume_writing()

    # An exchange

    def _begin(self, request: Request, keep: bool) -> None:
        self._busy = True
        self._run = Run(self._exchange(request, keep))

    async def _exchange(self, request: Request, keep: bool) -> None:
        try:
            response = await self._portal.serve(request)
            body = response.body
            if self._lost:
                if isinstance(body, Stream):
                    body.close()
            elif isinstance(body, bytes):
                self._send(request, response, body, keep)
            elif type(body) is Whole:
                self._send(request, response, body.view, keep)
            elif type(body) is Tunnel:
                self._switch(request, response, body)
            else:
                await self._stream(request, response, body, keep)
        except asyncio.CancelledError:
            self._abort()
            raise
        except Exception as error:
            # the head is out: nothing but a cut tells the viewer (RFC 9112 section 8)
            if not isinstance(error, GatewayError):
                self._portal.failed(error)
            self._abort()

    def _send(self, request: Request, response: Response, body: bytes | memoryview, keep: bool) -> None:
        """An answer that is all here leaves at once."""
        unread = self._unread(request)
        keep = keep and not unread and not self._closing
        lines = self._head(request, response, keep)
        length = _length(request, response, body)
        if length is not None:
            lines.append(b"content-length: %d\r\n" % length)
        lines.append(b"\r\n")
        if request.method == b"HEAD" or response.status in BODILESS:
            body = b""
        if len(body) < LARGE:
            self._transport.write(b"".join((*lines, body)))
        else:
            self._transport.writelines((b"".join(lines), body))  # one call of the kernel, and the body is not copied
        self._done(keep, unread)

    async def _stream(self, request: Request, response: Response, body: Stream, keep: bool) -> None:
        """An answer that goes out as it comes in."""
        empty = request.method == b"HEAD" or response.status in BODILESS
        length = None if empty else body.length
        chunked = length is None and not empty and request.version == b"1.1"
        keep = keep and not self._closing and not self._unread(request) and (empty or chunked or length is not None)
        if length is None and streams.endless(response.head):
            if self._ended:
                body.close()
                return self._abort()
            self._endless = True
            probe(self._transport)
        lines = self._head(request, response, keep)
        if length is not None:
            lines.append(b"content-length: %d\r\n" % length)
        elif chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        if empty:
            body.close()
            self._transport.write(b"".join(lines))
        else:
            self._costly = body.costly
            sink = _Framed(self, b"".join(lines), chunked)
            try:
                await body.pipe(sink)
            except BaseException:
                body.close()
                raise
            sink.end(body.trailers if trailers.wanted(request.head) else [])
        self._endless = self._costly = False
        self._done(keep and not self._closing, self._unread(request))

    def _switch(self, request: Request, response: Response, tunnel: Tunnel) -> None:
        """From here on this connection speaks no HTTP."""
        if self._timer is not None:
            self._timer.cancel()
        self._hints = None
        self._connections.discard(self)
        lines = self._head(request, response, True)
        self._transport.write(b"".join((*lines, b"connection: Upgrade\r\nupgrade: ", request.upgrade, b"\r\n\r\n")))
        side = self._side = tunnel.join(self._transport, bytes(self._ahead), self.full, self._connections.discard)
        if side is not None:
            self._connections.add(side)

    def _head(self, request: Request, response: Response, keep: bool) -> list[bytes]:
        request.hints = None
        head = response.head
        lines = [
            STATUS.get(response.status) or b"HTTP/1.1 %d Status\r\n" % response.status,
            head.memo.get(LINES) or head.keep(LINES, _lines(head.fields)),
            _lines(response.extra),
            CLOCK.date(self._loop.time()),
        ]
        if not keep:
            lines.append(b"connection: close\r\n")
        elif request.version == b"1.0":
            lines.append(b"connection: keep-alive\r\n")
        return lines

    def _unread(self, request: Request) -> bool:
        return isinstance(request.body, Incoming) and not request.body.complete

    def _done(self, keep: bool, unread: bool) -> None:
        self._busy = False
        self._since = self._loop.time()
        if self._lost:
            return
        if self._refusal and not self._queue:
            self._refuse(self._refusal)
        elif unread or not keep:
            self._leave()
        elif self._queue:
            request, keep = self._queue.popleft()
            # a fresh stack: a thousand pipelined requests must not nest a thousand deep
            self._loop.call_soon(self._begin, request, keep)
            self._busy = True
        if self._held and not self._queue:
            self._held = False
            self._transport.resume_reading()

    def _leave(self) -> None:
        """The last word is said. What still comes is read and thrown away for a moment, so that no reset overtakes it.

        RFC 9112 section 9.6: half-close, and close once the viewer has heard us.
        """
        self._deaf = True
        self._wished = False
        self._queue.clear()
        if self._incoming is not None:
            self._incoming.close()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER, self._transport.close)

    def _refuse(self, status: int) -> None:
        """What cannot be read is answered once, behind what was asked before, and nothing after it is heard."""
        self._deaf = self._closing = True
        if self._incoming is not None:
            self._incoming.fail(ViewerError("The request's body cannot be read."))  # its exchange gives the answer
            return
        if self._busy or self._queue:
            self._refusal = status
            return
        self._transport.write(
            STATUS[status]
            + CLOCK.date(self._loop.time())
            + b"proxy-status: portico; error=http_request_error\r\n"
            + b"content-length: 0\r\nconnection: close\r\n\r\n"
        )
        self._leave()

    def _abort(self) -> None:
        self._busy = False
        self._transport.abort()

    def _check(self) -> None:
        """One coarse timer a connection: idle ones and slow heads are let go."""
        now = self._loop.time()
        waited = now - self._since
        limit = HEAD_TIME if self._head_size else KEEP_ALIVE
        if not self._busy and waited >= limit:
            if self._head_size:
                self._transport.abort()
            else:
                self._transport.close()
            return
        self._timer = self._loop.call_later(HEAD_TIME, self._check)


class _Framed:
    """A body's way out: the head goes with the first chunk, and chunks are framed when no length was told."""

    def __init__(self, wire: Wire, head: bytes, chunked: bool) -> None:
        self._wire = wire
        self._head = head
        self._chunked = chunked
        self.drained = wire.drained

    @property
    def full(self) -> bool:
        return self._wire.full

    def write(self, chunk: bytes | memoryview) -> None:
        framed = b"%x\r\n%b\r\n" % (len(chunk), bytes(chunk)) if self._chunked and chunk else chunk
        if self._head:
            head, self._head = self._head, b""
            self._wire.writelines((head, framed))
        else:
            self._wire.write(framed)

    def end(self, behind: Fields) -> None:
        if self._chunked:
            self._wire.write(self._head + b"0\r\n%b\r\n" % _lines(trailers.passed(behind)))
        elif self._head:
            self._wire.write(self._head)


def _lines(fields: Fields) -> bytes:
    return b"".join([name + b": " + value + b"\r\n" for name, value in fields if name not in FRAMING])


def _length(request: Request, response: Response, body: bytes | memoryview) -> int | None:
    """What Content-Length says; a HEAD answer announces the body its GET would have (RFC 9110 section 8.6)."""
    if response.status in BODILESS:
        return None
    if request.method == b"HEAD" and not body:
        told = response.index.get(b"content-length")
        return int(told) if told is not None else None
    return len(body)
