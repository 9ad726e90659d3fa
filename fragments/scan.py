"""Where the markup is: tokens with byte offsets, found by the tokenizer states of the HTML standard.

Nothing is decoded, nothing is built, nothing is changed. Text, script text and the like are what lies between tokens.
The source may come in pieces; every byte is looked at a bounded number of times, whatever it says.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterator
from html.entities import html5
from typing import NamedTuple

import fragments.patterns as patterns

HELD = 64 * 1024  # a streamed tag or comment longer than this is let through without being a token
ACQUAINTED = 16 * 1024  # so far into a document it is known which elements are open around an svg or math
DEPTH = 256  # open elements remembered inside foreign content; browsers flatten at 512


class Kind(enum.IntEnum):
    START = 1
    END = 2
    COMMENT = 3  # also what the standard calls a bogus comment
    DOCTYPE = 4
    INSTRUCTION = 5
    CDATA = 6
    MATCHED = 7  # a tag that the caller's own pattern has read


class Token(NamedTuple):
    kind: Kind
    start: int
    end: int
    name: bytes  # lower-case; empty for what is not a tag
    closed: bool = False  # written with "/>"; means something in foreign content only
    foreign: bool = False  # an SVG or MathML element


class Attribute(NamedTuple):
    name: bytes  # lower-case
    start: int
    end: int
    value: bytes | None  # as written; None without "="
    value_start: int
    value_end: int
    quote: bytes  # b'"', b"'" or b""


_WS = rb"[\t\n\f\r ]"
_NAME = rb"[A-Za-z][^\t\n\f\r />]*+"
_ATTRIBUTE_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_UNQUOTED = rb"[^\t\n\f\r >\"'][^\t\n\f\r >]*+"

# One attribute, after the white space and slashes before it. Without a value only if no "=" follows, so that a value
# which is cut off by the end of the input fails the whole tag (13.2.5.33 and following).
_ATTRIBUTE = (
    rb"[\t\n\f\r /]*+%(name)s(?:%(ws)s*+=%(ws)s*+(?:\"[^\"]*+\"|'[^']*+'|%(unquoted)s|(?=>))|(?!%(ws)s*+=))"
    % {b"name": _ATTRIBUTE_NAME, b"ws": _WS, b"unquoted": _UNQUOTED}
)
_TAG = rb"(/?)(%s)(?:%s)*+([\t\n\f\r /]*+)>" % (_NAME, _ATTRIBUTE)

_MARK = patterns.compile(rb"<(?:%s|(?=[A-Za-z/!?]))" % _TAG)
_TAG_NAME = patterns.compile(rb"</?(%s)" % _NAME)
_EACH_ATTRIBUTE = patterns.compile(
    rb"[\t\n\f\r /]*+(%(name)s)(%(ws)s*+=%(ws)s*+(?:\"([^\"]*+)\"|'([^']*+)'|(%(unquoted)s)|(?=>)))?+"
    % {b"name": _ATTRIBUTE_NAME, b"ws": _WS, b"unquoted": _UNQUOTED}
)

_TAG_CUT_OFF = patterns.compile(rb"<[^\t\n\f\r />]{0,32}\Z")
_ANY_TAG = patterns.compile(rb"<(/?[a-z][^\t\n\f\r />]*+)")
_GREATER = patterns.compile(rb">")
_COMMENT_END = patterns.compile(rb"--!?>")
_COMMENT_ABRUPT = patterns.compile(rb"-?>")
_XML_INSTRUCTION_END = patterns.compile(rb"\?>")
_CDATA_END = patterns.compile(rb"\]\]>")

_RAW = frozenset({b"title", b"textarea", b"style", b"script", b"xmp", b"iframe", b"noembed", b"noframes", b"plaintext"})
_RAW_END = {name: patterns.compile(rb"</%s(?=[\t\n\f\r />])" % name, re.IGNORECASE) for name in _RAW - {b"plaintext"}}
_TURNS = _RAW | {b"svg", b"math"}

# Script text, 13.2.5.4 and 13.2.5.15 to 31: outside of a comment, in one, and in a script in one.
_SCRIPT_TEXT = patterns.compile(rb"<!--|</script(?=[\t\n\f\r />])", re.IGNORECASE)
_SCRIPT_ESCAPED = patterns.compile(rb"-->|</?script(?=[\t\n\f\r />])", re.IGNORECASE)
_SCRIPT_DOUBLE = patterns.compile(rb"-->|</script(?=[\t\n\f\r />])", re.IGNORECASE)


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_VOID = _words("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
_BREAKOUT = _words(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
_FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
_CLOSES_P = _words(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup "
    "main menu nav ol p search section summary ul h1 h2 h3 h4 h5 h6 pre listing form li dd dt table hr xmp plaintext"
)
_SPECIAL = (
    _CLOSES_P
    | _VOID
    | _RAW
    | _words(
        "applet body button caption col colgroup frameset head html marquee object select summary tbody td template "
        "tfoot th thead tr"
    )
)
_OUTER = (
    (_SPECIAL - _words("body head html") - _VOID - _RAW) | _FORMATTING | _words("span label abbr cite time mark q kbd")
)
_TABLE_PARTS = _words("caption colgroup tbody td tfoot th thead tr body head html frameset")
_SCOPE = _words("applet caption html table td th marquee object template")
_FONT = _words("color face size")
_HTML_ENCODINGS = (b"text/html", b"application/xhtml+xml")

_HTML, _SVG, _MATH = b"", b"svg", b"math"
_POINTS = _words("foreignobject desc title")
_TEXT_POINTS = _words("mi mo mn ms mtext")


class _Open(NamedTuple):
    space: bytes
    name: bytes
    html_inside: bool = False  # an HTML integration point
    text_inside: bool = False  # a MathML text integration point


class _Until:
    """A construct's end that is a pattern, looked for over chunks."""

    closed = False

    def __init__(self, pattern: re.Pattern[bytes], at: int, overlap: int) -> None:
        self.pattern, self.at, self.overlap = pattern, at, overlap

    def find(self, source: bytes) -> int:
        if found := self.pattern.search(source, self.at):
            return found.end()
        self.at = max(self.at, len(source) - self.overlap)
        return -1

    def passed(self) -> int:
        return self.at


