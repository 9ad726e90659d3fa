"""An origin's answer below its mount: edited where it must be, every other byte as it came."""

import asyncio
import gzip
import itertools
import sys
import zlib
from collections.abc import Callable, Sequence

import brotli
import pytest

import gateway.table as tables
from gateway.errors import BadAnswer
from gateway.message import Head, Request, Response, Stream
from gateway.model import Manifest
from gateway.proxy.mounting import KEY, SLICE, Mounting
from gateway.rules.coding import decoded
from gateway.table import Origin
from tests.gateway.proxy.playbook import Answers, Piece, Play, Reply, drain, html, manifest, playing

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.anyio

PAGE = '<!doctype html><a href="/x">x</a><img src="i.png">'
BELOW = '<!doctype html><a href="/hotels/x">x</a><img src="i.png">'


def hotels(**mount: object) -> dict[str, object]:
    """Without the runtime, whose element would stand in every page."""
    below = {"upstream": "hotels", "runtime": "off", **mount}
    return manifest("hotels", mounts={"/hotels": below, "/": {"upstream": "hotels"}})


def typed(kind: str, body: bytes, *headers: tuple[str, str], status: int = 200) -> Answers:
    return lambda _: Reply(body, status, [("content-type", kind), *headers])


@pytest.mark.parametrize(
    ("origin", "body"),
    [
        pytest.param(lambda _: html(PAGE), BELOW, id="a page"),
        pytest.param(lambda _: html(PAGE, status=404), BELOW, id="an error page"),
        pytest.param(typed("text/css", b"a{background:url(/i.png)}"), "a{background:url(/hotels/i.png)}", id="a sheet"),
        pytest.param(
            typed("application/manifest+json", b'{"start_url": "/go"}'), '{"start_url": "/hotels/go"}', id="a manifest"
        ),
        pytest.param(typed("text/plain", PAGE.encode()), PAGE, id="text is nobody's business"),
        pytest.param(typed("application/json", b'{"url":"/x"}'), '{"url":"/x"}', id="JSON too"),
        pytest.param(typed("text/javascript", b'go("/x")'), 'go("/x")', id="scripts too"),
        pytest.param(typed("text/html", PAGE.encode(), ("cache-control", "no-transform")), PAGE, id="no-transform"),
        pytest.param(typed("text/html", b"", status=200), "", id="an empty page"),
    ],
)  # fmt: skip
async def test_body(origin: Answers, body: str) -> None:
    async with playing([hotels()], {"hotels": origin}) as play:
        assert (await play.get("/hotels/")).text == body


@pytest.mark.parametrize(
    ("mount", "body"),
    [
        pytest.param({"aware": "aware"}, PAGE, id="an aware application knows its prefix"),
        pytest.param({"rewrite": {"html": False}}, PAGE, id="a mount may switch it off"),
        pytest.param({"rewrite": {"css": False}}, BELOW, id="for sheets alone"),
        pytest.param({"links_to": ["/x"]}, PAGE, id="a link to another mount is meant"),
    ],
)
async def test_mount(mount: dict[str, object], body: str) -> None:
    async with playing([hotels(**mount)], {"hotels": lambda _: html(PAGE)}) as play:
        assert (await play.get("/hotels/")).text == body


async def test_at_the_root_nothing_is_to_be_done() -> None:
    async with playing([hotels()], {"hotels": lambda _: html(PAGE)}) as play:
        assert (await play.get("/")).text == PAGE


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("coding", CODINGS)
async def test_a_coded_page_is_edited_and_coded_again(coding: str, streamed: bool) -> None:
    packed = CODINGS[coding](PAGE.encode())
    body: Sequence[bytes | float | Exception] | bytes = packed
    if streamed:
        body = [packed[:10], packed[10:]]
    reply = Reply(
        body,
        headers=[("content-type", "text/html"), ("content-encoding", coding), ("content-length", "9")],
    )
    async with playing([hotels()], {"hotels": lambda _: reply}) as play:
        got = await play.get("/hotels/", ("accept-encoding", coding))
        assert got.get("content-encoding") == coding
        assert decoded(got.body, coding.encode(), 1000) == BELOW.encode()
        assert got.get("content-length") is None


