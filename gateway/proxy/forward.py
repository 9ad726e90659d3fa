"""A fetch, sent to one of its upstream's origins. It brings an answer's head, or raises one of `errors.OriginError`."""

import itertools
from collections.abc import Awaitable
from urllib.parse import urljoin

import gateway.rules.forwarding as forwarding
import gateway.rules.mounting as rules
import gateway.rules.retries as retries
from gateway.errors import BadAnswer, Unreachable
from gateway.exchange import Exchange, Fetch
from gateway.message import Fields, Head, Request, Response, Stream, first, without
from gateway.rules.fields import media_type
from gateway.table import Fragment, Origin
from gateway.transport.base import Transport

REDIRECTS = 3  # a fragment may move inside its upstream; more than that is a loop
_CONDITIONS = (b"if-none-match", b"if-modified-since", b"if-range", b"if-match", b"if-unmodified-since", b"range")


class Forward:
    """Knows the transports by scheme: "http", "https", "file"."""

    def __init__(self, transports: dict[str, Transport]) -> None:
        self._transports = transports
        self._turns = itertools.count()

    def send(self, exchange: Exchange, fetch: Fetch) -> Awaitable[Response]:
        return self._page(exchange, fetch) if fetch.fragment is None else self._fragment(exchange, fetch)

    async def _page(self, exchange: Exchange, fetch: Fetch) -> Response:
        viewer = exchange.request
        origins = fetch.upstream.origins
        if len(origins) > 1:
            origins = self._in_turn(origins)
        for origin in origins:
            head = page_head(exchange, fetch, origin)
            request = Request(viewer.method, fetch.target, head, viewer.body, extra=[(b"x-request-id", exchange.id)])
            try:
                return await self._transports[origin.scheme].handle_async_request(request, origin, fetch.timeout)
            except Unreachable as error:
                replayable = isinstance(viewer.body, bytes)
                if origin is origins[-1] or not retries.elsewhere(viewer.method, replayable, error.proxy_error):
                    raise
        raise Unreachable(f"Upstream {fetch.upstream.name} has no origin.")

    def _in_turn(self, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
        """All origins, each request beginning with another."""
        start = next(self._turns) % len(origins)
        return origins[start:] + origins[:start]

    async def _fragment(self, exchange: Exchange, fetch: Fetch) -> Response:
        fragment = fetch.fragment
        assert fragment is not None
        target = fetch.target
        origins = fetch.upstream.origins
        origin = origins[0] if len(origins) == 1 else self._in_turn(origins)[0]
        head = fragment_head(exchange, fragment, origin)
        extra = [(b"x-request-id", exchange.id)]
        for _ in range(REDIRECTS + 1):
            request = Request(b"GET", target, head, extra=extra)
            response = await self._transports[origin.scheme].handle_async_request(request, origin, fetch.timeout)
            location = first(response.headers, b"location")
            if location is None or not 300 <= response.status < 400:
                return response
            if isinstance(response.body, Stream):
                response.body.close()
            target = inside(location, target, origin)
        raise BadAnswer(f"Fragment {fragment.name} redirects more than {REDIRECTS} times.")


def page_head(exchange: Exchange, fetch: Fetch, origin: Origin) -> Head:
    """The outgoing fields; for requests that say the same of the same viewer worked out once."""
    request = exchange.request
    if isinstance(request.body, Stream) or request.method != b"GET":
        return Head(page_fields(exchange, fetch, origin))
    key = (fetch.lane, origin.base, request.peer)
    known: Head | None = request.head.memo.get(key)
    return known or request.head.keep(key, Head(page_fields(exchange, fetch, origin)))


def fragment_head(exchange: Exchange, fragment: Fragment, origin: Origin) -> Head:
    request = exchange.request
    key = (fragment.name, exchange.table.number, origin.base, request.peer)
    known: Head | None = request.head.memo.get(key)
    if known is not None:
        return known
    fields = forwarding.fragment(
        request,
        to=origin.authority,
        headers=fragment.headers,
        cookies=fragment.cookies,
        authority=exchange.authority,
    )
    return request.head.keep(key, Head(fields))


def page_fields(exchange: Exchange, fetch: Fetch, origin: Origin) -> Fields:
    request = exchange.request
    fields = forwarding.page(
        request,
        to=origin.authority,
        base=origin.base,
        authority=exchange.authority,
        prefix=fetch.prefix,
        aware=fetch.mount is not None and fetch.mount.aware == "aware",
    )
    if fetch.mount is not None and fetch.mount.composes and wants_page(request):
        # the page is made of parts: the shell's own validators and ranges say nothing about it
        fields = without(fields, *_CONDITIONS)
    elif b"if-none-match" in request.index or b"if-match" in request.index:
        fields = rules.conditions(fields, rules.version(fetch.place))
    body = request.body
    if isinstance(body, Stream):
        length = body.length
        fields.append((b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length))
    elif request.method in (b"POST", b"PUT", b"PATCH"):
        fields.append((b"content-length", b"0"))
    return fields


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
