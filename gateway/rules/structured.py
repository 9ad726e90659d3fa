"""Structured fields, read strictly: lists and dictionaries (RFC 9651). What breaks the grammar anywhere is nothing.

Read only; what each member means is said where it is used.
"""

import binascii
import re
from typing import NamedTuple


class Token(bytes):
    """A word without quotes."""


class Text(bytes):
    """What stood between quotes, escapes undone."""


class Opaque(bytes):
    """A byte sequence, a date or a display string as it was written: valid, and of no use here."""


Bare = bool | int | float | Token | Text | Opaque
Parameters = dict[bytes, Bare]


class Item(NamedTuple):
    """A value, or the values of an inner list, with its parameters."""

    value: "Bare | tuple[Item, ...]"
    parameters: Parameters


Dictionary = dict[bytes, Item]

_KEY = re.compile(rb"[a-z*][a-z0-9_.*-]*")
_NUMBER = re.compile(rb"-?(\d+)(?:\.(\d+))?")
_TEXT = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_TOKEN = re.compile(rb"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_BYTES = re.compile(rb":([A-Za-z0-9+/]*={0,2}):")
_BOOLEAN = re.compile(rb"\?([01])")
_DATE = re.compile(rb"@-?\d{1,15}(?![\d.])")
_DISPLAY = re.compile(rb'%"((?:[ !#$&-~]|%[0-9a-f]{2})*)"')
_ESCAPED = re.compile(rb"\\(.)")
_PERCENT = re.compile(rb"%([0-9a-f]{2})")
_SPACES = re.compile(rb" *")
_COMMA = re.compile(rb"[ \t]*(?:,[ \t]*(?=[^ \t])|\Z)")


class _Broken(Exception):
    """The text is not what it should be from here on."""


def dictionary(text: bytes) -> Dictionary | None:
    """Members by key, the last of a key (section 4.2.2); None when the text is no dictionary."""
    found: Dictionary = {}
    try:
        at, text = 0, _trimmed(text)
        while at < len(text):
            name, at = _taken(_KEY, text, at)
            value: Bare | tuple[Item, ...] = True
            if text[at : at + 1] == b"=":
                value, at = _value(text, at + 1)
            parameters, at = _parameters(text, at)
            found.pop(name, None)
            found[name] = Item(value, parameters)
            at = _taken(_COMMA, text, at)[1]
    except _Broken:
        return None
    return found


def members(text: bytes) -> list[Item] | None:
    """Members in order (section 4.2.1); None when the text is no list."""
    found: list[Item] = []
    try:
        at, text = 0, _trimmed(text)
        while at < len(text):
            item, at = _item(text, at)
            found.append(item)
            at = _taken(_COMMA, text, at)[1]
    except _Broken:
        return None
    return found


def _trimmed(text: bytes) -> bytes:
    return text.strip(b" ")


def _taken(pattern: re.Pattern[bytes], text: bytes, at: int) -> tuple[bytes, int]:
    match = pattern.match(text, at)
    if match is None:
        raise _Broken
    return match[0], match.end()


def _item(text: bytes, at: int) -> tuple[Item, int]:
    value, at = _value(text, at)
    parameters, at = _parameters(text, at)
    return Item(value, parameters), at


def _value(text: bytes, at: int) -> tuple[Bare | tuple[Item, ...], int]:
    return _inner(text, at + 1) if text[at : at + 1] == b"(" else _bare(text, at)


def _inner(text: bytes, at: int) -> tuple[tuple[Item, ...], int]:
    """An inner list, behind what opens it (section 4.2.1.2)."""
    found: list[Item] = []
    while True:
        at = _taken(_SPACES, text, at)[1]
        if text[at : at + 1] == b")":
            return tuple(found), at + 1
        value, at = _bare(text, at)
        parameters, at = _parameters(text, at)
        if text[at : at + 1] not in (b" ", b")"):
            raise _Broken
        found.append(Item(value, parameters))


def _parameters(text: bytes, at: int) -> tuple[Parameters, int]:
    found: Parameters = {}
    while text[at : at + 1] == b";":
        at = _taken(_SPACES, text, at + 1)[1]
        name, at = _taken(_KEY, text, at)
        value: Bare = True
        if text[at : at + 1] == b"=":
            value, at = _bare(text, at + 1)
        found.pop(name, None)
        found[name] = value
    return found, at


def _bare(text: bytes, at: int) -> tuple[Bare, int]:
    """A value by its first character (section 4.2.3.1)."""
    begins = text[at : at + 1]
    if begins in b"-0123456789" and begins:
        return _number(text, at)
    if begins == b'"':
        content, end = _within(_TEXT, text, at)
        return Text(_ESCAPED.sub(rb"\1", content)), end
    if begins == b"?":
        content, end = _within(_BOOLEAN, text, at)
        return content == b"1", end
    if begins == b":":
        return _sequence(text, at)
    if begins == b"@":
        content, end = _taken(_DATE, text, at)
        return Opaque(content), end
    if begins == b"%":
        return _display(text, at)
    content, end = _taken(_TOKEN, text, at)
    return Token(content), end


def _within(pattern: re.Pattern[bytes], text: bytes, at: int) -> tuple[bytes, int]:
    match = pattern.match(text, at)
    if match is None:
        raise _Broken
    return match[1], match.end()


def _number(text: bytes, at: int) -> tuple[int | float, int]:
    """At most 15 digits, or 12 before the point and 3 behind it (section 4.2.4)."""
    match = _NUMBER.match(text, at)
    if match is None or len(match[1]) > (15 if match[2] is None else 12) or len(match[2] or b"") > 3:
        raise _Broken
    if text[match.end() : match.end() + 1] == b".":
        raise _Broken
    return (int(match[0]) if match[2] is None else float(match[0])), match.end()


def _sequence(text: bytes, at: int) -> tuple[Opaque, int]:
    content, end = _within(_BYTES, text, at)
    bare = content.rstrip(b"=")
    try:
        binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))  # padding may be missing (section 4.2.7)
    except binascii.Error as error:
        raise _Broken from error
    return Opaque(content), end


def _display(text: bytes, at: int) -> tuple[Opaque, int]:
    content, end = _within(_DISPLAY, text, at)
    try:
        _PERCENT.sub(lambda met: bytes((int(met[1], 16),)), content).decode()
    except UnicodeDecodeError as error:
        raise _Broken from error
    return Opaque(content), end
