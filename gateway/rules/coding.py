"""Content codings: undone so that a body can be read, and one gzip stream joined from parts deflated once.

Limits come first: a body that swells beyond them is refused while it is unpacked, not afterwards.
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache

import brotli

from gateway.errors import BadAnswer

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_GZIP_END = b"\x03\x00"  # an empty last block (RFC 1951 section 3.2.6)


class Decoder:
    """One body, chunk after chunk, out of its coding; at most `limit` bytes come out."""

    def __init__(self, coding: bytes, limit: int) -> None:
        self._left = limit
        self._brotli = brotli.Decompressor() if coding == b"br" else None
        self._raw = b"" if coding == b"deflate" else None
        self._members = coding in (b"gzip", b"x-gzip")
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16) if self._members else None
        if self._brotli is None and self._raw is None and self._zlib is None:
            raise BadAnswer(f"The coding {coding.decode('latin-1')!r} cannot be undone.")

    def feed(self, chunk: bytes) -> bytes:
        try:
            out = self._brotli.process(chunk) if self._brotli is not None else self._inflate(chunk)
        except (brotli.error, zlib.error) as error:
            raise BadAnswer(f"The body is not in the coding its Content-Encoding names: {error}.") from error
        self._left -= len(out)
        if self._left < 0:
            raise BadAnswer("The body unpacks to more than may be read of it.")
        return out

    def close(self) -> bytes:
        """Raises errors.BadAnswer when the body ended too early."""
        done = self._brotli.is_finished() if self._brotli is not None else self._zlib is not None and self._zlib.eof
        if not done:
            raise BadAnswer("The body ends in the middle of its coding.")
        return b""

    def _inflate(self, chunk: bytes) -> bytes:
        if self._zlib is None:
            # "deflate" is zlib's format, yet some send the bare one (RFC 9110 section 8.4.1.2)
            bare = not (chunk[:1] and chunk[0] & 0x0F == 8)
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS)
        out = self._zlib.decompress(chunk, self._left + 1)
        while self._members and self._zlib.eof and self._zlib.unused_data and len(out) <= self._left:
            # several members are one body (RFC 1952 section 2.2)
            rest = self._zlib.unused_data
            self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)
            out += self._zlib.decompress(rest, self._left - len(out) + 1)
        if self._zlib.unconsumed_tail:
            raise BadAnswer("The body unpacks to more than may be read of it.")
        return out


def decoded(body: bytes, coding: bytes, limit: int) -> bytes:
    """A whole body out of its coding."""
    if coding in (b"", b"identity"):
        return body
    decoder = Decoder(coding, limit)
    return decoder.feed(body) + decoder.close()


@lru_cache(maxsize=4096)
def deflated(part: bytes) -> bytes:
    """A part as raw deflate that ends on a byte boundary and refers to nothing before it (RFC 1951)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)


class Joint:
    """One gzip stream (RFC 1952) of parts that come one after the other, from blocks that were deflated once each."""

    def __init__(self) -> None:
        self._crc = 0
        self._size = 0
        self._begun = False

    def add(self, parts: Iterable[bytes]) -> bytes:
        packed = [] if self._begun else [_GZIP_HEAD]
        self._begun = True
        for part in parts:
            if part:
                packed.append(deflated(part))
                self._crc = zlib.crc32(part, self._crc)
                self._size += len(part)
        return b"".join(packed)

    def end(self) -> bytes:
        head = b"" if self._begun else _GZIP_HEAD
        return head + _GZIP_END + self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")


def joined_gzip(parts: Iterable[bytes]) -> bytes:
    """All parts as one gzip stream."""
    joint = Joint()
    return joint.add(parts) + joint.end()
