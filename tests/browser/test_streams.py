"""What a browser's own WebSocket and EventSource make of a mount: their negotiation, their ends, their pace."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

import tests.kit.browser as browsers
import tests.kit.websocket as websocket
from tests.kit.websocket import Server
from tests.live.portal import Portal, gateway_for

PAGE = b"<!doctype html><title>x</title><link rel=icon href=data:,><p>x"


class Pages(BaseHTTPRequestHandler):
    """A page, and three events a moment apart."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/events":
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(3):
                text = f"id: {number}\ndata: {time.time() * 1000}\n\n".encode()
                self.wfile.write(b"%x\r\n%b\r\n" % (len(text), text))
                time.sleep(0.1)
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *words: object) -> None:
        pass


class Serving(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@pytest.fixture(scope="module")
def chat() -> Iterator[Server]:
    with websocket.serving() as server:
        yield server


@pytest.fixture(scope="module")
def portal(chat: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with Serving(("127.0.0.1", 0), Pages) as pages:
        thread = threading.Thread(target=pages.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        manifest = f"""\
team: news
upstreams:
  pages: {{ origins: ["http://127.0.0.1:{pages.server_port}"], timeout: 5s }}
  chat: {{ origins: ["http://127.0.0.1:{chat.port}"], timeout: 5s }}
mounts:
  /news: {{ upstream: pages, links_to: [/a/b/chat] }}
  /a/b/chat: {{ upstream: chat }}
"""
        with gateway_for(tmp_path_factory.mktemp("streams"), {"news": manifest}) as portal:
            yield portal
        pages.shutdown()
        thread.join(5)


@pytest.fixture(scope="module")
def page(portal: Portal) -> Iterator[Page]:
    with browsers.launched(browsers.find()) as browser:
        page = browser.new_page()
        page.goto(f"{portal.url}/news/")
        yield page


def test_a_websocket_with_a_subprotocol_and_deflate(page: Page, chat: Server) -> None:
    said = page.evaluate("""() => new Promise((told, failed) => {
        const socket = new WebSocket(`ws://${location.host}/a/b/chat/room?a=1`, ["v2.chat", "v1.chat"]);
        const got = [];
        socket.binaryType = "arraybuffer";
        socket.onerror = () => failed(new Error("refused"));
        socket.onopen = () => { socket.send("word ".repeat(20000)); socket.send(new Uint8Array(1 << 20)); };
        socket.onmessage = event => {
            got.push(typeof event.data === "string" ? event.data.length : event.data.byteLength);
            if (got.length === 2) socket.close(3000, "done");
        };
        socket.onclose = event => told({ got, protocol: socket.protocol, extensions: socket.extensions,
            code: event.code, reason: event.reason, clean: event.wasClean });
    })""")
    assert said["got"] == [100_000, 1 << 20]
    assert said["protocol"] == "v2.chat"
    assert "permessage-deflate" in said["extensions"]
    assert (said["code"], said["reason"], said["clean"]) == (3000, "done", True)
    assert chat.heads[-1].startswith("GET /room?a=1 HTTP/1.1\r\n")


def test_many_websockets_of_one_page(page: Page) -> None:
    count = page.evaluate("""async () => {
        const talk = number => new Promise((told, failed) => {
            const socket = new WebSocket(`ws://${location.host}/a/b/chat/${number}`);
            socket.onerror = () => failed(new Error("refused"));
            socket.onmessage = event => told([socket, event.data]);
            socket.onopen = () => socket.send(`${number}`);
        });
        const talks = await Promise.all(Array.from({ length: 20 }, (_, number) => talk(number)));
        talks.forEach(([socket]) => socket.close());
        return talks.filter(([, said], number) => said === `${number}`).length;
    }""")
    assert count == 20


def test_a_websocket_nobody_answers_fails_as_it_does_without_us(page: Page) -> None:
    code = page.evaluate("""() => new Promise(told => {
        const socket = new WebSocket(`ws://${location.host}/nowhere/`);
        socket.onclose = event => told(event.code);
    })""")
    assert code == 1006


def test_events_come_one_by_one(page: Page) -> None:
    heard = page.evaluate("""() => new Promise(told => {
        const source = new EventSource("/news/events");
        const got = [];
        source.onmessage = event => {
            got.push([event.lastEventId, Date.now() - Number(event.data)]);
            if (got.length === 3) { source.close(); told(got); }
        };
    })""")
    assert [number for number, _ in heard] == ["0", "1", "2"]
    assert min(delay for _, delay in heard) < 50
