"""A composed page on its way out: put together and kept while its parts stand, or streamed part after part."""

from collections.abc import Awaitable, Callable

import gateway.rules.algebra as algebra
import gateway.rules.coding as coding
import gateway.rules.forwarding as forwarding
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Fields, Head, Response, Stream

Held = Callable[[bytes], Entry | None]


class Page:
    """A page put together, and what it was made of: it stands while every part is still held and fresh."""

    __slots__ = ("_body", "_fresh", "_head", "_parts", "_scope", "_status", "_table", "_timings")

    def __init__(self, exchange: Exchange, shell: Answer, fields: Fields, body: bytes, fresh: float) -> None:
        scope, _, age = dict(fields)[b"cache-control"].partition(b", max-age=")
        self._scope = scope if age else b""
        self._head = Head([field for field in fields if field[0] != b"cache-control"] if age else fields)
        self._status = shell.status
        self._body = body
        self._timings = exchange.timings
        self._table = exchange.table
        self._fresh = min(fresh, shell.entry.fresh if shell.entry is not None else 0.0)
        self._parts: list[tuple[bytes, Entry]] = []

    def rests_on(self, fetch: Fetch, held: Held) -> bool:
        """Adds a part; False when the cache does not hold it under its plain key."""
        entry = held(fetch.key)
        if entry is None or entry.status != 200 or (fetch.fragment is not None and fetch.fragment.is_personal):
            return False
        self._parts.append((fetch.key, entry))
        return True

    def stands(self, exchange: Exchange, held: Held) -> bool:
        if exchange.now >= self._fresh or exchange.table is not self._table:
            return False
        for key, entry in self._parts:  # noqa: SIM110  every page goes through here; a generator costs twice as much
            if held(key) is not entry:
                return False
        return True

    def response(self, exchange: Exchange) -> Response:
        response = Response(self._status, self._head, self._body)
        left = self._fresh - exchange.now
        if self._scope:
            response.extra.append((b"cache-control", algebra.shared(self._scope, left)))
        exchange.timings = self._timings
        exchange.note = b"portico; hit; ttl=%d" % left
        return response


class Parts(Stream):
    """A page's parts as they come. The first read has everything that was there at once."""

    def __init__(
        self,
        opening: list[bytes],
        waiting: list[int],
        rest: Callable[[int], Awaitable[list[bytes]]],
        give_up: Callable[[], None],
    ) -> None:
        self._parts = opening
        self._waiting = waiting
        self._rest = rest
        self._give_up = give_up

    async def parts(self) -> list[bytes]:
        """The next parts, none at the end."""
        while self._waiting and not any(self._parts):
            self._parts = await self._rest(self._waiting.pop(0))
        parts, self._parts = self._parts, []
        return parts

    async def read(self) -> bytes:
        return b"".join(await self.parts())

    def close(self) -> None:
        self._waiting.clear()
        self._give_up()


class Zipped(Stream):
    """The same page as one gzip stream, each part's deflate made once and joined."""

    def __init__(self, page: Parts) -> None:
        self._page = page
        self._joint: coding.Joint | None = coding.Joint()

    async def read(self) -> bytes:
        if self._joint is None:
            return b""
        parts = await self._page.parts()
        if parts:
            return self._joint.add(parts)
        end, self._joint = self._joint.end(), None
        return end

    def close(self) -> None:
        self._page.close()


def zips(exchange: Exchange) -> bool:
    value = exchange.request.index.get(b"accept-encoding")
    return value is not None and forwarding.accepts(value, b"gzip")
