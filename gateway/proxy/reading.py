"""What an answer puts into its slot: its piece, fitted, or what stands in; and what a primary one says of the page."""

from collections.abc import Iterable
from dataclasses import replace

import fragments.contain as contain
import fragments.dialects as dialects
import fragments.piece as piece
import fragments.plan as plans
import gateway.rules.brought as brought
import gateway.rules.mounting as mounting
from fragments.contain import Fitted
from fragments.errors import FragmentsError, NotMarkup
from fragments.plan import Diagnostic, Include, Plan, Slot
from fragments.stitch import Fallback, Nothing
from gateway.errors import Uncomposable
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import first
from gateway.proxy.composition import MOST, Composition, Filled
from gateway.proxy.navigation import RUNTIME
from gateway.recent import Recent, Weighed
from gateway.rules.algebra import Part
from gateway.store.codec import digest
from gateway.table import Fragment
from gateway.telemetry.facts import Degraded, Noticed
from gateway.telemetry.log import Teller

TOO_MANY = f"a page is filled with at most {MOST} fragments"
FITTED = 32 << 20  # bytes of pieces that are kept as they were fitted


class Reading:
    """Pieces are read once per digest, and told about once."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._said: Recent[tuple[str, str, int], bool] = Recent(4096)
        self._fitted: Weighed[tuple[bytes, str, int, bytes], tuple[Fitted, Plan | None]] = Weighed(FITTED)

    def read(
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
            return self.unfilled(work, number, fetch.team, "refused", str(error), seconds), None
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
        return self.unfilled(work, number, fetch.team, "error", why, seconds)

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

    def unfilled(self, work: Composition, number: int, team: str, outcome: str, why: str, seconds: float) -> Filled:
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


def is_nothing(answer: Answer) -> bool:
    return answer.status == 204 or (answer.status == 200 and isinstance(answer.body, bytes) and not answer.body.strip())


def prefix_of(fragment: Fragment) -> str:
    """What the ids of its pieces begin with."""
    return f"{fragment.name}-" if fragment.ids == "prefix" else ""


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


def framed(body: bytes, include: Include | None) -> bytes:
    """The frame that is wanted of an answer, or all of it."""
    if include is None or include.frame is None:
        return body
    frame = dialects.framed(body, include.frame)
    if frame is None:
        raise NotMarkup(f"The answer holds no <turbo-frame id={include.frame!r}>.")
    return frame
