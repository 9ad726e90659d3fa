"""The same flow as an ASGI application: for any ASGI server, and for tests in one process.

Slower than `wire`, and equal to it in all that is request and answer. What is more than that is left to `wire`: ASGI
has no bytes to tunnel, no 103 and no trailers that servers agree on, so a WebSocket is refused before it opens.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from typing import Any

import gateway.rules.streams as streams
from gateway.errors import ViewerError
from gateway.message import Body, Head, Request, Stream
from gateway.proxy.flow import Flow
from gateway.recent import Kept
from gateway.telemetry.facts import Noticed
from gateway.telemetry.log import Teller

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
FRAMING = frozenset({b"transfer-encoding", b"connection"})


class Portal:
    """What a server is given. `wire.Wire` calls `serve`, an ASGI server calls the object itself."""

    def __init__(self, flow: Flow, tell: Teller) -> None:
        self.flow = flow
        self.serve = flow.serve
        self.heads: Kept[bytes, Head] = Kept(2048)
        self._tell = tell

    def failed(self, error: BaseException) -> None:
        """A defect of ours, or a body that was cut after its head had left."""
        self._tell(Noticed(self.flow.now(), "wire", f"{type(error).__name__}: {error}"))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1011})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        request = _request(scope, receive)
        response = await self.serve(request)
        fields = [field for field in response.headers if field[0] not in FRAMING]
        body = response.body
        if isinstance(body, bytes):
            if response.status not in (204, 304) and b"content-length" not in {name for name, _ in fields}:
                fields.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": response.status, "headers": fields})
            await send({"type": "http.response.body", "body": b"" if request.method == b"HEAD" else body})
            return
        await send({"type": "http.response.start", "status": response.status, "headers": fields})
        if request.method == b"HEAD":
            body.close()
        elif body.length is None and streams.endless(response.head):
            await _while_there(receive, _sent(body, send))
        else:
            await _sent(body, send)
        await send({"type": "http.response.body", "body": b""})


class Received(Stream):
    """A request body as an ASGI server hands it over."""

    def __init__(self, receive: Receive, length: int | None) -> None:
        self._receive = receive
        self._length = length
        self._more = True

    @property
    def length(self) -> int | None:
        return self._length

    async def read(self) -> bytes:
        while self._more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ViewerError("The viewer went away in the middle of its request.")
            self._more = message.get("more_body", False)
            if chunk := bytes(message.get("body", b"")):
                return chunk
        return b""


async def _sent(body: Stream, send: Send) -> None:
    try:
        while chunk := await body.read():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except BaseException:
        body.close()
        raise


async def _while_there(receive: Receive, sending: Coroutine[Any, Any, None]) -> None:
    """What never ends ends with who listens; nothing else would tell before the next news."""
    telling = asyncio.ensure_future(sending)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not telling.done():
            telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _request(scope: Message, receive: Receive) -> Request:
    fields = [(bytes(name).lower(), bytes(value)) for name, value in scope["headers"]]
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string") or b""
    length = next((int(value) for name, value in fields if name == b"content-length"), None)
    chunked = any(name == b"transfer-encoding" for name, _ in fields)
    body: Body = Received(receive, length) if length or chunked else b""
    return Request(
        scope["method"].encode(),
        path + b"?" + query if query else path,
        fields,
        body,
        scheme=scope.get("scheme", "http").encode(),
        peer=scope["client"][0] if scope.get("client") else "",
        version=scope.get("http_version", "1.1").encode(),
    )


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
