"""A shell and its fragments become one page. Several fetches and a stitch, not a second proxy.

Shells are compiled once per digest, pieces read once per digest; a page whose parts are all here is put together
without waiting, any other is streamed in order while its slots fill, and late ones follow in whatever order they come.
"""

import json
from collections.abc import Callable, Iterator, Sequence

import fragments.clashes as clashes
import fragments.dialects as dialects
import fragments.late as late
import fragments.plan as plans
import gateway.proxy.alone as alone
import gateway.proxy.hints as hints
import gateway.proxy.navigation as navigation
import gateway.rules.algebra as algebra
import gateway.rules.brought as brought
import gateway.rules.paths as paths
import gateway.rules.surrogates as surrogates
import gateway.rules.validators as validators
from fragments.contain import Fitted
from fragments.errors import FragmentsError
from fragments.head import HeadItem
from fragments.plan import Foreign, Plan
from fragments.stitch import Filling, Stitch, page
from gateway.errors import NotFound
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Fields, Response, Stream, gathered, without
from gateway.proxy.cache import Cache
from gateway.proxy.composition import Composition, Filled
from gateway.proxy.hints import Hints
from gateway.proxy.page import Again, Nonce, Page, Parts, Stitched, Zipped, nonce_of, packed, zips
from gateway.proxy.reading import part_of, weight_of
from gateway.proxy.slots import Ask, Slots
from gateway.proxy.spoken import Spoken, named, utf8
from gateway.proxy.straight import Straight
from gateway.recent import Weighed
from gateway.rules.algebra import Lasting, Part
from gateway.store.codec import digest
from gateway.table import Mount
from gateway.telemetry.facts import Degraded
from gateway.telemetry.log import Teller

READS = frozenset({b"GET", b"HEAD"})
A_YEAR = 365 * 86400.0
PLANS = 16 << 20  # bytes of shells as they were compiled
SHELLS = 8 << 20  # of shells that are known, by their address, when they come again
PAGES = 64 << 20  # of pages that are given out while every part of them stands
STITCHED = 8 << 20  # of pages of which a part has to be fetched each time, and is mostly the same again
NAMED = 8 << 20  # of parts whose digests are known

HINTS = 8 << 20  # bytes of what pages loaded, to be told early


