"""One request from door to door: what the origin sees, what the viewer gets."""

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest

import gateway.table as tables
from gateway.errors import Overloaded, TimedOut, Unreachable
from gateway.message import Request, Stream
from gateway.model import Manifest
from gateway.table import Table
from gateway.telemetry.facts import Leaked, Served
from tests.gateway.proxy.playbook import Answers, Pieces, Reply, drain, html, manifest, playing

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
        pytest.param(f"{'a' * 255}:65535", [], 200, id="as long as a name may be"),
        pytest.param("a" * 262, [], 400, id="longer than any name"),
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
    go = asyncio.Event()
    reply = Reply([b"one", go, b"two"], headers=[("content-type", "application/octet-stream")])
    async with playing([HOTELS], {"hotels": lambda _: reply}) as play:
        got, response = await play.open("/hotels/x")
        assert isinstance(response.body, Stream)
        assert await asyncio.wait_for(response.body.read(), 5) == b"one"
        go.set()
        await drain(got, response)
        assert got.text == "two"


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
        mark = f"mf.{tables.tag('hotels', 'hotels')}.".encode()
        assert [value for name, value in got.headers if name == b"set-cookie"] == [
            mark + b"a=1; Path=/hotels",
            mark + b"b=2",
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
        play.current.swap(tables.compile([stays], 2, moved=[tables.Moved("/hotels", "/stays", "hotels", "hotels")]))
        for target, location in (("/hotels", "/stays"), ("/hotels/x?q=1", "/stays/x?q=1")):
            got = await play.get(target)
            assert (got.status, got.get("location")) == (308, location)
            assert (got.get("cache-control"), got.get("vary")) == ("max-age=60", "Cookie")
        assert (await play.get("/hotelsfoo")).status == 404
        assert play.seen == []


@pytest.fixture
def home() -> Table:
    """The hotels have moved from their prefix to the root."""
    home = Manifest.model_validate(manifest("hotels", mounts={"/": {"upstream": "hotels"}}))
    return tables.compile([home], 2, moved=[tables.Moved("/hotels", "/", "hotels", "hotels")])


async def test_what_moved_home_never_leads_to_another_host(home: Table) -> None:
    async with playing([HOTELS], BOTH) as play:
        play.current.swap(home)
        assert (await play.get("/hotels//evil.test/x")).get("location") == "/.//evil.test/x"


async def test_cookies_that_move_are_nobody_elses(home: Table) -> None:
    held = f"mf.{tables.tag('hotels', 'hotels')}.session=1"
    async with playing([HOTELS], BOTH) as play:
        play.current.swap(home)
        got = await play.get("/hotels/x", ("cookie", held))
    assert (got.get("cache-control"), got.get("vary")) == ("no-store", "Cookie")
    assert (got.get("set-cookie") or "").startswith("session=1; Path=/; ")


async def test_a_websocket_follows_what_moved_by_itself(home: Table) -> None:
    target = b"/hotels" * 2000
    async with playing([HOTELS], BOTH) as play:
        play.current.swap(home)
        asked = Request(b"GET", target, [(b"host", b"shop.test")], upgrade=b"websocket")
        assert (await play.flow.serve(asked)).status == 200
        assert (await play.get("/hotels/x")).status == 308
    assert play.seen == [f"hotels GET {'/hotels' * 1999}"]


@pytest.mark.parametrize(
    ("method", "seen"),
    [
        pytest.param("GET", ["hotels GET /x", "hotels GET /app"], id="a page"),
        pytest.param("HEAD", ["hotels HEAD /x", "hotels HEAD /app"], id="its fields"),
        pytest.param("POST", ["hotels POST /x"], id="what was sent is not sent to the page"),
    ],
)
async def test_spa_fallback(method: str, seen: list[str]) -> None:
    spa = manifest("hotels", mounts={"/hotels": {"upstream": "hotels", "spa_fallback": "/app"}})
    async with playing(
        [spa], {"hotels": lambda asked: html("x", status=200 if asked.target == b"/app" else 404)}
    ) as play:
        got = await play.get("/hotels/x", ("sec-fetch-dest", "document"), method=method)
    assert (play.seen, got.status) == (seen, 200 if len(seen) > 1 else 404)


async def test_a_websocket_is_no_matter_for_the_cache() -> None:
    def news(request: Request) -> Reply:
        return Reply(b"", 101) if request.upgrade else Reply(b"x", headers=KEPT)

    for mounts, target in (({"/hotels": {"upstream": "hotels"}}, "/hotels/news"), ({}, "/-/u/hotels/news")):
        async with playing([manifest("hotels", mounts=mounts)], {"hotels": news}) as play:
            assert (await play.get(target)).status == 200
            asked = Request(b"GET", target.encode(), [(b"host", b"shop.test")], upgrade=b"websocket")
            assert (await play.flow.serve(asked)).status == 101


async def test_the_runtime_of_another_version() -> None:
    async with playing([HOTELS], BOTH) as play:
        got = await play.get("/-/browser/mount-0123456789abcdef.js")
        assert (got.status, got.get("cache-control")) == (200, "no-store")
        assert (await play.get("/-/browser/other-0123456789abcdef.js")).status == 404


# What left its mount is led back

FROM_HOTELS = ("referer", "http://shop.test/hotels/list?q=1")
SHELL = manifest("shell", mounts={"/": {"upstream": "shell", "composes": True}})


def at_home(request: Request) -> Reply:
    if request.target == b"/app.js":
        return Reply(b"the shell's", headers=[("content-type", "text/javascript")])
    if request.target == b"/spa":
        return html("<p>any page")
    return html("<p>not here", status=404)


@pytest.mark.parametrize(
    ("target", "fields", "location"),
    [
        pytest.param("/api/x?a=1&b=%2F", [FROM_HOTELS], "/hotels/api/x?a=1&b=%2F", id="what nobody knows"),
        pytest.param("/api/x", [], None, id="nobody says where from"),
        pytest.param("/api/x", [("referer", "http://shop.test/")], None, id="the shell's own page"),
        pytest.param("/api/x", [("referer", "http://other.test/hotels/")], None, id="a stranger's page"),
        pytest.param("/api/x", [FROM_HOTELS, ("sec-fetch-site", "cross-site")], None, id="a stranger's word"),
        pytest.param("/app.js", [FROM_HOTELS], None, id="what the shell has"),
        pytest.param("/spa", [FROM_HOTELS, ("sec-fetch-dest", "image")], "/hotels/spa", id="a page for an image"),
        pytest.param("/spa", [FROM_HOTELS, ("sec-fetch-dest", "document")], None, id="a page for a page"),
        pytest.param("//evil.test/x", [FROM_HOTELS], "/hotels//evil.test/x", id="never another host"),
        pytest.param("/pets/1", [FROM_HOTELS], None, id="another team's mount"),
        pytest.param("/-/graphql", [FROM_HOTELS], "/hotels/-/graphql", id="a path that looks like the gateway's own"),
        pytest.param("/-/health/live", [FROM_HOTELS], None, id="one that is"),
    ],
)
@pytest.mark.parametrize("home", [True, False], ids=["a shell at the root", "nothing at the root"])
async def test_rescue(target: str, fields: list[tuple[str, str]], location: str | None, home: bool) -> None:
    manifests = [HOTELS, PETS, *([SHELL] if home else [])]
    async with playing(manifests, {**BOTH, "shell": at_home}) as play:
        got = await play.get(target, *fields)
    if not home and target in ("/app.js", "/spa") and ("sec-fetch-site", "cross-site") not in fields:
        location = "/hotels" + target
    assert got.get("location") == location
    leaks = [fact for fact in play.facts if isinstance(fact, Leaked)]
    if location is None:
        assert (got.status != 307, leaks) == (True, [])
        return
    assert (got.status, got.get("cache-control")) == (307, "no-store")
    assert got.get("vary") == "Referer, Sec-Fetch-Site, Sec-Fetch-Dest"
    assert [(fact.mount, fact.team, fact.page, fact.target) for fact in leaks] == [
        (b"/hotels", "hotels", b"/hotels/list", target.encode())
    ]


async def test_rescue_looks_at_a_page_that_is_ready_too() -> None:
    with_slot = Reply(b'<mf-slot name="hotels.f"></mf-slot>', headers=[*KEPT, ("content-type", "text/html")])
    piece = Reply(b"a piece", headers=[*KEPT, ("content-type", "text/html")])
    fragments = {"hotels.f": {"upstream": "hotels", "path": "/f"}}
    async with playing(
        [{**HOTELS, "fragments": fragments}, SHELL], {"hotels": lambda _: piece, "shell": lambda _: with_slot}
    ) as play:
        for _ in range(3):
            assert (await play.get("/logo.png", FROM_HOTELS)).status == 200
        assert len(play.seen) == 2
        got = await play.get("/logo.png", FROM_HOTELS, ("sec-fetch-dest", "image"))
        assert got.get("location") == "/hotels/logo.png"


KEPT = [("cache-control", "max-age=60")]


async def test_rescue_for_a_page_that_was_opened_before_its_application_moved() -> None:
    async with playing([HOTELS], BOTH) as play:
        stays = Manifest.model_validate(manifest("hotels", mounts={"/stays": {"upstream": "hotels"}}))
        play.current.swap(tables.compile([stays], 2, moved=[tables.Moved("/hotels", "/stays", "hotels", "hotels")]))
        assert (await play.get("/api/x", FROM_HOTELS)).get("location") == "/stays/api/x"


async def test_a_page_of_the_shell_that_is_not_there_is_still_composed() -> None:
    with_slot = html('<mf-slot name="hotels.f">nothing</mf-slot>', status=404)
    async with playing([HOTELS, SHELL], {"hotels": plain, "shell": lambda _: with_slot}) as play:
        got = await play.get("/none")
    assert (got.status, "data-mf-slot" in got.text) == (404, True)
