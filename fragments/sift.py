"""What of a fragment's tree stands in the slot, what goes to the head, and what is taken from it.

A piece is one of several in another's page: the page's base, title, charset, policies and slots are not its to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import fragments.css as css
import fragments.documents as documents
import fragments.head as head
import fragments.parse as parse
import fragments.rewrite as rewrite
from fragments.head import HeadItem
from fragments.parse import Element, Node
from fragments.plan import WRAPPED, Context, Diagnostic, parsed_as
from fragments.scan import Kind, tokens
from fragments.urls import CARRIERS, FOREIGN, PRESENTATION, Change, Place, action, below, clean

_IN_HEAD = {"title", "meta", "link", "style", "script", "noscript", "template"}
_NEVER = {"base", "html", "head", "body", "frameset", "frame"}
MARK = "data-mf-"  # attributes that begin so are the gateway's
_NONE: dict[str, Change] = {}
_CARRIERS = {element.decode(): {name.decode(): how for name, how in each.items()} for element, each in CARRIERS.items()}
_FOREIGN = {name.decode(): how for name, how in FOREIGN.items()}
_PRESENTATION = {name.decode() for name in PRESENTATION}
COMMON = frozenset({"style", "srcdoc", "nonce"})  # on any element
CONCERNING = {element: COMMON.union(each) for element, each in _CARRIERS.items()}
CONCERNED = COMMON.union(*CONCERNING.values())  # attributes that may change on some element
_FOREIGN_CONCERNING = COMMON.union(_FOREIGN, _PRESENTATION)
_JAVASCRIPT = {"", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript"}
_DEFINES = re.compile(r"customElements[\t\n\r ]*\.[\t\n\r ]*define\([\t\n\r ]*[\"'`]([a-z][^\"'`\t\n\r ]{0,99})[\"'`]")
_MAPS = 16  # which are merged one into the other
_ROUNDS = 3  # of writing and parsing again, until nothing changes


class Sieve:
    """Goes through a tree once; what is left of it stands in the slot."""

    def __init__(self, place: Place, context: Context, address: str | None, slots: bool, marked: bool = True) -> None:
        self.place, self.context, self.address = place, context, address
        self.slots = slots  # it may have some of its own
        self.marked = marked  # there may be marks in it that are the gateway's to make
        self.items: list[HeadItem] = []
        self.keys: set[str] = set()
        self.maps = 0
        self.title: str | None = None
        self.module = ""
        self.ids: set[str] = set()
        self.defines: set[str] = set()
        self.diagnostics: list[Diagnostic] = []
        self.in_head = context is Context.HEAD
        self.enclosed = self.in_noscript = False

    def say(self, code: str, message: str) -> None:
        if all(said.code != code for said in self.diagnostics):
            self.diagnostics.append(Diagnostic(code, message))

    def written(self, nodes: list[Node]) -> tuple[str, bool]:
        """Normal form, and whether it is a fix point of writing and parsing, after some more rounds at most."""
        tag, space = parsed_as(self.context)
        html = parse.serialise(self.outermost(nodes))
        for _ in range(_ROUNDS):
            if parse.comes_back(html, tag, space):
                return html, True
            html = parse.serialise(self.outermost(parse.part(html, tag, space)))
        return html, parse.comes_back(html, tag, space)

    def outermost(self, nodes: Sequence[Node]) -> list[Node]:
        kept = self.nodes(nodes)
        if self.context not in WRAPPED:
            for node in kept:
                if isinstance(node, Element) and node.name == "template":
                    self.unrooted(node)
        return kept

    def unrooted(self, template: Element) -> None:
        """Without a wrapper, the element of the page around it would get the shadow root."""
        if template.attributes.pop("shadowrootmode", None) is not None:
            self.say("piece-shadow", "No shadow root can stand at the top of a piece that has no element around it.")

    def nodes(self, nodes: Sequence[Node], enclosed: bool = False) -> list[Node]:
        """What is kept, in document order. `enclosed` is what a template, a noscript or an element in a head holds."""
        result: list[Node] = []
        pending = [(iter(nodes), result, enclosed)]
        while pending:
            siblings, into, self.enclosed = pending[-1]
            for node in siblings:
                if node.__class__ is str and not self.in_head:  # most nodes are
                    into.append(node)
                    continue
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
        return self.in_head or (element.name == "template" and element.space == parse.HTML)

    def node(self, node: Node) -> Node | None:
        if self.in_head and not self.enclosed and not _fits_head(node):
            self.say("slot-in-head", "A piece in the head may hold what a head holds; anything else is left out.")
            return None
        if isinstance(node, str):
            return node
        return self.element(node)

    def element(self, element: Element) -> Element | None:
        special = SPECIAL.get(element.name)
        if special is not None and (element.space == parse.HTML or element.name in _NEVER):
            return special(self, element)
        return self.cleaned(element) if element.space == parse.HTML else self.foreign(element)

    def never(self, element: Element) -> Element | None:
        self.say("piece-root", f"<{element.name}> is the page's own; the piece's is left out.")
        return None

    def cleaned(self, element: Element) -> Element | None:
        if element.attributes:
            element.attributes = self.attributes(element)
        return element

    def foreign(self, element: Element) -> Element | None:
        if element.name == "style":
            element.children = [self.styled(child) if isinstance(child, str) else child for child in element.children]
        return self.cleaned(element)

    # Attributes.

    def attributes(self, element: Element) -> dict[str, str]:
        attributes = element.attributes
        if "id" in attributes and not self.enclosed:
            self.ids.add(attributes["id"])
        foreign = element.space != parse.HTML
        concerning = _FOREIGN_CONCERNING if foreign else CONCERNING.get(element.name, COMMON)
        concerned = concerning.intersection(attributes)
        if concerned:
            carriers = _FOREIGN if foreign else _CARRIERS.get(element.name, _NONE)
            for name in concerned:
                attributes[name] = self.value(name, attributes[name], carriers.get(name), foreign)
            if "nonce" in concerned:
                del attributes["nonce"]
        if self.marked:
            for name in [name for name in attributes if name.startswith(MARK)]:
                del attributes[name]
        return attributes

    def value(self, name: str, value: str, change: Change | None, foreign: bool) -> str:
        if change is below:  # as most are
            return below(value, self.place)
        if change is not None:
            if change is action and self.address is not None and not clean(value):
                return self.address  # an empty action is the document's own address, whatever its base says
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
            self.say("piece-integrity", "A sheet below the mount has other URLs in it: its integrity is left out.")
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
        if key not in self.keys:
            self.keys.add(key)
            self.items.append(HeadItem(kind, key, html.encode()))

    def template(self, element: Element) -> Element | None:
        if "for" in element.attributes:  # would patch the page around
            self.say("piece-patch", "<template for> could patch the page and is left out.")
            return None
        if not self.slots:
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

    def details(self, element: Element) -> Element | None:
        """One that is open shuts others of its name, wherever in the page they are (HTML, 4.11.1)."""
        own = f"{self.place.prefix}/ "
        name = element.attributes.get("name")
        if name and not name.startswith(own):
            element.attributes["name"] = own + name
        return self.cleaned(element)

    def plaintext(self, element: Element) -> Element | None:
        element.name = "pre"
        return self.cleaned(element)

    # Scripts.

    def script(self, element: Element) -> Element | None:
        attributes = element.attributes
        kind = attributes.get("type", "").strip().lower()
        if kind == "importmap":
            self.import_map(_text(element))
            return None
        if kind == "speculationrules":
            self.speculation_rules(_text(element))
            return None
        mounts, once = attributes.pop("mf-mount", None), attributes.pop("mf-once", None)
        if mounts is not None:
            return self.mounted(element, kind)
        if attributes.get("src") and (kind == "module" or (once is not None and kind in _JAVASCRIPT)):
            element.children = []
            return self.hoisted(element)
        return self.in_place(element, kind)

    def in_place(self, element: Element, kind: str) -> Element | None:
        """A script that runs where it stands, in its order."""
        text = _text(element)
        if kind in _JAVASCRIPT:
            if "document.write" in text:
                self.say("document-write", "document.write reaches out of the slot. Use isolation: iframe.")
            if "customElements" in text:
                self.defines.update(_DEFINES.findall(text))
        if not _ends_itself(text):
            repaired = _without_comments(text, kind)
            if repaired is None or not _ends_itself(repaired):
                self.say("piece-script", "A script swallows its own end tag and is left out.")
                return None
            element.children = [repaired]
        element.attributes = self.attributes(element)
        return element

    def mounted(self, element: Element, kind: str) -> Element | None:
        """A module that takes the slot over: its page's own script imports it, and it may come early."""
        src = element.attributes.get("src", "")
        if kind != "module" or not clean(src) or self.enclosed:
            self.say("piece-mount", 'Only a <script type="module" src> mounts, and outside of any template.')
            return self.in_place(element, kind)
        if self.module:
            self.say("piece-mounts", "One module takes over a slot; the first does, others are left out.")
            return None
        self.module = below(clean(src), self.place)
        hint = {"rel": "modulepreload", "href": self.module}
        self.item(*head.named("link", hint), parse.start_tag("link", hint))
        return None

    def import_map(self, text: str) -> None:
        mapped = None if self.enclosed else head.import_map(text, self.place)
        if mapped is None:
            self.say("piece-import-map", "The import map is no JSON object and is left out.")
            return
        self.maps += 1
        if self.maps > _MAPS:
            self.say("piece-import-maps", f"Only the first {_MAPS} import maps are read. Write one.")
            return
        self.items.append(HeadItem("importmap", self.place.prefix, mapped))

    def speculation_rules(self, text: str) -> None:
        """Of a primary piece; which it is, is known where it is fitted in."""
        reader = documents.Json(documents.speculation_rules(), self.place)
        mapped = (reader.feed(text.encode("utf-8", "replace")) + reader.close()).decode("utf-8", "replace")
        if self.enclosed or not _ends_itself(mapped):
            self.say("piece-rules", "Speculation rules in a template, or that hold markup, are left out.")
            return
        self.item(head.RULES, f"{head.RULES} {mapped}", f'<script type="speculationrules">{mapped}</script>')


SPECIAL: dict[str, Callable[[Sieve, Element], Element | None]] = {
    **dict.fromkeys(_NEVER, Sieve.never),
    "title": Sieve.title_,
    "meta": Sieve.meta,
    "link": Sieve.hoisted,
    "style": Sieve.style,
    "script": Sieve.script,
    "template": Sieve.template,
    "details": Sieve.details,
    "noscript": Sieve.noscript,
    "plaintext": Sieve.plaintext,
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
