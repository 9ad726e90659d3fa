"""One request, from what the viewer asks to what it gets: the order in which things happen, and no details."""

import itertools
import os
import time
from collections.abc import Awaitable, Collection, Sequence

import fragments.scope as scope
import gateway.browser.scripts as scripts
import gateway.proxy.failures as failures
import gateway.proxy.scoped as scoped
import gateway.rules.algebra as algebra
import gateway.rules.cookies as cookies
import gateway.rules.fields as fields
import gateway.rules.forwarding as forwarding
import gateway.rules.keys as keys
import gateway.rules.paths as paths
import gateway.rules.rescue as rescue
import gateway.rules.validators as validators
from gateway.errors import GatewayError, MethodRefused, Misdirected, NotFound, ViewerError
from gateway.exchange import Answer, Exchange, Fetch, Lane
from gateway.message import Head, Request, Response, Stream, without
from gateway.proxy.cache import Cache
from gateway.proxy.compose import Composer
from gateway.proxy.forward import Forward, wants_page
from gateway.proxy.mounting import Mounting, edits
from gateway.proxy.scoped import Scoped
from gateway.proxy.straight import Straight
from gateway.recent import Kept
from gateway.rules.forwarding import Network
from gateway.table import Current, Mount, Moved, Table
from gateway.telemetry.facts import Leaked, Served
from gateway.telemetry.log import Teller

