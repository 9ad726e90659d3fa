"""Markup that can be read in one way only: every element is closed in turn, and stands where it may stand.

Nothing is implied, moved or opened again by a parser, so what is written of its tree is read as that tree. Other markup
may be as good; it is not known to be by its tags alone.
"""

from __future__ import annotations

from collections.abc import Sequence


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_HEADINGS = _words("h1 h2 h3 h4 h5 h6")
_BLOCKS = _HEADINGS | _words(
    "address article aside blockquote details dialog div dl fieldset figcaption figure footer form header hgroup "
    "legend main menu nav ol p section summary table ul"
)
_TEXTS = _words("script style title")
# Formatting is remembered and opened again, a form, a link or a button in its like is none: 13.2.4.3, 13.2.6.4.7.
_ONCE = _words("a b big button code em form i s small strong tt u")
_PHRASES = (
    _TEXTS
    | (_ONCE - _BLOCKS)
    | _words(
        "abbr audio bdi bdo canvas cite data del dfn ins kbd label mark meter output picture progress q samp span sub "
        "sup time var video"
    )
)
_VOID = _words("br img input link meta source track wbr")
_ROOTS = _words("html head body /html /head /body")
_INSIDE = {  # what may stand only in some
    b"": _words("li dd dt"),
    **dict.fromkeys(_words("ul ol menu"), _words("li")),
    b"dl": _words("dd dt"),
}
_ONLY = {  # what is all that may stand in some
    **dict.fromkeys(_TEXTS, frozenset[bytes]()),
    b"table": _words("caption colgroup tbody tfoot thead tr"),
    b"colgroup": frozenset[bytes](),
    **dict.fromkeys(_words("tbody tfoot thead"), _words("tr")),
    b"tr": _words("td th"),
}


class _Open:
    """An open element by its name: the end tag it waits for, and what may be opened in it, or stand there closed."""

    __slots__ = ("closed", "end", "once", "opens", "twin")

    def __init__(self, name: bytes) -> None:
        self.end = b"/" + name
        self.opens: dict[bytes, _Open] = {}
        self.closed: frozenset[bytes] = frozenset()
        self.once = name in _ONCE
        self.twin = self  # the same in a paragraph, or out of it


def _grammar() -> _Open:
    """The outermost place. An element in a paragraph is another than the same elsewhere: no block may stand in it."""
    names = {b""} | _BLOCKS | _PHRASES | frozenset().union(*_INSIDE.values(), *_ONLY.values())
    flow = {name: _Open(name) for name in names}
    phrases = {name: _Open(name) for name in _PHRASES}
    for name, each in flow.items():
        within = phrases if name == b"p" else flow
        each.opens = {inner: within[inner] for inner in _opened(name)}
        each.closed = _closed(name)
    for name, each in phrases.items():
        each.opens = {} if name in _TEXTS else phrases
        each.closed = frozenset() if name in _TEXTS else _VOID
        each.twin, flow[name].twin = flow[name], each
    flow[b""].closed |= _ROOTS
    return flow[b""]


def _opened(name: bytes) -> frozenset[bytes]:
    if name in _ONLY:
        return _ONLY[name]
    if name == b"p":
        return _PHRASES
    blocks = _BLOCKS - _HEADINGS if name in _HEADINGS else _BLOCKS
    return blocks | _PHRASES | _INSIDE.get(name, frozenset())


def _closed(name: bytes) -> frozenset[bytes]:
    if name in _ONLY:
        return _words("col") if name == b"colgroup" else frozenset()
    return _VOID if name == b"p" else _VOID | {b"hr"}


_OUTERMOST = _grammar()


def nested(tags: Sequence[bytes], limit: int) -> int | None:
    """How deep, if they are all tidy and not deeper than this; `tags` are names, those of end tags with a slash."""
    stack = [_OUTERMOST]
    now, end, deepest = _OUTERMOST, _OUTERMOST.end, 1  # which nothing ends, as no name is empty
    for tag in tags:
        if tag == end:
            stack.pop()
            now = stack[-1]
            end = now.end
        elif (opened := now.opens.get(tag)) is not None:
            if opened.once and (opened in stack or opened.twin in stack):
                return None
            stack.append(opened)
            now, end = opened, opened.end
            if len(stack) > deepest:
                deepest = len(stack)
                if deepest > limit:
                    return None
        elif tag not in now.closed:
            return None
    return deepest
