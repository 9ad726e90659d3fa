"""Shells in other include languages: read once, said for each request, and said anew when an attempt fails."""

import re
from collections.abc import Sequence

import fragments.dialects as dialects
import fragments.parse as parse
import fragments.plan as plans
import gateway.rules.algebra as algebra
import gateway.rules.brought as brought
from fragments.plan import Foreign, Plan
from fragments.rewrite import rewriter
from fragments.stitch import Nothing
from fragments.values import Asked
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import without
from gateway.proxy.composition import Answers, Composition, Filled
from gateway.proxy.reading import weight_of
from gateway.proxy.slots import Slots
from gateway.recent import Weighed
from gateway.store.codec import digest

PLANS = 16 << 20  # bytes of plans of what was said
TEXTS = 16 << 20  # of texts as they were read: their nodes and strings take some four times what they were read from
FAILED = frozenset({"timeout", "error", "refused", "unknown"})
STANDS = Filled("", Nothing(), "pending")  # of a slot that is not looked at yet


class Spoken:
    """Reads what is said in other languages; attempts ask through `slots`."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._texts: Weighed[bytes, dialects.Page] = Weighed(TEXTS)
        self._plans: Weighed[bytes, Plan] = Weighed(PLANS)

    async def said(
        self,
        exchange: Exchange,
        fetch: Fetch,
        shell: Answer,
        body: bytes,
        languages: Sequence[str],
        foreign: Foreign | None,
    ) -> tuple[Composition, Answer]:
        """The page to be filled, and the shell as it may be kept; an attempt that fails is said anew with what stands
        in for it. Raises FragmentsError for what cannot be read."""
        failed: frozenset[int] = frozenset()
        answers: Answers = {}
        asked = asked_of(exchange, fetch)
        allowance = self._slots.allowance(exchange)
        text = self._read(shell, body, languages, foreign)
        shell = for_one_viewer(shell) if text.depends else shell
        while True:
            plan = self._plan(fetch, text, asked, failed)
            work = self._slots.composition(exchange, plan, answers, allowance)
            lost = await self._attempts(work)
            if not lost:
                return self._slots.composition(exchange, plan, answers, allowance), shell
            failed |= lost
            shell = for_one_viewer(shell)

    def _read(self, shell: Answer, body: bytes, languages: Sequence[str], foreign: Foreign | None) -> dialects.Page:
        name = named(shell, body) + ",".join(languages).encode()
        known = self._texts.get(name) if foreign is None else None
        if known is not None:
            return known
        text = dialects.read(utf8(body, shell.index.get(b"content-type", b"")), languages, foreign)
        return text if foreign is not None else self._texts.put(name, text, 4 * len(body))

    def _plan(self, fetch: Fetch, text: dialects.Page, asked: Asked, failed: frozenset[int]) -> Plan:
        """The plan of what a text says. One that says the same to everybody is said once at each address."""
        if text.foreign is not None:
            return compiled(fetch, text, dialects.say(text, asked, failed))
        name = b"" if text.depends else b"%b %b %b" % (text.digest, repr(sorted(failed)).encode(), fetch.key)
        plan = self._plans.get(name) if name else None
        if plan is not None:
            return plan
        said = dialects.say(text, asked, failed)
        name = name or digest(said.text + fetch.key)
        known = self._plans.get(name)
        if known is not None:
            return known
        plan = compiled(fetch, text, said)
        return self._plans.put(name, plan, weight_of(plan) + len(name))

    async def _attempts(self, work: Composition) -> frozenset[int]:
        """Asks for what attempts include, and says which attempts failed: exactly one of two branches is shown."""
        slots = work.plan.slots
        groups = {number: slot.include.group for number, slot in enumerate(slots) if slot.include is not None}
        tried = {number: group for number, group in groups.items() if group is not None}
        if not tried:
            return frozenset()
        work.filled = [None if number in tried else STANDS for number in range(len(slots))]
        if not self._slots.fill_at_once(work):
            self._slots.start(work)
        try:
            for number in list(work.pending):
                work.filled[number] = await self._slots.landed(work, number)
        except BaseException:
            work.give_up()
            raise
        return frozenset(group for number, group in tried.items() if _failed(work.filled[number]))


def _failed(filled: Filled | None) -> bool:
    return filled is None or filled.outcome in FAILED


def compiled(fetch: Fetch, text: dialects.Page, said: dialects.Shell) -> Plan:
    markup = said.text
    editor = rewriter("text/html", fetch.place) if text.tree.unwraps and fetch.place.prefix else None
    if editor is not None:  # what stood in a comment has not been put below the mount
        markup = editor.feed(markup) + editor.close()
    return plans.compile(markup, said.includes, text.foreign)


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


def named(shell: Answer, body: bytes) -> bytes:
    """What tells a shell's text from others: its bytes, and how they are to be read."""
    return (shell.entry.digest if shell.entry is not None else digest(body)) + shell.index.get(b"content-type", b"")


def utf8(page: bytes, content_type: bytes) -> bytes:
    """A shell's text in the one encoding pieces are written in; almost always as it is."""
    try:
        page.decode()
    except UnicodeDecodeError:
        charset = re.search(rb"(?i)charset\s*=\s*[\"']?([\w-]+)", content_type)
        return parse.decode(page, charset[1].decode("ascii", "replace") if charset else None).encode()
    return page
