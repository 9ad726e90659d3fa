"""The nonce of one answer's policy, put on what pieces bring: each answer has its own, and none is kept with a body.

Pieces come without (`fragments.piece` takes what they claim). Only what a policy asks for one of carries it: scripts,
sheets, links to sheets (Content Security Policy, section 6.7.2.3).
"""

import re
from dataclasses import replace

import fragments.parse as parse
from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.scan import Kind, Token, attributes, tokens, unescape

_CARRY = frozenset({b"script", b"style"})
_SRCDOC = re.compile(rb'(<iframe[^>]* srcdoc=")([^"]*)')
_SHEET = re.compile(rb"(?i)(?:^|[\t\n\f\r ])(?:stylesheet|preload|modulepreload)(?:$|[\t\n\f\r ])")


def on(html: bytes, nonce: bytes) -> bytes:
    """The markup in normal form, with this nonce on all that runs or styles."""
    written = b' nonce="%b"' % nonce
    parts: list[bytes] = []
    at = 0
    for token in tokens(html):
        if token.kind is Kind.START and _carries(html, token):
            behind = token.start + 1 + len(token.name)
            parts += (html[at:behind], written)
            at = behind
    return b"".join((*parts, html[at:]))


def _carries(html: bytes, token: Token) -> bool:
    if token.name in _CARRY:
        return True
    return token.name == b"link" and any(
        each.name == b"rel" and _SHEET.search(each.value or b"") for each in attributes(html, token)
    )


def fitted(piece: Fitted, nonce: bytes) -> Fitted:
    """A piece for one answer. A frame's document has the page's policy (HTML 7.1.6), so it needs the nonce as well."""
    if piece.rung == "iframe":
        return replace(piece, html=_SRCDOC.sub(lambda found: found[1] + _framed(found[2], nonce), piece.html, count=1))
    head = tuple(item(each, nonce) for each in piece.head)
    return replace(piece, html=on(piece.html, nonce), head=head)


def _framed(document: bytes, nonce: bytes) -> bytes:
    return parse.quoted(on(unescape(document).encode("utf-8", "replace"), nonce).decode()).encode()


def item(brought: HeadItem, nonce: bytes) -> HeadItem:
    """The same for what stands in a head."""
    return brought if brought.kind == "importmap" else replace(brought, html=on(brought.html, nonce))
