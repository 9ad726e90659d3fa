"""Bodies pass through in pieces: memory does not grow with them, however slow a viewer or an origin is."""

import hashlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.kit.memory import Growth
from tests.kit.queues import queued
from tests.live.portal import Portal, gateway_for, soon

MB = 1 << 20
SIZE = 200 * MB
ROOM = 20 * MB  # what a worker may grow by, whatever passes through it
KEPT = 2 * MB  # what it may hold of one body that nobody takes; the kernel holds more, as it likes
STALL = 1.5  # seconds somebody does nothing
BLOCK = random.Random(7).randbytes(MB)  # not compressible, never twice the same: each block begins with its number


def blocks(size: int = SIZE) -> Iterator[bytes]:
    for number in range(size // MB):
        yield number.to_bytes(8, "big") + BLOCK[8:]


def digest_of(parts: Iterator[bytes]) -> str:
    seen = hashlib.sha256()
    for part in parts:
        seen.update(part)
    return seen.hexdigest()


DIGEST = digest_of(blocks())


PAUSE = 1.0
LINE = b'<p><a href="/x">x</a>' + b"word " * 1000
TOLD = {
    "/events": ("text/event-stream", [b"data: one\n\n", b"data: two\n\n"]),
    "/page": ("text/html", [b'<!doctype html><title>x</title><a href="/a">a</a>', b'<a href="/b">b</a>']),
    "/long-page": ("text/html", [LINE * 200] * 40),
    "/long-style": ("text/css", [b"a{background:url(/x.svg)}" + b"/* word */" * 100] * 8_000),
}


@dataclass(slots=True)
class Files:
    """An origin that sends SIZE bytes and digests what it is sent. `reading` may be held back."""

    port: int = 0
    sent: int = 0
    read: int = 0
    broken: int = 0
    reading: threading.Event = field(default_factory=threading.Event)


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: Files

    def do_GET(self) -> None:
        if self.path in TOLD:
            return self.tell(*TOLD[self.path])
        counted = self.path == "/counted"
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header(*(("Content-Length", str(SIZE)) if counted else ("Transfer-Encoding", "chunked")))
        self.end_headers()
        try:
            for block in blocks():
                self.wfile.write(block if counted else b"%x\r\n%b\r\n" % (len(block), block))
                self.files.sent += len(block)
            self.wfile.write(b"" if counted else b"0\r\n\r\n")
        except OSError:
            self.files.broken += 1
            self.close_connection = True

    def tell(self, kind: str, parts: list[bytes]) -> None:
        """Parts of a text, with a second between the first and the others."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, part in enumerate(parts):
            time.sleep(PAUSE if number == 1 else 0)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def do_PUT(self) -> None:
        self.files.reading.wait(20)
        try:
            said = digest_of(self.body()).encode()
        except (OSError, ValueError):
            self.files.broken += 1
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def body(self) -> Iterator[bytes]:
        for length in self.lengths():
            while length:
                part = self.rfile.read(min(length, MB))
                if not part:
                    raise ValueError("the body ended early")
                length -= len(part)
                self.files.read += len(part)
                yield part

    def lengths(self) -> Iterator[int]:
        if "Content-Length" in self.headers:
            yield int(self.headers["Content-Length"])
            return
        while length := int(self.rfile.readline().partition(b";")[0], 16):
            yield length
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, format: str, *words: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False


@pytest.fixture(scope="module")
def served() -> Iterator[Files]:
    files = Files()
    files.reading.set()
    with Server(("127.0.0.1", 0), type("FilesDoor", (Door,), {"files": files})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        files.port = server.server_port
        yield files
        files.reading.set()
        server.shutdown()
        thread.join(5)


@pytest.fixture
def files(served: Files) -> Files:
    """The origin, with nothing counted yet."""
    served.sent = served.read = served.broken = 0
    return served


@pytest.fixture(scope="module")
def portal(served: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    manifest = f"""\
team: files
upstreams:
  files: {{ origins: ["http://127.0.0.1:{served.port}"], timeout: 30s }}
mounts:
  /files: {{ upstream: files }}
"""
    with gateway_for(tmp_path_factory.mktemp("bodies"), {"files": manifest}) as portal:
        with httpx.Client(base_url=portal.url) as visitor:  # one small body each way: what every first one costs
            assert visitor.put("/files/", content=BLOCK).status_code == 200
        yield portal


@pytest.fixture
def growth(portal: Portal) -> Growth:
    growth = Growth(portal.child.pid)
    growth.begin()
    return growth


def settled(count: Callable[[], int]) -> int:
    """A count that has not changed for STALL seconds, whenever that is."""
    last, since = count(), time.monotonic()
    while time.monotonic() - since < STALL:
        time.sleep(0.1)
        if (now := count()) != last:
            last, since = now, time.monotonic()
    return last


@pytest.mark.parametrize("framing", ["counted", "chunked"])
def test_a_download_passes_through(portal: Portal, growth: Growth, framing: str) -> None:
    with httpx.stream("GET", f"{portal.url}/files/{framing}", timeout=30) as answer:
        assert answer.status_code == 200
        assert digest_of(answer.iter_raw()) == DIGEST
    assert growth.most < ROOM


@pytest.mark.parametrize("framing", ["counted", "chunked"])
def test_an_upload_passes_through(portal: Portal, growth: Growth, framing: str) -> None:
    headers = {"Content-Length": str(SIZE)} if framing == "counted" else {}
    answer = httpx.put(f"{portal.url}/files/", content=blocks(), headers=headers, timeout=30)
    assert (answer.status_code, answer.text) == (200, DIGEST)
    assert growth.most < ROOM


def test_a_stalled_viewer_holds_its_origin_back(files: Files, portal: Portal, growth: Growth) -> None:
    with viewer(portal) as wire:
        wire.sendall(b"GET /files/counted HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n")
        assert settled(lambda: files.sent) - queued(files.port, port_of(portal)) < KEPT
        assert growth.most < ROOM
        body = 0
        while part := wire.recv(MB):
            body += len(part)
    assert body > SIZE
    assert growth.most < ROOM


def test_a_stalled_origin_holds_its_viewer_back(files: Files, portal: Portal, growth: Growth) -> None:
    files.reading.clear()
    sent = [0]
    with viewer(portal) as wire:
        wire.sendall(b"PUT /files/ HTTP/1.1\r\nHost: portal\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % SIZE)

        def upload() -> None:
            for block in blocks():
                wire.sendall(block)
                sent[0] += len(block)

        uploading = threading.Thread(target=upload, daemon=True)
        uploading.start()
        assert settled(lambda: sent[0]) - queued(files.port, port_of(portal)) < KEPT
        assert growth.most < ROOM
        files.reading.set()
        uploading.join(30)
        answer = b"".join(iter(lambda: wire.recv(MB), b""))
    assert answer.endswith(DIGEST.encode())
    assert growth.most < ROOM


def test_a_hundred_stalled_viewers_are_held_too(files: Files, portal: Portal, growth: Growth) -> None:
    wires = [viewer(portal) for _ in range(100)]
    try:
        for wire in wires:
            wire.sendall(b"GET /files/chunked HTTP/1.1\r\nHost: portal\r\n\r\n")
        settled(lambda: files.sent)
        assert growth.most < len(wires) * MB
        assert portal.get("/-/health/live").status_code == 200
    finally:
        for wire in wires:
            wire.close()
    soon(lambda: files.broken == 100, 5)


def test_a_viewer_that_leaves_ends_the_transfer(files: Files, portal: Portal) -> None:
    wire = viewer(portal)
    wire.sendall(b"GET /files/counted HTTP/1.1\r\nHost: portal\r\n\r\n")
    soon(lambda: files.sent > 0)
    wire.close()
    soon(lambda: files.broken == 1, 3)
    assert files.sent < SIZE


def test_an_upload_that_breaks_off_does_not_arrive_as_whole(files: Files, portal: Portal) -> None:
    for number, framing in enumerate((b"Content-Length: 5000000", b"Transfer-Encoding: chunked"), 1):
        files.read = 0
        wire = viewer(portal)
        wire.sendall(b"PUT /files/ HTTP/1.1\r\nHost: portal\r\n" + framing + b"\r\n\r\n")
        wire.sendall(b"%x\r\n" % 5_000_000 + BLOCK)
        soon(lambda: files.read > 0)
        wire.close()
        soon(lambda number=number: files.broken == number, 3)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [("events", b"data: one", b"data: two"), ("page", b'<a href="/files/a">', b'<a href="/files/b">')],
)
def test_what_is_there_is_passed_on_at_once(portal: Portal, path: str, first: bytes, last: bytes) -> None:
    with httpx.stream("GET", f"{portal.url}/files/{path}", timeout=10) as answer:
        parts = answer.iter_bytes()
        said = next(parts)
        assert first in said and last not in said
        assert last in b"".join(parts)


@pytest.mark.parametrize(
    ("path", "mapped", "count"),
    [("long-page", b'href="/files/x"', 200 * 40), ("long-style", b"url(/files/x.svg)", 8_000)],
)
def test_a_long_text_is_rewritten_as_it_passes(
    portal: Portal, growth: Growth, path: str, mapped: bytes, count: int
) -> None:
    answer = httpx.get(f"{portal.url}/files/{path}", timeout=30)
    assert answer.content.count(mapped) == count
    assert growth.most < ROOM


def viewer(portal: Portal) -> socket.socket:
    """A viewer whose own buffers hold little."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    wire.settimeout(30)
    wire.connect(("127.0.0.1", port_of(portal)))
    return wire


def port_of(portal: Portal) -> int:
    return int(portal.url.rpartition(":")[2])
