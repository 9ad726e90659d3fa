"""An answer of an application, shown below two prefixes: what still leads outside, and what differs by more than that.

The rendering is the gateway's own: `rules.mounting` for fields, `fragments.rewrite` for bodies. Pure.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import fragments.rewrite as rewrite
import gateway.rules.fields as fields
import gateway.rules.mounting as mounting
import gateway.rules.policy as policy
import gateway.trial.scripts as scripts
from fragments.scan import Kind, Token, attributes, tokens, unescape
from fragments.urls import CARRIERS, FOREIGN, Place
from gateway.message import Fields
from gateway.trial.spot import Closed, Spot, spot, walled

PUBLIC = "http://portal.test"
SECOND = "/some/other/place"
LONGEST_JSON = 1 << 20  # a longer text is data, not links

SCRIPTS = frozenset({"text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript"})
PAGES = frozenset({"text/html", "application/xhtml+xml"})
_RUN = frozenset({"", "module", *SCRIPTS})
_SAID = frozenset(  # attributes that are text for people or for forms, whatever they look like
    b"value alt title placeholder pattern id class d for name label summary content abbr points transform".split()
)
_OF_THE_DOMAIN = frozenset({b"strict-transport-security", b"clear-site-data", b"origin-agent-cluster"})
_ROOT = re.compile(r"/(?![/\\])[^\s\"'<>{}|\\^`]*\Z")
_TOP = re.compile(r"/(?:[A-Za-z0-9._~%-]+)(?:[/?#]|\Z)")
_TARGET = re.compile(r"[<\"']?(/(?![/\\])[^\s\"'<>]*)")


@dataclass(frozen=True, slots=True)
class Read:
    """One answer of the application, out of its coding."""

    url: str
    origin: str
    target: str
    status: int
    fields: Fields
    body: bytes

    @property
    def kind(self) -> str:
        return fields.media_type(self._content_type)

    @property
    def content_type(self) -> str:
        return (self._content_type or b"").decode("latin-1")

    @property
    def _content_type(self) -> bytes | None:
        return next((value for name, value in self.fields if name == b"content-type"), None)


def free(reads: Sequence[Read]) -> str:
    """A first prefix that none of these texts could mean by chance."""
    names = ("/a", *(f"/a{number}" for number in range(1, 1000)))
    return next(name for name in names if not any(f"{name}/".encode() in read.body for read in reads))


def spots(read: Read, first: str, links_to: tuple[str, ...] = ()) -> Iterator[Spot]:
    """Everything that leaks from one answer."""
    place, other = (_place(read, prefix, links_to) for prefix in (first, SECOND))
    yield from _fields(read, place)
    found = _of_body(read, place, other, first)
    yield from map(walled, found) if is_walled(read, place) else found


def _of_body(read: Read, place: Place, other: Place, first: str) -> Iterator[Spot]:
    here, there = (_body(read, each) for each in (place, other))
    yield from _differing(read, here, there, first)
    if _kept_whole(read) and here != read.body:
        yield spot("R22", read.url, "Cache-Control: no-transform")
        return
    if read.kind in PAGES:
        yield from _page(here, read.url, place, read.origin)
    elif read.kind in SCRIPTS:
        yield from scripts.spots(_text(here), read.url, read.origin)
    elif read.kind == "application/json":
        yield from _json(_text(here), read.url, place, "D5", read.origin)
    elif read.kind.endswith("xml") or read.kind == "text/plain":
        yield from _document(_text(here), read.url, read.origin)


def _place(read: Read, prefix: str, links_to: tuple[str, ...]) -> Place:
    return Place(prefix, frozenset({read.origin}), links_to, public=PUBLIC, tag="0a1b2c3d")


def _body(read: Read, place: Place) -> bytes:
    editor = rewrite.rewriter(read.content_type, place, target=read.target.encode())
    return read.body if editor is None else editor.feed(read.body) + editor.close()


def _kept_whole(read: Read) -> bool:
    return any(name == b"cache-control" and b"no-transform" in value.lower() for name, value in read.fields)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


# Fields.


def _fields(read: Read, place: Place) -> Iterator[Spot]:
    mounted = mounting.answer(read.fields, place)
    for name, value in mounted:
        text = value.decode("latin-1")
        said = f"{name.decode('latin-1')}: {text}"
        if read.origin in text.lower():
            yield spot("R2", read.url, said)
        elif name not in mounting.RULES and (found := _TARGET.match(text)) and _leads_out(found[1], place):
            yield spot("R18", read.url, said)
    for name, value in read.fields:
        if name == b"set-cookie" and mounting.set_cookie(value, place) is None:
            yield spot("R11", read.url, f"Set-Cookie: {value.partition(b'=')[0].decode('latin-1')}")
        if name in _OF_THE_DOMAIN:
            yield spot("R20", read.url, f"{name.decode()}: {value.decode('latin-1')}")
    if is_walled(read, place):
        yield spot("J24", read.url, "Content-Security-Policy")


def is_walled(read: Read, place: Place) -> bool:
    """A page whose policy lets no script of ours in."""
    if read.kind not in PAGES:
        return False
    return policy.admit(mounting.answer(read.fields, place), f"{PUBLIC}/-/browser/mount.js".encode(), b"n") is None


def _leads_out(url: str, place: Place) -> bool:
    """Whether a path is one of the whole site: not below the prefix, and not of a mount it links to."""
    return bool(_TOP.match(url)) and not any(
        url == prefix or url.startswith((f"{prefix}/", f"{prefix}?", f"{prefix}#"))
        for prefix in (place.prefix, *place.links_to, "/-")
    )


# Bodies.


def _differing(read: Read, here: bytes, there: bytes, first: str) -> Iterator[Spot]:
    """The two renderings are to be equal but for the prefix."""
    same = there.replace(SECOND.encode(), first.encode())
    if same != here:
        at = next((at for at, (one, two) in enumerate(zip(here, same, strict=False)) if one != two), len(here))
        line = here.count(b"\n", 0, at)
        start = here.rfind(b"\n", 0, at) + 1
        yield spot("X", read.url, _text(here[max(start, at - 20) : at + 60]), line + 1, at - start + 1)


@dataclass(slots=True)
class _Lines:
    """Where an offset of a page is, asked for in ascending order."""

    source: bytes
    at: int = 0
    line: int = 1

    def find(self, at: int) -> tuple[int, int]:
        self.line += self.source.count(b"\n", self.at, at)
        self.at = at
        return self.line, at - self.source.rfind(b"\n", 0, at)


def _page(page: bytes, url: str, place: Place, own: str) -> Iterator[Spot]:
    """What a rewritten page still carries: in attributes, handlers, JSON blocks and scripts."""
    lines = _Lines(page)
    running, start = "", 0
    for token in tokens(page):
        if running and token.kind is Kind.END and token.name == b"script":
            yield from _script(_text(page[start : token.start]), running, url, place, own, *lines.find(start))
        running = ""
        if token.kind is Kind.START:
            yield from _tag(page, token, url, place, own, lines)
            if token.name == b"script" and not token.foreign:
                running, start = _script_kind(page, token), token.end


def _script_kind(page: bytes, token: Token) -> str:
    """How a script's text is read: "js", "json", or not at all."""
    said = {each.name: unescape(each.value or b"") for each in attributes(page, token)}
    kind = said.get(b"type", "").strip().lower()
    if kind in _RUN:
        return "" if b"src" in said else "js"
    return "json" if kind.endswith("json") else ""


