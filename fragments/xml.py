"""XML documents that name URLs: sitemaps, feeds, OPML, OpenSearch and their like, known by their root.

Pages in XML syntax (XHTML, SVG, XSLT) are rewritten as pages; a root nobody knows is left alone, but for the style
sheet that an instruction before it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import fragments.patterns as patterns
from fragments.edit import Edits
from fragments.lists import said
from fragments.scan import REAL, Attribute, Kind, Scanner, Token, attributes, escape, unescape
from fragments.stream import Held, Rewriter, Text
from fragments.urls import CARRIERS, Change, Place, below

LONGEST = 1024 * 1024  # a text of a feed is held whole up to here
Pages = Callable[[Place], Rewriter]
Markup = Callable[[bytes, Place], bytes]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which elements of a kind of document have a URL for their text, or in which attribute, by local names."""

    texts: Mapping[bytes, Change] = field(default_factory=dict)
    attributes: Mapping[bytes, Mapping[bytes, Change]] = field(default_factory=dict)
    markup: frozenset[bytes] = frozenset()  # whose text is HTML, as references or CDATA
    types: frozenset[str] = frozenset({""})  # if their `type` says so


def _texts(names: str, change: Change) -> dict[bytes, Change]:
    return dict.fromkeys(names.encode().split(), change)


def _attributes(names: str, change: Change) -> dict[bytes, dict[bytes, Change]]:
    found: dict[bytes, dict[bytes, Change]] = {}
    for name in names.split():
        element, _, attribute = name.partition(".")
        found.setdefault(element.encode(), {})[attribute.encode()] = change
    return found


_SITEMAP = Vocabulary(_texts("loc thumbnail_loc content_loc player_loc license", said), _attributes("link.href", said))
_RSS = Vocabulary(
    _texts("link url comments guid commentrss thumbnail", said),
    _attributes(
        "link.href enclosure.url source.url content.url thumbnail.url player.url image.href new-feed-url.href "
        "channel.rdf:about item.rdf:about image.rdf:about image.rdf:resource li.rdf:resource",
        said,
    ),
    frozenset({b"encoded", b"description", b"summary"}),
)
_ATOM = Vocabulary(
    _texts("logo icon uri", said),
    {**CARRIERS, **_attributes("link.href content.src generator.uri thumbnail.url content.url", said)},
    frozenset({b"content", b"summary", b"title", b"subtitle", b"rights"}),
    frozenset({"html", "text/html"}),
)
VOCABULARIES: Mapping[bytes, Vocabulary] = {
    b"urlset": _SITEMAP,
    b"sitemapindex": _SITEMAP,
    b"rss": _RSS,
    b"rdf": _RSS,
    b"feed": _ATOM,
    b"entry": _ATOM,
    b"opml": Vocabulary(attributes=_attributes("outline.xmlurl outline.htmlurl outline.url", said)),
    b"opensearchdescription": Vocabulary(_texts("image searchform", said), _attributes("url.template", said)),
    b"browserconfig": Vocabulary(
        attributes=_attributes(
            "square70x70logo.src square150x150logo.src wide310x150logo.src square310x310logo.src tileimage.src "
            "polling-uri.src polling-uri2.src polling-uri3.src polling-uri4.src polling-uri5.src badge.polling-uri",
            below,
        )
    ),
    b"rsd": Vocabulary(_texts("enginelink homepagelink", said), _attributes("api.apilink", said)),
    b"multistatus": Vocabulary(_texts("href", below)),  # WebDAV, RFC 4918
    b"mpd": Vocabulary(
        _texts("baseurl location patchlocation", below),
        _attributes(
            "segmenttemplate.media segmenttemplate.initialization segmenttemplate.index segmenturl.media "
            "segmenturl.index initialization.sourceurl representationindex.sourceurl bitstreamswitching.sourceurl",
            below,
        ),
    ),
}
_PAGES = frozenset({b"html", b"svg", b"stylesheet", b"transform"})
_ANYWHERE: Mapping[bytes, Change] = {b"xml:base": below, b"xlink:href": below}
_NOTHING: Mapping[bytes, Change] = {}


class Document(Text):
    """A document whose root says what it is."""

    def __init__(self, place: Place, pages: Pages, markup: Markup) -> None:
        super().__init__()
        self._place, self._pages, self._markup = place, pages, markup
        self._scanner = Scanner(xml=True)
        self._rest: Rewriter | None = None

    def __repr__(self) -> str:
        return f"<Document of {self._rest!r}>" if self._rest else f"<Document: {self._scanner!r}>"

    def _feed(self, chunk: bytes) -> bytes:
        return self._rest.feed(chunk) if self._rest else self._begin(chunk)

    def _close(self) -> bytes:
        return self._rest.close() if self._rest else self._scanner.source[self._scanner.settled :]

    def _begin(self, chunk: bytes) -> bytes:
        """Up to the root, and what of it has come."""
        edits = Edits()
        for token in self._scanner.feed(chunk):
            source = self._scanner.source
            if token.kind is Kind.INSTRUCTION:
                edit_instruction(source, token, edits, self._place)
            elif token.kind is Kind.START:
                self._rest = self._of(local(token.name))
                return edits.apply(source, 0, token.start) + self._rest.feed(source[token.start :])
        return edits.apply(self._scanner.source, 0, self._scanner.settled)

    def _of(self, root: bytes) -> Rewriter:
        if root in _PAGES:
            return self._pages(self._place)
        vocabulary = VOCABULARIES.get(root)
        return _AsItIs() if vocabulary is None else Records(vocabulary, self._place, self._markup)


