"""What a script asks for from the root: found by its tokens, in the calls and properties that are known to ask.

A lexer of JavaScript as far as strings, templates, comments and regular expressions go (ECMA-262, chapter 12), never an
interpreter: what is computed is not seen. Pure; every character is looked at a bounded number of times.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import fragments.patterns as patterns
from gateway.trial.spot import Spot, spot

BACK = 16  # tokens remembered: enough for `window.top.history.replaceState(`


class Met(NamedTuple):
    """A channel met at an offset of the script."""

    channel: str
    at: int
    text: str


def spots(script: str, url: str, own: str, *, line: int = 1, column: int = 1, inline: str = "") -> Iterator[Spot]:
    """Everything a script leaks. `own` is the origin's address; `inline` the channel of script within a page."""
    lines = [match.start() for match in re.finditer("\n", script)]
    once: set[str] = set()
    for met in read(script, own):
        if met.channel in _ONCE:
            if met.channel in once:
                continue
            once.add(met.channel)
        row = bisect_right(lines, met.at - 1)
        start = lines[row - 1] + 1 if row else 0
        at = met.at - start + (1 if row else column)
        yield spot(met.channel, url, f"{inline}: {met.text}" if inline else met.text, line + row, at)


def imports(script: str) -> list[str]:
    """What a module imports and workers it starts, as written, relative ones too."""
    return [met.text for met in _Reader(script, "", every=True).read() if met.channel in ("J1", "J7")]


def read(script: str, own: str) -> Iterator[Met]:
    return _Reader(script, own).read()


_ONCE = frozenset({"J10", "J18", "J19"})  # said once for a script, not for each of hundreds

_TOKEN = patterns.compile(
    r"(?P<space>[ \t\r\n\u00a0\ufeff\u2028\u2029]++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))"
    r"|(?P<string>\"(?:[^\"\\\n]++|\\.)*+(?P<end>\")?|'(?:[^'\\\n]++|\\.)*+(?P<quit>')?)"
    r"|(?P<word>[A-Za-z_$\u0080-\U0010ffff][\w$]*+|\#[A-Za-z_$][\w$]*+)"
    r"|(?P<number>\.?[0-9][\w.]*+)"
    r"|(?P<sign>=>|={2,3}|!={1,2}|[<>]=|&&=?|\|\|=?|\?\?=?|\?\.(?![0-9])|[-+*%&|^]=|\+\+|--|\.\.\.|.)",
    re.DOTALL,
)
_REGEX = patterns.compile(r"/(?![*/])(?:[^/\\\[\n]++|\\[^\n]|\[(?:[^\]\\\n]++|\\[^\n])*+\])++/[A-Za-z]*+")
_TEMPLATE = patterns.compile(r"(?:[^`\\$]++|\\(?s:.)|\$(?!\{))*+")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|(\r?\n)|(.))", re.DOTALL)
# after these a slash begins a regular expression; after a value it divides
_KEYWORDS = "return typeof case in of delete void throw new else do instanceof yield await"
_SIGNS = "=> ( [ { } , ; : ? = == === != !== < > <= >= && || ?? &&= ||= ??= + - * % & | ^ ! ~ += -= *= %= &= |= ^= ..."
_BEFORE_A_REGEX = frozenset(f"{_KEYWORDS} {_SIGNS}".split())
_ROOT = re.compile(r"/(?![/\\*])[^\s\"'<>{}|\\^`]*$")
_MARKUP = re.compile(r"<[A-Za-z][^<>]*?\s(?:href|src|action|srcset|poster|data|formaction)\s*=\s*[\"']?/(?![/\\])")
_SHEET = re.compile(r"\burl\(\s*[\"']?/(?![/*])|@import\s+[\"']/(?!/)")
_REFRESH = re.compile(r"\s*[0-9]+\s*;\s*url=/(?!/)", re.IGNORECASE)

