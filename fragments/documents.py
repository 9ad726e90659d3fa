"""JSON that names URLs: web manifests, import maps, speculation rules, linked data, and what a mount points to.

A `Shape` says which strings of a value are URLs; they are edited in place as the text streams by. Every other byte
stays: numbers, white space, the spelling of strings. A text that is no JSON is left as far as it is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import fragments.patterns as patterns
from fragments.edit import Edits
from fragments.stream import HELD, Text
from fragments.urls import Change, Place, absolute, below

DEPTH = 64  # levels within levels that are looked into


class Shape:
    """What is to become of a value: of a string, of the names in an object, and of the values one level down."""

    def __init__(
        self,
        string: Change | None = None,
        names: Change | None = None,
        members: Mapping[str, Shape] | None = None,
        others: Shape | None = None,
        elements: Shape | None = None,
    ) -> None:
        self.string, self.names = string, names
        self.members = {} if members is None else members
        self.others, self.elements = others, elements

    def member(self, name: str) -> Shape | None:
        return self.members.get(name, self.others)

    def element(self, number: int) -> Shape | None:
        return self.elements


class _Pointed(Shape):
    """What the rests of some JSON pointers (RFC 6901) lead to; `*` stands for any name or number."""

    def __init__(self, rests: Iterable[tuple[str, ...]]) -> None:
        self._rests = frozenset(rests)
        self._known: dict[str, Shape | None] = {}
        super().__init__(string=absolute if () in self._rests else None)

    def member(self, name: str) -> Shape | None:
        if name not in self._known:
            rests = [rest[1:] for rest in self._rests if rest and rest[0] in (name, "*")]
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            self._known[name] = _Pointed(rests) if rests else None
        return self._known[name]

    def element(self, number: int) -> Shape | None:
        return self.member(str(number))


_KNOWN_LIMIT = 256


def pointed(pointers: Iterable[str]) -> Shape:
    return _Pointed(
        tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:]) for pointer in pointers
    )


_URL = Shape(below)
_URLS = Shape(elements=_URL)


def _only(**members: Shape) -> Shape:
    return Shape(members=members)


def _each(shape: Shape) -> Shape:
    return Shape(elements=shape)


@cache
def web_manifest() -> Shape:
    """Web Application Manifest, with what browsers read besides; `related_applications` live elsewhere."""
    images = _each(_only(src=_URL))
    return _only(
        start_url=_URL,
        scope=_URL,
        id=_URL,
        icons=images,
        screenshots=images,
        shortcuts=_each(_only(url=_URL, icons=images)),
        share_target=_only(action=_URL),
        file_handlers=_each(_only(action=_URL, icons=images)),
        protocol_handlers=_each(_only(url=_URL)),
        note_taking=_only(new_note_url=_URL),
        lock_screen=_only(start_url=_URL),
        tab_strip=_only(new_tab_button=_only(url=_URL), home_tab=_only(icons=images)),
        serviceworker=_only(src=_URL, scope=_URL),
        widgets=_each(_only(ms_ac_template=_URL, data=_URL, icons=images, screenshots=images)),
    )


@cache
def import_map() -> Shape:
    """Addresses change, names do not: scripts, which are never edited, import by them."""
    addresses = Shape(others=_URL)
    return _only(imports=addresses, scopes=Shape(names=below, others=addresses), integrity=Shape(names=below))


@cache
def speculation_rules() -> Shape:
    pattern = {"pathname": _URL, "baseURL": _URL}
    where: dict[str, Shape] = {"href_matches": Shape(below, members=pattern, elements=Shape(below, members=pattern))}
    condition = Shape(members=where)
    where |= {"and": _each(condition), "or": _each(condition), "not": condition}
    rules = _each(_only(urls=_URLS, where=condition))
    return _only(prefetch=rules, prerender=rules, prefetch_with_subresources=rules)


# Members of linked data (schema.org) whose text is a URL. Absolute URLs stay absolute: other sites read them.
_LINKED = (
    "@id acquireLicensePage archivedAt codeRepository contentUrl correctionsPolicy discussionUrl diversityPolicy "
    "downloadUrl embedUrl ethicsPolicy feedUrl hasMap hasMenu image installUrl item layoutImage license logo "
    "mainEntityOfPage map menu ownershipFundingInfo paymentUrl photo publishingPrinciples relatedLink replyToUrl "
    "sameAs schedulingUrl screenshot significantLink target thumbnail thumbnailUrl tourBookingPage trackingUrl "
    "unnamedSourcesPolicy url urlTemplate usageInfo verificationFactCheckingPolicy"
)


@cache
def linked() -> Shape:
    """JSON-LD, at any depth; its `@context` names vocabularies, not pages."""
    members: dict[str, Shape] = {}
    node = Shape(members=members)
    node.others = node.elements = node
    url = Shape(absolute, members=members, others=node)
    url.elements = url
    members |= dict.fromkeys(_LINKED.split(), url)
    members["@context"] = Shape()
    return node


_STRING = patterns.compile(rb"\"(?:[^\"\\]++|\\[\s\S])*+\"")
_IN_STRING = patterns.compile(rb"(?:[^\"\\]++|\\[\s\S])*+")
_FLAT = patterns.compile(rb"(?:[^\"{}\[\]]++|\"(?:[^\"\\]++|\\[\s\S])*+\")*+")  # what has no levels
_MEMBER = patterns.compile(
    rb"[\t\n\r ,]*+(\"(?:[^\"\\]++|\\[\s\S])*+\")[\t\n\r ]*+:[\t\n\r ]*+"
    rb"(?:(\"(?:[^\"\\]++|\\[\s\S])*+\")|([^\"{}\[\],\t\n\r ]++)(?=[\t\n\r ]*+[,}]))?+([\t\n\r ]*+,)?+"
)
_BETWEEN = patterns.compile(rb"[^\"{}\[\],:]*+")
_OPENS, _CLOSES = b"{[", b"}]"


class _Level:
    """An object or array that is looked into."""

    __slots__ = ("is_object", "name", "named", "number", "shape")

    def __init__(self, shape: Shape, is_object: bool) -> None:
        self.shape, self.is_object = shape, is_object
        self.name = ""  # of the member whose value is next
        self.number = 0
        self.named = False  # behind the colon

    def inside(self) -> Shape | None:
        if self.is_object:
            return self.shape.member(self.name) if self.named else None
        return self.shape.element(self.number)


class Json(Text):
    """A JSON text of a known shape. In HTML no string may end the script it stands in, so "<" is never written."""

    def __init__(self, shape: Shape, place: Place) -> None:
        super().__init__()
        self._shape, self._place = shape, place
        self._prefix = json.dumps(place.prefix)[1:-1].encode("ascii", "surrogateescape")
        self._levels: list[_Level] = []
        self._passed = 0  # levels open that nobody looks into
        self._in_string = False  # of a string too long to hold
        self._held = b""
        self._least = 0

    def __repr__(self) -> str:
        return f"<Json {len(self._levels) + self._passed} levels deep, {len(self._held)} bytes held>"

    def _feed(self, chunk: bytes) -> bytes:
        self._held += chunk
        return self._run() if len(self._held) >= self._least else b""

    def _close(self) -> bytes:
        return self._run() + self._held

    def _run(self) -> bytes:
        source, edits = self._held, Edits()
        settled = self._settle(source, edits)
        self._held = source[settled:]
        self._least = len(self._held) * 3 // 2
        return edits.apply(source, 0, settled)

    def _settle(self, source: bytes, edits: Edits) -> int:
        """Walks over the text and notes edits; says up to where nothing can change any more."""
        at = 0
        while at < len(source):
            if self._in_string:
                at = _end(_IN_STRING, source, at)
                if source[at : at + 1] != b'"':
                    return at
                self._in_string = False
                at += 1
            if member := self._member(source, at):
                at = self._through_member(member, edits)
                continue
            at = _end(_FLAT if self._passed else _BETWEEN, source, at)
            if at == len(source):
                break
            if source[at] == 0x22:
                found = None if self._passed else _STRING.match(source, at)
                if found is None:
                    if len(source) - at <= HELD:
                        return at
                    self._in_string = True
                    at += 1
                    continue
                self._string(source, at, found.end(), edits)
                at = found.end()
            else:
                self._mark(source[at])
                at += 1
        return at

    def _member(self, source: bytes, at: int) -> re.Match[bytes] | None:
        """A name and what follows it, read at once: an object that is looked into consists of these."""
        if self._passed or not self._levels or not self._levels[-1].is_object or self._levels[-1].named:
            return None
        return _MEMBER.match(source, at)

    def _through_member(self, member: re.Match[bytes], edits: Edits) -> int:
        """Past a string or number; to what an object or array begins with."""
        level = self._levels[-1]
        self._string(member.string, *member.span(1), edits)
        level.named = True
        if member[2] is not None:
            self._string(member.string, *member.span(2), edits)
        level.named = member[4] is None
        return member.end()

    def _mark(self, mark: int) -> None:
        if mark in _OPENS:
            self._open(mark == 0x7B)
        elif mark in _CLOSES:
            self._shut()
        elif self._levels and not self._passed:
            level = self._levels[-1]
            level.named = mark == 0x3A
            level.number += mark == 0x2C

    def _open(self, is_object: bool) -> None:
        inside = None if self._passed else self._expected()
        if inside is None or len(self._levels) >= DEPTH:
            self._passed += 1
        else:
            self._levels.append(_Level(inside, is_object))

    def _shut(self) -> None:
        if self._passed:
            self._passed -= 1
        elif self._levels:
            self._levels.pop()

    def _expected(self) -> Shape | None:
        return self._levels[-1].inside() if self._levels else self._shape

    def _string(self, source: bytes, start: int, end: int, edits: Edits) -> None:
        level = self._levels[-1] if self._levels else None
        if level is not None and level.is_object and not level.named:
            level.name = _meant(source[start:end])
            change = level.shape.names
        else:
            shape = self._expected()
            change = shape.string if shape else None
        if change is not None:
            new = self._changed(source[start + 1 : end - 1], change)
            if new is not None:
                edits.replace(start + 1, end - 1, new)

    def _changed(self, raw: bytes, change: Change) -> bytes | None:
        value = _meant(b'"' + raw + b'"')
        new = change(value, self._place)
        if new == value:
            return None
        if raw and new == self._place.prefix + value:
            return self._prefix + raw  # escapes keep their spelling
        return None if _LONE.search(raw) else _written(new)


def _end(pattern: re.Pattern[bytes], source: bytes, at: int) -> int:
    found = pattern.match(source, at)
    assert found is not None
    return found.end()


_LONE = patterns.compile(rb"\\u[dD][89a-fA-F]")  # could be taken for a byte that is no character
_TO_ESCAPE = patterns.compile("[<\x80-\udc7f\udd00-\U0010ffff]")


def _meant(string: bytes) -> str:
    if b"\\" not in string:
        return string[1:-1].decode("ascii", "surrogateescape")
    try:
        return str(json.loads(string.decode("ascii", "surrogateescape"), strict=False))
    except ValueError:
        return ""


def _written(value: str) -> bytes:
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    return _TO_ESCAPE.sub(_in_ascii, text).encode("ascii", "surrogateescape")


def _in_ascii(found: re.Match[str]) -> str:
    return "\\u003c" if found[0] == "<" else json.dumps(found[0])[1:-1]


SCRIPTS: Mapping[str, Callable[[], Shape]] = {
    "importmap": import_map,
    "speculationrules": speculation_rules,
    "application/ld+json": linked,
}
