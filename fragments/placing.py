"""Where a slot really stands: found by parsing the page with a probe in each slot's place.

Where an element will stand, the probe is an empty element, for its tag opens again what a parser would open around the
slot's own; elsewhere it is a comment, which moves and closes nothing.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import fragments.parse as parse
from fragments.budgets import FORMATTING
from fragments.cutting import Cut, Page
from fragments.heading import end_of_body
from fragments.parse import Spot
from fragments.scan import Kind, Token
from fragments.slot import ISOLATIONS, LATE, WRAPPED, Context, Include, Slot, around, bare, parsed_as

Placed = tuple[Cut, Slot]


# ---- Probing --------------------------------------------------------------------------------------------------------


class Places(NamedTuple):
    cuts: Sequence[Cut]  # the ones that a slot can stand for
    spots: Sequence[Spot]  # of each of them
    wrapped: frozenset[int]  # those that elements stand for
    moved: frozenset[int]  # of them, those where a comment before the element stands elsewhere
    end: int  # of the body
    last: Spot | None  # its place


_ROUNDS = 6  # of probing; two are enough but for several slots in the head or a table
_NOWHERE: Mapping[int, tuple[str, ...]] = {}
_REFUSALS = 4  # rounds of refusing; a tag that stays as it is may move what comes after it


def places(page: Page, cuts: Sequence[Cut]) -> Places:
    """Where slots stand. What no slot can stand for is told, and stays part of the page."""
    for turn in range(_REFUSALS + 1):
        outline, end = _Outline(page, cuts), end_of_body(page, cuts)
        spots, wrapped, moved, last = _spots(page, outline, cuts, end)
        felt = _felt_behind(page, outline, cuts, spots, wrapped, end)
        refused = [_why_refused(outline, cut, spots[n], felt.get(n)) for n, cut in enumerate(cuts)]
        if not any(refused):
            break
        for cut, why in zip(cuts, refused, strict=True):
            if why or turn == _REFUSALS - 1:
                page.say("slot-refused", cut.start, why or _NO_SLOT)
        cuts = [cut for cut, why in zip(cuts, refused, strict=True) if not why and turn < _REFUSALS - 1]
    return Places(cuts, [spot for spot in spots if spot is not None], wrapped, moved, end, last)


def _spots(
    page: Page, outline: _Outline, cuts: Sequence[Cut], end: int
) -> tuple[list[Spot | None], frozenset[int], frozenset[int], Spot | None]:
    """The place of each cut, which of them elements stand for, which of these are moved, and the place of the end of
    the body. Whether an element may stand depends on what stands before it, other slots too: so all are taken for
    elements until one is found that cannot be."""
    wrapped = every = frozenset(range(len(cuts)))
    for turn in range(_ROUNDS):
        comments, elements, last = _probed(page, cuts, wrapped, end)
        fitting = frozenset(n for n in every if _takes_element(outline, cuts[n], comments[n]))
        if fitting == wrapped or turn == _ROUNDS - 1:
            break
        wrapped = fitting if turn != 1 else frozenset()
    spots = [elements[n] if n in wrapped else comments[n] for n in range(len(cuts))]
    moved = frozenset(n for n in wrapped if comments[n] != elements[n])
    return [None if n in fitting ^ wrapped else spot for n, spot in enumerate(spots)], wrapped, moved, last


def _felt_behind(
    page: Page, outline: _Outline, cuts: Sequence[Cut], spots: Sequence[Spot | None], wrapped: Collection[int], end: int
) -> dict[int, str]:
    """Where the page behind a slot would feel what stands in it though nothing in the chain tells of it, and why.

    Formatting, closed by no tag of its own, is opened again by what stands in a slot (13.2.4.3), if by no element of
    ours around it. And to a viewer without scripting, a `<noscript>` may open or close what is around.
    """
    contexts = {n: _context(outline, cuts[n], spot) for n, spot in enumerate(spots) if spot is not None}
    within = {n: _OPENS_AGAIN_IN[context] for n, context in contexts.items() if context in _OPENS_AGAIN_IN}
    told = _moved_later(page, outline, cuts, spots, wrapped)
    if outline.has_noscript:
        comments, elements, _ = _probed(page, cuts, wrapped, end, within=within, scripting=False)
        for n, context in contexts.items():
            found = elements[n] if n in wrapped or n in within else comments[n]
            if not _agree(found, spots[n], context, within.get(n, ())):
                told[n] = _WITHOUT_SCRIPTING
    if within:
        _, elements, _ = _probed(page, cuts, wrapped, end, within=within)
        told |= {n: _OPENED_AGAIN for n in within if not _agree(elements[n], spots[n], contexts[n], within[n])}
    return told


def _moved_later(
    page: Page, outline: _Outline, cuts: Sequence[Cut], spots: Sequence[Spot | None], wrapped: Collection[int]
) -> dict[int, str]:
    """The slots within formatting that what comes behind them moves elsewhere (13.2.6.4.7, the adoption agency): when
    a piece is read, it stands where it will not be in the end."""
    within = [n for n, spot in enumerate(spots) if spot is not None and not _FORMATTING.isdisjoint(spot.chain)]
    if not within or outline.is_nested:
        return {}
    told = dict.fromkeys(within[_LOOKED_AT:], _MOVED)
    for n in within[:_LOOKED_AT]:
        comments, elements, _ = _probed(page, cuts[: n + 1], wrapped, cuts[n].end, whole=False)
        if (elements[n] if n in wrapped else comments[n]) != spots[n]:
            told[n] = _MOVED
    return told


_LOOKED_AT = 8  # slots within formatting of one page whose tags are not nested: each costs a parse of what is before it


# No formatting is opened for markup of these kinds itself but for HTML within it. Of those that let HTML begin, the
# `<div>` takes with it whatever was opened in it.
_OPENS_AGAIN_IN: dict[Context, tuple[str, ...]] = {
    Context.SELECT: (),
    Context.SVG: ("desc", "div"),
    Context.MATH: ("mtext", "div"),
}


def _agree(found: Spot | None, slot: Spot | None, context: Context, names: tuple[str, ...]) -> bool:
    """Whether a probe, within elements of these names, stands where the slot does. What is for a head is read alike in
    a body, where it ends up without scripting if a `<noscript>` before it ended the head."""
    if found is None or slot is None:
        return False
    return _told(found.chain) == _told(slot.chain + names) or (
        context is Context.HEAD and found.chain == ("html", "body")
    )


def _told(chain: tuple[str, ...]) -> list[str]:
    """What a parser knows of a chain: elements with names of their own are all alike to it (13.2.6.4.7)."""
    return [name for name in chain if "-" not in name and ":" not in name]


def closing(page: Page, found: Places) -> bytes | None:
    """The end tags for what is still open at the end of the body; None if nothing can be put there."""
    if page.unfinished or found.last is None or _NO_TEMPLATE.intersection(found.last.chain):
        return None
    tags = "".join(f"</{name.partition(' ')[0]}>" for name in reversed(found.last.chain[2:])).encode()
    if not tags:
        return tags
    *_, spot = _probed(page, found.cuts, found.wrapped, found.end, tags)  # a table can be open without being around
    return tags if spot is not None and len(spot.chain) <= 2 else None


_NO_TEMPLATE = {"template", "svg", "math", "select", "frameset", "noscript"}  # in these, one would be lost


def _probed(
    page: Page,
    cuts: Sequence[Cut],
    wrapped: Collection[int],
    end: int,
    closing: bytes = b"",
    within: Mapping[int, tuple[str, ...]] = _NOWHERE,
    scripting: bool = True,
    whole: bool = True,
) -> tuple[list[Spot | None], list[Spot | None], Spot | None]:
    """The places of comments, of elements, where they are wanted or to be within others, and of the end of the body;
    at the end of the page, or (not `whole`) when it is read up to there."""
    name = f"mf-probe-{hashlib.blake2b(page.source, digest_size=8).hexdigest()}"
    probe, at = [], 0
    for number, cut in enumerate(cuts):
        element = f'<{name} n="{number}"></{name}>' if number in wrapped or number in within else ""
        for outer in reversed(within.get(number, ())):
            element = f"<{outer}>{element}</{outer}>"
        probe += [page.source[at : cut.start], f"<!--{name}:{number}-->{element}".encode()]
        at = cut.end
    probe += [page.source[at:end], closing, f"<!--{name}:end-->".encode(), page.source[end:] if whole else b""]
    found = parse.spots(b"".join(probe).removeprefix(b"\xef\xbb\xbf"), name, scripting=scripting)
    comments = [found.get(f"{name}:{number}") for number in range(len(cuts))]
    return comments, [found.get(f"{name}/{number}") for number in range(len(cuts))], found.get(f"{name}:end")


def _takes_element(outline: _Outline, cut: Cut, spot: Spot | None) -> bool:
    return spot is not None and _context(outline, cut, spot) in WRAPPED


class _Outline:
    """What tags alone say of the places between them: where the head goes on, and what is open without being around."""

    def __init__(self, page: Page, cuts: Sequence[Cut]) -> None:
        self._source = page.source
        self.head_until = -1
        self.forms: list[int] = []
        self._is_form_open: list[bool] = []
        self.tables: list[int] = []
        self._open_tables: list[int] = []
        self.is_nested = True
        open_: list[bytes] = []
        formatting: list[bytes] = []
        for token in _outside(page.tokens, cuts):
            if self.is_nested and token.kind in (Kind.START, Kind.END):
                self.is_nested = _nests(formatting, token)
            if (token.kind is Kind.END and token.name == b"head") or (
                token.kind is Kind.START and token.name == b"body"
            ):
                self.head_until = token.start
            elif token.name == b"form":
                self.forms.append(token.start)
                self._is_form_open.append(token.kind is Kind.START)
            elif token.name in (b"table", b"template"):
                _open_or_close(open_, token)
                self.tables.append(token.start)
                self._open_tables.append(open_.count(b"table"))

    def has_open_form(self, at: int) -> bool:
        """A form can be open without being around (13.2.4.4): a piece could close it, so it counts as around."""
        number = bisect_left(self.forms, at) - 1
        return number >= 0 and self._is_form_open[number]

    @cached_property
    def has_noscript(self) -> bool:
        return b"<noscript" in self._source.lower()

    @cached_property
    def copies_options(self) -> bool:
        """Whether any `<selectedcontent>` is there to become a copy of what is chosen in its select."""
        return b"<selectedcontent" in self._source.lower()

    def open_tables(self, at: int) -> int:
        number = bisect_left(self.tables, at) - 1
        return self._open_tables[number] if number >= 0 else 0


def _nests(open_: list[bytes], token: Token) -> bool:
    """Whether a tag leaves formatting where it is: it is closed by what was opened last, and no link is in a link."""
    name = token.name
    if token.kind is Kind.START:
        if name in (b"a", b"nobr") and name in open_:
            return False
        if open_ or name in FORMATTING:  # what stands around all formatting need not be known
            open_.append(name)
        return True
    if name in open_:
        while open_[-1] != name:
            if open_.pop() not in _ENDED_BY_ITSELF:
                return False
        open_.pop()
        return True
    return name not in FORMATTING


_ENDED_BY_ITSELF = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li dd dt option optgroup "
    b"thead tbody tfoot tr td th colgroup caption path rect circle line use".split()
)


def _outside(tokens: Sequence[Token], cuts: Sequence[Cut]) -> Iterator[Token]:
    after, pending = 0, iter(cuts)
    cut = next(pending, None)
    for token in tokens:
        while cut is not None and cut.start <= token.start:
            after, cut = cut.end, next(pending, None)
        if token.start >= after:
            yield token


def _open_or_close(open_: list[bytes], token: Token) -> None:
    """A template's end tag closes the tables in it; a table's reaches out of no template."""
    if token.kind is Kind.START:
        open_.append(token.name)
    elif token.name in open_ and (token.name == b"template" or open_[-1] == b"table"):
        while open_.pop() != token.name:
            pass


# ---- Contexts -------------------------------------------------------------------------------------------------------

_BY_PARENT = {
    "table": Context.TABLE,
    "tbody": Context.TBODY,
    "thead": Context.TBODY,
    "tfoot": Context.TBODY,
    "tr": Context.TR,
    "colgroup": Context.COLGROUP,
}
_CLOSABLE = {"p", "a", "button", "nobr", "label", "h1", "h2", "h3", "h4", "h5", "h6"}
_PHRASE = _CLOSABLE | {"b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"}
_FORMATTING = frozenset(name.decode() for name in FORMATTING)
_PHRASE_ENDS = {"td", "th", "caption", "object", "template"}
_REFUSED = {"frameset", "plaintext"}
_ALL_HEAD = ((), ("html",), ("html", "head"))


def _context(outline: _Outline, cut: Cut, spot: Spot) -> Context:
    """Before, between and after head and body, a comment stays but a slot begins or goes on with the body."""
    if spot.chain[-1:] == ("head",) and outline.head_until >= cut.end:
        return Context.HEAD
    if spot.chain in _ALL_HEAD:
        return Context.FLOW
    if spot.inside == parse.SVG:
        return Context.SVG
    if spot.inside in (parse.MATH, "annotation"):
        return Context.MATH
    if spot.chain[-1] in _BY_PARENT and spot.spaces[-1] == parse.HTML:
        return _BY_PARENT[spot.chain[-1]]
    if "select" in spot.chain:
        return Context.SELECT
    for name in reversed(spot.chain):
        if name in _PHRASE:
            return Context.PHRASE
        if name in _PHRASE_ENDS:
            break
    return Context.FLOW


def _around(outline: _Outline, cut: Cut, spot: Spot) -> tuple[str, ...]:
    chain = spot.chain
    if "form" in chain or "body" not in chain or not outline.has_open_form(cut.start):
        return chain
    after = chain.index("body") + 1
    return (*chain[:after], "form", *chain[after:])


_NO_SLOT = "No slot can stand here; it is left as it is. Move it."
_IN_NO_CELL = "In a table but in no cell it would be moved out; the slot is left as it is. Put it into a cell."
_OPENED_AGAIN = "Formatting would be opened again in it and go on; the slot is left as it is. Close it before the slot."
_MOVED = "Formatting around it is closed out of turn and moves it; the slot is left as it is. Close it in turn."
_WITHOUT_SCRIPTING = "Without scripting it stands elsewhere; the slot is left as it is. Close what <noscript> opens."
_COPIED = "An option in it could be copied to <selectedcontent>; the slot is left as it is. Put it around the select."


def _why_refused(outline: _Outline, cut: Cut, spot: Spot | None, felt: str | None) -> str | None:
    if spot is None or _REFUSED.intersection(spot.chain):
        return _NO_SLOT
    if felt is not None:
        return felt
    if "select" in spot.chain and outline.copies_options:
        return _COPIED
    return _IN_NO_CELL if spot.stray or outline.open_tables(cut.start) > spot.chain.count("table") else None


# ---- Slots ----------------------------------------------------------------------------------------------------------


def placed(page: Page, places: Places, quirks: bool) -> list[Placed]:
    """The slots, each with its cut."""
    outline = _Outline(page, places.cuts)
    found: list[Placed] = []
    for number, (cut, spot) in enumerate(zip(places.cuts, places.spots, strict=True)):
        context = _context(outline, cut, spot)
        slot = _described(page, cut, len(found), Slot("", context=context, quirks=quirks, spelling=cut.spelling))
        slot = replace(slot, chain=_around(outline, cut, spot), line=page.line(cut.start))
        slot = _with_fallback(page, cut, slot)
        found.append((cut, in_time(page, cut, slot, _why_not_late(slot, number in places.moved), _why_not_lazy(slot))))
    return found


_TIMEOUT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")
_UNITS = {"ms": 0.001, "s": 1.0}
_KEPT = ("id", "class", "style")
_OWN = {"name", "timeout", "isolation", "required", "optional", "primary", "late", "lazy", "data-mf-slot", *_KEPT}


def _described(page: Page, cut: Cut, ordinal: int, slot: Slot) -> Slot:
    if cut.include is not None:
        return _included(cut, cut.include, ordinal, slot)
    values = dict(cut.values)
    return replace(
        slot,
        name=values["name"].strip(),
        query=tuple((key, value) for key, value in cut.values if key not in _OWN),
        timeout=_timeout(page, cut, values),
        isolation=_isolation(page, cut, values),
        mark=_mark(ordinal, cut.values),
        kept=tuple((key, values[key]) for key in _KEPT if key in values),
        required="required" in values,
        optional="optional" in values,
        primary="primary" in values,
        late="late" in values,
        lazy="lazy" in values,
    )


def _mark(ordinal: int, described: object) -> str:
    return f"{ordinal}-{hashlib.blake2b(repr(described).encode(), digest_size=6).hexdigest()}"


_HOST = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]*:|^//[^/]*")


def _included(cut: Cut, include: Include, ordinal: int, slot: Slot) -> Slot:
    path = _HOST.sub("", _HOST.sub("", dict(cut.values)["name"]))
    return replace(
        slot,
        name=path or "/",  # viewers are told no host
        timeout=include.timeout,
        mark=_mark(ordinal, include),
        kept=include.kept,
        required=include.required,
        optional=include.optional,
        primary=include.primary,
        late=include.late,
        include=include,
    )


def _timeout(page: Page, cut: Cut, values: dict[str, str]) -> float | None:
    written = values.get("timeout")
    found = _TIMEOUT.fullmatch(written.strip()) if written is not None else None
    if found:
        return round(float(found[1]) * _UNITS[found[2]], 6)
    if written is not None:
        page.say("slot-timeout", cut.start, f"{_named(values)}: timeout {written!r} is not like 400ms or 1.5s.")
    return None


def _isolation(page: Page, cut: Cut, values: dict[str, str]) -> str | None:
    written = values.get("isolation")
    if written is None or written in ISOLATIONS:
        return written
    page.say("slot-isolation", cut.start, f"{_named(values)}: isolation {written!r} is not {', '.join(ISOLATIONS)}.")
    return "iframe"  # what cannot be read is fenced in as far as can be


def _named(values: dict[str, str]) -> str:
    return f"Slot '{values['name'].strip()}'"


_STANDING = re.compile(rb"<!--[a-z0-9-]{1,64}-->")


def _with_fallback(page: Page, cut: Cut, slot: Slot) -> Slot:
    """The fallback as written; what would change the page around the slot is closed first, as a piece's is."""
    inside = cut.include.fallback if cut.include is not None else page.source[slice(*cut.inside)]
    if page.includes:  # one in another's fallback is not filled
        inside = _STANDING.sub(lambda found: b"" if found[0] in page.includes else found[0], inside)
    if not inside:
        return slot
    written = inside.decode("utf-8", "replace")
    if not parse.holds(around(slot), bare(slot), written, slot.mark):
        page.say("fallback-not-closed", cut.start, "The fallback reaches out of its slot. Close it.")
        written = parse.serialise(parse.part(written, *parsed_as(slot.context)))
        inside = written.encode() if parse.holds(around(slot), bare(slot), written, slot.mark) else b""
    return replace(slot, fallback=inside)


