"""What a viewer sees when something failed: a plain page, or JSON when asked for, with the request's id.

Nothing of the inside is shown: the reason goes to the log, under the same id.
"""

import json

from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.message import Response, first

_SAID = {
    400: ("This request cannot be read", "Something in the address or in the request is not as it should be."),
    404: ("There is nothing here", "The address may be mistyped, or the page may have moved."),
    405: ("That cannot be done here", "This address does not take that kind of request."),
    413: ("That is too much", "What was sent is larger than this site takes."),
    421: ("This site is not served here", "The address names a site that does not live at this server."),
    500: ("Something went wrong", "It is our fault, not yours. Please try again in a moment."),
    502: (
        "This page is taking a break",
        "A part of the site did not answer as it should. Please try again soon.",
    ),
    503: ("Very busy right now", "Please try again in a few seconds."),
    504: ("This page took too long", "A part of the site did not answer in time. Please try again in a moment."),
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title><style>
:root{{color-scheme:light dark}}
body{{margin:0;min-height:100vh;display:grid;place-items:center;font:1.0625rem/1.6 system-ui,sans-serif;
background:light-dark(#f6f4ef,#16181d);color:light-dark(#1d2430,#e8e6e1)}}
main{{max-width:34rem;padding:2rem}}
p.status{{margin:0;font-size:.875rem;letter-spacing:.08em;color:light-dark(#5b6472,#9aa3b2)}}
h1{{margin:.25rem 0 1rem;font-size:2rem;line-height:1.2}}
a{{color:light-dark(#0b5cad,#8cc2ff)}}
small{{color:light-dark(#5b6472,#9aa3b2)}}
</style></head><body><main><p class="status">{status}</p><h1>{title}</h1><p>{text}</p>
<p><a href="/">To the start page</a></p><p><small>Request {id}</small></p></main></body></html>
"""


def response(error: GatewayError, exchange: Exchange) -> Response:
    """The answer to a failed exchange. `Proxy-Status` names the kind of failure (RFC 9209), never the place."""
    status = error.status
    title, text = _SAID.get(status, _SAID[500])
    id = exchange.id.decode()
    accept = first(exchange.request.headers, b"accept") or b""
    if b"json" in accept and b"text/html" not in accept:
        kind, body = b"application/problem+json", _json(status, title, text, id)
    else:
        kind, body = b"text/html; charset=utf-8", _PAGE.format(status=status, title=title, text=text, id=id).encode()
    fields = [
        (b"content-type", kind),
        (b"cache-control", b"no-store"),
        (b"proxy-status", b"portico; error=" + error.proxy_error.encode()),
    ]
    if status == 405:
        fields.append((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
    if status == 503:
        fields.append((b"retry-after", b"2"))
    return Response(status, fields, body)


def _json(status: int, title: str, text: str, id: str) -> bytes:
    """RFC 9457."""
    return json.dumps({"type": "about:blank", "status": status, "title": title, "detail": text, "request": id}).encode()
