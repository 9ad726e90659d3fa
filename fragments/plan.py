"""A shell, compiled: what stays byte for byte, and the slots between, each with the elements around it.

Slots are cut at token level, so nothing in a title, a script, a comment or an attribute is one. Where a slot really
stands is found by parsing the shell once with a comment in each slot's place: a comment moves and closes nothing.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import fragments.head as head
import fragments.parse as parse
from fragments.scan import Attribute, Kind, Token, attributes, tokens, unescape


class Context(enum.Enum):
    """What kind of content is read where a slot stands."""

    FLOW = "flow"
    PHRASE = "phrase"  # inside what a block or its own kind would close: p, a, button, label…
    HEAD = "head"
    TABLE = "table"
    TBODY = "tbody"
    TR = "tr"
    COLGROUP = "colgroup"
    SELECT = "select"
    SVG = "svg"
    MATH = "math"


NOTHING: Mapping[str, str] = {}
WRAPPED = frozenset({Context.FLOW, Context.PHRASE})  # where an `<mf-slot>` may stand


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something a team should know. `code` is stable, `message` says what, where and what next."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Include:
    """A slot in another language than ours, filled by what is found at an address. See `dialects`."""

    source: str  # a path with its query, or a whole URL
    alternative: str | None = None  # where it is found if not there
    required: bool = False
    optional: bool = False
    primary: bool = False
    late: bool = False
    timeout: float | None = None
    fallback: bytes = b""
    group: int | None = None  # the attempt that fails with it
    frame: str | None = None  # the id of the `<turbo-frame>` that is wanted of the answer
    kept: tuple[tuple[str, str], ...] = ()
    written: bytes = b""


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    query: tuple[tuple[str, str], ...] = ()
    required: bool = False
    optional: bool = False
    primary: bool = False
    late: bool = False
    lazy: bool = False
    timeout: float | None = None  # seconds
    isolation: str | None = None
    fallback: bytes = b""
    context: Context = Context.FLOW
    chain: tuple[str, ...] = ("html", "body")
    spelling: str = "element"  # element, comment or template
    quirks: bool = False
    mark: str = "0"  # tells this slot's wrapper from the others of the page
    kept: tuple[tuple[str, str], ...] = ()  # id, class and style, which stay on the wrapper
    include: Include | None = None  # where to look, when it is no fragment that was named

    def wrapper(self, name: str = "mf-slot", more: Mapping[str, str] = NOTHING) -> parse.Wrapper:
        """What stands around whatever fills the slot."""
        if self.context in (Context.SVG, Context.MATH):
            name = "g" if self.context is Context.SVG else "mrow"
        elif self.context not in WRAPPED:
            return f"<!--mf:{self.mark}-->", f"<!--/mf:{self.mark}-->"
        named = {"name" if name == "mf-slot" else "data-mf-name": self.name, "data-mf-slot": self.mark}
        return parse.start_tag(name, {**named, **dict(self.kept), **more}), f"</{name}>"

    def filled(self, inside: bytes) -> bytes:
        before, after = self.wrapper()
        return before.encode() + inside + after.encode()


class Region(NamedTuple):
    """A piece of one literal."""

    literal: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """What the shell's own head holds that a piece's could double or replace."""

    present: frozenset[str] = frozenset()
    title: Region | None = None
    metadata: tuple[tuple[str, Region], ...] = ()
    import_map: Region | None = None  # the shell's, or the place where one has to stand
    map_text: str | None = None  # of the shell's


@dataclass(frozen=True, slots=True)
class Plan:
    literals: tuple[bytes, ...]  # one more than slots
    slots: tuple[Slot, ...]
    hoist: tuple[int, int] | None  # the end of the head: which literal, and where in it
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    heading: Heading = Heading()
    fallbacks: tuple[bytes, ...] = field(default=(), repr=False)  # each slot with its own content, as it is sent
    empties: tuple[bytes, ...] = field(default=(), repr=False)  # each slot with nothing
    hoisted: tuple[tuple[bytes, ...], ...] = field(default=(), repr=False)  # literals, cut where the head ends


_MENTION = re.compile(rb"<mf-slot[\t\n\f\r />]|<!--mf:slot|[\t\n\f\r \"'/]mf-slot[\t\n\f\r ]*=", re.IGNORECASE)


def has_slots(page: bytes) -> bool:
    """A cheap look that may say yes too often, never no."""
    if b"mf-slot" in page or b"mf:slot" in page:
        return True
    lower = page.lower()
    return b"mf-slot" in lower or b"mf:slot" in lower


NONE: Mapping[bytes, Include] = {}
Foreign = Callable[[bytes], bool]


def compile(shell: bytes, includes: Mapping[bytes, Include] = NONE, foreign: Foreign | None = None) -> Plan:
    """The plan of a shell in utf-8. Raises OverBudget for what would cost too much to parse.

    `includes` are slots too, by the comments that stand for them; a slot whose tag is `foreign` stays text.
    """
    if len(shell) > parse.SHELL.size:
        parse.survey(shell, parse.SHELL)  # raises, before a token is looked for
    page = _Page(shell, list(tokens(shell)), includes, foreign)
    parse.survey(shell, parse.SHELL, found=page.tokens)
    cuts, diagnostics = _cuts(page)
    doctype = next((shell[token.start : token.end] for token in page.tokens if token.kind is Kind.DOCTYPE), b"")
    quirks = parse.quirky(doctype)
    places = _places(page, cuts)
    placed: list[tuple[_Cut, Slot]] = []
    for cut, spot in zip(cuts, places, strict=True):
        slot = _slot(page, cut, spot, quirks, len(placed), diagnostics)
        if slot is not None:
            placed.append((cut, slot))
    diagnostics += _mentions(page, cuts)
    if placed and not _is_utf8(shell):
        diagnostics.append(Diagnostic("shell-not-utf-8", "The shell is not in utf-8, which pieces are in. Send utf-8."))
    return _plan(page, placed, diagnostics)


def _is_utf8(shell: bytes) -> bool:
    try:
        shell.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Page(NamedTuple):
    source: bytes
    tokens: list[Token]
    includes: Mapping[bytes, Include] = NONE
    foreign: Foreign | None = None

    def attributes(self, token: Token) -> list[Attribute]:
        return attributes(self.source, token)

    def include(self, token: Token) -> Include | None:
        if not self.includes or token.kind is not Kind.COMMENT:
            return None
        return self.includes.get(self.source[token.start : token.end])


# ---- Cutting --------------------------------------------------------------------------------------------------------


class _Cut(NamedTuple):
    spelling: str
    start: int
    end: int
    inside: tuple[int, int]  # the fallback
    attributes: tuple[tuple[str, str], ...]
    first: Token
    include: Include | None = None


MOST = 256  # slots of one page, each of which may cost a fetch
_COMMENT_SLOT = re.compile(rb"<!--mf:slot(?=[\t\n\f\r /])(.*?)--!?>", re.DOTALL)


def _cuts(page: _Page) -> tuple[list[_Cut], list[Diagnostic]]:
    """The outermost slots in order; what stands inside one is its fallback."""
    diagnostics: list[Diagnostic] = []
    ends = _ends(page)
    cuts: list[_Cut] = []
    after = 0
    for at, token in enumerate(page.tokens):
        if token.start < after:
            if _opens_slot(page, token):
                diagnostics.append(
                    _said("slot-in-fallback", page, token, "A slot in another's fallback is not filled.")
                )
            continue
        cut = _cut(page, at, ends, diagnostics) if _opens_slot(page, token) else None
        if cut is not None and len(cuts) == MOST:
            diagnostics.append(_said("slots-too-many", page, token, f"Only {MOST} slots are filled. Use fewer."))
            break
        if cut is not None:
            cuts.append(cut)
            after = cut.end
    return cuts, diagnostics


def _opens_slot(page: _Page, token: Token) -> bool:
    if token.kind is Kind.START:
        opens = token.name == b"mf-slot" or (
            token.name == b"template" and any(each.name == b"mf-slot" for each in page.attributes(token))
        )
    elif token.kind is Kind.COMMENT:
        opens = page.source.startswith(b"<!--mf:slot", token.start) or page.include(token) is not None
    else:
        return False
    return opens and (page.foreign is None or not page.foreign(page.source[token.start : token.end]))


def _ends(page: _Page) -> dict[int, Token]:
    """The end tag of each `<mf-slot>` and `<template>`, by the position of its start tag."""
    found: dict[int, Token] = {}
    open_: list[tuple[bytes, int]] = []
    for at, token in enumerate(page.tokens):
        if token.name not in (b"mf-slot", b"template"):
            continue
        if token.kind is Kind.START and not (token.closed and token.name == b"mf-slot"):
            open_.append((token.name, at))
        elif token.kind is Kind.END:
            match = next((i for i in range(len(open_) - 1, -1, -1) if open_[i][0] == token.name), None)
            if match is not None:
                found[open_[match][1]] = token
                del open_[match:]
    return found


def _cut(page: _Page, at: int, ends: dict[int, Token], diagnostics: list[Diagnostic]) -> _Cut | None:
    token = page.tokens[at]
    include = page.include(token)
    if include is not None:
        written = (("name", include.source.partition("?")[0]), *include.kept)
        return _Cut("include", token.start, token.end, (token.end, token.end), written, token, include)
    spelling, values = _spelled(page, token)
    if not dict(values).get("name", "").strip():
        diagnostics.append(_said("slot-without-name", page, token, "A slot without a name is left as it is. Name it."))
        return None
    if spelling == "comment" or (spelling == "element" and token.closed):
        return _Cut(spelling, token.start, token.end, (token.end, token.end), values, token)
    end = ends.get(at)
    if end is None:
        diagnostics.append(_said("slot-not-closed", page, token, "The slot has no end tag: it is empty. Close it."))
        return _Cut(spelling, token.start, token.end, (token.end, token.end), values, token)
    return _Cut(spelling, token.start, end.end, (token.end, end.start), values, token)


def _spelled(page: _Page, token: Token) -> tuple[str, tuple[tuple[str, str], ...]]:
    if token.kind is Kind.COMMENT:
        found = _COMMENT_SLOT.match(page.source, token.start, token.end)
        return "comment", _values(b"<mf-slot" + found[1] + b">") if found else ()
    values = _values(page.source[token.start : token.end])
    if token.name == b"template":
        return "template", tuple(
            ("name" if name == "mf-slot" else name, value) for name, value in values if name != "name"
        )
    return "element", values


def _values(tag: bytes) -> tuple[tuple[str, str], ...]:
    token = next(tokens(tag), None)
    if token is None:
        return ()
    found = attributes(tag, token)
    return tuple((each.name.decode("utf-8", "replace"), _clean(unescape(each.value or b""))) for each in found)


def _clean(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _said(code: str, page: _Page, token: Token, message: str) -> Diagnostic:
    line = page.source.count(b"\n", 0, token.start) + 1
    return Diagnostic(code, f"{message} (line {line})")


def _mentions(page: _Page, cuts: Sequence[_Cut]) -> Iterator[Diagnostic]:
    """Slots that are only text, where the author may have meant one."""
    starts = {token.start for token in page.tokens if token.kind is Kind.END or _opens_slot(page, token)}
    for found in _MENTION.finditer(page.source):
        at = found.start()
        inside = any(cut.start <= at < cut.end for cut in cuts)
        tag = page.source.rfind(b"<", 0, at + 1)
        if not inside and at not in starts and tag not in starts:
            line = page.source.count(b"\n", 0, at) + 1
            yield Diagnostic("slot-in-text", f"What looks like a slot in line {line} is text there and is not filled.")


# ---- Placing --------------------------------------------------------------------------------------------------------


def _places(page: _Page, cuts: Sequence[_Cut]) -> list[parse.Spot | None]:
    prefix = f"mf-probe-{hashlib.blake2b(page.source, digest_size=8).hexdigest()}:"
    probe, at = [], 0
    for number, cut in enumerate(cuts):
        probe += [page.source[at : cut.start], f"<!--{prefix}{number}-->".encode()]
        at = cut.end
    found = parse.spots(b"".join([*probe, page.source[at:]]).removeprefix(b"\xef\xbb\xbf"), prefix) if cuts else {}
    return [found.get(f"{prefix}{number}") for number in range(len(cuts))]


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
_PHRASE_ENDS = {"td", "th", "caption", "object", "template"}
_REFUSED = {"frameset", "plaintext"}


def _context(spot: parse.Spot) -> Context:
    parent = spot.chain[-1]
    if spot.inside == parse.SVG:
        return Context.SVG
    if spot.inside in (parse.MATH, "annotation"):
        return Context.MATH
    if parent in _BY_PARENT and spot.spaces[-1] == parse.HTML:
        return _BY_PARENT[parent]
    if "select" in spot.chain:
        return Context.SELECT
    for name in reversed(spot.chain):
        if name in _PHRASE:
            return Context.PHRASE
        if name in _PHRASE_ENDS:
            break
    return Context.FLOW


def _slot(
    page: _Page, cut: _Cut, spot: parse.Spot | None, quirks: bool, ordinal: int, diagnostics: list[Diagnostic]
) -> Slot | None:
    if spot is None or _REFUSED.intersection(spot.chain):
        diagnostics.append(
            _said("slot-refused", page, cut.first, "No slot can stand here; it is left as it is. Move it.")
        )
        return None
    context, chain = _where(page, cut, spot)
    chain = _with_form(page, cut, chain)
    if cut.include is not None:
        slot = _included(cut, cut.include, context, chain, quirks, ordinal)
        return _with_fallback(page, cut, slot, cut.include.fallback, diagnostics)
    slot = _described(cut, context, chain, quirks, ordinal, diagnostics)
    return _with_fallback(page, cut, slot, page.source[slice(*cut.inside)], diagnostics)


def _where(page: _Page, cut: _Cut, spot: parse.Spot) -> tuple[Context, tuple[str, ...]]:
    """Before, between and after head and body, a comment stays but a slot begins or goes on with the body."""
    if spot.chain[-1:] == ("head",) and _head_goes_on(page, cut):
        return Context.HEAD, spot.chain
    if spot.chain in ((), ("html",), ("html", "head")):
        return Context.FLOW, ("html", "body")
    return _context(spot), spot.chain


def _head_goes_on(page: _Page, cut: _Cut) -> bool:
    return any(
        (token.name == b"head" and token.kind is Kind.END) or (token.name == b"body" and token.kind is Kind.START)
        for token in page.tokens
        if token.start >= cut.end
    )


def _with_form(page: _Page, cut: _Cut, chain: tuple[str, ...]) -> tuple[str, ...]:
    """A form can be open without being around (13.2.4.4): a piece could close it, so it counts as around."""
    if "form" in chain or "body" not in chain:
        return chain
    forms = [token for token in page.tokens if token.name == b"form" and token.start < cut.start]
    open_ = bool(forms) and forms[-1].kind is Kind.START
    after = chain.index("body") + 1
    return (*chain[:after], "form", *chain[after:]) if open_ else chain


_TIMEOUT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")
_UNITS = {"ms": 0.001, "s": 1.0}
ISOLATIONS = ("none", "scope", "shadow", "iframe")
_KEPT = ("id", "class", "style")
_OWN = {"name", "timeout", "isolation", "required", "optional", "primary", "late", "lazy", "data-mf-slot", *_KEPT}


def _described(
    cut: _Cut, context: Context, chain: tuple[str, ...], quirks: bool, ordinal: int, diagnostics: list[Diagnostic]
) -> Slot:
    values = dict(cut.attributes)
    name = values["name"].strip()
    mark = _mark(ordinal, cut.attributes)
    return Slot(
        name,
        query=tuple((key, value) for key, value in cut.attributes if key not in _OWN),
        timeout=_timeout(name, values, diagnostics),
        isolation=_isolation(name, values, diagnostics),
        context=context,
        chain=chain,
        spelling=cut.spelling,
        quirks=quirks,
        mark=mark,
        kept=tuple((key, values[key]) for key in _KEPT if key in values),
        required="required" in values,
        optional="optional" in values,
        primary="primary" in values,
        late="late" in values,
        lazy="lazy" in values,
    )


def _mark(ordinal: int, described: object) -> str:
    return f"{ordinal}-{hashlib.blake2b(repr(described).encode(), digest_size=6).hexdigest()}"


def _included(
    cut: _Cut, include: Include, context: Context, chain: tuple[str, ...], quirks: bool, ordinal: int
) -> Slot:
    path = re.sub(r"^[A-Za-z][A-Za-z0-9+.\-]*:|^//[^/]*", "", dict(cut.attributes)["name"])
    return Slot(
        re.sub(r"^//[^/]*", "", path) or "/",  # viewers are told no host
        timeout=include.timeout,
        context=context,
        chain=chain,
        spelling=cut.spelling,
        quirks=quirks,
        mark=_mark(ordinal, include),
        kept=include.kept,
        required=include.required,
        optional=include.optional,
        primary=include.primary,
        late=include.late,
        include=include,
    )


def _timeout(name: str, values: dict[str, str], diagnostics: list[Diagnostic]) -> float | None:
    written = values.get("timeout")
    found = _TIMEOUT.fullmatch(written.strip()) if written is not None else None
    if found:
        return round(float(found[1]) * _UNITS[found[2]], 6)
    if written is not None:
        diagnostics.append(Diagnostic("slot-timeout", f"Slot '{name}': timeout {written!r} is not like 400ms or 1.5s."))
    return None


def _isolation(name: str, values: dict[str, str], diagnostics: list[Diagnostic]) -> str | None:
    written = values.get("isolation")
    if written is None or written in ISOLATIONS:
        return written
    diagnostics.append(
        Diagnostic("slot-isolation", f"Slot '{name}': isolation {written!r} is not {', '.join(ISOLATIONS)}.")
    )
    return "iframe"  # what cannot be read is fenced in as far as can be


_STANDING = re.compile(rb"<!--[a-z0-9-]{1,64}-->")


def _with_fallback(page: _Page, cut: _Cut, slot: Slot, inside: bytes, diagnostics: list[Diagnostic]) -> Slot:
    """The fallback as written; what would change the page around the slot is closed first, as a piece's is."""
    if page.includes:  # one in another's fallback is not filled
        inside = _STANDING.sub(lambda found: b"" if found[0] in page.includes else found[0], inside)
    if not inside:
        return slot
    written = inside.decode("utf-8", "replace")
    if not parse.holds(around(slot), bare(slot), written, slot.mark):
        diagnostics.append(
            _said("fallback-not-closed", page, cut.first, "The fallback reaches out of its slot. Close it.")
        )
        written = parse.serialise(parse.part(written, *parsed_as(slot.context)))
        inside = written.encode() if parse.holds(around(slot), bare(slot), written, slot.mark) else b""
    return replace(slot, fallback=inside)


