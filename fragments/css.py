"""Every URL in CSS, found by the tokens of CSS Syntax: url(), src(), @import, image-set(), with escapes and comments.

Text in other strings, in comments, in @namespace and in names stays, and so does every byte outside a changed URL.
One comment is none: `/*# sourceMappingURL=/x */` (ECMA-426) says where a map is.
A sheet may come in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import fragments.patterns as patterns
from fragments.urls import Place, below

HELD = 64 * 1024  # a URL longer than this is let through as it is
_LONGEST_NAME = 256  # "-webkit-image-set" with every letter escaped is shorter
_KNOWN_LIMIT = 1024  # URLs remembered while one sheet goes by
_PATIENCE = 1024  # what is held and longer is looked at again only when it has grown by half

# Bytes above ASCII are lone surrogates here, so they can be told from the characters that escapes stand for.
_SPACE = r"[ \t\n\r\f]"
_LETTER = r"\-0-9A-Za-z_\x80-\U0010ffff"
_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\n\r\f])?+|[^\n\r\f0-9a-fA-F])"
_WORD = rf"(?:[{_LETTER}]|{_ESCAPE})++(?:\\\Z)?+"
_DOUBLE = r'(?:[^"\\\n\r\f]|\\(?:\r\n|[^\r]|\r(?!\Z)))*+'
_SINGLE = r"(?:[^'\\\n\r\f]|\\(?:\r\n|[^\r]|\r(?!\Z)))*+"
_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_MAP = r"/\*[#@][ \t]sourceMappingURL="
_STRING = rf"(?:\"{_DOUBLE}(?:\"|(?=[\n\r\f]))|'{_SINGLE}(?:'|(?=[\n\r\f])))"

_FUNCTIONS = r"(?:url|src|(?:-webkit-)?image-set)\("
_STATEMENTS = rf"@(?:import|namespace|(?:-moz-)?document)(?![{_LETTER}])"
_WITH_ESCAPE = rf"@?[{_LETTER}]*+\\[^\n\r\f]"

# What needs no look, in one go: nothing in it begins a URL, or is cut off. It is left at the first doubt, which may be
# in the middle of a word; the units below tell.
_SWIFT = patterns.compile(
    rf"(?:[^@/\\\"'(]++|\((?<!(?i:url)\()(?<!(?i:src)\()(?<!(?i:set)\()|@(?!(?i:import|namespace|document|-moz-))"
    rf"|/(?!\*|\Z)|(?!{_MAP}){_COMMENT}|\"[^\"\\\n\r\f]*+\"|'[^'\\\n\r\f]*+')*+"
)
_WORD_SO_FAR = patterns.compile(rf"(?<![{_LETTER}#@])[#@]*+[{_LETTER}]*+\Z")
_SIMPLE = patterns.compile(r"(?i:url)\((?:\"([^\"\\\n\r\f]*+)\"|'([^'\\\n\r\f]*+)'|([^\"'()\\\x00-\x20\x7f]++))\)")
# One unit that brings no URL. More text may change it if it is the last.
_PLAIN = patterns.compile(
    rf"[^#@/\\\"'{_LETTER}]++|(?!(?i:{_FUNCTIONS}|{_STATEMENTS})|{_WITH_ESCAPE})[#@]?{_WORD}"
    rf"|(?!{_MAP}){_COMMENT}|{_STRING}|/(?!\*)|[#@](?!{_WORD}|\\\Z)|\\(?=[\n\r\f])"
)
_NEVER_CHANGES = patterns.compile(rf"[^#@/\\\"'{_LETTER}]")
_OPENING = patterns.compile(rf"(@?)({_WORD})(\(?)")
_GAP = patterns.compile(rf"(?:{_SPACE}|{_COMMENT})*+")
_SPACES = patterns.compile(rf"{_SPACE}*+")
_QUOTED = patterns.compile(rf"\"({_DOUBLE})(?:\"|\Z)|'({_SINGLE})(?:'|\Z)")
_BARE = patterns.compile(rf"((?:[^\"'()\\\x00-\x20\x7f]|{_ESCAPE})*+){_SPACE}*+(?:\)|\Z)")
_BAD_STRING = patterns.compile(_STRING)
_DATA = patterns.compile(rf"{_SPACE}*+([\"']?)data:", re.IGNORECASE)
_MAPPING = patterns.compile(rf"{_MAP}([^\s*]*+)(?=[\s*])")
_MAYBE_MAP = "/*# sourceMappingURL="
_PRELUDE = rf"(?:[^;{{\"'/\\]|{_COMMENT}|{_STRING}|{_ESCAPE}|/(?=[^*])|\\(?=[\n\r\f]))*+"
_INNER = patterns.compile(
    rf"{_COMMENT}|(?P<string>{_STRING})|(?P<function>{_WORD}\()|[#@]?{_WORD}|(?P<open>[(\[{{])|(?P<close>[)\]}}])"
    r"|[\s\S]"
)

# How a thing that has begun goes on, when nothing in it matters: what it takes in, and what ends it.
_GOES_ON = {
    "comment": (patterns.compile(r"(?:[^*]|\*(?=[^/]))*+"), patterns.compile(r"\*/")),
    '"': (patterns.compile(_DOUBLE), patterns.compile(r"\"|(?=[\n\r\f])")),
    "'": (patterns.compile(_SINGLE), patterns.compile(r"'|(?=[\n\r\f])")),
    "word": (
        patterns.compile(rf"(?:[{_LETTER}]|(?!\\[0-9a-fA-F]{{1,6}}(?:\r|{_SPACE})?\Z){_ESCAPE})*+"),
        patterns.compile(rf"(?=[^{_LETTER}\\])|(?=\\[\n\r\f])"),
    ),
    "prelude": (patterns.compile(_PRELUDE), patterns.compile(r"[;{]")),
    "url": (patterns.compile(r"(?:[^)\\]|\\[\s\S])*+"), patterns.compile(r"\)")),
}

_UNWRITABLE = patterns.compile(r"[\s*]|[^\x00-\x7f\udc80-\udcff]")
_UNFINISHED = -1
_QUOTES = ("", '"', "'", "")
_CUT_OFF = ("/", '"', "'")  # as tokens of one character: what they should begin has no end yet


class Sheet:
    """A sheet on its way: text in, text out."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: dict[str, str | None] = {}
        self._held = ""
        self._least = 0
        self._inside: str | None = None
        self._sets: list[bool] = []  # open brackets from the outermost image-set() on; is it one itself?
        self._edits: list[tuple[int, int, str]] = []

    def __repr__(self) -> str:
        return f"<Sheet in {self._inside or 'rules'}, {len(self._held)} characters held>"

    def feed(self, text: str) -> str:
        self._held += text
        return self._run(final=False) if len(self._held) >= self._least else ""

    def close(self) -> str:
        return self._run(final=True)

    def _run(self, final: bool) -> str:
        text = self._held
        settled = self._settle(text, final)
        self._held = text[settled:]
        self._least = len(self._held) * 3 // 2 if len(self._held) > _PATIENCE else 0
        return self._edited(text, settled)

    def _edited(self, text: str, end: int) -> str:
        parts: list[str] = []
        at = 0
        for start, stop, new in self._edits:
            parts += (text[at:start], new)
            at = stop
        self._edits.clear()
        parts.append(text[at:end])
        return "".join(parts)

    def _settle(self, text: str, final: bool) -> int:
        """Walks over the text and notes edits; says up to where nothing can change any more."""
        at = 0
        while at < len(text):
            if self._inside:
                at, on = self._go_on(text, at)
                if not on:
                    return len(text) if final else at
                continue
            start = at
            if not self._sets:
                start = self._swiftly(text, at)
                if simple := _SIMPLE.match(text, start):
                    at = self._simple(text, simple)
                    continue
                plain = _PLAIN.match(text, start)
                if plain and plain.end() < len(text):
                    at = plain.end()
                    continue
                if plain or start == len(text):
                    return len(text) if final else self._last_unit(text, start)
            at = self._in_set(text, start, final) if self._sets else self._begin(text, start, final)
            if at == _UNFINISHED:
                return len(text) if final else start
        return at

    def _swiftly(self, text: str, at: int) -> int:
        """Steps over what needs no look, and back to where the word began that it ends in."""
        end = _after(_SWIFT, text, at)
        if end == at:
            return at
        word = _WORD_SO_FAR.search(text, max(at, end - _LONGEST_NAME - 2), end)
        return word.start() if word else max(at, end - _LONGEST_NAME - 1)

    def _simple(self, text: str, url: re.Match[str]) -> int:
        """A url() that is whole and holds no escape."""
        start, end = url.span(url.lastindex or 1)
        if end - start <= HELD and not text.startswith(("data:", "#"), start):
            self._map(text, start, end, _QUOTES[url.lastindex or 1])
        return url.end()

    def _go_on(self, text: str, at: int) -> tuple[int, bool]:
        assert self._inside is not None
        takes, ends = _GOES_ON[self._inside]
        taken = takes.match(text, at)
        assert taken is not None
        ended = ends.match(text, taken.end())
        if ended is None:
            return taken.end(), False
        self._inside = None
        return ended.end(), True

    def _last_unit(self, text: str, start: int) -> int:
        if start == len(text) or _NEVER_CHANGES.match(text, start):
            return len(text)
        if len(text) - start > _LONGEST_NAME and text[start] not in "/\"'":
            return self._long_word(text, start + (text[start] in "#@"))
        return start

    def _long_word(self, text: str, start: int) -> int:
        self._inside = "word"
        return self._go_on(text, start)[0]

    def _begin(self, text: str, start: int, final: bool) -> int:
        """What begins here is a URL's beginning, or cut off by the end of the text. Answers where to go on."""
        if text.startswith("/*", start):
            return self._comment(text, start, final)
        if text[start] in "\"'":
            self._inside = text[start]
            return start + 1
        opening = _OPENING.match(text, start)
        if opening is None:  # a backslash, and nothing after it
            return _UNFINISHED
        if opening.end() < len(text):
            return self._construct(text, opening, final)
        if not final and len(text) - start > _LONGEST_NAME:
            return self._long_word(text, opening.start(2))
        return _UNFINISHED

    def _comment(self, text: str, start: int, final: bool) -> int:
        beginning = text[start : start + len(_MAYBE_MAP)].replace("@", "#", 1).replace("\t", " ", 1)
        if not final and len(beginning) < len(_MAYBE_MAP) and _MAYBE_MAP.startswith(beginning):
            return _UNFINISHED
        if beginning == _MAYBE_MAP:
            found = _MAPPING.match(text, start)
            if found is None and not final and len(text) - start <= HELD:
                return _UNFINISHED
            if found:
                self._map_address(*found.span(1), found[1])
        self._inside = "comment"
        return start + 2

    def _map_address(self, start: int, end: int, url: str) -> None:
        mapped = below(url, self._place)
        if mapped != url and not _UNWRITABLE.search(mapped):
            self._edits.append((start, end, mapped))

    def _construct(self, text: str, opening: re.Match[str], final: bool) -> int:
        at = opening.end(2 if opening[1] else 3)
        reader = _READERS.get(opening[1] + decoded(opening[2]).lower() + text[opening.end(2) : at])
        return opening.end(2) if reader is None else reader(self, text, at, final)

    # Readers: from after the opening word to where to go on, or _UNFINISHED.

    def _url(self, text: str, at: int, final: bool) -> int:
        if data := _DATA.match(text, at):
            return self._let_through(data[1] or "url", data.end(1))
        start = at
        at = _after(_SPACES, text, at)
        if text[at : at + 1] in ("", '"', "'"):
            return self._string(text, at, final)
        bare = _BARE.match(text, at)
        if bare is None and text[-1] == "\\" and not final:
            return _UNFINISHED
        if bare is None or bare.end() - at > HELD:
            return self._let_through("url", start)
        if not final and bare.end() == len(text) and not (text[-1] == ")" and bare.end(1) < len(text)):
            return _UNFINISHED
        self._map(text, *bare.span(1), "")
        return bare.end()

    def _let_through(self, inside: str, at: int) -> int:
        self._inside = inside
        return at

    def _spaced_string(self, text: str, at: int, final: bool) -> int:
        start = at
        at = _after(_GAP, text, at)
        if at - start > HELD or (len(text) - start > HELD and text.startswith("/*", at)):
            return start
        if text.startswith("/*", at) or text[at:] == "/":
            return _end(text, final)
        return self._string(text, at, final)

    def _string(self, text: str, at: int, final: bool) -> int:
        quote = text[at : at + 1]
        if quote not in ('"', "'"):
            return at if quote else _end(text, final)
        found = _QUOTED.match(text, at)
        if (found.end() if found else len(text)) - at > HELD:
            return self._let_through(quote, at + 1)
        if found is None:
            return at if _BAD_STRING.match(text, at) else _end(text, final)
        group = found.lastindex or 1
        if found.end() == found.end(group) and not final:
            return _UNFINISHED
        self._map(text, *found.span(group), quote)
        return found.end()

    def _image_set(self, text: str, at: int, final: bool) -> int:
        self._sets.append(True)
        return at

    def _prelude(self, text: str, at: int, final: bool) -> int:
        """Names a namespace or a document: never an address to fetch."""
        return self._let_through("prelude", at)

    def _in_set(self, text: str, at: int, final: bool) -> int:
        """One token inside of image-set(), where strings are URLs."""
        if text[at] in "\"'" and self._sets[-1]:
            end = self._string(text, at, final)
            return end if end != at else self._let_through(text[at], at + 1)
        found, opening = _INNER.match(text, at), _OPENING.match(text, at)
        assert found is not None
        if found["function"] and opening:
            return self._construct(text, opening, final)
        if found["open"]:
            self._sets.append(False)
        elif found["close"]:
            self._sets.pop()
        elif found[0] in _CUT_OFF and (found[0] != "/" or text.startswith("/*", at)):
            return self._begin(text, at, final)
        elif found[0] in ("#", "@") and text[found.end() :] == "\\":
            return _UNFINISHED
        elif found.end() == len(text) and not _NEVER_CHANGES.match(found[0]) and not found["string"]:
            return self._begin(text, at, final) if opening and not final else _UNFINISHED
        return found.end()

    def _map(self, text: str, start: int, end: int, quote: str) -> None:
        written = text[start:end]
        key = quote + written
        if key not in self._known:
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            self._known[key] = self._mapped(written, quote)
        new = self._known[key]
        if new is not None:
            self._edits.append((start, end, new))

    def _mapped(self, written: str, quote: str) -> str | None:
        url = decoded(written)
        mapped = below(url, self._place)
        return None if mapped == url else _written(mapped, quote)


