"""A page below a prefix: HTML, CSS, web manifests, import maps and speculation rules, as they stream by.

Only values that carry URLs are edited; every other byte stays. Script and comments never change. Twice is once, and how
the input is cut into chunks does not show.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import fragments.css as css
import fragments.patterns as patterns
from fragments.edit import Edits
from fragments.scan import Attribute, Kind, Scanner, Token, attributes, escape, unescape
from fragments.urls import CARRIERS, FOREIGN, PRESENTATION, Change, Place, absolute, below, means, refresh

JSON_LIMIT = 1024 * 1024  # JSON is held whole; a longer text passes as it is
NESTED = 8  # documents within documents (srcdoc) that are looked into
_KNOWN_LIMIT = 4096  # values remembered while one page goes by


class Rewriter(Protocol):
    """Bytes in, bytes out; what is unfinished is held until it is whole."""

    def feed(self, chunk: bytes) -> bytes: ...

    def close(self) -> bytes: ...


def rewriter(content_type: str, place: Place) -> Rewriter | None:
    """The rewriter for a type of content; None when its bytes pass untouched."""
    kind, _, parameters = content_type.partition(";")
    make = _REWRITERS.get(kind.strip().lower())
    return None if make is None or _NOT_ASCII.search(parameters) else make(place)


def html(page: bytes, place: Place) -> bytes:
    """A whole page at once."""
    return _whole(HtmlRewriter(place), page)


def _whole(rewriting: Rewriter, source: bytes) -> bytes:
    return rewriting.feed(source) + rewriting.close()


# Charsets in which the bytes of "<" or "/" may mean something else. UTF-16 is also known by its byte order mark.
_NOT_ASCII = patterns.compile(
    r"charset\s*=\s*[\"']?\s*(?:utf-?16|utf-?32|utf-?7|ucs-?2|iso-2022|csiso2022|hz-)", re.IGNORECASE
)
_MARKS = (b"\xff\xfe", b"\xfe\xff")


class _Narrow(ABC):
    """What all rewriters of bytes share: text in UTF-16 passes as it is."""

    def __init__(self) -> None:
        self._beginning: bytes | None = b""
        self._wide = False

    def feed(self, chunk: bytes) -> bytes:
        if self._beginning is not None:
            chunk = self._beginning + chunk
            if len(chunk) < 2:
                self._beginning = chunk
                return b""
            self._beginning, self._wide = None, chunk.startswith(_MARKS)
        return chunk if self._wide else self._feed(chunk)

    def close(self) -> bytes:
        beginning, self._beginning = self._beginning or b"", None
        return b"" if self._wide else (self._feed(beginning) if beginning else b"") + self._close()

    @abstractmethod
    def _feed(self, chunk: bytes) -> bytes: ...

    @abstractmethod
    def _close(self) -> bytes: ...


class CssRewriter(_Narrow):
    """A style sheet, or the text of a `<style>`."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._sheet = css.Sheet(place)

    def _feed(self, chunk: bytes) -> bytes:
        return self._sheet.feed(chunk.decode("ascii", "surrogateescape")).encode("ascii", "surrogateescape")

    def _close(self) -> bytes:
        return self._sheet.close().encode("ascii", "surrogateescape")


class _Held:
    """A text that can only be read whole."""

    def __init__(self, limit: int, change: Callable[[bytes], bytes]) -> None:
        self._limit, self._change = limit, change
        self._parts: list[bytes] = []
        self._length = 0

    def feed(self, chunk: bytes) -> bytes:
        self._parts.append(chunk)
        self._length += len(chunk)
        return b"" if self._length <= self._limit else self._let_go()

    def close(self) -> bytes:
        text = self._let_go()
        return self._change(text) if self._length <= self._limit else text

    def _let_go(self) -> bytes:
        text = b"".join(self._parts)
        self._parts.clear()
        return text


# JSON.


def _json(text: bytes, change: Callable[[object], object]) -> bytes:
    """The text with its value changed; the same bytes when nothing is, or when it is no JSON."""
    mark = _UTF8_MARK if text.startswith(_UTF8_MARK) else b""
    try:
        before = json.loads(text[len(mark) :].decode("ascii", "surrogateescape"))
        after = change(before)
        if after == before:
            return text
        return mark + _WIDE.sub(_in_ascii, json.dumps(after, ensure_ascii=False)).encode("ascii", "surrogateescape")
    except (ValueError, RecursionError):
        return text


_UTF8_MARK = b"\xef\xbb\xbf"
_WIDE = patterns.compile("[<\x80-\udc7f\udd00-\U0010ffff]")  # "<" as well: no text ends a script


