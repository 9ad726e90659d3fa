"""The only file that knows selectolax: budgets first, then parse in context, then normal form.

Lexbor builds the tree browsers build. Depth costs it quadratic time and misnested formatting multiplies what it makes,
so it sees nothing that `survey` has not counted. Lexbor's nodes never leave this file; `Element` is what others hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from fragments.errors import OverBudget
from fragments.scan import Kind, Token, attributes, tokens

# ---- Characters -----------------------------------------------------------------------------------------------------

_CODECS = {  # Encoding Standard, 4.2: a label and the codec that reads it; names Python reads alike are left out
    "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "iso88591": "cp1252",
    "x-cp1252": "cp1252",
    "x-cp1251": "cp1251",
    "x-cp1250": "cp1250",
    "iso-8859-9": "cp1254",
    "iso_8859-9": "cp1254",
    "latin5": "cp1254",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "cp866": "cp866",
    "ibm866": "cp866",
    "koi8-r": "koi8-r",
    "koi8": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "mac": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "euc-jp": "euc-jp",
    "iso-2022-jp": "iso-2022-jp",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "windows-949": "cp949",
    "utf-8": "utf-8",
    "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso-8859-{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PRESCAN = 1024  # HTML 13.2.3.2 stops there
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META_CHARSET = re.compile(
    rb"<meta[\t\n\f\r /][^>]*?charset[\t\n\f\r ]*=[\t\n\f\r ]*[\"']?[\t\n\f\r ]*([^\t\n\f\r \"'/>;]+)", re.I
)


def decode(body: bytes, charset: str | None) -> str:
    """What the bytes say: the byte order mark first (it wins, HTML 13.2.3.2), the header, `<meta>`, else utf-8."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body.decode(codec, "replace").lstrip("\ufeff")
    codec = _CODECS.get((charset or "").strip("\t\n\f\r \"'").lower()) or _declared(body) or "utf-8"
    return body.decode(codec, "replace").lstrip("\ufeff")


def _declared(body: bytes) -> str | None:
    found = _META_CHARSET.search(_COMMENT.sub(b"", body[:_PRESCAN]))
    codec = _CODECS.get(found[1].decode("latin-1").lower()) if found else None
    return "utf-8" if codec and codec.startswith("utf-16") else codec


# ---- Budgets --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Budget:
    """What one source may cost. Browsers flatten at depth 512; real fragments stay far below all of these."""

    size: int = 1 << 20
    depth: int = 256
    formatting: int = 64  # unclosed ones, which every block after them opens again
    tags: int = 50_000
    created: int = 200_000  # elements, with those opened again
    attributes: int = 1024  # on one tag; Lexbor compares each with each
    roots: int = 16  # `<html>` and `<body>` tags, whose attributes are merged into one element
    hidden: int = 1024  # what looks like a tag in text, where a parser may read it as one


PIECE = Budget()
SHELL = Budget(size=8 << 20, depth=512, tags=400_000, created=1_600_000, hidden=4096)
DEPTH = 512  # of a tree; Chromium flattens what is deeper
GROWTH, SLACK = 4, 64 * 1024  # normal form may be that many times its source, and that much more