def _state(stay: bytes, otherwise: str, **turns: str) -> tuple[re.Pattern[bytes], dict[int, str], str]:
    spelled = {"space": b"\t\n\f\r ", "slash": b"/", "equals": b"=", "double": b'"', "single": b"'", "greater": b">"}
    return patterns.compile(stay), {byte: to for word, to in turns.items() for byte in spelled[word]}, otherwise


_STATES = {
    "tag": _state(rb"[^\t\n\f\r />]*+", "", space="before", slash="before", greater="end"),
    "before": _state(rb"[\t\n\f\r /]*+", "name", greater="end"),
    "name": _state(rb"[^\t\n\f\r />=]*+", "", space="after", slash="before", equals="value", greater="end"),
    "after": _state(rb"[\t\n\f\r ]*+", "name", slash="before", equals="value", greater="end"),
    "value": _state(rb"[\t\n\f\r ]*+", "unquoted", double="double", single="single", greater="end"),
    "double": _state(rb'[^"]*+', "", double="before"),
    "single": _state(rb"[^']*+", "", single="before"),
    "unquoted": _state(rb"[^\t\n\f\r >]*+", "", space="before", greater="end"),
}


class _TagEnd:
    """A tag's end, state by state, for a tag that one chunk does not hold."""

    def __init__(self, at: int) -> None:
        self.at, self.state, self.closed = at, "tag", False

    def find(self, source: bytes) -> int:
        while True:
            stay, turns, otherwise = _STATES[self.state]
            stayed = stay.match(source, self.at)
            assert stayed is not None
            self.at = stayed.end()
            if self.at == len(source):
                return -1
            to = turns.get(source[self.at], otherwise)
            self.at += 1
            if to == "end":
                self.closed = self.state == "before" and source[self.at - 2] == 0x2F
                return self.at
            self.state = to

    def passed(self) -> int:
        return self.at - 1  # the byte before ">" says whether the tag is closed