async def test_what_is_not_edited_keeps_its_coding() -> None:
    packed = gzip.compress(b"data")
    origin = typed("application/json", packed, ("content-encoding", "gzip"), ("etag", '"1"'))
    async with playing([hotels()], {"hotels": origin}) as play:
        got = await play.get("/hotels/", ("accept-encoding", "gzip"))
        assert (got.body, got.get("content-encoding"), got.get("etag")) == (packed, "gzip", '"1"')


async def test_an_unknown_coding_passes_as_it_is() -> None:
    origin = typed("text/html", b"\x1f\x9d\x90", ("content-encoding", "compress"))
    async with playing([hotels()], {"hotels": origin}) as play:
        got = await play.get("/hotels/")
        assert (got.status, got.body, got.get("content-encoding")) == (200, b"\x1f\x9d\x90", "compress")


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body(status: int) -> None:
    async with playing([hotels()], {"hotels": typed("text/html", b"", status=status)}) as play:
        got = await play.get("/hotels/")
        assert (got.status, got.body) == (status, b"")


def in_parts(request: Request) -> Reply:
    asked = dict(request.headers).get(b"range")
    kind = "text/html" if request.target == b"/page" else "video/mp4"
    body, status = (PAGE[3:9], 206) if asked else (PAGE, 200)
    return Reply(body.encode(), status, [("content-type", kind)])


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        pytest.param("/hotels/film", 206, PAGE[3:9], id="what passes as it is"),
        pytest.param("/hotels/page", 200, BELOW, id="a page that is edited comes whole"),
    ],
)
async def test_a_part_of_a_body(target: str, status: int, body: str) -> None:
    async with playing([hotels()], {"hotels": in_parts}) as play:
        got = await play.get(target, ("range", "bytes=3-8"))
        assert (got.status, got.text) == (status, body)


async def test_a_page_streams_while_it_is_edited() -> None:
    go = asyncio.Event()
    pieces: list[Piece] = [b'<!doctype html><a href="/o', 0.01, b'ne">1</a>', go, b'<a href="/two">2</a>']
    reply = Reply(pieces, headers=[("content-type", "text/html")])
    async with playing([hotels()], {"hotels": lambda _: reply}) as play:
        got, response = await play.open("/hotels/")
        assert isinstance(response.body, Stream)
        said = b""
        while b"</a>" not in said:
            said += await asyncio.wait_for(response.body.read(), 5)
        go.set()
        await drain(got, response)
        assert said == b'<!doctype html><a href="/hotels/one">1</a>'
        assert got.text == '<a href="/hotels/two">2</a>'


async def test_a_streamed_page_that_is_cut_raises() -> None:
    reply = Reply([b"<p>one", BadAnswer("cut")], headers=[("content-type", "text/html")])
    async with playing([hotels()], {"hotels": lambda _: reply}) as play:
        with pytest.raises(BadAnswer):
            await play.get("/hotels/")


async def test_a_coded_page_that_is_none_is_told() -> None:
    origin = typed("text/html", b"no gzip at all", ("content-encoding", "gzip"))
    async with playing([hotels()], {"hotels": origin}) as play:
        assert (await play.get("/hotels/")).status == 502


async def test_a_page_that_swells_without_end_is_told() -> None:
    origin = typed("text/html", gzip.compress(bytes(64 << 20), 1), ("content-encoding", "gzip"))
    async with playing([hotels()], {"hotels": origin}) as play:
        assert (await play.get("/hotels/")).status == 502


async def test_validators_name_the_edited_bytes() -> None:
    fields = [("etag", '"v1"'), ("digest", "x"), ("accept-ranges", "bytes"), ("content-md5", "x")]
    async with playing([hotels()], {"hotels": lambda _: html(PAGE, *fields)}) as play:
        got = await play.get("/hotels/")
        assert (got.get("etag") or "").startswith('W/"v1~')
        assert [got.get(name) for name in ("digest", "accept-ranges", "content-md5")] == [None] * 3


