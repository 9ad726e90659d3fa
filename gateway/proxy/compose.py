"""A shell and its fragments become one page. Several fetches and a stitch, not a second proxy.

Shells are compiled once per digest, pieces read once per digest; a page whose parts are all here is put together
without waiting, any other is streamed in order while its slots fill.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

import fragments.contain as contain
import fragments.dialects as dialects
import fragments.parse as parse
import fragments.piece as piece
import fragments.plan as plans
import gateway.proxy.includes as included
import gateway.rules.algebra as algebra
import gateway.rules.brought as brought
import gateway.rules.coding as coding
import gateway.rules.keys as keys
import gateway.rules.validators as validators
from fragments.errors import FragmentsError, NotMarkup
from fragments.plan import Foreign, Include, Plan, Slot
from fragments.rewrite import rewriter
from fragments.stitch import Fallback, Filling, Nothing, Stitch, page
from fragments.urls import Place
from fragments.values import Asked
from gateway.errors import GatewayError, TimedOut, Uncomposable
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Fields, Response, Stream, gathered, without
from gateway.proxy.cache import Cache
from gateway.proxy.eager import Run
from gateway.proxy.page import Page, Parts, Zipped, nonce_of, zips
from gateway.recent import Recent
from gateway.rules.algebra import STAND_IN, Lasting, Part
from gateway.rules.freshness import Hit
from gateway.store.codec import digest
from gateway.table import Fragment, tag
from gateway.telemetry.facts import Degraded
from gateway.telemetry.log import Teller
from gateway.transport.later import Later

Ask = Callable[[Exchange, Fetch], Awaitable[Answer]]
READS = frozenset({b"GET", b"HEAD"})
SLOTS = 100  # fetches for one page; larger portals than any we know of, and a bound for a bomb
HEAD_START = 0.002  # seconds the first byte waits for fragments that are about to come; 5 ms is what we promise
GRACE = 0.03  # seconds beyond a slot's timeout, so that a transport that times out itself can say so and stale be used


class Filled:
    """A slot's filling, and what it says about the page it stands in. `key` names the filling's bytes."""

    __slots__ = ("filling", "key", "outcome", "part", "seconds")

    def __init__(
        self,
        filling: Filling,
        key: bytes,
        outcome: str,
        part: Part = STAND_IN,
        seconds: float = 0.0,
    ) -> None:
        self.filling = filling
        self.key = key
        self.outcome = outcome
        self.part = part
        self.seconds = seconds


class Awaited:
    """A slot's filling on its way, and the moment after which nobody waits for it."""

    __slots__ = ("deadline", "run")

    def __init__(self, run: Run[Filled], deadline: float) -> None:
        self.run = run
        self.deadline = deadline