# ---- Who comes after the page has left ------------------------------------------------------------------------------


def in_time(page: Page, cut: Cut, slot: Slot, why_not_late: str | None, why_not_lazy: str | None) -> Slot:
    """An ordinary slot of one that cannot come later where it stands; the reasons are told."""
    if slot.late and why_not_late:
        page.say("slot-late", cut.start, f"Slot '{slot.name}' is not sent late: {why_not_late}")
        slot = replace(slot, late=False)
    if slot.lazy and why_not_lazy:
        page.say("slot-lazy", cut.start, f"Slot '{slot.name}' is not left to the viewer: {why_not_lazy}")
        slot = replace(slot, lazy=False)
    return slot


def _why_not_late(slot: Slot, moved: bool) -> str | None:
    if slot.required or slot.primary:
        return "the page waits for it, being required or primary. Take one of the two off."
    if "template" in slot.chain:
        return "nothing is patched into a template. Move it out, or take late off."
    if slot.context not in LATE:
        return f"it stands in {slot.chain[-1]}. Move it into the body or a table, or take late off."
    if moved:
        return "it begins the body, or opens formatting again. Write <body> before it, close what is open, or wrap it."
    return "it is lazy already. Take one of the two off." if slot.lazy and not _why_not_lazy(slot) else None


def _why_not_lazy(slot: Slot) -> str | None:
    if slot.required or slot.primary:
        return "the page waits for it, being required or primary. Take one of the two off."
    if "template" in slot.chain:
        return "nothing looks into a template. Move it out, or take lazy off."
    if slot.context not in WRAPPED:
        return f"it stands in {slot.chain[-1]}. Move it to where an element may stand, or take lazy off."
    return None