class Survey(NamedTuple):
    document: bool  # a whole document, not a part of one


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_VOID = _words("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
_UNBUILT = _VOID | _words("frameset")  # a start tag that leaves nothing open
_BREAKOUT_VOID = _words("br embed hr img meta")  # the same, and foreign content ends there
_FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
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
    """Counts what the source would cost, in linear time; raises OverBudget for what would take a parser long.
    `found` are the source's tokens, where the caller has them."""
    if len(source) > budget.size:
        raise OverBudget(f"The markup has {len(source)} bytes; at most {budget.size} are read. Send less.")
    if len(source) <= _SHORT and source.count(b"<") <= _FEW and not _ROOT.search(source):
        return Survey(document=False)
    count = _Count(source, budget)
    seen: list[Token] = []
    for token in tokens(source) if found is None else found:
        count.add(token)
        seen.append(token)
    if (not in_flow or _UNSURE.search(source)) and len(_LIKE_A_TAG.findall(source)) - count.tags > budget.hidden:
        _survey_all(source, seen, budget)
    return Survey(count.document)


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
        self.document = self.doubtful = False
        self.close = self.close_top if source.count(b"<") > _MANY else self.close_likely
        self.open: list[bytes] = []
        self.formatting: Counter[bytes] = Counter()

    def add(self, token: Token) -> None:
        if token.kind is Kind.START:
            self.start(token)
        elif token.kind is Kind.END:
            self.end(token.name)
        elif token.kind is Kind.DOCTYPE:
            self.document = True
            return
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
        if name in (b"html", b"head", b"body"):
            self.document = True
            self.roots += name != b"head"
            return
        if name == b"a" and self.formatting[name] and not self.foreign:
            self.end(name)
        self.imply_ends(name)
        if self.leaves_nothing_open(token):
            return
        self.open.append(name)
        self.foreign += name in (b"svg", b"math")
        if name in _FORMATTING:
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


# ---- The tree -------------------------------------------------------------------------------------------------------

HTML, SVG, MATH = "html", "svg", "math"


@dataclass(slots=True)
class Element:
    """An element; a template's children are its content. Comments and instructions are not kept."""

    name: str
    space: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)


Node = Element | str

_SVG_POINTS = frozenset({"foreignObject", "desc", "title"})
_MATH_POINTS = frozenset({"mi", "mo", "mn", "ms", "mtext"})
_TEXT = 2  # Lexbor's tag id of a text node; cheaper than asking three properties


def document(source: str) -> tuple[Element, Element]:
    """The head and the body of a whole document, with their attributes; body also has html's where it has none."""
    parser = _parser(source)
    root = _document_element(parser)
    head, body = Element("head", HTML, {}), Element("body", HTML, {})
    for child in _nodes(root.first_child, HTML):
        if isinstance(child, Element) and child.name == "head":
            head = child
        elif isinstance(child, Element):
            body = child
    body.attributes = _attributes(root) | body.attributes | _both_classes(_attributes(root), body.attributes)
    return head, body


def part(source: str, tag: str, space: str = HTML) -> list[Node]:
    """What stands where `tag` is the parent. SVG and MathML are parsed inside their root, as scanners read them."""
    if space != HTML:
        inside = [node for node in part(f"<{space}>{source}</{space}>", "div") if isinstance(node, Element)]
        return inside[0].children if inside and inside[0].name == space else []
    parser = _parser(source, tag)
    return _nodes(parser.root, HTML)


def _parser(source: str | bytes, tag: str | None = None, *, scripting: bool = True) -> LexborHTMLParser:
    return LexborHTMLParser(
        source,
        is_fragment=tag is not None,
        fragment_tag=tag or "div",
        scripting=scripting,
        options=LexborDocumentOptions.WO_EVENTS,
    )


def _document_element(parser: LexborHTMLParser) -> LexborNode:
    root = parser.css_first("html")
    assert root is not None, "a parsed document has a document element"
    return root


def _both_classes(*several: dict[str, str]) -> dict[str, str]:
    names = " ".join(filter(None, (attributes.get("class") for attributes in several)))
    return {"class": names} if names else {}


def _siblings(node: LexborNode | None) -> Iterator[LexborNode]:
    while node is not None:
        yield node
        node = node.next


def _nodes(first: LexborNode | None, space: str) -> list[Node]:
    """Lexbor's nodes from this sibling on, as ours. A template's content stands in for its children."""
    result: list[Node] = []
    pending = [(first, result, space, 1)]
    while pending:
        start, into, inside, depth = pending.pop()
        if depth > DEPTH:
            raise OverBudget(f"Elements are nested deeper than {DEPTH}. Close what is opened.")
        for node in _siblings(start):
            if node.tag_id == _TEXT:
                into.append(node.text_content or "")
            elif node.is_element_node:
                element = _element(node, inside)
                into.append(element)
                if (below := _first_inside(node, element)) is not None:
                    pending.append((below, element.children, _inside(element), depth + 1))
    return result