Pending = dict[int, Awaited]
Answers = dict[bytes, tuple[Answer, Fetch]]  # by the key of what was asked for first
STANDS = Filled(Nothing(), b"nothing", "pending")  # of a slot that is not looked at yet


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
        self._texts: Recent[bytes, dialects.Page] = Recent(256)
        self._fetches: Recent[tuple[str, int, bytes], list[Fetch | None]] = Recent(1024)
        self._fitted: Recent[tuple[bytes, str, int, bytes], Filling] = Recent(8192)
        self._pages: Recent[tuple[bytes, bytes, bool], Page] = Recent(512)
        self._names: Recent[bytes, bytes] = Recent(1024)

    def ready(self, exchange: Exchange) -> Response | None:
        """The page as it was put together the last time, if every part of it still stands."""
        request = exchange.request
        page = self._pages.get((exchange.public, request.target, zips(exchange)))
        if page is None or request.method not in READS or b"authorization" in request.head.index:
            return None  # a part of a page is not for sale, so Range is no reason to look further
        return page.response(exchange) if page.stands(exchange, self._cache.held) else None

    async def compose(self, exchange: Exchange, fetch: Fetch, answer: Answer) -> Response:
        """The answer of a composing mount, its slots filled; one that is no page, or has none, as it is."""
        if answer.status in (206, 304) and algebra.of_the_shell(exchange.request, answer):
            answer = await self._asked_again(exchange, fetch, answer)
        if not algebra.may_be_composed(answer):
            return answer
        if exchange.request.method == b"HEAD" and answer.entry is None:
            return Response(answer.status, self._said(exchange, answer, [None])[0], b"")
        answer.body = body = await gathered(answer.body, self._page_bytes)
        if not isinstance(body, bytes) or len(body) > self._page_bytes:
            why = f"it is longer than {self._page_bytes} bytes; its slots are not filled"
            self._uncomposed(exchange, why)
            return answer
        foreign = brought.foreign(exchange.request, exchange.form)
        languages = dialects.spoken(body, fetch.upstream.dialects)
        if languages:
            return await self._spoken(exchange, fetch, answer, body, languages, foreign)
        plan = self._plan(exchange, answer, body, foreign)
        if plan is None:
            return answer
        return await self._fill(exchange, fetch, answer, plan, {})

    async def _asked_again(self, exchange: Exchange, fetch: Fetch, answer: Answer) -> Answer:
        """The whole shell: the viewer's conditions and ranges are about the page, of which its origin knows nothing."""
        if isinstance(answer.body, Stream):
            answer.body.close()
        asked = exchange.request
        exchange.request = algebra.unconditional(asked)
        try:
            answer = await self._ask(exchange, fetch)
        finally:
            exchange.request = asked
        exchange.note = answer.note
        return answer

    def _plan(self, exchange: Exchange, shell: Answer, body: bytes, foreign: Foreign | None) -> Plan | None:
        """The shell compiled, None when there is nothing to fill. One that costs too much to read stays as it is."""
        if not plans.has_slots(body):
            return None
        name = shell.entry.digest if shell.entry is not None else digest(body)
        plan = self._plans.get(name) if foreign is None else None
        if plan is None:
            try:
                plan = plans.compile(utf8(body, shell.index.get(b"content-type", b"")), foreign=foreign)
            except FragmentsError as error:
                self._uncomposed(exchange, str(error))
                return None
            if foreign is None:
                self._plans.put(name, plan)
        return plan if plan.slots else None

    def _uncomposed(self, exchange: Exchange, why: str) -> None:
        self._tell(Degraded(exchange.id.decode(), exchange.now, "-", "", "uncomposed", why))

    # Shells in other languages

    async def _spoken(
        self,
        exchange: Exchange,
        fetch: Fetch,
        shell: Answer,
        body: bytes,
        languages: Sequence[str],
        foreign: Foreign | None,
    ) -> Response:
        """Read once, said for this request; an attempt that fails is said anew with what stands in for it."""
        failed: frozenset[int] = frozenset()
        answers: Answers = {}
        asked = asked_of(exchange, fetch)
        try:
            text = self._read_page(shell, body, languages, foreign)
            shell = for_one_viewer(shell) if text.depends else shell
            while True:
                plan = self._plan_said(fetch, text, asked, failed)
                lost = await self._attempts(exchange, plan, answers)
                if not lost:
                    return await self._fill(exchange, fetch, shell, plan, answers)
                failed |= lost
                shell = for_one_viewer(shell)
        except FragmentsError as error:
            self._uncomposed(exchange, str(error))
            return shell

    def _read_page(
        self, shell: Answer, body: bytes, languages: Sequence[str], foreign: Foreign | None
    ) -> dialects.Page:
        name = (shell.entry.digest if shell.entry is not None else digest(body)) + ",".join(languages).encode()
        known = self._texts.get(name) if foreign is None else None
        if known is not None:
            return known
        text = dialects.read(utf8(body, shell.index.get(b"content-type", b"")), languages, foreign)
        return text if foreign is not None else self._texts.put(name, text)

    def _plan_said(self, fetch: Fetch, text: dialects.Page, asked: Asked, failed: frozenset[int]) -> Plan:
        """The plan of what a text says. One that says the same to everybody is said once at each address."""
        if text.foreign is not None:
            return self._compiled(fetch, text, dialects.say(text, asked, failed))
        name = b"" if text.depends else b"%b %b %b" % (text.digest, repr(sorted(failed)).encode(), fetch.key)
        plan = self._plans.get(name) if name else None
        if plan is not None:
            return plan
        said = dialects.say(text, asked, failed)
        name = name or digest(said.text + fetch.key)
        return self._plans.get(name) or self._plans.put(name, self._compiled(fetch, text, said))

    def _compiled(self, fetch: Fetch, text: dialects.Page, said: dialects.Shell) -> Plan:
        markup = said.text
        editor = rewriter("text/html", fetch.place) if text.tree.unwraps and fetch.place.prefix else None
        if editor is not None:  # what stood in a comment has not been put below the mount
            markup = editor.feed(markup) + editor.close()
        return plans.compile(markup, said.includes, text.foreign)

    async def _attempts(self, exchange: Exchange, plan: Plan, answers: Answers) -> frozenset[int]:
        """Asks for what attempts include, and says which attempts failed: exactly one of two branches is shown."""
        groups = {number: slot.include.group for number, slot in enumerate(plan.slots) if slot.include is not None}
        tried = {number: group for number, group in groups.items() if group is not None}
        if not tried:
            return frozenset()
        fetches = self._fetches_of(exchange, plan)
        filled: list[Filled | None] = [STANDS] * len(fetches)
        for number in tried:
            filled[number] = self._at_once(exchange, plan, number, fetches[number], answers)
        pending = self._begin(exchange, plan, fetches, filled, answers)
        try:
            for number in list(pending):
                filled[number] = await self._landed(exchange, plan, number, fetches, pending)
        except BaseException:
            give_up(pending)
            raise
        return frozenset(group for number, group in tried.items() if _failed(filled[number]))

    # Filling

    async def _fill(self, exchange: Exchange, fetch: Fetch, shell: Answer, plan: Plan, answers: Answers) -> Response:
        """`answers` are those that are here already."""
        fetches = self._fetches_of(exchange, plan)
        filled = [self._at_once(exchange, plan, number, fetch, answers) for number, fetch in enumerate(fetches)]
        if None in filled:
            if exchange.request.method == b"HEAD":
                return Response(shell.status, self._said(exchange, shell, filled)[0], b"")
            if self._cache.is_shared:
                await self._recall(exchange, plan, fetches, filled)
            pending = self._begin(exchange, plan, fetches, filled, answers)
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
        if slot.include is not None:
            wait = self._wait(exchange, slot, included.TIMEOUT if slot.timeout is None else slot.timeout)
            return included.fetch_of(slot.include.source, exchange, wait) or self._alternative(exchange, slot)
        fragment = exchange.table.fragments.get(slot.name)
        if fragment is None:
            return None
        return fetch_of(fragment, slot.query, exchange, self._wait(exchange, slot, fragment.timeout))

    def _alternative(self, exchange: Exchange, slot: Slot) -> Fetch | None:
        """What is asked for when a slot's first answer is none."""
        if slot.include is None or slot.include.alternative is None:
            return None
        return included.fetch_of(slot.include.alternative, exchange, self._wait(exchange, slot, included.TIMEOUT))

    def _wait(self, exchange: Exchange, slot: Slot, own: float) -> float:
        waits = [own, self._deadline]
        if slot.timeout is not None:
            waits.append(slot.timeout)
        if exchange.mount is not None and exchange.mount.deadline is not None:
            waits.append(exchange.mount.deadline)
        return min(waits)

    async def _recall(
        self, exchange: Exchange, plan: Plan, fetches: Sequence[Fetch | None], filled: list[Filled | None]
    ) -> None:
        """One question to the shared store for all slots that memory cannot fill."""
        missing = {
            number: fetch for number, fetch in enumerate(fetches) if filled[number] is None and fetch is not None
        }
        await self._cache.recall(list(missing.values()), exchange.request)
        for number, fetch in missing.items():
            filled[number] = self._at_once(exchange, plan, number, fetch, {})

    def _begin(
        self,
        exchange: Exchange,
        plan: Plan,
        fetches: Sequence[Fetch | None],
        filled: list[Filled | None],
        answers: Answers,
    ) -> Pending:
        """All missing fragments are asked for now, side by side."""
        pending: Pending = {}
        for number, fetch in enumerate(fetches):
            if filled[number] is None and fetch is not None:
                include = plan.slots[number].include
                twice = 2 if include is not None and include.alternative is not None else 1
                deadline = self._clock() + min(twice * fetch.timeout, self._deadline) + GRACE
                pending[number] = Awaited(Run(self._slot(exchange, plan, number, fetch, answers)), deadline)
        return pending

    # What comes back

    def _at_once(
        self, exchange: Exchange, plan: Plan, number: int, fetch: Fetch | None, answers: Answers
    ) -> Filled | None:
        """What can be put into a slot without waiting."""
        if fetch is None:
            slot = plan.slots[number]
            why = f"a page is filled with at most {SLOTS} fragments"
            if number < SLOTS:
                named = slot.include is None
                why = (
                    f"no manifest declares {slot.name!r}"
                    if named
                    else f"{slot.name!r} is below no mount of this portal"
                )
            return self._unfilled(exchange, slot, "", "unknown", why, 0.0)
        if answers and (known := answers.get(fetch.key)) is not None:
            return self._read(exchange, plan, number, known[1], known[0], "miss", 0.0)
        verdict = self._cache.look(exchange, fetch)
        if type(verdict) is not Hit:
            return None
        entry = verdict.entry
        answer = Answer(entry.status, entry.head, entry.body, b"", entry)
        return self._read(exchange, plan, number, fetch, answer, "hit", 0.0)

    async def _slot(self, exchange: Exchange, plan: Plan, number: int, fetch: Fetch, answers: Answers) -> Filled:
        """One slot's filling, whatever its fragment does; how long that may take is kept by `_landed`."""
        began = self._clock()
        try:
            answer, found = await self._asked_twice(exchange, plan.slots[number], fetch)
            if answer.status == 200:
                answers[fetch.key] = answer, found
        except GatewayError as error:
            outcome = "timeout" if isinstance(error, TimedOut) else "error"
            return self._unfilled(exchange, plan.slots[number], fetch.team, outcome, str(error), self._clock() - began)
        outcome = "stale" if answer.note.startswith(b"portico; hit") or b"fwd=stale; detail" in answer.note else "miss"
        return self._read(exchange, plan, number, found, answer, outcome, self._clock() - began)

    async def _asked_twice(self, exchange: Exchange, slot: Slot, fetch: Fetch) -> tuple[Answer, Fetch]:
        """The answer of a slot's fragment, or of its alternative where there is one."""
        alternative = self._alternative(exchange, slot)
        if alternative is None or alternative.key == fetch.key:
            return await self._ask(exchange, fetch), fetch
        with contextlib.suppress(GatewayError):
            answer = await self._ask(exchange, fetch)
            if answer.status in (200, 204):
                return answer, fetch
        return await self._ask(exchange, alternative), alternative

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
            return Filled(Nothing(), b"empty", "empty", part_of(exchange, fetch, answer), seconds)
        if answer.status != 200 or not isinstance(answer.body, bytes):
            why = f"its origin answered {answer.status}"
            return self._unfilled(exchange, slot, fetch.team, "error", why, seconds)
        entry = answer.entry
        name = entry.digest if entry is not None else digest(answer.body)
        try:
            filling = self._fit(name, plan, number, fetch, answer, answer.body)
        except FragmentsError as error:
            return self._unfilled(exchange, slot, fetch.team, "refused", str(error), seconds)
        return Filled(filling, name, outcome, part_of(exchange, fetch, answer, slot.primary), seconds)

    def _fit(self, name: bytes, plan: Plan, number: int, fetch: Fetch, answer: Answer, body: bytes) -> Filling:
        isolation = fetch.fragment.isolation if fetch.fragment is not None else "none"
        key = (name, plan.digest, number, fetch.key + isolation.encode())
        known = self._fitted.get(key)
        if known is not None:
            return known
        kind = answer.index.get(b"content-type", b"").decode("latin-1")
        slot = plan.slots[number]
        body = framed(body, slot.include)
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
        nonce = nonce_of(shell, plan.literals)
        fields, lasting = self._said(exchange, shell, filled, plan)
        if nonce is None:
            parts = page(plan, [each.filling for each in filled])
            if shell.status == 200 and exchange.request.method in READS:
                fields.append((b"etag", algebra.etag(map(self._name, parts))))
        else:
            parts = nonce.over(page(plan, [nonce.on(each.filling) for each in filled]))
            fields = nonce.fields(fields)
        zipped = zips(exchange)
        body = coding.joined_gzip(parts) if zipped else b"".join(parts)
        if zipped:
            fields.append((b"content-encoding", b"gzip"))
        fresh = min((each.part.fresh or 0.0 for each in filled), default=0.0)
        if nonce is None and fresh > 0 and shell.entry is not None and shell.entry.fresh > exchange.now:
            kept = without(fields, b"cache-control")
            made = Page(exchange, shell.status, kept, body, lasting, min(exchange.now + fresh, shell.entry.fresh))
            if all(fetch is not None and made.rests_on(fetch, self._cache.held) for fetch in fetches):
                self._pages.put((exchange.public, exchange.request.target, zipped), made)
        return Response(shell.status, fields, body)

    def _name(self, part: bytes) -> bytes:
        """The digest of a part; almost all parts stand in many pages."""
        return self._names.get(part) or self._names.put(part, digest(part))

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
        nonce = nonce_of(shell, plan.literals)
        known = [each.filling if each is not None else None for each in filled]
        stitch = Stitch(plan, known if nonce is None else [each and nonce.on(each) for each in known])
        waiting = sorted(pending)

        async def rest(number: int) -> list[bytes]:
            landed = await self._landed(exchange, plan, number, fetches, pending)
            return stitch.fill(landed.filling) if nonce is None else nonce.over(stitch.fill(nonce.on(landed.filling)))

        fields, _ = self._said(exchange, shell, filled, plan)
        opening = stitch.open()
        if nonce is not None:
            fields, opening = nonce.fields(fields), nonce.over(opening)
        stream = Parts(opening, waiting, rest, lambda: give_up(pending))
        if not zips(exchange):
            return Response(shell.status, fields, stream)
        fields.append((b"content-encoding", b"gzip"))
        return Response(shell.status, fields, Zipped(stream))

    def _said(
        self, exchange: Exchange, shell: Answer, filled: Sequence[Filled | None], plan: Plan | None = None
    ) -> tuple[Fields, Lasting]:
        """The page's fields by what its parts say; one that is still to come may say anything."""
        parts = [part_of(exchange, None, shell), *(STAND_IN if each is None else each.part for each in filled)]
        fields, lasting = algebra.page(parts)
        if any(each is not None and each.outcome == "stale" for each in filled) and b"; detail=" not in exchange.note:
            exchange.note += b"; detail=stale-part"
        if plan is not None:
            exchange.timings = validators.server_timing(
                (slot.name, each.outcome if each else "pending", each.seconds if each else 0.0)
                for slot, each in zip(plan.slots, filled, strict=True)
            )
        return fields, lasting


