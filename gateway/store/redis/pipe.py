"""One connection to a Redis, shared by all who ask: what they ask is written at once, answers come in the same order.

An answer is a value; a refusal is one too (`said` raises it), and so is the end of the connection: whoever is cancelled
leaves nothing behind that nobody reads. A server that keeps silent for PATIENCE is given up for all who wait.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import hiredis

from gateway.store.base import StoreError, StoreRefused
from gateway.store.redis.address import Login

PATIENCE = 0.1  # seconds for an answer: fifty times a round trip in one data centre, and far below a page
OPENING = 1.0  # seconds for a connection and who we are; no request waits for it that long
IDLE = 1.0  # seconds without a question until one is asked to see whether somebody is there
PROMPT = 0.05  # seconds for the first answer; a server that takes longer would only make requests wait
GRACE = 0.005  # seconds more for an answer that came while this process was busy with something else
BEHIND = 8 << 20  # bytes not taken yet by a slow server; more is not given to it
NAME = b"portico"

_OLD = ("Redis says ERR unknown command", "Redis says NOPROTO")
_NOTHING = object()
Answer = asyncio.Future[Any]
Heard = Callable[[Sequence[Any]], None]
Prefixes = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Server:
    """One server's place: host and port, or the path of a socket."""

    host: str
    port: int = 0

    @property
    def place(self) -> tuple[str, int]:
        return self.host, self.port

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


def packed(*words: bytes) -> bytes:
    """A question as it goes over the wire."""
    question: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows only tuples of one
    return question


PING = packed(b"PING")


def said(answer: Any) -> Any:
    """The answer, if it is one. Raises StoreError when the connection ended, StoreRefused when the server said no."""
    if isinstance(answer, StoreError):
        raise answer
    if isinstance(answer, hiredis.ReplyError):
        raise StoreRefused(f"Redis says {answer}.")
    return answer


class Pipe(asyncio.Protocol):
    """`heard` is told what the server says unasked (RESP3 pushes); `lost` once, and why the connection has ended."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self.lost: Callable[[str], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._waiting: deque[tuple[float, Answer]] = deque()
        self._transport: asyncio.Transport | None = None
        self._watched = True  # while it opens, by whoever opens it
        self.opens = True
        self._asked = self._loop.time()
        self._idle: asyncio.TimerHandle | None = None
        self.tracks = False

    def __repr__(self) -> str:
        state = "ended" if self.ended else f"{len(self._waiting)} asked"
        return f"<Pipe {state}>"

    @property
    def ended(self) -> bool:
        return self._transport is None

    @property
    def is_behind(self) -> bool:
        return self._transport is not None and self._transport.get_write_buffer_size() > BEHIND

    def watch(self) -> None:
        """It is open: from now on nobody waits for longer than PATIENCE."""
        self._watched = self.opens = False

    def ask(self, question: bytes) -> Answer:
        """The answer to a packed question, to be read with `said`."""
        answer: Answer = self._loop.create_future()
        if self._transport is None:
            answer.set_result(StoreError("The connection to Redis has ended."))
            return answer
        self._asked = now = self._loop.time()
        self._waiting.append((now + PATIENCE, answer))
        if not self._watched:
            self._watched = True
            self._loop.call_later(PATIENCE, self._look)
        self._transport.write(question)
        return answer

    def ask_all(self, questions: Sequence[bytes]) -> list[Answer]:
        """The same for several, in one write."""
        if len(questions) == 1:
            return [self.ask(questions[0])]
        first = self.ask(b"".join(questions))
        if self._transport is None:
            return [first] * len(questions)
        rest = [self._loop.create_future() for _ in questions[1:]]
        self._waiting.extend((self._asked + PATIENCE, answer) for answer in rest)
        return [first, *rest]

    def end(self, reason: str) -> None:
        """Everybody who waits is told, and whoever opened it."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if self._idle is not None:
            self._idle.cancel()
        while self._waiting:
            _settle(self._waiting.popleft()[1], StoreError(reason))
        lost, self.lost = self.lost, None
        if lost is not None:
            lost(reason)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._idle = self._loop.call_later(IDLE, self._stir)

    def data_received(self, data: bytes) -> None:
        reader, waiting = self._reader, self._waiting
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not _NOTHING:
                if type(answer) is hiredis.PushNotification:
                    self._heard(answer)
                else:
                    _settle(waiting.popleft()[1], answer)
        except (hiredis.ProtocolError, IndexError, ValueError):
            self.end("Redis does not speak its protocol.")

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"Redis closed the connection{f' ({exc})' if exc else ''}.")

    def _look(self) -> None:
        """Whether the oldest question still waits in its time."""
        if not self._waiting:
            self._watched = False
            return
        due, oldest = self._waiting[0]
        left = due - self._loop.time()
        if left > 0:
            self._loop.call_later(left, self._look)
        else:
            self._loop.call_later(GRACE, self._give_up, oldest)

    def _give_up(self, oldest: Answer) -> None:
        """What arrived while this process was busy is read before this is called again."""
        if self._waiting and self._waiting[0][1] is oldest:
            self.end("Redis did not answer in time.")
        else:
            self._look()

    def _stir(self) -> None:
        """A server that froze, and a connection that was cut, are found by a question that nobody waits for."""
        if self._loop.time() - self._asked >= IDLE * 0.9 and not self._waiting:
            self.ask(PING)
        self._idle = self._loop.call_later(IDLE, self._stir)


