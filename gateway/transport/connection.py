"""One connection to an origin, speaking HTTP/1.1: asyncio protocols, llhttp as the judge of framing.

It sends what it is given and hands back what came. Besides `proxy.wire` the only file that knows httptools.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

import gateway.rules.streams as streams
import gateway.rules.trailers as trailers
import gateway.rules.upgrades as upgrades
from gateway.errors import BadAnswer, GatewayError, TimedOut, ViewerError
from gateway.message import Field, Fields, Request, Response, Stream, Trailed, Whole
from gateway.table import Origin
from gateway.transport.incoming import Incoming
from gateway.transport.known import ANSWER, HEAD, Familiar, Known, Seen, undated
from gateway.transport.landing import Landing
from gateway.transport.later import Later
from gateway.transport.probing import probe
from gateway.transport.tunnel import Tunnel

LARGE = 16 * 1024  # bytes of a body from which a copy costs more than it saves
HEAD_LIMIT = 64 * 1024  # bytes of an answer's head; nginx allows 4-8 KiB, Node 16, Varnish 32
LINES = "lines of a request"  # key of a head's memo
BODILESS = frozenset({204, 205, 304})


class Stale(Exception):
    """A kept connection turned out to be closed before a byte of the answer came."""


class Waiting(Protocol):
    """Who asked, and is told once: of the answer as soon as its head is here, or why there is none."""

    def set(self, response: Response, /) -> None: ...

    def fail(self, error: BaseException, /) -> None: ...


class Coming(Later[Response]):
    """An answer that was asked for on an open connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: "Connection") -> None:
        self.done = False
        self.then = None
        self._error = None
        self._connection = connection

    @property
    def origin(self) -> Origin:
        return self._connection.home.origin

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self.then = None
        if not self.done:
            self._connection.close()
        elif self._error is None and isinstance(self._value.body, Stream):
            self._value.body.close()


class Keeper(Protocol):
    """Who owns a connection and all others to its origin."""

    origin: Origin
    known: Familiar
    landing: Landing

    def expects(self, timeout: float) -> float:
        """When an answer that is asked for now is late."""
        ...

    def release(self, connection: "Connection") -> None:
        """It may be used again."""
        ...

    def lost(self, connection: "Connection") -> None:
        """It is closed."""
        ...

    def switched(self, connection: "Connection", tunnel: Tunnel) -> None:
        """It is a tunnel's side from now on."""
        ...

    def parted(self, tunnel: Tunnel) -> None:
        """A tunnel is over."""
        ...


