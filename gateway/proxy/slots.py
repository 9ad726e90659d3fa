"""What goes into the slots of a page: where it is asked for, how long it is waited for, what stands in when it fails.

All fragments of a page are asked for side by side. One that may compose has slots of its own, which are filled once its
answer is here whole, so that who waits holds no connection.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

import fragments.contain as contain
import fragments.dialects as dialects
import fragments.late as late
import fragments.piece as piece
import fragments.plan as plans
import gateway.proxy.includes as included
import gateway.rules.brought as brought
import gateway.rules.keys as keys
import gateway.rules.mounting as mounting
import gateway.rules.paths as paths
from fragments.contain import Fitted
from fragments.errors import FragmentsError, NotMarkup
from fragments.plan import Diagnostic, Include, Plan, Slot
from fragments.stitch import Fallback, Filling, Nothing, page
from fragments.urls import Place
from gateway.errors import GatewayError, TimedOut, Uncomposable
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Fields, Head, Response, first
from gateway.proxy.cache import Cache
from gateway.proxy.eager import Run
from gateway.proxy.navigation import RUNTIME
from gateway.proxy.straight import Sent, Straight
from gateway.recent import Recent, Weighed
from gateway.rules.algebra import STAND_IN, Part
from gateway.rules.freshness import ABSENT, Bypass, Hit, Miss, Verdict
from gateway.store.codec import digest
from gateway.table import Fragment, tag
from gateway.telemetry.facts import Degraded, Noticed
from gateway.telemetry.log import Teller
from gateway.transport.connection import Coming
from gateway.transport.later import Later

Ask = Callable[[Exchange, Fetch], Awaitable[Answer]]
MOST = 100  # fetches for one page; larger portals than any we know of, and a bound for a bomb
TOO_MANY = f"a page is filled with at most {MOST} fragments"
DEEPEST = 5  # fragments inside one another
QUERY = 512  # bytes of a viewer's query that a fragment may be shown: a page can have a hundred of them
HEAD_START = 0.002  # seconds the first byte waits for fragments that are about to come; 5 ms is what we promise
FITTED = 32 << 20  # bytes of pieces that are kept as they were fitted
LAST = 8 << 20  # of answers that were not kept, and are recognised when they come again
SMALL = 16 * 1024  # bytes of one of those; the transport recognises no larger ones
FETCHES, FETCH = 16 << 20, 1000  # bytes of what is asked for, kept worked out; what each weighs besides its target
GRACE = 0.03  # seconds beyond a slot's timeout, so that a transport that times out itself can say so and stale be used


class Filled:
    """A slot's filling, and what it says about the page it stands in. `beneath` is what its own slots hold."""

    __slots__ = ("beneath", "entry", "fetch", "filling", "name", "outcome", "part", "seconds")

    def __init__(
        self,
        name: str,
        filling: Filling,
        outcome: str,
        part: Part | None = STAND_IN,
        seconds: float = 0.0,
        fetch: Fetch | None = None,
        entry: Entry | None = None,
        beneath: "Sequence[Filled]" = (),
    ) -> None:
        self.name = name
        self.filling = filling
        self.outcome = outcome
        self.part = part  # None of what says nothing about its page
        self.seconds = seconds
        self.fetch = fetch  # what was asked for
        self.entry = entry  # the stored answer it is made of, if it is one
        self.beneath = beneath

    def all(self) -> "Iterator[Filled]":
        """Itself and everything in it."""
        yield self
        for each in self.beneath:
            yield from each.all()


OnItsWay = Run[Filled] | Sent[Filled]


class Last(NamedTuple):
    """An answer that was not kept, and what it was made into: what it says of its page is the same each time."""

    head: Head
    answer: Answer
    filled: Filled


class Awaited:
    """A slot's filling on its way, and the moment after which nobody waits for it."""

    __slots__ = ("deadline", "run")

    def __init__(self, run: OnItsWay, deadline: float) -> None:
        self.run = run
        self.deadline = deadline

    @property
    def rank(self) -> tuple[bool, float]:
        """Who is done comes first, then who has no time left."""
        return not self.run.done, self.deadline


Answers = dict[bytes, tuple[Answer, Fetch]]  # by the key of what was asked for first
Pending = dict[int, Awaited]


