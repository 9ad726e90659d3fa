"""What a page loaded the last time, told to the next viewer early: in a 103, and in the head of a page whose pieces are
still to come. Only what everybody is sent is remembered.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import gateway.rules.algebra as algebra
from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.scan import attributes, tokens, unescape
from gateway.exchange import Answer, Exchange
from gateway.proxy.composition import Filled

BY_CODING = frozenset({b"accept-encoding"})
PRIVATE = frozenset({b"private", b"no-store"})
Heads = tuple[tuple[HeadItem, ...], ...]
_RELATIONS = {
    "stylesheet": ("preload", (("as", "style"),)),
    "module": ("modulepreload", ()),
    "modulepreload": ("modulepreload", ()),
    "preload": ("preload", ()),
    "preconnect": ("preconnect", ()),
}
_KEPT = ("as", "crossorigin", "type", "media", "integrity")


class Hints(NamedTuple):
    heads: Heads  # what they were worked out from
    link: bytes  # the value of a Link field (RFC 8288)


def shared(filled: Sequence[Filled | None]) -> Iterator[tuple[HeadItem, ...]]:
    """What pieces brought for the head, of those that are nobody's in particular."""
    for each in filled:
        if each is None or type(each.filling) is not Fitted or not each.filling.head:
            continue
        if not any(_is_personal(below) for below in each.all()):
            yield each.filling.head


def may_be_told(exchange: Exchange, shell: Answer) -> bool:
    """Whether others are shown the same shell. One that sets cookies, or came for some and says nothing, is one's."""
    asked = exchange.request.head.index
    if b"authorization" in asked or b"set-cookie" in shell.head.index or (b"cookie" in asked and shell.entry is None):
        return False
    told = algebra.words(shell.head)
    return told.vary <= BY_CODING and not PRIVATE & told.said.keys()


def _is_personal(filled: Filled) -> bool:
    fragment = None if filled.fetch is None else filled.fetch.fragment
    if fragment is not None and (fragment.is_personal or fragment.headers):
        return True
    return filled.part is not None and bool(PRIVATE & algebra.words(filled.part.head).said.keys())


def link(heads: Heads) -> bytes:
    """Each once, in order, as long as a head may grow by it."""
    found: dict[bytes, None] = {}
    left = algebra.HINTS
    for items in heads:
        for item in items:
            hint = _hint(item)
            if hint is not None and hint not in found:
                left -= len(hint) + 2
                if left < 0:
                    return b", ".join(found)
                found[hint] = None
    return b", ".join(found)


def _hint(item: HeadItem) -> bytes | None:
    relation = _RELATIONS.get(item.kind)
    if relation is None:
        return None
    said = {each.name: unescape(each.value or b"") for each in attributes(item.html, next(tokens(item.html)))}
    url = said.get(b"href") or said.get(b"src") or ""
    if not url.isascii() or not url.isprintable() or any(mark in url for mark in '<>" ') or not url:
        return None
    name, more = relation
    told = dict(more)
    for each in _KEPT if item.kind != "module" else ("crossorigin", "integrity"):
        value = said.get(each.encode())
        if value is not None and value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
            told.setdefault(each, value)
    if name == "preload" and "as" not in told:
        return None
    written = "".join(f'; {each}="{value}"' if value else f"; {each}" for each, value in told.items())
    return f"<{url}>; rel={name}{written}".encode()
