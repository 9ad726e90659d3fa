"""A fragment's answer, read: what stands in the slot, what goes to the head, what does not belong into another's page.

Each answer is parsed on its own, within budgets, and written again in normal form; URLs are put below its mount. What a
piece cannot be trusted with (the page's base, title, charset, policy, slots) is taken from it here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import fragments.css as css
import fragments.head as head
import fragments.parse as parse
import fragments.rewrite as rewrite
from fragments.errors import NotMarkup, OverBudget
from fragments.head import HeadItem
from fragments.parse import Element, Node
from fragments.plan import WRAPPED, Context, Diagnostic, parsed_as
from fragments.scan import Kind, tokens
from fragments.urls import CARRIERS, FOREIGN, PRESENTATION, Change, Place, action, below, clean


@dataclass(frozen=True, slots=True)
class Piece:
    html: bytes  # in normal form
    head: tuple[HeadItem, ...] = ()
    title: str | None = None
    classes: str = ""  # these three were html's and body's
    lang: str | None = None
    dir: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    digest: str = ""
    stable: bool = True  # parsing what is written gives the same again


def read(body: bytes, content_type: str, place: Place, context: Context = Context.FLOW) -> Piece:
    """The piece an answer is. Raises OverBudget, or NotMarkup for what is no HTML."""
    source = _characters(body, content_type)
    written = source.encode("utf-8", "replace")
    surveyed = parse.survey(written, in_flow=context in WRAPPED)
    roots: dict[str, str] = {}
    if surveyed.document:
        first, second = parse.document(source)
        nodes, roots = first.children + second.children, second.attributes
    else:
        nodes = parse.part(source, *parsed_as(context))
    based = _based(nodes, place) if b"<base" in written.lower() else place
    reader = _Reader(based, context, place.base)
    html, stable = reader.written(reader.nodes(nodes))
    if parse.grown(len(written), len(html)):
        raise OverBudget(f"{len(written)} bytes of markup mean {len(html)} once they are closed properly. Close them.")
    return _piece(html.encode(), stable, reader, roots)


def _piece(html: bytes, stable: bool, reader: _Reader, roots: dict[str, str]) -> Piece:
    parts = (html, reader.title, roots, reader.items, reader.context)
    return Piece(
        html,
        tuple(reader.items),
        reader.title,
        roots.get("class", ""),
        roots.get("lang"),
        roots.get("dir"),
        tuple(reader.diagnostics),
        hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest(),
        stable,
    )


# ---- What is markup -------------------------------------------------------------------------------------------------

_MARKUP = {"text/html", "application/xhtml+xml"}
_SNIFFED = 1445  # bytes, and which of them no text has: MIME Sniffing, 7
_BINARY = bytes({*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_ONE_IN = 32  # a stray control character in an old page is no archive
_TWO_BYTES = (b"\xff\xfe", b"\xfe\xff")


def _characters(body: bytes, content_type: str) -> str:
    essence, _, parameters = content_type.partition(";")
    essence = essence.strip().lower()
    if essence not in _MARKUP:
        raise NotMarkup(f"The answer is {essence or 'of no type'}, not HTML. Send Content-Type: text/html.")
    charset = _charset(parameters)
    sniffed = body[:_SNIFFED]
    wide = body.startswith(_TWO_BYTES) or (charset or "").lower().startswith("utf-16")
    if not wide and (len(sniffed) - len(sniffed.translate(None, _BINARY))) * _ONE_IN > len(sniffed):
        raise NotMarkup("The answer says it is HTML but is binary. Check its Content-Encoding.")
    if len(body) > parse.PIECE.size:
        parse.survey(body)  # raises, before anything is decoded
    return parse.decode(body, charset)


def _charset(parameters: str) -> str | None:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return None


def _based(nodes: Sequence[Node], place: Place) -> Place:
    """The first `<base href>` says what relative URLs are relative to, if it stays with this application."""
    for element in _elements(nodes):
        if element.name == "base" and element.space == parse.HTML and "href" in element.attributes:
            base = below(element.attributes["href"], place)
            return replace(place, base=base) if base[:1] == "/" and base[1:2] not in ("/", "\\") else place
    return place


def _elements(nodes: Sequence[Node]) -> Iterator[Element]:
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        if isinstance(node, Element):
            yield node
            pending += [] if node.name == "template" else reversed(node.children)


# ---- What belongs into a page ---------------------------------------------------------------------------------------

_IN_HEAD = {"title", "meta", "link", "style", "script", "noscript", "template"}
_NEVER = {"base", "html", "head", "body", "frameset", "frame"}
_OURS = "data-mf-"
_NONE: dict[str, Change] = {}
_CARRIERS = {element.decode(): {name.decode(): how for name, how in each.items()} for element, each in CARRIERS.items()}
_FOREIGN = {name.decode(): how for name, how in FOREIGN.items()}
_PRESENTATION = {name.decode() for name in PRESENTATION}
_JAVASCRIPT = {"", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript"}


class _Reader:
    """Goes through a tree once; what is left of it stands in the slot."""

    def __init__(self, place: Place, context: Context, address: str | None) -> None:
        self.place, self.context, self.address = place, context, address
        self.items: list[HeadItem] = []
        self.title: str | None = None
        self.diagnostics: list[Diagnostic] = []
        self.enclosed = self.in_noscript = False

    def say(self, code: str, message: str) -> None:
        if all(said.code != code for said in self.diagnostics):
            self.diagnostics.append(Diagnostic(code, message))

    def written(self, nodes: list[Node]) -> tuple[str, bool]:
        """Normal form, and whether it is a fix point of writing and parsing, after one more round at most."""
        first = parse.serialise(nodes)
        tag, space = parsed_as(self.context)
        if parse.comes_back(first, tag, space):
            return first, True
        second = parse.serialise(self.nodes(parse.part(first, tag, space)))
        return second, parse.comes_back(second, tag, space)

    def nodes(self, nodes: Sequence[Node], enclosed: bool = False) -> list[Node]:
        """What is kept, in document order. `enclosed` is what a template, a noscript or an element in a head holds."""
        result: list[Node] = []
        pending = [(iter(nodes), result, enclosed)]
        while pending:
            siblings, into, self.enclosed = pending[-1]
            for node in siblings:
                kept = self.node(node)
                if kept is None:
                    continue
                into.append(kept)
                if isinstance(kept, Element) and kept.children:
                    children, kept.children = kept.children, []
                    pending.append((iter(children), kept.children, self.enclosed or self.encloses(kept)))
                    break
            else:
                pending.pop()
        return result

    def encloses(self, element: Element) -> bool:
        return self.context is Context.HEAD or (element.name == "template" and element.space == parse.HTML)

    def node(self, node: Node) -> Node | None:
        if self.context is Context.HEAD and not self.enclosed and not _fits_head(node):
            self.say("slot-in-head", "A piece in the head may hold what a head holds; anything else is left out.")
            return None
        if isinstance(node, str):
            return node
        if node.name in _NEVER:
            self.say("piece-root", f"<{node.name}> is the page's own; the piece's is left out.")
            return None
        if node.space != parse.HTML:
            return self.foreign(node)
        return _SPECIAL.get(node.name, _Reader.cleaned)(self, node)

    def cleaned(self, element: Element) -> Element | None:
        element.attributes = self.attributes(element)
        return element

    def foreign(self, element: Element) -> Element | None:
        if element.name == "style":
            element.children = [self.styled(child) if isinstance(child, str) else child for child in element.children]
        return self.cleaned(element)

    # Attributes.

    def attributes(self, element: Element) -> dict[str, str]:
        if not element.attributes:
            return element.attributes
        foreign = element.space != parse.HTML
        carriers = _FOREIGN if foreign else _CARRIERS.get(element.name, _NONE)
        return {
            name: self.value(name, value, carriers.get(name), foreign)
            for name, value in element.attributes.items()
            if name != "nonce" and not name.startswith(_OURS)
        }

    def value(self, name: str, value: str, change: Change | None, foreign: bool) -> str:
        if change is action and self.address is not None and not clean(value):
            return self.address  # an empty action is the document's own address, whatever its base says
        if change is not None:
            return change(value, self.place)
        if name == "srcdoc" and not foreign:
            return rewrite.html(value.encode("utf-8", "replace"), self.place).decode("utf-8", "replace")
        if name == "style" or (foreign and name in _PRESENTATION):
            return self.styled(value)
        return value

    def styled(self, sheet: str) -> str:
        if "(" not in sheet and "@" not in sheet:
            return sheet
        return css.rewrite(sheet.encode("utf-8", "replace"), self.place).decode("utf-8", "replace")

    # Elements that are not only what they seem.

    def title_(self, element: Element) -> Element | None:
        if self.enclosed:
            return None
        if self.title is None:
            self.title = " ".join(_text(element).split())
        return None

    def meta(self, element: Element) -> Element | None:
        attributes = element.attributes
        if "itemprop" in attributes:
            return self.cleaned(element)
        named = attributes.get("name", attributes.get("property", "")).lower()
        if "http-equiv" in attributes or "charset" in attributes or named in ("", "referrer"):
            self.say(
                "piece-meta", "Charset, refresh, policy and referrer belong to the page; the piece's are left out."
            )
            return None
        return self.hoisted(element)

    def style(self, element: Element) -> Element | None:
        sheet = self.styled(_text(element))
        if "</style" in sheet.lower():
            self.say("piece-style", "A style sheet holds its own end tag and is left out.")
            return None
        element.children = [sheet] if sheet else []
        return self.hoisted(element)

    def hoisted(self, element: Element) -> Element | None:
        """Gives the element to the head; one that has to stay where it is comes back."""
        before = element.attributes.get("href")
        element.attributes = self.attributes(element)
        if element.name == "link" and before != element.attributes.get("href") and "integrity" in element.attributes:
            del element.attributes["integrity"]  # our sheet has other URLs in it, and so another hash
        known = head.identify(element.name, element.attributes, _text(element))
        if known is None or self.enclosed:
            return element
        kind, key = known
        if kind in head.STYLES and not key.startswith("alternate"):
            element.attributes.pop("title", None)  # would name the page's preferred set of sheets
        if self.context is Context.HEAD and key != "canonical":
            return element
        self.item(kind, key, parse.serialise([element]))
        return None

    def item(self, kind: str, key: str, html: str) -> None:
        if all(item.key != key for item in self.items):
            self.items.append(HeadItem(kind, key, html.encode()))

    def script(self, element: Element) -> Element | None:
        kind = element.attributes.get("type", "").strip().lower()
        text = _text(element)
        if kind == "importmap":
            self.import_map(text)
            return None
        if kind == "speculationrules":
            self.say("piece-rules", "Speculation rules belong to the page; the piece's are left out.")
            return None
        if kind == "module" and element.attributes.get("src"):
            element.children = []
            return self.hoisted(element)
        if "document.write" in text and kind in _JAVASCRIPT:
            self.say(
                "document-write", "A script uses document.write, which reaches out of the slot. Use isolation=iframe."
            )
        if not _ends_itself(text):
            repaired = _without_comments(text, kind)
            if repaired is None or not _ends_itself(repaired):
                self.say("piece-script", "A script swallows its own end tag and is left out.")
                return None
            element.children = [repaired]
        element.attributes = self.attributes(element)
        return element

    def import_map(self, text: str) -> None:
        mapped = None if self.enclosed else head.import_map(text, self.place)
        if mapped is None:
            self.say("piece-import-map", "The import map is no JSON object and is left out.")
            return
        self.items.append(HeadItem("importmap", self.place.prefix, mapped))

    def template(self, element: Element) -> Element | None:
        if "for" in element.attributes:  # would patch the page around
            self.say("piece-patch", "<template for> could patch the page and is left out.")
            return None
        element.attributes.pop("mf-slot", None)
        return self.cleaned(element)

    def noscript(self, element: Element) -> Element | None:
        """For most viewers its content is text; for those without scripting it is markup, so it is read as both."""
        if self.enclosed and self.in_noscript:
            return None
        enclosed, self.in_noscript = self.enclosed, True
        html = self.settled(self.settled(_text(element)))
        self.enclosed, self.in_noscript = enclosed, False
        if not parse.comes_back(html, "div"):
            self.say("piece-noscript", "The content of a noscript changes with each reading and is left out.")
            return None
        return Element("noscript", parse.HTML, self.attributes(element), [html] if html else [])

    def settled(self, html: str) -> str:
        return parse.serialise(self.nodes(parse.part(html, "div"), enclosed=True))

    def plaintext(self, element: Element) -> Element | None:
        element.name = "pre"
        return self.cleaned(element)


_SPECIAL: dict[str, Callable[[_Reader, Element], Element | None]] = {
    "title": _Reader.title_,
    "meta": _Reader.meta,
    "link": _Reader.hoisted,
    "style": _Reader.style,
    "script": _Reader.script,
    "template": _Reader.template,
    "noscript": _Reader.noscript,
    "plaintext": _Reader.plaintext,
}


def _fits_head(node: Node) -> bool:
    return node.name in _IN_HEAD if isinstance(node, Element) else not node.strip("\t\n\f\r ")


def _text(element: Element) -> str:
    return "".join(child for child in element.children if isinstance(child, str))


def _ends_itself(text: str) -> bool:
    """Whether the script's end tag, written after this text, is its end tag (13.2.5.17 and following)."""
    if "<!--" not in text:
        return "</script" not in text.lower()
    whole = b"<script>" + text.encode("utf-8", "replace") + b"</script>"
    found = [(token.kind, token.end) for token in tokens(whole)]
    return len(found) == 2 and found[1] == (Kind.END, len(whole))


def _without_comments(text: str, kind: str) -> str | None:
    """The same program or the same JSON, without what a tokenizer takes for a comment or a script in it."""
    if kind in _JAVASCRIPT:
        return text.replace("<!--", "\\x3C!--").replace("<script", "\\x3Cscript").replace("<SCRIPT", "\\x3CSCRIPT")
    if "json" in kind:
        return text.replace("<", "\\u003C")
    return None
