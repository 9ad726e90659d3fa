"""Asks a proxy over a bare socket, and keeps every field and every interim answer as it came."""

import gzip
import re
import socket
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import brotli

from tests.leaks.origin import Site

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Fields = list[tuple[str, str]]
Sent = tuple[tuple[str, str], ...]

_UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress, "zstd": zstd.decompress}


@dataclass(frozen=True, slots=True)
class Got:
    """One answer. `hints` are the fields of the interim answers before it."""

    status: int
    fields: Fields
    body: bytes
    hints: Fields

    def all(self, name: str) -> list[str]:
        fields, name = (self.hints, name[4:]) if name.startswith("103 ") else (self.fields, name)
        return [value for key, value in fields if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return ", ".join(values) if values else None


@dataclass(slots=True)
class Viewer:
    """Somebody in front of a proxy that shows `site` below its prefix."""

    site: Site
    kept: dict[str, Got] = field(default_factory=dict)

    @property
    def public(self) -> str:
        return self.site.public

    @property
    def prefix(self) -> str:
        return self.site.prefix

    def page(self, path: str) -> Got:
        """A page of the application, asked for once."""
        if path not in self.kept:
            self.kept[path] = self.get(self.prefix + path)
        return self.kept[path]

    def get(self, target: str, *fields: tuple[str, str], method: str = "GET") -> Got:
        parts = urlsplit(self.public)
        assert parts.hostname is not None and parts.port is not None
        lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += ["Accept-Encoding: gzip, deflate, br, zstd", *(f"{name}: {value}" for name, value in fields)]
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as wire:
            wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            return _read(b"".join(_all(wire)), method)


def _all(wire: socket.socket) -> Iterator[bytes]:
    while some := wire.recv(65536):
        yield some


def _read(said: bytes, method: str) -> Got:
    hints: Fields = []
    while True:
        head, _, said = said.partition(b"\r\n\r\n")
        status, fields = _head(head.decode("latin-1"))
        if status >= 200:
            return Got(status, fields, b"" if method == "HEAD" else _body(fields, said), hints)
        hints += fields


def _head(text: str) -> tuple[int, Fields]:
    first, *lines = text.split("\r\n")
    split = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), [(name, value.strip()) for name, _, value in split]


def _body(fields: Fields, said: bytes) -> bytes:
    told = {name.lower(): value for name, value in fields}
    body = _joined(said) if "chunked" in told.get("transfer-encoding", "") else said
    unpack = _UNPACK.get(told.get("content-encoding", ""))
    return unpack(body) if unpack and body else body


def _joined(said: bytes) -> bytes:
    """Chunks put together (RFC 9112 section 7.1)."""
    parts = []
    while found := re.match(rb"([0-9a-fA-F]+)[^\r]*\r\n", said):
        size, start = int(found[1], 16), found.end()
        parts.append(said[start : start + size])
        said = said[start + size + 2 :]
    return b"".join(parts)