LANES = 4096  # public names times mounts that are kept worked out; a stranger's made-up hosts must not add up
TARGETS = 2048  # targets whose way is kept, of at most TARGET bytes each: three megabytes for who asks for made-up ones
TARGET = 512
AUTHORITY = 255 + 6  # bytes of a host name (RFC 1035 section 2.3.4) and a port: it stands in much that is kept
# where a path leads depends on who asks, and may be mended tomorrow
NOT_KEPT = (b"cache-control", b"no-store")
RESCUED = (NOT_KEPT, (b"vary", b"Referer, Sec-Fetch-Site, Sec-Fetch-Dest"))
# sent elsewhere by the cookies that were sent here
MOVED = ((b"vary", b"Cookie"),)
# a resource's path names its bytes
RESOURCE = ((b"cache-control", b"public, max-age=31536000, immutable"), (b"x-content-type-options", b"nosniff"))
SCOPE = scope.PARAMETER.encode()
READS = frozenset({b"GET", b"HEAD"})
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
        early_hints: bool = True,
        access_log: bool = True,
    ) -> None:
        self._current = current
        self._cache = cache
        self._forward = forward
        self._mounting = mounting
        self._composer = Composer(
            cache, self.fetch, Straight(cache, forward, mounting), tell, deadline=deadline, page_bytes=page_bytes
        )
        self._scoped = Scoped(tell)
        self._tell = tell
        self._early_hints = early_hints
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
        exchange.since = self._cache.mark
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
        if request.upgrade:
            return await self._ask(exchange, fetch)  # no page: nothing to keep, nothing to compose
        if fetch.scope:
            return await self._sheet(exchange, fetch)
        ready = self._composer.ready(exchange) if mount.composes else None
        if ready is not None and (mount.prefix or not rescue.unknown(request, ready)):
            return ready
        if mount.composes and self._early_hints:
            self._composer.hint(exchange)
        answer = await self.fetch(exchange, fetch)
        if answer.status == 404 and mount.spa_fallback and request.method in READS and wants_page(request):
            _let_go(answer)
            answer = await self.fetch(exchange, self._fetch(exchange, mount, mount.spa_fallback))
        exchange.note = answer.note
        if not mount.prefix and rescue.unknown(request, answer):
            rescued = self._rescued(exchange)
            if rescued is not None:
                _let_go(answer)
                return rescued
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
        moved = exchange.table.left(path, mount) if exchange.table.moved else None
        if moved is not None:
            path = moved.leads(path)
            leads = path + (b"?" + query if query is not None else b"")
            if not request.upgrade:
                return _moved(exchange, moved, leads)
            request.target = leads  # no WebSocket follows a redirect
            mount = exchange.mount = exchange.table.find(exchange.host, path)
        if mount is None:
            if (rescued := self._rescued(exchange)) is not None:
                return rescued
            raise NotFound(f"No mount owns {path.decode('latin-1')!r}.")
        fetch = self._page(exchange, mount)
        if paths.lacks_slash(path, mount.prefix):
            slashed = path + b"/" + (b"?" + query if query is not None else b"")
            moves = request.method in READS and not request.upgrade  # no WebSocket follows a redirect
            return redirect(slashed) if moves else fetch
        if len(request.target) <= TARGET and not alike(mount):
            self._ways.led.keep((exchange.public, request.target), fetch)
        return fetch

    def _rescued(self, exchange: Exchange) -> Response | None:
        """A path nobody knows, asked for by a page below a mount, is that mount's: sent there, and told."""
        request = exchange.request
        page = rescue.page(request, exchange.public)
        mount = self._mount_of(exchange, page) if page is not None else None
        if page is None or mount is None or not mount.prefix or mount.prefix.startswith(b"/-/"):
            return None
        kind = request.head.index.get(b"sec-fetch-dest", b"")
        self._tell(Leaked(exchange.now, mount.prefix, mount.team, page, request.target, kind))
        return Response(307, [(b"location", mount.prefix + request.target), *RESCUED], b"")

    def _mount_of(self, exchange: Exchange, page: bytes) -> Mount | None:
        """Whose page that is; one that was opened before its application moved is that application's still."""
        mount = exchange.table.find(exchange.host, page)
        moved = exchange.table.left(page, mount) if exchange.table.moved else None
        return mount if moved is None else exchange.table.find(exchange.host, moved.leads(page))

    def fetch(self, exchange: Exchange, fetch: Fetch) -> Awaitable[Answer]:
        """A slot is fetched exactly like a page."""
        return self._cache.answer(exchange, fetch, self._ask)

    async def _ask(self, exchange: Exchange, fetch: Fetch) -> Answer:
        response = await self._forward.send(exchange, fetch)
        if response.status == 206 and exchange.request.method == b"GET" and edits(fetch, response):
            # parts of a body that is edited fit no whole: a server may always send all of it (RFC 9110 section 14.2)
            _let_go(response)
            response = await self._forward.send(exchange, fetch, in_parts=False)
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
        if len(absolute or request.index.get(b"host", b"")) > AUTHORITY:
            raise ViewerError("The request's Host is longer than any host name.")
        authority, doubt = fields.authority(request, absolute)
        if doubt is not None:
            raise ViewerError(doubt)
        if not fields.allowed(authority, self._hosts):
            raise Misdirected(f"Host {authority.decode('latin-1')!r} is not in the setting `hosts`.")
        named = authority, request.scheme + b"://" + authority, fields.hostname(authority)
        return named if absolute is not None else request.head.keep(request.scheme, named)

    def _page(self, exchange: Exchange, mount: Mount) -> Fetch:
        target, name = exchange.request.target, ""
        if SCOPE in target:
            target, name = scoped.picked(target, exchange.table.fragments)
        fetch = self._fetch(exchange, mount, paths.strip(target, mount.prefix))
        fetch.scope = name
        return fetch

    def _fetch(self, exchange: Exchange, mount: Mount, target: bytes) -> Fetch:
        lane = self._lane(exchange, mount)
        upstream = mount.upstream
        if mount.policy is not None and exchange.request.method in READS:
            target = keys.target(target, sort=mount.policy.query.sort, ignore=mount.policy.query.ignore)
        key = keys.limited(lane.key + target)
        return Fetch(upstream, target, key, lane.place, mount.policy, upstream.timeout, lane=lane)

    def _lane(self, exchange: Exchange, mount: Mount) -> Lane:
        key = (exchange.public, mount.prefix)
        lanes = self._ways.lanes
        return lanes.get(key) or lanes.keep(key, Lane(mount, exchange.request.scheme, exchange.authority))

    async def _own(self, exchange: Exchange) -> Response:
        """What the gateway serves of its own, and what has no other address: an upstream without a mount."""
        path, query = paths.split(exchange.request.target)
        if path.startswith(b"/-/browser/"):
            return _resource(path)
        if path.startswith(b"/-/fragment/") and exchange.request.method in READS:
            name = path.removeprefix(b"/-/fragment/").decode("latin-1")
            return await self._composer.alone(exchange, name, query or b"")
        if path.startswith(b"/-/slots/") and exchange.request.method in READS:
            return await self._outline(exchange)
        if path == b"/-/health/live":
            return plain(200, b"live\n")
        if path == b"/-/health/ready":
            ready = not self.draining and bool(self._current.table.mounts)
            return plain(200, b"ready\n") if ready else plain(503, b"not ready\n")
        mount = exchange.mount = exchange.table.find(exchange.host, path)
        if mount is None or not mount.prefix.startswith(b"/-/u/"):
            if (rescued := self._rescued(exchange)) is not None:
                return rescued
            raise NotFound("The gateway has no such page.")
        fetch = self._page(exchange, mount)
        if exchange.request.upgrade:
            return await self._ask(exchange, fetch)
        if fetch.scope:
            return await self._sheet(exchange, fetch)
        return await self.fetch(exchange, fetch)

    async def _sheet(self, exchange: Exchange, fetch: Fetch) -> Response:
        """A style sheet that holds in some slots only; who does not read asks for something of the application's."""
        asked = exchange.request
        if asked.method not in READS:
            assert exchange.mount is not None
            whole = paths.strip(asked.target, exchange.mount.prefix)
            return await self.fetch(exchange, self._fetch(exchange, exchange.mount, whole))
        exchange.request = scoped.whole(asked)
        try:
            answer = await self.fetch(exchange, fetch)
        finally:
            exchange.request = asked
        exchange.note = answer.note
        return await self._scoped.answer(exchange, answer, fetch.scope)

    async def _outline(self, exchange: Exchange) -> Response:
        """What the slots of another page hold, for a viewer that goes there without a load."""
        asked = exchange.request
        exchange.request = algebra.unconditional(asked)
        exchange.request.method = b"GET"
        exchange.request.target = asked.target.removeprefix(b"/-/slots")
        try:
            fetch = self._way(exchange)
            if not isinstance(fetch, Fetch) or fetch.mount is None or not fetch.mount.navigation.soft:
                raise NotFound("This page cannot be gone to softly: load it.")
            exchange.mount = fetch.mount
            return await self._composer.outline(exchange, await self.fetch(exchange, fetch), fetch.mount)
        finally:
            exchange.request = asked

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
        asked = exchange.request.head.index
        if b"if-none-match" in asked:
            return validators.bodiless(response) if validators.not_modified(exchange.request, response) else response
        if b"if-modified-since" in asked and type(response) is Answer and response.status == 200:
            entry = response.entry
            if entry is not None and validators.held(exchange.request, entry.head, entry.stored):
                return validators.bodiless(response)
        return response


