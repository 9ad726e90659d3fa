"""What is shown below a prefix, as it streams by: pages, sheets, and the documents that name a site's URLs.

Only values that carry URLs are edited; every other byte stays. Script and comments never change. Twice is once, and how
the input is cut into chunks does not show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import fragments.css as css
import fragments.documents as documents
import fragments.inert as inert
import fragments.lists as lists
import fragments.patterns as patterns
import fragments.policy as policy
import fragments.urls as urls
import fragments.xml as xml
from fragments.edit import Edits
from fragments.opening import Opening
from fragments.scan import REAL, Attribute, Kind, Scanner, Token, attributes, escape, unescape
from fragments.stream import Held, Rewriter, Text, is_read, whole, wide
from fragments.urls import CARRIERS, FOREIGN, PRESENTATION, Change, Place, absolute, below, means, refresh

LONGEST = 1024 * 1024  # a text that can only be read whole passes as it is when it is longer
NESTED = 8  # documents within documents (srcdoc) that are looked into
_KNOWN_LIMIT = 4096  # values remembered while one page goes by
_LONGEST_KNOWN = 512


def rewriter(
    content_type: str, place: Place, opening: bytes = b"", *, target: bytes = b"", pointers: Sequence[str] = ()
) -> Rewriter | None:
    """The rewriter for a type of content; None when its bytes pass untouched.

    `opening` is put once into each HTML document, as the first thing of its head. `target` is what was asked of the
    origin. `pointers` (RFC 6901, with `*` for any name or number) say which strings of a JSON text are URLs.
    """
    kind, _, parameters = content_type.partition(";")
    make = _maker(kind.strip().lower(), opening, target, pointers)
    if make is None or not is_read(parameters):
        return None
    made = make(place)
    made.wide = wide(parameters)
    return made


def concerns(content_type: str, target: bytes = b"", pointers: Sequence[str] = ()) -> bool:
    """Whether there is a rewriter for a type of content."""
    kind, _, parameters = content_type.partition(";")
    return _maker(kind.strip().lower(), b"", target, pointers) is not None and is_read(parameters)


def by_target(target: bytes) -> bool:
    """Whether it may take the target, and not the type alone, to know if there is a rewriter."""
    return target.startswith(_NAMED)


def _maker(kind: str, opening: bytes, target: bytes, pointers: Sequence[str]) -> Callable[[Place], Text] | None:
    if kind == "text/html":
        return lambda place: HtmlRewriter(place, opening)
    if kind == "text/plain":
        return _BY_TARGET.get(target.partition(b"?")[0])
    if pointers and (kind == "application/json" or kind.endswith("+json")) and kind not in _REWRITERS:
        return lambda place: documents.Json(documents.pointed(pointers), place)
    return _REWRITERS.get(kind)


def html(page: bytes, place: Place) -> bytes:
    """A whole page at once."""
    return whole(HtmlRewriter(place), page)


class CssRewriter(Text):
    """A style sheet, or the text of a `<style>`."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._sheet = css.Sheet(place)

    def _feed(self, chunk: bytes) -> bytes:
        return self._sheet.feed(chunk.decode("ascii", "surrogateescape")).encode("ascii", "surrogateescape")

    def _close(self) -> bytes:
        return self._sheet.close().encode("ascii", "surrogateescape")


# HTML.