def _element(node: LexborNode, inside: str) -> Element:
    name = node.tag or ""
    return Element(name, _space(name, inside), _attributes(node))


def _first_inside(node: LexborNode, element: Element) -> LexborNode | None:
    if element.name != "template" or element.space != HTML:
        return node.first_child
    content = node.template_fragments()
    return content[0].first_child if content else None


def _attributes(node: LexborNode) -> dict[str, str]:
    return {name: value or "" for name, value in node.attributes.items()}


def _space(name: str, inside: str) -> str:
    """The namespace of an element by the one its parent's content is read in (13.2.6)."""
    if inside == "text" and name not in ("mglyph", "malignmark"):
        inside = HTML
    if inside == HTML:
        return name if name in (SVG, MATH) else HTML
    if inside == "annotation" and name == SVG:
        return SVG
    return SVG if inside == SVG else MATH


def _inside(element: Element) -> str:
    """How the content of an element is read: a namespace, or a MathML point where HTML may begin."""
    if element.space == SVG:
        return HTML if element.name in _SVG_POINTS else SVG
    if element.space == MATH:
        if element.name in _MATH_POINTS:
            return "text"
        if element.name == "annotation-xml":
            encoding = element.attributes.get("encoding", "").lower()
            return HTML if encoding in ("text/html", "application/xhtml+xml") else "annotation"
        return MATH
    return HTML


# ---- Normal form ----------------------------------------------------------------------------------------------------

