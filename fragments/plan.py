"""A shell, compiled: what stays byte for byte, and the slots between, each with the elements around it.

A piece that has slots of its own is compiled the same way, in the place of its slot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import fragments.budgets as budgets
import fragments.cutting as cutting
import fragments.parse as parse
import fragments.placing as placing
from fragments.cutting import MOST as MOST
from fragments.cutting import NONE, Page
from fragments.cutting import Foreign as Foreign
from fragments.heading import NO_HEADING, Edges, end_of_head, heading
from fragments.heading import Heading as Heading
from fragments.heading import Region as Region
from fragments.placing import Placed
from fragments.scan import Kind, tokens
from fragments.skim import skim
from fragments.slot import ISOLATIONS as ISOLATIONS
from fragments.slot import LATE as LATE
from fragments.slot import WRAPPED as WRAPPED
from fragments.slot import Context as Context
from fragments.slot import Diagnostic as Diagnostic
from fragments.slot import Include as Include
from fragments.slot import Slot as Slot
from fragments.slot import around as around
from fragments.slot import bare as bare
from fragments.slot import parsed_as as parsed_as


@dataclass(frozen=True, slots=True)
class Plan:
    literals: tuple[bytes, ...]  # one more than slots
    slots: tuple[Slot, ...]
    hoist: tuple[int, int] | None  # the end of the head: which literal, and where in it
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    heading: Heading = NO_HEADING
    fallbacks: tuple[bytes, ...] = field(default=(), repr=False)  # each slot with its own content, as it is sent
    empties: tuple[bytes, ...] = field(default=(), repr=False)  # each slot with nothing
    hoisted: tuple[tuple[bytes, ...], ...] = field(default=(), repr=False)  # literals, cut where the head ends
    body_end: tuple[int, int] | None = None  # before `</body>`: which literal, and where in it; None within something
    closing: bytes = b""  # end tags for what is still open there, so that what follows them is the body's own child
    ordinary: bool = False  # no slot is required, primary or late: the page waits for all of them alike


def has_slots(page: bytes) -> bool:
    """A cheap look that may say yes too often, never no."""
    if b"mf-slot" in page or b"mf:slot" in page:
        return True
    lower = page.lower()
    return b"mf-slot" in lower or b"mf:slot" in lower


def brings(source: bytes, foreign: Foreign) -> bool:
    """Whether any tag of a slot in this source is foreign, as it is written there."""
    if not has_slots(source):
        return False
    page = Page(source, skim(source)[0])
    return any(foreign(source[token.start : token.end]) for token in page.tokens if page.spells_slot(token))


def compile(shell: bytes, includes: Mapping[bytes, Include] = NONE, foreign: Foreign | None = None) -> Plan:
    """The plan of a shell in utf-8. Raises OverBudget for what would cost too much to parse.

    `includes` are slots too, by the comments that stand for them; a slot whose tag is `foreign` stays text.
    """
    page = _read(shell, includes, foreign)
    doctype = next((shell[token.start : token.end] for token in page.tokens if token.kind is Kind.DOCTYPE), b"")
    cuts = cutting.cuts(page)
    found = placing.places(page, cuts)
    slots = placing.placed(page, found, parse.quirky(doctype))
    cutting.tell_mentions(page, cuts)
    if slots and not _is_utf8(shell):
        said = "The shell is not in utf-8, which pieces are in. Send utf-8."
        page.diagnostics.append(Diagnostic("shell-not-utf-8", said))
    return _plan(page, slots, found.end, placing.closing(page, found))


def _read(
    source: bytes, includes: Mapping[bytes, Include] = NONE, foreign: Foreign | None = None, begin: int = 0
) -> Page:
    if len(source) > budgets.SHELL.size:
        budgets.survey(source, budgets.SHELL)  # raises, before a token is looked for
    told, unfinished = skim(source, head=True)
    budgets.survey(source, budgets.SHELL, found=told)
    return Page(source, told, includes, foreign, begin, unfinished)


def _is_utf8(shell: bytes) -> bool:
    try:
        shell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plan(page: Page, slots: Sequence[Placed], end: int, closing: bytes | None) -> Plan:
    edges = Edges.of(page.source, [cut for cut, _ in slots])
    first = end_of_head(page, {cut.start: (cut, slot.context) for cut, slot in slots})
    digest = hashlib.blake2b(repr(edges.starts).encode(), digest_size=16)
    digest.update(page.source)
    hoist = edges.region(first, first)
    body_end = edges.region(end, end) if closing is not None else None
    return _assembled(
        page.source,
        slots,
        page.diagnostics,
        digest.hexdigest(),
        heading=heading(page, edges, first),
        hoist=(hoist.literal, hoist.start),
        body_end=(body_end.literal, body_end.start) if body_end else None,
        closing=closing or b"",
    )


def _assembled(
    source: bytes,
    placed: Sequence[Placed],
    diagnostics: Sequence[Diagnostic],
    digest: str,
    *,
    heading: Heading = NO_HEADING,
    hoist: tuple[int, int] | None = None,
    body_end: tuple[int, int] | None = None,
    closing: bytes = b"",
) -> Plan:
    edges = Edges.of(source, [cut for cut, _ in placed])
    literals = tuple(source[start:end] for start, end in zip(*edges, strict=True))
    slots = tuple(slot for _, slot in placed)
    hoisted = tuple(
        (literal[: hoist[1]], literal[hoist[1] :]) if hoist and at == hoist[0] else (literal,)
        for at, literal in enumerate(literals)
    )
    fallbacks = tuple(slot.filled(slot.fallback) for slot in slots)
    empties = tuple(slot.filled(b"") for slot in slots)
    ordinary = not any(slot.required or slot.primary or slot.late for slot in slots)
    return Plan(
        literals,
        slots,
        hoist,
        tuple(diagnostics),
        digest,
        heading,
        fallbacks,
        empties,
        hoisted,
        body_end,
        closing,
        ordinary,
    )


# ---- Pieces ---------------------------------------------------------------------------------------------------------


def compile_piece(html: bytes, slot: Slot, foreign: Foreign | None = None) -> Plan:
    """The plan of a piece that has slots of its own, as it is sent: with its wrapper, where `slot` stands.

    Nothing of it waits: a nested slot is filled where its piece is put together. Raises OverBudget.
    """
    opened, closed = _skeleton(slot)
    wrapper = next(tokens(html), None) if html.startswith(b"<mf-slot") else None
    inside = html[wrapper.end :] if wrapper else html
    if not has_slots(inside.removesuffix(b"</mf-slot>")):
        return _assembled(html, [], [], _digest_of_piece(html, slot, []))
    page = _read(opened + html + closed, foreign=foreign, begin=len(opened) + len(html) - len(inside))
    cuts = cutting.cuts(page)
    found = placing.placed(page, placing.places(page, cuts), slot.quirks)
    cutting.tell_mentions(page, cuts)
    nested = [(cut.moved(-len(opened)), _nested(page, cut, each, slot)) for cut, each in found]
    return _assembled(html, nested, page.diagnostics, _digest_of_piece(html, slot, nested))


def _skeleton(slot: Slot) -> tuple[bytes, bytes]:
    """What stands around a slot, in few words."""
    doctype = "" if slot.quirks else "<!doctype html>"
    opened = "".join(f"<{name}>" for name in slot.chain)
    return f"{doctype}{opened}".encode(), b"</head>" if slot.context is Context.HEAD else b""


_PART_OF_ONE = "it is in a piece, which comes as a whole. Make the piece's own slot late or lazy."


def _nested(page: Page, cut: cutting.Cut, each: Slot, outer: Slot) -> Slot:
    """A slot within a piece. Only a primary piece speaks for the page, and so do the slots of it."""
    each = placing.in_time(page, cut, each, _PART_OF_ONE, _PART_OF_ONE)
    if each.primary and not outer.primary:
        said = f"Slot '{each.name}' is primary in a piece that is not. Its title and metadata are left out."
        page.say("slot-primary", cut.start, said)
    return replace(each, mark=f"{outer.mark}-{each.mark}", primary=each.primary and outer.primary)


def _digest_of_piece(html: bytes, slot: Slot, nested: Sequence[Placed]) -> str:
    named = repr((Edges.of(html, [cut for cut, _ in nested]), slot.mark, slot.chain, slot.quirks)).encode()
    return hashlib.blake2b(named + html, digest_size=16).hexdigest()
