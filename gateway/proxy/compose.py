"""A shell and its fragments become one page. Several fetches and a stitch, not a second proxy.

Shells are compiled once per digest, pieces read once per digest; a page whose parts are all here is put together
without waiting, any other is streamed in order while its slots fill.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

import fragments.contain as contain
import fragments.parse as parse
import fragments.piece as piece
import fragments.plan as plans
import gateway.rules.algebra as algebra
import gateway.rules.coding as coding
import gateway.rules.keys as keys
import gateway.rules.validators as validators
from fragments.errors import FragmentsError
from fragments.plan import Plan, Slot
from fragments.stitch import Fallback, Filling, Nothing, Stitch, page
from fragments.urls import Place
from gateway.errors import GatewayError, TimedOut, Uncomposable
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Fields, Response, gathered
from gateway.proxy.cache import Cache, bypass
from gateway.proxy.eager import Run
from gateway.proxy.page import Page, Parts, Zipped, zips
from gateway.recent import Recent
from gateway.rules.fields import media_type
from gateway.rules.freshness import Hit
from gateway.store.codec import digest
from gateway.table import Fragment, tag
from gateway.telemetry.facts import Degraded
from gateway.telemetry.log import Teller
from gateway.transport.later import Later

Ask = Callable[[Exchange, Fetch], Awaitable[Answer]]
SLOTS = 100  # fetches for one page; larger portals than any we know of, and a bound for a bomb
HEAD_START = 0.002  # seconds the first byte waits for fragments that are about to come; 5 ms is what we promise
GRACE = 0.03  # seconds beyond a slot's timeout, so that a transport that times out itself can say so and stale be used


class Filled:
    """A slot's filling, and what it says about the page it stands in. `key` names the filling's bytes."""

    __slots__ = ("cache_control", "filling", "fresh", "key", "outcome", "seconds")

    def __init__(
        self,
        filling: Filling,
        key: bytes,
        outcome: str,
        cache_control: bytes = b"no-cache",
        fresh: float = 0.0,
        seconds: float = 0.0,
    ) -> None:
        self.filling = filling
        self.key = key
        self.outcome = outcome
        self.cache_control = cache_control
        self.fresh = fresh
        self.seconds = seconds


class Awaited:
    """A slot's filling on its way, and the moment after which nobody waits for it."""

    __slots__ = ("deadline", "run")

    def __init__(self, run: Run[Filled], deadline: float) -> None:
        self.run = run
        self.deadline = deadline


Pending = dict[int, Awaited]