def bare(slot: Slot, name: str = "mf-slot") -> parse.Wrapper:
    """The wrapper without its attributes, which change nothing about how it is read."""
    before, after = slot.wrapper(name)
    return (f"<{after[2:]}", after) if after.startswith("</") else (before, after)


def around(slot: Slot) -> parse.Surroundings:
    return parse.Surroundings(slot.chain, bare(slot), slot.quirks)


_PARSED_AS = {
    Context.HEAD: "head",
    Context.TABLE: "table",
    Context.TBODY: "tbody",
    Context.TR: "tr",
    Context.COLGROUP: "colgroup",
    Context.SELECT: "select",
}


def parsed_as(context: Context) -> tuple[str, str]:
    """The element, and its namespace, that content of this context is parsed in."""
    if context in (Context.SVG, Context.MATH):
        return context.value, context.value
    return _PARSED_AS.get(context, "div"), parse.HTML


# ---- The head, and the whole ----------------------------------------------------------------------------------------

_IN_HEAD = frozenset(b"html head title meta link style script noscript template base basefont bgsound".split())
_FOR_HEAD = frozenset(b"title link meta script style noscript template".split())
_HOLDING = frozenset(b"title style script noscript template".split())
_BLANK = b"\t\n\f\r "


def _plan(page: _Page, placed: Sequence[tuple[_Cut, Slot]], diagnostics: Sequence[Diagnostic]) -> Plan:
    source, cuts = page.source, [cut for cut, _ in placed]
    starts = [0, *(cut.end for cut in cuts)]
    ends = [*(cut.start for cut in cuts), len(source)]
    literals = tuple(source[start:end] for start, end in zip(starts, ends, strict=True))
    slots = tuple(slot for _, slot in placed)
    end_of_head = _end_of_head(page, placed)
    hoist = _region(starts, ends, end_of_head, end_of_head)
    return Plan(
        literals,
        slots,
        (hoist.literal, hoist.start),
        tuple(diagnostics),
        hashlib.blake2b(repr(starts).encode() + source, digest_size=16).hexdigest(),
        _heading(page, starts, ends, end_of_head),
        tuple(slot.filled(slot.fallback) for slot in slots),
        tuple(slot.filled(b"") for slot in slots),
        tuple(
            _halves(literal, hoist.start) if at == hoist.literal else (literal,) for at, literal in enumerate(literals)
        ),
    )