class HtmlRewriter(Text):
    """A page of a mounted application, in any charset that agrees with ASCII."""

    def __init__(self, place: Place, opening: bytes = b"") -> None:
        self._opening = Opening(opening)
        self._over: re.Pattern[bytes] | None = inert.MARKUP if place.base is None else inert.MARKUP_WITH_A_BASE
        self._begin(place, Scanner(), 0)
        self._step_over()

    def _begin(self, place: Place, scanner: Scanner, depth: int) -> None:
        super().__init__()
        self._place, self._scanner, self._depth = place, scanner, depth
        self._text: Rewriter | None = None  # what the text after the last tag goes through
        self._in_foreign_sheet = False
        self._known: dict[tuple[Change, bytes, bytes], bytes | None] = {}
        self._prefix = place.prefix.encode()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} below {self._place.prefix or '/'}: {self._scanner!r}>"

    def _feed(self, chunk: bytes) -> bytes:
        return self._through(self._scanner.feed(chunk), final=False)

    def _close(self) -> bytes:
        return self._through(self._scanner.close(), final=True)

    def _through(self, tokens: Iterable[Token], final: bool) -> bytes:
        source, edits, text_at = self._scanner.source, Edits(), 0
        for token in tokens:
            if self._text is not None:
                text = self._text.feed(source[text_at : token.start]) + self._text.close()
                edits.replace(text_at, token.start, text)
                self._text = None
            if not self._opening.decided:
                self._opening.see(source, token, edits)
                self._step_over()
            if token.kind is Kind.MATCHED:
                assert self._scanner.matched is not None
                self._link(self._scanner.matched, edits)
            elif token.kind is Kind.START:
                self._text = self._tag(source, token, edits)
                text_at = token.end
            elif token.kind is Kind.CDATA and self._in_foreign_sheet:
                self._rewrite_cdata(source, token, edits)
            elif token.kind is Kind.INSTRUCTION:
                self._instruction(source, token, edits)
        settled = self._settled(source, edits, final)
        if self._text is not None:
            text = self._text.feed(source[text_at:settled])
            edits.replace(text_at, settled, text + self._text.close() if final else text)
        return self._opening.kept_back() + edits.apply(source, 0, settled)

    def _settled(self, source: bytes, edits: Edits, final: bool) -> int:
        if final:
            self._opening.end(source, edits)
            return len(source)
        settled = self._opening.settle(source, self._scanner.settled, edits)
        self._step_over()
        return settled

    def _step_over(self) -> None:
        """What no rule concerns is stepped over, once all is seen that the opening asks for."""
        self._scanner.over = self._over if self._opening.decided else None

    def _rewrite_cdata(self, source: bytes, token: Token, edits: Edits) -> None:
        start, end = token.start + len(b"<![CDATA["), token.end - len(b"]]>")
        edits.replace(start, end, css.rewrite(source[start:end], self._place))

    def _instruction(self, source: bytes, token: Token, edits: Edits) -> None:
        """In HTML it instructs nobody."""

    def _tag(self, source: bytes, token: Token, edits: Edits) -> Rewriter | None:
        """Edits one start tag; says what its text has to go through."""
        self._in_foreign_sheet = False
        certain = token.name == b"style" if token.foreign else token.name in _CONCERNED or b"-" in token.name
        if not certain and not _HINT.search(source, token.start, token.end):
            return None
        found = attributes(source, token)
        if token.foreign:
            self._edit(source, edits, found, _foreign_changes(token.name, found))
            return self._foreign_sheet() if token.name == b"style" and not token.closed else None
        choose = _CHOOSERS.get(token.name)
        self._edit(source, edits, found, choose(self, found) if choose else urls.carriers(token.name))
        return self._text_of(token, found)

    def _link(self, linking: re.Match[bytes], edits: Edits) -> None:
        """What most tags are that change at all: see `inert`."""
        new = self._new_value(linking[3], linking[2], below)
        if new is not None:
            edits.replace(*linking.span(3), new)

    def _edit(self, source: bytes, edits: Edits, found: list[Attribute], changes: Mapping[bytes, Change]) -> None:
        for each in found:
            change = changes.get(each.name) or _ANYWHERE.get(each.name) or urls.scripted(each.name)
            if change is _drop:
                _cut_out(source, each, edits)
            elif change and each.value is not None:
                new = self._new_value(each.value, each.quote, change)
                if new is not None:
                    edits.replace(each.value_start, each.value_end, new)

    def _new_value(self, raw: bytes, quote: bytes, change: Change) -> bytes | None:
        if len(raw) > _LONGEST_KNOWN:
            return self._changed(raw, quote, change)
        key = (change, quote, raw)
        if key not in self._known:
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            self._known[key] = self._changed(raw, quote, change)
        return self._known[key]

    def _changed(self, raw: bytes, quote: bytes, change: Change) -> bytes | None:
        value = unescape(raw, "ascii")
        new = change(value, self._place)
        if new == value:
            return None
        if raw and new == self._place.prefix + value:
            return self._prefix + raw  # entities further on keep their spelling
        return _quoted(new, quote)

    def _text_of(self, token: Token, found: list[Attribute]) -> Rewriter | None:
        if token.name == b"style":
            return CssRewriter(self._place)
        if token.name == b"script" and (shape := documents.SCRIPTS.get(_said(found, b"type"))):
            return documents.Json(shape(), self._place)
        return None

    def _foreign_sheet(self) -> Rewriter:
        """The text of an SVG `<style>` is ordinary text, with entities; its CDATA is CSS as it stands."""
        self._in_foreign_sheet = True
        return Held(LONGEST, self._rewrite_text)

    def _rewrite_text(self, text: bytes) -> bytes:
        sheet = unescape(text, "ascii")
        new = css.rewrite_text(sheet, self._place)
        return text if new == sheet else escape(new, b"", "ascii").replace(b"<", b"&lt;")

    # Elements whose attributes decide together.

    def _of_meta(self, found: list[Attribute]) -> Mapping[bytes, Change]:
        if pragma := _PRAGMAS.get(_said(found, b"http-equiv")):
            return {b"content": pragma}
        named = [_said(found, name) for name in (b"property", b"name", b"itemprop")]
        if any(name in _META_URLS for name in named):
            return {b"content": absolute}
        return {b"content": _parts} if any(name in _META_PARTS for name in named) else _NOTHING

    def _of_link(self, found: list[Attribute]) -> Mapping[bytes, Change]:
        relations = _said(found, b"rel").split()
        changes = CARRIERS[b"link"]
        if not _ABSOLUTE.isdisjoint(relations):
            changes = {**changes, b"href": absolute}
        styles = "stylesheet" in relations or ("preload" in relations and _said(found, b"as") == "style")
        if styles and means(_value(found, b"href"), self._place):
            changes = {**changes, b"integrity": _drop}  # the sheet is rewritten on its way, its hash would block it
        return changes

    def _of_iframe(self, found: list[Attribute]) -> Mapping[bytes, Change]:
        return {**CARRIERS[b"iframe"], b"srcdoc": self._document} if self._depth < NESTED else CARRIERS[b"iframe"]

    def _document(self, value: str, place: Place) -> str:
        charset = "utf-8" if REAL.search(value) else "ascii"
        if charset == "utf-8":  # characters and bytes can only be told apart if both are written the same way
            value = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        nested = HtmlRewriter(place)
        nested._depth = self._depth + 1
        return whole(nested, value.encode(charset, "surrogateescape")).decode(charset, "surrogateescape")