class Composer:
    """`deadline` bounds all slots of a page together, in seconds."""

    def __init__(
        self, cache: Cache, ask: Ask, straight: Straight, tell: Teller, *, deadline: float, page_bytes: int
    ) -> None:
        self._cache = cache
        self._ask = ask
        self._tell = tell
        self._page_bytes = page_bytes
        self._slots = Slots(cache, ask, straight, tell, deadline=deadline)
        self._spoken = Spoken(self._slots)
        self._plans: Weighed[bytes, Plan] = Weighed(PLANS)
        self._shells: Weighed[tuple[bytes, bytes, bytes], tuple[bytes, Plan | None]] = Weighed(SHELLS)
        self._pages: Weighed[tuple[bytes, bytes, bool], Page] = Weighed(PAGES)
        self._stitched: Weighed[tuple[str, bool], Stitched] = Weighed(STITCHED)
        self._names: Weighed[bytes, bytes] = Weighed(NAMED)
        self._hints: Weighed[tuple[bytes, bytes], Hints] = Weighed(HINTS)

    def ready(self, exchange: Exchange) -> Response | None:
        """The page as it was put together the last time, if every part of it still stands."""
        request = exchange.request
        page = self._pages.get((exchange.public, request.target, zips(exchange)))
        if page is None or request.method not in READS or b"authorization" in request.head.index:
            return None  # a part of a page is not for sale, so Range is no reason to look further
        return page.response(exchange) if page.stands(exchange, self._cache.held) else None

    def hint(self, exchange: Exchange) -> None:
        """What the page loaded the last time is told before anything of it is here (RFC 8297), to who shows pages."""
        request = exchange.request
        if request.hints is not None and request.head.index.get(b"sec-fetch-mode") == b"navigate":
            hints = self._hints.get((exchange.public, request.target))
            if hints is not None and hints.link:
                request.hints([(b"link", hints.link)])

    async def compose(self, exchange: Exchange, fetch: Fetch, answer: Answer) -> Response:
        """The answer of a composing mount, its slots filled; one that is no page, or has none, as it is."""
        if answer.status in (206, 304) and algebra.of_the_shell(exchange.request, answer):
            answer = await self._asked_again(exchange, fetch, answer)
        asked = surrogates.asked(answer.head)
        answer.head = surrogates.shown(answer.head)
        if not algebra.may_be_composed(answer) or (fetch.mount and fetch.mount.asked and not asked):
            return answer
        if exchange.request.method == b"HEAD" and answer.entry is None:
            return Response(answer.status, self._said(exchange, answer, [None])[0], b"")
        body: bytes | None = answer.body if type(answer.body) is bytes else None
        if body is None or len(body) > self._page_bytes:
            body = await self._gathered(exchange, answer)
        if body is None:
            return answer
        foreign = brought.foreign(exchange.request, exchange.form)
        languages = dialects.spoken(body, fetch.upstream.dialects)
        if asked is not None and b"esi" not in asked:
            languages = tuple(each for each in languages if each != "esi")
        try:
            if languages:
                work, shell = await self._spoken.said(exchange, fetch, answer, body, languages, foreign)
            else:
                plan = self._plan(exchange, answer, body, foreign)
                if plan is None:
                    return answer
                work, shell = self._slots.composition(exchange, plan, {}), answer
        except FragmentsError as error:
            self._uncomposed(exchange, str(error))
            return answer
        return await self._fill(work, shell, fetch)

    async def alone(self, exchange: Exchange, name: str, query: bytes) -> Response:
        """A fragment as a page of its own, for the viewer's scripts and frames, and for whoever looks at it."""
        if name not in exchange.table.fragments:
            raise NotFound(f"No manifest declares the fragment {name!r}.")
        exchange.mount = None
        plan = alone.page(name, query)
        work = self._slots.alone(exchange, plan)
        if not self._slots.fill_at_once(work):
            await self._ask_for_the_rest(work)
        filled = work.filled[0]
        assert filled is not None
        work.plan = alone.page(name, query, alone.language(filled))
        return self._together(work, alone.shell(exchange.now, filled), None)

    async def outline(self, exchange: Exchange, answer: Answer, mount: Mount) -> Response:
        """What a script has to know of a page to go there without a load: its shell, and what its slots hold."""
        body = await self._gathered(exchange, answer) if algebra.may_be_composed(answer) else None
        foreign = brought.foreign(exchange.request, exchange.form)
        if isinstance(answer.body, Stream):
            answer.body.close()
        plan = None
        if body is not None and answer.status == 200 and foreign is None and not mount.upstream.dialects:
            plan = self._plan(exchange, answer, body, None)
        if plan is None or any(slot.primary for slot in plan.slots):  # which speaks for its page's title and status
            raise NotFound("This page cannot be gone to softly: load it.")
        slots = [
            {"mark": slot.mark, "name": slot.name, "kept": slot.kept, "src": self._slots.address(exchange, slot)}
            for slot in plan.slots
        ]
        told = {"shell": navigation.shell(plan), "title": navigation.title(plan), "slots": slots}
        fields = [(b"content-type", b"application/json"), (b"cache-control", b"private, no-cache")]
        return Response(200, fields, json.dumps(told, ensure_ascii=False).encode())

    async def _gathered(self, exchange: Exchange, answer: Answer) -> bytes | None:
        """The shell whole, None where it is too long; then it stays as it is."""
        answer.body = body = await gathered(answer.body, self._page_bytes)
        if isinstance(body, bytes) and len(body) <= self._page_bytes:
            return body
        self._uncomposed(exchange, f"it is longer than {self._page_bytes} bytes; its slots are not filled")
        return None

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
        """The shell compiled, None when there is nothing to fill. Raises FragmentsError: it costs too much to read."""
        if foreign is not None:
            return self._compiled(exchange, shell, body, foreign)
        kind = shell.index.get(b"content-type", b"")
        address = (exchange.public, exchange.request.target, kind)
        last = self._shells.get(address)
        if last is None or last[0] != body:  # most are the same again, and to see that costs less than a digest
            weight = len(body) + sum(map(len, address))
            last = self._shells.put(address, (body, self._compiled(exchange, shell, body, None)), weight)
        return last[1]

    def _compiled(self, exchange: Exchange, shell: Answer, body: bytes, foreign: Foreign | None) -> Plan | None:
        if not plans.has_slots(body):
            return None
        name = named(shell, body)
        plan = self._plans.get(name) if foreign is None else None
        if plan is None:
            plan = plans.compile(utf8(body, shell.index.get(b"content-type", b"")), foreign=foreign)
            if foreign is None:
                self._plans.put(name, plan, weight_of(plan))
                self._slots.say(exchange, path_of(exchange), plan.diagnostics)
        return plan if plan.slots else None

    def _uncomposed(self, exchange: Exchange, why: str) -> None:
        self._tell(Degraded(exchange.id.decode(), exchange.now, "-", "", "uncomposed", why))

    # Filling

    async def _fill(self, work: Composition, shell: Answer, fetch: Fetch | None) -> Response:
        if not self._slots.fill_at_once(work):
            if work.exchange.request.method == b"HEAD":
                return Response(shell.status, self._said(work.exchange, shell, work.filled)[0], b"")
            await self._ask_for_the_rest(work)
        if work.location:
            return self._moved(work, shell)
        return self._streamed(work, shell) if work.pending else self._together(work, shell, fetch)

    def _moved(self, work: Composition, shell: Answer) -> Response:
        """To where the primary fragment sends the viewer, with what both say of how long that holds."""
        work.give_up()
        said = [each for each in work.filled if each is not None and each.part is not None and each.part.primary]
        fields = without(self._said(work.exchange, shell, said)[0], b"content-type", b"speculation-rules")
        return Response(work.status, [*fields, (b"location", work.location)], b"")

    async def _ask_for_the_rest(self, work: Composition) -> None:
        if self._cache.is_shared:
            await self._slots.recall(work)
        try:
            self._slots.start(work)
            if not work.plan.ordinary:
                await self._decisive(work)
            soon = [number for number in work.pending if work.plan.ordinary or not is_late(work.plan, number)]
            if soon:
                await self._slots.soon(work, soon)
            await self._decisive(work)
        except BaseException:
            work.give_up()
            raise

    async def _decisive(self, work: Composition) -> None:
        """Required and primary slots come before the first byte: they may still change the status."""
        slots = work.plan.slots
        for number, run in list(work.pending.items()):
            if run.done:
                del work.pending[number]
                work.filled[number] = self._slots.result(work, number, run)
            elif slots[number].required or slots[number].primary:
                work.filled[number] = await self._slots.landed(work, number)

    # What the viewer gets

    def _together(self, work: Composition, shell: Answer, fetch: Fetch | None) -> Response:
        """All is here: one body, kept for whoever asks for the same before a part of it changes."""
        exchange, plan = work.exchange, work.plan
        filled = [each for each in work.filled if each is not None]
        zipped = zips(exchange)
        last = self._stitched.get((plan.digest, zipped))
        if last is not None and last.again is not None and last.again.is_of(work, shell, filled):
            exchange.timings = last.again.timed % tuple([each.seconds * 1000 for each in filled])
            return Response(shell.status, last.again.head, last.body)
        nonce = nonce_of(shell, plan.literals)
        more = navigation.items(exchange.mount, plan)
        status = status_of(work, shell)
        fields, lasting = self._said(exchange, shell, filled, plan)
        fields += work.challenge
        self._remember(work, shell)
        if zipped:
            fields.append((b"content-encoding", b"gzip"))
        if nonce is not None:
            parts = nonce.over(page(plan, [nonce.on(each.filling) for each in filled], nonce.on_items(more)))
            return Response(status, nonce.fields(fields), packed(parts, zipped))
        stitched = self._stitch(work, filled, more, zipped)
        body = stitched.body
        if status == 200 and exchange.request.method in READS:
            fields.append((b"etag", stitched.etag))
        if shell.entry is not None and fetch is not None:
            self._keep(exchange, Page(exchange, status, fields, body, lasting), (fetch, shell.entry), filled, zipped)
        head = stitched.head(fields)
        if not lasting.lasts and Again.may_be(work, filled):
            timed = validators.server_timing_of(timings(plan, filled))
            stitched.again = Again(exchange.mount, shell.head, shell.status, filled, timed, head)
        return Response(status, head, body)

    def _keep(
        self, exchange: Exchange, page: Page, shell: tuple[Fetch, Entry], filled: Sequence[Filled], zipped: bool
    ) -> None:
        """For whoever asks for the same, while every part of it is kept as well."""
        fresh = min((part.fresh or 0.0 for part in parts_of(filled)), default=A_YEAR)
        until = min(exchange.now + fresh, shell[1].fresh)
        if until > exchange.now and page.rests_on([shell, *rests_of(filled)], until, self._cache.held):
            weight = len(page.body) + len(exchange.request.target) + len(exchange.public)
            self._pages.put((exchange.public, exchange.request.target, zipped), page, weight)

    def _stitch(
        self, work: Composition, filled: Sequence[Filled], more: tuple[HeadItem, ...], zipped: bool
    ) -> Stitched:
        """The page's bytes; of the same fillings they are the same."""
        plan = work.plan
        fillings = [each.filling for each in filled]
        last = self._stitched.get((plan.digest, zipped))
        if last is not None and last.plan is plan and last.fillings == fillings and last.more == more:
            return last
        pieces = [(each.name, each.filling) for each in filled if type(each.filling) is Fitted]
        self._slots.say(work.exchange, path_of(work.exchange), clashes.between(pieces, plan.heading.map_text))
        parts = page(plan, fillings, more)
        made = Stitched(plan, fillings, more, algebra.etag(map(self._name, parts)), packed(parts, zipped))
        return self._stitched.put((plan.digest, zipped), made, len(made.body) + len(plan.digest))

    def _name(self, part: bytes) -> bytes:
        """The digest of a part; almost all parts stand in many pages."""
        return self._names.get(part) or self._names.put(part, digest(part), len(part))

    def _streamed(self, work: Composition, shell: Answer) -> Response:
        """The page leaves up to the first slot that is not here, and goes on as they come."""
        exchange, plan = work.exchange, work.plan
        nonce = nonce_of(shell, plan.literals)
        more = navigation.items(exchange.mount, plan)
        coming = [number for number in work.pending if is_late(plan, number)]
        known = [None if each is None else each.filling for each in work.filled]
        for number in coming:
            known[number] = late.waiting(plan.slots[number], (navigation.RUNTIME,))
        fields, _ = self._said(exchange, shell, work.filled, plan)
        fields += self._hinted(exchange) + work.challenge
        if nonce is None:
            stitch = Stitch(plan, known, coming, more)
            opening = stitch.open()
        else:
            stitch = Stitch(plan, [each and nonce.on(each) for each in known], coming, nonce.on_items(more))
            fields, opening = nonce.fields(fields), nonce.over(stitch.open())
        waiting = sorted(number for number in work.pending if number not in coming)
        stream = Parts(opening, Rest(self._slots, work, stitch, nonce, waiting, lambda: self._remember(work, shell)))
        if not zips(exchange):
            return Response(status_of(work, shell), fields, stream)
        fields.append((b"content-encoding", b"gzip"))
        return Response(status_of(work, shell), fields, Zipped(stream))

    def _said(
        self, exchange: Exchange, shell: Answer, filled: Sequence[Filled | None], plan: Plan | None = None
    ) -> tuple[Fields, Lasting]:
        """The page's fields by what its parts say; one that is still to come may say anything."""
        fields, lasting = algebra.page([part_of(exchange, None, shell), *parts_of(filled)])
        if any(each is not None and each.outcome == "stale" for each in filled) and b"; detail=" not in exchange.note:
            exchange.note += b"; detail=stale-part"
        if plan is not None:
            exchange.timings = validators.server_timing(timings(plan, filled))
        if exchange.mount is not None:
            fields += navigation.fields(exchange.mount)
        return fields, lasting

    # What the next viewer of it can be told early

    def _remember(self, work: Composition, shell: Answer) -> None:
        exchange = work.exchange
        if exchange.mount is None or not hints.may_be_told(exchange, shell):
            return
        heads = tuple(hints.shared(work.filled))
        key = (exchange.public, exchange.request.target)
        known = self._hints.get(key)
        if known is None or known.heads != heads:
            weight = len(key[1]) + sum(len(item.html) for items in heads for item in items)
            self._hints.put(key, Hints(heads, hints.link(heads)), weight)

    def _hinted(self, exchange: Exchange) -> Fields:
        known = self._hints.get((exchange.public, exchange.request.target))
        return [(b"link", known.link)] if known is not None and known.link else []


