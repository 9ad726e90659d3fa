"""A bucket with a website in it: files by key, index documents, a 404 document, and nothing cleverer.

What such stores do, this does: strong ETags, conditional and ranged reads, long life for hashed names, XML for a key
that is not there. What they do not do, this does not: list folders, rewrite paths, look outside the folder, run code.
"""

import argparse
import contextlib
import hashlib
import mimetypes
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

# What an uploader would write into each object's metadata, by key; the first that fits counts.
LIFETIMES = [
    (re.compile(r"\.[0-9a-f]{8}\.\w+$"), "public, max-age=31536000, immutable"),
    (re.compile(r"^fragments/"), "public, max-age=0, s-maxage=60, stale-while-revalidate=600, stale-if-error=86400"),
    (re.compile(r"\.html$"), "no-cache"),
    (re.compile(r""), "public, max-age=0, must-revalidate"),
]
# Named here, not asked of the machine's own tables, so that every machine answers alike.
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
TEXTUAL = ("text/", "application/json", "application/xml", "image/svg+xml")


@dataclass(frozen=True)
class Answer:
    """What to send: `body` is either bytes, or a file of which `span` is sent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Path = b""
    span: range = range(0)

    @property
    def length(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else len(self.span)


def locate(root: Path, path: str) -> Path | None:
    """The object's file, or the folder of that name; None for anything that could lead out of `root`."""
    segments = unquote(path).split("/")[1:]
    if any(not segment or segment.startswith(".") or "\\" in segment or "\0" in segment for segment in segments[:-1]):
        return None
    if segments[-1].startswith(".") or "\0" in segments[-1]:
        return None
    found = root.joinpath(*segments, "index.html" if not segments[-1] else "").resolve()
    return found if found.is_relative_to(root) and found.exists() else None


def answer(root: Path, target: str, fields: Mapping[str, str]) -> Answer:
    path = urlsplit("http://bucket" + target).path if target.startswith("/") else "/"
    found = locate(root, path)
    if found is None:
        return not_found(root, path)
    if found.is_dir():
        return redirect(path) if (found / "index.html").is_file() else not_found(root, path)
    return read(root, found, fields)


def redirect(path: str) -> Answer:
    """A folder without its slash, as bucket websites answer it."""
    return Answer(302, {"Location": quote(unquote(path)) + "/"})


def not_found(root: Path, path: str) -> Answer:
    document = root / "404.html"
    if document.is_file():
        return Answer(
            404, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}, document.read_bytes()
        )
    key = escape(unquote(path).removeprefix("/"))
    error = f"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>{key}</Key></Error>"
    return Answer(404, {"Content-Type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'.encode())


def read(root: Path, file: Path, fields: Mapping[str, str]) -> Answer:
    stat = file.stat()
    tag = etag(file, stat.st_mtime_ns)
    headers = {
        "ETag": tag,
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        "Cache-Control": lifetime(file.relative_to(root).as_posix()),
    }
    if is_known(fields, tag, int(stat.st_mtime)):
        return Answer(304, headers)
    headers |= {"Content-Type": media_type(file), "Accept-Ranges": "bytes"}
    wanted = fields.get("Range") if fields.get("If-Range", tag) == tag else None
    span = ranged(wanted, stat.st_size)
    if span is None:
        return Answer(200, headers, file, range(stat.st_size))
    if not span:
        return Answer(416, {"Content-Range": f"bytes */{stat.st_size}"})
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{stat.st_size}"
    return Answer(206, headers, file, span)


@lru_cache(maxsize=4096)
def etag(file: Path, changed: int) -> str:
    """By content, so that publishing the same bytes again changes nothing; `changed` only ends the cached answer."""
    return f'"{hashlib.sha256(file.read_bytes()).hexdigest()[:32]}"'


def lifetime(key: str) -> str:
    return next(value for pattern, value in LIFETIMES if pattern.search(key))


def media_type(file: Path) -> str:
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(TEXTUAL) else kind


def is_known(fields: Mapping[str, str], tag: str, changed: int) -> bool:
    """RFC 9110 §13.2.2: If-None-Match decides alone when it is there."""
    if (tags := fields.get("If-None-Match")) is not None:
        return tags.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in tags.split(","))
    try:
        return changed <= parsedate_to_datetime(fields.get("If-Modified-Since", "")).timestamp()
    except (TypeError, ValueError):
        return False


def ranged(wanted: str | None, size: int) -> range | None:
    """The one span asked for; empty when nothing of it exists; None when the whole is to be sent (RFC 9110 §14.2)."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1 if last else size))


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = 75
    root = Path()
    delay = 0.0

    def do_GET(self) -> None:
        time.sleep(Door.delay)
        self.send(answer(self.root, self.path, {name.title(): value for name, value in self.headers.items()}))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Closed to everyone, but for the demo's own knob: how slow should this team be?"""
        self.close_connection = True
        asked = urlsplit(self.path)
        if asked.path != "/__demo/slow" or os.environ.get("DEMO_CONTROL") != "1":
            return self.send(Answer(405, {"Allow": "GET, HEAD", "Connection": "close"}))
        Door.delay = min(30.0, max(0.0, float(parse_qs(asked.query).get("seconds", ["0"])[0])))
        return self.send(
            Answer(200, {"Content-Type": "text/plain", "Connection": "close"}, f"{Door.delay:g}\n".encode())
        )

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST

    def send(self, found: Answer) -> None:
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        if found.status != 304:
            self.send_header("Content-Length", str(found.length))
        self.end_headers()
        if self.command != "HEAD":
            self.pour(found)

    def pour(self, found: Answer) -> None:
        if isinstance(found.body, bytes):
            self.wfile.write(found.body)
            return
        with found.body.open("rb") as file:
            file.seek(found.span.start)
            left = len(found.span)
            while left and (piece := file.read(min(left, 256 * 1024))):
                self.wfile.write(piece)
                left -= len(piece)

    def version_string(self) -> str:
        return "bucket"

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, flush=True)


class Bucket(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer who leaves early is no news."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a folder as a bucket website.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    options = parser.parse_args()
    Door.root = options.folder.resolve(strict=True)
    with Bucket((options.host, options.port), Door) as bucket:
        print(f"bucket {options.folder} on http://{options.host}:{bucket.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            bucket.serve_forever()


if __name__ == "__main__":
    main()
