"""A fetch, sent to one of its upstream's origins: which, how often, with what."""

import pytest

from gateway.errors import BadAnswer, TimedOut, Unreachable
from gateway.message import Request
from gateway.transport.pool import Pool
from gateway.transport.resolve import Resolver
from tests.gateway.proxy.playbook import Answers, Pieces, Reply, html, manifest, playing
from tests.kit.origin import Answer, Raw, Seen, serving

pytestmark = pytest.mark.anyio

TWO = {
    "team": "hotels",
    "upstreams": {"hotels": {"origins": ["http://a.test", "http://b.test:8080"], "timeout": "100ms"}},
    "mounts": {"/hotels": {"upstream": "hotels"}},
}


def ok(_: Request) -> Reply:
    return Reply(b"ok")


def raising(error: Exception) -> Answers:
    def answer(_: Request) -> Reply:
        raise error

    return answer


async def test_all_origins_are_asked_in_turn() -> None:
    async with playing([TWO], {"a": ok, "b": ok}) as play:
        for _ in range(40):
            await play.get("/hotels/x")
        hosts = [dict(request.headers)[b"host"] for request in play.requests]
        assert set(hosts) == {b"a.test", b"b.test:8080"}
        assert 5 <= hosts.count(b"a.test") <= 35


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_origin_is_asked_when_one_cannot_be_reached(method: str) -> None:
    """Nothing was sent, so even what may not be repeated may go elsewhere."""
    async with playing([TWO], {"a": raising(Unreachable("refused")), "b": ok}) as play:
        for _ in range(8):
            assert (await play.get("/hotels/x", method=method)).status == 200
        assert "a " + method + " /x" in play.seen


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TimedOut("late"), id="late"),
        pytest.param(BadAnswer("cut"), id="cut"),
    ],
)
async def test_what_was_sent_is_not_sent_again(error: Exception) -> None:
    async with playing([TWO], {"a": raising(error), "b": raising(error)}) as play:
        assert (await play.get("/hotels/x", method="POST")).status >= 502
        assert len(play.seen) == 1


async def test_a_body_that_was_handed_out_is_not_sent_again() -> None:
    refused = raising(Unreachable("refused"))
    async with playing([TWO], {"a": refused, "b": refused}) as play:
        assert (await play.get("/hotels/x", method="PUT", body=Pieces([b"x"]))).status == 502
        assert len(play.seen) == 1


async def test_a_post_is_delivered_once_though_its_connection_dies() -> None:
    """Over real sockets, with a second origin at hand: the keep-alive race must not double an order."""

    def dies_on_second(seen: Seen) -> Answer | Raw:
        return Raw(b"") if seen.method == "POST" else Answer(b"ok")

    async with serving(dies_on_second) as one, serving(dies_on_second) as other:
        two = {**TWO, "upstreams": {"hotels": {"origins": [one.url, other.url]}}}
        pool = Pool(Resolver(("loopback",)))
        async with playing([two], {}, transport=pool) as play:
            for _ in range(20):
                await play.get("/hotels/warm")
            assert one.requests and other.requests
            assert (await play.get("/hotels/order", method="POST")).status == 502
        await pool.aclose()
    assert [seen.method for seen in one.requests + other.requests].count("POST") == 1


async def test_the_upstreams_timeout_is_kept() -> None:
    async with playing([TWO], {"a": lambda _: Reply(delay=5.0), "b": lambda _: Reply(delay=5.0)}) as play:
        got = await play.get("/hotels/x")
        assert got.status == 504
        assert 0.1 <= got.seconds < 5.0  # long before an answer


@pytest.mark.parametrize(
    ("method", "body", "framing"),
    [
        pytest.param("GET", b"", {}, id="GET has none"),
        pytest.param("POST", b"", {b"content-length": b"0"}, id="an empty POST says so"),
        pytest.param("POST", Pieces([b"x"]), {b"transfer-encoding": b"chunked"}, id="of unknown length"),
    ],
)
async def test_framing(method: str, body: bytes | Pieces, framing: dict[bytes, bytes]) -> None:
    async with playing([TWO], {"a": ok, "b": ok}) as play:
        await play.get("/hotels/x", method=method, body=body)
        seen = dict(play.last.headers)
        assert {name: seen[name] for name in (b"content-length", b"transfer-encoding") if name in seen} == framing


