"""Where a page's head and body end, and what its own head holds that a piece's could double or replace."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import fragments.head as head
from fragments.cutting import Cut, Page, said
from fragments.scan import Kind, Token
from fragments.skim import HOLDING, IN_HEAD
from fragments.slot import Context

_FOR_HEAD = frozenset(b"title link meta script style noscript template".split())
_ENDING = frozenset(b"head body html br".split())  # end tags that end a head (13.2.6.4.4)
_BLANK = b"\t\n\f\r "


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


NO_HEADING = Heading()


class Edges(NamedTuple):
    """Where the literals of a source start, and where they end."""

    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, source: bytes, cuts: Sequence[Cut]) -> Edges:
        return cls([0, *(cut.end for cut in cuts)], [*(cut.start for cut in cuts), len(source)])

    def region(self, start: int, end: int) -> Region:
        """Offsets of the source told by literal. None of them lies in a slot."""
        literal = bisect_right(self.starts, start) - 1
        return Region(literal, start - self.starts[literal], min(end, self.ends[literal]) - self.starts[literal])

    def hold(self, at: int) -> bool:
        """Whether it lies in a literal."""
        return at < self.ends[bisect_right(self.starts, at) - 1]


def end_of_head(page: Page, slots: Mapping[int, tuple[Cut, Context]]) -> int:
    """Where a browser ends the head: at its end tag, or before the first thing that cannot be in it (13.2.6.4.4).
    `slots` are told by where they start."""
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
            cut, context = slots[token.start]
            if context is not Context.HEAD:
                return token.start
            at = cut.end
            continue
        elif token.kind is Kind.END and token.name in _ENDING:
            return token.start
        elif token.kind is Kind.START:
            if token.name not in IN_HEAD:
                return token.start
            if token.name in HOLDING:
                inside, opened, depth = token.name, token.start, 1
        at = token.end
    return opened if inside else at


def end_of_body(page: Page, cuts: Sequence[Cut]) -> int:
    """Before the end tags of body and html that nothing follows: what comes there is the last of the body."""
    last = cuts[-1].end if cuts else 0
    at = end = len(page.source)
    for token in reversed(page.tokens):
        if token.start < last or page.source[token.end : at].strip(_BLANK):
            break
        if token.kind is Kind.END and token.name in (b"body", b"html"):
            end = token.start
        elif token.kind is not Kind.COMMENT:
            break
        at = token.start
    return end


def heading(page: Page, edges: Edges, end: int) -> Heading:
    """What stands in the head, which ends at `end`, or anywhere else but means the page."""
    present: set[str] = set()
    metadata: list[tuple[str, Region]] = []
    title = map_region = module = map_text = None
    inside = b""
    for at, token in enumerate(page.tokens):
        if token.name not in _FOR_HEAD:
            continue
        if inside or token.kind is not Kind.START or not edges.hold(token.start):
            inside = b"" if token.kind is Kind.END and token.name == inside else inside
            continue
        inside = token.name if token.name in (b"template", b"noscript") else b""
        if token.name == b"title" and title is None and token.start < end and (closed := _end_tag(page, at)):
            title = edges.region(token.start, closed.end)
        if token.name == b"title" or inside:
            continue
        closed = _end_tag(page, at)
        text = page.source[token.end : closed.start if closed else token.end].decode("utf-8", "replace")
        known = head.identify(token.name.decode(), dict(said(page.source, token)), text)
        if known is None:
            continue
        kind, key = known
        if kind == "importmap" and map_region is None:
            map_text, map_region = text, edges.region(token.end, token.end + len(text.encode()))
        elif kind in head.METADATA:
            if token.start < end:
                metadata.append((key, edges.region(token.start, token.end)))
        else:
            present.add(key)
            if kind in ("module", "modulepreload") and module is None:
                module = token.start
    if map_region is None:
        first = end if module is None else min(module, end)
        map_region = edges.region(first, first)
    return Heading(frozenset(present), title, tuple(metadata), map_region, map_text)


def _end_tag(page: Page, at: int) -> Token | None:
    following = page.tokens[at + 1 : at + 2]
    if following and following[0].kind is Kind.END and following[0].name == page.tokens[at].name:
        return following[0]
    return None
