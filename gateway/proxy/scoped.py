"""A team's sheet asked for by a piece that is fenced in: the same stored answer, made to hold in the piece's slot."""

import re
from collections.abc import Container

import fragments.scope as scope
import gateway.rules.algebra as algebra
from gateway.exchange import Answer, Exchange
from gateway.message import Request, Response, Stream, gathered, without
from gateway.recent import Weighed
from gateway.rules.fields import media_type
from gateway.store.codec import digest
from gateway.telemetry.facts import Noticed
from gateway.telemetry.log import Teller

MADE = 16 << 20  # bytes of sheets kept as they were made
LONGEST = 1 << 20  # bytes of a sheet; reading one holds everybody up for a third of a second
_ASKED = re.compile(rb"([?&])%b=([^&#]*)(&|$)" % scope.PARAMETER.encode())
_CSS = b"text/css; charset=utf-8"
_CHARSET = re.compile(rb"(?i);\s*charset\s*=\s*[\"']?([^\s\"';]+)")
_GONE = (
    b"accept-ranges",
    b"content-digest",
    b"content-encoding",
    b"content-length",
    b"content-md5",
    b"content-type",
    b"etag",
    b"repr-digest",
    b"surrogate-control",
)


def picked(target: bytes, fragments: Container[str]) -> tuple[bytes, str]:
    """A target without what says whose the sheet is, and that; "" where nothing says so, or nobody declares it."""
    found = _ASKED.search(target)
    if found is None:
        return target, ""
    name = found[2].decode("latin-1").replace("%3A", ":").replace("%3a", ":")
    if name not in (scope.SHADOW, scope.DOCUMENT) and name not in fragments:
        return target, ""
    before = found[1] if found[3] else b""
    return target[: found.start()] + before + target[found.end() :], name


def whole(request: Request) -> Request:
    """The same request for a sheet as it is, of which one can be made that is scoped."""
    asked = algebra.unconditional(request)
    fields = without(asked.headers, b"accept-encoding")
    return Request(b"GET", asked.target, fields, scheme=asked.scheme, peer=asked.peer, version=asked.version)


class Scoped:
    """Sheets made once for each that is asked for. What cannot be made to hold in its slots is an empty sheet."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._made: Weighed[tuple[bytes, str, bytes], bytes] = Weighed(MADE)

    async def answer(self, exchange: Exchange, answer: Answer, name: str) -> Response:
        if answer.status != 200:
            return answer
        kind = answer.index.get(b"content-type", b"")
        answer.body = body = await gathered(answer.body, LONGEST)
        if media_type(kind) != "text/css":  # which a page in quirks mode takes for one all the same (HTML 4.2.4.3)
            return self._empty(exchange, answer, name, "is no text/css")
        if b"content-encoding" in answer.index or not isinstance(body, bytes) or len(body) > LONGEST:
            return self._empty(exchange, answer, name, f"cannot be read, or is longer than {LONGEST} bytes")
        key = digest(body), name, kind
        made = self._made.get(key)
        if made is None:
            made = scope.sheet(body, name, _charset(kind))
            self._made.put(key, made, len(made))
        return _sheet(answer, made)

    def _empty(self, exchange: Exchange, answer: Answer, name: str, why: str) -> Response:
        if isinstance(answer.body, Stream):
            answer.body.close()
        path = exchange.request.target.partition(b"?")[0].decode("latin-1")
        self._tell(Noticed(exchange.now, "compose", f"{name}: sheet-not-scoped: {path} {why}; it is sent empty."))
        return _sheet(answer, b"")


def _sheet(answer: Answer, text: bytes) -> Response:
    etag = b'"%b"' % digest(text).hex().encode()
    return Response(200, [*without(answer.headers, *_GONE), (b"content-type", _CSS), (b"etag", etag)], text)


def _charset(kind: bytes) -> str | None:
    said = _CHARSET.search(kind)
    return said[1].decode("latin-1") if said else None