class _Pending(NamedTuple):
    kind: Kind
    start: int
    ending: _Until | _TagEnd


class Scanner:
    """Tokens of a source that comes in pieces. Offsets are into `source`, what is held at the moment.

    Consume what `feed` gives before the next call: it drops `source[:settled]`, where nothing can change any more.
    In XML no element's text is raw, CDATA stands anywhere, and all elements are alike. `over` matches what the caller
    does not want to see: any run of whole constructs that leave the scanner where it is, in HTML text. It may change at
    any token. If its first group has matched, that is a tag the caller has read by itself: `matched` is the match.
    """

    def __init__(self, limit: int | None = HELD, xml: bool = False, over: re.Pattern[bytes] | None = None) -> None:
        self._xml = xml
        self.over = over
        self.matched: re.Match[bytes] | None = None
        self.source = b""
        self.settled = 0
        self._limit = limit
        self._at = 0
        self._final = False
        self._pending: _Pending | None = None
        self._long: bytes | None = None  # the name of a pending construct that has outgrown the limit
        self._raw: bytes | None = None
        self._script = _SCRIPT_TEXT
        self._open: list[_Open] = []
        self._names: Counter[bytes] = Counter()
        self._deeper = 0
        self._outside: Counter[bytes] = Counter()  # tags by name, ends with a slash
        self._counted = 0  # up to here in `source`
        self._uncounted = b""  # a name that may go on
        self._dropped = 0

    def __repr__(self) -> str:
        inside = self._raw or b"/".join(each.name for each in self._open) or b"text"
        return f"<Scanner in {inside.decode('latin-1')}, {len(self.source) - self.settled} bytes held>"

    @property
    def inside(self) -> bool:
        """Whether what was read so far ends within a tag, a comment or raw text."""
        return self._pending is not None or self._raw is not None

    def feed(self, chunk: bytes) -> Iterator[Token]:
        dropped = self.settled
        self._count(dropped)
        self._counted -= dropped
        self._dropped += dropped
        self.source = self.source[dropped:] + chunk if dropped < len(self.source) else chunk
        self.settled = 0
        self._at -= dropped
        if self._pending:
            kind, start, ending = self._pending
            ending.at -= dropped
            self._pending = _Pending(kind, start - dropped, ending)
        return self._run()

    def close(self, chunk: bytes = b"") -> Iterator[Token]:
        """The last chunk, and the end: a tag or comment still open is no token, its bytes are left alone."""
        self._final = True
        return self.feed(chunk)

    def _run(self) -> Iterator[Token]:
        source, search, limit = self.source, _MARK.search, self._limit
        while True:
            if self._pending:
                if not self._end_found():
                    return
                if token := self._complete():
                    yield token
            if self._raw:
                if not self._raw_left():
                    return
            elif self.over and not self._open and (unseen := self.over.match(source, self._at)):
                self._at = unseen.end()
                if unseen.lastindex and (limit is None or self._at - unseen.start(1) <= limit):
                    self.matched = unseen
                    yield Token(Kind.MATCHED, unseen.start(1), self._at, b"")
                    continue
            found = search(source, self._at)
            if found is None:
                self._rest_is_text()
                return
            slash, name, tail = found.groups()
            if name is None:
                if not self._opened(found.start()):
                    return
                continue
            start, end = found.span()
            self._at = end
            name = name.lower()
            closed = tail[-1:] == b"/"
            if slash:
                if self._open:
                    self._close(name)
                if limit is None or end - start <= limit:
                    yield Token(Kind.END, start, end, name, closed)
            else:
                foreign = (self._open or name in _TURNS) and not self._xml and self._start(name, closed, start, end)
                if limit is None or end - start <= limit:
                    yield Token(Kind.START, start, end, name, closed, bool(foreign))

    def _rest_is_text(self) -> None:
        self.settled = len(self.source)
        if not self._final and self.source.endswith(b"<") and self._at < self.settled:
            self.settled -= 1
        self._at = self.settled

    # Constructs that are not a whole tag: what they are, and where they end.

    def _opened(self, start: int) -> bool:
        """Says whether it is known what begins here."""
        source = self.source
        self._at = self.settled = start
        second, third = source[start + 1 : start + 2], source[start + 2 : start + 3]
        if second == b"!":
            return self._declaration_opened(start)
        if second == b"?":
            end = _XML_INSTRUCTION_END if self._xml else _GREATER
            return self._wait_for(Kind.INSTRUCTION, start, _Until(end, start + 2, 1))
        if second != b"/":
            return self._wait_for(Kind.START, start, _TagEnd(start + 1))
        if third.isalpha():
            return self._wait_for(Kind.END, start, _TagEnd(start + 2))
        if third == b">":  # "</>" is nothing at all
            self._at = start + 3
        elif third:
            return self._wait_for(Kind.COMMENT, start, _Until(_GREATER, start + 2, 0))
        return bool(third)

    def _declaration_opened(self, start: int) -> bool:
        opening = self.source[start : start + 9]
        if len(opening) < 9 and not self._final:
            return False
        if opening.startswith(b"<!--"):
            abrupt = _COMMENT_ABRUPT.match(self.source, start + 4)
            ending = _Until(_GREATER, start + 4, 0) if abrupt else _Until(_COMMENT_END, start + 4, 3)
            return self._wait_for(Kind.COMMENT, start, ending)
        if opening.upper() == b"<!DOCTYPE":
            return self._wait_for(Kind.DOCTYPE, start, _Until(_GREATER, start + 9, 0))
        if opening == b"<![CDATA[" and (self._xml or (self._open and self._open[-1].space != _HTML)):
            return self._wait_for(Kind.CDATA, start, _Until(_CDATA_END, start + 9, 2))
        return self._wait_for(Kind.COMMENT, start, _Until(_GREATER, start + 2, 0))

    def _wait_for(self, kind: Kind, start: int, ending: _Until | _TagEnd) -> bool:
        self._pending = _Pending(kind, start, ending)
        return True

    def _end_found(self) -> bool:
        assert self._pending is not None
        _, start, ending = self._pending
        self._at = ending.find(self.source)
        if self._at >= 0:
            return True
        self._at = self.settled = start
        if self._long is None and self._limit is not None and len(self.source) - start > self._limit:
            self._long = self._name_at(start)
        if self._long is not None:
            self._at = self.settled = ending.passed()
        return False

    def _name_at(self, start: int) -> bytes:
        found = _TAG_NAME.match(self.source, start)
        return found[1].lower() if found else b""

    def _complete(self) -> Token | None:
        assert self._pending is not None
        (kind, start, ending), end = self._pending, self._at
        long = self._long is not None or (self._limit is not None and end - start > self._limit)
        name = b""
        if kind is Kind.START or kind is Kind.END:
            name = self._name_at(start) if self._long is None else self._long
        self._pending = self._long = None
        foreign = False
        if kind is Kind.END and self._open:
            self._close(name)
        elif kind is Kind.START and (self._open or name in _TURNS) and not self._xml:
            foreign = self._start(name, ending.closed, start, end)
        return None if long else Token(kind, start, end, name, ending.closed, foreign)

    # Text that is not markup.

    def _raw_left(self) -> bool:
        """Says whether the end tag of raw text has been found; the scan goes on there."""
        assert self._raw is not None
        end = self._raw_end(self._raw)
        if end >= 0:
            self._at, self._raw = end, None
            return True
        overlap = 0 if self._raw == b"plaintext" else len(self._raw) + 2
        self._at = self.settled = max(self._at, len(self.source) - overlap)
        return False

    def _raw_end(self, name: bytes) -> int:
        if name == b"plaintext":
            return -1
        if name == b"script":
            return self._script_end()
        found = _RAW_END[name].search(self.source, self._at)
        return found.start() if found else -1

    def _script_end(self) -> int:
        while found := self._script.search(self.source, self._at):
            mark, self._at = found[0].lower(), found.end()
            if mark == b"<!--":
                self._script, self._at = _SCRIPT_ESCAPED, found.end() - 2  # "<!-->" opens and ends
            elif mark == b"-->":
                self._script = _SCRIPT_TEXT
            elif mark == b"<script":
                self._script = _SCRIPT_DOUBLE
            elif self._script is _SCRIPT_DOUBLE:
                self._script = _SCRIPT_ESCAPED
            else:
                self._script = _SCRIPT_TEXT
                return found.start()
        return -1

    # Just enough of the tree to know what is foreign content (13.2.6.5): the stack from the outermost svg or math on.

    def _start(self, name: bytes, closed: bool, start: int, end: int) -> bool:
        """Takes note of a start tag; says whether its element is foreign."""
        if self._is_html_here(name):
            return self._start_html(name, closed)
        if name in _BREAKOUT or (name == b"font" and self._has_font_attribute(name, start, end)):
            self._break_out()
            return self._start_html(name, closed)
        if not closed:
            self._push(self._foreign(self._open[-1].space, name, start, end))
        return True

    def _is_html_here(self, name: bytes) -> bool:
        if not self._open:
            return True
        top = self._open[-1]
        if top.space == _HTML or top.html_inside:
            return True
        if top.text_inside:
            return name not in (b"mglyph", b"malignmark")
        return name == b"svg" and top.space == _MATH and top.name == b"annotation-xml"

    def _start_html(self, name: bytes, closed: bool) -> bool:
        if name == b"svg" or name == b"math":
            if not closed:
                self._push(_Open(name, name))
            return True
        if name in _RAW:
            self._raw = name
        if self._open and name not in _VOID and (self._names[b"table"] or name not in _TABLE_PARTS):
            if name in _CLOSES_P and self._names[b"p"]:
                self._close_html(b"p")
            self._push(_Open(_HTML, name))
        return False

    def _foreign(self, space: bytes, name: bytes, start: int, end: int) -> _Open:
        if space == _SVG:
            return _Open(space, name, html_inside=name in _POINTS)
        html = name == b"annotation-xml" and any(
            each.name == b"encoding" and unescape(each.value or b"").lower().encode() in _HTML_ENCODINGS
            for each in attributes(self.source, Token(Kind.START, start, end, name))
        )
        return _Open(space, name, html, name in _TEXT_POINTS)

    def _has_font_attribute(self, name: bytes, start: int, end: int) -> bool:
        return any(each.name in _FONT for each in attributes(self.source, Token(Kind.START, start, end, name)))

    def _push(self, entry: _Open) -> None:
        if len(self._open) >= DEPTH:
            self._deeper += 1
            return
        self._open.append(entry)
        self._names[entry.name] += 1

    def _cut(self, depth: int) -> None:
        for entry in self._open[depth:]:
            self._names[entry.name] -= 1
        del self._open[depth:]

    def _break_out(self) -> None:
        self._deeper = 0
        depth = len(self._open)
        while depth and self._open[depth - 1].space != _HTML and not any(self._open[depth - 1][2:]):
            depth -= 1
        self._cut(depth)

    def _close(self, name: bytes) -> None:
        if self._deeper:
            self._deeper -= 1
        elif self._open[-1].space == _HTML:
            self._close_html(name)
        elif name == b"p" or name == b"br":
            self._break_out()
        else:
            self._close_foreign(name)

    def _close_foreign(self, name: bytes) -> None:
        if not self._names[name]:
            outside = name in _OUTER and all(entry.space != _HTML for entry in self._open)
            if outside and self._is_open_outside(name):
                self._cut(0)  # the end tag of an element around the svg or math closes it, too
            return
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth].space == _HTML:
                self._close_html(name, depth)
                return
            if self._open[depth].name == name:
                self._cut(depth)
                return

    def _is_open_outside(self, name: bytes) -> bool:
        """Whether more tags of this name have opened than closed: what is stepped over has left no stack. Further on
        it is taken for open, as it is but in the strangest of documents."""
        if self._dropped + self._at > ACQUAINTED:
            return True
        self._count(self._at)
        return self._outside[name] > self._outside[b"/" + name] - 1

    def _count(self, end: int) -> None:
        end = min(end, ACQUAINTED - self._dropped)
        if self._counted < end:
            text = self._uncounted + self.source[self._counted : end]
            cut_off = _TAG_CUT_OFF.match(text, max(text.rfind(b"<"), 0))
            self._uncounted = cut_off[0] if cut_off else b""
            tags = Counter(_ANY_TAG.findall(text[: len(text) - len(self._uncounted)].lower()))
            self._outside.update({name: times for name, times in tags.items() if name.lstrip(b"/") in _OUTER})
            self._counted = end

    def _close_html(self, name: bytes, top: int | None = None) -> None:
        """Only HTML elements inside the innermost integration point are within reach."""
        if not self._names[name]:
            return
        for depth in range(len(self._open) - 1 if top is None else top, -1, -1):
            entry = self._open[depth]
            if entry.space != _HTML:
                return
            if entry.name == name:
                if name in _FORMATTING:
                    self._names[name] -= 1
                    del self._open[depth]
                else:
                    self._cut(depth)
                return
            if entry.name in _SCOPE or (entry.name in _SPECIAL and name not in _SPECIAL | _FORMATTING):
                return


