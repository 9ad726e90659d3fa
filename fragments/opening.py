"""Where a document takes what is to come first in its head: right behind `<head>`, or where a head begins unsaid.

By the insertion modes of the HTML standard up to "in head" (13.2.6.4.1 to 4). A text that says neither doctype, html
nor head is a part of some page and takes nothing. What is there already is not put there again.
"""

from __future__ import annotations

import enum

import fragments.patterns as patterns
from fragments.edit import Edits
from fragments.scan import Kind, Token, tokens

_SOMETHING = patterns.compile(rb"[^\t\n\f\r ]")
_MARK = b"\xef\xbb\xbf"
_BEGUN_BY = frozenset({b"head", b"body", b"html", b"br"})  # end tags that begin a head; others mean nothing yet
_PATIENCE = 4096  # white space behind `<head>` that is waited through


class _State(enum.Enum):
    UNKNOWN = 1  # a document or not
    DOCUMENT = 2  # its head has not begun
    HEAD = 3  # behind `<head>`, and nothing but white space since
    DECIDED = 4


class Opening:
    """Shown each token of a page until it is decided where the opening goes."""

    def __init__(self, opening: bytes) -> None:
        self._opening = opening
        self._first = next((opening[each.start : each.end] for each in tokens(opening)), opening)
        self._state = _State.UNKNOWN if opening else _State.DECIDED
        self._begins = True
        self._seen = 0  # up to here the text is looked through
        self._place = 0  # behind `<head>`
        self._behind = b""  # white space behind `<head>`, kept back while it is not known what follows

    @property
    def decided(self) -> bool:
        return self._state is _State.DECIDED

    def see(self, source: bytes, token: Token, edits: Edits) -> None:
        """The next token, before any edit in it."""
        self._see_text(source, token.start, edits)
        if not self.decided:
            self._see_token(source, token, edits)
            self._seen = token.end

    def settle(self, source: bytes, settled: int, edits: Edits) -> int:
        """Looks at text up to where nothing can change any more; says how much of it may go out."""
        if self.decided:
            return settled
        self._see_text(source, settled, edits)
        if self._state is _State.HEAD:
            if self._waited(settled):
                self._put(self._place, edits)
            else:
                self._behind += source[self._place : settled]
                settled = self._place
        self._seen = self._place = 0
        return settled

    def end(self, source: bytes, edits: Edits) -> None:
        """The page is over; if its head has not begun, it begins here."""
        if self.decided:
            return
        self._see_text(source, len(source), edits)
        if not self.decided:
            self._begin(len(source), edits)

    def kept_back(self) -> bytes:
        """What goes out before anything else."""
        if not self.decided:
            return b""
        behind, self._behind = self._behind, b""
        return behind

    def _see_text(self, source: bytes, end: int, edits: Edits) -> None:
        if self._begins and source.startswith(_MARK):
            self._seen = len(_MARK)
        self._begins = False
        if something := _SOMETHING.search(source, self._seen, end):
            self._begin(something.start(), edits)

    def _see_token(self, source: bytes, token: Token, edits: Edits) -> None:
        if self._state is _State.HEAD:
            self._begin(token.start, edits, source[token.start : token.end])
        elif token.kind is Kind.DOCTYPE or (token.kind is Kind.START and token.name == b"html"):
            self._state = _State.DOCUMENT
        elif token.kind is Kind.START and token.name == b"head":
            self._state, self._place = _State.HEAD, token.end
        elif token.kind is Kind.START or (token.kind is Kind.END and token.name in _BEGUN_BY):
            self._begin(token.start, edits, source[token.start : token.end])

    def _begin(self, at: int, edits: Edits, tag: bytes = b"") -> None:
        """Something of the head, or what ends it, begins here."""
        if self._state is _State.UNKNOWN or (tag == self._first and not self._waited(at)):
            self._state = _State.DECIDED
        else:
            self._put(self._place if self._state is _State.HEAD else at, edits)

    def _waited(self, at: int) -> bool:
        return self._state is _State.HEAD and len(self._behind) + at - self._place > _PATIENCE

    def _put(self, at: int, edits: Edits) -> None:
        if self._behind:
            self._behind = self._opening + self._behind
        else:
            edits.insert(at, self._opening)
        self._state = _State.DECIDED
