"""The deals team: one file, nothing installed, started while the portal runs. It lives at "/" and knows no other place.

HOST and PORT say where it listens.
"""

import contextlib
import os
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OFFERS = [
    ("Night swim and supper", "A towel, a lantern, and soup when you come out.", 24, 38),
    ("Last ferry, first class", "The saloon, a blanket, and the captain’s radio.", 12, 19),
    ("Two bicycles until noon", "Bring them back dry, or bring them back.", 9, 16),
]
SHARED = "public, max-age=0, s-maxage=30, stale-while-revalidate=300, stale-if-error=86400"

STYLE = """/* Offers: on our own pages and in our fragment on anyone's. Every name begins with deals-. */
:where(:root) {
  color-scheme: light dark;
  --pt-ground: light-dark(#f8f4ec, #0d151c);
  --pt-surface: light-dark(#fff, #15202a);
  --pt-ink: light-dark(#16232e, #eaf0f4);
  --pt-soft: light-dark(#51606c, #a5b4c1);
  --pt-focus: light-dark(#0b5c74, #8bdcf1);
  --pt-display: "Palatino Linotype", Palatino, "DejaVu Serif Condensed", ui-serif, Georgia, serif;
  --pt-text: system-ui, "Segoe UI", Roboto, "DejaVu Sans Condensed", sans-serif;
  --pt-s: 0.875rem;
  --pt-l: 1.2rem;
  --pt-xl: 1.8rem;
  --pt-radius: 14px;
}
:root {
  --deals-accent: light-dark(#7a4c00, #f5cb6e);
  --deals-wash: light-dark(#fbeecb, #33290f);
}
.deals-body {
  margin: 0;
  padding: 2rem;
  background: var(--pt-ground);
}
.deals-tonight {
  padding: clamp(1.1rem, 3vw, 2rem);
  border-radius: var(--pt-radius);
  background: var(--deals-wash);
  color: var(--pt-ink);
  font: 400 1rem/1.5 var(--pt-text);
}
.deals-title {
  margin: 0 0 1rem;
  font: 700 var(--pt-xl) / 1.15 var(--pt-display);
}
.deals-list {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
  gap: 0.9rem;
  margin: 0;
  padding: 0;
  list-style: none;
}
.deals-list li {
  position: relative;
  padding: 1rem 1.15rem;
  border-radius: calc(var(--pt-radius) - 4px);
  background: var(--pt-surface);
}
.deals-list a {
  color: inherit;
  font: 700 var(--pt-l) / 1.2 var(--pt-display);
  text-decoration: none;
}
.deals-list a::after {
  content: "";
  position: absolute;
  inset: 0;
}
.deals-list a:hover {
  text-decoration: underline;
}
.deals-list li:has(a:focus-visible) {
  outline: 3px solid var(--pt-focus);
  outline-offset: 2px;
}
.deals-list a:focus-visible {
  outline: none;
}
.deals-list p {
  margin: 0.3rem 0 0;
  color: var(--pt-soft);
}
.deals-list b {
  color: var(--deals-accent);
}
"""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#7a4c00"/>'
    '<path fill="#ffe2a0" d="M20 6a10 10 0 1 0 6 16A12 12 0 0 1 20 6z"/></svg>'
)


def offer(number: int) -> str:
    name, line, price, was = OFFERS[number]
    return (
        f'<li><a href="/offer/{number + 1}">{escape(name)}</a><p>{escape(line)}</p>'
        f"<p><b>€{price}</b> <s>€{was}</s> until midnight</p></li>"
    )


def tonight(numbers: list[int]) -> str:
    return (
        '<section class="deals-tonight" aria-labelledby="deals-title">'
        '<h2 class="deals-title" id="deals-title">Only tonight</h2>'
        f'<ul class="deals-list">{"".join(map(offer, numbers))}</ul></section>\n'
    )


def page(numbers: list[int]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Only tonight</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        'content="light dark"><link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" '
        'href="/deals.css"></head>\n<body class="deals-body"><mf-slot name="shell.header"></mf-slot><main>'
        f'{tonight(numbers)}<p><a href="/">All of tonight’s offers</a></p></main></body></html>\n'
    )


def answers() -> dict[str, tuple[str, str, str]]:
    """Everything there is: path → media type, Cache-Control, body."""
    everyone = list(range(len(OFFERS)))
    html, brief = "text/html; charset=utf-8", "public, max-age=0, must-revalidate"
    fixed = {
        "/": (html, "no-cache", page(everyone)),
        "/fragments/tonight": (html, SHARED, f'<link rel="stylesheet" href="/deals.css">\n{tonight(everyone)}'),
        "/deals.css": ("text/css; charset=utf-8", brief, STYLE),
        "/icon.svg": ("image/svg+xml", brief, ICON),
        "/healthz": ("text/plain", "no-store", "ok\n"),
    }
    return fixed | {f"/offer/{number + 1}": (html, "no-cache", page([number])) for number in everyone}


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = 75
    delay = 0.0

    def do_GET(self) -> None:
        time.sleep(Door.delay)
        missing = ("text/plain", "no-cache", "No such offer\n")
        path = urlsplit(self.path).path
        self.send(200 if path in answers() else 404, *answers().get(path, missing))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.close_connection = True
        asked = urlsplit(self.path)
        if asked.path != "/__demo/slow" or os.environ.get("DEMO_CONTROL") != "1":
            return self.send(405, "text/plain", "no-store", "Method not allowed\n")
        Door.delay = min(30.0, max(0.0, float(parse_qs(asked.query).get("seconds", ["0"])[0])))
        return self.send(200, "text/plain", "no-store", f"{Door.delay:g}\n")

    def send(self, status: int, kind: str, cached: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Cache-Control", cached), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, flush=True)


def main() -> None:
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000")))
    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer(address, Door) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"deals on http://{address[0]}:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
