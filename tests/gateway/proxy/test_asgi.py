"""The same playbooks over both seams: our wire protocol and ASGI give a viewer the same answers."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from gateway.errors import BadAnswer, Unreachable
from gateway.message import Request, Stream
from gateway.proxy.asgi import Portal
from gateway.table import tag
from tests.gateway.proxy.playbook import Play, Reply, html, kept, manifest, over_asgi, over_wire, playing

pytestmark = pytest.mark.anyio

Seam = Callable[[Portal], AbstractAsyncContextManager[httpx.AsyncClient]]
MANIFESTS = [
    manifest("shell", mounts={"/": {"upstream": "shell", "composes": True}}),
    manifest(
        "hotels",
        mounts={"/hotels": {"upstream": "hotels", "runtime": "off"}},
        fragments={"hotels.deals": {"upstream": "hotels", "path": "/deals", "timeout": "1s"}},
    ),
]


HTML = ("content-type", "text/html")


def refused() -> Reply:
    raise Unreachable("refused")


async def hotels(request: Request) -> Reply:
    """A team's application, as unaware as they come."""
    path = request.target.partition(b"?")[0].decode()
    if path == "/echo":
        return await echo(request)
    answers: dict[str, Callable[[], Reply]] = {
        "/": lambda: kept('<!doctype html><a href="/list">list</a>'),
        "/login": lambda: Reply(b"", 302, [("location", "/list"), ("set-cookie", "s=1"), ("set-cookie", "t=2")]),
        "/empty": lambda: Reply(b"", 204),
        "/stream": lambda: Reply([b"one ", 0.01, b"two"], headers=[("content-type", "application/octet-stream")]),
        "/coded": lambda: Reply(gzip.compress(b"<a href=/x>"), headers=[HTML, ("content-encoding", "gzip")]),
        "/etag": lambda: Reply(b"data", 200, [("etag", '"1"'), ("cache-control", "max-age=60")]),
        "/down": refused,
        "/deals": lambda: html("<b>deals", delay=0.01),
    }  # fmt: skip
    return answers[path]() if path in answers else html("nothing", status=404)


async def echo(request: Request) -> Reply:
    body = request.body
    if isinstance(body, Stream):
        chunks = []
        while chunk := await body.read():
            chunks.append(chunk)
        body = b"".join(chunks)
    fields = [("content-type", "text/plain"), ("x-asked", f"{request.method.decode()} {request.target.decode()}")]
    return Reply(body, headers=fields)


def shell(_: Request) -> Reply:
    return html('<!doctype html><title>S</title><main><mf-slot name="hotels.deals">F</mf-slot></main><p>end')


@pytest.fixture(params=[over_wire, over_asgi], ids=["wire", "asgi"])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[tuple[httpx.AsyncClient, Play]]:
    seam: Seam = request.param
    async with playing(MANIFESTS, {"shell": shell, "hotels": hotels}) as play, seam(play.portal) as viewer:
        yield viewer, play


Served = tuple[httpx.AsyncClient, Play]


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        pytest.param("/hotels/", 200, b'<!doctype html><a href="/hotels/list">list</a>', id="a page below its mount"),
        pytest.param("/hotels", 308, b"", id="the bare prefix"),
        pytest.param("/hotels/empty", 204, b"", id="no content"),
        pytest.param("/hotels/stream", 200, b"one two", id="a streamed body"),
        pytest.param("/hotels/coded", 200, b"<a href=/hotels/x>", id="a coded body"),
        pytest.param("/hotels/nothing", 404, b"nothing", id="the origin's own 404"),
        pytest.param("/-/health/live", 200, b"live\n", id="health"),
    ],
)
async def test_get(served: Served, target: str, status: int, body: bytes) -> None:
    viewer, _ = served
    answer = await viewer.get(target)
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers["x-request-id"]


async def test_composed_page(served: Served) -> None:
    viewer, play = served
    answer = await viewer.get("/", headers={"accept-encoding": "gzip"})
    assert "<b>deals</b></mf-slot></main><p>end" in answer.text
    assert answer.headers["content-encoding"] == "gzip"
    plain = await viewer.get("/", headers={"accept-encoding": "identity"})
    assert plain.content == answer.content
    assert play.seen.count("hotels GET /deals") == 2


async def test_redirect_and_cookies(served: Served) -> None:
    viewer, _ = served
    answer = await viewer.get("/hotels/login")
    assert (answer.status_code, answer.headers["location"]) == (302, "/hotels/list")
    assert answer.headers.get_list("set-cookie") == [f"mf.{tag('hotels', 'hotels')}.{kept}" for kept in ("s=1", "t=2")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_methods(served: Served, method: str) -> None:
    viewer, _ = served
    answer = await viewer.request(method, "/hotels/echo?a=%2F&b")
    assert answer.headers["x-asked"] == f"{method} /echo?a=%2F&b"


async def test_raw_path_bytes(served: Served) -> None:
    viewer, play = served
    await viewer.get("/hotels/a%2Fb//c;x=1/%7e?q=%20+&e=")
    assert play.last.target == b"/a%2Fb//c;x=1/%7e?q=%20+&e="


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "with a length"])
async def test_upload(served: Served, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(10_000)

    viewer, play = served
    answer = await viewer.post("/hotels/echo", content=pieces() if chunked else bytes(200_000))
    assert answer.content == bytes(200_000)
    seen = dict(play.last.headers)
    assert (b"transfer-encoding" in seen) is chunked
    assert (b"content-length" in seen) is not chunked


@pytest.mark.parametrize("target", ["/", "/hotels/", "/hotels/stream", "/hotels/coded", "/-/health/live"])
async def test_head(served: Served, target: str) -> None:
    viewer, _ = served
    answer = await viewer.head(target)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await viewer.get(target)).content != b""


