"""One request, from what the viewer asks to what it gets: the order in which things happen, and no details."""

import itertools
import os
import time
from collections.abc import Awaitable, Collection, Sequence

import gateway.proxy.failures as failures
import gateway.rules.fields as fields
import gateway.rules.forwarding as forwarding
import gateway.rules.paths as paths
import gateway.rules.validators as validators
from gateway.errors import GatewayError, MethodRefused, Misdirected, NotFound, ViewerError
from gateway.exchange import Answer, Exchange, Fetch, Lane
from gateway.message import Request, Response
from gateway.proxy.cache import Cache
from gateway.proxy.compose import Composer
from gateway.proxy.forward import Forward
from gateway.proxy.mounting import Mounting
from gateway.recent import Kept
from gateway.rules.forwarding import Network
from gateway.table import Current, Mount, Table
from gateway.telemetry.facts import Served
from gateway.telemetry.log import Teller

LANES = 4096  # public names times mounts that are kept worked out; a stranger's made-up hosts must not add up
TARGETS = 2048  # targets whose way is kept, of at most TARGET bytes each: three megabytes for who asks for made-up ones
TARGET = 512
REFUSED_METHODS = frozenset({b"CONNECT", b"TRACE"})


class Ways:
    """What is worked out once under one table: the lanes, and where targets led, by public name."""

    __slots__ = ("lanes", "led", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.lanes: Kept[tuple[bytes, bytes], Lane] = Kept(LANES)
        self.led: Kept[tuple[bytes, bytes], Fetch] = Kept(TARGETS)


class Flow:
    """Serves requests from the current table."""

    def __init__(
        self,
        current: Current,
        cache: Cache,
        forward: Forward,
        mounting: Mounting,
        tell: Teller,
        *,
        hosts: Collection[str] = (),
        trusted: Sequence[Network] = (),
        deadline: float = 3.0,
        page_bytes: int = 4 << 20,
        access_log: bool = True,
    ) -> None:
        self._current = current
        self._cache = cache
        self._forward = forward
        self._mounting = mounting
        self._composer = Composer(cache, self.fetch, tell, deadline=deadline, page_bytes=page_bytes)
        self._tell = tell
        self._access_log = access_log
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._trusted = trusted
        self._ways = Ways(current.table)
        self._ids = map(b"%b%08x".__mod__, zip(itertools.repeat(os.urandom(6).hex().encode()), itertools.count(1)))
        self._time = time.monotonic
        self.draining = False

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def serve(self, request: Request) -> Response:
        """Every request has an answer; what fails is told in it and in one fact."""
        exchange = Exchange(request, self._current.table, next(self._ids), self.now(), self._time())
        try:
            response = await self._answer(exchange)
        except GatewayError as error:
            exchange.error = error
            response = failures.response(error, exchange)
        except Exception as defect:
            exchange.error = GatewayError(f"A defect of the gateway: {type(defect).__name__}: {defect}")
            exchange.error.__cause__ = defect
            response = failures.response(exchange.error, exchange)
        return self._finish(exchange, response)

    async def _answer(self, exchange: Exchange) -> Response:
        request = exchange.request
        self._identify(exchange)
        if exchange.table is not self._ways.table:
            self._ways = Ways(exchange.table)
        fetch = self._ways.led.get((exchange.public, request.target)) or self._way(exchange)
        if not isinstance(fetch, Fetch):
            return fetch or await self._own(exchange)
        assert fetch.lane is not None
        mount = exchange.mount = fetch.lane.mount
        ready = self._composer.ready(exchange) if mount.composes else None
        if ready is not None:
            return ready
        answer = await self.fetch(exchange, fetch)
        exchange.note = answer.note
        if mount.composes:
            return await self._composer.compose(exchange, fetch, answer)
        return answer

    def _way(self, exchange: Exchange) -> Fetch | Response | None:
        """Where a target leads under this table: to a page, elsewhere, or (None) to the gateway itself."""
        request = exchange.request
        doubt = paths.refusal(request.target)
        if doubt is not None:
            raise ViewerError(doubt)
        path, query = paths.split(request.target)
        if path.startswith(b"/-/"):
            return None
        mount = exchange.mount = exchange.table.find(exchange.host, path)
        home = exchange.table.new_home(path, mount) if exchange.table.moved else None
        if home is not None:
            return redirect((home or b"/") + (b"?" + query if query is not None else b""))
        if mount is None:
            raise NotFound(f"No mount owns {path.decode('latin-1')!r}.")
        fetch = self._page(exchange, mount)
        if paths.lacks_slash(path, mount.prefix):
            slashed = path + b"/" + (b"?" + query if query is not None else b"")
            return redirect(slashed) if request.method in (b"GET", b"HEAD") else fetch
        if len(request.target) <= TARGET:
            self._ways.led.keep((exchange.public, request.target), fetch)
        return fetch

    def fetch(self, exchange: Exchange, fetch: Fetch) -> Awaitable[Answer]:
        """A slot is fetched exactly like a page."""
        return self._cache.answer(exchange, fetch, self._ask)

    async def _ask(self, exchange: Exchange, fetch: Fetch) -> Answer:
        response = await self._forward.send(exchange, fetch)
        return self._mounting.untouched(exchange, fetch, response) or await self._mounting.edited(fetch, response)

    def _identify(self, exchange: Exchange) -> None:
        """Who asks, for whom, for what; or why not."""
        request = exchange.request
        absolute = None
        if not request.target.startswith(b"/"):
            request.target, absolute = paths.origin_form(request.target)
        if self._trusted:
            forwarding.believe(request, self._trusted)
        known = request.head.memo.get(request.scheme) if absolute is None else None
        exchange.authority, exchange.public, exchange.host = known or self._named(request, absolute)
        if request.method in REFUSED_METHODS:
            raise MethodRefused(f"{request.method.decode()} is not for a portal.")

    def _named(self, request: Request, absolute: bytes | None) -> tuple[bytes, bytes, bytes]:
        """Authority, public origin and host a request is for; kept with the head that says so."""
        authority, doubt = fields.authority(request, absolute)
        if doubt is not None:
            raise ViewerError(doubt)
        if not fields.allowed(authority, self._hosts):
            raise Misdirected(f"Host {authority.decode('latin-1')!r} is not in the setting `hosts`.")
        named = authority, request.scheme + b"://" + authority, fields.hostname(authority)
        return named if absolute is not None else request.head.keep(request.scheme, named)

    def _page(self, exchange: Exchange, mount: Mount) -> Fetch:
        lane = self._lane(exchange, mount)
        target = paths.strip(exchange.request.target, mount.prefix)
        upstream = mount.upstream
        return Fetch(upstream, target, lane.key + target, lane.place, mount.policy, upstream.timeout, lane=lane)

    def _lane(self, exchange: Exchange, mount: Mount) -> Lane:
        key = (exchange.public, mount.prefix)
        lanes = self._ways.lanes
        return lanes.get(key) or lanes.keep(key, Lane(mount, exchange.request.scheme, exchange.authority))

    async def _own(self, exchange: Exchange) -> Response:
        """What the gateway serves of its own, and what has no other address: an upstream without a mount."""
        path, _ = paths.split(exchange.request.target)
        if path == b"/-/health/live":
            return plain(200, b"live\n")
        if path == b"/-/health/ready":
            ready = not self.draining and bool(self._current.table.mounts)
            return plain(200, b"ready\n") if ready else plain(503, b"not ready\n")
        mount = exchange.mount = exchange.table.find(exchange.host, path)
        if mount is None or not mount.prefix.startswith(b"/-/u/"):
            raise NotFound("The gateway has no such page.")
        return await self.fetch(exchange, self._page(exchange, mount))

    def _finish(self, exchange: Exchange, response: Response) -> Response:
        seconds = self._time() - exchange.started
        extra = response.extra
        extra.append((b"x-request-id", exchange.id))
        if exchange.note:
            extra.append((b"cache-status", exchange.note))
        if exchange.timings:
            extra.append((b"server-timing", exchange.timings + b", total;dur=%.1f" % (seconds * 1000)))
        if self._access_log:
            self._tell(fact(exchange, response.status, seconds))
        if b"if-none-match" in exchange.request.head.index and validators.not_modified(exchange.request, response):
            return validators.bodiless(response)
        return response


def redirect(location: bytes) -> Response:
    """308 keeps method and body (RFC 9110 section 15.4.9); short-lived, since a prefix may change tomorrow."""
    return Response(308, [(b"location", location), (b"cache-control", b"max-age=60")], b"")


def plain(status: int, body: bytes) -> Response:
    return Response(status, [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")], body)


def fact(exchange: Exchange, status: int, seconds: float) -> Served:
    mount = exchange.mount
    return Served(
        exchange.id,
        exchange.now,
        exchange.request.method,
        exchange.request.target,
        status,
        seconds,
        mount.team if mount is not None else "",
        mount.prefix if mount is not None else None,
        exchange.note,
        str(exchange.error) if exchange.error is not None else "",
    )
