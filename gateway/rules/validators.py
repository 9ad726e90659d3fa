"""Conditions a viewer sets, answered from what is at hand (RFC 9110 section 13), and the timing field.

If-Match and If-Unmodified-Since are for who makes a representation, not for who keeps it (RFC 9111 section 4.3.2): of
what is stored the origin answers them, of composed pages we do.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from gateway.message import Fields, Head, Request, Response, Stream, every, first, joined, without
from gateway.rules.directives import date

_TAG = re.compile(rb'(?:W/)?"[^"]*"|[^ \t,"]+')  # a comma may stand in one; some send theirs without quotes
# what describes a body that is not sent; all else, cookies too, goes out with the 304 as it would with the 200
_OF_THE_BODY = frozenset(
    {
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"content-language",
        b"content-range",
        b"transfer-encoding",
    }
)


def not_modified(request: Request, response: Response) -> bool:
    """Does the viewer hold these very bytes: weak comparison, lists and `*` (section 13.1.2)."""
    if request.method not in (b"GET", b"HEAD") or response.status != 200:
        return False
    asked = joined(request.headers, b"if-none-match")
    etag = first(response.headers, b"etag")
    return bool(asked) and etag is not None and _matches(asked, etag)


def held(request: Request, head: Head, stored: float | None = None) -> bool:
    """Whether a viewer holds a stored 200, so that a 304 will do (RFC 9111 section 4.3.2).

    If-None-Match goes before If-Modified-Since (RFC 9110 section 13.2.2). What has no Last-Modified is dated by its
    Date, or by when it was `stored`.
    """
    if request.method not in (b"GET", b"HEAD"):
        return False
    if b"if-none-match" in request.index:
        return _matches(joined(request.headers, b"if-none-match"), head.index.get(b"etag"))
    since = _one_date(request.head, b"if-modified-since")
    if since is None:
        return False
    modified = date(head.index.get(b"last-modified") or head.index.get(b"date", b""))
    changed = stored if modified is None else modified
    return changed is not None and changed <= since


def refused(request: Request, head: Head) -> bool:
    """Whether a condition fails on what we made ourselves: 412 (RFC 9110 sections 13.1.1 and 13.1.4)."""
    asked = joined(request.headers, b"if-match")
    if asked:
        etag = head.index.get(b"etag")
        return asked.strip() != b"*" and (etag is None or etag.startswith(b"W/") or etag not in _TAG.findall(asked))
    since, modified = _one_date(request.head, b"if-unmodified-since"), date(head.index.get(b"last-modified", b""))
    return since is not None and modified is not None and modified > since


def is_for_the_origin(head: Head) -> bool:
    """Whether a request has a condition that nobody who merely keeps an answer may judge."""
    return b"if-match" in head.index or b"if-unmodified-since" in head.index


def _matches(asked: bytes, etag: bytes | None) -> bool:
    """Weak comparison, lists and `*` (section 13.1.2); a stored answer without a validator matches the star alone."""
    if asked.strip() == b"*":
        return True
    if etag is None:
        return False
    opaque = etag.removeprefix(b"W/")
    return any(tag.removeprefix(b"W/") == opaque for tag in _TAG.findall(asked))


def _one_date(head: Head, name: bytes) -> float | None:
    """The date of a field that is there once; no date, or several, is as if it were not there (section 13.1.3)."""
    said = every(head.fields, name) if name in head.index else []
    return date(said[0]) if len(said) == 1 else None


# Parts of a stored whole


def range_of(request: Request, head: Head) -> bytes | None:
    """The Range that a stored 200 may answer; None where the whole is to be sent (RFC 9110 sections 13.1.5 and 14.2).

    If-Range holds by the strong comparison only: a weak validator says nothing of bytes, nor does a date from within
    the minute in which the answer was made (section 8.8.2.2).
    """
    if request.method != b"GET" or b"range" not in request.index or b"content-encoding" in head.index:
        return None
    asked = every(request.headers, b"range")
    condition = first(request.headers, b"if-range")
    return asked[0] if len(asked) == 1 and (condition is None or _is_the_same(condition.strip(), head)) else None


def _is_the_same(condition: bytes, head: Head) -> bool:
    if condition.startswith((b'"', b"W/")):
        return not condition.startswith(b"W/") and condition == head.index.get(b"etag")
    modified, made = date(head.index.get(b"last-modified", b"")), date(head.index.get(b"date", b""))
    return modified is not None and date(condition) == modified and made is not None and made - modified >= 60


def partial(fields: Fields, first_byte: int, last_byte: int, size: int) -> Fields:
    """The fields of a 206: all of the whole's, and which bytes of it these are (section 15.3.7)."""
    said = b"bytes %d-%d/%d" % (first_byte, last_byte, size)
    return [*without(fields, b"content-length", b"content-range"), (b"content-range", said)]


def unsatisfiable(size: int) -> Fields:
    """The fields of a 416: how many bytes there are (section 15.5.17)."""
    return [(b"content-range", b"bytes */%d" % size)]


def bodiless(response: Response) -> Response:
    """The 304 that stands for a response (section 15.4.5)."""
    if isinstance(response.body, Stream):
        response.body.close()
    return Response(304, [field for field in response.headers if field[0] not in _OF_THE_BODY], b"")


def server_timing(timings: Iterable[tuple[str, str, float]]) -> bytes:
    """Server-Timing of a page's fragments: each with how it came out and how long it took (W3C Server Timing)."""
    return b", ".join([_timed(name, outcome) + b"%.1f" % (seconds * 1000) for name, outcome, seconds in timings])


def server_timing_of(timings: Iterable[tuple[str, str, float]]) -> bytes:
    """The same with a `%.1f` for each time in milliseconds."""
    return b", ".join([_timed(name, outcome).replace(b"%", b"%%") + b"%.1f" for name, outcome, _ in timings])


_NO_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")


@lru_cache(maxsize=1024)
def _timed(name: str, outcome: str) -> bytes:
    return f'{_token(name)};desc="{outcome}";dur='.encode("latin-1")


def _token(name: str) -> str:
    """A slot may have any name, a metric only a token (RFC 9110 section 5.6.2)."""
    return _NO_TOKEN.sub("_", name[:128])