async def test_head_tells_what_get_would() -> None:
    async with playing([hotels()], {"hotels": lambda _: html(PAGE, ("etag", '"v1"'))}) as play:
        head = await play.get("/hotels/", method="HEAD")
        got = await play.get("/hotels/")
        assert (head.status, head.body, head.get("etag")) == (200, b"", got.get("etag"))


async def test_twice_the_same_page_gives_the_same_bytes_for_each_mount() -> None:
    off = {"upstream": "hotels", "runtime": "off"}
    two = manifest("hotels", mounts={"/hotels": off, "/stays": off})
    async with playing([two], {"hotels": lambda _: html(PAGE)}) as play:
        for _ in range(2):
            assert (await play.get("/hotels/")).text == BELOW
            assert (await play.get("/stays/")).text == BELOW.replace("/hotels", "/stays")


async def test_fields_of_the_hop_and_of_the_inside_stay_behind() -> None:
    fields = [("server", "Inside/1.0"), ("connection", "x-hop"), ("x-hop", "1"), ("x-own", "2"), ("x-powered-by", "y")]
    async with playing([hotels()], {"hotels": lambda _: html("x", *fields)}) as play:
        got = await play.get("/hotels/")
        assert [got.get(name) for name in ("server", "connection", "x-hop", "x-powered-by")] == [None] * 4
        assert got.get("x-own") == "2"


async def test_location_is_put_below() -> None:
    async with playing(
        [hotels()], {"hotels": lambda _: Reply(b"", 302, [("location", "http://hotels.test/x?y")])}
    ) as play:
        assert (await play.get("/hotels/")).get("location") in ("/hotels/x?y", "http://shop.test/hotels/x?y")


async def _asks(play: Play) -> Request:
    await play.get("/hotels/", ("accept-encoding", "gzip, zstd"))
    return play.last


async def test_an_origin_is_offered_only_what_can_be_undone() -> None:
    async with playing([hotels()], {"hotels": lambda _: html(PAGE)}) as play:
        assert dict((await _asks(play)).headers)[b"accept-encoding"] == b"gzip, zstd"


# The runtime

POLICY = "content-security-policy"
TAG = b'<script src="/-/browser/mount-'
RUNNING = {"upstream": "hotels", "runtime": "on"}


@pytest.mark.parametrize(
    ("mount", "origin", "injected"),
    [
        pytest.param({}, lambda _: html(PAGE), True, id="a page"),
        pytest.param({}, lambda _: html(PAGE, status=404), True, id="an error page"),
        pytest.param({}, lambda _: html("<p>a part of one"), False, id="a part of a page"),
        pytest.param({}, typed("text/css", b"a{}"), False, id="a sheet"),
        pytest.param({"runtime": "off"}, lambda _: html(PAGE), False, id="switched off"),
        pytest.param({"aware": "aware"}, lambda _: html(PAGE), False, id="an aware application"),
        pytest.param({"aware": "auto"}, lambda _: html(PAGE), True, id="one that may be aware"),
        pytest.param({}, lambda _: html(PAGE, (POLICY, "default-src 'self'")), True, id="a policy that lets it in"),
        pytest.param(
            {}, lambda _: html(PAGE, (POLICY, "script-src 'none'")), False, id="a policy that lets nothing in"
        ),
        pytest.param({}, lambda _: html(PAGE, (POLICY, "sandbox")), False, id="a sandbox without scripts"),
    ],
)
async def test_runtime(mount: dict[str, object], origin: Answers, injected: bool) -> None:
    async with playing([hotels(**{**RUNNING, **mount})], {"hotels": origin}) as play:
        got = await play.get("/hotels/")
        assert (TAG in got.body) is injected
        assert TAG not in (await play.get("/")).body
        if injected:
            path = got.body.partition(b'src="')[2].partition(b'"')[0]
            script = await play.get(path)
            assert (script.status, script.get("content-type")) == (200, "text/javascript; charset=utf-8")
            assert "immutable" in (script.get("cache-control") or "")


