"""Events and long polls through a mount: what is said is heard at once, and who stops listening is noticed at once."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.live.portal import Portal, gateway_for, soon

AT_ONCE = 0.05  # seconds from an origin's saying to a viewer's hearing: of several the least, a busy machine only adds
COUNT = 20


@dataclass(slots=True)
class News:
    """When each event was said, and how each request ended, as the origin saw it."""

    port: int = 0
    said: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)
    heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    open: int = 0


class Teller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    news: News

    def do_GET(self) -> None:
        kind = {"/events": "text/event-stream", "/quiet": "text/event-stream"}.get(self.path, "application/json")
        heard = self.news.heard  # the test's own: the next test brings another
        self.news.open += 1
        if self.path == "/poll":
            self.news.go.wait(5)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if self.path == "/old":
            self.send_header("Connection", "close")
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(OSError):
            self.tell(heard)
            return
        self.close_connection = True

    def tell(self, heard: threading.Semaphore) -> None:
        if self.path == "/quiet":
            self.say(b": here\n\n")
            self.listen()
            return
        for number in range(COUNT if self.path == "/events" else 1):
            self.say(b"data: %d\n\n" % number)
            heard.acquire(timeout=10)  # nothing more, and no end, before this has been heard
        if self.path != "/old":
            self.wfile.write(b"0\r\n\r\n")

    def say(self, text: bytes) -> None:
        self.news.said.append(time.monotonic())
        self.wfile.write(text if self.path == "/old" else b"%x\r\n%b\r\n" % (len(text), text))

    def listen(self) -> None:
        """Says nothing until the other end is gone."""
        self.connection.settimeout(10)
        with suppress(OSError):
            self.connection.recv(1)
        self.news.gone.append(time.monotonic())
        raise ConnectionError

    def log_message(self, format: str, *words: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    block_on_close = False


@pytest.fixture(scope="module")
def told() -> Iterator[News]:
    news = News()
    with Server(("127.0.0.1", 0), type("NewsTeller", (Teller,), {"news": news})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        news.port = server.server_port
        yield news
        server.shutdown()
        thread.join(5)


@pytest.fixture
def news(told: News) -> News:
    told.said.clear()
    told.gone.clear()
    told.go.clear()
    told.heard = threading.Semaphore(0)
    told.open = 0
    return told


@pytest.fixture(scope="module")
def portal(told: News, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    manifest = f"""\
team: news
upstreams:
  news: {{ origins: ["http://127.0.0.1:{told.port}"], timeout: 10s }}
mounts:
  /news: {{ upstream: news }}
"""
    with gateway_for(tmp_path_factory.mktemp("streams"), {"news": manifest}) as portal:
        told.heard.release()
        assert portal.get("/news/old").status_code == 200
        yield portal


@dataclass(slots=True)
class Viewer:
    wire: socket.socket
    _read: bytes = b""

    def hears(self, what: bytes) -> float:
        """When this came."""
        while what not in self._read:
            some = self.wire.recv(65536)
            assert some, self._read
            self._read += some
        self._read = self._read.partition(what)[2]
        return time.monotonic()


@contextmanager
def asking(portal: Portal, target: str) -> Iterator[Viewer]:
    with socket.create_connection(("127.0.0.1", int(portal.url.rpartition(":")[2])), 10) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(f"GET {target} HTTP/1.1\r\nHost: portal\r\nAccept: text/event-stream\r\n\r\n".encode())
        yield Viewer(wire)


def test_every_event_is_heard_at_once(portal: Portal, news: News) -> None:
    times = []
    with asking(portal, "/news/events") as viewer:
        for number in range(COUNT):
            times.append(viewer.hears(b"data: %d\n\n" % number))
            news.heard.release()
    delays = [then - said for said, then in zip(news.said, times, strict=True)]
    assert min(delays) < AT_ONCE


def test_the_first_event_is_heard_at_once(portal: Portal, news: News) -> None:
    delays = []
    for _ in range(5):
        news.said.clear()
        with asking(portal, "/news/quiet") as viewer:
            delays.append(viewer.hears(b": here\n\n") - news.said[0])
    assert min(delays) < AT_ONCE
    soon(lambda: len(news.gone) == 5, 5)


def test_an_answer_that_ends_with_its_connection_is_heard_before_it_ends(portal: Portal, news: News) -> None:
    with asking(portal, "/news/old") as viewer:
        viewer.hears(b"data: 0\n\n")
        news.heard.release()
        assert viewer.wire.recv(65536) in (b"", b"0\r\n\r\n", b"\r\n0\r\n\r\n")


def test_a_long_poll_is_answered_the_moment_there_is_something(portal: Portal, news: News) -> None:
    with asking(portal, "/news/poll") as viewer:
        soon(lambda: news.open == 1, 5)
        assert news.said == []
        news.go.set()
        viewer.hears(b"data: 0\n\n")
        news.heard.release()


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda wire: wire.close(), id="a closed tab"),
        pytest.param(lambda wire: wire.shutdown(socket.SHUT_WR), id="a FIN alone"),
    ],
)
def test_who_leaves_a_quiet_stream_ends_it_at_the_origin(
    portal: Portal, news: News, leave: Callable[[socket.socket], None]
) -> None:
    with asking(portal, "/news/quiet") as viewer:
        viewer.hears(b": here\n\n")
        assert news.gone == []
        leave(viewer.wire)
        soon(lambda: news.gone, 5)  # by itself it would listen for ten seconds


def test_two_hundred_listeners_take_no_pages_place(portal: Portal, news: News) -> None:
    with ExitStack() as stack:
        for viewer in [stack.enter_context(asking(portal, "/news/quiet")) for _ in range(200)]:
            viewer.hears(b": here\n\n")
        news.heard.release()
        assert portal.get("/news/old").status_code == 200
        assert news.gone == []  # they all listen still
    soon(lambda: len(news.gone) == 200, 10)


def test_leaving_does_not_wait_for_who_listens(told: News, tmp_path_factory: pytest.TempPathFactory) -> None:
    manifest = f"team: news\nupstreams: {{news: {{origins: ['http://127.0.0.1:{told.port}']}}}}\n"
    manifest += "mounts: {/news: {upstream: news}}\n"
    with gateway_for(tmp_path_factory.mktemp("leaving"), {"news": manifest}) as portal:
        told.heard.release(5)
        soon(lambda: portal.get("/news/old").status_code == 200, 5)
        with asking(portal, "/news/quiet") as viewer:
            viewer.hears(b": here\n\n")
            began = time.monotonic()
            portal.child.process.terminate()
            with suppress(ConnectionError):
                while viewer.wire.recv(65536):
                    pass
            portal.child.process.wait(9)
            assert time.monotonic() - began < 8  # by itself the origin would listen for ten seconds
