"""The only file that knows selectolax: budgets first, then parse in context, then normal form.

Lexbor builds the tree browsers build. Depth costs it quadratic time and misnested formatting multiplies what it makes,
so it sees nothing that `survey` has not counted. Lexbor's nodes never leave this file; `Element` is what others hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

import fragments.budgets as budgets
from fragments.budgets import DEPTH as DEPTH
from fragments.budgets import PIECE as PIECE
from fragments.budgets import SHELL as SHELL
from fragments.budgets import grown as grown
from fragments.budgets import survey as survey
from fragments.characters import decode as decode
from fragments.errors import OverBudget
from fragments.scan import tokens

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
    body.attributes = _roots(_attributes(root), body.attributes)
    return head, body


def _roots(html: dict[str, str], body: dict[str, str]) -> dict[str, str]:
    return html | body | _both_classes(html, body)


def part(source: str, tag: str, space: str = HTML) -> list[Node]:
    """What stands where `tag` is the parent. SVG and MathML are parsed inside their root, as scanners read them."""
    if space != HTML:
        inside = [node for node in part(f"<{space}>{source}</{space}>", "div") if isinstance(node, Element)]
        return inside[0].children if inside and inside[0].name == space else []
    parser = _parser(source, tag)
    return _nodes(parser.root, HTML)


ROOTS = frozenset({"html", "head", "body"})
_WITH_TEXT = frozenset({"script", "style", "title"})


def edited(
    source: str, document: bool, wanted: str, change: Callable[[Element], Element | None]
) -> tuple[str, dict[str, str]] | None:
    """A source's markup with those elements changed or left out that a selector finds, and the attributes of its roots.
    They are given without their children, all but text; None if one should have other text."""
    parser = _parser(source, None if document else "div")
    last = 0
    for node in parser.css(wanted) if wanted else ():
        at, name = node.mem_id, node.tag or ""
        if at == last or name in ROOTS:  # a node comes once for each part of the selector
            continue
        last = at
        given, text = _attributes(node), node.text() if name in _WITH_TEXT else ""
        kept = change(Element(name, HTML, given.copy(), [text] if text else []))
        if kept is None:
            node.decompose()
        elif kept.children != ([text] if text else []):
            return None
        elif kept.attributes != given:
            _reattribute(node, given, kept.attributes)
    if not document:
        return parser.html or "", {}
    root, head, body = _document_element(parser), parser.head, parser.body
    assert head is not None and body is not None, "so has any without frames"
    return (head.inner_html or "") + (body.inner_html or ""), _roots(_attributes(root), _attributes(body))


def _reattribute(node: LexborNode, given: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    attributes = node.attrs
    for name, value in given.items():
        other = wanted.get(name)
        if other is None:
            del attributes[name]
        elif other != value:
            attributes[name] = other


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
        node, into, inside, depth = pending.pop()
        if depth > DEPTH:
            raise OverBudget(f"Elements are nested deeper than {DEPTH}. Close what is opened.")
        while node is not None:
            if node.tag_id == _TEXT:
                into.append(node.text_content or "")
            elif node.is_element_node:
                name = node.tag or ""
                if inside == HTML and name not in _TURNS:  # most are
                    element, within, below = Element(name, HTML, _attributes(node)), HTML, node.first_child
                else:
                    element = Element(name, _space(name, inside), _attributes(node))
                    within, below = _inside(element), _first_inside(node, element)
                into.append(element)
                if below is not None:
                    pending.append((below, element.children, within, depth + 1))
            node = node.next
    return result


_TURNS = frozenset({"svg", "math", "template"})  # what is inside is read otherwise, or is elsewhere


def _first_inside(node: LexborNode, element: Element) -> LexborNode | None:
    if element.name != "template" or element.space != HTML:
        return node.first_child
    content = node.template_fragments()
    return content[0].first_child if content else None


def _attributes(node: LexborNode) -> dict[str, str]:
    values = node.attributes
    return {name: value or "" for name, value in values.items()} if values else {}


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

VOID = frozenset(name.decode() for name in budgets.VOID)
RAW = frozenset({"style", "script", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"})
_LEADING_NEWLINE = frozenset({"pre", "textarea", "listing"})
_ODD = VOID | RAW | _LEADING_NEWLINE


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
            name = node.name
            written.append(start_tag(name, node.attributes) if node.attributes else f"<{name}>")
            if node.space == HTML and name in _ODD:
                if name in VOID:
                    continue
                if name in RAW:
                    written += [*(child for child in node.children if isinstance(child, str)), f"</{name}>"]
                    continue
                if _starts_with_newline(node.children[:1]):
                    written.append("\n")
            if not node.children:
                written.append(f"</{name}>")
                continue
            pending.append((iter(node.children), f"</{name}>"))
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


_ESCAPED = re.compile("[&<>\xa0]")
_ESCAPED_IN_VALUES = re.compile('[&<>"\xa0]')


def text(characters: str) -> str:
    if not _ESCAPED.search(characters):  # as most is
        return characters
    return characters.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def start_tag(name: str, attributes: Mapping[str, str]) -> str:
    written = "".join([f' {key}="{quoted(value)}"' for key, value in attributes.items()])
    return f"<{name}{written}>"


def quoted(value: str) -> str:
    """A value between double quotes; `<` and `>` are references too, so that no scanner sees a tag in it."""
    return text(value).replace('"', "&quot;") if _ESCAPED_IN_VALUES.search(value) else value


# ---- Where a comment stands -----------------------------------------------------------------------------------------


class Spot(NamedTuple):
    """A place in a page: the elements around it, outermost first, each with its namespace."""

    chain: tuple[str, ...]
    spaces: tuple[str, ...]
    inside: str  # how the parent reads its content
    stray: bool = False  # in a template whose content is of a table, but not in that


def spots(page: bytes, name: str, *, scripting: bool = True) -> dict[str, Spot]:
    """Where every comment of the page stands that begins with `name` and a colon, by its text, and every element of
    that name, by its name, a slash, and its attribute `n`; those inside templates, too."""
    root: LexborNode = _document_element(_parser(page, scripting=scripting))
    while root.parent is not None:
        root = root.parent
    found: dict[str, Spot] = {}
    pending: list[tuple[LexborNode, Spot]] = [(root, Spot((), (), HTML))]
    while pending:
        top, outside = pending.pop()
        of_table = top is not root and any(node.tag in _OF_TABLE for node in _siblings(top.first_child))
        for node in top.traverse(include_text=True):
            if node.is_comment_node and (said := node.comment_content or "").startswith(f"{name}:"):
                found[said] = _spot(node.parent, outside, of_table)
        for node in top.css(name):
            found[f"{name}/{node.attributes['n']}"] = _spot(node.parent, outside, of_table)
        pending += [(content, _spot(content.parent, outside, of_table)) for content in top.template_fragments()]
    return found


_OF_TABLE = frozenset({"caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"})


def _spot(parent: LexborNode | None, outside: Spot, of_table: bool) -> Spot:
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
    stray = of_table and not (elements and elements[-1].tag in _OF_TABLE)
    return Spot(tuple(chain), tuple(spaces), inside, stray or outside.stray)


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
    read_as: tuple[str, str] = ("div", HTML)  # what a piece for it is parsed in, and the namespace of that


def holds(
    around: Surroundings, wrapper: Wrapper, inside: str, mark: str, otherwise: Callable[[], bool] | None = None
) -> bool:
    """Whether the page around stays as it is with an empty slot, whatever stands in it: for viewers with scripting, and
    for those without, who read `<noscript>` as markup. `otherwise` is asked, too, if what stands in it is not read as
    it is written."""
    modes = (True, False) if _has_noscript(inside) else (True,)
    if not all(_holds(around, wrapper, inside, mark, mode, otherwise=otherwise) for mode in modes):
        return False
    return _FORMATTING.isdisjoint(around.chain) or all(_keeps(around, wrapper, inside, mark, mode) for mode in modes)


def _has_noscript(html: str) -> bool:
    return ("<n" in html or "<N" in html) and "<noscript" in html.lower()  # few tags begin so, and that is told quickly


_FORMATTING = frozenset(name.decode() for name in budgets.FORMATTING)
_FORMATTING_TAG = re.compile(rf"<({'|'.join(sorted(_FORMATTING))}) [^>]*>")


def _keeps(around: Surroundings, wrapper: Wrapper, inside: str, mark: str, scripting: bool) -> bool:
    """Whether a parser that opens formatting again after a block has ended still knows which: of the same tag it
    remembers three (13.2.4.3). Which attributes those around have, is not known here; so none have any."""
    return _holds(around, wrapper, _FORMATTING_TAG.sub(r"<\1>", inside), mark, scripting, closed=False)


def _holds(
    around: Surroundings,
    wrapper: Wrapper,
    inside: str,
    mark: str,
    scripting: bool,
    closed: bool = True,
    otherwise: Callable[[], bool] | None = None,
) -> bool:
    first, last = f"<!--({mark}-->", f"<!--){mark}-->"
    filled = _parsed(around, (first + inside + last).join(wrapper), scripting, closed)
    if filled.count(first) != 1 or filled.count(last) != 1:
        return False
    start, end = filled.index(first) + len(first), filled.index(last)
    if start > end or not _stands_apart(read := filled[start:end], last):
        return False
    if otherwise is not None and read != inside and not otherwise():
        return False
    emptied = filled[:start] + filled[end:]
    if wrapper != around.wrapper:
        emptied = emptied.replace((first + last).join(wrapper), (first + last).join(around.wrapper))
    empty = _empty(around, scripting, closed)
    return emptied == empty.replace(_FIRST, first).replace(_LAST, last)


_FIRST, _LAST = "<!--(-->", "<!--)-->"


@lru_cache(maxsize=256)
def _empty(around: Surroundings, scripting: bool, closed: bool) -> str:
    """The page around with an empty slot, by no mark."""
    return _parsed(around, (_FIRST + _LAST).join(around.wrapper), scripting, closed)


def _stands_apart(inside: str, last: str) -> bool:
    """Whether the mark after the piece is a comment of its own, not the end of one the piece leaves open."""
    if "<!--" not in inside:
        return True
    before = inside.encode()
    return any(token.start == len(before) for token in tokens(before + last.encode()))


def _parsed(around: Surroundings, middle: str, scripting: bool, closed: bool) -> str:
    return _parser(_skeleton(around, middle, closed), scripting=scripting).html or ""


def _skeleton(around: Surroundings, middle: str, closed: bool) -> str:
    """The chain, the slot, and after it and after each end tag something that shows where it came to stand. Formatting
    that is not `closed` ends with the block around, and shows what is remembered of it."""
    doctype = "" if around.quirks else "<!doctype html>"
    chain = around.chain if closed else ("html", "body", "div", *filter(_FORMATTING.__contains__, around.chain))
    opened = "".join(f"<{name}>" for name in chain)
    sentinel = "<meta>" if "head" in chain else "x<!--x-->"
    ends = [name for name in reversed(chain) if closed or name not in _FORMATTING]
    closing = "".join(f"</{name.partition(' ')[0]}>{sentinel}" for name in ends)
    return f"{doctype}{opened}{middle}{sentinel}{closing}"