class XmlRewriter(HtmlRewriter):
    """A page in XML syntax: no text is raw, CDATA may stand anywhere, a style sheet's text has entities."""

    def __init__(self, place: Place) -> None:
        self._opening = Opening(b"")
        self._over = None
        self._begin(place, Scanner(xml=True), 0)

    def _instruction(self, source: bytes, token: Token, edits: Edits) -> None:
        xml.edit_instruction(source, token, edits, self._place)

    def _tag(self, source: bytes, token: Token, edits: Edits) -> Rewriter | None:
        local = token.name.rpartition(b":")[2]
        self._in_foreign_sheet = False
        found = attributes(source, token)
        choose = _CHOOSERS.get(local)
        changes = _foreign_changes(local, found)
        own = choose(self, found) if choose else CARRIERS.get(local)
        self._edit(source, edits, found, {**changes, **own} if own else changes)
        return self._foreign_sheet() if local == b"style" and not token.closed else None


def _foreign_changes(name: bytes, found: list[Attribute]) -> Mapping[bytes, Change]:
    """Of an SVG or MathML element; an animation's values are of the kind that what it animates is."""
    if name not in _ANIMATIONS:
        return _FOREIGN_CHANGES
    animated = _said(found, b"attributename").encode("ascii", "replace")
    if animated in FOREIGN:
        return {**_FOREIGN_CHANGES, **_ANIMATED_LINKS}
    return {**_FOREIGN_CHANGES, **_ANIMATED_STYLES} if animated in PRESENTATION else _FOREIGN_CHANGES


_PART = patterns.compile(r"((?:^|;)[\t\n\f\r ]*[a-z\-]*-?uri[0-9]?[\t\n\f\r ]*=[\t\n\f\r ]*)([^;]+)", re.IGNORECASE)


def _parts(value: str, place: Place) -> str:
    """`msapplication-task` and the like: "name=Inbox; action-uri=/inbox; icon-uri=/i.ico"."""
    return _PART.sub(lambda found: found[1] + below(found[2], place), value)


def _presentation(value: str, place: Place) -> str:
    return css.rewrite_text(value, place)


def _drop(value: str, place: Place) -> str:
    """Stands for taking the whole attribute away."""
    return ""


