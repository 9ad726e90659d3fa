"""A directory as an origin, behaving like a website in a bucket: index documents, ETag, Range, an error document.

Nothing outside the folder is read: a path is resolved, links followed, and then has to lie inside. Files are read in
a thread, chunk by chunk.
"""

import asyncio
import mimetypes
import os
import re
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

import gateway.rules.paths as paths
import gateway.rules.ranges as ranges
from gateway.errors import Unreachable
from gateway.message import Fields, Request, Response, Stream, first
from gateway.table import Origin
from gateway.transport.base import Transport

CHUNK = 256 * 1024
SMALL = 64 * 1024
INDEX = "index.html"
MISSING = "404.html"
_HASHED = re.compile(r"[.-][0-9a-fA-F]{8,}\.\w+$")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".avif": "image/avif",
    ".webp": "image/webp",
}


class File(Stream):
    """A part of an open file, read as it is asked for."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length
        self._length = length

    @property
    def length(self) -> int:
        return self._length

    async def read(self) -> bytes:
        if not self._left:
            self._file.close()
            return b""
        chunk = await asyncio.to_thread(self._file.read, min(CHUNK, self._left))
        if not chunk:
            self._file.close()
            raise Unreachable("A file became shorter while it was sent.", proxy_error="http_response_incomplete")
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()


class Folder:
    """Serves `file:` origins; relative folders are relative to `base`."""

    def __init__(self, base: Path) -> None:
        self._base = base

    async def handle_async_request(self, request: Request, origin: Origin, timeout: float) -> Response:
        if request.method not in (b"GET", b"HEAD"):
            return Response(405, [(b"allow", b"GET, HEAD")], b"")
        try:
            return await asyncio.to_thread(self._answer, request, self._base / origin.folder)
        except OSError as error:
            raise Unreachable(f"A file of {origin.folder} cannot be read: {error.strerror}.") from error

    async def aclose(self) -> None:
        """Nothing is kept open between requests."""

    def _answer(self, request: Request, folder: Path) -> Response:
        root = folder.resolve()
        if not root.is_dir():
            raise Unreachable(f"Folder {folder} is not there.")
        path, query = paths.split(request.target)
        name = unquote_to_bytes(path).decode("utf-8", "surrogateescape").lstrip("/")
        wanted = _inside(root, name)
        if wanted is not None and wanted.is_dir():
            if not path.endswith(b"/") and (wanted / INDEX).is_file():
                location = path + b"/" + (b"?" + query if query is not None else b"")
                return Response(302, [(b"location", location)], b"")
            wanted = _inside(root, os.path.join(name, INDEX))
        elif path.endswith(b"/"):
            wanted = None  # a file is no folder
        if wanted is None or not wanted.is_file():
            missing = _inside(root, MISSING)
            if missing is None or not missing.is_file():
                return Response(404, [(b"content-type", b"text/plain")], b"No such file.\n")
            return _file(request, missing, 404)
        return _file(request, wanted, 200)


def _inside(root: Path, name: str) -> Path | None:
    """The file or folder of that name, unless it is hidden or leads out of the root."""
    if "\0" in name or any(part.startswith(".") for part in Path(name).parts):
        return None
    try:
        found = (root / name).resolve()
        found.is_dir()  # raises for names that no file system has
    except (OSError, RuntimeError):
        return None
    return found if found == root or root in found.parents else None


def _file(request: Request, path: Path, status: int) -> Response:
    file = path.open("rb")
    try:
        stat = os.fstat(file.fileno())
        size = stat.st_size
        etag = b'"%x-%x"' % (stat.st_mtime_ns, size)
        fields: Fields = [
            (b"content-type", _type(path)),
            (b"etag", etag),
            (b"last-modified", formatdate(stat.st_mtime, usegmt=True).encode()),
            (b"accept-ranges", b"bytes"),
            (b"cache-control", b"public, max-age=31536000, immutable" if _HASHED.search(path.name) else b"no-cache"),
        ]
        if status == 200 and _held(request, etag):
            file.close()
            return Response(304, fields, b"")
        span = _span(request, etag, size) if status == 200 else None
    except ValueError:
        file.close()
        return Response(416, [(b"content-range", b"bytes */%d" % size)], b"")
    except BaseException:
        file.close()
        raise
    start, length = 0, size
    if span is not None:
        start, length = span[0], span[1] - span[0] + 1
        status = 206
        fields.append((b"content-range", b"bytes %d-%d/%d" % (span[0], span[1], size)))
    fields.append((b"content-length", b"%d" % length))
    if request.method == b"HEAD":
        file.close()
        return Response(status, fields, b"")
    file.seek(start)
    if length <= SMALL:
        with file:
            return Response(status, fields, file.read(length))
    return Response(status, fields, File(file, length))


def _held(request: Request, etag: bytes) -> bool:
    held = first(request.headers, b"if-none-match")
    return held is not None and any(tag.strip().removeprefix(b"W/") in (etag, b"*") for tag in held.split(b","))


def _span(request: Request, etag: bytes, size: int) -> tuple[int, int] | None:
    condition = first(request.headers, b"if-range")
    if condition is not None and condition.strip() != etag:
        return None
    return ranges.asked(first(request.headers, b"range"), size)


def _type(path: Path) -> bytes:
    known = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
    return (known or "application/octet-stream").encode()


_: type[Transport] = Folder
