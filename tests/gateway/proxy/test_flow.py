"""One request from door to door: what the origin sees, what the viewer gets."""

from ipaddress import ip_network
from typing import Any

import pytest

import gateway.table as tables
from gateway.errors import Overloaded, TimedOut, Unreachable
from gateway.message import Request
from gateway.model import Manifest
from gateway.table import Table
from gateway.telemetry.facts import Served
from tests.gateway.proxy.playbook import Answers, Pieces, Reply, html, manifest, playing

pytestmark = pytest.mark.anyio

HOTELS = manifest("hotels", mounts={"/hotels": {"upstream": "hotels"}})
PETS = manifest("pets", mounts={"/pets": {"upstream": "pets"}, "/hotels/pets": {"upstream": "pets"}})


def plain(request: Request) -> Reply:
    return Reply(request.target, headers=[("content-type", "text/plain")])


BOTH: dict[str, Answers] = {"hotels": plain, "pets": plain}


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        pytest.param("/hotels/", ["hotels GET /"], id="the mount is the origin's root"),
        pytest.param("/hotels/x/y", ["hotels GET /x/y"], id="the prefix is stripped"),
        pytest.param("/hotels/x?q=1%2F2&q=3", ["hotels GET /x?q=1%2F2&q=3"], id="the query passes as it is"),
        pytest.param("/hotels/x?", ["hotels GET /x?"], id="an empty query too"),
        pytest.param("/hotels/a%2Fb", ["hotels GET /a%2Fb"], id="an escaped slash stays escaped"),
        pytest.param("/hotels/a%20b", ["hotels GET /a%20b"], id="an escaped space stays escaped"),
        pytest.param("/hotels/@v;x=1", ["hotels GET /@v;x=1"], id="parameters stay"),
        pytest.param("/hotels//x", ["hotels GET //x"], id="empty segments stay"),
        pytest.param("/hotels/pets/1", ["pets GET /1"], id="the longest prefix wins"),
        pytest.param("/hotels/petshop", ["hotels GET /petshop"], id="whole segments only"),
        pytest.param("http://shop.test/hotels/x", ["hotels GET /x"], id="absolute-form is understood"),
    ],
)
async def test_routing(target: str, seen: list[str]) -> None:
    async with playing([HOTELS, PETS], BOTH) as play:
        assert (await play.get(target)).status == 200
        assert play.seen == seen


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/hotels/.", 400, id="a dot segment"),
        pytest.param("/hotels/../pets/x", 400, id="a way to another mount"),
        pytest.param("/hotels/%2e%2e/x", 400, id="an escaped way"),
        pytest.param("/hotels/..%2fx", 400, id="an escaped slash behind dots"),
        pytest.param("/hotels/..;/x", 400, id="dots with a parameter"),
        pytest.param("/hotels\\x", 400, id="a backslash"),
        pytest.param("/hotels/%00", 400, id="a zero byte"),
        pytest.param("/hotels/a#b", 400, id="a fragment identifier"),
        pytest.param("*", 400, id="an asterisk"),
        pytest.param("/hotelsfoo", 404, id="a longer word"),
        pytest.param("/HOTELS/x", 404, id="another case"),
        pytest.param("/hotels%2Fx", 404, id="an escaped boundary"),
        pytest.param("/", 404, id="nobody's root"),
        pytest.param("/-/nothing", 404, id="the gateway's own, but nothing there"),
        pytest.param("/-/health/nothing", 404, id="no such health"),
    ],
)
async def test_refused_before_any_origin(target: str, status: int) -> None:
    async with playing([HOTELS, PETS], BOTH) as play:
        got = await play.get(target)
        assert (got.status, play.seen) == (status, [])
        assert (got.get("proxy-status") or "").startswith("portico; error=")
        assert got.get("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("target", "method", "status", "location"),
    [
        pytest.param("/hotels", "GET", 308, "/hotels/", id="GET"),
        pytest.param("/hotels?a=1&b=%2F", "GET", 308, "/hotels/?a=1&b=%2F", id="the query is kept"),
        pytest.param("/hotels?", "GET", 308, "/hotels/?", id="an empty query is kept"),
        pytest.param("/hotels", "HEAD", 308, "/hotels/", id="HEAD"),
        pytest.param("/hotels", "POST", 200, None, id="POST is not sent around"),
    ],
)
async def test_bare_prefix(target: str, method: str, status: int, location: str | None) -> None:
    async with playing([HOTELS], BOTH) as play:
        got = await play.get(target, method=method)
        assert (got.status, got.get("location")) == (status, location)
        assert play.seen == ([] if status == 308 else ["hotels POST /"])