_CALLS = {
    **dict.fromkeys(("fetch", "Request"), "J3"),
    **dict.fromkeys(("WebSocket", "WebTransport"), "J5"),
    **dict.fromkeys(("EventSource", "sendBeacon", "fetchLater"), "J6"),
    **dict.fromkeys(("Worker", "SharedWorker", "importScripts", "addModule"), "J7"),
    **dict.fromkeys(("pushState", "replaceState"), "J11"),
    **dict.fromkeys(("Image", "Audio"), "J15"),
    "import": "J1",
    "URL": "J17",
    "io": "J21",
    "registerProtocolHandler": "J26",
}
_OF = {  # calls of which the object before them decides
    "register": ("serviceWorker", "J8"),
    "assign": ("location", "J9"),
    "replace": ("location", "J9"),
    "navigate": ("navigation", "J9"),
}
_CLIENTS = frozenset({"axios", "$", "jQuery", "ky", "superagent"})
_ASKING = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "ajax", "getJSON", "getScript", "load", "request"}
)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_PROPERTIES = frozenset({"src", "href", "action", "formAction", "poster", "srcset", "srcSet", "xlinkHref"})
_WRITERS = "innerHTML outerHTML insertAdjacentHTML write writeln html setHTML setHTMLUnsafe parseFromString"
_WRITES = frozenset({*_WRITERS.split(), "createContextualFragment"})
_GLOBALS = frozenset({"window", "self", "globalThis"})
_STORES = frozenset({"localStorage", "sessionStorage", "indexedDB", "caches"})


@dataclass(slots=True)
class _Open:
    """A bracket that is open, and for a call what is called, with the strings it was given so far."""

    sign: str
    callee: tuple[str, ...] = ()
    given: list[str] = field(default_factory=list)


class _Reader:
    """One script. `every` takes relative URLs as well, to find what a module imports."""

    def __init__(self, script: str, own: str, *, every: bool = False) -> None:
        self._script, self._own, self._every = script, own, every
        self._before: deque[str] = deque(maxlen=BACK)
        self._open: list[_Open] = []
        self._no_regex = 0  # none begins before this offset: one was looked for, up to the end of its line

    def read(self) -> Iterator[Met]:
        script, at, end = self._script, 0, len(self._script)
        while at < end:
            if script[at] == "/" and (stop := self._regex(at)):
                self._before.append("0")
                at = stop
                continue
            if script[at] == "`" or (script[at] == "}" and self._open and self._open[-1].sign == "`"):
                text, stop = self._template(at)
                if script[at] == "`":
                    yield from self._string(text, at, stop)
                else:
                    self._open.pop()
                if script.startswith("${", stop - 2):
                    self._open.append(_Open("`"))
                self._before.append("0" if script[stop - 1] == "`" else "(")
                at = stop
                continue
            token = _TOKEN.match(script, at)
            assert token is not None  # the last of its kinds is any character
            yield from self._token(token)
            at = token.end()

    def _regex(self, at: int) -> int:
        """Where a regular expression ends that begins here; 0 for a slash that divides, or begins a comment."""
        if at < self._no_regex or (self._before and self._before[-1] not in _BEFORE_A_REGEX):
            return 0
        if self._script[at + 1 : at + 2] in ("/", "*"):
            return 0
        found = _REGEX.match(self._script, at)
        if found is None:
            self._no_regex = self._script.find("\n", at) % (len(self._script) + 1)
        return found.end() if found else 0

    def _template(self, at: int) -> tuple[str, int]:
        """The text of a template up to its end or its next `${`, and where that is."""
        found = _TEMPLATE.match(self._script, at + 1)
        assert found is not None
        step = 2 if self._script.startswith("${", found.end()) else 1
        return found[0], min(found.end() + step, len(self._script))

    def _token(self, token: re.Match[str]) -> Iterator[Met]:
        text = token[0]
        if token["space"]:
            return
        if token["string"]:
            if token["end"] or token["quit"]:
                yield from self._string(text[1:-1], token.start(), token.end())
            self._before.append("0")
            return
        if token["word"]:
            yield from self._word(text, token.start(), token.end())
        elif text in ("(", "[", "{"):
            if text == "{" and (found := _TAKEN.match(self._script, token.start())):
                yield Met("J10", token.start(), found[0])
            self._open.append(_Open(text, self._chain() if text == "(" else ()))
        elif text in (")", "]", "}") and self._open and self._open[-1].sign != "`":
            self._open.pop()
        self._before.append("0" if token["number"] else text)

    def _chain(self, skip: int = 0) -> tuple[str, ...]:
        """The dotted name just read: `window.history.pushState`, as words."""
        words: list[str] = []
        tokens = list(self._before)[: len(self._before) - skip]
        while tokens and _is_word(tokens[-1]):
            words.append(tokens.pop())
            if not tokens or tokens.pop() not in (".", "?."):
                break
        return tuple(reversed(words))

    def _word(self, word: str, start: int, end: int) -> Iterator[Met]:
        chain = (*(self._chain(1) if self._before and self._before[-1] in (".", "?.") else ()), word)
        if chain[-2:] == ("location", "pathname") and not _ASSIGNED.match(self._script, end):
            yield Met("J10", start, ".".join(chain))
        elif chain[-2:] == ("document", "cookie") or (word == "cookieStore" and _USED.match(self._script, end)):
            yield Met("J18", start, ".".join(chain))
        elif word in _STORES and (len(chain) == 1 or chain[-2] in _GLOBALS) and _USED.match(self._script, end):
            yield Met("J19", start, word)

    def _string(self, raw: str, start: int, end: int) -> Iterator[Met]:
        value = _ESCAPE.sub(_escaped, raw) if "\\" in raw else raw
        call = self._open[-1] if self._open and self._open[-1].sign == "(" else None
        if self._own and value.lower().startswith(self._own):
            yield Met("own", start, self._shown(start, end))
        elif self._begins_a_url():
            channel = self._channel(value, call, end)
            if channel and self._every:
                yield Met(channel, start, value)
            elif channel:
                yield Met(channel, start, self._shown(start, end))
        if call is not None:
            call.given.append(value)

    def _begins_a_url(self) -> bool:
        """Not what follows something else, unless that is the page's own origin."""
        return not (self._before and self._before[-1] == "+") or self._chain(1)[-1:] in (("origin",), ("host",))

    def _channel(self, value: str, call: _Open | None, end: int) -> str:
        if "<" in value and _MARKUP.search(value):
            return self._written(call)
        if _SHEET.search(value):
            return "C9"
        if _REFRESH.match(value):
            return "J9" if self._before and self._before[-1] == "=" else ""
        if not (self._every or _ROOT.match(value)):
            return ""
        if call is not None and (channel := _called(call, value)):
            return channel
        return self._assigned(value, end)

    def _written(self, call: _Open | None) -> str:
        """The channel of markup, where it is given to what makes a page of it."""
        if call is not None and call.callee:
            return "J14" if call.callee[-1] in _WRITES or call.callee[-1] in _CLIENTS else ""
        written = self._before[-2] if len(self._before) > 1 and self._before[-1] in ("=", "+=") else ""
        return "J25" if written == "srcdoc" else "J14" if written in _WRITES else ""

    def _assigned(self, value: str, end: int) -> str:
        before = self._before[-1] if self._before else ""
        if before in ("from", "import"):
            return "J1"
        if before in ("return", "=>") and value == "/" and _ADDED.match(self._script, end):
            return "J16"
        if before not in ("=", ":"):
            return ""
        chain = self._chain(1)
        if before == "=" and "location" in chain and chain[-1] not in ("hash", "search"):
            return "J9"
        if chain and chain[-1] in _PROPERTIES and (before == ":" or len(chain) > 1):
            return "J15"
        is_base = len(chain) > 1 and chain[-1] == "p" and value.endswith("/")
        return "J16" if is_base or _ASSET.search(value) else ""

    def _shown(self, start: int, end: int) -> str:
        """The string with what asks for it."""
        before = self._script.rfind("\n", max(0, start - 40), start) + 1 or max(0, start - 40)
        return self._script[before : min(end + 1, start + 120)].strip()