class Connection(asyncio.BufferedProtocol):
    """One connection to an origin: an exchange at a time."""

    def __init__(self, home: Keeper) -> None:
        self.home = home
        self._landing = home.landing
        self.idle_since = 0.0
        self.heard = 0.0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._parser = httptools.HttpResponseParser(self)
        self._answer: Waiting | None = None
        self.deadline = 0.0
        self._request: Request | None = None
        self._seen: Seen | None = None
        self._heard_some = True  # of the answer to this request
        self._response: Response | None = None
        self._incoming: Incoming | None = None
        self._headers: list[Field] = []
        self._trailers: Fields = []
        self._early: list[bytes | memoryview] = []
        self._whole = False
        self._too_long = False
        self._length: int | None = None
        self._head_size = 0
        self._left = 0
        self._upload: asyncio.Task[None] | None = None
        self.used = self._reused = self._keep = self._closed = self._to_eof = False
        self._full = False
        self._resumes: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        state = "closed" if self._closed else "busy" if self._request else "idle"
        return f"<Connection to {self.home.origin.url}: {state}>"

    # An exchange

    def exchange(self, request: Request, timeout: float) -> Coming:
        """Write the request; what is returned holds the response as soon as its head is here."""
        coming = Coming(self)
        self.ask(request, timeout, coming)
        return coming

    def ask(self, request: Request, timeout: float, waits: Waiting) -> None:
        """The same for who waits in a way of its own."""
        self._request = request
        self._reused, self.used = self.used, True
        self._answer = waits
        self.deadline = self.home.expects(timeout)
        body = request.body
        if not body and request.method == b"GET":
            self._seen = self.home.known.answers.get(request.target)
            self._heard_some = False
            self._transport.write(head(request))
        elif type(body) is bytes:
            self._transport.write(head(request) + body)
        else:
            assert isinstance(body, Stream)
            self._transport.write(head(request))
            self._upload = self._loop.create_task(self._send(body))

    async def _send(self, body: Stream) -> None:
        sink = self if body.length is not None else _Chunked(self)
        try:
            await body.pipe(sink)
        except Exception as error:
            told = error if isinstance(error, GatewayError) else ViewerError(f"The request's body broke off: {error}")
            self._fail(told)
            return
        if sink is not self:
            self.write(b"0\r\n%b\r\n" % _lines(trailers.passed(body.trailers)))
        self._upload = None
        self._settle()

    # What the connection is to a body on its way in, and to one on its way out

    def pause_reading(self) -> None:
        if not self._closed:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._closed:
            self.heard = self._loop.time()
            self._transport.resume_reading()

    def abandon(self) -> None:
        self.close()

    @property
    def full(self) -> bool:
        return self._full

    def write(self, chunk: bytes | memoryview) -> None:
        if not self._closed:
            self._transport.write(chunk)

    def drained(self, resume: Callable[[], None]) -> None:
        self._resumes.append(resume)
        if not self._full or self._closed:
            self.resume_writing()

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._closed:  # given up while it was made
            self._transport.abort()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        resumes, self._resumes = self._resumes, []
        for resume in resumes:
            resume()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._landing.room()

    def buffer_updated(self, count: int) -> None:
        if not self._heard_some:
            self._heard_some = True
            seen = self._seen
            if seen is not None and count == seen.count and self._landing.holds(seen):
                self._answers_as(seen)
                return
        if count < LARGE:
            self._heard(self._landing.taken(count))
        else:
            self._heard(self._landing.lent(count))

    def _heard(self, data: bytes | memoryview) -> None:
        if self._request is None:
            self.close()  # bytes nobody asked for: never the beginning of the next answer
            return
        if self._left:
            self.heard = self._loop.time()
            self._body_goes_on(data)
            return
        if self._response is None and self._head_size == 0 and self._known(data):
            return
        self.heard = self._loop.time()
        headless = self._response is None
        if headless:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switched:
            self._switches(bytes(data[switched.args[0] :]))
            return
        except httptools.HttpParserError as error:
            self._fail(BadAnswer(f"Origin {self.home.origin.url} does not speak HTTP: {error}."))
            return
        if self._answer is not None and self._response is not None:
            if headless:
                self._remember(data, self._response)
            if self._comes_alone():
                return
            self._deliver(self._answer, self._response)
        elif self._whole:
            self._settle()
        elif self._headers and self._response is not None:
            self._counts_trailers(len(data))
        elif self._too_long or (self._response is None and self._head_size > HEAD_LIMIT):
            self._fail(
                BadAnswer(
                    f"The head of an answer of {self.home.origin.url} is longer than {HEAD_LIMIT} bytes.",
                    proxy_error="http_response_header_section_size",
                )
            )

    def _counts_trailers(self, count: int) -> None:
        """Fields behind a body take no more room than those before it."""
        self._head_size += count
        if self._head_size > HEAD_LIMIT:
            self._fail(BadAnswer(f"The trailers of an answer of {self.home.origin.url} are too long."))

    def _switches(self, early: bytes) -> None:
        """A 101: right if it was wished for and answers the handshake, and then nothing here is HTTP any more."""
        answer, request, response = self._answer, self._request, self._response
        if answer is None or request is None or response is None or not request.upgrade:
            self._fail(BadAnswer(f"Origin {self.home.origin.url} switched protocols unasked."))
            return
        doubt = upgrades.doubt(request.head, response.head)
        if doubt is not None:
            why = f"Origin {self.home.origin.url} {doubt}."
            self._fail(BadAnswer(why, proxy_error="http_upgrade_failed"))
            return
        self._answer = None
        tunnel = response.body = Tunnel(self._transport, early, self.home)
        self.home.switched(self, tunnel)
        answer.set(response)

    def _known(self, data: bytes | memoryview) -> bool:
        """A head of an answer that llhttp has judged before, byte for byte: nothing in it needs reading again."""
        begin = data if type(data) is bytes else bytes(data[:HEAD])
        end = begin.find(b"\r\n\r\n")
        known = self.home.known.heads.get(undated(begin[: end + 4])) if end >= 0 else None
        answer, request = self._answer, self._request
        if known is None or answer is None or request is None or request.method == b"HEAD":
            return False
        here = len(data) - end - 4
        if here > known.length:
            return False
        self._response = Response(known.status, known.head)
        self._keep = True
        self._length = known.length
        self._whole = here == known.length
        if here == 0 and known.length:
            self._left = known.length
            return True
        seen = self._seen
        if self._whole and len(data) <= ANSWER and request.method == b"GET" and (seen is None or seen.is_looked_at()):
            body = bytes(data[end + 4 :])
            self.home.known.came(request.target, begin[: end + 4], known, body)
            self._early = [body]
        elif here:
            self._early = [_worth(data[end + 4 :])]
        self._deliver(answer, self._response)
        return True

    def _answers_as(self, seen: Seen) -> None:
        """The whole answer of the last time, byte for byte."""
        answer, self._answer = self._answer, None
        self._request = None
        self.home.release(self)  # first: who is answered may want this very connection next
        if answer is not None:
            answer.set(Response(seen.known.status, seen.known.head, seen.body))

    def _remember(self, data: bytes | memoryview, response: Response) -> None:
        """Heads that came in one piece, frame their body by its length, and say nothing that ages."""
        begin = bytes(data[:HEAD])
        end = begin.find(b"\r\n\r\n") + 4
        length = self._length
        if len(data) != self._head_size or end < 4 or length is None or not self._keep:
            return
        raw = begin[:end]
        plain = raw.startswith(b"HTTP/1.1 %d " % response.status) and raw.count(b"\n") == len(response.headers) + 2
        if not plain or response.status in BODILESS or self._request is None or self._request.method == b"HEAD":
            return
        if b"expires" not in response.index and b"transfer-encoding" not in response.index:
            self.home.known.remember(raw, Known(response.status, response.head, length))

    def _body_goes_on(self, data: bytes | memoryview) -> None:
        """In the middle of a body of known length there is nothing to parse, and nothing to copy."""
        left = self._left
        incoming = self._incoming
        if incoming is None:
            self._body_begins(data)
            return
        if left > len(data):
            self._left = left - len(data)
            incoming.feed(data)
            return
        self._left = 0
        self._parser = httptools.HttpResponseParser(self)
        self._keep = self._keep and len(data) == left  # more bytes than announced belong to no answer
        incoming.feed(data[:left])
        incoming.finish()
        self._whole = True
        self._settle()

    def _comes_alone(self) -> bool:
        """A head whose body is announced and on its way: most send it in the next packet, and one answer is cheaper
        than an answer and a stream. Answers of no known length, event streams among them, are never held.
        """
        if self._whole or self._early or not self._length:
            return False
        self._left = self._length
        return True

    def _body_begins(self, data: bytes | memoryview) -> None:
        """The first bytes of a body whose head came alone: now there is something to answer with."""
        answer, response, left = self._answer, self._response, self._left
        assert answer is not None and response is not None
        self._parser = httptools.HttpResponseParser(self)
        self._left = 0
        self._whole = len(data) >= left
        self._keep = self._keep and len(data) <= left
        self._early = [_worth(data if len(data) <= left else data[:left])]
        self._deliver(answer, response)

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        self.home.lost(self)
        self.resume_writing()
        if self._to_eof and self._incoming is not None and error is None:
            self._request = None
            self._incoming.finish()
        elif self._request is not None:
            self._fail(self._cut(error))
        if self._upload is not None:
            self._upload.cancel()

    def _cut(self, error: Exception | None) -> Exception:
        if self._reused and self._head_size == 0 and self._response is None:
            return Stale()
        why = f": {error}" if error else ""
        return BadAnswer(
            f"Origin {self.home.origin.url} closed the connection in the middle of an answer{why}.",
            proxy_error="http_response_incomplete" if self._response is not None else "connection_terminated",
        )

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        headers, self._headers = self._headers, []
        if 100 <= status < 200:
            if status == 101:
                self._response = Response(status, headers)
            elif status == 103 and self._request is not None and self._request.hints is not None:
                self._request.hints(headers)
            return
        if sum(len(name) + len(value) + 4 for name, value in headers) > HEAD_LIMIT:
            self._too_long = True
            return
        length: int | None = None
        chunked = False
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = True
        self._length = length
        self._response = Response(status, headers)
        self._keep = self._parser.should_keep_alive()
        if status in BODILESS or (self._request is not None and self._request.method == b"HEAD"):
            self._whole = True
            # llhttp would wait for the body a HEAD answer only announces
            self._parser = httptools.HttpResponseParser(self)
        else:
            self._to_eof = length is None and not chunked

    def on_body(self, chunk: bytes) -> None:
        if self._whole:
            self._keep = False  # a body where none may be
        elif self._incoming is not None:
            self._incoming.feed(chunk)
        else:
            self._early.append(chunk)

    def on_message_complete(self) -> None:
        behind, self._headers = self._headers, []  # or they would stand before the next answer
        if self._response is not None and not self._whole:
            self._keep = self._parser.should_keep_alive()
            self._whole = True
            if behind:
                self._trailers = behind if self._request and trailers.wanted(self._request.head) else []
            if self._incoming is not None:
                self._incoming.trailers = self._trailers
                self._incoming.finish()

    def _deliver(self, answer: Waiting, response: Response) -> None:
        """The head is here: who waits is answered, with the body if that is whole, with a stream of it if not."""
        self._answer = None
        early, self._early = self._early, []
        if self._whole:
            first = early[0] if len(early) == 1 else b"".join(early)
            response.body = first if isinstance(first, bytes) else Whole(first)
            if self._trailers:
                response.body = Trailed(bytes(first), self._trailers)
            self._settle()  # first: who is answered may want this very connection next
        else:
            self.heard = self._loop.time()
            response.body = incoming = self._incoming = Incoming(self, self._length)
            for chunk in early:
                incoming.feed(chunk)
            if self._length is not None:
                self._left = self._length - sum(map(len, early))
        answer.set(response)

    def _settle(self) -> None:
        """Back to the pool, once the answer is whole and the request is sent."""
        if not self._whole:
            return
        if self._upload is not None:
            self.close()  # answered before it heard us out: RFC 9112 section 9.5
            return
        self._request = self._response = self._incoming = None
        if self._trailers:
            self._trailers = []
        self._whole = self._to_eof = False
        self._head_size = 0
        if self._keep and not self._closed:
            self.home.release(self)
        else:
            self.close()

    def _fail(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        self._request = None
        self.close()
        if answer is not None:
            answer.fail(error)
        elif self._incoming is not None:
            self._incoming.fail(error)

    @property
    def waits(self) -> bool:
        """Sent, and no head of an answer yet."""
        return self._answer is not None

    def late(self) -> None:
        self._fail(TimedOut(f"Origin {self.home.origin.url} sent no answer in time."))

    def check(self, now: float) -> None:
        """Called every few seconds: who went silent in mid-body is let go, unless silence is what it promised."""
        response = self._response
        if self._incoming is None or self._request is None or response is None or now - self.heard <= streams.STALL:
            return
        if not self._transport.is_reading():
            self.heard = now
            return
        patience = streams.patience(response.head, self._length)
        if patience is None:
            probe(self._transport)
        elif now - self.heard > patience:
            self._fail(TimedOut(f"Origin {self.home.origin.url} stopped in the middle of a body."))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._transport is not None:  # it is, for one that is given up before it is made
                self._transport.abort()
        if self._upload is not None:
            self._upload.cancel()


class _Chunked:
    """A sink that frames a body of unknown length (RFC 9112 section 7.1)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.drained = connection.drained

    @property
    def full(self) -> bool:
        return self._connection.full

    def write(self, chunk: bytes | memoryview) -> None:
        self._connection.write(b"%x\r\n%b\r\n" % (len(chunk), bytes(chunk)))


def head(request: Request) -> bytes:
    """The request line and fields as they go out (RFC 9112 section 3)."""
    block = request.head
    lines: bytes = block.memo.get(LINES) or block.keep(LINES, _lines(block.fields))
    if request.id:
        return b"%b %b HTTP/1.1\r\n%bx-request-id: %b\r\n\r\n" % (request.method, request.target, lines, request.id)
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method, request.target, lines)


def _worth(body: bytes | memoryview) -> bytes | memoryview:
    """A view where that is worth it."""
    return body if len(body) >= LARGE else bytes(body)


def _lines(fields: Fields) -> bytes:
    return b"".join([name + b": " + value + b"\r\n" for name, value in fields])