async def test_a_policy_that_names_scripts_gets_this_one_too() -> None:
    policy = (POLICY, "script-src https://cdn.test; object-src 'none'")
    async with playing([hotels(**RUNNING)], {"hotels": lambda _: html(PAGE, policy)}) as play:
        got = await play.get("/hotels/")
    path = got.body.partition(b'src="')[2].partition(b'"')[0].decode()
    assert got.get(POLICY) == f"script-src https://cdn.test http://shop.test{path}; object-src 'none'"


@pytest.mark.parametrize(
    ("router", "begins"),
    [
        pytest.param("base", b'<!doctype html><base href="/hotels/"><script src="/-/browser/', id="a base of its own"),
        pytest.param("none", b'<!doctype html><script src="/-/browser/', id="none"),
    ],
)
async def test_router(router: str, begins: bytes) -> None:
    async with playing([hotels(**RUNNING, router=router)], {"hotels": lambda _: html(PAGE)}) as play:
        assert (await play.get("/hotels/")).body.startswith(begins)


async def test_a_page_whose_address_is_another_while_it_starts_has_no_relative_urls() -> None:
    async with playing([hotels(**RUNNING, router="flip")], {"hotels": lambda _: html(PAGE)}) as play:
        assert b'<img src="/hotels/deep/i.png">' in (await play.get("/hotels/deep/page?q=/")).body


MODULES = b'<script type="importmap">{"imports":{"/":"/hotels/","/hotels/":"/hotels/","/pets/":"/pets/"}}</script>'


@pytest.mark.parametrize(
    ("router", "policy", "mapped"),
    [
        pytest.param("flip", None, True, id="its address is another while it starts"),
        pytest.param("auto", None, False, id="nobody says so"),
        pytest.param("flip", "script-src 'self'", False, id="a policy against script in the page"),
    ],
)
async def test_what_modules_import_by_a_root_path(router: str, policy: str | None, mapped: bool) -> None:
    fields = [] if policy is None else [(POLICY, policy)]
    mount = {**RUNNING, "router": router, "links_to": ["/pets"]}
    async with playing([hotels(**mount)], {"hotels": lambda _: html(PAGE, *fields)}) as play:
        assert (MODULES in (await play.get("/hotels/")).body) is mapped


def validated(request: Request) -> Reply:
    if dict(request.headers).get(b"if-none-match") == b'"v1"':
        return Reply(b"", 304, [("etag", '"v1"'), (POLICY, "script-src 'nonce-new' 'strict-dynamic'")])
    return html(PAGE, ("etag", '"v1"'), (POLICY, "script-src 'nonce-old' 'strict-dynamic'"))


async def test_a_page_that_stands_keeps_its_validator_and_its_policy() -> None:
    async with playing([hotels(**RUNNING)], {"hotels": validated}) as play:
        page = await play.get("/hotels/")
        again = await play.get("/hotels/", ("if-none-match", page.get("etag") or ""))
    assert (page.get(POLICY), b'nonce="old"' in page.body) == ("script-src 'nonce-old' 'strict-dynamic'", True)
    assert (again.status, again.get("etag"), again.get(POLICY)) == (304, page.get("etag"), None)


def with_no_nonce_to_share(_: Request) -> Reply:
    policy = (POLICY, "script-src 'strict-dynamic' 'sha256-AAAA'")
    return html(PAGE, policy, ("etag", '"v1"'), ("cache-control", "public, max-age=60"))


@pytest.mark.parametrize("mount", [RUNNING, {**RUNNING, "cache": {"ttl": "1m"}}], ids=["the origin", "the manifest"])
async def test_a_nonce_of_ours_is_one_answers(mount: dict[str, object]) -> None:
    async with playing([hotels(**mount)], {"hotels": with_no_nonce_to_share}) as play:
        one, other = await play.get("/hotels/"), await play.get("/hotels/")
    assert (len(play.seen), one.get("cache-control"), one.get("etag")) == (2, "private, no-cache", None)
    assert one.get(POLICY) != other.get(POLICY)