async def test_a_way_found_once_is_the_same_for_every_method_and_host() -> None:
    async with playing([HOTELS], BOTH) as play:
        for host in ("a.test", "b.test", "a.test"):
            assert (await play.get("/hotels", method="POST", host=host)).status == 200
            assert (await play.get("/hotels", host=host)).status == 308
            assert (await play.get("/hotels/x", host=host)).status == 200
            assert (await play.get("/hotels/%2e%2e/x", host=host)).status == 400


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
async def test_methods_that_are_not_for_a_portal(method: str) -> None:
    async with playing([HOTELS], BOTH) as play:
        got = await play.get("/hotels/x", ("cookie", "s=secret"), method=method)
        assert (got.status, play.seen) == (405, [])
        assert got.get("allow")
        assert b"secret" not in got.body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
async def test_methods_pass(method: str) -> None:
    async with playing([HOTELS], BOTH) as play:
        assert (await play.get("/hotels/x", method=method)).status == 200
        assert play.seen == [f"hotels {method} /x"]


@pytest.mark.parametrize(
    ("host", "hosts", "status"),
    [
        pytest.param("any.test", [], 200, id="no hosts set means any"),
        pytest.param("shop.test", ["shop.test"], 200, id="a host of ours"),
        pytest.param("SHOP.test:8080", ["Shop.test"], 200, id="in any case, at any port"),
        pytest.param("evil.test", ["shop.test"], 421, id="a host of others"),
        pytest.param("a b", [], 400, id="no host name"),
        pytest.param("", ["shop.test"], 421, id="no host at all"),
    ],
)
async def test_hosts(host: str, hosts: list[str], status: int) -> None:
    async with playing([HOTELS], BOTH, hosts=hosts) as play:
        assert (await play.get("/hotels/x", host=host)).status == status


async def test_absolute_form_wins_over_host() -> None:
    async with playing([HOTELS], BOTH, hosts=["shop.test"]) as play:
        assert (await play.get("http://evil.test/hotels/x", host="shop.test")).status == 421
        await play.get("http://shop.test/hotels/x", host="evil.test")
        assert dict(play.last.headers)[b"x-forwarded-host"] == b"shop.test"


async def test_a_trusted_proxy_speaks_for_the_viewer() -> None:
    claimed = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "public.test")]
    async with playing([HOTELS], BOTH, trusted=[ip_network("10.0.0.0/8")]) as play:
        await play.get("/hotels/x", *claimed, peer="10.0.0.1")
        told = dict(play.last.headers)
        assert told[b"x-forwarded-for"] == b"198.51.100.7"
        assert (told[b"x-forwarded-proto"], told[b"x-forwarded-host"]) == (b"https", b"public.test")
        await play.get("/hotels/x", *claimed)
        told = dict(play.last.headers)
        assert told[b"x-forwarded-for"] == b"203.0.113.9"
        assert (told[b"x-forwarded-proto"], told[b"x-forwarded-host"]) == (b"http", b"shop.test")


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [
        pytest.param(Unreachable("refused by http://10.1.2.3"), 502, "connection_refused", id="refused"),
        pytest.param(Unreachable("x", proxy_error="dns_error"), 502, "dns_error", id="no such name"),
        pytest.param(TimedOut("late"), 504, "http_response_timeout", id="late"),
        pytest.param(Overloaded("full"), 503, "connection_limit_reached", id="our own limit"),
    ],
)
async def test_failures_are_told_by_their_kind_and_never_by_their_place(
    failure: Exception, status: int, word: str
) -> None:
    def fail(_: Request) -> Reply:
        raise failure

    async with playing([HOTELS], {"hotels": fail}) as play:
        got = await play.get("/hotels/x")
        assert (got.status, got.get("proxy-status")) == (status, f"portico; error={word}")
        assert (got.get("x-request-id") or "?") in got.text
        assert "10.1.2.3" not in got.text and "hotels.test" not in got.text
        assert (got.get("retry-after") is not None) is (status == 503)
        (fact,) = play.facts
        assert isinstance(fact, Served)
        assert (fact.status, fact.error) == (status, str(failure))


async def test_an_answer_of_the_origin_is_no_failure_of_ours() -> None:
    async with playing([HOTELS], {"hotels": lambda _: html("<h1>oh no", status=500)}) as play:
        got = await play.get("/hotels/x")
        assert (got.status, got.text, got.get("proxy-status")) == (500, "<h1>oh no", None)


async def test_one_fact_for_each_exchange() -> None:
    async with playing([HOTELS], BOTH) as play:
        got = await play.get("/hotels/x?q=1")
        await play.get("/nobody")
        served, lost = play.facts
    assert isinstance(served, Served) and isinstance(lost, Served)
    assert served.id.decode() == got.get("x-request-id")
    assert (served.method, served.target, served.status) == (b"GET", b"/hotels/x?q=1", 200)
    assert (served.team, served.mount, served.error) == ("hotels", b"/hotels", "")
    assert served.cache.decode() == got.get("cache-status")
    assert (lost.status, lost.team, lost.mount) == (404, "", None)


