"""The sheets of a piece that is fenced in: in its slot's scope, or in a shadow root and, of fonts, in its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import fragments.parse as parse
import fragments.scope as scope
from fragments.head import STYLES, HeadItem
from fragments.keyframes import apart, declared
from fragments.piece import Piece
from fragments.plan import Diagnostic
from fragments.scan import Kind, Token, attributes, tokens, unescape

_HREF = re.compile(rb'( href=")([^"]*)(")')
_INTEGRITY = re.compile(rb' integrity="[^"]*"')
_AS_STYLE = re.compile(rb' as="style"', re.IGNORECASE)
_SHEET_LINK = re.compile(rb"(?i)(?:^|[\t\n\f\r ])stylesheet(?:$|[\t\n\f\r ])")
_ELSEWHERE = "A sheet of another site holds for the whole page. Serve it from the fragment's own, or use shadow."


def scoped(piece: Piece, name: str) -> Piece:
    """The piece with every sheet of it in the scope of the slots that the fragment of this name fills."""
    frames = _frames(piece)
    head = tuple(_in_scope(item, name, frames) for item in piece.head)
    said = piece.diagnostics
    if any(was.kind == "stylesheet" and was == now for was, now in zip(piece.head, head, strict=True)):
        said += (Diagnostic("scope-elsewhere", _ELSEWHERE),)
    return replace(piece, html=_within(piece.html, name, frames), head=head, diagnostics=said)


def _frames(piece: Piece) -> frozenset[str]:
    """The names of the key frames that any sheet in the piece declares."""
    sheets = b"".join([*(item.html for item in piece.head if item.kind == "style"), piece.html])
    return declared(sheets.decode()) if b"keyframes" in sheets.lower() else frozenset()


def _in_scope(item: HeadItem, name: str, frames: frozenset[str]) -> HeadItem:
    if item.kind == "style":
        html = _restyled(item.html, lambda text: scope.scoped(text, name, frames))
    elif _loads_sheet(item):
        html = _readdressed(item.html, name)
    else:
        return item
    return item if html == item.html else HeadItem(item.kind, f"{item.key} {scope.PARAMETER}={name}", html)


def shadowed(items: Iterable[HeadItem]) -> tuple[str, tuple[HeadItem, ...]]:
    """The sheets as markup for the inside of a shadow root, and what is left for the head of its document."""
    inside: list[bytes] = []
    head: list[HeadItem] = []
    for item in items:
        if item.kind == "style":
            inside.append(_restyled(item.html, lambda text: scope.in_shadow_root(text).inside))
            fonts = _restyled(item.html, lambda text: scope.in_shadow_root(text).outside)
            if b"></style>" not in fonts:
                head.append(HeadItem("style", f"{item.key} {scope.DOCUMENT}", fonts))
        elif item.kind in STYLES:
            inside.append(_readdressed(item.html, scope.SHADOW))
            fonts = _readdressed(item.html, scope.DOCUMENT)
            if fonts != item.html:
                head.append(HeadItem(item.kind, f"{item.key} {scope.DOCUMENT}", fonts))
        else:
            head.append(replace(item, html=_readdressed(item.html, scope.SHADOW)) if _loads_sheet(item) else item)
    return b"".join(inside).decode(), tuple(head)


def _loads_sheet(item: HeadItem) -> bool:
    return item.kind == "stylesheet" or (item.kind == "preload" and _AS_STYLE.search(item.html) is not None)


def _restyled(html: bytes, change: Callable[[str], str]) -> bytes:
    """A style element in normal form with another sheet in it; one that would end it is none."""
    start = html.index(b">") + 1
    end = html.rindex(b"</style")
    sheet = change(html[start:end].decode())
    return html[:start] + (b"" if "</style" in sheet.lower() else sheet.encode("utf-8", "replace")) + html[end:]


def _readdressed(html: bytes, name: str) -> bytes:
    """A link in normal form that asks for its sheet as `scope.sheet` makes it, which has another hash."""

    def address(found: re.Match[bytes]) -> bytes:
        url = scope.addressed(unescape(found[2]), name)
        return found[1] + parse.quoted(url).encode("utf-8", "replace") + found[3]

    addressed = _HREF.sub(address, html, count=1)
    return html if addressed == html else _INTEGRITY.sub(b"", addressed, count=1)


# ---- Sheets that stay where they are: of drawings, for viewers without scripts, within microdata --------------------


def _within(html: bytes, name: str, frames: frozenset[str]) -> bytes:
    if b"<style" not in html and b"<link" not in html and not (frames and b"animation" in html):
        return html
    parts: list[bytes] = []
    at = 0
    for start, end, new in _changes(html, name, frames):
        parts += (html[at:start], new)
        at = end
    return b"".join((*parts, html[at:]))


def _changes(html: bytes, name: str, frames: frozenset[str]) -> Iterator[tuple[int, int, bytes]]:
    """Which bytes become which; those in a template are for scripts to use, or for a shadow root."""
    templates = 0
    style: Token | None = None
    for token in tokens(html):
        if style is not None:
            if token.kind is Kind.END and token.name == b"style":
                yield style.end, token.start, _sheet(html[style.end : token.start], style.foreign, name, frames)
                style = None
        elif token.name == b"template" and not token.foreign:
            templates += 1 if token.kind is Kind.START else -1
        elif templates or token.kind is not Kind.START:
            continue
        elif token.name == b"style":
            style = token
        elif token.name == b"link" and _is_sheet(html, token):
            yield token.start, token.end, _readdressed(html[token.start : token.end], name)
        elif frames and b"animation" in html[token.start : token.end]:
            yield token.start, token.end, _animated(html[token.start : token.end], name, frames)


def _animated(tag: bytes, name: str, frames: frozenset[str]) -> bytes:
    """A start tag in normal form whose style goes by the names of these key frames."""
    style = next((each for each in attributes(tag, next(tokens(tag))) if each.name == b"style"), None)
    if style is None:
        return tag
    own = apart(unescape(style.value or b""), frames, name)
    return tag[: style.value_start] + parse.quoted(own).encode("utf-8", "replace") + tag[style.value_end :]


def _sheet(written: bytes, foreign: bool, name: str, frames: frozenset[str]) -> bytes:
    """A drawing's sheet is text with references, as all text in it; one with markup in it is no sheet any more."""
    if foreign and b"<" in written:
        return b""
    sheet = scope.scoped(unescape(written) if foreign else written.decode(), name, frames)
    if foreign:
        return parse.text(sheet).encode("utf-8", "replace")
    return b"" if "</style" in sheet.lower() else sheet.encode("utf-8", "replace")


def _is_sheet(html: bytes, link: Token) -> bool:
    return any(each.name == b"rel" and _SHEET_LINK.search(each.value or b"") for each in attributes(html, link))
