"""A piece in a frame: a document of its own, as one attribute's text, in a sandbox.

Its origin is nobody's: it reads no cookie and no page, whatever it runs. Addresses mean what they mean in the page,
links and forms lead the page itself on, and it says how high it is, which the page's own script follows.
"""

from __future__ import annotations

import json

import fragments.parse as parse
from fragments.head import HeadItem
from fragments.piece import Piece
from fragments.plan import Slot

# Never allow-same-origin beside allow-scripts: the frame could take its own sandbox away.
SANDBOX = (
    "allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
_STYLE = "display:block;width:100%;border:0;min-height:12rem"
_LEFT_OUT = frozenset({"speculationrules"})  # what only a page has a use for
_FIRST = '<base target="_parent"><style>body{margin:0}</style>'

# Says how high the document is, whenever that changes, and when it is asked to.
_HEIGHT = (
    "<script>{const d=document.documentElement,say=()=>parent.postMessage({mf:%s,"
    'height:Math.ceil(d.getBoundingClientRect().height)},"*");'
    "new ResizeObserver(say).observe(d);"
    'addEventListener("message",e=>{e.source===parent&&e.data&&e.data.mf&&say()})}</script>'
)
# Takes the place of the page's runtime for a module that wants to mount.
_MOUNT = (
    '<script type="module">import*as m from %s;const e=document.body,c=new AbortController,'
    "u=await(e.childElementCount&&m.hydrate||m.mount)?.(e,{base:%s,name:%s,signal:c.signal,"
    'bus:{emit(){},on(){}},navigate(u){open(u,"_parent")}});'
    'addEventListener("pagehide",()=>{c.abort();u?.()})</script>'
)


def element(piece: Piece, slot: Slot) -> str:
    """The frame, for the inside of the slot's wrapper."""
    values = {"title": slot.name, "style": _STYLE, "sandbox": SANDBOX, "srcdoc": document(piece, slot)}
    return f"{parse.start_tag('iframe', values)}</iframe>"


def document(piece: Piece, slot: Slot) -> str:
    roots = {"lang": piece.lang, "dir": piece.dir, "class": piece.classes, **dict(piece.data)}
    html = parse.start_tag("html", {name: value for name, value in roots.items() if value})
    title = f"<title>{parse.text(piece.title or slot.name)}</title>"
    first = [item for item in piece.head if item.kind == "importmap"]  # before any module
    others = [item for item in piece.head if item.kind != "importmap" and item.kind not in _LEFT_OUT]
    head = "".join(map(_as_markup, first + others))
    scripts = _HEIGHT % _json(slot.mark) + (_mounting(piece, slot) if piece.module else "")
    top = f"{title}{_FIRST}{head}{scripts}"
    return f"<!doctype html>{html}<head>{top}</head><body>{piece.html.decode()}</body></html>"


def _mounting(piece: Piece, slot: Slot) -> str:
    script = parse.start_tag("script", {"type": "module", "src": piece.module})
    return f"{script}</script>" + _MOUNT % (_json(piece.module), _json(piece.base), _json(slot.name))


def _json(value: str) -> str:
    """A string for a script, which nothing in it ends."""
    return json.dumps(value).replace("<", "\\u003c")


def _as_markup(item: HeadItem) -> str:
    html = item.html.decode()
    return f'<script type="importmap">{html}</script>' if item.kind == "importmap" else html