COMPOSING = manifest("hotels", mounts={"/hotels": {"upstream": "hotels", "composes": True}})
CONDITIONS = [("if-none-match", '"x"'), ("range", "bytes=0-1"), ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT")]


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        pytest.param([("accept", "text/html,*/*")], False, id="a page by Accept"),
        pytest.param([("sec-fetch-dest", "document")], False, id="a page by its destination"),
        pytest.param([("sec-fetch-dest", "iframe"), ("accept", "*/*")], False, id="a page in a frame"),
        pytest.param([("sec-fetch-dest", "script"), ("accept", "text/html")], True, id="a script"),
        pytest.param([("accept", "image/*")], True, id="a picture"),
    ],
)
async def test_conditions_on_a_composed_page_are_not_the_shells(asked: list[tuple[str, str]], passes: bool) -> None:
    async with playing([COMPOSING], {"hotels": lambda _: html("x")}) as play:
        await play.get("/hotels/x", *asked, *CONDITIONS)
        seen = dict(play.last.headers)
        for name, _ in CONDITIONS:
            assert (name.encode() in seen) is passes


async def test_a_condition_goes_back_as_the_origins_own() -> None:
    hotels = manifest("hotels", mounts={"/hotels": {"upstream": "hotels"}})
    async with playing([hotels], {"hotels": lambda _: html("x", ("etag", '"v1"'))}) as play:
        etag = (await play.get("/hotels/x")).get("etag") or ""
        await play.get("/hotels/x", ("if-none-match", etag))
        assert dict(play.last.headers)[b"if-none-match"] == b'"v1"'


@pytest.mark.parametrize(
    ("method", "asked", "passes"),
    [
        pytest.param("GET", "bytes=0-2", True, id="a part"),
        pytest.param("GET", "bytes=0-2,4-5", False, id="several parts come in a coat of their own"),
        pytest.param("POST", "bytes=0-2", False, id="only GET has parts"),
        pytest.param("HEAD", "bytes=0-2", False, id="HEAD has none either"),
    ],
)
async def test_parts(method: str, asked: str, passes: bool) -> None:
    hotels = manifest("hotels", mounts={"/hotels": {"upstream": "hotels"}})
    async with playing([hotels], {"hotels": ok}) as play:
        await play.get("/hotels/x", ("range", asked), ("if-range", '"a"'), method=method)
        assert ("range" in names(play.last), "if-range" in names(play.last)) == (passes, passes)


def names(request: Request) -> set[str]:
    return {name.decode() for name, _ in request.headers}


async def test_what_one_viewer_says_never_goes_out_for_another() -> None:
    """Heads are worked out once where they say the same; here they do not."""
    hotels = manifest("hotels", mounts={"/hotels": {"upstream": "hotels", "cookies": ["s"]}})
    async with playing([hotels], {"hotels": ok}) as play:
        for who, peer, host in (("a", "1.1.1.1", "x.test"), ("b", "1.1.1.1", "x.test"), ("b", "2.2.2.2", "y.test")):
            await play.get("/hotels/x", ("cookie", f"s={who}"), peer=peer, host=host)
        told = [dict(request.headers) for request in play.requests]
        assert [fields[b"cookie"] for fields in told] == [b"s=a", b"s=b", b"s=b"]
        assert [fields[b"x-forwarded-for"] for fields in told] == [b"1.1.1.1", b"1.1.1.1", b"2.2.2.2"]
        assert [fields[b"x-forwarded-host"] for fields in told] == [b"x.test", b"x.test", b"y.test"]


@pytest.mark.parametrize(
    ("aware", "told", "link"),
    [
        pytest.param("unaware", None, "/hotels/x", id="who knows no prefix is told none"),
        pytest.param("aware", b"/hotels", "/x", id="who knows it is left alone"),
        pytest.param("auto", b"/hotels", "/hotels/x", id="who may know it is told, and helped where it does not"),
    ],
)
async def test_the_prefix_is_told_to_who_may_know_it(aware: str, told: bytes | None, link: str) -> None:
    mount = {"upstream": "hotels", "aware": aware, "runtime": "off"}
    async with playing(
        [manifest("hotels", mounts={"/hotels": mount})], {"hotels": lambda _: html("<a href=/x>")}
    ) as play:
        assert (await play.get("/hotels/")).text == f"<a href={link}>"
        assert dict(play.last.headers).get(b"x-forwarded-prefix") == told
