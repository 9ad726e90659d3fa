"""An application is read along its links, on its own origin, within bounds."""

from collections.abc import Callable

import httpx
import pytest

import gateway.trial.crawl as crawl
from gateway.errors import Unreachable

START = "http://app.test:8000/"
SITE = {
    "/": ("text/html", '<link rel=stylesheet href=/app.css><a href="/list">x</a><a href="http://other.test/">y</a>'),
    "/app.css": ("text/css", "@import 'more.css'; body { background: url(/bg.png) }"),
    "/more.css": ("text/css", ""),
    "/list": ("text/html", "<script type=module src=/app.js></script><a href=/old#x>old</a>"),
    "/app.js": ("text/javascript", 'import "./lib.js"; import "react"; fetch("/api")'),
    "/lib.js": ("text/javascript", ""),
}


def site(request: httpx.Request) -> httpx.Response:
    assert request.method == "GET" and request.url.host == "app.test"
    if request.url.path == "/old":
        return httpx.Response(301, headers={"Location": "/new"})
    if request.url.path not in SITE:
        return httpx.Response(404, text="not here", headers={"Content-Type": "text/html"})
    kind, body = SITE[request.url.path]
    return httpx.Response(200, text=body, headers={"Content-Type": kind})


def targets(answer: Callable[[httpx.Request], httpx.Response], pages: int = 30, start: str = START) -> list[str]:
    with crawl.client(httpx.MockTransport(answer)) as http:
        return [f"{read.status} {read.target}" for read in crawl.read(http, start, pages)]


def test_links_files_imports_and_redirects_are_followed() -> None:
    good = {f"200 {target}" for target in SITE}
    assert set(targets(site)) == good | {"404 /bg.png", "301 /old", "404 /new"}


def test_it_ends_where_it_was_told_to() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.strip("/") or 0)
        return httpx.Response(200, html=f"<a href=/{number + 1}>a</a><a href=/{number + 1000}>b</a>")

    assert len(targets(endless, 5)) == 5


def test_what_it_holds_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "ALL", 50)
    assert targets(site) == ["200 /"]


def test_what_is_too_long_or_breaks_off_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "LARGEST", 100)

    def strange(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/":
            return httpx.Response(200, html="<a href=/long>a</a><a href=/broken>b</a>")
        if request.url.path == "/long":
            return httpx.Response(200, html="x" * 101)
        raise httpx.ReadError("broken off")

    assert targets(strange) == ["200 /"]


def test_nobody_there_is_said() -> None:
    def refuses(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable, match=r"http://app\.test:8000/ cannot be read: refused"):
        targets(refuses)


def test_bodies_come_out_of_their_coding() -> None:
    import gzip

    def packed(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, content=gzip.compress(b"<p>hi"), headers={"Content-Encoding": "gzip", "Content-Type": "text/html"}
        )

    with crawl.client(httpx.MockTransport(packed)) as http:
        (read,) = crawl.read(http, START)
    assert read.body == b"<p>hi"
    assert b"content-encoding" not in dict(read.fields)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://APP.test:80/x?y#z", "http://app.test"),
        ("https://a:8443", "https://a:8443"),
        ("http://[::1]:1/x", "http://[::1]:1"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert crawl.origin_of(url) == origin
