"""The pooled, streaming HTTP/1.1 client: connections kept per origin, within limits, timed out, and used again.

It sends what it is given and hands back what came: no cookie jar, no redirects, no environment proxies, no path
normalisation, no added fields.
"""

import asyncio
import ssl
from collections import deque

import gateway.rules.retries as retries
from gateway.errors import BadAnswer, Overloaded, TimedOut, Unreachable
from gateway.message import Request, Response
from gateway.table import Origin
from gateway.transport.base import Transport
from gateway.transport.connection import Coming, Connection, Stale, Waiting
from gateway.transport.known import Familiar
from gateway.transport.landing import Landing
from gateway.transport.resolve import Resolver
from gateway.transport.tunnel import Tunnel

IDLE = 30.0  # seconds a connection is kept unused: under the 60 s of common load balancers, so we close first
SWEEP = 5.0
TUNNELS = 1024  # per origin, apart from its connections: they live for hours, and no page may wait for them
TICK = 0.01  # seconds; how late a timeout may be told
NEVER = float("inf")


class Home:
    """All connections to one origin."""

    __slots__ = (
        "_due",
        "_loop",
        "_timer",
        "all",
        "idle",
        "known",
        "landing",
        "limit",
        "opening",
        "origin",
        "tunnels",
        "waiting",
    )

    def __init__(self, origin: Origin, limit: int, landing: Landing) -> None:
        self.landing = landing
        self._loop = asyncio.get_running_loop()
        self._due = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self.known = Familiar()
        self.origin = origin
        self.limit = limit
        self.idle: list[Connection] = []
        self.all: set[Connection] = set()
        self.opening = 0
        self.tunnels: set[Tunnel] = set()
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()

    def __repr__(self) -> str:
        busy = len(self.all) - len(self.idle)
        lives = f"{busy} busy, {len(self.idle)} idle, {len(self.waiting)} waiting, {len(self.tunnels)} tunnels"
        return f"<Home {self.origin.url}: {lives}>"

    def expects(self, timeout: float) -> float:
        """When an answer is late. One timer for all connections, for the first that may be: each its own costs more."""
        late = self._loop.time() + timeout
        if late < self._due:
            self._look(late)
        return late

    def _look(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        waiting = [connection for connection in self.all if connection.waits]
        for connection in waiting:
            if connection.deadline <= now:
                connection.late()
        self._timer, self._due = None, NEVER
        left = [connection.deadline for connection in waiting if connection.waits]
        if left:
            self._look(max(min(left), now + TICK))

    def release(self, connection: Connection) -> None:
        """The next in line gets it; else it idles, the last one used on top."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        connection.idle_since = 0.0
        self.idle.append(connection)

    def lost(self, connection: Connection) -> None:
        self.all.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self.room()

    def switched(self, connection: Connection, tunnel: Tunnel) -> None:
        self.all.discard(connection)
        self.tunnels.add(tunnel)
        self.room()

    def parted(self, tunnel: Tunnel) -> None:
        self.tunnels.discard(tunnel)

    def room(self) -> None:
        """A place came free: whoever waits may open a connection of their own."""
        while self.waiting and len(self.all) + self.opening < self.limit:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def sweep(self, now: float) -> None:
        """Who is idle is idle from when it is first seen so: to look at the clock for every answer costs more."""
        for connection in list(self.idle):
            if not connection.idle_since:
                connection.idle_since = now
            elif now - connection.idle_since > IDLE:
                self.idle.remove(connection)
                connection.close()
        for connection in list(self.all):
            connection.check(now)
        for tunnel in list(self.tunnels):
            tunnel.check(now)


class Pool:
    """Connections to all HTTP origins of one worker."""

    def __init__(self, resolver: Resolver, limit: int = 256, queue: int = 1024) -> None:
        self._resolver = resolver
        self._limit = limit
        self._queue = queue
        self._landing = Landing()
        self._homes: dict[str, Home] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"<Pool {list(self._homes.values())}>"

    async def handle_async_request(self, request: Request, origin: Origin, timeout: float) -> Response:
        home = self._homes.get(origin.url) or self._open_home(origin)
        if request.upgrade:
            return await self._switch(home, request, timeout)
        connection = home.idle.pop() if home.idle else await self._connection(home, timeout)
        try:
            return await connection.exchange(request, timeout)
        except asyncio.CancelledError:
            connection.close()
            raise
        except Stale:
            if not retries.again(request.method, isinstance(request.body, bytes)):
                raise BadAnswer(
                    f"Origin {origin.url} closed a kept connection as the request was sent.",
                    proxy_error="connection_terminated",
                ) from None
        return await self._again(home, request, timeout)

    def begin(self, request: Request, origin: Origin, timeout: float, waits: Waiting) -> Connection | None:
        """Send at once, where a connection is idle: `waits` is told. `finish` asks again where it was closed."""
        home = self._homes.get(origin.url)
        if home is None or not home.idle:
            return None
        connection = home.idle.pop()
        connection.ask(request, timeout, waits)
        return connection

    async def finish(self, coming: Coming, request: Request, origin: Origin, timeout: float) -> Response:
        try:
            return await coming
        except asyncio.CancelledError:
            coming.give_up()
            raise
        except Stale:
            return await self._again(self._homes.get(origin.url) or self._open_home(origin), request, timeout)

    async def _switch(self, home: Home, request: Request, timeout: float) -> Response:
        """On a connection of its own, which never comes back."""
        if len(home.tunnels) >= TUNNELS:
            raise Overloaded(f"All {TUNNELS} tunnels to {home.origin.url} are in use.")
        if len(home.all) + home.opening >= home.limit:
            freed = home.idle.pop(0) if home.idle else await self._connection(home, timeout)
            if not freed.used:
                return await self._on(freed, request, timeout)
            freed.close()
        return await self._again(home, request, timeout)

    async def _again(self, home: Home, request: Request, timeout: float) -> Response:
        """On a connection nobody used before: that one cannot have gone stale."""
        return await self._on(await self._new(home, timeout), request, timeout)

    async def _on(self, connection: Connection, request: Request, timeout: float) -> Response:
        try:
            return await connection.exchange(request, timeout)
        except asyncio.CancelledError:
            connection.close()
            raise

    async def aclose(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for home in self._homes.values():
            for connection in list(home.all):
                connection.close()
            for tunnel in list(home.tunnels):
                tunnel.close()
        self._homes.clear()
        await asyncio.sleep(0)

    def _open_home(self, origin: Origin) -> Home:
        home = self._homes[origin.url] = Home(origin, self._limit, self._landing)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP, self._sweep)
        return home

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for url, home in list(self._homes.items()):
            home.sweep(loop.time())
            if not home.all and not home.opening and not home.waiting and not home.tunnels:
                del self._homes[url]
        self._sweeper = loop.call_later(SWEEP, self._sweep) if self._homes else None

    async def _connection(self, home: Home, timeout: float) -> Connection:
        """A connection of our own: a new one while there is room, else the first that comes free."""
        if len(home.all) + home.opening < home.limit:
            return await self._new(home, timeout)
        if len(home.waiting) >= self._queue:
            raise Overloaded(f"{self._queue} requests already wait for {home.origin.url}.")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        home.waiting.append(waiter)
        timer = loop.call_later(timeout, _no_room, waiter, home)
        try:
            freed = await waiter
        except asyncio.CancelledError:
            _give_back(home, waiter)
            raise
        finally:
            timer.cancel()
        return freed or await self._new(home, timeout)

    async def _new(self, home: Home, timeout: float) -> Connection:
        """Connects in a task of its own, since who asks may not be one yet."""
        loop = asyncio.get_running_loop()
        home.opening += 1
        made: list[Connection] = []
        opening = loop.create_task(self._connect(home, made))
        late = False

        def give_up() -> None:
            nonlocal late
            late = opening.cancel()

        timer = loop.call_later(timeout, give_up)
        try:
            return await opening
        except asyncio.CancelledError:
            timed_out = opening.cancelled() and late
            opening.cancel()
            for connection in made:  # it may have opened at this very moment, and nobody would know of it
                connection.close()
            if timed_out:
                why = f"No connection to {home.origin.url} in time."
                raise TimedOut(why, proxy_error="connection_timeout") from None
            raise
        finally:
            timer.cancel()
            home.opening -= 1
            home.room()

    async def _connect(self, home: Home, made: list[Connection]) -> Connection:
        """`made` has each connection from its first moment on."""
        origin = home.origin

        def connection() -> Connection:
            made.append(Connection(home))
            return made[-1]

        failure: Exception | None = None
        for address in await self._resolver.addresses(origin.host, origin.port):
            try:
                _, opened = await asyncio.get_running_loop().create_connection(
                    connection,
                    address,
                    origin.port,
                    ssl=self._context() if origin.scheme == "https" else None,
                    server_hostname=origin.host if origin.scheme == "https" else None,
                )
            except ssl.SSLError as error:
                raise Unreachable(
                    f"No TLS with {origin.url}: {error.reason or error}.", proxy_error="tls_protocol_error"
                ) from error
            except OSError as error:
                failure = error
                continue
            home.all.add(opened)
            return opened
        why = getattr(failure, "strerror", None) or failure
        raise Unreachable(f"Origin {origin.url} cannot be reached: {why}. Is it running there?") from failure

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def _no_room(waiter: "asyncio.Future[Connection | None]", home: Home) -> None:
    if not waiter.done():
        waiter.set_exception(Overloaded(f"All {home.limit} connections to {home.origin.url} stayed busy."))


def _give_back(home: Home, waiter: "asyncio.Future[Connection | None]") -> None:
    """Who waited went away; what was handed over meanwhile is not lost."""
    if waiter.done() and not waiter.cancelled() and not waiter.exception() and (freed := waiter.result()):
        home.release(freed)


_: type[Transport] = Pool
