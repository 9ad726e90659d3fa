"""A fetch, sent to one of its upstream's origins. It brings an answer's head, or raises one of `errors.OriginError`."""

import itertools
from collections.abc import Awaitable
from functools import partial
from urllib.parse import urljoin

import gateway.rules.brought as brought
import gateway.rules.forwarding as forwarding
import gateway.rules.mounting as rules
import gateway.rules.retries as retries
import gateway.rules.surrogates as surrogates
import gateway.rules.trailers as trailers
from fragments.urls import Place
from gateway.errors import BadAnswer, Unreachable
from gateway.exchange import Exchange, Fetch
from gateway.message import Body, Fields, Head, Request, Response, Stream, first, without
from gateway.rules.fields import media_type
from gateway.table import Fragment, Origin
from gateway.transport.base import Transport
from gateway.transport.connection import Coming, Connection, Waiting
from gateway.transport.pool import Pool

REDIRECTS = 3  # a fragment may move inside its upstream; more than that is a loop
_CONDITIONS = (b"if-none-match", b"if-modified-since", b"if-range", b"if-match", b"if-unmodified-since", b"range")


class Forward:
    """Knows the transports by scheme: "http", "https", "file"."""

    def __init__(self, transports: dict[str, Transport]) -> None:
        self._transports = transports
        self._pools = {scheme: each for scheme, each in transports.items() if isinstance(each, Pool)}
        self._turns = itertools.count()

    def send(
        self, exchange: Exchange, fetch: Fetch, *, in_parts: bool = True, begun: Coming | None = None
    ) -> Awaitable[Response]:
        """`in_parts`: a part of the body, if the viewer asks for one, is welcome. `begun` is what `begin` returned."""
        if fetch.fragment is None:
            if len(fetch.upstream.origins) == 1 and type(exchange.request.body) is bytes:
                return self._asked(exchange, fetch, fetch.upstream.origins[0], in_parts, exchange.request.body)
            return self._page(exchange, fetch, in_parts)
        return self._fragment(exchange, fetch, begun)

    def begin(self, exchange: Exchange, fetch: Fetch, waits: Waiting) -> Connection | None:
        """Asks for a fragment at once, where a connection to its origin is idle; `send` goes on from there."""
        origins = fetch.upstream.origins
        origin = origins[0] if len(origins) == 1 else self._turn(origins)
        pool = self._pools.get(origin.scheme)
        if pool is None or fetch.fragment is None:
            return None
        head = fragment_head(exchange, fetch, fetch.fragment, origin)
        request = Request(b"GET", fetch.target, head, id=exchange.id)
        return pool.begin(request, origin, fetch.timeout, waits)

    async def _page(self, exchange: Exchange, fetch: Fetch, in_parts: bool) -> Response:
        viewer = exchange.request
        origins = fetch.upstream.origins
        if len(origins) > 1:
            origins = self._in_turn(origins)
        body = viewer.body
        if isinstance(body, Stream) and fetch.mount is not None and fetch.mount.composes and not viewer.upgrade:
            exchange.form = brought.Form()
            body = Watched(body, exchange.form)
        for origin in origins:
            try:
                return await self._asked(exchange, fetch, origin, in_parts, body)
            except Unreachable as error:
                replayable = isinstance(body, bytes)
                if origin is origins[-1] or not retries.elsewhere(viewer.method, replayable, error.proxy_error):
                    raise
        raise Unreachable(f"Upstream {fetch.upstream.name} has no origin.")

    def _asked(
        self, exchange: Exchange, fetch: Fetch, origin: Origin, in_parts: bool, body: Body
    ) -> Awaitable[Response]:
        """A page or an asset, of this origin."""
        viewer = exchange.request
        hints = None if viewer.hints is None else partial(hinted, viewer, fetch.place)
        head = page_head(exchange, fetch, origin, in_parts)
        request = Request(viewer.method, fetch.target, head, body, id=exchange.id, upgrade=viewer.upgrade, hints=hints)
        return self._transports[origin.scheme].handle_async_request(request, origin, fetch.timeout)

    def _in_turn(self, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
        """All origins, each request beginning with another."""
        start = next(self._turns) % len(origins)
        return origins[start:] + origins[:start]

    def _turn(self, origins: tuple[Origin, ...]) -> Origin:
        return origins[0] if len(origins) == 1 else self._in_turn(origins)[0]

    async def _fragment(self, exchange: Exchange, fetch: Fetch, begun: Coming | None) -> Response:
        fragment = fetch.fragment
        assert fragment is not None
        target = fetch.target
        origin = self._turn(fetch.upstream.origins) if begun is None else begun.origin
        head = fragment_head(exchange, fetch, fragment, origin)
        for _ in range(REDIRECTS + 1):
            request = Request(b"GET", target, head, id=exchange.id)
            if begun is not None:
                response = await self._pools[origin.scheme].finish(begun, request, origin, fetch.timeout)
                begun = None
            else:
                response = await self._transports[origin.scheme].handle_async_request(request, origin, fetch.timeout)
            location = first(response.headers, b"location") if 300 <= response.status < 400 else None
            if location is None or not fetch.follows:
                return response
            if isinstance(response.body, Stream):
                response.body.close()
            target = inside(location, target, origin)
        raise BadAnswer(f"Fragment {fragment.name} redirects more than {REDIRECTS} times.")


class Watched(Stream):
    """A viewer's body on its way to a composing mount, whose page may hold words of it."""

    def __init__(self, body: Stream, form: brought.Form) -> None:
        self._body = body
        self._form = form

    @property
    def length(self) -> int | None:
        return self._body.length

    @property
    def trailers(self) -> Fields:
        return self._body.trailers

    async def read(self) -> bytes:
        chunk = await self._body.read()
        self._form.add(chunk)
        return chunk

    def close(self) -> None:
        self._body.close()


def page_head(exchange: Exchange, fetch: Fetch, origin: Origin, in_parts: bool = True) -> Head:
    """The outgoing fields; for requests that say the same of the same viewer worked out once."""
    request = fetch.seen(exchange.request)
    if isinstance(request.body, Stream) or request.method != b"GET" or not in_parts or exchange.conditions:
        fields = page_fields(exchange, fetch, origin)
        return Head(fields if in_parts else without(fields, b"range", b"if-range"))
    key = (fetch.lane, origin.base, request.peer)
    known: Head | None = request.head.memo.get(key)
    return known or request.head.keep(key, Head(page_fields(exchange, fetch, origin)))


def fragment_head(exchange: Exchange, fetch: Fetch, fragment: Fragment, origin: Origin) -> Head:
    request = fetch.seen(exchange.request)
    key = (fragment.name, exchange.table.number, origin.base, request.peer)
    known: Head | None = request.head.memo.get(key)
    if known is not None:
        return Head([*known.fields, *exchange.conditions]) if exchange.conditions else known
    fields = forwarding.fragment(
        request,
        to=origin.authority,
        headers=fragment.headers,
        cookies=fragment.cookies,
        authority=exchange.authority,
        tag=fetch.place.tag,
    )
    known = request.head.keep(key, Head(fields))
    return Head([*fields, *exchange.conditions]) if exchange.conditions else known


def page_fields(exchange: Exchange, fetch: Fetch, origin: Origin) -> Fields:
    request, mount = fetch.seen(exchange.request), fetch.mount
    fields = forwarding.page(
        request,
        to=origin.authority,
        base=origin.base,
        authority=exchange.authority,
        prefix=fetch.prefix,
        aware=mount is not None and mount.aware != "unaware",
        tag=fetch.place.tag,
        shared=() if mount is None else mount.cookies,
        upgrade=request.upgrade,
    )
    if exchange.conditions:
        fields = [*without(fields, *_CONDITIONS), *exchange.conditions]
        fields = rules.conditions(fields, "" if fetch.lane is None else fetch.lane.rules)
    elif mount is not None and mount.composes and wants_page(request):
        # the page is made of parts: the shell's own validators and ranges say nothing about it
        fields = without(fields, *_CONDITIONS)
    elif b"if-none-match" in request.index or b"if-match" in request.index:
        fields = rules.conditions(fields, "" if fetch.lane is None else fetch.lane.rules)
    if mount is not None and mount.composes:
        fields = surrogates.capable(fields, fetch.upstream.dialects)
    if request.method != b"GET" or b"," in request.index.get(b"range", b""):
        # only GET has parts (RFC 9110 section 14.2), and several at once come in a coat that no editor opens
        fields = without(fields, b"range", b"if-range")
    if trailers.wanted(request.head):
        fields += [(b"te", b"trailers"), (b"connection", b"te")]
    body = request.body
    if isinstance(body, Stream):
        length = body.length
        fields.append((b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length))
    elif request.method in (b"POST", b"PUT", b"PATCH"):
        fields.append((b"content-length", b"0"))
    return fields


def hinted(viewer: Request, place: Place, told: Fields) -> None:
    """What an origin hints at before its answer (RFC 8297), put below its mount; nothing once it is answered."""
    if viewer.hints is not None:
        viewer.hints(rules.answer(told, place))


def wants_page(request: Request) -> bool:
    """Does the viewer ask for a document to show, as far as it says."""
    destination = first(request.headers, b"sec-fetch-dest")
    if destination is not None:
        return destination in (b"document", b"iframe", b"frame")
    return media_type(first(request.headers, b"accept")).startswith("text/html")


def inside(location: bytes, target: bytes, origin: Origin) -> bytes:
    """Where a fragment's redirect leads, as long as it stays on its origin."""
    url = urljoin(origin.url + target.decode("latin-1"), location.decode("latin-1")).partition("#")[0]
    if url != origin.url and not url.startswith((origin.url + "/", origin.url + "?")):
        raise BadAnswer(
            f"A fragment of {origin.url} redirects to another host.", proxy_error="http_response_incomplete"
        )
    rest = url[len(origin.url) :]
    return (rest if rest.startswith("/") else "/" + rest).encode("latin-1")
