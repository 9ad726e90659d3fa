"""What became of a request in the cache, told and read: Cache-Status (RFC 9211).

Our member is the last one, those of caches behind us stay before it. It is a hit or says why it was not.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import gateway.rules.structured as structured
from gateway.rules.structured import Text, Token

NAME = b"portico"
REASONS = {  # section 2.2
    "bypass": "the cache has no say in this",
    "method": "this method is not answered from a cache",
    "uri-miss": "nothing is kept for this URL",
    "vary-miss": "something is kept for this URL, but not for what this request's fields say",
    "miss": "nothing that may be used is kept",
    "request": "the viewer's request asked for it",
    "stale": "what is kept is too old",
    "partial": "only a part of it is kept",
}
DETAILS = {
    "authorization": "the request had Authorization, and the answer does not say it is for everybody",
    "cookie": "the request had cookies, and neither the answer nor its mount says that it is the same for all",
    "head": "a HEAD brings no body that could be kept",
    "no-cache": "the answer is to be asked about at each use, and has nothing to ask by",
    "no-freshness": "neither the answer nor its mount says how long it lasts",
    "no-store": "the answer, or the request, says no-store",
    "only-if-cached": "the viewer wants nothing that must be fetched",
    "private": "the answer is one viewer's",
    "purged-meanwhile": "it was purged while it was fetched",
    "set-cookie": "the answer sets a cookie",
    "stale-if-error": "the origin failed, what was kept stands in",
    "stale-on-arrival": "the answer had outlived its own lifetime, and has nothing to ask by",
    "stale-part": "a part of the page was stale",
    "status": "answers of this status are not kept",
    "too-large": "the answer is larger than an entry may be",
    "variants": "as many variants of this URL are kept as may be",
    "vary": "the answer depends on what two requests never have in common",
}
_TOKEN = re.compile(rb"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_NOT_TEXT = re.compile(rb"[^ -~]")


class Member(NamedTuple):
    """One cache's word on a request."""

    cache: bytes
    hit: bool = False
    fwd: bytes = b""
    status: int | None = None
    ttl: int | None = None
    stored: bool = False
    collapsed: bool = False
    key: bytes = b""
    detail: bytes = b""


def hit(ttl: float, detail: str = "") -> bytes:
    """From the cache, fresh for that many seconds more, or stale for as many."""
    note = b"%b; hit; ttl=%d" % (NAME, ttl)
    return note + b"; detail=" + _text(detail) if detail else note


def forwarded(
    reason: str,
    status: int | None = None,
    *,
    ttl: float | None = None,
    stored: bool = False,
    collapsed: bool = False,
    key: bytes = b"",
    detail: str = "",
) -> bytes:
    """Asked of the origin, why, and what came of it. `status` is None when nothing came (section 2.3)."""
    told = [b"%b; fwd=%b" % (NAME, reason.encode())]
    if status is not None:
        told.append(b"fwd-status=%d" % status)
    if stored:
        told.append(b"stored")
    if ttl is not None:
        told.append(b"ttl=%d" % ttl)
    if collapsed:
        told.append(b"collapsed")
    if key:
        told.append(b"key=" + _quoted(key))
    if detail:
        told.append(b"detail=" + _text(detail))
    return b"; ".join(told)


@lru_cache(maxsize=1024)
def noted(reason: str, status: int, detail: str) -> bytes:
    """Of an answer that came from its origin and was not kept; the same few over and over."""
    return forwarded(reason, status, detail=detail)


def appended(before: bytes, note: bytes) -> bytes:
    """The whole field: what other caches said, as they said it, and we last (section 2)."""
    return before + b", " + note if before.strip() else note


def read(value: bytes) -> list[Member]:
    """Every member of a field, nearest to the origin first; none when it is not a list (section 2)."""
    found = []
    for item in structured.members(value) or []:
        told = item.parameters
        if isinstance(item.value, (Token, Text)):
            found.append(
                Member(
                    bytes(item.value),
                    told.get(b"hit") is True,
                    _bytes(told.get(b"fwd")),
                    _number(told.get(b"fwd-status")),
                    _number(told.get(b"ttl")),
                    told.get(b"stored") is True,
                    told.get(b"collapsed") is True,
                    _bytes(told.get(b"key")),
                    _bytes(told.get(b"detail")),
                )
            )
    return found


def why(note: bytes) -> str:
    """Our own note as a sentence, for people."""
    told = next((member for member in reversed(read(note)) if member.cache == NAME), None)
    if told is None:
        return "the cache was not asked"
    said = [DETAILS.get(told.detail.decode("latin-1"), told.detail.decode("latin-1"))] if told.detail else []
    if told.hit:
        fresh = told.ttl is None or told.ttl >= 0
        return "; ".join(["kept, and fresh" if fresh else "kept, and stale: it is being refreshed", *said])
    word = told.fwd.decode("latin-1")
    said.insert(0, REASONS.get(word, word))
    return "; ".join([*said, "kept from now on"] if told.stored else said)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (Token, Text)) else b""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: str) -> bytes:
    """A token where it is one, else a string (section 2.8)."""
    said = value.encode("latin-1", "replace")
    return said if _TOKEN.fullmatch(said) else _quoted(said)


def _quoted(value: bytes) -> bytes:
    return b'"' + _NOT_TEXT.sub(b"?", value).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