_TAKEN = re.compile(  # bounded: what takes a location apart is short
    r"\{[^{}]{0,200}?\bpathname\b[^{}]{0,200}?\}\s{0,8}=\s{0,8}(?:(?:window|self|globalThis|document)\.)?location\b(?!\s*\()"
)
_ASSIGNED = re.compile(r"\s*=(?![=>])")
_USED = re.compile(r"\s*(?:\.|\[|\?\.)")
_ASSET = re.compile(r"\.(?:svg|png|jpe?g|gif|webp|avif|ico|css|m?js|woff2?|json|wasm|mp4|webm)(?:[?#]|$)")
_ADDED = re.compile(r"\s*\+(?!\+)")


def _called(call: _Open, value: str) -> str:
    """The channel of a call that is given a path."""
    if not call.callee:
        return ""
    *of, name = call.callee
    if name == "open":
        if call.given and call.given[0].upper() in _METHODS:
            return "J4"
        return "J13" if not call.given and of in ([], ["window"], ["self"], ["parent"], ["top"]) else ""
    if name in _OF:
        owner, channel = _OF[name]
        return channel if of[-1:] == [owner] else ""
    if name == "setAttribute":
        return "J15" if call.given and call.given[0].lower() in _PROPERTIES | {"xlink:href"} else ""
    if name in _ASKING and of and of[0] in _CLIENTS:
        return "J4"
    if name == "io" and (of or call.given):
        return ""
    return _CALLS.get(name, "")


def _is_word(token: str) -> bool:
    return token[0].isalpha() or token[0] in "_$#" or token[0] > "\x7f"


def _escaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return "" if found[4] else found[5]
