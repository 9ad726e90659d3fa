"""Entries as bytes and back, for stores outside the process. Pure.

Format 2: a head of fixed length, the fields, the tags, the body. The head has a digest of all that stands before the
body, and the body's own. What does not read back whole is nonsense and is told as ValueError: whoever can write to the
store cannot make us run it, and a bit that tips over is seen wherever it lies.
"""

import hashlib
import math
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import gateway.rules.fields as fields
from gateway.message import Entry, Field

MAGIC = b"PTC\x02"
STATUSES = 1000  # three digits (RFC 9110 section 15), and 0 for the gateway's own
# magic, digest of the rest of the head with fields and tags, then: status, since, the four times, digest and length of
# the body, how many texts there are among fields and tags, how long these are
_HEAD = struct.Struct(">4s16sHQ4d16sQHHII")
_SEAL = struct.Struct(">4s16s")
_HEADER = _HEAD.size
MEMO = 1024  # packed fields and tags that are kept unpacked: those of the pages asked for most
_SHORT = 2048  # bytes of fields that are worth keeping; a stranger's long ones are not


def digest(body: bytes) -> bytes:
    """The name of a body's bytes."""
    return hashlib.blake2b(body, digest_size=16).digest()


def encode(entry: Entry) -> bytes:
    return head(entry) + entry.body


def head(entry: Entry) -> bytes:
    """All of an entry but its body, which is kept elsewhere; see `lacks`."""
    said = _packed(text for field in entry.headers for text in field)
    tags = _packed(tag.encode("utf-8", "surrogatepass") for tag in entry.tags)
    packed = _HEAD.pack(
        MAGIC,
        b"",
        entry.status,
        entry.since,
        entry.stored,
        entry.fresh,
        entry.revalidate,
        entry.error,
        entry.digest,
        len(entry.body),
        2 * len(entry.headers),
        len(entry.tags),
        len(said),
        len(tags),
    )
    sealed = b"".join((packed[_SEAL.size :], said, tags))
    return _SEAL.pack(MAGIC, digest(sealed)) + sealed


def seal(data: bytes) -> bytes:
    """What two different entries never have in common; of bytes that are none, anything."""
    return data[4:20]


def lacks(data: bytes) -> tuple[bytes, int] | None:
    """Digest and length of the body that belongs to these bytes and is not among them; None where nothing is amiss."""
    if data[:4] != MAGIC or len(data) < _HEADER:
        return None
    *_, name, length, _, _, said, tags = _HEAD.unpack_from(data)
    return (name, length) if length and len(data) == _HEADER + said + tags else None


def decode(data: bytes) -> Entry:
    """Raises ValueError for anything `encode` did not write."""
    if data[:4] != MAGIC or len(data) < _HEADER:
        raise ValueError("not an entry of format 2")
    (_, seal, status, since, stored, fresh, revalidate, error, name, length, texts, tags, said, tagged) = (
        _HEAD.unpack_from(data)
    )
    middle = _HEADER + said
    end = middle + tagged
    body = data[end:]
    if len(body) != length or digest(data[_SEAL.size : end]) != seal or digest(body) != name:
        raise ValueError("the entry is not the one that was stored")
    if status >= STATUSES or not math.isfinite(stored + fresh + revalidate + error):
        raise ValueError("a status or a time that is none")
    headers, marks = _fields(data[_HEADER:middle], texts), _tags(data[middle:end], tags)
    return Entry(status, headers, body, name, stored, fresh, revalidate, error, marks, since)


def _packed(texts: Iterable[bytes]) -> bytes:
    """Lengths, then the texts."""
    said = list(texts)
    return struct.pack(f">{len(said)}I", *map(len, said)) + b"".join(said)


def _unpacked(data: bytes, count: int) -> Sequence[bytes]:
    first = 4 * count
    if first > len(data):
        raise ValueError("fewer texts than were said")
    ends = list(accumulate(struct.unpack_from(f">{count}I", data), initial=first))
    if ends[-1] != len(data):
        raise ValueError("texts of another length than was said")
    return [data[start:end] for start, end in pairwise(ends)]


def _fields(data: bytes, count: int) -> tuple[Field, ...]:
    return _known_fields(data, count) if len(data) <= _SHORT else _read_fields(data, count)


def _read_fields(data: bytes, count: int) -> tuple[Field, ...]:
    """Fields that may go out as they are: nothing in them that could end a line or begin another."""
    texts = _unpacked(data, count)
    names, values = texts[::2], texts[1::2]
    if not names:
        return ()
    # all names in a row are a token if each is one and none is empty; the same goes for the values
    if len(names) != len(values) or not all(names) or not fields.is_field((b"".join(names), b"".join(values))):
        raise ValueError("not fields")
    return tuple(zip(names, values, strict=True))


_known_fields = lru_cache(MEMO)(_read_fields)


def _tags(data: bytes, count: int) -> tuple[str, ...]:
    return tuple(text.decode("utf-8", "surrogatepass") for text in _unpacked(data, count))
