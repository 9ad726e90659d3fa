"""What a page in a dialect may say of the request it answers, and how that is written where it stands.

A value never becomes markup, script or another address: it is escaped for its very place, which the tokenizer tells, or
left out where no escape is enough.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

import fragments.patterns as patterns
from fragments.scan import Attribute, Kind, Token, attributes
from fragments.urls import FOREIGN, carriers, clean, scripted

LONGEST = 8 * 1024  # characters of one value, about as much as servers take for a whole request line
ALL = 1024 * 1024  # bytes that values may add to one page


FIXED = "="  # the name of a variable that has its default for a value


class Variable(NamedTuple):
    name: str
    key: str | None = None
    default: str = ""


Template = tuple["str | Variable", ...]
Lookup = Callable[[Variable], str]


@dataclass(frozen=True, slots=True)
class Asked:
    """The request a page answers, as far as the page may speak of it."""

    host: str = ""
    url: str = "/"  # path and query, as viewers know them
    cookies: Mapping[str, str] = field(default_factory=dict)
    languages: str = ""
    agent: str = ""
    referer: str = ""

    @property
    def path(self) -> str:
        return self.url.partition("?")[0]

    @property
    def query(self) -> str:
        return self.url.partition("?")[2]

    def argument(self, name: str) -> str | None:
        return next((value for key, value in parse_qsl(self.query, keep_blank_values=True) if key == name), None)


def read(text: str, pattern: re.Pattern[str], variable: Callable[[re.Match[str]], Variable]) -> Template:
    """A text with variables in it, taken apart."""
    parts: list[str | Variable] = []
    at = 0
    for found in pattern.finditer(text):
        parts += [text[at : found.start()], variable(found)]
        at = found.end()
    return tuple(part for part in (*parts, text[at:]) if part != "")


def said(template: Template, lookup: Lookup) -> str:
    """The text with its values, as they are: to be compared, never to be shown."""
    return "".join(part if isinstance(part, str) else lookup(part) for part in template)[:LONGEST]


def address(template: Template, lookup: Lookup) -> str:
    """A URL with its values: none of them can lead to another host or path than was written, or add a parameter."""
    written = ""
    for part in template:
        if isinstance(part, str):
            written += part
        else:
            whole = part.key is None and part.name in QUERIES and "?" in written
            written += quote(lookup(part), safe="=&%+;" if whole else "")
    return written[:LONGEST]


QUERIES = frozenset({"QUERY_STRING", "$QUERY_STRING", "$query_string", "$args"})  # whose pairs stay pairs


# ---- Where a value stands -------------------------------------------------------------------------------------------

Escape = Callable[[str], str]

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#96;"}
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")


def markup(value: str) -> str:
    return re.sub("[&<>\"'`]", lambda found: _MARKUP[found[0]], value)


def bare(value: str) -> str:
    """An attribute value without quotes: no character is one that could end it."""
    return _NOT_PLAIN.sub(lambda found: f"&#{ord(found[0])};", value)


def script(value: str) -> str:
    r"""Part of a string in JavaScript or JSON: all but letters and digits as \u…."""
    return _NOT_PLAIN.sub(_units, value)


def _units(found: re.Match[str]) -> str:
    pairs = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4))


def sheet(value: str) -> str:
    """Part of a string in CSS (css-syntax, 4.3.7)."""
    return _NOT_PLAIN.sub(lambda found: f"\\{ord(found[0]):06x}", value)


def words(value: str) -> str:
    """What can be said in a comment and its like: letters, digits, blanks."""
    return re.sub(r"[^\w ./,]", " ", value)


def nothing(_: str) -> str:
    return ""


_RUNS = re.compile(r"on|.*:on", re.IGNORECASE)  # handlers of events
_LOADING = frozenset(b"applet base embed fencedframe frame iframe link object portal script use image feimage".split())
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_SAFE = frozenset({"http", "https", "mailto", "tel"})
_ALSO_URLS = frozenset(b"href src xlink:href action formaction data srcset to from by values poster content".split())


def link(value: str) -> str:
    """The beginning of a URL that a viewer follows: no scheme that runs script."""
    found = _SCHEME.match(clean(value))
    return value if found is None or found[1].lower() in _SAFE else ""


def own(value: str) -> str:
    """The beginning of a URL that the page loads and trusts: a path of this site."""
    cleaned = clean(value)
    return "" if _SCHEME.match(cleaned) or cleaned[:2].replace("\\", "/") == "//" else value


# ---- Writing them ---------------------------------------------------------------------------------------------------


class Marks:
    """Where values and includes stand in a text until their place is known: names the text itself cannot hold."""

    def __init__(self, nonce: str) -> None:
        self._value = f"mfvalue{nonce}n"
        self._include = f"<!--mf-include-{nonce}-"
        self.pattern = patterns.compile(rb"%b([0-9]+)e|%b([0-9]+)-->" % (self._value.encode(), self._include.encode()))

    def value(self, number: int) -> bytes:
        return f"{self._value}{number}e".encode()

    def include(self, number: int) -> bytes:
        return f"{self._include}{number}-->".encode()


class Written(NamedTuple):
    text: bytes
    lost: tuple[int, ...]  # includes that stood where no markup can


def write(text: bytes, found: Sequence[Token], values: Sequence[str], marks: Marks) -> Written:
    """Each mark of a value replaced by what may be said there, each mark of an include where none can be by nothing."""
    starts = [token.start for token in found]
    parts: list[bytes] = []
    lost: list[int] = []
    left = ALL
    at = 0
    for mark in marks.pattern.finditer(text):
        number = bisect_right(starts, mark.start()) - 1
        before = found[number] if number >= 0 else None
        inside = before is not None and mark.start() < before.end
        if mark[2] is not None:
            if inside and before is not None and before.kind is Kind.COMMENT and before.start == mark.start():
                continue
            lost.append(int(mark[2]))
            said = b""
        else:
            escape = _within(text, before, mark.start()) if inside and before is not None else _between(before)
            said = escape(values[int(mark[1])]).encode("utf-8", "replace")
            said = said if len(said) <= left else b""
            left -= len(said)
        parts += [text[at : mark.start()], said]
        at = mark.end()
    return Written(b"".join([*parts, text[at:]]), tuple(lost))


def _between(before: Token | None) -> Escape:
    """Text: what it is depends on the tag before it."""
    if before is not None and before.kind is Kind.START:
        if before.name == b"script":
            return script
        if before.name == b"style":
            return sheet
    return markup


def _within(text: bytes, token: Token, at: int) -> Escape:
    if token.kind is not Kind.START:
        return words if token.kind is Kind.COMMENT else nothing
    attribute = next((each for each in attributes(text, token) if each.value_start <= at < each.value_end), None)
    return nothing if attribute is None else _in_attribute(token, attribute, at == attribute.value_start)


def _in_attribute(token: Token, attribute: Attribute, first: bool) -> Escape:
    quoted = markup if attribute.quote else bare
    name = attribute.name
    if _RUNS.match(name.decode("latin-1")):
        return lambda value: quoted(script(value))
    if name == b"style":
        return lambda value: quoted(sheet(value))
    if name == b"srcdoc":
        return lambda value: quoted(markup(value))
    if name not in _ALSO_URLS and name not in carriers(token.name) and name not in FOREIGN and scripted(name) is None:
        return quoted
    if not first:
        return lambda value: quoted(quote(value, safe=""))
    rule = own if token.name in _LOADING or scripted(name) is not None else link
    return lambda value: quoted(rule(value))
