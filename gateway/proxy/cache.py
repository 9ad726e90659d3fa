"""Answers kept and given again: memory first, then the store all gateways share, then the origin.

What may be kept, for how long and under which key is decided in `rules.freshness` and `rules.keys`; this obeys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import assert_never

import gateway.rules.brought as brought
import gateway.rules.freshness as freshness
import gateway.rules.keys as keys
import gateway.rules.noting as noting
import gateway.rules.purges as purges
from gateway.errors import NotKept, OriginError
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Request, Stream
from gateway.proxy.entries import (
    Recording,
    asked_of,
    bypass,
    depends,
    key_of,
    made,
    passed,
    reflected,
    shared_note,
    stored,
    tags_of,
    times_of,
    unstored,
    with_cookies,
)
from gateway.proxy.flights import PATIENCE, Flight, Flights
from gateway.proxy.purged import Mark, Purged
from gateway.rules.freshness import ABSENT, Bypass, Hit, Miss, Stale, Unmet, Verdict
from gateway.rules.noting import noted
from gateway.store.base import Claim, Entries, Purge, StoreError, StoreRefused
from gateway.store.codec import digest
from gateway.store.memory import Memory, softened
from gateway.telemetry.facts import Noticed
from gateway.telemetry.log import Teller

Ask = Callable[[Exchange, Fetch], Awaitable[Answer]]
FAILED = frozenset({500, 502, 503, 504})  # RFC 5861 section 4
OTHERS = 1.0  # seconds another gateway's answer is waited for: it may be gone, and its claim with it only later
GRACE = 1.0  # seconds beyond a fetch's timeout that a claim is held: who holds it does not come back late
STALE = noting.forwarded("stale", detail="stale-if-error")
STALE_FOR_ALL = noting.forwarded("stale", collapsed=True, detail="stale-if-error")
MARKER = 0  # the status of an entry that only says which request fields the real one depends on


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
        self._flights = Flights()
        self._purged = Purged()
        self._variants = keys.Variants()
        self._claims: dict[bytes, Claim] = {}
        self._away = False
        if shared is not None:
            shared.listen(self._changed)

    def __repr__(self) -> str:
        return f"<Cache {self._memory!r}, {len(self._refreshing)} refreshing>"

    @property
    def is_shared(self) -> bool:
        return self._shared is not None

    async def answer(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> Answer:
        """The stored answer if it may be used, else what the origin says, kept if it may be."""
        verdict = self.look(exchange, fetch)
        if verdict is ABSENT and self._flights.is_lone(fetch.key, exchange.now):
            return self.taken(exchange, fetch, await ask(exchange, fetch), ABSENT)
        if self._shared is not None and (verdict is ABSENT or type(verdict) is Unmet):
            await self.recall([fetch], exchange.request)
            verdict = self.look(exchange, fetch)
        match verdict:
            case Hit():
                return stored(verdict.entry, exchange.now, noting.hit(verdict.ttl))
            case Stale():
                self._refresh(exchange, fetch, ask)
                return stored(verdict.entry, exchange.now, noting.hit(verdict.ttl))
            case Miss():
                return await self._missed(exchange, fetch, ask, verdict)
            case Bypass():
                answer = self.taken(exchange, fetch, await ask(exchange, fetch), verdict)
                if verdict.reason == "method":
                    self._changed_by(exchange, fetch, answer)
                return answer
            case Unmet():
                raise NotKept("The viewer takes only what is kept, and nothing is.")
            case _:
                assert_never(verdict)

    async def _missed(self, exchange: Exchange, fetch: Fetch, ask: Ask, verdict: Miss) -> Answer:
        """Of many who miss the same at once, one asks; the others have what comes, if it is for all."""
        if exchange.request.method == b"HEAD" and fetch.fragment is None:
            return await self._asked(exchange, fetch, ask, verdict)  # brings no body that others could be given
        key = self._chosen(fetch, exchange.request)
        if self._flights.is_lone(key, exchange.now):
            return await self._asked(exchange, fetch, ask, verdict)
        while (flight := self._flights.get(key, exchange.since[0])) is not None:
            if not await flight.landed(min(fetch.timeout, PATIENCE)) or flight.lone:
                return await self._asked(exchange, fetch, ask, verdict)
            if flight.entry is not None:
                return stored(flight.entry, exchange.now, STALE_FOR_ALL)
            if flight.error is not None:
                raise flight.error
            found = self.look(exchange, fetch)
            if isinstance(found, Hit | Stale):
                return stored(found.entry, exchange.now, shared_note(verdict, found))
            key = self._chosen(fetch, exchange.request)
        return await self._led(exchange, fetch, ask, verdict, self._flights.begin(key, exchange.since[0]), key)

    async def _led(
        self, exchange: Exchange, fetch: Fetch, ask: Ask, verdict: Miss, flight: Flight, key: bytes
    ) -> Answer:
        """Asks for all who wait, here and at other gateways."""
        try:
            if self._shared is not None and not await self._claim(fetch, key):
                found = self.look(exchange, fetch)
                if isinstance(found, Hit | Stale):
                    flight.end()
                    return stored(found.entry, exchange.now, shared_note(verdict, found))
            answer = await self._asked(exchange, fetch, ask, verdict)
        except OriginError as error:
            self._let_go(flight, key)
            flight.fails(error)
            raise
        except BaseException:
            self._let_go(flight, key)
            raise
        if isinstance(answer.body, Recording):
            answer.body.ended = partial(self._let_go, flight, key)
        elif answer.entry is None or answer.entry.fresh <= exchange.now < answer.entry.revalidate + 1:
            flight.is_lone(exchange.now)
            self._let_go(flight, key)
        else:
            if answer.entry is verdict.last:
                flight.entry = answer.entry
            self._let_go(flight, key)
        return answer

    def _let_go(self, flight: Flight, key: bytes) -> None:
        """The fetch is over. A claim that no entry was written under is given back."""
        flight.end()
        claim = self._claims.pop(key, None)
        if claim is not None and self._shared is not None:
            self._own(_yield(self._shared, claim, self._notice))

    async def _claim(self, fetch: Fetch, key: bytes) -> bool:
        """Whether it is for this process to ask; else another gateway did, and what it brought is in memory."""
        assert self._shared is not None
        task = asyncio.get_running_loop().create_task
        patience = min(fetch.timeout, OTHERS)
        try:
            claim = await task(_claimed(self._shared, key, fetch.timeout + GRACE))
            if claim is None:
                entry = await task(_awaited(self._shared, key, patience))
                entry = None if entry is None else self._unpurged(entry)
                if entry is not None:
                    self._memory.put(key, entry)
                    return False
                claim = await task(_claimed(self._shared, key, fetch.timeout + GRACE))
            if claim is not None:
                self._claims[key] = claim
                (entry,) = await task(_get(self._shared, [key]))  # whoever held it may have brought it just before
                entry = None if entry is None else self._unpurged(entry)
                if entry is not None and entry.status != MARKER:
                    self._memory.put(key, entry)
                    return False
        except StoreError as error:
            self._notice(error)
        return True

    async def _asked(self, exchange: Exchange, fetch: Fetch, ask: Ask, verdict: Miss) -> Answer:
        """A new answer, or that the known one still holds; the last one while its origin fails (RFC 5861 section 4)."""
        try:
            answer = await self._current(exchange, fetch, ask, verdict)
        except OriginError as error:
            if verdict.last is None:
                raise
            exchange.error = error
            return stored(verdict.last, exchange.now, STALE)
        if answer.status in FAILED and verdict.last is not None:
            if isinstance(answer.body, Stream):
                answer.body.close()
            return stored(verdict.last, exchange.now, noted(verdict.reason, answer.status, "stale-if-error"))
        return answer if answer.entry is not None else self.taken(exchange, fetch, answer, verdict)

    async def _current(self, exchange: Exchange, fetch: Fetch, ask: Ask, verdict: Miss) -> Answer:
        """What the origin says; of what is known it is asked only whether that still holds (RFC 9111 section 4.3)."""
        known = verdict.known
        if known is None or exchange.request.method != b"GET":
            return await ask(exchange, fetch)
        answer = await ask(exchange.again(exchange.request, freshness.conditions(known)), fetch)
        if answer.status != 304:
            return answer
        entry = freshness.revalidated(
            known,
            answer.head,
            fetch.policy,
            exchange.now,
            since=exchange.since[1],
            cookies=with_cookies(exchange, fetch),
            narrowed=fetch.narrows,
        )
        if entry is None:
            return await ask(exchange, fetch)
        if not entry.expires:  # it may be kept no longer: for who asked, and that is all
            self._memory.forget(self._chosen(fetch, exchange.request))
            return Answer(entry.status, entry.head, entry.body)
        if not self._purged.names(entry.tags, exchange.since):
            self._put(fetch, exchange.request, entry)
        fresh = max(0.0, entry.fresh - exchange.now)
        told = stored(entry, exchange.now, noting.forwarded(verdict.reason, 304, ttl=fresh, stored=True))
        told.extra += [field for field in answer.headers if field[0] == b"set-cookie"]  # this viewer's, and not kept
        return told

    def _changed_by(self, exchange: Exchange, fetch: Fetch, answer: Answer) -> None:
        """What an unsafe request changed is not used any more (RFC 9111 section 4.4)."""
        request = exchange.request
        paths = purges.invalidates(
            request.method, answer.status, request.target, answer.head, public=exchange.public, prefix=fetch.prefix
        )
        query = None if fetch.policy is None else fetch.policy.query
        for path in paths:
            if query is not None:
                path = keys.target(path, sort=query.sort, ignore=query.ignore)
            self.purge(Purge("url", path.decode("latin-1"), self._purged.mark[1]), exchange.now)
        if paths and self._shared is not None:
            self._own(_forget(self._shared, [fetch.key], self._notice))

    def _chosen(self, fetch: Fetch, request: Request) -> bytes:
        """The key of the variant that this request gets, as far as is known which fields choose it."""
        key = key_of(fetch, request)
        entry = self._memory.get(key)
        if entry is None or entry.status != MARKER:
            return key
        return keys.variant(key, depends(fetch, entry.head.fields), fetch.seen(request).headers)

    def is_lone(self, exchange: Exchange, fetch: Fetch) -> bool:
        """Whether what comes is for this viewer only, as far as anyone knows, and nobody need wait for it."""
        return self._flights.is_lone(fetch.key, exchange.now)

    def _changed(self, names: Sequence[bytes] | None) -> None:
        """Somebody else wrote or deleted these; None is all of them."""
        if names is None:
            self._memory.clear()
        else:
            for name in names:
                self._memory.forget(name)

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
            if fetch.narrows:
                key = key_of(fetch, request)
        elif fragment.headers or fragment.cookies or fragment.composes:
            if fragment.is_personal or (fragment.composes and brought.carries(request)):
                return Bypass("request")
            key = key_of(fetch, request)
        entry = self._memory.get(key)
        if entry is None:
            asked = asked_of(fetch, request)
            return ABSENT if asked is None else freshness.judge(None, exchange.now, asked)
        if entry.status == MARKER:
            chosen = keys.variant(key, depends(fetch, entry.head.fields), fetch.seen(request).headers)
            entry = self._memory.get(chosen) if chosen != key else None
        return freshness.judge(entry, exchange.now, asked_of(fetch, request))

    async def recall(self, fetches: Sequence[Fetch], request: Request) -> None:
        """Bring what the shared store has of these into memory, all in one round trip (two where answers vary)."""
        if self._shared is None:
            return
        named = {key_of(fetch, request): fetch for fetch in fetches}
        markers = await self._from_shared(list(named))
        variants = [
            keys.variant(key, depends(named[key], entry.head.fields), named[key].seen(request).headers)
            for key, entry in markers
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
        for key, each in zip(wanted, found, strict=True):
            entry = None if each is None else self._unpurged(each)
            if entry is not None:
                self._memory.put(key, entry)
                if entry.status == MARKER:
                    markers.append((key, entry))
        return markers

    def _unpurged(self, entry: Entry) -> Entry | None:
        """What another gateway wrote, as far as no purge is about it; one that is soft made it stale."""
        purged = self._purged.says(entry)
        return None if purged == "hard" else softened(entry, entry.stored) if purged == "soft" else entry

    @property
    def mark(self) -> Mark:
        """Which purges are known, for fetches that begin now."""
        return self._purged.mark

    def purge(self, purge: Purge, now: float = 0.0) -> int:
        """Forget in this process; the shared store is purged once, by whoever took the order."""
        self._purged.add(purge)
        return self._memory.purge(purge, now)

    def remember(self, purge: Purge) -> None:
        """A purge from before this process began: nothing of it is here, but in the shared store something may be."""
        self._purged.add(purge)

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _kept(self, exchange: Exchange, fetch: Fetch, answer: Answer, reason: str) -> Answer:
        cookies = with_cookies(exchange, fetch)
        life = freshness.lifetime(answer, fetch.policy, exchange.now, cookies=cookies, narrowed=fetch.narrows)
        if not isinstance(life, str) and unstored(exchange.request):
            life = "no-store"
        if isinstance(life, str):
            self._flights.lone(fetch.key, exchange.now)
            return passed(fetch, answer, noted(reason, answer.status, life))
        if exchange.request.method == b"HEAD" and fetch.fragment is None:
            return passed(fetch, answer, noted(reason, answer.status, "head"))  # the body a GET would bring is not here
        body, tags = answer.body, tags_of(fetch, answer.headers)
        passed(fetch, answer, noted(reason, answer.status, ""))
        fields = freshness.kept(answer.headers, life)
        if isinstance(body, bytes):
            if len(body) > self._entry_bytes:
                answer.note += b"; detail=too-large"
                return answer
            if self._purged.names(tags, exchange.since):
                answer.note += b"; detail=purged-meanwhile"
                return answer
            answer.entry = made(answer.status, fields, body, life, exchange.now, tags, exchange.since[1])
            answer.note += b"; stored; ttl=%d" % life.fresh
            self._put(fetch, exchange.request, answer.entry)
            return answer

        def keep(whole: bytes) -> None:
            if not self._purged.names(tags, exchange.since):
                entry = made(answer.status, fields, whole, life, exchange.now, tags, exchange.since[1])
                self._put(fetch, exchange.request, entry)

        answer.body = Recording(body, self._entry_bytes, keep)
        answer.note += b"; stored"
        return answer

    def _put(self, fetch: Fetch, request: Request, entry: Entry) -> None:
        key, names = key_of(fetch, request), depends(fetch, entry.head.fields)
        if names:
            chosen = keys.variant(key, names, fetch.seen(request).headers)
            if not self._variants.admits(key, chosen, entry.expires, entry.stored):
                return
            marker = Entry(
                MARKER, ((b"vary", b", ".join(names)),), b"", digest(b""), *times_of(entry), entry.tags, entry.since
            )
            self._store(key, marker)
            key = chosen
        self._store(key, entry)

    def _store(self, key: bytes, entry: Entry) -> None:
        self._memory.put(key, entry)
        if self._shared is not None:
            self._own(_put(self._shared, key, entry, self._claims.pop(key, None), self._notice))

    def _refresh(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> None:
        """One refresh of a key at a time; nobody waits for it, and its failure leaves things as they are."""
        key = key_of(fetch, exchange.request)
        if key in self._refreshing:
            return
        self._refreshing.add(key)
        self._own(self._refreshed(exchange, fetch, ask))

    async def _refreshed(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> None:
        key = key_of(fetch, exchange.request)
        try:
            if self._shared is not None:
                await self.recall([fetch], exchange.request)
                if not await self._claim(fetch, self._chosen(fetch, exchange.request)):
                    return
            verdict = self.look(exchange, fetch)
            if not isinstance(verdict, Stale):
                return
            known = verdict.entry if freshness.conditions(verdict.entry) else None
            answer = await self._current(exchange, fetch, ask, Miss("stale", verdict.entry, known))
            if answer.status in FAILED:
                if isinstance(answer.body, Stream):
                    answer.body.close()
                return
            if answer.entry is None:
                answer = self._kept(exchange, fetch, answer, "stale")
            if isinstance(answer.body, Stream):
                while await answer.body.read():
                    pass
        except OriginError as error:
            self._tell(Noticed(exchange.now, "cache", f"{fetch!r} could not be refreshed: {error}"))
        finally:
            self._refreshing.discard(key)
            claim = self._claims.pop(self._chosen(fetch, exchange.request), None)
            if claim is not None and self._shared is not None:
                self._own(_yield(self._shared, claim, self._notice))

    def _own(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _notice(self, error: StoreError | None) -> None:
        """Says once that the shared store went away, and once that it is back. One that refuses to write is there."""
        if isinstance(error, StoreRefused):
            return
        if (error is not None) != self._away:
            self._away = error is not None
            told = f"shared store away, going on without it: {error}" if error else "shared store is back"
            self._tell(Noticed(asyncio.get_running_loop().time(), "cache", told))


async def _get(shared: Entries, wanted: Sequence[bytes]) -> list[Entry | None]:
    return await shared.get(wanted)


Notice = Callable[[StoreError | None], None]


async def _put(shared: Entries, key: bytes, entry: Entry, claim: Claim | None, notice: Notice) -> None:
    try:
        await shared.put(key, entry, entry.stored, claim)
    except StoreError as error:
        notice(error)


async def _claimed(shared: Entries, key: bytes, seconds: float) -> Claim | None:
    return await shared.claim(key, seconds)


async def _awaited(shared: Entries, key: bytes, seconds: float) -> Entry | None:
    return await shared.await_entry(key, seconds)


async def _forget(shared: Entries, names: Sequence[bytes], notice: Notice) -> None:
    try:
        await shared.forget(names)
    except StoreError as error:
        notice(error)


async def _yield(shared: Entries, claim: Claim, notice: Notice) -> None:
    try:
        await shared.yield_claim(claim)
    except StoreError as error:
        notice(error)
