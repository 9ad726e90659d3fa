"""Texts on their way: bytes in, bytes out, and what is unfinished is held until it is whole.

Bytes are edited in any charset that agrees with ASCII. UTF-16 does not: it goes through UTF-8 and back.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import fragments.patterns as patterns

HELD = 64 * 1024  # a unit of a text longer than this is let through as it is


class Rewriter(Protocol):
    """Bytes in, bytes out; what is unfinished is held until it is whole."""

    def feed(self, chunk: bytes) -> bytes: ...

    def close(self) -> bytes: ...


def whole(rewriting: Rewriter, source: bytes) -> bytes:
    return rewriting.feed(source) + rewriting.close()


# Charsets in which the bytes of "<" or "/" may mean something else, and nothing here reads them.
_UNREAD = patterns.compile(r"charset\s*=\s*[\"']?\s*(?:utf-?32|utf-?7|iso-2022|csiso2022|hz-)", re.IGNORECASE)
_WIDE = patterns.compile(
    r"charset\s*=\s*[\"']?\s*(utf-?16|ucs-?2|csunicode|iso-10646-ucs-2|unicode)(be)?", re.IGNORECASE
)
_MARKS = ((b"\xef\xbb\xbf", None), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LONGEST_MARK = 3


def is_read(parameters: str) -> bool:
    """Whether texts in the charset that a Content-Type names can be edited."""
    return _UNREAD.search(parameters) is None


def wide(parameters: str) -> str | None:
    """The UTF-16 that a Content-Type names, as the Encoding standard reads its labels; None for all others."""
    found = _WIDE.search(parameters)
    return None if found is None else "utf-16-be" if found[2] else "utf-16-le"


class Text(ABC):
    """A text in any charset. A byte order mark says more than what was said about the text."""

    wide: str | None = None  # the UTF-16 this text is said to be in

    def __init__(self) -> None:
        self._beginning: bytes | None = b""
        self._transcoded: _Utf16 | None = None

    def feed(self, chunk: bytes) -> bytes:
        if self._beginning is not None:
            chunk = self._beginning + chunk
            if len(chunk) < _LONGEST_MARK:
                self._beginning = chunk
                return b""
            self._start(chunk)
        through = self._transcoded
        return self._feed(chunk) if through is None else through.back(self._feed(through.there(chunk)))

    def close(self) -> bytes:
        rest = self._beginning or b""
        if self._beginning is not None:
            self._start(rest)
        through = self._transcoded
        if through is None:
            return (self._feed(rest) if rest else b"") + self._close()
        return through.back(self._feed(through.there(rest) + through.end()) + self._close()) + through.odd

    def _start(self, text: bytes) -> None:
        self._beginning = None
        charset = next((charset for mark, charset in _MARKS if text.startswith(mark)), self.wide)
        self._transcoded = None if charset is None else _Utf16(charset)

    @abstractmethod
    def _feed(self, chunk: bytes) -> bytes: ...

    @abstractmethod
    def _close(self) -> bytes: ...


class _Utf16:
    """UTF-16 to UTF-8 and back, lone surrogates and an odd last byte included."""

    def __init__(self, charset: str) -> None:
        self._charset = charset
        self._high = 1 if charset == "utf-16-le" else 0
        self._unread = self._unwritten = b""

    @property
    def odd(self) -> bytes:
        return self._unread

    def there(self, chunk: bytes) -> bytes:
        text = self._unread + chunk
        end = len(text) & ~1
        if end and 0xD8 <= text[end - 2 + self._high] <= 0xDB:
            end -= 2  # half of a character
        self._unread = text[end:]
        return self._narrowed(text[:end])

    def end(self) -> bytes:
        half, self._unread = self._unread[:2], self._unread[2:]
        if len(half) < 2:
            half, self._unread = b"", half
        return self._narrowed(half)

    def back(self, text: bytes) -> bytes:
        text = self._unwritten + text
        end = _whole_characters(text)
        self._unwritten = text[end:]
        return text[:end].decode("utf-8", "surrogatepass").encode(self._charset, "surrogatepass")

    def _narrowed(self, text: bytes) -> bytes:
        return text.decode(self._charset, "surrogatepass").encode("utf-8", "surrogatepass")


def _whole_characters(text: bytes) -> int:
    """Where a last character that is cut off begins, or the end."""
    for back in range(1, min(4, len(text) + 1)):
        byte = text[-back]
        if byte >= 0xC0:
            return len(text) - back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else len(text)
        if byte < 0x80:
            break
    return len(text)


class Held:
    """A text that can only be read whole; one that is longer passes as it is."""

    def __init__(self, limit: int, change: Callable[[bytes], bytes]) -> None:
        self._limit, self._change = limit, change
        self._parts: list[bytes] = []
        self._length = 0

    def feed(self, chunk: bytes) -> bytes:
        self._parts.append(chunk)
        self._length += len(chunk)
        return b"" if self._length <= self._limit else self._let_go()

    def close(self) -> bytes:
        text = self._let_go()
        return self._change(text) if self._length <= self._limit else text

    def _let_go(self) -> bytes:
        text = b"".join(self._parts)
        self._parts.clear()
        return text


class Lines(Text):
    """A text of lines, each changed on its own and ended as it was; one too long to hold passes as it is."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._change = change
        self._held = b""
        self._least = 0
        self._passing = False  # in a line that is too long

    def _feed(self, chunk: bytes) -> bytes:
        self._held += chunk
        if len(self._held) < self._least:
            return b""
        end = self._held.rfind(b"\n") + 1
        out = self._changed(self._held[:end])
        self._held = self._held[end:]
        if self._passing or len(self._held) >= HELD:
            self._passing = True
            out, self._held = out + self._held, b""
        self._least = len(self._held) * 3 // 2
        return out

    def _close(self) -> bytes:
        return self._changed(self._held)

    def _changed(self, text: bytes) -> bytes:
        passed = b""
        if self._passing and text:
            passed, self._passing = text[: text.find(b"\n") + 1], False
        *ended, last = text[len(passed) :].split(b"\n")
        return passed + b"".join(self._each(line) + b"\n" for line in ended) + (self._each(last) if last else b"")

    def _each(self, line: bytes) -> bytes:
        content = line.removesuffix(b"\r")
        return self._change(content) + line[len(content) :] if len(line) < HELD else line