def tokens(source: bytes) -> Iterator[Token]:
    """The tokens of a whole source, of any length."""
    return Scanner(limit=None).close(source)


def attributes(source: bytes, token: Token) -> list[Attribute]:
    """The attributes of a start tag, the first of each name (13.2.5.33)."""
    found: dict[bytes, Attribute] = {}
    at = token.start + 1 + len(token.name)
    for each in _EACH_ATTRIBUTE.finditer(source, at, token.end):
        written, equals, double, single, bare = each.groups()
        name = written.lower()
        if name in found:
            continue
        start, end = each.start(1), each.end()
        if double is not None:
            found[name] = Attribute(name, start, end, double, end - len(double) - 1, end - 1, b'"')
        elif single is not None:
            found[name] = Attribute(name, start, end, single, end - len(single) - 1, end - 1, b"'")
        elif bare is not None:
            found[name] = Attribute(name, start, end, bare, end - len(bare), end, b"")
        else:  # in "name=>" the value is missing, which reads as empty
            found[name] = Attribute(name, start, end, None if equals is None else b"", end, end, b"")
    return list(found.values())


# Attribute values. Non-ASCII bytes survive whatever the charset is.

_REFERENCE = patterns.compile(r"&(?:#([xX][0-9a-fA-F]+|[0-9]+);?|([A-Za-z][A-Za-z0-9]*)(;?)(=?))")
REAL = patterns.compile("[\x80-\udc7f\udd00-\U0010ffff]")  # characters, not bytes that stand for themselves
_NUMERIC = {n: bytes([n]).decode("cp1252", "replace").replace("\ufffd", chr(n)) for n in range(0x80, 0xA0)}


def unescape(value: bytes, charset: str = "utf-8") -> str:
    """What an attribute value means. With charset "ascii", bytes of any other stay apart from characters."""
    text = value.decode(charset, "surrogateescape")
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(found: re.Match[str]) -> str:
    number, name, semicolon, equals = found.groups()
    if number:
        digits = number.lstrip("xX0") or "0"
        return _numbered(int(digits, 16 if number[0] in "xX" else 10) if len(digits) < 9 else 0)
    if semicolon and name + ";" in html5:
        return html5[name + ";"] + equals
    if name in html5 and not semicolon and not equals:  # the old names do without, but not in "?a=1&copy=2"
        return html5[name]
    return found[0]


def _numbered(code: int) -> str:
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return _NUMERIC.get(code) or chr(code)


def escape(value: str, quote: bytes, charset: str = "utf-8") -> bytes:
    """A value as it is written between quotes; what the charset does not have becomes a reference."""
    text = value.replace("&", "&amp;")
    if quote:
        text = text.replace(quote.decode(), "&quot;" if quote == b'"' else "&#39;")
    if charset != "utf-8":
        text = REAL.sub(lambda found: f"&#x{ord(found[0]):X};", text)
    return text.encode(charset, "surrogateescape")