class Rest:
    """What follows the first bytes of a page: slots in order, then late ones as they come, then its end."""

    def __init__(
        self,
        slots: Slots,
        work: Composition,
        stitch: Stitch,
        nonce: Nonce | None,
        waiting: list[int],
        ended: Callable[[], None],
    ) -> None:
        self._slots = slots
        self._work = work
        self._stitch = stitch
        self._nonce = nonce
        self._waiting = waiting
        self._ended: Callable[[], None] | None = ended

    async def __call__(self) -> list[bytes] | None:
        """The next parts, None at the end."""
        work, stitch = self._work, self._stitch
        if self._waiting:
            number = self._waiting.pop(0)
            work.filled[number] = landed = await self._slots.landed(work, number)
            return self._over(stitch.fill(self._on(landed.filling)))
        if work.pending:
            number, landed = await self._slots.next(work)
            work.filled[number] = landed
            return self._over(stitch.arrive(number, self._on(landed.filling)))
        if self._ended is None:
            return None
        self._ended()
        self._ended = None
        return self._over(stitch.close())

    def give_up(self) -> None:
        self._waiting.clear()
        self._ended = None
        self._work.give_up()

    def _on(self, filling: Filling) -> Filling:
        return filling if self._nonce is None else self._nonce.on(filling)

    def _over(self, parts: list[bytes]) -> list[bytes]:
        return parts if self._nonce is None else self._nonce.over(parts)