class Allowance:
    """What one page may still cost, whatever stands in what: so many fetches, and time until a moment."""

    __slots__ = ("fetches", "told", "until")

    def __init__(self, until: float) -> None:
        self.fetches = MOST
        self.until = until
        self.told = False  # that there are no more; once for all slots that would have liked one

    def take(self) -> bool:
        """One more fetch, if there is one left."""
        self.fetches -= 1
        return self.fetches >= 0


class Composition:
    """A plan on its way to a page: what is asked for its slots, and what came.

    `above` are the fragments it stands in, `until` the moment by which all has to be here. `status`, `location` and
    `challenge` are what a primary fragment says of the page.
    """

    __slots__ = (
        "above",
        "allowance",
        "answers",
        "challenge",
        "counted",
        "exchange",
        "fetches",
        "filled",
        "location",
        "pending",
        "plan",
        "status",
        "until",
        "verdicts",
        "within",
    )

    def __init__(
        self,
        exchange: Exchange,
        plan: Plan,
        fetches: Sequence[Fetch | None],
        answers: Answers,
        allowance: Allowance,
        until: float,
        above: tuple[str, ...] = (),
    ) -> None:
        self.exchange = exchange
        self.plan = plan
        self.fetches = fetches
        self.answers = answers
        self.allowance = allowance
        self.until = until
        self.above = above
        self.counted = 0  # slots whose fetches are taken from the allowance
        self.filled: list[Filled | None] = [None] * len(fetches)
        self.pending: Pending = {}
        self.verdicts: dict[int, Verdict] = {}  # of the slots that nothing was there for
        self.within: dict[int, tuple[Filled, Composition]] = {}  # pieces that are here, whose own slots are not
        self.status = 0
        self.location = b""
        self.challenge: Fields = []

    def give_up(self) -> None:
        """Nobody waits any longer for what is not here."""
        given_up = list(self.pending.values())
        self.pending.clear()
        for awaited in given_up:
            awaited.run.cancel()


