"""Conditions a viewer sets, answered from what is at hand (RFC 9110 section 13), and the timing field."""

import re
from collections.abc import Iterable
from functools import lru_cache

from gateway.message import Request, Response, Stream, first, joined

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
    if not asked:
        return False
    etag = first(response.headers, b"etag")
    if etag is None:
        return False
    opaque = etag.removeprefix(b"W/")
    return asked.strip() == b"*" or any(tag.removeprefix(b"W/") == opaque for tag in _TAG.findall(asked))


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