async def test_conditional(served: Served) -> None:
    viewer, _ = served
    first = await viewer.get("/hotels/etag")
    again = await viewer.get("/hotels/etag", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


@pytest.mark.parametrize(
    ("target", "headers", "status", "word"),
    [
        pytest.param("/hotels/down", {}, 502, "connection_refused", id="an origin that is down"),
        pytest.param("/hotels/%2e%2e/x", {}, 400, "http_request_error", id="a dot segment"),
        pytest.param("/-/nothing", {}, 404, "destination_not_found", id="nothing there"),
        pytest.param("/hotels/", {"host": "a b"}, 400, "http_request_error", id="no host name"),
    ],
)
async def test_failure(served: Served, target: str, headers: dict[str, str], status: int, word: str) -> None:
    viewer, _ = served
    answer = await viewer.get(target, headers=headers)
    assert (answer.status_code, answer.headers["proxy-status"]) == (status, f"portico; error={word}")
    assert answer.headers["x-request-id"] in answer.text


async def test_who_asks_is_told_to_the_origin(served: Served) -> None:
    viewer, play = served
    await viewer.get("/hotels/", headers={"x-forwarded-for": "6.6.6.6", "connection": "x-secret", "x-secret": "1"})
    seen = dict(play.last.headers)
    assert (seen[b"x-forwarded-for"], seen[b"x-forwarded-host"]) == (b"127.0.0.1", b"shop.test")
    assert b"x-secret" not in seen and b"connection" not in seen


async def test_second_time_is_a_hit(served: Served) -> None:
    viewer, play = served
    first = await viewer.get("/hotels/")
    second = await viewer.get("/hotels/")
    assert first.content == second.content
    assert "hit" in second.headers["cache-status"]
    assert play.seen == ["hotels GET /"]


async def test_a_body_that_is_cut_never_ends_cleanly(served: Served) -> None:
    viewer, play = served
    cut = Reply([b"one", 0.01, BadAnswer("cut")], headers=[("content-type", "application/octet-stream")])
    play.origins["hotels"] = lambda _: cut
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, BadAnswer)):
        await viewer.get("/hotels/x")


# What only an ASGI server says


async def test_lifespan_is_answered() -> None:
    sent: list[MutableMapping[str, Any]] = []
    told = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> MutableMapping[str, Any]:
        return next(told)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async with playing(MANIFESTS, {}) as play:
        await play.portal({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_viewer_that_leaves_in_mid_upload_is_told_to_the_flow() -> None:
    failed: list[Exception] = []

    async def reading(request: Request) -> Reply:
        try:
            return await echo(request)
        except Exception as error:
            failed.append(error)
            raise

    told: Iterator[MutableMapping[str, Any]] = iter(
        [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> MutableMapping[str, Any]:
        return next(told)

    async def send(message: MutableMapping[str, Any]) -> None:
        assert message

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/hotels/echo",
        "query_string": b"",
        "headers": [(b"Host", b"shop.test"), (b"Content-Length", b"100")],
        "scheme": "http",
        "http_version": "1.1",
    }
    async with playing(MANIFESTS, {"hotels": reading}) as play:
        await play.portal(scope, receive, send)
    assert [str(error) for error in failed] == ["The viewer went away in the middle of its request."]


@pytest.mark.parametrize("ends", [True, False])
async def test_events_end_with_who_listens(ends: bool) -> None:
    heard: list[bytes] = []
    gone = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if not heard:
            return {"type": "http.request", "body": b""}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message.get("body"):
            heard.append(message["body"])
            if not ends:
                gone.set()

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/hotels/events",
        "query_string": b"",
        "headers": [(b"Host", b"shop.test")],
        "scheme": "http",
        "http_version": "1.1",
    }
    pause = 0.01 if ends else 60.0
    events = Reply([b"data: 1\n\n", pause, b"data: 2\n\n"], headers=[("content-type", "text/event-stream")])
    async with playing(MANIFESTS, {"hotels": lambda _: events}) as play:
        await asyncio.wait_for(play.portal(scope, receive, send), 2)
        assert play.bodies[0].closed is not ends
    assert heard == [b"data: 1\n\n", b"data: 2\n\n"][: 2 if ends else 1]


async def test_websockets_are_closed() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async with playing(MANIFESTS, {}) as play:
        await play.portal({"type": "websocket"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