class Slots:
    """Fills slots from the cache and from origins. `deadline` bounds all slots of a page together, in seconds."""

    def __init__(self, cache: Cache, ask: Ask, straight: Straight, tell: Teller, *, deadline: float) -> None:
        self._cache = cache
        self._straight = straight
        self._ask = ask
        self._tell = tell
        self._deadline = deadline
        self._clock = time.monotonic
        self._asks: Recent[tuple[str, int], frozenset[str]] = Recent(1024)
        self._fetches: Weighed[tuple[str, int, bytes, str, float], list[Fetch | None]] = Weighed(FETCHES)
        self._said: Recent[tuple[str, str, int], bool] = Recent(4096)
        self._fitted: Weighed[tuple[bytes, str, int, bytes], tuple[Fitted, Plan | None]] = Weighed(FITTED)
        self._last: Weighed[Fetch, Last] = Weighed(LAST)

    def allowance(self, exchange: Exchange) -> Allowance:
        return Allowance(self._clock() + self._longest(exchange))

    def composition(
        self, exchange: Exchange, plan: Plan, answers: Answers, allowance: Allowance | None = None
    ) -> Composition:
        """`answers` are those that are here already; `allowance` is what is left after them."""
        allowance = allowance or self.allowance(exchange)
        fetches = self._fetches_of(exchange, plan, nested=False)
        return Composition(exchange, plan, fetches, answers, allowance, allowance.until)

    def alone(self, exchange: Exchange, plan: Plan) -> Composition:
        """A fragment that is a page of its own speaks for its title, not for its address or for cookies."""
        allowance = self.allowance(exchange)
        fetch = self._fetch_of(exchange, replace(plan.slots[0], primary=False), "")
        return Composition(exchange, plan, [fetch], {}, allowance, allowance.until)

    def address(self, exchange: Exchange, slot: Slot) -> str:
        """Where a viewer finds what a slot holds, as a page of its own; "" if nobody declares it."""
        fragment = exchange.table.fragments.get(slot.name)
        if fragment is None or slot.include is not None:
            return ""
        viewers = picked(exchange.request.target, fragment.query) if fragment.query else ""
        query = asked_with(fragment, slot, viewers)
        return f"/-/fragment/{slot.name}" + (f"?{query}" if query else "")

    # What is asked for

    def _fetches_of(self, exchange: Exchange, plan: Plan, *, nested: bool) -> list[Fetch | None]:
        table = exchange.table
        asks = self._asks.get((plan.digest, table.number))
        if asks is None:
            named = (table.fragments.get(slot.name) for slot in plan.slots)
            asks = frozenset[str]().union(*(each.query for each in named if each is not None))
            self._asks.put((plan.digest, table.number), asks)
        viewers = picked(exchange.request.target, asks) if asks else ""
        key = (plan.digest, table.number, exchange.public, viewers, self._longest(exchange))
        known = self._fetches.get(key)
        if known is not None:
            return known
        slots = [replace(slot, primary=False) for slot in plan.slots] if nested else plan.slots
        made = [self._fetch_of(exchange, slot, viewers) for slot in slots]
        return self._fetches.put(key, made, sum(FETCH + 3 * len(fetch.target) for fetch in made if fetch is not None))

    def _fetch_of(self, exchange: Exchange, slot: Slot, viewers: str) -> Fetch | None:
        if slot.include is not None:
            wait = self._wait(exchange, slot, included.TIMEOUT if slot.timeout is None else slot.timeout)
            found = included.fetch_of(slot.include.source, exchange, wait)
            if found is None and slot.include.alternative is not None:
                found = included.fetch_of(slot.include.alternative, exchange, wait)
            return found
        fragment = exchange.table.fragments.get(slot.name)
        if fragment is None:
            return None
        return fetch_of(fragment, slot, exchange, self._wait(exchange, slot, fragment.timeout), viewers)

    def _alternative(self, exchange: Exchange, slot: Slot, fetch: Fetch) -> Fetch | None:
        """What is asked for when a slot's first answer is none."""
        if slot.include is not None:
            other = slot.include.alternative
            return included.fetch_of(other, exchange, fetch.timeout) if other is not None else None
        fragment = fetch.fragment
        if fragment is None or not fragment.alternative:
            return None
        if fragment.alternative.startswith("/"):
            instead: Fragment | None = replace(fragment, path=fragment.alternative.encode())
        else:
            instead = exchange.table.fragments.get(fragment.alternative)
        if instead is None:
            return None
        slot = replace(slot, primary=slot.primary and not fetch.follows)
        viewers = picked(exchange.request.target, instead.query) if instead.query else ""
        return fetch_of(instead, slot, exchange, self._wait(exchange, slot, instead.timeout), viewers)

    def _longest(self, exchange: Exchange) -> float:
        mount = exchange.mount
        own = None if mount is None else mount.deadline
        return self._deadline if own is None else min(own, self._deadline)

    def _wait(self, exchange: Exchange, slot: Slot, own: float) -> float:
        longest = min(own, self._longest(exchange))
        return longest if slot.timeout is None else min(longest, slot.timeout)

    # What is there at once

    def fill_at_once(self, work: Composition) -> bool:
        """Everything that can be put in without waiting; whether that is all."""
        filled = work.filled
        for number, fetch in enumerate(work.fetches):
            if filled[number] is None:
                filled[number] = self._at_once(work, number, fetch)
        return None not in filled

    def _at_once(self, work: Composition, number: int, fetch: Fetch | None) -> Filled | None:
        if fetch is None or work.above:
            refused = self._refused(work, number, fetch)
            if refused is not None:
                return refused
        assert fetch is not None
        if work.answers and (known := work.answers.get(fetch.key)) is not None:
            filled, inner = self._read(work, number, known[1], known[0], "miss", 0.0)
            if known[1] is not fetch:
                filled.fetch = None
        elif work.plan.slots[number].lazy:
            return self._lazy(work, number)
        elif number in work.within:
            filled, begun = work.within[number]
            return self._whole_at_once(work, number, filled, begun)
        elif number >= work.counted and not self._counted(work, number):
            return self._unfilled(work, number, fetch.team, "unknown", TOO_MANY, 0.0)
        else:
            verdict = self._cache.look(work.exchange, fetch)
            if type(verdict) is not Hit:
                work.verdicts[number] = verdict
                return None
            entry = verdict.entry
            answer = Answer(entry.status, entry.head, entry.body, b"", entry)
            filled, inner = self._read(work, number, fetch, answer, "hit", 0.0)
        if inner is None:
            return filled
        return self._whole_at_once(work, number, filled, self._inner(work, filled, inner, work.until))

    def _counted(self, work: Composition, number: int) -> bool:
        """Whether the page may have one fetch more, stored or not: what is stored may hold slots without end, too."""
        work.counted = number + 1
        return work.allowance.take()

    def _refused(self, work: Composition, number: int, fetch: Fetch | None) -> Filled | None:
        """A slot that nothing is asked for, and why."""
        slot = work.plan.slots[number]
        if fetch is None:
            named = f"no manifest declares {slot.name!r}"
            why = named if slot.include is None else f"{slot.name!r} is below no mount of this portal"
        elif slot.name in work.above:
            why = f"{slot.name!r} stands in itself"
        elif len(work.above) >= DEEPEST:
            why = f"fragments stand in one another {DEEPEST} deep at most"
        else:
            return None
        return self._unfilled(work, number, "", "unknown", why, 0.0)

    def _lazy(self, work: Composition, number: int) -> Filled:
        """Nothing is asked for now: the viewer will, at the fragment's own address."""
        slot = work.plan.slots[number]
        address = self.address(work.exchange, slot)
        return Filled(slot.name, late.lazy(slot, address, (RUNTIME,)), "lazy", None)

    async def recall(self, work: Composition) -> None:
        """One question to the shared store for all slots that memory cannot fill."""
        missing = [fetch for number, fetch in enumerate(work.fetches) if work.filled[number] is None and fetch]
        await self._cache.recall(missing, work.exchange.request)
        self.fill_at_once(work)

    # What is waited for

    def start(self, work: Composition) -> None:
        """All missing fragments are asked for now, side by side."""
        now = self._clock()
        for number, fetch in enumerate(work.fetches):
            if work.filled[number] is not None or fetch is None:
                continue
            until = self._until(work, number, fetch, now)
            run: OnItsWay
            if number in work.within:
                run = Run(self._rest_of(work, number, until))
            else:
                run = self._straight_to(work, number, fetch, until, now) or Run(self._slot(work, number, fetch, until))
            work.pending[number] = Awaited(run, until + GRACE)

    def _straight_to(self, work: Composition, number: int, fetch: Fetch, until: float, now: float) -> OnItsWay | None:
        """Asked for without ado, where there is one address to ask and nothing to fall back on."""
        verdict = work.verdicts.get(number)
        if type(verdict) is not Bypass and verdict is not ABSENT:
            return None
        fragment = fetch.fragment
        if fragment is None or fragment.composes or fragment.alternative or work.plan.slots[number].include is not None:
            return None
        begun = self._straight.begin(work.exchange, fetch)
        if begun is None:
            return None
        read = partial(self._at_hand, work, number, fetch, verdict, now)
        return Sent(begun, read, partial(self._slot, work, number, fetch, until, verdict))

    def _at_hand(
        self, work: Composition, number: int, fetch: Fetch, verdict: Miss | Bypass, began: float, response: Response
    ) -> Filled | None:
        """A slot's filling of an answer that is whole and plain; the very same answer comes to the very same."""
        last = self._last.get(fetch)
        if last is not None and response.head is last.head and response.body is last.answer.body:
            work.answers[fetch.key] = last.answer, fetch
            filled = last.filled
            return Filled(filled.name, filled.filling, "miss", filled.part, self._clock() - began, fetch)
        answer = self._straight.taken(work.exchange, fetch, response, verdict) if response.status == 200 else None
        if answer is None:
            return None
        work.answers[fetch.key] = answer, fetch
        filled, _ = self._read(work, number, fetch, answer, "miss", self._clock() - began)
        body = answer.body
        comes_again = work.exchange.mount is not None and answer.entry is None and type(filled.filling) is Fitted
        if comes_again and isinstance(body, bytes) and len(body) < SMALL:
            self._last.put(fetch, Last(response.head, answer, filled), 2 * len(body))
        return filled

    def _until(self, work: Composition, number: int, fetch: Fetch, now: float) -> float:
        """By when a slot has to be filled. One that composes has time for its own slots, if its page has."""
        slot, fragment = work.plan.slots[number], fetch.fragment
        if fragment is not None and fragment.composes:
            return work.until if slot.timeout is None else min(now + slot.timeout, work.until)
        until = now + fetch.timeout
        if has_alternative(slot, fetch):
            until += fetch.timeout
        return min(until, work.until)

    async def _slot(
        self,
        work: Composition,
        number: int,
        fetch: Fetch,
        until: float,
        verdict: Miss | Bypass = ABSENT,
        begun: Coming | None = None,
    ) -> Filled:
        """One slot's filling, whatever its fragment does; how long that may take is kept by `landed`.

        `begun`: it is asked for already, since it was found to be absent.
        """
        began = self._clock()
        try:
            if begun is None:
                answer, found = await self._asked(work, number, fetch)
            else:
                answer, found = await self._straight.rest(work.exchange, fetch, verdict, begun), fetch
            if answer.status == 200:
                work.answers[fetch.key] = answer, found
            outcome = outcome_of(answer)
            filled, inner = self._read(work, number, found, answer, outcome, self._clock() - began)
            if found is not fetch:
                filled.fetch = None  # what was asked for first may be well again at any moment
            if inner is None:
                return filled
            work.within[number] = filled, self._inner(work, filled, inner, until)
            return await self._whole(*work.within[number])
        except GatewayError as error:
            if isinstance(error, Uncomposable) and work.plan.slots[number].required:
                raise
            outcome = "timeout" if isinstance(error, TimedOut) else "error"
            return self._unfilled(work, number, fetch.team, outcome, str(error), self._clock() - began)

    async def _asked(self, work: Composition, number: int, fetch: Fetch) -> tuple[Answer, Fetch]:
        """The answer of a slot's fragment, or of its alternative where there is one."""
        slot = work.plan.slots[number]
        if not has_alternative(slot, fetch):
            return await self._ask(work.exchange, fetch), fetch
        answer, failed = None, None
        try:
            answer = await self._ask(work.exchange, fetch)
            if answer.status in (200, 204) or (not fetch.follows and 300 <= answer.status < 400):
                return answer, fetch
        except GatewayError as error:
            failed = error
        alternative = self._alternative(work.exchange, slot, fetch)
        if alternative is not None and alternative.key != fetch.key and work.allowance.take():
            return await self._ask(work.exchange, alternative), alternative
        if answer is None:
            assert failed is not None
            raise failed
        return answer, fetch

    async def landed(self, work: Composition, number: int) -> Filled:
        """The filling of a slot that was asked for, waited for no longer than the slot allows."""
        awaited = work.pending.pop(number)
        run = awaited.run
        if not run.done:
            try:
                await self._at_most([run], awaited.deadline - self._clock())
            except asyncio.CancelledError:
                run.cancel()
                raise
        if run.done:
            return self._result(work, number, run)
        fetch = work.fetches[number]
        assert fetch is not None
        within = work.within.get(number)
        try:
            if within is not None:
                return self._as_far(*within)
        except Uncomposable as error:
            return self._unfilled(work, number, fetch.team, "timeout", str(error), fetch.timeout)
        finally:
            run.cancel()
        why = f"no whole answer within {fetch.timeout:g} s"
        return self._unfilled(work, number, fetch.team, "timeout", why, fetch.timeout)

    def done(self, work: Composition, number: int) -> Filled:
        """The same of one that is here."""
        return self._result(work, number, work.pending.pop(number).run)

    def _result(self, work: Composition, number: int, run: OnItsWay) -> Filled:
        """What came of a slot. A defect in one is not the page's."""
        try:
            return run.result()
        except GatewayError:
            raise
        except (Exception, asyncio.CancelledError) as defect:
            fetch = work.fetches[number]
            self._tell(Noticed(work.exchange.now, "compose", "".join(traceback.format_exception(defect))))
            why = f"a defect of the gateway: {type(defect).__name__}: {defect}"
            return self._unfilled(work, number, "" if fetch is None else fetch.team, "error", why, 0.0)

    async def soon(self, work: Composition, numbers: Iterable[int]) -> None:
        """A moment for fast fragments: a page that is whole leaves in one piece, all its styles in its head."""
        await self._at_most([work.pending[number].run for number in numbers], HEAD_START, every=True)

    async def next(self, work: Composition) -> tuple[int, Filled]:
        """Whichever of the pending slots is filled next, or waited for too long."""
        done = next((number for number, awaited in work.pending.items() if awaited.run.done), None)
        if done is None:
            until = min(awaited.deadline for awaited in work.pending.values())
            await self._at_most([awaited.run for awaited in work.pending.values()], until - self._clock())
            done = min(work.pending, key=lambda number: work.pending[number].rank)
        return done, await self.landed(work, done)

    async def _at_most(self, runs: Sequence[OnItsWay], seconds: float, *, every: bool = False) -> None:
        """Until the first of them is done, or all are; no longer than that."""
        waiting = [run for run in runs if not run.done]
        if not waiting or (not every and len(waiting) < len(runs)):
            return
        landed: Later[None] = Later()
        left = len(waiting) if every else 1

        def one(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                landed.set(None)

        for run in waiting:
            run.then = one
        loop = asyncio.get_running_loop()

        def waited() -> None:
            # timers come before sockets are read: what lies there already is not late. Once more around the loop
            loop.call_soon(loop.call_soon, landed.set, None)

        timer = loop.call_later(max(seconds, 0.0), waited)
        try:
            await landed
        finally:
            timer.cancel()
            for run in waiting:
                run.then = None

    # Slots of fragments

    def _inner(self, work: Composition, filled: Filled, plan: Plan, until: float) -> Composition:
        fetches = self._fetches_of(work.exchange, plan, nested=True)
        above = (*work.above, filled.name)
        return Composition(work.exchange, plan, fetches, work.answers, work.allowance, until, above)

    def _whole_at_once(self, work: Composition, number: int, filled: Filled, inner: Composition) -> Filled | None:
        """A piece that is here, if all in it is; else it waits for what has to be asked for."""
        try:
            if self.fill_at_once(inner):
                return joined(filled, inner)
        except Uncomposable as error:
            return self._unfilled(work, number, filled.fetch.team if filled.fetch else "", "error", str(error), 0.0)
        work.within[number] = filled, inner
        return None

    async def _rest_of(self, work: Composition, number: int, until: float) -> Filled:
        """The slots that are not filled yet of a piece that is here."""
        filled, inner = work.within[number]
        inner.until = until
        try:
            return await self._whole(filled, inner)
        except Uncomposable as error:
            return self._unfilled(work, number, filled.fetch.team if filled.fetch else "", "error", str(error), 0.0)

    async def _whole(self, filled: Filled, inner: Composition) -> Filled:
        if not self.fill_at_once(inner) and self._cache.is_shared:
            await self.recall(inner)
        try:
            self.start(inner)
            while inner.pending:
                below = next(iter(inner.pending))
                inner.filled[below] = await self.landed(inner, below)
        except BaseException:
            inner.give_up()
            raise
        return joined(filled, inner)

    def _as_far(self, filled: Filled, inner: Composition) -> Filled:
        """A piece that is here, with what its own slots have by now: no more time is left for the others."""
        for number, each in enumerate(inner.filled):
            if each is not None:
                continue
            awaited, within, fetch = inner.pending.get(number), inner.within.get(number), inner.fetches[number]
            if awaited is not None and awaited.run.done:
                inner.filled[number] = self._result(inner, number, awaited.run)
            elif within is not None:
                inner.filled[number] = self._as_far(*within)
            else:
                team = "" if fetch is None else fetch.team
                inner.filled[number] = self._unfilled(inner, number, team, "timeout", "the page has no time left", 0.0)
        return joined(filled, inner)

    # What comes back

    def _read(
        self, work: Composition, number: int, fetch: Fetch, answer: Answer, outcome: str, seconds: float
    ) -> tuple[Filled, Plan | None]:
        """What an answer puts into its slot, and the plan of it if it has slots of its own."""
        slot = work.plan.slots[number]
        if slot.include is not None and slot.include.stubbed and is_nothing(answer):
            part = part_of(work.exchange, fetch, answer)
            return Filled(slot.name, Fallback(), "empty", part, seconds, fetch, answer.entry), None
        if answer.status == 204:
            part = part_of(work.exchange, fetch, answer)
            return Filled(slot.name, Nothing(), "empty", part, seconds, fetch, answer.entry), None
        if answer.status != 200 or not isinstance(answer.body, bytes):
            return self._no_content(work, number, fetch, answer, seconds), None
        entry = answer.entry
        name = entry.digest if entry is not None else digest(answer.body)
        try:
            filling, inner = self._fit(name, work, number, fetch, answer, answer.body)
        except FragmentsError as error:
            return self._unfilled(work, number, fetch.team, "refused", str(error), seconds), None
        part = part_of(work.exchange, fetch, answer, slot.primary and not fetch.follows)
        return Filled(slot.name, filling, outcome, part, seconds, fetch, entry), inner

    def _no_content(self, work: Composition, number: int, fetch: Fetch, answer: Answer, seconds: float) -> Filled:
        """A primary fragment may send the viewer elsewhere, or say that there is no such page."""
        slot = work.plan.slots[number]
        why = f"its origin answered {answer.status}"
        if slot.primary and not work.above and not work.status:
            if 300 <= answer.status < 400 and not fetch.follows and b"location" in answer.index:
                work.status = answer.status
                work.location = first(mounting.answer(answer.headers, fetch.place), b"location") or b""
                part = part_of(work.exchange, fetch, answer, primary=True)
                return Filled(slot.name, Fallback(), "error", part, seconds)
            if 400 <= answer.status < 500:
                work.status = answer.status
                work.challenge = [field for field in answer.headers if field[0] == b"www-authenticate"]
                return self._stand_in(work, slot, fetch.team, "error", why, seconds)
        return self._unfilled(work, number, fetch.team, "error", why, seconds)

    def _fit(
        self, name: bytes, work: Composition, number: int, fetch: Fetch, answer: Answer, body: bytes
    ) -> tuple[Fitted, Plan | None]:
        fragment = fetch.fragment
        assert fragment is not None
        kind = answer.index.get(b"content-type", b"")
        key = (name, work.plan.digest, number, b"%b %b %b" % (fetch.key, fragment.fitting, kind))
        foreign = brought.foreign(work.exchange.request, work.exchange.form) if fragment.composes else None
        known = self._fitted.get(key) if foreign is None else None
        if known is not None:
            return known
        slot = work.plan.slots[number]
        body = framed(body, slot.include)
        may, ids = fragment.composes, prefix_of(fragment)
        read = piece.read(body, kind.decode("latin-1"), fetch.place, slot.context, slots=may, foreign=foreign, ids=ids)
        fitted = contain.fit(read, slot, fragment.isolation)
        self.say(work.exchange, slot.name, fitted.diagnostics)
        if fitted.module or fitted.rung == "iframe":
            fitted = replace(fitted, head=(RUNTIME, *fitted.head))
        inner = None
        if read.slots:
            inner = plans.compile_piece(fitted.html, slot, foreign)
            self.say(work.exchange, slot.name, inner.diagnostics)
        made = fitted, inner if inner is not None and inner.slots else None
        if foreign is not None:
            return made
        own = len(fitted.html) + sum(len(item.html) for item in fitted.head)
        return self._fitted.put(key, made, own + len(key[3]) + (weight_of(inner) if inner is not None else 0))

    def say(self, exchange: Exchange, name: str, diagnostics: Iterable[Diagnostic]) -> None:
        """What a team should know of its markup, once: it is the same for every page."""
        for each in diagnostics:
            key = name, each.message, exchange.table.number
            if self._said.get(key) is None:
                self._said.put(key, True)
                self._tell(Noticed(exchange.now, "compose", f"{name}: {each.code}: {each.message}"))

    def _unfilled(self, work: Composition, number: int, team: str, outcome: str, why: str, seconds: float) -> Filled:
        """By the slot's criticality: the page fails, its fallback stands in, or nothing does."""
        slot = work.plan.slots[number]
        filled = self._stand_in(work, slot, team, outcome, why, seconds)
        if slot.required:
            raise Uncomposable(f"Required fragment {slot.name!r} of team {team or 'nobody'}: {outcome}, {why}.")
        return filled

    def _stand_in(self, work: Composition, slot: Slot, team: str, outcome: str, why: str, seconds: float) -> Filled:
        if why is not TOO_MANY or not work.allowance.told:
            self._tell(Degraded(work.exchange.id.decode(), work.exchange.now, slot.name, team, outcome, why))
        work.allowance.told = work.allowance.told or why is TOO_MANY
        return Filled(slot.name, Nothing() if slot.optional else Fallback(), outcome, seconds=seconds)


def outcome_of(answer: Answer) -> str:
    """How an answer that was asked for came out; one may be stored, and have had slots that were not."""
    if answer.note.startswith(b"portico; hit; ttl=-") or b"fwd=stale; detail" in answer.note:
        return "stale"
    return "hit" if answer.note.startswith(b"portico; hit") else "miss"


def is_nothing(answer: Answer) -> bool:
    return answer.status == 204 or (answer.status == 200 and isinstance(answer.body, bytes) and not answer.body.strip())


def prefix_of(fragment: Fragment) -> str:
    """What the ids of its pieces begin with."""
    return f"{fragment.name}-" if fragment.ids == "prefix" else ""


def has_alternative(slot: Slot, fetch: Fetch) -> bool:
    if slot.include is not None:
        return slot.include.alternative is not None
    return fetch.fragment is not None and bool(fetch.fragment.alternative)


def joined(filled: Filled, inner: Composition) -> Filled:
    """A piece with its own slots filled is one piece."""
    outer = filled.filling
    assert isinstance(outer, Fitted)
    beneath = [each for each in inner.filled if each is not None]
    pieces = [each.filling for each in beneath]
    fitted = [each for each in pieces if isinstance(each, Fitted)]
    filled.filling = replace(
        outer,
        html=b"".join(page(inner.plan, pieces)),
        head=(*outer.head, *(item for each in fitted for item in each.head)),
        plain=outer.plain and all(each.plain for each in fitted),
    )
    filled.beneath = beneath
    return filled


def weight_of(plan: Plan) -> int:
    """Bytes, near enough: a plan holds its source twice, cut and cut again, and what slots show without a piece."""
    told = (plan.literals, plan.literals, plan.fallbacks, plan.fallbacks, plan.empties)
    return sum(len(part) for parts in told for part in parts) + 1000 * len(plan.slots)


def part_of(exchange: Exchange, fetch: Fetch | None, answer: Answer, primary: bool = False) -> Part:
    """What an answer says about the page it is a part of; of the shell there is no fetch to be asked."""
    entry = answer.entry
    fresh, age = (None, 0.0) if entry is None else (entry.fresh - exchange.now, exchange.now - entry.stored)
    if fetch is None or fetch.fragment is None:
        return Part(answer.head, fresh, age)
    return Part(answer.head, fresh, age, fetch.fragment.headers, fetch.place, primary)


def fetch_of(fragment: Fragment, slot: Slot, exchange: Exchange, timeout: float, viewers: str = "") -> Fetch:
    """What is wanted for a slot: the fragment's path with the slot's attributes as its query, and of the viewer's own
    what its manifest names."""
    target = fragment.path
    query = asked_with(fragment, slot, viewers)
    if query:
        target += (b"&" if b"?" in target else b"?") + query.encode()
    upstream = fragment.upstream
    origins = frozenset(origin.url for origin in upstream.origins)
    base, public = upstream.home + target.decode("latin-1"), exchange.public.decode("latin-1")
    own_tag = tag(upstream.team, upstream.name) if upstream.home else ""
    place = Place(upstream.home, origins, base=base, public=public, tag=own_tag)
    name = (b"primary " if slot.primary else b"") + fragment.name.encode()
    key = keys.fragment(name, exchange.request.scheme, exchange.authority, upstream.home.encode(), target)
    return Fetch(upstream, target, key, place, fragment.policy, timeout, fragment=fragment, follows=not slot.primary)


def asked_with(fragment: Fragment, slot: Slot, viewers: str) -> str:
    """The query of a slot: its own attributes, and of the viewer's what the fragment's manifest names."""
    asked = list(slot.query)
    if viewers and fragment.query:
        said = {name for name, _ in asked}
        own = parse_qsl(viewers, keep_blank_values=True)
        asked += [(name, value) for name, value in own if name in fragment.query and name not in said]
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in asked)


def picked(target: bytes, names: Iterable[str]) -> str:
    """Of a viewer's query, the parameters with these names, as they came; no more than every slot may repeat."""
    query = (paths.split(target)[1] or b"").decode("latin-1")
    wanted, found, left = frozenset(names), [], QUERY
    for pair in query.split("&"):
        if pair and len(pair) < left and dict(parse_qsl(pair, keep_blank_values=True)).keys() & wanted:
            found.append(pair)
            left -= len(pair) + 1
    return "&".join(found)


def framed(body: bytes, include: Include | None) -> bytes:
    """The frame that is wanted of an answer, or all of it."""
    if include is None or include.frame is None:
        return body
    frame = dialects.framed(body, include.frame)
    if frame is None:
        raise NotMarkup(f"The answer holds no <turbo-frame id={include.frame!r}>.")
    return frame
