"""The quick way to read a piece: most are plain markup, of which only what carries URLs and what goes to the head is
looked at, where the parser has it.

What is plain is spelled narrowly: for any other source the answer is None, and `sift` reads all of it. Both say the
same.
"""

from __future__ import annotations

import re

import fragments.parse as parse
import fragments.patterns as patterns
from fragments.parse import ROOTS
from fragments.sift import CONCERNED, SPECIAL, Sieve

# What a tree has that its text does not say, or that Lexbor writes otherwise than it reads; in lower case.
_ODD = patterns.compile(
    rb"<(?:!(?!doctype|--)|\?|/?(?:template|noscript|math|pre|textarea|listing|plaintext|xmp|noembed|noframes|frame|base"
    rb"|iframe|mf-)|!--[^<>]*+<)"
)
_MARKS = (b"mf-", b"nonce")
# A drawing as icons are: shapes alone, and nothing in it that refers to anything.
_REFERRING = (b"href", b"src", b"url(")
_SHAPES = rb"path|circle|rect|line|polyline|polygon|ellipse|g"
_SPACE = rb"[\t\n\f\r ]"
_VALUE = rb"(?:\"[^\"<>]*+\"|'[^'<>]*+'|[^\t\n\f\r \"'<>=`/]++)"
_ATTRIBUTES = rb"(?:%(space)s++[^\t\n\f\r \"'<>=/]++(?:=%(value)s)?+)*+%(space)s*+" % {
    b"space": _SPACE,
    b"value": _VALUE,
}
_ICON = patterns.compile(
    rb"<svg%(attributes)s>(?:[^<]++|<(?:%(shapes)s)%(attributes)s/?>|</(?:%(shapes)s)%(space)s*+>)*+</svg>"
    % {b"shapes": _SHAPES, b"attributes": _ATTRIBUTES, b"space": _SPACE}
)
_WANTED = ",".join([*(f"[{name}]" for name in sorted(CONCERNED | {"id"})), *sorted(SPECIAL.keys() - ROOTS)])
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SCRIPT = re.compile(r"<script[^>]*>(.*?)</script", re.DOTALL)


def read(source: str, lower: bytes, document: bool, sieve: Sieve) -> tuple[str, dict[str, str]] | None:
    """The piece's markup in normal form and the attributes of its roots; what it brings, the sieve knows then."""
    if any(mark in lower for mark in _MARKS) or _ODD.search(lower) or not _has_icons_only(lower):
        return None
    edited = parse.edited(source, document, _WANTED, sieve.element)
    if edited is None:
        return None
    html, roots = edited
    if "<!--" in html:
        if any("<!--" in text for text in _SCRIPT.findall(html)):
            return None
        html = _COMMENT.sub("", html)  # Lexbor writes "<" in values as a reference, so no other text looks like one
    return (html, roots) if parse.comes_back(html, "div") else None


def _has_icons_only(lower: bytes) -> bool:
    if b"<svg" not in lower:
        return True
    icons = _ICON.findall(lower)
    return len(icons) == lower.count(b"<svg") and not any(word in icon for icon in set(icons) for word in _REFERRING)