class Composer:
    """`deadline` bounds all slots of a page together, in seconds."""

    def __init__(self, cache: Cache, ask: Ask, tell: Teller, *, deadline: float, page_bytes: int) -> None:
        self._cache = cache
        self._ask = ask
        self._tell = tell
        self._deadline = deadline
        self._page_bytes = page_bytes
        self._clock = time.monotonic
        self._plans: Recent[bytes, Plan] = Recent(1024)
        self._fetches: Recent[tuple[str, int, bytes], list[Fetch | None]] = Recent(1024)
        self._fitted: Recent[tuple[bytes, str, int, bytes], Filling] = Recent(8192)
        self._pages: Recent[tuple[bytes, bytes, bool], Page] = Recent(512)

    def ready(self, exchange: Exchange) -> Response | None:
        """The page as it was put together the last time, if every part of it still stands."""
        request = exchange.request
        page = self._pages.get((exchange.public, request.target, zips(exchange)))
        if page is None or request.method != b"GET" or bypass(request) is not None:
            return None
        return page.response(exchange) if page.stands(exchange, self._cache.held) else None

    async def compose(self, exchange: Exchange, fetch: Fetch, answer: Answer) -> Response:
        """The answer of a composing mount, its slots filled; one that is no page, or has none, as it is."""
        if media_type(answer.index.get(b"content-type")) != "text/html" or answer.status in (204, 304):
            return answer
        if answer.index.get(b"content-encoding") is not None:
            return answer
        answer.body = body = await gathered(answer.body, self._page_bytes)
        if not isinstance(body, bytes) or len(body) > self._page_bytes:
            why = f"it is longer than {self._page_bytes} bytes; its slots are not filled"
            self._tell(Degraded(exchange.id.decode(), exchange.now, "-", "", "uncomposed", why))
            return answer
        plan = self._plan(exchange, answer, body)
        if plan is None:
            return answer
        return await self._fill(exchange, fetch, answer, plan)

    def _plan(self, exchange: Exchange, shell: Answer, body: bytes) -> Plan | None:
        """The shell compiled, None when there is nothing to fill. One that costs too much to read stays as it is."""
        if not plans.has_slots(body):
            return None
        name = shell.entry.digest if shell.entry is not None else digest(body)
        plan = self._plans.get(name)
        if plan is None:
            try:
                plan = self._plans.put(name, plans.compile(utf8(body, shell.index.get(b"content-type", b""))))
            except FragmentsError as error:
                self._tell(Degraded(exchange.id.decode(), exchange.now, "-", "", "uncomposed", str(error)))
                return None
        return plan if plan.slots else None

    async def _fill(self, exchange: Exchange, fetch: Fetch, shell: Answer, plan: Plan) -> Response:
        fetches = self._fetches_of(exchange, plan)
        filled = [self._at_once(exchange, plan, number, fetch) for number, fetch in enumerate(fetches)]
        if None in filled:
            if exchange.request.method == b"HEAD":
                return Response(shell.status, self._fields(exchange, shell, []), b"")
            if self._cache.is_shared:
                await self._recall(exchange, plan, fetches, filled)
            pending = self._begin(exchange, plan, fetches, filled)
            try:
                await self._required(exchange, plan, fetches, pending, filled)
                if pending:
                    await self._soon(pending)
                    await self._required(exchange, plan, fetches, pending, filled)
            except BaseException:
                give_up(pending)
                raise
            if pending:
                return self._streamed(exchange, shell, plan, fetches, pending, filled)
        return self._together(exchange, shell, plan, [fetch, *fetches], [each for each in filled if each is not None])

    # What is asked for

    def _fetches_of(self, exchange: Exchange, plan: Plan) -> list[Fetch | None]:
        key = (plan.digest, exchange.table.number, exchange.public)
        known = self._fetches.get(key)
        if known is not None:
            return known
        made = [self._fetch_of(exchange, slot) if number < SLOTS else None for number, slot in enumerate(plan.slots)]
        return self._fetches.put(key, made)

    def _fetch_of(self, exchange: Exchange, slot: Slot) -> Fetch | None:
        fragment = exchange.table.fragments.get(slot.name)
        if fragment is None:
            return None
        waits = [fragment.timeout, self._deadline]
        if slot.timeout is not None:
            waits.append(slot.timeout)
        if exchange.mount is not None and exchange.mount.deadline is not None:
            waits.append(exchange.mount.deadline)
        return fetch_of(fragment, slot.query, exchange, min(waits))

    async def _recall(
        self, exchange: Exchange, plan: Plan, fetches: Sequence[Fetch | None], filled: list[Filled | None]
    ) -> None:
        """One question to the shared store for all slots that memory cannot fill."""
        missing = {
            number: fetch for number, fetch in enumerate(fetches) if filled[number] is None and fetch is not None
        }
        await self._cache.recall(list(missing.values()), exchange.request)
        for number, fetch in missing.items():
            filled[number] = self._at_once(exchange, plan, number, fetch)

    def _begin(
        self, exchange: Exchange, plan: Plan, fetches: Sequence[Fetch | None], filled: list[Filled | None]
    ) -> Pending:
        """All missing fragments are asked for now, side by side."""
        pending: Pending = {}
        for number, fetch in enumerate(fetches):
            if filled[number] is None and fetch is not None:
                deadline = self._clock() + fetch.timeout + GRACE
                pending[number] = Awaited(Run(self._slot(exchange, plan, number, fetch)), deadline)
        return pending

    # What comes back

    def _at_once(self, exchange: Exchange, plan: Plan, number: int, fetch: Fetch | None) -> Filled | None:
        """What can be put into a slot without waiting."""
        if fetch is None:
            slot = plan.slots[number]
            few = number < SLOTS
            why = f"no manifest declares {slot.name!r}" if few else f"a page is filled with at most {SLOTS} fragments"
            return self._unfilled(exchange, slot, "", "unknown", why, 0.0)
        verdict = self._cache.look(exchange, fetch)
        if type(verdict) is not Hit:
            return None
        entry = verdict.entry
        answer = Answer(entry.status, entry.head, entry.body, b"", entry)
        return self._read(exchange, plan, number, fetch, answer, "hit", 0.0)

    async def _slot(self, exchange: Exchange, plan: Plan, number: int, fetch: Fetch) -> Filled:
        """One slot's filling, whatever its fragment does; how long that may take is kept by `_landed`."""
        began = self._clock()
        try:
            answer = await self._ask(exchange, fetch)
        except GatewayError as error:
            outcome = "timeout" if isinstance(error, TimedOut) else "error"
            return self._unfilled(exchange, plan.slots[number], fetch.team, outcome, str(error), self._clock() - began)
        outcome = "stale" if answer.note.startswith(b"portico; hit") or b"fwd=stale; detail" in answer.note else "miss"
        return self._read(exchange, plan, number, fetch, answer, outcome, self._clock() - began)

    def _read(
        self,
        exchange: Exchange,
        plan: Plan,
        number: int,
        fetch: Fetch,
        answer: Answer,
        outcome: str,
        seconds: float,
    ) -> Filled:
        slot = plan.slots[number]
        if answer.status == 204:
            return Filled(Nothing(), b"empty", "empty", seconds=seconds)
        if answer.status != 200 or not isinstance(answer.body, bytes):
            why = f"its origin answered {answer.status}"
            return self._unfilled(exchange, slot, fetch.team, "error", why, seconds)
        entry = answer.entry
        name = entry.digest if entry is not None else digest(answer.body)
        try:
            filling = self._fit(name, plan, number, fetch, answer, answer.body)
        except FragmentsError as error:
            return self._unfilled(exchange, slot, fetch.team, "refused", str(error), seconds)
        said = answer.index.get(b"cache-control", b"")
        return Filled(filling, name, outcome, said, entry.fresh if entry is not None else 0.0, seconds)

    def _fit(self, name: bytes, plan: Plan, number: int, fetch: Fetch, answer: Answer, body: bytes) -> Filling:
        isolation = fetch.fragment.isolation if fetch.fragment is not None else "none"
        key = (name, plan.digest, number, fetch.key + isolation.encode())
        known = self._fitted.get(key)
        if known is not None:
            return known
        kind = answer.index.get(b"content-type", b"").decode("latin-1")
        slot = plan.slots[number]
        return self._fitted.put(key, contain.fit(piece.read(body, kind, fetch.place, slot.context), slot, isolation))

    def _unfilled(self, exchange: Exchange, slot: Slot, team: str, outcome: str, why: str, seconds: float) -> Filled:
        """By the slot's criticality: the page fails, its fallback stands in, or nothing does."""
        self._tell(Degraded(exchange.id.decode(), exchange.now, slot.name, team, outcome, why))
        if slot.required:
            raise Uncomposable(f"Required fragment {slot.name!r} of team {team or 'nobody'}: {outcome}, {why}.")
        if slot.optional:
            return Filled(Nothing(), b"nothing", outcome, seconds=seconds)
        return Filled(Fallback(), b"fallback", outcome, seconds=seconds)

    async def _required(
        self,
        exchange: Exchange,
        plan: Plan,
        fetches: Sequence[Fetch | None],
        pending: Pending,
        filled: list[Filled | None],
    ) -> None:
        """Required and primary slots come before the first byte: they may still change the status."""
        for number, awaited in list(pending.items()):
            if awaited.run.done or plan.slots[number].required or plan.slots[number].primary:
                filled[number] = await self._landed(exchange, plan, number, fetches, pending)

    async def _soon(self, pending: Pending) -> None:
        """A moment for fast fragments: a page that is whole leaves in one piece, all its styles in its head."""
        landed: Later[None] = Later()
        left = len(pending)

        def one(_: Run[Filled]) -> None:
            nonlocal left
            left -= 1
            if not left:
                landed.set(None)

        for awaited in pending.values():
            awaited.run.then = one
        timer = asyncio.get_running_loop().call_later(HEAD_START, landed.set, None)
        try:
            await landed
        finally:
            timer.cancel()
            for awaited in pending.values():
                awaited.run.then = None

    async def _landed(
        self, exchange: Exchange, plan: Plan, number: int, fetches: Sequence[Fetch | None], pending: Pending
    ) -> Filled:
        """The filling of a slot that was asked for, waited for no longer than the slot allows."""
        awaited = pending.pop(number)
        run = awaited.run
        fetch = fetches[number]
        assert fetch is not None
        if not run.done:
            try:
                await self._at_most(run, awaited.deadline - self._clock())
            except asyncio.CancelledError:
                run.cancel()
                raise
        if run.done:
            return run.result()
        run.cancel()
        why = f"no whole answer within {fetch.timeout:g} s"
        return self._unfilled(exchange, plan.slots[number], fetch.team, "timeout", why, fetch.timeout)

    async def _at_most(self, run: Run[Filled], seconds: float) -> None:
        landed: Later[None] = Later()
        run.then = lambda _: landed.set(None)
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.0), landed.set, None)
        try:
            await landed
        finally:
            run.then = None
            timer.cancel()

    # What the viewer gets

    def _together(
        self, exchange: Exchange, shell: Answer, plan: Plan, fetches: Sequence[Fetch | None], filled: list[Filled]
    ) -> Response:
        """All is here: one body, kept for whoever asks for the same before a part of it changes."""
        parts = page(plan, [each.filling for each in filled])
        fields = self._fields(exchange, shell, filled, plan)
        zipped = zips(exchange)
        body = coding.joined_gzip(parts) if zipped else b"".join(parts)
        if zipped:
            fields.append((b"content-encoding", b"gzip"))
        fresh = min(each.fresh for each in filled)
        if fresh <= exchange.now:
            return Response(shell.status, fields, body)
        made = Page(exchange, shell, fields, body, fresh)
        if all(fetch is not None and made.rests_on(fetch, self._cache.held) for fetch in fetches):
            self._pages.put((exchange.public, exchange.request.target, zipped), made)
        return Response(shell.status, fields, body)

    def _streamed(
        self,
        exchange: Exchange,
        shell: Answer,
        plan: Plan,
        fetches: Sequence[Fetch | None],
        pending: Pending,
        filled: list[Filled | None],
    ) -> Response:
        """The page leaves up to the first slot that is not here, and goes on as they come, in order."""
        stitch = Stitch(plan, [each.filling if each is not None else None for each in filled])
        waiting = sorted(pending)

        async def rest(number: int) -> list[bytes]:
            landed = await self._landed(exchange, plan, number, fetches, pending)
            return stitch.fill(landed.filling)

        fields = self._fields(exchange, shell, filled, plan)
        stream = Parts(stitch.open(), waiting, rest, lambda: give_up(pending))
        if not zips(exchange):
            return Response(shell.status, fields, stream)
        fields.append((b"content-encoding", b"gzip"))
        return Response(shell.status, fields, Zipped(stream))

    def _fields(
        self, exchange: Exchange, shell: Answer, filled: Sequence[Filled | None], plan: Plan | None = None
    ) -> Fields:
        fields = algebra.shell(shell.head.fields)
        entry = shell.entry
        said = [shell.index.get(b"cache-control", b"")]
        fresh = entry.fresh if entry is not None else 0.0
        for each in filled:
            if each is None:
                fresh = 0.0
            else:
                said.append(each.cache_control)
                fresh = min(fresh, each.fresh)
        fields.append((b"cache-control", algebra.cache_control(said, fresh - exchange.now)))
        fields.append((b"vary", b"accept-encoding"))
        if plan is not None:
            exchange.timings = validators.server_timing(
                (slot.name, each.outcome if each else "pending", each.seconds if each else 0.0)
                for slot, each in zip(plan.slots, filled, strict=True)
            )
        return fields