async def test_request_ids_differ_and_reach_the_origin() -> None:
    async with playing([HOTELS], BOTH) as play:
        ids = [(await play.get("/hotels/x", ("x-request-id", "forged"))).get("x-request-id") for _ in range(3)]
        assert len(set(ids)) == 3 and "forged" not in ids
        assert [dict(request.headers)[b"x-request-id"].decode() for request in play.requests] == ids


@pytest.mark.parametrize(
    ("target", "draining", "empty", "status"),
    [
        pytest.param("/-/health/live", False, False, 200, id="live"),
        pytest.param("/-/health/live", True, True, 200, id="live while leaving, with nothing to serve"),
        pytest.param("/-/health/ready", False, False, 200, id="ready"),
        pytest.param("/-/health/ready", True, False, 503, id="not ready while leaving"),
        pytest.param("/-/health/ready", False, True, 503, id="not ready with nothing to serve"),
    ],
)
async def test_health(target: str, draining: bool, empty: bool, status: int) -> None:
    async with playing([HOTELS], BOTH) as play:
        play.flow.draining = draining
        if empty:
            play.current.swap(Table())
        assert (await play.get(target)).status == status


async def test_a_new_table_serves_the_next_request() -> None:
    async with playing([HOTELS], BOTH) as play:
        assert (await play.get("/stays/x")).status == 404
        stays = manifest("hotels", mounts={"/stays": {"upstream": "hotels"}})
        async with playing([stays], BOTH) as other:
            play.current.swap(other.current.table)
        assert (await play.get("/stays/x")).text == "/x"
        assert (await play.get("/hotels/x")).status == 404


async def test_a_body_that_is_not_rewritten_streams_through() -> None:
    reply = Reply([b"one", 0.05, b"two"], headers=[("content-type", "application/octet-stream")])
    async with playing([HOTELS], {"hotels": lambda _: reply}) as play:
        got = await play.get("/hotels/x")
        assert [chunk for _, chunk in got.chunks] == [b"one", b"two"]
        assert got.chunks[0][0] < 0.04


async def test_an_upload_passes_with_its_length() -> None:
    taken = []

    async def take(request: Request) -> Reply:
        body = request.body
        assert not isinstance(body, bytes)
        while chunk := await body.read():
            taken.append(chunk)
        return plain(request)

    async with playing([HOTELS], {"hotels": take}) as play:
        await play.get("/hotels/x", method="POST", body=Pieces([b"a", b"b"]))
        assert taken == [b"a", b"b"]
        assert dict(play.last.headers)[b"transfer-encoding"] == b"chunked"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        pytest.param('W/"v1~{rules}"', 304, id="the validator we gave"),
        pytest.param("*", 304, id="a star"),
        pytest.param('"other"', 200, id="another"),
    ],
)
async def test_who_holds_the_page_gets_no_bytes(condition: str, status: int) -> None:
    page = html("<a href=/x>", ("etag", '"v1"'), ("cache-control", "max-age=60"))
    async with playing([HOTELS], {"hotels": lambda _: page}) as play:
        etag = (await play.get("/hotels/x")).get("etag") or ""
        rules = etag.partition("~")[2].rstrip('"')
        got = await play.get("/hotels/x", ("if-none-match", condition.format(rules=rules)))
        assert got.status == status
        assert (got.body == b"") is (status == 304)
        assert got.get("etag") == etag
        assert got.get("x-request-id") is not None


async def test_set_cookies_pass_as_lines_of_their_own() -> None:
    cookies: list[Any] = [("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2")]
    async with playing([HOTELS], {"hotels": lambda _: html("x", *cookies)}) as play:
        got = await play.get("/hotels/x")
        assert [value for name, value in got.headers if name == b"set-cookie"] == [
            b"a=1; Path=/hotels",
            b"b=2; Path=/hotels",
        ]


async def test_a_defect_of_ours_is_a_page_and_a_fact() -> None:
    def broken(_: Request) -> Reply:
        raise ZeroDivisionError("inside")

    async with playing([HOTELS], {"hotels": broken}) as play:
        got = await play.get("/hotels/x")
        assert (got.status, got.get("proxy-status")) == (500, "portico; error=proxy_internal_error")
        assert "inside" not in got.text
        (fact,) = play.facts
        assert isinstance(fact, Served) and "ZeroDivisionError: inside" in fact.error


async def test_what_moved_leads_on() -> None:
    async with playing([HOTELS], BOTH) as play:
        stays = Manifest.model_validate(manifest("hotels", mounts={"/stays": {"upstream": "hotels"}}))
        play.current.swap(tables.compile([stays], 2, moved={"/hotels": "/stays"}))
        for target, location in (("/hotels", "/stays"), ("/hotels/x?q=1", "/stays/x?q=1")):
            got = await play.get(target)
            assert (got.status, got.get("location")) == (308, location)
        assert (await play.get("/hotelsfoo")).status == 404
        assert play.seen == []