_NOTHING: Mapping[bytes, Change] = {}
_FOREIGN_CHANGES: Mapping[bytes, Change] = {**FOREIGN, **dict.fromkeys(PRESENTATION, _presentation)}
_ANYWHERE: Mapping[bytes, Change] = {b"style": css.rewrite_text}
_ANIMATIONS = frozenset({b"animate", b"set"})
_ANIMATED_LINKS: Mapping[bytes, Change] = {
    **dict.fromkeys((b"to", b"from", b"by"), below),
    b"values": urls.listed_by_semicolons,
}
_ANIMATED_STYLES: Mapping[bytes, Change] = dict.fromkeys((b"to", b"from", b"values"), _presentation)
_PRAGMAS: Mapping[str, Change] = {"refresh": refresh, "content-security-policy": policy.mapped}
_ABSOLUTE = frozenset({"canonical", "alternate", "amphtml", "shortlink", "next", "prev"})  # read by other sites
_CHOOSERS: Mapping[bytes, Callable[[HtmlRewriter, list[Attribute]], Mapping[bytes, Change]]] = {
    b"meta": HtmlRewriter._of_meta,
    b"link": HtmlRewriter._of_link,
    b"iframe": HtmlRewriter._of_iframe,
}
_CONCERNED = frozenset(CARRIERS) | frozenset(_CHOOSERS) | {b"style", b"script"}
_META_NAMES = (
    "og:url og:image og:image:url og:image:secure_url og:video og:video:url og:video:secure_url og:audio og:audio:url "
    "og:audio:secure_url twitter:url twitter:image twitter:image:src twitter:player twitter:player:stream "
    "msapplication-config msapplication-starturl msapplication-tileimage msapplication-square70x70logo "
    "msapplication-square150x150logo msapplication-wide310x150logo msapplication-square310x310logo "
    "image url thumbnail thumbnailurl contenturl embedurl downloadurl logo sameas og:see_also og:logo "
    "citation_pdf_url citation_fulltext_html_url citation_abstract_html_url al:web:url "
    "turbo-root turbolinks-root action-cable-url"
)
_META_URLS = frozenset(_META_NAMES.split())
_META_PARTS = frozenset({"msapplication-task", "msapplication-notification", "msapplication-badge"})
# What may change in an element of no concern has one of these in it: a foreign link, a function of CSS, or a disguise.
_HINT = patterns.compile(rb"href|src|url\(|image-set\(|[&\\]|data-|hx-|sse-|ws-|up-", re.IGNORECASE)
_NEEDS_QUOTES = patterns.compile(r"[\t\n\f\r \"'=<>`]|^$")


def _document_of(place: Place) -> Text:
    return xml.Document(place, XmlRewriter, html)


_XML = (
    "application/xml text/xml image/svg+xml application/rss+xml application/atom+xml application/rdf+xml text/x-opml "
    "application/opensearchdescription+xml application/rsd+xml application/dash+xml application/xslt+xml text/xsl"
)
_REWRITERS: Mapping[str, Callable[[Place], Text]] = {
    **dict.fromkeys(_XML.split(), _document_of),
    "application/xhtml+xml": XmlRewriter,
    "text/css": CssRewriter,
    "application/manifest+json": lambda place: documents.Json(documents.web_manifest(), place),
    "application/ld+json": lambda place: documents.Json(documents.linked(), place),
    "application/importmap+json": lambda place: documents.Json(documents.import_map(), place),
    "application/speculationrules+json": lambda place: documents.Json(documents.speculation_rules(), place),
    **dict.fromkeys(("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl"), lists.playlist),
}
_BY_TARGET: Mapping[bytes, Callable[[Place], Text]] = {b"/robots.txt": lists.robots, b"/sitemap.txt": lists.sitemap}
_NAMED = tuple(_BY_TARGET)


def _value(found: list[Attribute], name: bytes) -> str:
    return next((unescape(each.value or b"") for each in found if each.name == name), "")


def _said(found: list[Attribute], name: bytes) -> str:
    return _value(found, name).strip().lower()


def _quoted(value: str, quote: bytes) -> bytes:
    if quote or not _NEEDS_QUOTES.search(value):
        return escape(value, quote, "ascii")
    return b'"' + escape(value, b'"', "ascii") + b'"'


def _cut_out(source: bytes, attribute: Attribute, edits: Edits) -> None:
    """Takes one attribute away, with the white space after it; what is before it keeps the neighbours apart."""
    end = attribute.end
    while source[end] in b"\t\n\f\r ":
        end += 1
    edits.replace(attribute.start, end if source[end] not in b"/>" else attribute.end, b"")