def fetch_of(fragment: Fragment, query: Sequence[tuple[str, str]], exchange: Exchange, timeout: float) -> Fetch:
    """What is wanted for a slot: the fragment's path with the slot's attributes as its query."""
    target = fragment.path
    if query:
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        target += (b"&" if b"?" in target else b"?") + pairs.encode()
    name, upstream = fragment.name.encode(), fragment.upstream
    origins = frozenset(origin.url for origin in upstream.origins)
    base, public = upstream.home + target.decode("latin-1"), exchange.public.decode("latin-1")
    own = tag(upstream.team, upstream.name) if upstream.home else ""
    place = Place(upstream.home, origins, base=base, public=public, tag=own)
    key = keys.fragment(name, exchange.request.scheme, exchange.authority, upstream.home.encode(), target)
    return Fetch(upstream, target, key, place, fragment.policy, timeout, fragment=fragment)


def utf8(page: bytes, content_type: bytes) -> bytes:
    """A shell's text in the one encoding pieces are written in; almost always as it is."""
    try:
        page.decode()
    except UnicodeDecodeError:
        charset = re.search(rb"(?i)charset\s*=\s*[\"']?([\w-]+)", content_type)
        return parse.decode(page, charset[1].decode("ascii", "replace") if charset else None).encode()
    return page


def give_up(pending: Pending) -> None:
    given_up = list(pending.values())
    pending.clear()
    for awaited in given_up:
        awaited.run.cancel()
