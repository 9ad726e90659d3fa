"""The nonce of one answer's policy, put on what pieces bring: each answer has its own, and none is kept with a body.

Pieces come without (`fragments.piece` takes what they claim). Only what a policy asks for one of carries it: scripts,
sheets, links to sheets (Content Security Policy, section 6.7.2.3).
"""

import re
from dataclasses import replace

from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.scan import Kind, Token, attributes, tokens

_CARRY = frozenset({b"script", b"style"})
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
    """A piece for one answer. In a frame there is none to carry: its document is an attribute's text."""
    head = tuple(_fresh(item, nonce) for item in piece.head)
    return replace(piece, html=on(piece.html, nonce), head=head)


def _fresh(item: HeadItem, nonce: bytes) -> HeadItem:
    return item if item.kind == "importmap" else replace(item, html=on(item.html, nonce))
