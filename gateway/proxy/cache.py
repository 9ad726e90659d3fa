"""Answers kept and given again: memory first, then the store all gateways share, then the origin.

What may be kept, for how long and under which key is decided in `rules.freshness` and `rules.keys`; this obeys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import assert_never

import gateway.rules.brought as brought
import gateway.rules.freshness as freshness
import gateway.rules.keys as keys
import gateway.rules.surrogates as surrogates
from gateway.errors import OriginError
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Fields, Head, Request, Stream, joined
from gateway.rules.freshness import ABSENT, Bypass, Hit, Lifetime, Miss, Stale, Verdict
from gateway.store.base import Entries, Purge, StoreError
from gateway.store.codec import digest
from gateway.store.memory import Memory
from gateway.telemetry.facts import Noticed
from gateway.telemetry.log import Teller

Ask = Callable[[Exchange, Fetch], Awaitable[Answer]]
FAILED = frozenset({500, 502, 503, 504})  # RFC 5861 section 4
MARKER = 0  # the status of an entry that only says which request fields the real one depends on
NOT_FOR_VIEWERS = frozenset({b"surrogate-key", b"surrogate-control", b"age"})


class Cache:
    """One worker's cache. `shared` may be away at any time: then requests go on without it."""

    def __init__(self, memory: Memory, shared: Entries | None, entry_bytes: int, tell: Teller) -> None:
        self._memory = memory
        self.held = memory.get
        self.lacks = memory.lacks
        self._shared = shared
        self._entry_bytes = entry_bytes
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._refreshing: set[bytes] = set()
        self._away = False

    def __repr__(self) -> str:
        return f"<Cache {self._memory!r}, {len(self._refreshing)} refreshing>"

    @property
    def is_shared(self) -> bool:
        return self._shared is not None

    async def answer(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> Answer:
        """The stored answer if it may be used, else what the origin says, kept if it may be."""
        verdict = self.look(exchange, fetch)
        if verdict is ABSENT and self._shared is not None:
            await self.recall([fetch], exchange.request)
            verdict = self.look(exchange, fetch)
        if verdict is ABSENT:
            return self._kept(exchange, fetch, await ask(exchange, fetch), ABSENT.reason)
        match verdict:
            case Hit():
                return stored(verdict.entry, exchange.now, b"portico; hit; ttl=%d" % verdict.ttl)
            case Stale():
                self._refresh(exchange, fetch, ask)
                return stored(verdict.entry, exchange.now, b"portico; hit; ttl=%d" % verdict.ttl)
            case Miss():
                if verdict.last is not None:
                    return await self._fetched(exchange, fetch, ask, verdict.last)
                return self.taken(exchange, fetch, await ask(exchange, fetch), verdict)
            case Bypass():
                return self.taken(exchange, fetch, await ask(exchange, fetch), verdict)
            case _:
                assert_never(verdict)

    def taken(self, exchange: Exchange, fetch: Fetch, answer: Answer, verdict: Miss | Bypass) -> Answer:
        """What the origin says, kept if it may be. `verdict` is why it was asked, with nothing to fall back on."""
        if type(verdict) is Bypass:
            return passed(fetch, answer, noted(verdict.reason, answer.status, ""))
        return self._kept(exchange, fetch, answer, verdict.reason)

    def look(self, exchange: Exchange, fetch: Fetch) -> Verdict:
        """What memory allows, without waiting."""
        request, fragment, key = exchange.request, fetch.fragment, fetch.key
        if fragment is None:
            reason = bypass(request) or reflected(fetch, request)
            if reason is not None:
                return Bypass(reason)
        elif fragment.headers or fragment.cookies or fragment.composes:
            if fragment.is_personal or (fragment.composes and brought.carries(request)):
                return Bypass("request")
            key = key_of(fetch, request)
        entry = self._memory.get(key)
        if entry is None:
            return ABSENT
        if entry.status == MARKER:
            chosen = keys.variant(key, depends(fetch, entry.head.fields), request.headers)
            entry = self._memory.get(chosen) if chosen != key else None
        return freshness.judge(entry, exchange.now)

    async def recall(self, fetches: Sequence[Fetch], request: Request) -> None:
        """Bring what the shared store has of these into memory, all in one round trip (two where answers vary)."""
        if self._shared is None:
            return
        named = {key_of(fetch, request): fetch for fetch in fetches}
        markers = await self._from_shared(list(named))
        variants = [
            keys.variant(key, depends(named[key], entry.head.fields), request.headers) for key, entry in markers
        ]
        if variants:
            await self._from_shared(variants)

    async def _from_shared(self, wanted: Sequence[bytes]) -> list[tuple[bytes, Entry]]:
        """Into memory; those that are markers come back."""
        assert self._shared is not None
        try:
            found = await asyncio.get_running_loop().create_task(_get(self._shared, wanted))
        except StoreError as error:
            self._notice(error)
            return []
        self._notice(None)
        markers = []
        for key, entry in zip(wanted, found, strict=True):
            if entry is not None:
                self._memory.put(key, entry)
                if entry.status == MARKER:
                    markers.append((key, entry))
        return markers

    def purge(self, purge: Purge) -> int:
        """Forget in this process; the shared store is purged once, by whoever took the order."""
        return self._memory.purge(purge)

    async def purge_shared(self, purge: Purge) -> None:
        if self._shared is not None:
            try:
                await self._shared.purge(purge)
            except StoreError as error:
                self._notice(error)

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fetched(self, exchange: Exchange, fetch: Fetch, ask: Ask, last: Entry) -> Answer:
        """A new answer, or the last one while its origin fails (RFC 5861 section 4)."""
        try:
            response = await ask(exchange, fetch)
        except OriginError as error:
            exchange.error = error
            return stored(last, exchange.now, b"portico; fwd=stale; detail=stale-if-error")
        if response.status in FAILED:
            if isinstance(response.body, Stream):
                response.body.close()
            return stored(last, exchange.now, noted("stale", response.status, "stale-if-error"))
        return self._kept(exchange, fetch, response, "stale")

    def _kept(self, exchange: Exchange, fetch: Fetch, answer: Answer, reason: str) -> Answer:
        cookies = fetch.fragment is None and b"cookie" in exchange.request.head.index
        life = freshness.lifetime(answer, fetch.policy, exchange.now, cookies=cookies)
        if isinstance(life, str):
            return passed(fetch, answer, noted(reason, answer.status, life))
        if exchange.request.method == b"HEAD" and fetch.fragment is None:
            return passed(fetch, answer, noted(reason, answer.status, "head"))  # the body a GET would bring is not here
        body, tags = answer.body, tags_of(fetch, answer.headers)
        passed(fetch, answer, noted(reason, answer.status, ""))
        fields = answer.headers
        if isinstance(body, bytes):
            if len(body) > self._entry_bytes:
                answer.note += b"; detail=too-large"
                return answer
            answer.entry = made(answer.status, fields, body, life, exchange.now, tags)
            answer.note += b"; stored; ttl=%d" % life.fresh
            self._put(fetch, exchange.request, answer.entry)
            return answer

        def keep(whole: bytes) -> None:
            entry = made(answer.status, fields, whole, life, exchange.now, tags)
            self._put(fetch, exchange.request, entry)

        answer.body = Recording(body, self._entry_bytes, keep)
        answer.note += b"; stored"
        return answer

    def _put(self, fetch: Fetch, request: Request, entry: Entry) -> None:
        key, names = key_of(fetch, request), depends(fetch, entry.head.fields)
        if names:
            marker = Entry(MARKER, ((b"vary", b", ".join(names)),), b"", digest(b""), *_times(entry), entry.tags)
            self._store(key, marker)
            key = keys.variant(key, names, request.headers)
        self._store(key, entry)

    def _store(self, key: bytes, entry: Entry) -> None:
        self._memory.put(key, entry)
        if self._shared is not None:
            self._own(_put(self._shared, key, entry, self._notice))

    def _refresh(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> None:
        """One refresh of a key at a time; nobody waits for it, and its failure leaves things as they are."""
        key = key_of(fetch, exchange.request)
        if key in self._refreshing:
            return
        self._refreshing.add(key)
        self._own(self._refreshed(exchange, fetch, ask))

    async def _refreshed(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> None:
        try:
            response = await ask(exchange, fetch)
            if response.status in FAILED:
                return
            answer = self._kept(exchange, fetch, response, "stale")
            if isinstance(answer.body, Stream):
                while await answer.body.read():
                    pass
        except OriginError as error:
            self._tell(Noticed(exchange.now, "cache", f"{fetch!r} could not be refreshed: {error}"))
        finally:
            self._refreshing.discard(key_of(fetch, exchange.request))

    def _own(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _notice(self, error: StoreError | None) -> None:
        """Says once that the shared store went away, and once that it is back."""
        if (error is not None) != self._away:
            self._away = error is not None
            told = f"shared store away, going on without it: {error}" if error else "shared store is back"
            self._tell(Noticed(asyncio.get_running_loop().time(), "cache", told))


class Recording(Stream):
    """A body that passes on as it comes and is kept once it came whole."""

    def __init__(self, body: Stream, limit: int, keep: Callable[[bytes], None]) -> None:
        self._body = body
        self._left = limit
        self._keep = keep
        self._chunks: list[bytes] | None = []

    @property
    def length(self) -> int | None:
        return self._body.length

    @property
    def trailers(self) -> Fields:
        return self._body.trailers

    async def read(self) -> bytes:
        chunk = await self._body.read()
        if self._chunks is not None:
            self._left -= len(chunk)
            if self._left < 0:
                self._chunks = None
            elif chunk:
                self._chunks.append(chunk)
            else:
                chunks, self._chunks = self._chunks, None
                self._keep(b"".join(chunks))
        return chunk

    def close(self) -> None:
        self._body.close()


def key_of(fetch: Fetch, request: Request) -> bytes:
    """What a manifest lets through to a fragment's origin may change the answer, so it stands in the key."""
    fragment = fetch.fragment
    if fragment is None or not fragment.headers:
        return fetch.key
    return keys.variant(fetch.key, sorted(fragment.headers), request.headers)


def depends(fetch: Fetch, fields: Fields) -> tuple[bytes, ...]:
    """The request fields by which an answer was chosen. No fragment's origin is told the codings of a viewer."""
    names = keys.vary(fields)
    return names if fetch.fragment is None else tuple(name for name in names if name != b"accept-encoding")


def bypass(request: Request) -> str | None:
    """Why the cache has no say in a page's request, in the words of RFC 9211 section 2.2 where it has one."""
    if request.method not in (b"GET", b"HEAD"):
        return "method"
    index = request.head.index
    return "request" if b"authorization" in index or b"range" in index else None


def reflected(fetch: Fetch, request: Request) -> str | None:
    """A page that may hold an include tag of this viewer's own words is nobody else's: there it would be the page's."""
    lane = fetch.lane
    return "request" if lane is not None and lane.mount.composes and brought.carries(request) else None


def stored(entry: Entry, now: float, note: bytes) -> Answer:
    answer = Answer(entry.status, entry.head, entry.body, note, entry)
    answer.extra.append((b"age", b"%d" % max(0, now - entry.stored)))
    return answer


def made(status: int, fields: Fields, body: bytes, life: Lifetime, now: float, tags: tuple[str, ...]) -> Entry:
    fresh = now + life.fresh
    times = (now - life.age, fresh, fresh + life.revalidate, fresh + life.error)
    return Entry(status, tuple(fields), body, digest(body), *times, tags)


def passed(fetch: Fetch, answer: Answer, note: bytes) -> Answer:
    """An answer of an origin as viewers may see it, with what became of it here. What it says to the composer stays."""
    if not NOT_FOR_VIEWERS.isdisjoint(answer.head.index):
        hidden = NOT_FOR_VIEWERS
        if fetch.lane is not None and fetch.lane.mount.composes:
            hidden -= {surrogates.CONTROL}
        answer.head = Head([field for field in answer.head.fields if field[0] not in hidden])
    answer.note = note
    return answer


@lru_cache(maxsize=1024)
def noted(reason: str, status: int, detail: str) -> bytes:
    """Cache-Status of an answer that came from its origin and was not kept (RFC 9211 section 2)."""
    note = f"portico; fwd={reason}; fwd-status={status}"
    return (f"{note}; detail={detail}" if detail else note).encode()


def tags_of(fetch: Fetch, fields: Fields) -> tuple[str, ...]:
    """The manifest's tags, the origin's Surrogate-Key, and the names every entry answers to: its team and URL."""
    declared = fetch.policy.tags if fetch.policy is not None else []
    said = joined(fields, b"surrogate-key").decode("latin-1").replace(",", " ").split()
    own = (f"team:{fetch.team}", f"url:{fetch.url.decode('latin-1')}")
    return (*dict.fromkeys([*declared, *said[:64]]), *own)


def _times(entry: Entry) -> tuple[float, float, float, float]:
    return entry.stored, entry.fresh, entry.revalidate, entry.error


async def _get(shared: Entries, wanted: Sequence[bytes]) -> list[Entry | None]:
    return await shared.get(wanted)


async def _put(shared: Entries, key: bytes, entry: Entry, notice: Callable[[StoreError | None], None]) -> None:
    try:
        await shared.put(key, entry, entry.stored)
    except StoreError as error:
        notice(error)
