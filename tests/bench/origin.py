"""The origin for what no file can be: a page never seen before, and a fragment that takes its time.

Run as `python -m tests.bench.origin PORT SIZE PAUSE FOLDER`; a process of its own, so that it stays on the load's core.
"""

import asyncio
import itertools
import sys
from pathlib import Path

import tests.bench.pages as pages

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Cache-Control: no-store\r\nContent-Length: %d\r\n\r\n"
)
STAMP = b"<!-- seen once: %016d -->"


class Answering(asyncio.Protocol):
    """Every request has a head only, and asks for `/slow/…` or gets a page that nobody had before."""

    counter = itertools.count(1)

    def __init__(self, page: bytes, pause: float, folder: Path) -> None:
        self._page = page
        self._pause = pause
        self._folder = folder
        self._unread = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            self._answer(head.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        if path.startswith(b"/slow/"):
            body = (self._folder / path.decode().rpartition("/")[2]).read_bytes()
            asyncio.get_running_loop().call_later(self._pause, self._write, body)
        else:
            self._write(self._page + STAMP % next(self.counter))

    def _write(self, body: bytes) -> None:
        self._transport.write(HEAD % len(body) + body)


async def serve(port: int, size: int, pause: float, folder: Path) -> None:
    page = pages.page(size).encode()
    server = await asyncio.get_running_loop().create_server(lambda: Answering(page, pause, folder), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])))
