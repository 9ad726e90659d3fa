"""Content codings: undone so that a body can be read, done again when it was edited, gzip joined from deflated parts.

Limits come first: a body that swells beyond them is refused while it is unpacked, not afterwards.
"""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol

import brotli

from gateway.errors import BadAnswer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STEP = 256 * 1024  # bytes that are unpacked in one go

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_MEMBER = b"\x1f\x8b"  # what each begins with
_GZIP_END = b"\x03\x00"  # an empty last block (RFC 1951 section 3.2.6)


class Decoder:
    """One body, chunk after chunk, out of its coding; at most `limit` bytes come out."""

    def __init__(self, coding: bytes, limit: int) -> None:
        make = _UNPACKERS.get(coding)
        if make is None:
            raise BadAnswer(f"The coding {coding.decode('latin-1')!r} cannot be undone.")
        self._unpacker = make()
        self._left = limit

    def feed(self, chunk: bytes) -> bytes:
        return b"".join(self.steps(chunk))

    def steps(self, chunk: bytes) -> Iterator[bytes]:
        """What a chunk unpacks to, some STEP bytes at a time: a small chunk may hold a thousand times as much."""
        try:
            for out in self._unpacker.steps(chunk):
                self._left -= len(out)
                if self._left < 0:
                    raise BadAnswer("The body unpacks to more than may be read of it.")
                if out:
                    yield out
        except (brotli.error, zlib.error, zstd.ZstdError) as error:
            raise BadAnswer(f"The body is not in the coding its Content-Encoding names: {error}.") from error

    def close(self) -> bytes:
        """Raises errors.BadAnswer when the body ended too early."""
        if not self._unpacker.done:
            raise BadAnswer("The body ends in the middle of its coding.")
        return b""


class _Unpacker(Protocol):
    @property
    def done(self) -> bool: ...

    def steps(self, chunk: bytes) -> Iterator[bytes]: ...


class _Gzip:
    """Several members are one body (RFC 1952 section 2.2); what follows and is none is passed over, as by browsers."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def done(self) -> bool:
        return self._zlib.eof

    def steps(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._zlib.eof:
                if not _MEMBER.startswith(chunk[:2]):
                    return
                self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield self._zlib.decompress(chunk, STEP)
            chunk = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail


class _Deflate:
    """ "deflate" is zlib's format, yet some send the bare one (RFC 9110 section 8.4.1.2)."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj()
        self._begun = False

    @property
    def done(self) -> bool:
        return self._zlib.eof

    def steps(self, chunk: bytes) -> Iterator[bytes]:
        if chunk and not self._begun:
            self._begun = True
            if chunk[0] & 0x0F != 8:
                self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        while chunk and not self._zlib.eof:
            yield self._zlib.decompress(chunk, STEP)
            chunk = self._zlib.unconsumed_tail


class _Brotli:
    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()

    @property
    def done(self) -> bool:
        return bool(self._brotli.is_finished())

    def steps(self, chunk: bytes) -> Iterator[bytes]:
        yield self._brotli.process(chunk, output_buffer_limit=STEP)
        while not self._brotli.can_accept_more_data():
            yield self._brotli.process(b"", output_buffer_limit=STEP)


class _Zstd:
    """Frames one after the other (RFC 8878 section 3), none with a window above 8 MiB (RFC 9659)."""

    def __init__(self) -> None:
        self._zstd = self._frame()

    @staticmethod
    def _frame() -> "zstd.ZstdDecompressor":
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 23})

    @property
    def done(self) -> bool:
        return self._zstd.eof

    def steps(self, chunk: bytes) -> Iterator[bytes]:
        while chunk or not (self._zstd.needs_input or self._zstd.eof):
            if self._zstd.eof:
                self._zstd = self._frame()
            yield self._zstd.decompress(chunk, STEP)
            chunk = self._zstd.unused_data if self._zstd.eof else b""


_UNPACKERS: Mapping[bytes, Callable[[], _Unpacker]] = {
    b"gzip": _Gzip,
    b"x-gzip": _Gzip,
    b"br": _Brotli,
    b"deflate": _Deflate,
    b"zstd": _Zstd,
}
DECODES = frozenset(_UNPACKERS)


def decoded(body: bytes, coding: bytes, limit: int) -> bytes:
    """A whole body out of its coding."""
    if coding in (b"", b"identity") or not body:
        return body
    decoder = Decoder(coding, limit)
    return decoder.feed(body) + decoder.close()


class Encoder:
    """One body, chunk after chunk, into a coding; what a chunk brings can be read at once, so that a stream streams.

    Quality is what servers use for answers made on the fly.
    """

    def __init__(self, coding: bytes) -> None:
        self._packer = _PACKERS[coding]()

    def feed(self, chunk: bytes) -> bytes:
        return self._packer.feed(chunk) if chunk else b""

    def close(self) -> bytes:
        return self._packer.close()


class _Packer(Protocol):
    def feed(self, chunk: bytes) -> bytes: ...

    def close(self) -> bytes: ...


class _Zlibbed:
    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.compressobj(6, zlib.DEFLATED, wbits)

    def feed(self, chunk: bytes) -> bytes:
        return self._zlib.compress(chunk) + self._zlib.flush(zlib.Z_SYNC_FLUSH)

    def close(self) -> bytes:
        return self._zlib.flush()


class _Brotlied:
    def __init__(self) -> None:
        self._brotli = brotli.Compressor(quality=5)

    def feed(self, chunk: bytes) -> bytes:
        return bytes(self._brotli.process(chunk) + self._brotli.flush())

    def close(self) -> bytes:
        return bytes(self._brotli.finish())


class _Zstded:
    def __init__(self) -> None:
        self._zstd = zstd.ZstdCompressor(level=3)

    def feed(self, chunk: bytes) -> bytes:
        return self._zstd.compress(chunk, zstd.ZstdCompressor.FLUSH_BLOCK)

    def close(self) -> bytes:
        return self._zstd.flush()


_PACKERS: Mapping[bytes, Callable[[], _Packer]] = {
    b"gzip": lambda: _Zlibbed(zlib.MAX_WBITS | 16),
    b"x-gzip": lambda: _Zlibbed(zlib.MAX_WBITS | 16),
    b"deflate": lambda: _Zlibbed(zlib.MAX_WBITS),
    b"br": _Brotlied,
    b"zstd": _Zstded,
}


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