_READERS: dict[str, Callable[[Sheet, str, int, bool], int]] = {
    "url(": Sheet._url,
    "src(": Sheet._spaced_string,
    "image-set(": Sheet._image_set,
    "-webkit-image-set(": Sheet._image_set,
    "@import": Sheet._spaced_string,
    "@namespace": Sheet._prelude,
    "@document": Sheet._prelude,
    "@-moz-document": Sheet._prelude,
}


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _end(text: str, final: bool) -> int:
    return len(text) if final else _UNFINISHED


# Escapes (CSS Syntax, 4.3.7).

_ESCAPED = patterns.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\r\f])?|(\r\n|[\n\r\f])|([\s\S]))")
_TO_ESCAPE = {
    "": patterns.compile(r"[\x00-\x20\x7f\"'()\\<]|[^\x00-\x7f\udc80-\udcff]"),
    '"': patterns.compile(r"[\x00-\x1f\x7f\"\\<]|[^\x00-\x7f\udc80-\udcff]"),
    "'": patterns.compile(r"[\x00-\x1f\x7f'\\<]|[^\x00-\x7f\udc80-\udcff]"),
}


def decoded(text: str) -> str:
    return _ESCAPED.sub(_escaped, text) if "\\" in text else text


def _escaped(found: re.Match[str]) -> str:
    digits, continued, character = found.groups()
    if digits:
        code = int(digits, 16)
        return "\ufffd" if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)
    return "" if continued else character


def _written(url: str, quote: str) -> str:
    """The URL as a token; "<" never stands bare, so that no `</style` can come out of an escape."""
    return _TO_ESCAPE[quote].sub(lambda found: _escape(found[0]), url)


def _escape(character: str) -> str:
    return "\\" + character if character in "\"'()\\" else f"\\{ord(character):x} "


def rewrite_text(css: str, place: Place) -> str:
    """A sheet, or the declarations of a style attribute. Bytes above ASCII are to be surrogate-escaped."""
    sheet = Sheet(place)
    return sheet.feed(css) + sheet.close()


def rewrite(sheet: bytes, place: Place) -> bytes:
    """A whole sheet in any charset that agrees with ASCII."""
    return rewrite_text(sheet.decode("ascii", "surrogateescape"), place).encode("ascii", "surrogateescape")
