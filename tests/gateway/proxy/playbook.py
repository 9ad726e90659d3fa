"""A conversation in one process: origins are functions, the viewer reads chunk by chunk, and what each saw is kept.

The flow is the real one, with a real cache; only the sockets are left out, or put in: `listening` and `in_process` show
the same portal to a viewer over HTTP/1.1 and over ASGI.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
import uvicorn

import gateway.table as tables
from gateway.errors import TimedOut, ViewerError
from gateway.message import Body, Field, Request, Response, Stream, every
from gateway.model import Manifest
from gateway.proxy.asgi import Portal
from gateway.proxy.cache import Cache
from gateway.proxy.flow import Flow
from gateway.proxy.forward import Forward
from gateway.proxy.mounting import Mounting
from gateway.proxy.wire import Wire
from gateway.store.base import Entries
from gateway.store.memory import Memory
from gateway.table import Current, Origin
from gateway.telemetry.facts import Fact
from gateway.transport.base import Transport

PAGE_BYTES = 1 << 20
ENTRY_BYTES = 1 << 18


Piece: TypeAlias = bytes | float | asyncio.Event | Exception


@dataclass(frozen=True, slots=True)
class Reply:
    """What an origin answers. A list is a body that comes piece by piece: bytes, pauses in seconds or until something
    happens, a failure."""

    body: bytes | Sequence[Piece] = b""
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    delay: float = 0.0


Answers: TypeAlias = Callable[[Request], "Reply | Awaitable[Reply]"]


def html(markup: str, *headers: tuple[str, str], status: int = 200, delay: float = 0.0) -> Reply:
    return Reply(markup.encode(), status, [("content-type", "text/html; charset=utf-8"), *headers], delay)


def kept(markup: str, seconds: int = 60) -> Reply:
    """A page everybody may keep for that long."""
    return html(markup, ("cache-control", f"max-age={seconds}"))


class Pieces(Stream):
    """A body that comes as a reply tells."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = list(pieces)
        self.closed = False

    async def read(self) -> bytes:
        while self._pieces:
            piece = self._pieces.pop(0)
            if isinstance(piece, bytes):
                return piece
            if isinstance(piece, Exception):
                raise piece
            await (piece.wait() if isinstance(piece, asyncio.Event) else asyncio.sleep(piece))
        return b""

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True)
class Got:
    """What the viewer got: the head, then chunk by chunk, each with the seconds since it asked."""

    status: int
    headers: list[Field]
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def body(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)

    @property
    def text(self) -> str:
        return self.body.decode()

    def get(self, name: str) -> str | None:
        """All values of a field as one; None when there is none."""
        values = every(self.headers, name.lower().encode())
        return b", ".join(values).decode("latin-1") if values else None