def alike(mount: Mount) -> bool:
    """Whether different targets are the same to it, for who reads."""
    return mount.policy is not None and (mount.policy.query.sort or bool(mount.policy.query.ignore))


def _resource(path: bytes) -> Response:
    """What pages load of the gateway's own."""
    own = scripts.OWN.get(path)
    if own is not None:
        return Response(200, [(b"content-type", own[0]), *RESOURCE], own[1])
    name = path.rpartition(b"-")[0]
    for known, (kind, body) in scripts.OWN.items():
        if known.rpartition(b"-")[0] == name:
            # of a page that another version of the gateway sent out: this one's will do, for now
            return Response(200, [(b"content-type", kind), *without(RESOURCE, b"cache-control"), NOT_KEPT], body)
    raise NotFound("The gateway has no such page.")


def redirect(location: bytes) -> Response:
    """308 keeps method and body (RFC 9110 section 15.4.9); short-lived, since a prefix may change tomorrow."""
    location = b"/." + location if location.startswith(b"//") else location  # a path, never another host
    return Response(308, [(b"location", location), (b"cache-control", b"max-age=60")], b"")


def _let_go(response: Response) -> None:
    if isinstance(response.body, Stream):
        response.body.close()


def _moved(exchange: Exchange, moved: Moved, location: bytes) -> Response:
    """To where the application is now, with the cookies it has in this viewer."""
    response = redirect(location)
    carried = exchange.request.head.index.get(b"cookie", b"")
    if exchange.request.method in READS:
        old, new = moved.old.encode(), moved.new.rstrip("/").encode()
        secure = exchange.request.scheme == b"https"
        told = cookies.moved(carried, moved.tag, old, new, secure)
        if told:  # these are one viewer's
            response.head = Head([*without(response.head.fields, b"cache-control"), NOT_KEPT])
        response.extra += [*MOVED, *((b"set-cookie", value) for value in told)]
    return response


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