def _in_ascii(found: re.Match[str]) -> str:
    return "\\u003c" if found[0] == "<" else json.dumps(found[0])[1:-1]


def _members(value: object, changes: Mapping[str, Callable[[object], object]]) -> object:
    if not isinstance(value, dict):
        return value
    return {key: changes[key](each) if key in changes else each for key, each in value.items()}


def _keys(change: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: {change(key): each for key, each in value.items()} if isinstance(value, dict) else value


def _values(change: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: {key: change(each) for key, each in value.items()} if isinstance(value, dict) else value


def _each(change: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: [change(each) for each in value] if isinstance(value, list) else value


def _some(changes: Mapping[str, Callable[[object], object]]) -> Callable[[object], object]:
    return lambda value: _members(value, changes)


def _url(place: Place) -> Callable[[object], object]:
    return lambda value: below(value, place) if isinstance(value, str) else value


def _web_manifest(place: Place) -> Callable[[object], object]:
    url = _url(place)
    images = _each(_some({"src": url}))
    return _some(
        {
            "start_url": url,
            "scope": url,
            "id": url,
            "icons": images,
            "screenshots": images,
            "shortcuts": _each(_some({"url": url, "icons": images})),
            "share_target": _some({"action": url}),
            "file_handlers": _each(_some({"action": url, "icons": images})),
            "protocol_handlers": _each(_some({"url": url})),
            "note_taking": _some({"new_note_url": url}),
        }
    )


def _import_map(place: Place) -> Callable[[object], object]:
    """Addresses change, names do not: scripts, which are never edited, import by them."""
    url = _url(place)
    addresses = _values(url)

    def scopes(value: object) -> object:
        return _keys(url)(_values(addresses)(value))

    return _some({"imports": addresses, "scopes": scopes, "integrity": _keys(url)})


def _speculation_rules(place: Place) -> Callable[[object], object]:
    url = _url(place)

    def matches(value: object) -> object:
        if isinstance(value, list):
            return [matches(each) for each in value]
        return _members(value, {"pathname": url}) if isinstance(value, dict) else url(value)

    def where(value: object) -> object:
        return _members(value, {"href_matches": matches, "and": _each(where), "or": _each(where), "not": where})

    rules = _each(_some({"urls": _each(url), "where": where}))
    return _some({"prefetch": rules, "prerender": rules, "prefetch_with_subresources": rules})


class ManifestRewriter(_Held):
    """A web application manifest."""

    def __init__(self, place: Place) -> None:
        super().__init__(JSON_LIMIT, lambda text: _json(text, _web_manifest(place)))


_SCRIPT_TYPES = {"importmap": _import_map, "speculationrules": _speculation_rules}


# HTML.


class HtmlRewriter(_Narrow):
    """A page of a mounted application, in any charset that agrees with ASCII."""

    def __init__(self, place: Place) -> None:
        self._begin(place, Scanner(over=_UNCHANGED if place.base is None else _UNCHANGED_BY_A_BASE), 0)

    def _begin(self, place: Place, scanner: Scanner, depth: int) -> None:
        super().__init__()
        self._place, self._scanner, self._depth = place, scanner, depth
        self._text: Rewriter | None = None  # what the text after the last tag goes through
        self._in_foreign_sheet = False
        self._known: dict[bytes, bytes | None] = {}
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
            if token.kind is Kind.START:
                self._text = self._tag(source, token, edits)
                text_at = token.end
            elif token.kind is Kind.CDATA and self._in_foreign_sheet:
                self._rewrite_cdata(source, token, edits)
        settled = len(source) if final else self._scanner.settled
        if self._text is not None:
            text = self._text.feed(source[text_at:settled])
            edits.replace(text_at, settled, text + self._text.close() if final else text)
        return edits.apply(source, 0, settled)

    def _rewrite_cdata(self, source: bytes, token: Token, edits: Edits) -> None:
        start, end = token.start + len(b"<![CDATA["), token.end - len(b"]]>")
        edits.replace(start, end, css.rewrite(source[start:end], self._place))

    def _tag(self, source: bytes, token: Token, edits: Edits) -> Rewriter | None:
        """Edits one start tag; says what its text has to go through."""
        self._in_foreign_sheet = False
        if token.name not in _CONCERNED and not _HINT.search(source, token.start, token.end):
            return None
        if token.foreign and token.name != b"style" and not _HINT.search(source, token.start, token.end):
            return None
        found = attributes(source, token)
        if token.foreign:
            self._edit(source, edits, found, _FOREIGN_CHANGES)
            return self._foreign_sheet() if token.name == b"style" and not token.closed else None
        choose = _CHOOSERS.get(token.name)
        self._edit(source, edits, found, choose(self, found) if choose else CARRIERS.get(token.name, _NOTHING))
        return self._text_of(token, found)

    def _edit(self, source: bytes, edits: Edits, found: list[Attribute], changes: Mapping[bytes, Change]) -> None:
        for each in found:
            change = css.rewrite_text if each.name == b"style" else changes.get(each.name)
            if change is _drop:
                _cut_out(source, each, edits)
            elif change and each.value is not None:
                new = self._new_value(each.value, each.quote, change)
                if new is not None:
                    edits.replace(each.value_start, each.value_end, new)

    def _new_value(self, raw: bytes, quote: bytes, change: Change) -> bytes | None:
        if change is not below:
            return self._changed(raw, quote, change)
        key = quote + raw
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
        if token.name == b"script":
            change = _SCRIPT_TYPES.get(_said(found, b"type"))
            return None if change is None else self._json_text(change(self._place))
        return None

    def _json_text(self, change: Callable[[object], object]) -> Rewriter:
        return _Held(JSON_LIMIT, lambda text: _json(text, change))

    def _foreign_sheet(self) -> Rewriter:
        """The text of an SVG `<style>` is ordinary text, with entities; its CDATA is CSS as it stands."""
        self._in_foreign_sheet = True
        return _Held(JSON_LIMIT, self._rewrite_text)

    def _rewrite_text(self, text: bytes) -> bytes:
        sheet = unescape(text, "ascii")
        new = css.rewrite_text(sheet, self._place)
        return text if new == sheet else escape(new, b"", "ascii").replace(b"<", b"&lt;")

    # Elements whose attributes decide together.

    def _of_meta(self, found: list[Attribute]) -> Mapping[bytes, Change]:
        if _said(found, b"http-equiv") == "refresh":
            return {b"content": refresh}
        named = (_said(found, name) for name in (b"property", b"name", b"itemprop"))
        return {b"content": absolute} if any(name in _META_URLS for name in named) else _NOTHING

    def _of_link(self, found: list[Attribute]) -> Mapping[bytes, Change]:
        relations = _said(found, b"rel").split()
        changes = CARRIERS[b"link"]
        if "canonical" in relations or "alternate" in relations:
            changes = {**changes, b"href": absolute}
        styles = "stylesheet" in relations or ("preload" in relations and _said(found, b"as") == "style")
        if styles and means(_value(found, b"href"), self._place):
            changes = {**changes, b"integrity": _drop}  # the sheet is rewritten on its way, its hash would block it
        return changes

    def _of_iframe(self, found: list[Attribute]) -> Mapping[bytes, Change]:
        return {**CARRIERS[b"iframe"], b"srcdoc": self._document} if self._depth < NESTED else CARRIERS[b"iframe"]

    def _document(self, value: str, place: Place) -> str:
        charset = "utf-8" if _REAL.search(value) else "ascii"
        if charset == "utf-8":  # characters and bytes can only be told apart if both are written the same way
            value = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        nested = HtmlRewriter(place)
        nested._depth = self._depth + 1
        return _whole(nested, value.encode(charset, "surrogateescape")).decode(charset, "surrogateescape")


class XmlRewriter(HtmlRewriter):
    """A page in XML syntax: no text is raw, CDATA may stand anywhere, a style sheet's text has entities."""

    def __init__(self, place: Place) -> None:
        self._begin(place, Scanner(xml=True), 0)

    def _tag(self, source: bytes, token: Token, edits: Edits) -> Rewriter | None:
        local = token.name.rpartition(b":")[2]
        self._in_foreign_sheet = False
        found = attributes(source, token)
        choose = _CHOOSERS.get(local)
        changes = choose(self, found) if choose else CARRIERS.get(local, _FOREIGN_CHANGES)
        self._edit(source, edits, found, changes)
        return self._foreign_sheet() if local == b"style" and not token.closed else None


# What a page consists of for the most part: text, comments and tags that no rule here could change. They are stepped
# over in one go. Spelled narrowly: whatever looks odd is left to the scanner, which knows all the rules.


def _spelled(words: str) -> str:
    """A pattern for any of these names in any case, by first letters, so that most names fail at once."""
    by_letter: dict[str, list[str]] = {}
    for word in words.split():
        by_letter.setdefault(word[0], []).append(word[1:])
    return "(?:" + "|".join(_either_case(letter) + _followed(rests) for letter, rests in by_letter.items()) + ")"


def _either_case(letter: str) -> str:
    return f"[{letter}{letter.upper()}]" if letter.isalpha() else letter


def _followed(rests: list[str]) -> str:
    more = " ".join(rests).split()
    return (_spelled(" ".join(more)) + "?" * ("" in rests)) if more else ""


_SPACE, _END, _NAME = r"[\t\n\f\r ]", r"(?=[\t\n\f\r />])", r"[^\t\n\f\r />\"'=<]"
_CSS_DOUBT, _URL_DOUBT = r"(&\\", r"\x00-\x20/\\&hH"
_COMMENT = r"<!--(?!-?>)[^-]*+(?:-(?!-!?>)[^-]*+)*+--!?>"


def _valued(first: str, rest: str) -> str:
    """A quoted or bare value whose first character and whose others are none of these."""
    bare = rf"(?![{first}])[^\t\n\f\r \"'=<>`{rest}]++"
    return rf"=(?:\"(?![{first}])[^\"{rest}]*+\"|'(?![{first}])[^'{rest}]*+'|{bare})"


def _unchanged(relative: bool) -> re.Pattern[bytes]:
    links = _spelled("href src action formaction poster cite background data longdesc")
    others = _spelled("srcset imagesrcset ping manifest icon codebase archive lowsrc dynsrc")
    style = _spelled("style")
    sheet = rf"{style}{_valued(_CSS_DOUBT, _CSS_DOUBT)}{_END}"
    link = rf"{links}{_valued(_URL_DOUBT, '')}{_END}|" if relative else ""
    free = rf"(?!(?:{links}|{others}|{style})[\t\n\f\r />=]){_NAME}++(?:{_valued('=', '')})?+{_END}"
    looked_into = _spelled("svg math script style title textarea xmp iframe noembed noframes plaintext meta link")
    tag = rf"<(?!{looked_into}{_END})[A-Za-z]{_NAME}*+(?:{_SPACE}++(?:{free}|{link}{sheet}))*+{_SPACE}*+/?>"
    return patterns.compile(
        rf"(?:[^<]++|</[A-Za-z]{_NAME}*+{_SPACE}*+>|{tag}|{_icon()}|{_COMMENT}|<(?=[^A-Za-z/!?]))*+".encode()
    )


def _icon() -> str:
    """A whole drawing of shapes that name nothing but each other."""
    drawn = _spelled(
        "path g rect circle line polyline polygon ellipse defs lineargradient radialgradient stop use symbol"
    )
    linked, title = _spelled("href xlink:href src style"), _spelled("title")
    plain = rf"(?!{linked}[\t\n\f\r />=]){_NAME}++(?:{_valued(_CSS_DOUBT, _CSS_DOUBT)})?+"
    local = r"(?:(?:xlink:)?href=\"#[^\"&]*+\"|[a-z\-]++=\"url\(#[\w\-]*+\)\"|transform=\"[^\"&]*+\")"
    attributes = rf"(?:{_SPACE}++(?:{local}|{plain}){_END})*+{_SPACE}*+"
    inside = rf"[^<]++|</?{drawn}{attributes}/?>|<{title}>[^<]*+</{title}>|{_COMMENT}"
    return rf"<{_spelled('svg')}{attributes}>(?:{inside})*+</{_spelled('svg')}>"


_UNCHANGED = _unchanged(relative=True)
_UNCHANGED_BY_A_BASE = _unchanged(relative=False)


def _presentation(value: str, place: Place) -> str:
    return css.rewrite_text(value, place)


def _drop(value: str, place: Place) -> str:
    """Stands for taking the whole attribute away."""
    return ""


_NOTHING: Mapping[bytes, Change] = {}
_FOREIGN_CHANGES: Mapping[bytes, Change] = {**FOREIGN, **dict.fromkeys(PRESENTATION, _presentation)}
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
    "image url thumbnail thumbnailurl contenturl"
)
_META_URLS = frozenset(_META_NAMES.split())
_REAL = patterns.compile("[\x80-\ud7ff\ue000-\U0010ffff]")
# What may change in an element of no concern has one of these in it: a foreign link, a function of CSS, or a disguise.
_HINT = patterns.compile(rb"href|src|url\(|image-set\(|[&\\]", re.IGNORECASE)
_NEEDS_QUOTES = patterns.compile(r"[\t\n\f\r \"'=<>`]|^$")
_REWRITERS: Mapping[str, Callable[[Place], Rewriter]] = {
    "text/html": HtmlRewriter,
    "application/xhtml+xml": XmlRewriter,
    "text/css": CssRewriter,
    "application/manifest+json": ManifestRewriter,
}


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