class Timed(Flow):
    """The flow, with a clock the test turns."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Play:
    """A portal of these manifests and origins. `seen` lists what origins were asked, in order: "hotels GET /x"."""

    def __init__(
        self,
        manifests: Sequence[Mapping[str, Any]],
        origins: Mapping[str, Answers],
        *,
        shared: Entries | None = None,
        transport: Transport | None = None,
        **settings: Any,
    ) -> None:
        self.origins = dict(origins)
        self.seen: list[str] = []
        self.requests: list[Request] = []
        self.bodies: list[Pieces] = []
        self.cancelled: list[str] = []
        self.facts: list[Fact] = []
        self.current = Current(tables.compile([Manifest.model_validate(each) for each in manifests], 1))
        self.cache = Cache(Memory(16 << 20), shared, ENTRY_BYTES, self.facts.append)
        reaching: Transport = transport or self
        self.flow = Timed(
            self.current,
            self.cache,
            Forward({"http": reaching, "https": reaching}),
            Mounting(PAGE_BYTES, ENTRY_BYTES),
            self.facts.append,
            **{"page_bytes": PAGE_BYTES, **settings},
        )
        self.portal = Portal(self.flow, self.facts.append)

    async def get(
        self,
        target: str | bytes,
        *headers: tuple[str, str],
        method: str = "GET",
        body: Body = b"",
        host: str = "shop.test",
        peer: str = "203.0.113.9",
    ) -> Got:
        """Asks, and reads the answer to its end."""
        got, response = await self.open(target, *headers, method=method, body=body, host=host, peer=peer)
        await drain(got, response)
        return got

    async def open(
        self,
        target: str | bytes,
        *headers: tuple[str, str],
        method: str = "GET",
        body: Body = b"",
        host: str = "shop.test",
        peer: str = "203.0.113.9",
    ) -> tuple[Got, Response]:
        """Asks, and returns with the answer's head."""
        raw = target if isinstance(target, bytes) else target.encode()
        fields = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers)]
        began = asyncio.get_running_loop().time()
        response = await self.flow.serve(Request(method.encode(), raw, fields, body, peer=peer))
        return Got(response.status, response.headers, seconds=asyncio.get_running_loop().time() - began), response

    def wait(self, seconds: float) -> None:
        """Turns the clock on."""
        self.flow.ahead += seconds

    async def settle(self) -> None:
        """Lets work in the background go on."""
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    async def handle_async_request(self, request: Request, origin: Origin, timeout: float) -> Response:
        name = origin.host.partition(".")[0]
        told = f"{name} {request.method.decode()} {request.target.decode('latin-1')}"
        self.seen.append(told)
        self.requests.append(request)
        replying = asyncio.ensure_future(self._reply(name, request))
        try:
            await asyncio.wait({replying}, timeout=timeout)
        except asyncio.CancelledError:
            replying.cancel()
            self.cancelled.append(told)
            raise
        if not replying.done():
            replying.cancel()
            self.cancelled.append(told)
            raise TimedOut(f"{told}: no answer in time")
        try:
            return self._response(request, replying.result())
        except ConnectionError as error:
            raise ViewerError(f"The viewer's body ended early: {error}") from error

    async def aclose(self) -> None:
        """Nothing is kept open."""

    async def _reply(self, name: str, request: Request) -> Reply:
        answer = self.origins[name](request)
        reply = await answer if inspect.isawaitable(answer) else answer
        await asyncio.sleep(reply.delay)
        return reply

    def _response(self, request: Request, reply: Reply) -> Response:
        fields = [(key.lower().encode(), value.encode()) for key, value in reply.headers]
        if isinstance(reply.body, bytes):
            return Response(reply.status, fields, b"" if request.method == b"HEAD" else reply.body)
        body = Pieces(reply.body)
        self.bodies.append(body)
        return Response(reply.status, fields, body)


async def until(holds: Callable[[], object], within: float = 5.0) -> None:
    """Lets everybody go on until something holds, however long a busy machine takes for it."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110  what is looked at only lists what happened
            await asyncio.sleep(0.002)


async def drain(got: Got, response: Response) -> None:
    if isinstance(response.body, bytes):
        if response.body:
            got.chunks.append((got.seconds, response.body))
        return
    clock = asyncio.get_running_loop().time
    began = clock() - got.seconds
    while chunk := await response.body.read():
        got.chunks.append((clock() - began, chunk))


@asynccontextmanager
async def playing(
    manifests: Sequence[Mapping[str, Any]], origins: Mapping[str, Answers], **settings: Any
) -> AsyncIterator[Play]:
    play = Play(manifests, origins, **settings)
    try:
        yield play
    finally:
        await play.cache.aclose()


def manifest(team: str, **more: Any) -> dict[str, Any]:
    """A team with one upstream, at http://team.test, and the mounts and fragments given."""
    return {"team": team, "upstreams": {team: {"origins": [f"http://{team}.test"]}}, **more}


# The same portal, seen from outside


class Server(uvicorn.Server):
    """uvicorn, leaving the test's signals alone, and leaving when told instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()

    async def main_loop(self) -> None:
        await self.told.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class Listening:
    port: int
    server: Server
    serving: "asyncio.Task[None]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def leave(self) -> None:
        """What a signal would do: finish what is in flight, and end."""
        self.server.should_exit = True
        self.server.told.set()
        await self.serving

    async def end(self) -> None:
        """At once when nobody is there any more; uvicorn itself takes its time."""
        for _ in range(10):
            if not self.server.server_state.connections:
                break
            await asyncio.sleep(0.002)
        else:
            await self.leave()
        for listener in self.server.servers:
            listener.close()
        self.serving.cancel()
        await asyncio.wait({self.serving})


@asynccontextmanager
async def listening(portal: Portal) -> AsyncIterator[Listening]:
    """Our wire protocol on a loopback port, run by uvicorn in this loop."""
    config = uvicorn.Config(
        portal,
        host="127.0.0.1",
        port=0,
        http=Wire,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells by this flag only
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    here = Listening(port, server, serving)
    try:
        yield here
    finally:
        await here.end()


@asynccontextmanager
async def over_wire(portal: Portal) -> AsyncIterator[httpx.AsyncClient]:
    async with listening(portal) as here, httpx.AsyncClient(base_url=here.url, headers={"host": "shop.test"}) as viewer:
        yield viewer


@asynccontextmanager
async def over_asgi(portal: Portal) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(portal, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as viewer:
        yield viewer
