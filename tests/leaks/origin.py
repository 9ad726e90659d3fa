"""The worst-case origin: an application that believes to own `/` and says so on every channel it can.

It stands on loopback and keeps what it was asked. What it writes comes from the tables; nothing here knows a proxy.
"""

import base64
import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import brotli

import tests.leaks.escapes as escapes
from tests.kit.origin import Answer, Origin, Raw, Seen, serving
from tests.leaks.markers import CONTROLS, MARKERS, PAGES, Control, Marker, Page

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PLAIN = ("Content-Type", "text/plain")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_FRESH = ("Cache-Control", "no-store")
FIELD_BODY = b'<!doctype html><title>x</title><a href="/x">x'
_AS_PAGE = {"r-etag", "r-no-referrer"}  # fields that matter on documents
_IN_PARTS = {"/kept/range", "/html"}
_KEPT_TYPES = {
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "vtt": "text/vtt",
    "wav": "audio/wav",
    "events": "text/event-stream",
}
_BODIES = {
    "gif": GIF,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/><linearGradient id="g"/></svg>',
    "vtt": b"WEBVTT\n",
    "json": b"{}",
    "webmanifest": b'{"name":"Worst"}',
    "events": b"data: here\n\n",
}
_PACK = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}


@dataclass
class Site:
    """The application, shown at `public` below `prefix`: which it must never know, but controls have to spell."""

    prefix: str = ""
    public: str = ""
    silent: bool = False  # knows no path at all: for the root, where whatever escapes arrives
    origin: Origin = field(init=False)

    def __post_init__(self) -> None:
        self.origin = serving(self.answer)

    @property
    def asked(self) -> list[str]:
        """The paths it was asked for."""
        return [seen.path for seen in self.origin.requests]

    def spelled(self, marker: Marker | Control) -> str:
        """A text of the tables as the origin writes it."""
        return self._filled(marker.written, f"/m/{marker.id}")

    def whole(self, path: str) -> bytes:
        """A page as it leaves the origin, out of its coding."""
        page = PAGES[path]
        return self._filled(page.before + self._parts(path, page) + page.after, "").encode(page.charset)

    def _filled(self, text: str, url: str) -> str:
        host = self.origin.url.removeprefix("http://")
        told = {"%U": url, "%V": url[1:], "%N": url.rpartition("/")[2], "%X": self.prefix, "%P": self.public}
        told |= {"%O": self.origin.url, "%H": host, "%D": "origin.internal"}
        for sign, value in told.items():
            text = text.replace(sign, value)
        return text

    def _parts(self, path: str, page: Page) -> str:
        return "".join(fenced(each.id, self.spelled(each), page) for each in STANDING.get(path, ()))

    def answer(self, seen: Seen) -> Answer | Raw:
        if self.silent:
            return Answer(b"Nobody here.", 404, [_PLAIN, _FRESH])
        if seen.path == "/echo":
            told = {"target": seen.target, "fields": seen.headers}
            return Answer(json.dumps(told).encode(), headers=[("Content-Type", "application/json"), _FRESH])
        if seen.path in FIELDS:
            return self._with_field(FIELDS[seen.path], seen)
        if seen.path in PAGES:
            return self._page(seen.path, seen)
        return self._other(seen)

    def _with_field(self, marker: Marker | Control, seen: Seen) -> Answer | Raw:
        value = self.spelled(marker)
        if marker.field.startswith("103 "):
            hint = f"HTTP/1.1 103 Early Hints\r\n{marker.field[4:]}: {value}\r\n\r\n"
            return Raw(f"{hint}HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx".encode())
        status = 302 if marker.field == "Location" else 200
        kind = _HTML if marker.id in _AS_PAGE else _PLAIN
        if marker.field == "ETag" and seen.get("If-None-Match") == value:
            return Answer(b"", 304, [(marker.field, value)])
        return Answer(FIELD_BODY, status, [kind, (marker.field, value), _FRESH])

    def _page(self, path: str, seen: Seen) -> Answer:
        page, body = PAGES[path], self.whole(path)
        fields = [("Content-Type", page.type), _FRESH]
        if path == "/kept/no-transform":
            fields[1] = ("Cache-Control", "no-store, no-transform")
        if path == "/kept/range":
            body *= 9
        if (seen.get("Range"), path in _IN_PARTS) == ("bytes=2-40", True):
            part = ("Content-Range", f"bytes 2-40/{len(body)}")
            return Answer(body[2:41], 206, [*fields, part])
        if page.coding and page.coding in (seen.get("Accept-Encoding") or ""):
            return Answer(_PACK[page.coding](body), headers=[*fields, ("Content-Encoding", page.coding)])
        if page.pieces:
            return Answer([body[at : at + page.pieces] for at in range(0, len(body), page.pieces)], headers=fields)
        return Answer(body, headers=fields)

    def _other(self, seen: Seen) -> Answer | Raw:
        if (seen.get("Upgrade") or "").lower() == "websocket":
            return accepted(seen)
        scripted = escapes.served(seen.path, self.prefix)
        if scripted is not None:
            kind, text = scripted
            return Answer(text.encode(), headers=[("Content-Type", kind), _FRESH, ("Service-Worker-Allowed", "/")])
        ending = seen.path.rpartition(".")[2] if "." in seen.path else ""
        kind = _KEPT_TYPES.get(ending, "text/html; charset=utf-8")
        return Answer(_BODIES.get(ending, b""), headers=[("Content-Type", kind), _FRESH, *_cookie(seen)])


def _cookie(seen: Seen) -> Iterator[tuple[str, str]]:
    if seen.path == "/m/j-cookie-set":
        yield ("Set-Cookie", "j-cookie-read=1; Path=/")


def accepted(seen: Seen) -> Raw:
    """A WebSocket that says one word and closes (RFC 6455, 4.2.2)."""
    key = (seen.get("Sec-WebSocket-Key") or "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    sign = base64.b64encode(hashlib.sha1(key.encode()).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return Raw([head + b"Sec-WebSocket-Accept: " + sign + b"\r\n\r\n\x81\x04here", 0.3, b"\x88\x02\x03\xe8"])


def fences(id: str, type: str) -> tuple[str, str]:
    """What stands around the text of a marker, a comment in the language of the page."""
    opening, closing = ("/*", "*/") if type.startswith("text/css") else ("<!--", "-->")
    return f"{opening}{id}{closing}", f"{opening}end {id}{closing}"


def fenced(id: str, text: str, page: Page) -> str:
    before, after = fences(id, page.type)
    return f"{before}{text}{after}\n"


WRITTEN: tuple[Marker | Control, ...] = (*MARKERS, *CONTROLS)


def _standing() -> Mapping[str, list[Marker | Control]]:
    standing: dict[str, list[Marker | Control]] = {}
    for each in WRITTEN:
        if each.written and not each.field:
            standing.setdefault(each.page, []).append(each)
    return standing


STANDING = _standing()
FIELDS: dict[str, Marker | Control] = {each.page: each for each in WRITTEN if each.field}


@contextmanager
def worst_case(prefix: str = "", public: str = "", *, silent: bool = False) -> Iterator[Site]:
    """A site that listens until the block ends."""
    site = Site(prefix, public, silent)
    with site.origin:
        yield site