def _halves(literal: bytes, at: int) -> tuple[bytes, ...]:
    return literal[:at], literal[at:]


def _region(starts: Sequence[int], ends: Sequence[int], start: int, end: int) -> Region:
    """Offsets of the source told by literal. None of them lies in a slot."""
    literal = max(at for at in range(len(starts)) if starts[at] <= start)
    return Region(literal, start - starts[literal], min(end, ends[literal]) - starts[literal])


def _end_of_head(page: _Page, placed: Sequence[tuple[_Cut, Slot]]) -> int:
    """Where a browser ends the head: at its end tag, or before the first thing that cannot be in it (13.2.6.4.4)."""
    slots = {cut.start: (cut, slot) for cut, slot in placed}
    at = 3 if page.source.startswith(b"\xef\xbb\xbf") else 0
    inside, opened, depth = b"", 0, 0
    for token in page.tokens:
        if token.start < at:
            continue
        if inside:
            if token.name == inside:
                depth += 1 if token.kind is Kind.START else -1
            inside = inside if depth else b""
        elif page.source[at : token.start].strip(_BLANK):
            return at
        elif token.start in slots:
            cut, slot = slots[token.start]
            if slot.context is not Context.HEAD:
                return token.start
            at = cut.end
            continue
        elif token.kind is Kind.END and token.name in (b"head", b"body", b"html"):
            return token.start
        elif token.kind is Kind.START:
            if token.name not in _IN_HEAD:
                return token.start
            if token.name in _HOLDING:
                inside, opened, depth = token.name, token.start, 1
        at = token.end
    return opened if inside else at


