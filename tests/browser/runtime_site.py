"""A site whose pages below /shop carry the runtime, and which remembers everything that was asked of it.

It stands in for a gateway: pages come with the tag first in their head, as `proxy/mounting` puts it there.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field

from fragments.urls import Place
from gateway.browser.scripts import MOUNT, tag
from tests.kit.origin import Answer, Origin, Raw, Seen

PLACE = Place("/shop", links_to=("/pets", "/cars"), tag="1a2b3c4d")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
KINDS = {
    "js": "text/javascript",
    "css": "text/css",
    "png": "image/png",
    "json": "application/json",
    "svg": "image/svg+xml",
}


@dataclass
class Site:
    """Pages by path, and the targets that were asked for. `rescue` answers what escaped with a redirect below /shop."""

    pages: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)
    spa: str | None = None
    router: str = "none"
    nonce: bytes | None = None
    cookies: tuple[bytes, ...] = ()
    place: Place = PLACE
    rescue: bool = False

    def __post_init__(self) -> None:
        self.origin = Origin(self.answer)

    @property
    def tag(self) -> str:
        return tag(self.place, self.router, self.nonce, self.cookies).decode()

    def page(self, body: str = "", head: str = "") -> str:
        head = f'{self.tag}<link rel="icon" href="data:,">{head}'
        return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"

    def asked(self) -> list[str]:
        """Every target asked for, less what is ours."""
        return [seen.target for seen in self.origin.requests if not seen.target.startswith("/-/")]

    def escaped(self) -> list[str]:
        return [target for target in self.asked() if not re.match(r"/(shop|pets|cars)(/|\?|$)", target)]

    def answer(self, seen: Seen) -> Answer | Raw:
        if seen.path == MOUNT.path.decode():
            return Answer(MOUNT.body, headers=[("Content-Type", "text/javascript")])
        if (seen.get("Upgrade") or "").lower() == "websocket":
            return self._websocket(seen)
        if seen.path in self.pages or seen.path.startswith(("/pets", "/cars")):
            return self._html(self.pages.get(seen.path, '<!doctype html><link rel="icon" href="data:,">'))
        if not seen.path.startswith("/shop"):
            return self._stray(seen)
        kind = KINDS.get(seen.path.rpartition(".")[2])
        if seen.path.endswith("/slow.json"):
            return Answer(b"{}", headers=[("Content-Type", "application/json")], delay=0.4)
        if kind:
            return self._asset(seen, kind)
        if seen.path.endswith("/events"):
            return Answer([b"data: 1\n\n", 5.0], headers=[("Content-Type", "text/event-stream")])
        if "/api" in seen.path:
            return Answer(b'{"ok": true}', headers=[("Content-Type", "application/json")])
        return self._html(self.spa if self.spa is not None else self.page("<p>elsewhere"))

    def _html(self, text: str) -> Answer:
        return Answer(text.encode(), headers=[("Content-Type", "text/html; charset=utf-8"), *self.fields])

    def _stray(self, seen: Seen) -> Answer:
        if self.rescue:
            return Answer(b"", 307, [("Location", "/shop" + seen.target), ("Cache-Control", "no-store")])
        return Answer(b"nobody", 404, [("Content-Type", "text/plain")])

    def _asset(self, seen: Seen, kind: str) -> Answer:
        path = seen.path.removeprefix("/shop")
        body = PIXEL if kind == "image/png" else self.scripts.get(path, "").encode() or ASSETS.get(path, b"")
        return Answer(body, headers=[("Content-Type", kind), ("Cache-Control", "no-store")])

    def _websocket(self, seen: Seen) -> Raw:
        key = (seen.get("Sec-WebSocket-Key") or "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        fields = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}"
        return Raw([f"HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n\r\n".encode(), b"\x88\x02\x03\xe8", 0.2])


ASSETS = {
    "/shared.js": b"onconnect = (event) => event.ports[0].postMessage(location.pathname)",
    "/worker.js": b"postMessage(location.pathname)",
    "/sw.js": b"",
    "/loaded.js": b"window.loaded = (window.loaded || 0) + 1",
    "/data.json": b"{}",
    "/icon.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><symbol id="a"><path d="M0 0h1v1z"/></symbol></svg>',
}
