"""Entries as bytes and back, for stores outside the process. Pure.

Format 1: a magic with the format's number, a length, a JSON head, the body. What does not read back whole, with the
body its digest names, is nonsense and is told as ValueError: whoever can write to the store cannot make us run it.
"""

import hashlib
import json
import math
import struct

import gateway.rules.fields as fields
from gateway.message import Entry, Field

MAGIC = b"PTC\x01"
_LENGTH = struct.Struct(">I")
_TIMES = ("stored", "fresh", "revalidate", "error")


def digest(body: bytes) -> bytes:
    """The name of a body's bytes."""
    return hashlib.blake2b(body, digest_size=16).digest()


def encode(entry: Entry) -> bytes:
    head = json.dumps(
        {
            "status": entry.status,
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in entry.headers],
            "digest": entry.digest.hex(),
            "tags": list(entry.tags),
            **{name: getattr(entry, name) for name in _TIMES},
        },
        separators=(",", ":"),
    ).encode()
    return b"".join((MAGIC, _LENGTH.pack(len(head)), head, entry.body))


def decode(data: bytes) -> Entry:
    """Raises ValueError for anything `encode` did not write."""
    if data[:4] != MAGIC or len(data) < 8:
        raise ValueError("not an entry of format 1")
    end = 8 + _LENGTH.unpack_from(data, 4)[0]
    body = data[end:]
    try:
        head = json.loads(data[8:end])
        entry = Entry(
            status=_status(head["status"]),
            headers=tuple(_field(row) for row in head["headers"]),
            body=body,
            digest=bytes.fromhex(head["digest"]),
            stored=_time(head["stored"]),
            fresh=_time(head["fresh"]),
            revalidate=_time(head["revalidate"]),
            error=_time(head["error"]),
            tags=tuple(_text(tag) for tag in head["tags"]),
        )
    except (KeyError, TypeError, AttributeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not an entry: {error}") from error
    if digest(body) != entry.digest:
        raise ValueError("the body is not the one that was stored")
    return entry


def _status(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a status")
    return value


def _time(value: object) -> float:
    if type(value) is not int and type(value) is not float:
        raise TypeError(f"{value!r} is not a time")
    if not math.isfinite(value):
        raise TypeError("a time without end")
    return float(value)


def _field(row: object) -> Field:
    """A field that may go out as it is: nothing in it that could end a line or begin another."""
    if not isinstance(row, list) or len(row) != 2:
        raise TypeError("not a field")
    field = _text(row[0]).encode("latin-1"), _text(row[1]).encode("latin-1")
    if not fields.is_field(field):
        raise TypeError(f"{row!r} is not a field")
    return field


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a tag")
    return value