VOID = frozenset(name.decode() for name in _VOID)
RAW = frozenset({"style", "script", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"})
_LEADING_NEWLINE = frozenset({"pre", "textarea", "listing"})


def serialise(nodes: Sequence[Node]) -> str:
    """The HTML of the nodes (13.3), with the line feed a parser will drop put back (`pre`, `textarea`)."""
    written: list[str] = []
    pending = [(iter(nodes), "")]
    while pending:
        siblings, end = pending[-1]
        for node in siblings:
            if isinstance(node, str):
                written.append(text(node))
                continue
            written.append(start_tag(node.name, node.attributes))
            if node.space == HTML and node.name in VOID:
                continue
            if node.space == HTML and node.name in RAW:
                written += [*(child for child in node.children if isinstance(child, str)), f"</{node.name}>"]
                continue
            if node.space == HTML and node.name in _LEADING_NEWLINE and _starts_with_newline(node.children[:1]):
                written.append("\n")
            pending.append((iter(node.children), f"</{node.name}>"))
            break
        else:
            written.append(end)
            pending.pop()
    return "".join(written)


def comes_back(html: str, tag: str, space: str = HTML) -> bool:
    """Whether parsing what is written gives the same again. Lexbor's own writing is asked first, being quick."""
    if not html or (space == HTML and _parser(html, tag).html == html):
        return True
    return serialise(part(html, tag, space)) == html


def _starts_with_newline(first: Sequence[Node]) -> bool:
    return any(isinstance(node, str) and node.startswith("\n") for node in first)


def text(characters: str) -> str:
    return characters.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def start_tag(name: str, attributes: Mapping[str, str]) -> str:
    written = "".join([f' {key}="{quoted(value)}"' for key, value in attributes.items()])
    return f"<{name}{written}>"


def quoted(value: str) -> str:
    """A value between double quotes; `<` and `>` are references too, so that no scanner sees a tag in it."""
    return text(value).replace('"', "&quot;")


def grown(source: int, result: int) -> bool:
    return result > GROWTH * source + SLACK


# ---- Where a comment stands -----------------------------------------------------------------------------------------


class Spot(NamedTuple):
    """A comment's place in a page: the elements around it, outermost first, each with its namespace."""

    chain: tuple[str, ...]
    spaces: tuple[str, ...]
    inside: str  # how the parent reads its content


def spots(page: bytes, prefix: str) -> dict[str, Spot]:
    """Every comment of the page that begins with `prefix`, by its text; those inside templates, too."""
    root: LexborNode = _document_element(_parser(page))
    while root.parent is not None:
        root = root.parent
    found: dict[str, Spot] = {}
    pending: list[tuple[LexborNode, Spot]] = [(root, Spot((), (), HTML))]
    while pending:
        top, outside = pending.pop()
        for node in top.traverse(include_text=True):
            if node.is_comment_node and (said := node.comment_content or "").startswith(prefix):
                found[said] = _spot(node.parent, outside)
        pending += [(content, _spot(content.parent, outside)) for content in top.template_fragments()]
    return found


def _spot(parent: LexborNode | None, outside: Spot) -> Spot:
    """The place inside `parent`, which is in a page or in the content of a template that stands `outside`."""
    elements: list[LexborNode] = []
    while parent is not None:
        if parent.is_element_node:
            elements.append(parent)
        parent = parent.parent
    chain, spaces, inside = list(outside.chain), list(outside.spaces), HTML
    for each in reversed(elements):
        element = Element(each.tag or "", _space(each.tag or "", inside), _attributes(each))
        inside = _inside(element)
        chain.append(_spelled(element, inside))
        spaces.append(element.space)
    return Spot(tuple(chain), tuple(spaces), inside)


def _spelled(element: Element, inside: str) -> str:
    return (
        'annotation-xml encoding="text/html"' if element.name == "annotation-xml" and inside == HTML else element.name
    )


def quirky(doctype: bytes) -> bool:
    """Whether this doctype, or none, makes a page be read in quirks mode, where a table does not end a paragraph."""
    return "<p><table>" in (_parser(doctype + b"<p><table>").html or "")


# ---- The guard ------------------------------------------------------------------------------------------------------

Wrapper = tuple[str, str]  # what stands before and after a piece


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The elements a slot stands in, and the wrapper it has while it is empty."""

    chain: tuple[str, ...]
    wrapper: Wrapper
    quirks: bool = False


def holds(around: Surroundings, wrapper: Wrapper, inside: str, mark: str) -> bool:
    """Whether the page around stays as it is with an empty slot, whatever stands in it: for viewers with scripting, and
    for those without, who read `<noscript>` as markup."""
    modes = (True, False) if "<noscript" in inside.lower() else (True,)
    return all(_holds(around, wrapper, inside, mark, scripting) for scripting in modes)


def _holds(around: Surroundings, wrapper: Wrapper, inside: str, mark: str, scripting: bool) -> bool:
    first, last = f"<!--({mark}-->", f"<!--){mark}-->"
    filled = _parsed(around, (first + inside + last).join(wrapper), scripting)
    if filled.count(first) != 1 or filled.count(last) != 1:
        return False
    start, end = filled.index(first) + len(first), filled.index(last)
    if start > end or not _stands_apart(filled[start:end], last):
        return False
    emptied = filled[:start] + filled[end:]
    if wrapper != around.wrapper:
        emptied = emptied.replace((first + last).join(wrapper), (first + last).join(around.wrapper))
    return emptied == _parsed(around, (first + last).join(around.wrapper), scripting)


def _stands_apart(inside: str, last: str) -> bool:
    """Whether the mark after the piece is a comment of its own, not the end of one the piece leaves open."""
    if "<!--" not in inside:
        return True
    before = inside.encode()
    return any(token.start == len(before) for token in tokens(before + last.encode()))


def _parsed(around: Surroundings, middle: str, scripting: bool) -> str:
    return _parser(_skeleton(around, middle), scripting=scripting).html or ""


def _skeleton(around: Surroundings, middle: str) -> str:
    """The chain, the slot, and after it and after each end tag something that shows where it came to stand."""
    doctype = "" if around.quirks else "<!doctype html>"
    opened = "".join(f"<{name}>" for name in around.chain)
    sentinel = "<meta>" if "head" in around.chain else "x<!--x-->"
    closed = "".join(f"</{name.partition(' ')[0]}>{sentinel}" for name in reversed(around.chain))
    return f"{doctype}{opened}{middle}{sentinel}{closed}"