def _heading(page: _Page, starts: Sequence[int], ends: Sequence[int], end_of_head: int) -> Heading:
    present: set[str] = set()
    metadata: list[tuple[str, Region]] = []
    title = map_region = module = map_text = None
    inside = b""
    for at, token in enumerate(page.tokens):
        if token.name not in _FOR_HEAD:
            continue
        if inside or token.kind is not Kind.START or not _in_literals(starts, ends, token.start):
            inside = b"" if token.kind is Kind.END and token.name == inside else inside
            continue
        inside = token.name if token.name in (b"template", b"noscript") else b""
        if token.name == b"title" and title is None and token.start < end_of_head and (end := _end_tag(page, at)):
            title = _region(starts, ends, token.start, end.end)
        if token.name == b"title" or inside:
            continue
        end = _end_tag(page, at)
        text = page.source[token.end : end.start if end else token.end].decode("utf-8", "replace")
        known = head.identify(token.name.decode(), dict(_values(page.source[token.start : token.end])), text)
        if known is None:
            continue
        kind, key = known
        if kind == "importmap" and map_region is None:
            map_text, map_region = text, _region(starts, ends, token.end, token.end + len(text.encode()))
        elif kind in head.METADATA:
            if token.start < end_of_head:
                metadata.append((key, _region(starts, ends, token.start, token.end)))
        else:
            present.add(key)
            if kind in ("module", "modulepreload") and module is None:
                module = token.start
    if map_region is None:
        first = end_of_head if module is None else min(module, end_of_head)
        map_region = _region(starts, ends, first, first)
    return Heading(frozenset(present), title, tuple(metadata), map_region, map_text)


def _in_literals(starts: Sequence[int], ends: Sequence[int], at: int) -> bool:
    return any(start <= at < end for start, end in zip(starts, ends, strict=True))


def _end_tag(page: _Page, at: int) -> Token | None:
    following = page.tokens[at + 1 : at + 2]
    return (
        following[0]
        if following and following[0].kind is Kind.END and following[0].name == page.tokens[at].name
        else None
    )
