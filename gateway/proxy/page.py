"""A composed page on its way out: put together and kept while its parts stand, or streamed part after part."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import fragments.nonces as nonces
import gateway.rules.algebra as algebra
import gateway.rules.coding as coding
import gateway.rules.forwarding as forwarding
import gateway.rules.mounting as mounting
from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.plan import Plan
from fragments.stitch import Filling
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Fields, Head, Response, Stream, without
from gateway.proxy.composition import Composition, Filled
from gateway.rules.algebra import Lasting
from gateway.table import Mount

Held = Callable[[bytes], Entry | None]
NONCE = 16  # bytes of randomness: 128 bits, as CSP asks (section 7.1)
READS = frozenset({b"GET", b"HEAD"})
KEPT = frozenset({200, 204})  # of a part, for its page to be kept; 204 is an empty slot


class Page:
    """A page put together, and what it was made of: it stands while every part is still held and fresh."""

    __slots__ = ("_fields", "_fresh", "_head", "_lasting", "_made", "_parts", "_status", "_table", "_timings", "body")

    def __init__(self, exchange: Exchange, status: int, fields: Fields, body: bytes, lasting: Lasting) -> None:
        self._fields = fields
        self._lasting = lasting
        self._status = status
        self.body = body
        self._timings = exchange.timings
        self._table = exchange.table
        self._made = exchange.now

    def rests_on(self, parts: Iterable[tuple[Fetch | None, Entry | None]], fresh: float, held: Held) -> bool:
        """These are its parts, all of them `fresh` until then; False when the cache does not hold one of them.

        Each has to be there as this very answer, under its plain key.
        """
        self._fresh = fresh
        self._parts: list[tuple[bytes, Entry]] = []
        for fetch, entry in parts:
            if fetch is None or entry is None or entry.status not in KEPT or held(fetch.key) is not entry:
                return False
            if fetch.fragment is not None and fetch.fragment.is_personal:
                return False
            self._parts.append((fetch.key, entry))
        self._head = Head(without(self._fields, b"cache-control"))
        return True

    def stands(self, exchange: Exchange, held: Held) -> bool:
        if exchange.now >= self._fresh or exchange.table is not self._table:
            return False
        for key, entry in self._parts:  # noqa: SIM110  every page goes through here; a generator costs twice as much
            if held(key) is not entry:
                return False
        return True

    def response(self, exchange: Exchange) -> Response:
        response = Response(self._status, self._head, self.body)
        response.extra.append((b"cache-control", self._lasting.after(exchange.now - self._made)))
        exchange.timings = self._timings
        exchange.note = b"portico; hit; ttl=%d" % (self._fresh - exchange.now)
        return response


class Again(NamedTuple):
    """What a page was of which nothing is kept. It goes out as it did, while all is as it was but for the times.

    That is seen by identity: an answer that comes again to the byte is made into the very same (`transport.known`).
    `timed` is its Server-Timing, less the milliseconds.
    """

    mount: Mount | None
    shell: Head
    status: int
    filled: Sequence[Filled]
    timed: bytes
    head: Head

    @staticmethod
    def may_be(work: Composition, filled: Sequence[Filled]) -> bool:
        asked = work.exchange.request.method in READS and not work.status
        return asked and all(each.entry is None and each.outcome == "miss" and not each.beneath for each in filled)

    def is_of(self, work: Composition, shell: Answer, filled: Sequence[Filled]) -> bool:
        """The plan is the same already."""
        exchange = work.exchange
        if shell.head is not self.shell or shell.status != self.status or exchange.mount is not self.mount:
            return False
        if work.status or exchange.request.method not in READS:
            return False
        for one, other in zip(filled, self.filled, strict=True):
            if one.filling is not other.filling or one.part is not other.part or one.outcome != "miss":
                return False
        return True


class Stitched:
    """A page's bytes and their name, what they were made of, and the head they went out with."""

    __slots__ = ("_head", "again", "body", "etag", "fillings", "more", "plan")

    def __init__(
        self, plan: Plan, fillings: list[Filling], more: tuple[HeadItem, ...], etag: bytes, body: bytes
    ) -> None:
        self.plan = plan
        self.fillings = fillings
        self.more = more
        self.etag = etag
        self.body = body
        self.again: Again | None = None
        self._head = Head([])

    def head(self, fields: Fields) -> Head:
        """These fields as a head, most often that of the last time."""
        if self._head.fields != fields:
            self._head = Head(fields)
        return self._head


class Nonce:
    """What lets scripts and sheets into one answer. Pieces carry it; where the shell was kept, it is a new one."""

    __slots__ = ("_old", "_spelled", "now")

    def __init__(self, shell: Answer, told: Sequence[bytes], literals: Iterable[bytes]) -> None:
        self.now = told[0]
        self._old = [nonce for nonce in told if algebra.unguessable(nonce)] if shell.entry is not None else []
        self._spelled = None
        if self._old:
            self.now = secrets.token_urlsafe(NONCE).encode()
            spelled = algebra.spelled(self._old)
            self._spelled = spelled if any(map(spelled.search, literals)) else None

    def fields(self, fields: Fields) -> Fields:
        """For one viewer, once: a kept nonce is no secret, and a 304 would name another than the page has."""
        return mounting.personal(algebra.renewed(fields, self._old, self.now) if self._old else fields)

    def on(self, filling: Filling) -> Filling:
        return nonces.fitted(filling, self.now) if type(filling) is Fitted else filling

    def on_items(self, items: tuple[HeadItem, ...]) -> tuple[HeadItem, ...]:
        return tuple(nonces.item(each, self.now) for each in items)

    def over(self, parts: list[bytes]) -> list[bytes]:
        """What is sent, less what was kept."""
        return parts if self._spelled is None else [self._spelled.sub(self.now, part) for part in parts]


def nonce_of(shell: Answer, literals: Iterable[bytes]) -> Nonce | None:
    """None where the shell's policies go by none, as most do."""
    index = shell.index
    if b"content-security-policy" not in index and b"content-security-policy-report-only" not in index:
        return None
    told = algebra.nonces(shell.head.fields)
    return Nonce(shell, told, literals) if told else None


class More(Protocol):
    """What follows: the next parts, None at the end."""

    async def __call__(self) -> list[bytes] | None: ...

    def give_up(self) -> None: ...


class Parts(Stream):
    """A page's parts as they come. The first read has everything that was there at once."""

    costly = True

    def __init__(self, opening: list[bytes], more: More) -> None:
        self._parts: list[bytes] | None = opening
        self._more = more

    async def parts(self) -> list[bytes]:
        """The next parts, none at the end."""
        while self._parts is not None and not any(self._parts):
            self._parts = await self._more()
        parts, self._parts = self._parts or [], [] if self._parts is not None else None
        return parts

    async def read(self) -> bytes:
        return b"".join(await self.parts())

    def close(self) -> None:
        self._more.give_up()


class Zipped(Stream):
    """The same page as one gzip stream, each part's deflate made once and joined."""

    costly = True

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


def packed(parts: list[bytes], zipped: bool) -> bytes:
    """All parts as one body."""
    return coding.joined_gzip(parts) if zipped else b"".join(parts)