def part_of(exchange: Exchange, fetch: Fetch | None, answer: Answer, primary: bool = False) -> Part:
    """What an answer says about the page it is a part of; of the shell there is no fetch to be asked."""
    entry = answer.entry
    fresh, age = (None, 0.0) if entry is None else (entry.fresh - exchange.now, exchange.now - entry.stored)
    if fetch is None or fetch.fragment is None:
        return Part(answer.head, fresh, age)
    return Part(answer.head, fresh, age, fetch.fragment.headers, fetch.place, primary)


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


def asked_of(exchange: Exchange, fetch: Fetch) -> Asked:
    """What a shell may say of the request: no more of its cookies than its origin is shown."""
    shared = () if fetch.mount is None else fetch.mount.cookies
    return brought.asked(exchange.request, exchange.public, exchange.request.target, fetch.place.tag, shared)


def for_one_viewer(shell: Answer) -> Answer:
    """A shell that says what was asked is nobody else's, whatever its origin thought of the text before."""
    fields = without(shell.head.fields, b"cache-control", b"expires", b"age", b"etag", b"last-modified")
    said = shell.index.get(b"cache-control", b"")
    strict = said if b"no-store" in said.lower() else algebra.NO_SHARING
    return Answer(shell.status, [*fields, (b"cache-control", strict)], shell.body, shell.note)


def framed(body: bytes, include: Include | None) -> bytes:
    """The frame that is wanted of an answer, or all of it."""
    if include is None or include.frame is None:
        return body
    frame = dialects.framed(body, include.frame)
    if frame is None:
        raise NotMarkup(f"The answer holds no <turbo-frame id={include.frame!r}>.")
    return frame


def _failed(filled: Filled | None) -> bool:
    return filled is None or filled.outcome in ("timeout", "error", "refused", "unknown")


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