def everything(filled: Sequence[Filled | None]) -> Iterator[Filled]:
    """What the slots hold, and theirs; of one that is still to come, that it is."""
    for each in filled:
        if each is not None:
            yield each
            if each.beneath:
                for below in each.beneath:
                    yield from below.all()


def timings(plan: Plan, filled: Sequence[Filled | None]) -> Iterator[tuple[str, str, float]]:
    """Each fragment with how it came out, and in how many seconds."""
    for slot, each in zip(plan.slots, filled, strict=True):
        if each is None:
            yield slot.name, "pending", 0.0
        else:
            yield each.name, each.outcome, each.seconds
            for below in each.beneath:
                yield from ((one.name, one.outcome, one.seconds) for one in below.all())


def parts_of(filled: Sequence[Filled | None]) -> Iterator[Part]:
    """What a page's slots say about it. One that is not filled yet may say anything."""
    for each in filled:
        if each is None:
            yield algebra.TO_COME
        elif each.beneath:
            yield from (part for part in (below.part for below in each.all()) if part is not None)
        elif each.part is not None:
            yield each.part


def rests_of(filled: Sequence[Filled | None]) -> list[tuple[Fetch | None, Entry | None]]:
    """The stored answers that fill a page's slots, with what was asked for; None where there is none."""
    return [(each.fetch, each.entry) for each in everything(filled) if each.part is not None]


def path_of(exchange: Exchange) -> str:
    return paths.split(exchange.request.target)[0].decode("latin-1")


def is_late(plan: Plan, number: int) -> bool:
    """Whether a slot may be filled behind all others: the page has to have an end that is known."""
    if not plan.slots[number].late:
        return False
    end = plan.body_end
    return end is not None and end[0] == len(plan.literals) - 1


def status_of(work: Composition, shell: Answer) -> int:
    """The shell's, unless it is a page of which the primary fragment says that there is none."""
    return work.status if work.status and shell.status == 200 else shell.status