class _AsItIs:
    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def close(self) -> bytes:
        return b""


class Records:
    """A document of a known vocabulary, from its root on."""

    def __init__(self, vocabulary: Vocabulary, place: Place, markup: Markup) -> None:
        self._vocabulary, self._place, self._markup = vocabulary, place, markup
        self._scanner = Scanner(LONGEST, xml=True)
        self._change: Callable[[bytes], bytes] | None = None  # of the text after the last tag, as a text means it
        self._text: Held | None = None

    def feed(self, chunk: bytes) -> bytes:
        return self._through(self._scanner.feed(chunk), final=False)

    def close(self) -> bytes:
        return self._through(self._scanner.close(), final=True)

    def _through(self, tokens: Iterator[Token], final: bool) -> bytes:
        source, edits, text_at = self._scanner.source, Edits(), 0
        for token in tokens:
            if self._text is not None:
                edits.replace(text_at, token.start, self._text.feed(source[text_at : token.start]) + self._text.close())
                self._text = None
            if token.kind is Kind.START:
                self._tag(source, token, edits)
                text_at = token.end
            elif token.kind is Kind.CDATA and self._change:
                start, end = token.start + len(b"<![CDATA["), token.end - len(b"]]>")
                edits.replace(start, end, self._change(source[start:end]))
            elif token.kind is Kind.END:
                self._change = None
        settled = len(source) if final else self._scanner.settled
        if self._text is not None:
            text = self._text.feed(source[text_at:settled])
            edits.replace(text_at, settled, text + self._text.close() if final else text)
        return edits.apply(source, 0, settled)

    def _tag(self, source: bytes, token: Token, edits: Edits) -> None:
        name, found = local(token.name), attributes(source, token)
        changes = self._vocabulary.attributes.get(name, _NOTHING)
        for each in found:
            change = changes.get(each.name) or _ANYWHERE.get(each.name)
            if change and each.value is not None:
                self._edit(each, change, edits)
        self._change = None if token.closed else self._text_change(name, found)
        self._text = Held(LONGEST, self._changed_text) if self._change else None

    def _edit(self, attribute: Attribute, change: Change, edits: Edits) -> None:
        value = unescape(attribute.value or b"", "ascii")
        new = change(value, self._place)
        if new != value:
            edits.replace(attribute.value_start, attribute.value_end, escape(new, attribute.quote or b'"', "ascii"))

    def _text_change(self, name: bytes, found: list[Attribute]) -> Callable[[bytes], bytes] | None:
        if name in self._vocabulary.markup and _said(found, b"type") in self._vocabulary.types:
            return lambda text: self._markup(text, self._place)
        change = self._vocabulary.texts.get(name)
        if change is None or (name == b"guid" and _said(found, b"ispermalink") == "false"):
            return None
        return lambda text: _changed(text, change, self._place)

    def _changed_text(self, text: bytes) -> bytes:
        """Text outside of CDATA means what its references mean."""
        assert self._change is not None
        value = unescape(text, "ascii")
        charset = "utf-8" if REAL.search(value) else "ascii"  # characters and bytes, told apart or written alike
        meant = value.encode("utf-8", "surrogateescape")
        new = self._change(meant)
        if new == meant:
            return text
        written = escape(new.decode(charset, "surrogateescape"), b"", "ascii")
        return written.replace(b"<", b"&lt;").replace(b"]]>", b"]]&gt;")


_PSEUDO = patterns.compile(
    rb"<\?xml-stylesheet[\t\n\r ](?:[^?]*?[\t\n\r ])?href[\t\n\r ]*=[\t\n\r ]*(?:\"([^\"]*)\"|'([^']*)')"
)


def edit_instruction(source: bytes, token: Token, edits: Edits, place: Place) -> None:
    """`<?xml-stylesheet href="…"?>` (Associating Style Sheets with XML documents, 3)."""
    found = _PSEUDO.match(source, token.start, token.end)
    if found:
        start, end = found.span(found.lastindex or 1)
        value = unescape(source[start:end], "ascii")
        new = below(value, place)
        if new != value:
            edits.replace(start, end, escape(new, source[start - 1 : start], "ascii").replace(b"<", b"&lt;"))


def local(name: bytes) -> bytes:
    return name.rpartition(b":")[2]


def _changed(text: bytes, change: Change, place: Place) -> bytes:
    """White space around the URL stays."""
    url = text.strip(b"\t\n\r ")
    if not url:
        return text
    value = url.decode("ascii", "surrogateescape")
    new = change(value, place)
    if new == value:
        return text
    start = text.index(url)
    return text[:start] + new.encode("utf-8", "surrogateescape") + text[start + len(url) :]


def _said(found: list[Attribute], name: bytes) -> str:
    return next((unescape(each.value or b"").strip().lower() for each in found if each.name == name), "")
