"""The quick way to read a piece: most are plain markup, of which only what carries URLs and what goes to the head is
looked at, where the parser has it.

What is plain is spelled narrowly: for any other source the answer is None, and `sift` reads all of it. Both say the
same.
"""

from __future__ import annotations

import re

import fragments.parse as parse
import fragments.patterns as patterns
from fragments.budgets import Survey
from fragments.parse import ROOTS
from fragments.sift import COMMON, CONCERNED, CONCERNING, SPECIAL, Sieve

# What a tree has that its text does not say, or that Lexbor writes otherwise than it reads; in lower case.
_ODD = patterns.compile(
    rb"<(?:!(?!doctype|--)|\?|/?(?:template|noscript|math|pre|textarea|listing|plaintext|xmp|noembed|noframes|frame|base"
    rb"|iframe|mf-)|!--[^<>]*+<)"
)
_MARKS = (b"mf-", b"nonce")
# A drawing as icons are: shapes alone, and nothing in it that refers to anything.
_REFERRING = (b"href", b"src", b"url(", b"image-set(", b"@import", b"\\", b"&")  # or may, in other letters
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
_SPECIAL = SPECIAL.keys() - ROOTS
_WANTED = ",".join([*(f"[{name}]" for name in sorted(CONCERNED | {"id"})), *sorted(_SPECIAL)])
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SCRIPT = re.compile(r"<script[^>]*>(.*?)</script", re.DOTALL)


def read(source: str, lower: bytes, told: Survey, sieve: Sieve) -> tuple[str, dict[str, str]] | None:
    """The piece's markup in normal form and the attributes of its roots; what it brings, the sieve knows then."""
    if any(mark in lower for mark in _MARKS) or not _has_icons_only(lower, told):
        return None
    if not told.tidy and _ODD.search(lower):
        return None
    wanted = _wanted(lower, told.tidy) if told.tidy else _WANTED
    edited = parse.edited(source, told.document, wanted, sieve.element)
    if edited is None:
        return None
    html, roots = edited
    if "<!--" in html:
        if any("<!--" in text for text in _SCRIPT.findall(html)):
            return None
        html = _COMMENT.sub("", html)  # Lexbor writes "<" in values as a reference, so no other text looks like one
    return (html, roots) if _comes_back(html, told) else None


def _wanted(lower: bytes, tags: frozenset[bytes]) -> str:
    """The selector for what these tags may bring."""
    names = [tag.decode() for tag in tags]
    attributes = COMMON.union(*[CONCERNING[name] for name in names if name in CONCERNING], ("id",))
    found = [f"[{name}]" for name in sorted(attributes) if name.encode() in lower]
    return ",".join([*found, *sorted(_SPECIAL.intersection(names))])


def _comes_back(html: str, told: Survey) -> bool:
    """Whether reading what is written gives it again. What was tidy does, but for characters that no text keeps; the
    guard sees that it did."""
    return (bool(told.tidy) and "\r" not in html and "\0" not in html) or parse.comes_back(html, "div")


def _has_icons_only(lower: bytes, told: Survey) -> bool:
    drawn = b"".join(told.drawings) if told.tidy else lower
    if b"<svg" not in drawn:
        return True
    icons = _ICON.findall(drawn)
    if len(icons) != drawn.count(b"<svg"):
        return False
    all_of_them = b"".join(set(icons))
    return not any(word in all_of_them for word in _REFERRING)
