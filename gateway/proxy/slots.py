"""What goes into the slots of a page: asked for, waited for as long as each may take, and put in.

All fragments of a page are asked for side by side. One that may compose has slots of its own, which are filled once its
answer is here whole, so that who waits holds no connection.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import fragments.late as late
from fragments.contain import Fitted
from fragments.plan import Plan
from gateway.errors import GatewayError, TimedOut, Uncomposable
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Head, Response
from gateway.proxy.asking import Asking, has_alternative
from gateway.proxy.cache import Cache
from gateway.proxy.composition import Allowance, Answers, Composition, Filled, OnItsWay, Wanted, joined
from gateway.proxy.eager import Run
from gateway.proxy.navigation import RUNTIME
from gateway.proxy.reading import TOO_MANY, Reading
from gateway.proxy.straight import Sent, Straight
from gateway.recent import Heaped
from gateway.rules.freshness import ABSENT, Bypass, Hit, Miss
from gateway.telemetry.facts import Noticed
from gateway.telemetry.log import Teller
from gateway.transport.connection import Coming
from gateway.transport.known import ANSWER
from gateway.transport.later import Later, Moment, after_reading

Ask = Callable[[Exchange, Fetch], Awaitable[Answer]]
DEEPEST = 5  # fragments inside one another
HEAD_START = 0.002  # seconds the first byte waits for fragments that are about to come; 5 ms is what we promise
LAST = 8 << 20  # of answers that were not kept, and are recognised when they come again
GRACE = 0.03  # seconds beyond a slot's timeout, so that a transport that times out itself can say so and stale be used


class Last(NamedTuple):
    """An answer that was not kept, and what it was made into: what it says of its page is the same each time."""

    head: Head
    answer: Answer
    filled: Filled


class Asked(Sent[Filled]):
    """A fragment that was asked for straight away, for one slot."""

    __slots__ = ("_slots", "_until", "began", "fetch", "number", "verdict", "work")

    def __init__(
        self,
        slots: "Slots",
        work: Composition,
        number: int,
        fetch: Fetch,
        verdict: Miss | Bypass,
        until: float,
        began: float,
    ) -> None:
        super().__init__()
        self._slots = slots
        self._until = until
        self.work = work
        self.number = number
        self.fetch = fetch
        self.verdict = verdict
        self.began = began

    def read(self, response: Response) -> Filled | None:
        return self._slots.at_hand(self, response)

    def rest(self, begun: Coming) -> Coroutine[Any, Any, Filled]:
        return self._slots.slot(self.work, self.number, self.fetch, self._until, self.verdict, begun)


class Slots:
    """Fills slots from the cache and from origins. `deadline` bounds all slots of a page together, in seconds."""

    def __init__(self, cache: Cache, ask: Ask, straight: Straight, tell: Teller, *, deadline: float) -> None:
        self._cache = cache
        self._straight = straight
        self._ask = ask
        self._tell = tell
        self._asking = Asking(deadline)
        self._reading = Reading(tell)
        self.address, self.say = self._asking.address, self._reading.say
        self._read, self._unfilled = self._reading.read, self._reading.unfilled
        self._clock = time.monotonic
        self._moment = Moment(HEAD_START)
        self._last: Heaped[Fetch, Last] = Heaped(LAST)

    def allowance(self, exchange: Exchange) -> Allowance:
        return Allowance(self._clock() + self._asking.longest(exchange))

    def composition(
        self, exchange: Exchange, plan: Plan, answers: Answers, allowance: Allowance | None = None
    ) -> Composition:
        """`answers` are those that are here already; `allowance` is what is left after them."""
        allowance = allowance or self.allowance(exchange)
        wanted = self._asking.wanted(exchange, plan, nested=False)
        return Composition(exchange, plan, wanted, answers, allowance, allowance.until)

    def alone(self, exchange: Exchange, plan: Plan) -> Composition:
        """A fragment that is a page of its own speaks for its title, not for its address or for cookies."""
        allowance = self.allowance(exchange)
        fetch = self._asking.fetch(exchange, replace(plan.slots[0], primary=False), "")
        return Composition(exchange, plan, Wanted([fetch]), {}, allowance, allowance.until)

    # What is there at once

    def fill_at_once(self, work: Composition) -> bool:
        """Everything that can be put in without waiting; whether that is all."""
        filled, keys = work.filled, work.wanted.keys
        if keys is not None and not (work.counted or work.above or work.answers) and self._cache.lacks(keys):
            many = len(work.fetches)
            if work.allowance.fetches >= many:
                work.allowance.fetches -= many
                work.counted = many
                return not many
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
                if verdict is not ABSENT:
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
        address = self._asking.address(work.exchange, slot)
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
            if fetch.straight:
                until = now + fetch.timeout
                if until > work.until:
                    until = work.until
                run: OnItsWay = self._straight_to(work, number, fetch, until, now) or self._run(
                    work, number, fetch, until
                )
            else:
                until = self._until(work, number, fetch, now)
                run = self._run(work, number, fetch, until)
            work.pending[number] = run
            work.due[number] = until + GRACE

    def _run(self, work: Composition, number: int, fetch: Fetch, until: float) -> Run[Filled]:
        if number in work.within:
            return Run(self._rest_of(work, number, until))
        return Run(self.slot(work, number, fetch, until))

    def _straight_to(self, work: Composition, number: int, fetch: Fetch, until: float, now: float) -> OnItsWay | None:
        """Asked for without ado, where a connection is open and nothing is kept."""
        verdict = work.verdicts.get(number, ABSENT)
        if type(verdict) is not Bypass and not (verdict is ABSENT and self._cache.is_lone(work.exchange, fetch)):
            return None
        asked = Asked(self, work, number, fetch, verdict, until, now)
        connection = asked.connection = self._straight.begin(work.exchange, fetch, asked)
        return None if connection is None else asked

    def at_hand(self, asked: "Asked", response: Response) -> Filled | None:
        """A slot's filling of an answer that is whole and plain; the very same answer comes to the very same."""
        fetch, work = asked.fetch, asked.work
        last = self._last.get(fetch)
        if last is not None and response.head is last.head and response.body is last.answer.body:
            work.answers[fetch.key] = last.answer, fetch
            filled = last.filled
            return Filled(filled.name, filled.filling, "miss", filled.part, self._clock() - asked.began, fetch)
        taken = self._straight.taken
        answer = taken(work.exchange, fetch, response, asked.verdict) if response.status == 200 else None
        if answer is None:
            return None
        work.answers[fetch.key] = answer, fetch
        filled, _ = self._read(work, asked.number, fetch, answer, "miss", self._clock() - asked.began)
        body = answer.body
        comes_again = work.exchange.mount is not None and answer.entry is None and type(filled.filling) is Fitted
        if comes_again and isinstance(body, bytes) and len(body) <= ANSWER:
            self._last.keep(fetch, Last(response.head, answer, filled), 2 * len(body))
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

    async def slot(
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
        alternative = self._asking.alternative(work.exchange, slot, fetch)
        if alternative is not None and alternative.key != fetch.key and work.allowance.take():
            return await self._ask(work.exchange, alternative), alternative
        if answer is None:
            assert failed is not None
            raise failed
        return answer, fetch

    async def landed(self, work: Composition, number: int) -> Filled:
        """The filling of a slot that was asked for, waited for no longer than the slot allows."""
        run = work.pending.pop(number)
        if not run.done:
            try:
                await self._at_most([run], work.due[number] - self._clock())
            except asyncio.CancelledError:
                run.cancel()
                raise
        if run.done:
            return self.result(work, number, run)
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

    def result(self, work: Composition, number: int, run: OnItsWay) -> Filled:
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
        waiting = [run for run in map(work.pending.__getitem__, numbers) if not run.done]
        if waiting:
            landed = landing(waiting, len(waiting))
            self._moment.over(landed)
            await landed

    async def next(self, work: Composition) -> tuple[int, Filled]:
        """Whichever of the pending slots is filled next, or waited for too long."""
        pending = work.pending
        done = next((number for number, run in pending.items() if run.done), None)
        if done is None:
            until = min(work.due[number] for number in pending)
            await self._at_most(list(pending.values()), until - self._clock())
            done = min(pending, key=lambda number: (not pending[number].done, work.due[number]))
        return done, await self.landed(work, done)

    async def _at_most(self, runs: Sequence[OnItsWay], seconds: float) -> None:
        """Until the first of them is done; no longer than that."""
        if any(run.done for run in runs):
            return
        landed = landing(runs, 1)
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.0), after_reading, landed)
        try:
            await landed
        finally:
            timer.cancel()
            for run in runs:
                run.then = None

    # Slots of fragments

    def _inner(self, work: Composition, filled: Filled, plan: Plan, until: float) -> Composition:
        wanted = self._asking.wanted(work.exchange, plan, nested=True)
        above = (*work.above, filled.name)
        return Composition(work.exchange, plan, wanted, work.answers, work.allowance, until, above)

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
            run, within, fetch = inner.pending.get(number), inner.within.get(number), inner.fetches[number]
            if run is not None and run.done:
                inner.filled[number] = self.result(inner, number, run)
            elif within is not None:
                inner.filled[number] = self._as_far(*within)
            else:
                team = "" if fetch is None else fetch.team
                inner.filled[number] = self._unfilled(inner, number, team, "timeout", "the page has no time left", 0.0)
        return joined(filled, inner)


def landing(runs: Sequence[OnItsWay], many: int) -> Later[None]:
    """Set as soon as so many of them are done."""
    landed: Later[None] = Later()
    left = many

    def one(_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            landed.set(None)

    for run in runs:
        run.then = one
    return landed


def outcome_of(answer: Answer) -> str:
    """How an answer that was asked for came out; one may be stored, and have had slots that were not."""
    if answer.note.startswith(b"portico; hit; ttl=-") or b"fwd=stale; detail" in answer.note:
        return "stale"
    return "hit" if answer.note.startswith(b"portico; hit") else "miss"
