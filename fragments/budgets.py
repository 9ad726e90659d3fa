"""What a source would cost a parser, told in linear time before one sees it.

Depth costs quadratic time, and misnested formatting multiplies what is made. Markup that is written neatly is known by
its own words; for any other, a stack is kept about as deep as a parser's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import fragments.patterns as patterns
from fragments.errors import OverBudget
from fragments.scan import Kind, Token, attributes, tokens
from fragments.skim import DRAWING, DRAWN, START, skim
from fragments.tidy import nested

ATTRIBUTES = 1024


@dataclass(frozen=True, slots=True)
class Budget:
    """What one source may cost. Browsers flatten at depth 512; real fragments stay far below all of these."""

    size: int = 1 << 20
    depth: int = 256
    formatting: int = 64  # unclosed ones, which every block after them opens again
    tags: int = 50_000
    created: int = 200_000  # elements, with those opened again
    attributes: int = ATTRIBUTES  # on one tag; Lexbor compares each with each
    roots: int = 16  # `<html>` and `<body>` tags, whose attributes are merged into one element
    hidden: int = 1024  # what looks like a tag in text, where a parser may read it as one


PIECE = Budget()
SHELL = Budget(size=8 << 20, depth=512, tags=400_000, created=1_600_000, hidden=4096)
DEPTH = 512  # of a tree; Chromium flattens what is deeper
GROWTH, SLACK = 4, 64 * 1024  # normal form may be that many times its source, and that much more


class Survey(NamedTuple):
    document: bool  # a whole document, not a part of one
    tidy: frozenset[bytes] = frozenset()  # the names of its tags, if reading it can only give what it spells out
    drawings: frozenset[bytes] = frozenset()  # of what is tidy: each once, in lower case


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


VOID = _words("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
_ROOTS = _words("html head body")
_UNBUILT = VOID | _words("frameset")  # a start tag that leaves nothing open
_BREAKOUT_VOID = _words("br embed hr img meta")  # the same, and foreign content ends there
FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
_FOREIGN = _words("annotation-xml desc foreignobject math mi mn mo ms mtext svg title")
_BARRIERS = _FOREIGN | _words("applet button caption marquee noscript object ol select table td template th ul")
_HEADINGS = _words("h1 h2 h3 h4 h5 h6")
_BLOCKS = _words(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hgroup li listing main menu nav ol p plaintext pre search section summary table ul xmp dd dt"
)
_SPECIAL = (
    _BLOCKS
    | _BARRIERS
    | _words("body colgroup head iframe noembed noframes script style tbody textarea tfoot thead tr")
)
_CELLS = _words("td th tr tbody thead tfoot colgroup caption")
_IMPLIED: dict[bytes, frozenset[bytes]] = {  # a start tag, and what it closes when that is the current node
    **dict.fromkeys(_BLOCKS, _words("p")),
    b"li": _words("p li"),
    b"dd": _words("p dd dt"),
    b"dt": _words("p dd dt"),
    b"option": _words("option"),
    b"td": _words("p td th"),
    b"th": _words("p td th"),
    b"tr": _words("p td th tr colgroup caption"),
    b"tbody": _words("p td th tr tbody thead tfoot colgroup caption"),
    b"thead": _words("p td th tr tbody thead tfoot colgroup caption"),
    b"tfoot": _words("p td th tr tbody thead tfoot colgroup caption"),
}
_NOTHING: frozenset[bytes] = frozenset()
_CLOSABLE = frozenset().union(*_IMPLIED.values())
_P = _words("p")
_IMPLIED_ENDS = _words("dd dt li optgroup option p rb rp rt rtc") | _CELLS
_WALLS = {  # what an end tag does not reach through, where that is not every barrier (13.2.4.2)
    **dict.fromkeys(_CELLS | _words("table"), _words("table template svg math")),
    b"template": _NOTHING,
}
_LIKE_A_TAG = re.compile(rb"<(/?)([A-Za-z][^\t\n\f\r />]*)")
_ROOT = re.compile(rb"<(?:!doctype|html|head|body)", re.IGNORECASE)
_FEW, _SHORT = 200, 8 * 1024  # so few tags in so few bytes cost next to nothing, whatever they are
_UNSURE = re.compile(rb"<(?:svg|math|noscript|frameset|select|template)", re.IGNORECASE)
_MANY = 10_000  # tags, which a parser reads in a tenth of a second even if each is nested in the one before


def survey(
    source: bytes, budget: Budget = PIECE, *, found: Sequence[Token] | None = None, in_flow: bool = True
) -> Survey:
    """Says what the source would cost, in linear time; raises OverBudget for what would take a parser long.
    `found` are the tags that `skim` tells, where the caller has them."""
    if len(source) > budget.size:
        raise OverBudget(f"The markup has {len(source)} bytes; at most {budget.size} are read. Send less.")
    if len(source) <= _SHORT and source.count(b"<") <= _FEW and not _ROOT.search(source):
        return Survey(document=False)
    if found is None:
        if (signs := source.count(b"<")) > budget.tags:
            _count_all(source, budget, in_flow)  # raises, if not all is text, long before all is read
        elif plain := _plainly_within(source, signs, budget):
            return plain
    told = skim(source)[0] if found is None else found
    if not _neatly_within(source, told, budget):
        _count_all(source, budget, in_flow)
    return Survey(any(map(_means_document, told)))


def _means_document(token: Token) -> bool:
    return token.kind is Kind.DOCTYPE or (token.kind is Kind.START and token.name in _ROOTS)


# ---- What is written neatly -----------------------------------------------------------------------------------------

_RAW = _words("title textarea style script xmp iframe noembed noframes plaintext")
_TAG = re.compile(rb"(?:%b|<(/?[a-z][^\t\n\f\r />]*))" % DRAWING.pattern)
_LONG = re.compile(rb"<[^<]{%d}" % ATTRIBUTES)
_BLOCK = ATTRIBUTES // 2
_ROOT_TAGS = _ROOTS | _words("/html /head /body")
_LEAVING_NOTHING = _UNBUILT | _ROOT_TAGS | {b""}  # a drawing has no name here
_FOREIGN_ROOTS = _words("svg math")
_DEEPEST = 64  # open elements of a neat page


def _neatly_within(source: bytes, told: Sequence[Token], budget: Budget) -> bool:
    """Whether every tag closes just what was opened last, not deep at all, and nothing closes by itself. Such markup
    has no more open elements than it says, and that all of it is within the budget is known by counting tags."""
    signs = source.count(b"<")
    if signs > budget.tags or budget.attributes < ATTRIBUTES or _has_long(source, told):
        return False
    text = _without_text(source, told)
    tags = _TAG.findall(text)
    deepest = _nested(tags, _deepest(budget, b"<svg" in text))
    return (
        deepest is not None
        and signs * (1 + deepest) <= budget.created
        and signs - len(tags) <= budget.hidden
        and sum(token.name in _ROOTS for token in told) <= budget.roots
    )


def _has_long(source: bytes, told: Sequence[Token]) -> bool:
    long = any(token.end - token.start > ATTRIBUTES for token in told if token.kind is Kind.START)
    return long or _has_long_tag(source, START)


def _has_long_tag(source: bytes, tag: re.Pattern[bytes]) -> bool:
    """Whether a tag of this kind may have more attributes than are looked at."""
    if all(source.find(b"<", at, at + _BLOCK) >= 0 for at in range(0, len(source) - _BLOCK, _BLOCK)):
        return False  # as is usual: what is long would fill a block
    for found in _LONG.finditer(source):
        read = tag.match(source, found.start())
        if read is not None and read.end() - read.start() > ATTRIBUTES:
            return True
    return False


def _without_text(source: bytes, told: Sequence[Token]) -> bytes:
    """The tags in lower case, those told without attributes, and what lies between them but for raw text."""
    source, parts, at, raw = source.lower(), [], 0, False
    for token in told:
        if not raw:
            parts.append(source[at : token.start])
        raw = token.kind is Kind.START and token.name in _RAW
        if token.kind is Kind.START or token.kind is Kind.END:
            parts.append(b"<%b%b>" % (b"/" if token.kind is Kind.END else b"", token.name))
        at = token.end
    if not raw:
        parts.append(source[at:])
    return b"".join(parts)


def _deepest(budget: Budget, drawn: bool) -> int:
    return min(_DEEPEST, budget.formatting, budget.depth - DRAWN * drawn)


def _nested(tags: Sequence[bytes], limit: int) -> int | None:
    """How deep, if each is closed in turn, and not too deep."""
    stack = [b""]
    deepest, top, end = 0, b"", b" "  # the end tag that closes what is on top
    for tag in tags:
        if tag == end:
            stack.pop()
            top = stack[-1]
            end = b"/" + top
        elif tag not in _LEAVING_NOTHING:
            if tag[0] == _SLASH or tag in _FOREIGN_ROOTS or (tag == b"a" and tag in stack):
                return None
            if top in _CLOSABLE and top in _IMPLIED.get(tag, _NOTHING):
                return None
            stack.append(tag)
            top, end = tag, b"/" + tag
            if len(stack) > deepest:
                deepest = len(stack)
                if deepest > limit:
                    return None
    return deepest


_SLASH = ord("/")


# ---- What is plain --------------------------------------------------------------------------------------------------

# A comment, or a tag whose values are written as usual, in lower case. Where these hold every "<" of a source, none is
# in a value: a quote opens one only behind a name and "=", and no such value holds a "<".
_NAME = rb"[^\t\n\f\r />\"'=<]"
_VALUE = rb"=(?:\"[^\"<]*+\"|'[^'<]*+'|[^\t\n\f\r \"'=<>`]++)"
_PLAIN_TAG = rb"<(/?[a-z]%b*+)(?:>|(?:[\t\n\f\r /]++(?:%b++(?:%b)?+)?+)++>)" % (_NAME, _NAME, _VALUE)
_PLAIN_COMMENT = rb"<!--(?!-?>)[^<>-]*+(?:-(?!-)[^<>-]*+)*+-->"
_PLAIN = patterns.compile(rb"(?:%b|%b)" % (_PLAIN_TAG, _PLAIN_COMMENT))
_DRAWN = b"<wbr>"  # stands for a drawing: as little is open after it
_ALIKE = 4  # drawings of a source that are looked for in all of it, since icons are used again and again
_DOCTYPE = b"<!doctype html>"


def _plainly_within(source: bytes, signs: int, budget: Budget) -> Survey | None:
    """The same of a source in which each "<", of so many, begins a plain tag, a drawing or a comment; else None."""
    lower = source.lower()
    drawings, outside = _drawn(lower)
    tags = _PLAIN.findall(outside)
    doctype = lower.startswith(_DOCTYPE)
    if len(tags) + doctype != outside.count(b"<"):
        return None
    names = frozenset(tags)
    roots = lower.count(b"<html") + lower.count(b"<body")  # at least as many as there are
    if roots > budget.roots or budget.attributes < ATTRIBUTES or _has_long_tag(lower, _PLAIN):
        return None
    document, limit = doctype or not names.isdisjoint(_ROOT_TAGS), _deepest(budget, bool(drawings))
    deepest = nested(tags, limit)
    if deepest is not None and signs * (1 + deepest) <= budget.created:
        return Survey(document, names, frozenset(drawings))
    if document and not _has_text_alone(tags):
        return None
    deepest = _nested(tags, limit)
    return Survey(document) if deepest is not None and signs * (1 + deepest) <= budget.created else None


def _drawn(lower: bytes) -> tuple[set[bytes], bytes]:
    """The drawings of a source, and what is around them."""
    drawings: set[bytes] = set()

    def added(found: re.Match[bytes]) -> bytes:
        drawings.add(found[0])
        return _DRAWN

    while b"<svg" in lower and (found := DRAWING.search(lower)):
        if len(drawings) == _ALIKE:
            return drawings, DRAWING.sub(added, lower)
        lower = lower.replace(found[0], added(found))
    return drawings, lower


def _has_text_alone(tags: Sequence[bytes]) -> bool:
    """Whether nothing that looks like a tag is in raw text."""
    return all(tags[at + 1 : at + 2] == [b"/" + tag] for at, tag in enumerate(tags) if tag in _RAW)


# ---- What is not ----------------------------------------------------------------------------------------------------


def _count_all(source: bytes, budget: Budget, in_flow: bool) -> None:
    count = _Count(source, budget)
    seen: list[Token] = []
    for token in tokens(source):
        count.add(token)
        seen.append(token)
    if (not in_flow or _UNSURE.search(source)) and len(_LIKE_A_TAG.findall(source)) - count.tags > budget.hidden:
        _survey_all(source, seen, budget)


def _survey_all(source: bytes, found: Sequence[Token], budget: Budget) -> None:
    """Once more, with all that looks like a tag in text. Foreign content, `<noscript>` and some contexts can make a
    parser see markup where a scanner sees text; neither may be led to nest without a bound."""
    wider = replace(budget, depth=8 * budget.depth, formatting=8 * budget.formatting, created=8 * budget.created)
    count = _Count(source, wider)  # scripts are full of what looks like a tag and is none
    at = 0
    for token in found:
        count.add_hidden(at, token.start if token.name else token.end)
        count.add(token)
        at = token.end
    count.add_hidden(at, len(source))


class _Count:
    """The stack of open elements, about as deep as a parser's; where there are many, at least as deep, but for what
    tables and formatting open by themselves."""

    def __init__(self, source: bytes, budget: Budget) -> None:
        self.source, self.budget = source, budget
        self.tags = self.created = self.roots = self.foreign = self.unclosed = 0
        self.doubtful = False
        self.close = self.close_top if source.count(b"<") > _MANY else self.close_likely
        self.open: list[bytes] = []
        self.formatting: Counter[bytes] = Counter()

    def add(self, token: Token) -> None:
        if token.kind is Kind.START:
            self.start(token)
        elif token.kind is Kind.END:
            self.end(token.name)
        else:
            return
        self.tags += 1
        self.created += 1 + self.unclosed
        self.check()

    def add_hidden(self, start: int, end: int) -> None:
        for like in _LIKE_A_TAG.finditer(self.source, start, end):
            kind = Kind.END if like[1] else Kind.START
            self.add(Token(kind, like.start(), like.end(), like[2].lower(), foreign=True))

    def start(self, token: Token) -> None:
        name = token.name
        if token.end - token.start > self.budget.attributes:
            self.check_attributes(token)
        if name in _ROOTS:
            self.roots += name != b"head"
            return
        if name == b"a" and self.formatting[name] and not self.foreign:
            self.end(name)
        self.imply_ends(name)
        if self.leaves_nothing_open(token):
            return
        self.open.append(name)
        self.foreign += name in (b"svg", b"math")
        if name in FORMATTING:
            self.formatting[name] += 1
            self.unclosed += 1

    def imply_ends(self, name: bytes) -> None:
        if self.foreign and name not in _BLOCKS:
            return
        closes = _IMPLIED.get(name, _NOTHING)
        if name in _CELLS and b"table" not in self.open:
            closes -= _P
        while self.open and self.open[-1] in closes:
            self.pop()

    def leaves_nothing_open(self, token: Token) -> bool:
        """Void elements in HTML, closed ones in foreign content; where it is in doubt which, neither."""
        if not self.foreign:
            return token.name in _UNBUILT or (token.closed and token.name in (b"svg", b"math"))
        if token.name in _BREAKOUT_VOID:
            return True
        self.doubtful = self.doubtful or not token.foreign
        return token.closed and not self.doubtful

    def end(self, name: bytes) -> None:
        before = len(self.open)
        self.close(name)
        if self.foreign and len(self.open) == before:
            self.doubtful = True  # a parser may have left the svg or math by an end tag that means nothing here

    def close_top(self, name: bytes) -> None:
        """Only what is open on top, with what its end tag implies: never wrong, and enough for what is well written."""
        implied = _IMPLIED_ENDS if name in _SPECIAL and name not in _FOREIGN else _NOTHING
        at = len(self.open) - 1
        while at >= 0 and self.open[at] != name and self.open[at] in implied:
            at -= 1
        if at < 0 or self.open[at] != name:
            return
        self.forget(name)
        if self.never_was(name, at):
            del self.open[at]
        else:
            self.pop_to(at)

    def close_likely(self, name: bytes) -> None:
        """What a parser closes, as a rule; markup made for it can be deeper than this says."""
        at = self.reached(_HEADINGS if name in _HEADINGS else {name}, _WALLS.get(name, _BARRIERS))
        if at is not None or not self.walled():
            self.forget(name)
        if at is None:
            return
        if name == b"form" or self.never_was(name, at):  # a form's end tag closes nothing but the form
            del self.open[at]
        elif self.closable(name, at):
            self.pop_to(at)

    def never_was(self, name: bytes, at: int) -> bool:
        """A cell or row without a table is none, except in a template, and there it may stay open."""
        return name in _CELLS and b"table" not in self.open[:at]

    def forget(self, name: bytes) -> None:
        if self.formatting[name]:
            self.formatting[name] -= 1
            self.unclosed -= 1

    def reached(self, names: Collection[bytes], walls: Collection[bytes]) -> int | None:
        """Where the element that the end tag means is open, if no barrier stands between."""
        for at in range(len(self.open) - 1, -1, -1):
            if self.open[at] in names:
                return at
            if self.open[at] in walls:
                return None
        return None

    def walled(self) -> bool:
        return any(name in _BARRIERS for name in self.open)

    def closable(self, name: bytes, at: int) -> bool:
        """Formatting and unknown elements close nothing special on their way (13.2.6.4.7, "any other end tag")."""
        if name in _SPECIAL and name not in _FOREIGN:
            return True
        return not any(above in _SPECIAL for above in self.open[at + 1 :])

    def pop_to(self, at: int) -> None:
        while len(self.open) > at:
            self.pop()

    def pop(self) -> None:
        self.foreign -= self.open.pop() in (b"svg", b"math")
        self.doubtful = self.doubtful and self.foreign > 0

    def check(self) -> None:
        budget = self.budget
        if len(self.open) > budget.depth:
            raise OverBudget(f"Elements are nested deeper than {budget.depth}. Close what is opened.")
        if self.unclosed > budget.formatting:
            raise OverBudget(f"More than {budget.formatting} formatting elements are left open. Close them.")
        if self.tags > budget.tags or self.created > budget.created:
            raise OverBudget(f"The markup makes more than {budget.tags} elements. Send less.")
        if self.roots > budget.roots:
            raise OverBudget("The markup opens html or body again and again. One of each is enough.")

    def check_attributes(self, token: Token) -> None:
        if len(attributes(self.source, token)) > self.budget.attributes:
            raise OverBudget(f"A tag has more than {self.budget.attributes} attributes. Send less.")


def grown(source: int, result: int) -> bool:
    """Whether normal form is longer than a source of that length may make it."""
    return result > GROWTH * source + SLACK
