"""An origin's answer below its mount: edited where it must be, every other byte as it came."""

import gzip
import zlib
from collections.abc import Callable, Sequence

import brotli
import pytest

from gateway.errors import BadAnswer
from gateway.message import Request
from tests.gateway.proxy.playbook import Answers, Play, Reply, html, manifest, playing

pytestmark = pytest.mark.anyio

PAGE = '<!doctype html><a href="/x">x</a><img src="i.png">'
BELOW = '<!doctype html><a href="/hotels/x">x</a><img src="i.png">'


def hotels(**mount: object) -> dict[str, object]:
    return manifest("hotels", mounts={"/hotels": {"upstream": "hotels", **mount}, "/": {"upstream": "hotels"}})


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


CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("coding", CODINGS)
async def test_a_coded_page_is_read_and_sent_plain(coding: str, streamed: bool) -> None:
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
        assert (got.text, got.get("content-encoding")) == (BELOW, None)
        assert got.get("content-length") in (None, str(len(BELOW)))


async def test_what_is_not_edited_keeps_its_coding() -> None:
    packed = gzip.compress(b"data")
    origin = typed("application/json", packed, ("content-encoding", "gzip"), ("etag", '"1"'))
    async with playing([hotels()], {"hotels": origin}) as play:
        got = await play.get("/hotels/", ("accept-encoding", "gzip"))
        assert (got.body, got.get("content-encoding"), got.get("etag")) == (packed, "gzip", '"1"')


async def test_an_unknown_coding_passes_as_it_is() -> None:
    origin = typed("text/html", b"\x28\xb5\x2f\xfd", ("content-encoding", "zstd"))
    async with playing([hotels()], {"hotels": origin}) as play:
        got = await play.get("/hotels/")
        assert (got.status, got.body, got.get("content-encoding")) == (200, b"\x28\xb5\x2f\xfd", "zstd")


@pytest.mark.parametrize("status", [204, 206, 304])
async def test_statuses_whose_body_is_not_a_page(status: int) -> None:
    body = PAGE.encode() if status == 206 else b""
    async with playing([hotels()], {"hotels": typed("text/html", body, status=status)}) as play:
        got = await play.get("/hotels/")
        assert (got.status, got.body) == (status, body)


async def test_a_page_streams_while_it_is_edited() -> None:
    pieces: list[bytes | float | Exception] = [
        b'<!doctype html><a href="/o',
        0.05,
        b'ne">1</a>',
        0.05,
        b'<a href="/two">2</a>',
    ]
    reply = Reply(pieces, headers=[("content-type", "text/html")])
    async with playing([hotels()], {"hotels": lambda _: reply}) as play:
        got = await play.get("/hotels/")
        assert got.text == '<!doctype html><a href="/hotels/one">1</a><a href="/hotels/two">2</a>'
        assert got.chunks[0][0] < 0.09 < got.chunks[-1][0]


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
    two = manifest("hotels", mounts={"/hotels": {"upstream": "hotels"}, "/stays": {"upstream": "hotels"}})
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
        assert dict((await _asks(play)).headers)[b"accept-encoding"] == b"gzip"
