"""Where a page's slots are, and what their tags say. They are cut at token level, so nothing in a title, a script, a
comment or an attribute is one."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fragments.scan import Kind, Token, attributes, tokens, unescape
from fragments.slot import Diagnostic, Include

MOST = 256  # slots of one page, each of which may cost a fetch
MOST_SAID = 100  # diagnostics of one page; nobody reads more
NONE: Mapping[bytes, Include] = {}
Foreign = Callable[[bytes], bool]
Values = tuple[tuple[str, str], ...]


class Cut(NamedTuple):
    spelling: str
    start: int
    end: int
    inside: tuple[int, int]  # the fallback
    values: Values
    include: Include | None = None

    def moved(self, by: int) -> Cut:
        return self._replace(start=self.start + by, end=self.end + by)


@dataclass(slots=True)
class Page:
    """A source with its tags, and what has been said of it."""

    source: bytes
    tokens: Sequence[Token]
    includes: Mapping[bytes, Include] = field(default_factory=dict)
    foreign: Foreign | None = None
    begin: int = 0  # what stands before is no slot
    unfinished: bool = False  # it ends within a tag, a comment or raw text
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _counted: tuple[int, int] = (0, 1)

    def say(self, code: str, at: int, message: str) -> None:
        """Takes note of something in the line of this offset."""
        if len(self.diagnostics) < MOST_SAID:
            line = self.line(at)
            self.diagnostics.append(Diagnostic(code, f"{message} (line {line})", line))

    def line(self, at: int) -> int:
        """The line of an offset; from left to right, no line is counted twice."""
        counted, line = self._counted if self._counted[0] <= at else (0, 1)
        self._counted = at, line + self.source.count(b"\n", counted, at)
        return self._counted[1]

    def include(self, token: Token) -> Include | None:
        if not self.includes or token.kind is not Kind.COMMENT:
            return None
        return self.includes.get(self.source[token.start : token.end])

    def opens_slot(self, token: Token) -> bool:
        return self.spells_slot(token) and (
            self.foreign is None or not self.foreign(self.source[token.start : token.end])
        )

    def spells_slot(self, token: Token) -> bool:
        if token.kind is Kind.START:
            return token.name == b"mf-slot" or (
                token.name == b"template" and any(each.name == b"mf-slot" for each in attributes(self.source, token))
            )
        if token.kind is Kind.COMMENT:
            return self.source.startswith(b"<!--mf:slot", token.start) or self.include(token) is not None
        return False


def cuts(page: Page) -> list[Cut]:
    """The outermost slots in order; what stands inside one is its fallback."""
    ends = _ends(page)
    found: list[Cut] = []
    after = page.begin
    for at, token in enumerate(page.tokens):
        if token.start < after:
            if found and page.opens_slot(token):
                page.say("slot-in-fallback", token.start, "A slot in another's fallback is not filled.")
            continue
        cut = _cut(page, at, ends) if page.opens_slot(token) else None
        if cut is not None and len(found) == MOST:
            page.say("slots-too-many", token.start, f"Only {MOST} slots are filled. Use fewer.")
            break
        if cut is not None:
            found.append(cut)
            after = cut.end
    return found


def _ends(page: Page) -> dict[int, Token]:
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


def _cut(page: Page, at: int, ends: dict[int, Token]) -> Cut | None:
    token = page.tokens[at]
    include = page.include(token)
    if include is not None:
        written = (("name", include.source.partition("?")[0]), *include.kept)
        return Cut("include", token.start, token.end, (token.end, token.end), written, include)
    spelling, values = _spelled(page, token)
    if not dict(values).get("name", "").strip():
        page.say("slot-without-name", token.start, "A slot without a name is left as it is. Name it.")
        return None
    end = ends.get(at)
    if spelling == "comment" or (spelling == "element" and token.closed):
        return Cut(spelling, token.start, token.end, (token.end, token.end), values)
    if end is None:
        page.say("slot-not-closed", token.start, "The slot has no end tag: it is empty. Close it.")
        return Cut(spelling, token.start, token.end, (token.end, token.end), values)
    return Cut(spelling, token.start, end.end, (token.end, end.start), values)


_COMMENT_SLOT = re.compile(rb"<!--mf:slot(?=[\t\n\f\r /])(.*?)--!?>", re.DOTALL)


def _spelled(page: Page, token: Token) -> tuple[str, Values]:
    if token.kind is Kind.COMMENT:
        found = _COMMENT_SLOT.match(page.source, token.start, token.end)
        tag = b"<mf-slot" + found[1] + b">" if found else b""
        read = next(tokens(tag), None)
        return "comment", said(tag, read) if read else ()
    values = said(page.source, token)
    if token.name == b"template":
        return "template", tuple(
            ("name" if name == "mf-slot" else name, value) for name, value in values if name != "name"
        )
    return "element", values


def said(source: bytes, token: Token) -> Values:
    """The attributes of a tag, by what they mean."""
    found = attributes(source, token)
    return tuple((each.name.decode("utf-8", "replace"), _clean(unescape(each.value or b""))) for each in found)


def _clean(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# ---- What only looks like one ---------------------------------------------------------------------------------------

_MENTIONED = re.compile(rb"mf[-:]slot")
_NAMED = re.compile(rb"[\t\n\f\r ]*=")


def tell_mentions(page: Page, found: Sequence[Cut]) -> None:
    """Slots that are only text, where the author may have meant one."""
    lower = page.source.lower()
    starts, begins = [cut.start for cut in found], [token.start for token in page.tokens]
    for mention in _MENTIONED.finditer(lower, page.begin):
        if len(page.diagnostics) == MOST_SAID:
            return
        at = _mentioned(lower, mention)
        if at is None or _is_in(starts, found, at):
            continue
        number = bisect_right(begins, at) - 1
        token = page.tokens[number] if number >= 0 else None
        if token is None or at >= token.end or not (token.kind is Kind.END or page.opens_slot(token)):
            page.say("slot-in-text", at, "What looks like a slot is text here and is not filled.")


def _mentioned(lower: bytes, mention: re.Match[bytes]) -> int | None:
    """Where it begins, if it looks like a tag, a comment or an attribute."""
    start, end = mention.span()
    before = lower[max(start - 4, 0) : start]
    if mention[0] == b"mf:slot":
        return start - 4 if before == b"<!--" else None
    if before.endswith(b"<"):
        return start - 1 if lower[end : end + 1] in (b"\t", b"\n", b"\f", b"\r", b" ", b"/", b">") else None
    if before[-1:] in (b"\t", b"\n", b"\f", b"\r", b" ", b'"', b"'", b"/") and _NAMED.match(lower, end):
        return start - 1
    return None


def _is_in(starts: Sequence[int], found: Sequence[Cut], at: int) -> bool:
    number = bisect_right(starts, at) - 1
    return number >= 0 and at < found[number].end
