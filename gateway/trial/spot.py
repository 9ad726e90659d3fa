"""One place where an application says or needs to know where it is mounted: its channel, what closes it, what mends it.

The channels' names are those of docs/mounting.md. Pure.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Closed = Literal["runtime", "rescue", "router", "nothing", "notice"]

NOTHING, LEAKS, OPEN = 0, 1, 2  # what a trial ends with: nothing leaks, all of it is closed later, some of it never


@dataclass(frozen=True, slots=True)
class Channel:
    """A way in which prefixes leak, what closes it behind the rewriting, and what its team may do."""

    what: str
    closed: Closed
    fix: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a channel was met. `line` and `column` count from 1; 0 for a field."""

    channel: str
    url: str
    line: int
    column: int
    text: str
    closed: Closed
    fix: str
    times: int = 1

    @property
    def where(self) -> str:
        url = _printable(self.url)
        return f"{url}:{self.line}:{self.column}" if self.line else url

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"what": CHANNELS[self.channel].what}


_RELATIVE = "Ask for it relative to the page ('api/x' or './x'), or leave the mount's `runtime` on."
_OWN = "Build the URL from location.origin or document.baseURI; no visitor reaches the origin's own address."

CHANNELS: dict[str, Channel] = {
    "R2": Channel("a field names the origin's own address", "nothing", "Send a path, or trust X-Forwarded-Host."),
    "R11": Channel("a cookie no browser would keep", "notice", "Look at its Secure, Path and Domain."),
    "R18": Channel("a field carries a path that is not mapped", "notice", "Send a relative one, if viewers follow it."),
    "R20": Channel(
        "a field that speaks for the whole domain is dropped", "notice", "Ask the operator to say it for all teams."
    ),
    "R22": Channel(
        "Cache-Control: no-transform keeps the body as it is", "nothing", "Drop no-transform from pages and sheets."
    ),
    "H1": Channel("an attribute still leads outside", "nothing", "Use a relative URL here; and tell us."),
    "H7": Channel("a meta element carries a path", "notice", "Other sites read it: write a whole URL, or none."),
    "H10": Channel("text of a script is never edited", "runtime", _RELATIVE),
    "H13": Channel(
        "a JSON block of a page carries a path",
        "runtime",
        "Where a script follows it the runtime maps it; else relative.",
    ),
    "H14": Channel("a handler in an attribute builds a URL", "runtime", _RELATIVE),
    "H18": Channel(
        "an attribute of a script's own carries a path", "runtime", "Write it relative, or leave `runtime` on."
    ),
    "C9": Channel("a style sheet is made by a script", "runtime", "Use relative URLs in it."),
    "D2": Channel("a document names the origin's own address", "nothing", "Write paths, or trust X-Forwarded-Host."),
    "D5": Channel(
        "JSON answers with paths",
        "runtime",
        "List them in the mount's `rewrite.json_pointers`, or answer relative ones.",
    ),
    "J1": Channel("an import from the root", "rescue", "Build with a relative base (Vite: base: './')."),
    "J3": Channel("fetch from the root", "runtime", _RELATIVE),
    "J4": Channel("XMLHttpRequest from the root", "runtime", _RELATIVE),
    "J5": Channel("a WebSocket from the root", "runtime", "new URL('live', document.baseURI) knows where the page is."),
    "J6": Channel("an EventSource or beacon from the root", "runtime", _RELATIVE),
    "J7": Channel("a worker from the root", "runtime", "new Worker(new URL('./worker.js', import.meta.url))."),
    "J8": Channel("a service worker from the root", "runtime", "Register './sw.js' with the scope './'."),
    "J9": Channel("leads to another page by location", "runtime", "Use a relative URL."),
    "J10": Channel(
        "reads location.pathname, which has the prefix",
        "router",
        "Give the router its base, or mount with `router: auto`, `base` or `flip`.",
    ),
    "J11": Channel("writes the address by history", "runtime", "Give the router its base, or use relative URLs."),
    "J13": Channel("opens a window from the root", "runtime", "Use a relative URL."),
    "J14": Channel("writes markup with paths from the root", "runtime", "Use relative URLs in it."),
    "J15": Channel("sets an element's URL from the root", "runtime", _RELATIVE),
    "J16": Channel(
        "a bundler's public path from the root", "runtime", "Build with a relative one (Vite: './'; webpack: 'auto')."
    ),
    "J17": Channel("a script builds a URL from the root", "runtime", "new URL('x', document.baseURI) is relative."),
    "J18": Channel(
        "reads or writes document.cookie", "runtime", "The runtime maps the names; without it scripts see none."
    ),
    "J19": Channel(
        "keeps things in the browser's storage, which all teams share", "notice", "Begin its keys with the team's name."
    ),
    "J21": Channel("a library's own path at the root", "runtime", "Give it a relative `path`."),
    "J24": Channel(
        "its policy lets no script of ours in",
        "notice",
        "Only the rescue helps here: allow scripts of 'self' for more.",
    ),
    "J25": Channel("writes the page of a frame", "runtime", "Use relative URLs in it."),
    "J26": Channel("an address the browser or a system keeps", "nothing", "Give a whole URL below the mount."),
    "own": Channel("a script names the origin's own address", "nothing", _OWN),
    "X": Channel("the two renderings differ by more than the prefix", "nothing", "This is a defect of ours: tell us."),
}


def spot(channel: str, url: str, text: str, line: int = 0, column: int = 0, closed: Closed | None = None) -> Spot:
    known = CHANNELS[channel]
    return Spot(channel, url, line, column, _excerpt(text), closed or known.closed, known.fix)


def walled(found: Spot) -> Spot:
    """What becomes of it where no script of ours is let in: the rescue is left, and a WebSocket names no page to it."""
    if found.closed != "runtime":
        return found
    return replace(found, closed="nothing" if found.channel == "J5" else "rescue")


def gathered(spots: Iterable[Spot]) -> list[Spot]:
    """The same text in the same file is one, with how often it is there; the worst first."""
    found: dict[tuple[str, str, str], Spot] = {}
    for each in spots:
        key = (each.channel, each.url, each.text)
        known = found.get(key)
        found[key] = each if known is None else replace(known, times=known.times + 1)
    return sorted(found.values(), key=lambda each: (_ORDER[each.closed], each.url, each.line, each.column))


def code(spots: Iterable[Spot]) -> int:
    """What the trial ends with: the worst of them decides."""
    closed = {each.closed for each in spots} - {"notice"}
    return OPEN if "nothing" in closed else LEAKS if closed else NOTHING


_ORDER: dict[Closed, int] = {"nothing": 0, "router": 1, "runtime": 2, "rescue": 3, "notice": 4}


def _excerpt(text: str) -> str:
    """One printable line of it."""
    line = _printable(text[:200]).strip()
    return line if len(line) <= 90 else line[:89] + "…"


def _printable(text: str) -> str:
    """What an application wrote moves nobody's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