def _settle(answer: Answer, value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _deaf(push: Sequence[Any]) -> None:
    """Nothing is told to who asked for nothing."""


async def opened(server: Server, login: Login, prefixes: Prefixes = (), heard: Heard = _deaf) -> Pipe:
    """A connection that knows who we are, and that tells what others change below `prefixes` where the server can.

    Raises StoreError when it does not come about in time, or when the server is slower than anyone would wait.
    """
    pipe: Pipe | None = None
    try:
        async with asyncio.timeout(OPENING):
            pipe = await _connected(server, login, heard)
            await _introduced(pipe, login, prefixes)
        async with asyncio.timeout(PROMPT):
            said(await pipe.ask(PING))
    except (OSError, TimeoutError, StoreError) as error:  # ssl.SSLError is an OSError
        raise StoreError(f"it cannot be opened: {error or 'no answer in time'}") from error
    else:
        pipe.watch()
        return pipe
    finally:
        if pipe is not None and pipe.opens:
            pipe.end("It did not open.")


async def _connected(server: Server, login: Login, heard: Heard) -> Pipe:
    loop, context = asyncio.get_running_loop(), _context(login)
    if not server.port:
        return (await loop.create_unix_connection(lambda: Pipe(heard), server.host))[1]
    name = server.host if context else None
    return (await loop.create_connection(lambda: Pipe(heard), *server.place, ssl=context, server_hostname=name))[1]


async def _introduced(pipe: Pipe, login: Login, prefixes: Prefixes) -> None:
    """RESP3 where it is spoken (Redis 6, Valkey); what stands between may speak RESP2 only, then nothing is pushed."""
    who, word = login.username.encode() or b"default", login.password.encode()
    words = [b"HELLO", b"3", *((b"AUTH", who, word) if word else ()), b"SETNAME", NAME]
    try:
        said(await pipe.ask(packed(*words)))
        below = [word for prefix in prefixes for word in (b"PREFIX", prefix)]
        if below:
            pipe.tracks = await pipe.ask(packed(b"CLIENT", b"TRACKING", b"ON", b"BCAST", *below, b"NOLOOP")) == b"OK"
    except StoreRefused as error:
        if not str(error).startswith(_OLD):
            raise
        if word:
            said(await pipe.ask(packed(b"AUTH", *((who,) if login.username else ()), word)))
    if login.db:
        said(await pipe.ask(packed(b"SELECT", b"%d" % login.db)))


def _context(login: Login) -> ssl.SSLContext | None:
    if login.tls is None:
        return None
    context = ssl.create_default_context(cafile=login.tls.get("ssl_ca_certs"))
    context.check_hostname = login.tls.get("ssl_check_hostname", "true").lower() not in ("false", "no", "0")
    if "ssl_certfile" in login.tls:
        context.load_cert_chain(login.tls["ssl_certfile"], login.tls.get("ssl_keyfile"))
    return context