def _script(text: str, running: str, url: str, place: Place, own: str, line: int, column: int) -> Iterator[Spot]:
    if running == "js":
        yield from scripts.spots(text, url, own, line=line, column=column)
    else:
        yield from (
            spot("H13" if each.channel == "D5" else each.channel, url, each.text, line, column, each.closed)
            for each in _json(text, url, place, "D5", own)
        )


def _tag(page: bytes, token: Token, url: str, place: Place, own: str, lines: _Lines) -> Iterator[Spot]:
    carriers = FOREIGN if token.foreign else CARRIERS.get(token.name, {})
    for each in attributes(page, token):
        value = unescape(each.value or b"").strip()
        if not value:
            continue
        name = each.name.decode("latin-1")
        said = f'<{token.name.decode("latin-1")} {name}="{value[:80]}">'
        if name.startswith("on") or value[:11].lower() == "javascript:":
            line, column = lines.find(each.start)
            yield from scripts.spots(value.removeprefix("javascript:"), url, own, line=line, column=column, inline=name)
        elif value.lower().startswith(own):
            yield spot("H1" if each.name in carriers else "H18", url, said, *lines.find(each.start), _closed(each.name))
        elif _ROOT.match(value) and _leads_out(value, place):
            channel = "H1" if each.name in carriers else "H7" if token.name == b"meta" else "H18"
            if each.name not in _SAID or channel == "H7":
                yield spot(channel, url, said, *lines.find(each.start))


def _closed(name: bytes) -> Closed:
    """Nothing leads from the origin's own address to the mount, unless nobody follows it."""
    return "notice" if name in _SAID else "nothing"


def _document(text: str, url: str, own: str) -> Iterator[Spot]:
    """A feed, a sitemap, robots.txt: nobody who reads them reaches the origin's own address."""
    for number, line in enumerate(text.splitlines(), 1):
        at = line.lower().find(own)
        if at >= 0:
            yield spot("D2", url, line[at:], number, at + 1)


# JSON.


def _json(text: str, url: str, place: Place, channel: str, own: str) -> Iterator[Spot]:
    if len(text) > LONGEST_JSON:
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    for pointer, string in _strings(value):
        if string.lower().startswith(own):
            yield spot(channel, url, f"{pointer}: {string}", closed="nothing")
        elif _ROOT.match(string) and _leads_out(string, place):
            yield spot(channel, url, f"{pointer}: {string}")


def _strings(value: object) -> Iterator[tuple[str, str]]:
    """Every string with its pointer, `*` for the numbers of a list (RFC 6901)."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        pointer, each = waiting.pop()
        if isinstance(each, str):
            yield pointer, each
        elif isinstance(each, dict):
            waiting += [(f"{pointer}/{_escaped(str(name))}", item) for name, item in each.items()]
        elif isinstance(each, list):
            waiting += [(f"{pointer}/*", item) for item in each]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