@pytest.mark.parametrize("kind", ["text/html", "text/css", "application/wasm"])
async def test_what_is_coded_is_not_given_to_who_takes_no_coding(kind: str) -> None:
    def origin(request: Request) -> Reply:
        coded = b"accept-encoding" in request.index
        fields = [("content-type", kind), ("cache-control", "max-age=60")]
        return Reply(gzip.compress(b"x") if coded else b"x", 200, [*fields, *([CODED] if coded else [])])

    async with playing([hotels()], {"hotels": origin}) as play:
        assert (await play.get("/hotels/", ("accept-encoding", "gzip"))).get("content-encoding") == "gzip"
        assert (await play.get("/hotels/")).body == b"x"


CODED = ("content-encoding", "gzip")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
@pytest.mark.parametrize("body", [b"", [b""]], ids=["whole", "streamed"])
async def test_nothing_is_nothing_in_every_coding(body: bytes | Sequence[Piece], coding: str) -> None:
    fields = [("content-type", "text/html"), ("content-encoding", coding), ("location", "/x")]
    async with playing([hotels()], {"hotels": lambda _: Reply(body, 302, fields)}) as play:
        got = await play.get("/hotels/")
    assert (got.status, got.body, got.get("location")) == (302, b"", "/hotels/x")


async def test_two_codings_pass_as_they_are() -> None:
    twice = brotli.compress(gzip.compress(PAGE.encode()))
    fields = [("content-type", "text/html"), CODED, ("content-encoding", "br")]
    async with playing([hotels()], {"hotels": lambda _: Reply(twice, headers=fields)}) as play:
        got = await play.get("/hotels/")
    assert (got.get("content-encoding"), got.body) == ("gzip, br", twice)


async def test_one_head_for_many_targets() -> None:
    head = Head([(b"content-type", b"text/plain")])

    class OneHead(Play):
        async def handle_async_request(self, request: Request, origin: Origin, timeout: float) -> Response:
            return Response(200, head, b"Disallow: /private\n")

    play = OneHead([hotels()], {})
    assert (await play.get("/hotels/notes.txt")).body == b"Disallow: /private\n"
    assert (await play.get("/hotels/robots.txt")).body == b"Disallow: /hotels/private\n"


async def test_other_pointers_are_other_bytes() -> None:
    origin = typed("application/json", b'{"a":"/x","b":"/y"}')
    async with playing([hotels()], {"hotels": origin}) as play:
        for number, (pointer, body) in enumerate(
            [("/a", b'{"a":"/hotels/x","b":"/y"}'), ("/b", b'{"a":"/x","b":"/hotels/y"}')]
        ):
            declared = Manifest.model_validate(hotels(rewrite={"json_pointers": [pointer]}))
            play.current.swap(tables.compile([declared], number + 2))
            assert (await play.get("/hotels/")).body == body


async def test_pages_edited_side_by_side_are_remembered_once() -> None:
    long = "<!doctype html>" + "<p>" * 100_000
    mounting = Mounting(1 << 20, 1 << 20)
    async with playing([hotels()], {"hotels": lambda _: html(long)}) as play:
        play.flow._mounting = mounting
        await asyncio.gather(*(play.get("/hotels/") for _ in range(4)))
    assert mounting.remembered == len(long) + KEY


async def test_what_is_remembered_is_bounded_by_more_than_the_bytes_of_bodies() -> None:
    counted = itertools.count()
    async with playing([hotels()], {"hotels": lambda _: html(str(next(counted)))}) as play:
        play.flow._mounting = mounting = Mounting(1 << 20, 1 << 20)
        for _ in range(10):
            await play.get("/hotels/")
    assert mounting.remembered == 10 * (KEY + 1)


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_a_long_page_is_edited_in_turns(streamed: bool) -> None:
    long = b"<!doctype html>" + b'<a href="/x">y</a>' * 100_000
    reply = Reply([long] if streamed else long, headers=[("content-type", "text/html")])
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with playing([hotels()], {"hotels": lambda _: reply}) as play:
        counting = asyncio.create_task(count())
        got = await play.get("/hotels/")
        counting.cancel()
    assert got.body.count(b"/hotels/x") == 100_000
    assert turns >= len(long) // SLICE
