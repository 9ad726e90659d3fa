"""A shell and its fragments become one page: which, in what time, and what stands in when one fails."""

import asyncio
import gzip
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import http_sf
import pytest

import gateway.table as tables
from gateway.errors import BadAnswer, TimedOut, Unreachable
from gateway.message import Request, Response, Stream
from gateway.model import Manifest
from gateway.store.base import Purge
from gateway.telemetry.facts import Degraded, Served
from tests.gateway.proxy.playbook import (
    Answers,
    Got,
    Play,
    Reply,
    drain,
    html,
    kept,
    manifest,
    over_wire,
    playing,
    until,
)

pytestmark = pytest.mark.anyio


def shell(composes: bool = True, **more: Any) -> dict[str, Any]:
    return manifest("shell", mounts={"/": {"upstream": "shell", "composes": composes, **more}})


def team(name: str, **fragment: Any) -> dict[str, Any]:
    """A team mounted at /name that serves the fragment `name.box` at /box."""
    declared = {"upstream": name, "path": "/box", "timeout": "1s", **fragment}
    return manifest(name, mounts={f"/{name}": {"upstream": name}}, fragments={f"{name}.box": declared})


def says(markup: str, **more: Any) -> Answers:
    return lambda _: html(markup, **more)


def fails(error: Exception) -> Answers:
    def answer(_: Request) -> Reply:
        raise error

    return answer


class Slow:
    """Answers once it is told to."""

    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.go = asyncio.Event()

    async def __call__(self, _: Request) -> Reply:
        await self.go.wait()
        return html(self.markup)


def inside(page: str, name: str) -> str:
    """What stands in a slot, without its wrapper."""
    found = re.search(rf'<mf-slot name="{re.escape(name)}"[^>]*>(.*?)</mf-slot>', page, re.DOTALL)
    assert found is not None, page
    return found[1]


BEFORE, AFTER = "<!doctype html><title>S</title><main>", "</main><p id=after>after</p>"
SLOT = BEFORE + '<mf-slot name="pets.box"{}><i>fallback</i></mf-slot>' + AFTER


def page(*attributes: str) -> Answers:
    return says(SLOT.format("".join(f" {each}" for each in attributes)))


def one(fragment: Answers, *attributes: str) -> dict[str, Answers]:
    return {"shell": page(*attributes), "pets": fragment}


async def test_a_fragment_fills_its_slot() -> None:
    async with playing([shell(), team("pets")], one(says("<b>pets"))) as play:
        got = await play.get("/")
        assert got.status == 200
        assert inside(got.text, "pets.box") == "<b>pets</b>"
        assert got.text.endswith("</main><p id=after>after</p>")
        assert play.seen == ["shell GET /", "pets GET /box"]
        assert got.get("content-type") == "text/html; charset=utf-8"


async def test_pieces_of_three_origins_stand_in_order_whoever_comes_first() -> None:
    slots = "<main>" + "".join(f'<mf-slot name="{name}.box"></mf-slot>' for name in ("hotels", "pets", "cars"))
    asked = asyncio.Event()

    def side_by_side(name: str, delay: float) -> Answers:
        async def answer(_: Request) -> Reply:
            if len(play.seen) == 4:
                asked.set()
            await asked.wait()  # no answer before all are asked
            return html(f"<b>{name}", delay=delay)

        return answer

    origins = {
        "shell": says(f"<!doctype html><title>S</title>{slots}<p>end"),
        "hotels": side_by_side("hotels", 0.06),
        "pets": side_by_side("pets", 0.03),
        "cars": side_by_side("cars", 0.0),
    }
    async with playing([shell(), *(team(name, timeout="5s") for name in ("hotels", "pets", "cars"))], origins) as play:
        got = await play.get("/")
        assert re.findall(r"<b>(\w+)", got.text) == ["hotels", "pets", "cars"]
        assert got.text.endswith("<p>end")
        assert sorted(play.seen[1:]) == ["cars GET /box", "hotels GET /box", "pets GET /box"]


@pytest.mark.parametrize(
    "fragment",
    [
        pytest.param(says("<h1>oh no", status=500), id="500"),
        pytest.param(says("<h1>Not found", status=404), id="404 is no content"),
        pytest.param(lambda _: Reply(b'{"a":1}', headers=[("content-type", "application/json")]), id="JSON"),
        pytest.param(lambda _: Reply(b"garbage", headers=[("content-type", "text/html"), ("content-encoding", "gzip")]),
                     id="gzip that is none"),
        pytest.param(lambda _: Reply(b"x", headers=[("content-type", "text/html"), ("content-encoding", "zstd")]),
                     id="an unknown coding"),
        pytest.param(lambda _: Reply(b"x" * 300_000, headers=[("content-type", "text/html")]), id="too long"),
        pytest.param(lambda _: html("<div>" * 100_000), id="too deep"),
        pytest.param(lambda _: Reply([b"<p>", BadAnswer("x")], headers=[("content-type", "text/html")]), id="cut"),
        pytest.param(fails(Unreachable("refused")), id="refused"),
        pytest.param(fails(TimedOut("late")), id="late by its transport's word"),
        pytest.param(lambda _: Reply(b"", 302, [("location", "http://elsewhere.test/x")]), id="a redirect outside"),
        pytest.param(lambda _: Reply(b"", 302, [("location", "http://pets.test.evil.test/")]), id="a host alike"),
        pytest.param(lambda _: Reply(b"", 302, [("location", "/box")]), id="a redirect without end"),
        pytest.param(lambda _: Reply(b"", 304), id="304"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("attributes", "status", "filling"),
    [
        pytest.param((), 200, "<i>fallback</i>", id="a slot shows its fallback"),
        pytest.param(("optional",), 200, "", id="an optional one nothing"),
        pytest.param(("required",), 502, None, id="a required one fails the page"),
    ],
)
async def test_failure(fragment: Answers, attributes: tuple[str, ...], status: int, filling: str | None) -> None:
    async with playing([shell(), team("pets")], one(fragment, *attributes)) as play:
        got = await play.get("/")
        assert got.status == status
        if filling is None:
            assert (got.get("proxy-status") or "").startswith("portico; error=")
            assert "<main>" not in got.text.replace("<main><p class", "") and "fallback" not in got.text
        else:
            assert inside(got.text, "pets.box") == filling
            assert got.text.endswith("<p id=after>after</p>")
        (told,) = [fact for fact in play.facts if isinstance(fact, Degraded)]
        assert (told.fragment, told.team, told.id) == ("pets.box", "pets", got.get("x-request-id"))


@pytest.mark.parametrize(
    ("attributes", "status", "filling"),
    [
        pytest.param((), 200, "<i>fallback</i>", id="fallback"),
        pytest.param(("optional",), 200, "", id="optional"),
        pytest.param(("required",), 502, None, id="required"),
    ],
)
async def test_a_fragment_nobody_declares(attributes: tuple[str, ...], status: int, filling: str | None) -> None:
    async with playing([shell()], {"shell": page(*attributes)}) as play:
        got = await play.get("/")
        assert got.status == status
        assert filling is None or inside(got.text, "pets.box") == filling
        assert play.seen == ["shell GET /"]


@pytest.mark.parametrize(
    ("declared", "attribute", "limit", "longer"),
    [
        pytest.param("5s", 'timeout="100ms"', 0.1, 5.0, id="the slot's own timeout"),
        pytest.param("100ms", "", 0.1, 9.0, id="the fragment's timeout"),
        pytest.param("100ms", 'timeout="5s"', 0.1, 5.0, id="the shorter of both"),
    ],
)
async def test_a_slow_fragment_holds_the_page_no_longer_than_it_may(
    declared: str, attribute: str, limit: float, longer: float
) -> None:
    origins = {"shell": page(attribute), "pets": says("<b>pets", delay=9.0)}
    async with playing([shell(), team("pets", timeout=declared)], origins, deadline=9.0) as play:
        got = await play.get("/")
        assert inside(got.text, "pets.box") == "<i>fallback</i>"
        assert limit - 0.01 <= got.chunks[-1][0] < longer
        await play.settle()
        assert play.cancelled == ["pets GET /box"]


async def test_each_slot_has_its_own_timeout() -> None:
    slots = '<main><mf-slot name="pets.box" timeout="50ms">P</mf-slot><mf-slot name="cars.box">C</mf-slot>'

    async def when_pets_are_given_up(_: Request) -> Reply:
        while "pets GET /box" not in play.cancelled:  # noqa: ASYNC110  the playbook only lists it
            await asyncio.sleep(0.005)
        return html("<b>cars")

    origins = {"shell": says(slots), "pets": says("<b>pets", delay=9.0), "cars": when_pets_are_given_up}
    async with playing(
        [shell(), team("pets", timeout="9s"), team("cars", timeout="5s")], origins, deadline=9.0
    ) as play:
        got = await play.get("/")
        assert (inside(got.text, "pets.box"), inside(got.text, "cars.box")) == ("P", "<b>cars</b>")


@pytest.mark.parametrize(
    ("settings", "mount"),
    [
        pytest.param({"deadline": 0.1}, {}, id="the page deadline"),
        pytest.param({}, {"deadline": "100ms"}, id="the mount's, which is shorter"),
    ],
)
async def test_a_deadline_bounds_all_slots(settings: dict[str, Any], mount: dict[str, Any]) -> None:
    slots = "<main>" + "".join(f'<mf-slot name="{name}.box" timeout="5s">F</mf-slot>' for name in ("pets", "cars"))
    origins = {"shell": says(slots), "pets": says("x", delay=1.0), "cars": says("x", delay=1.0)}
    fragments = [team("pets", timeout="5s"), team("cars", timeout="5s")]
    async with playing([shell(**mount), *fragments], origins, **settings) as play:
        got = await play.get("/")
        assert got.chunks[-1][0] <= 0.16
        assert got.text.count(">F</mf-slot>") == 2


async def test_a_timeout_leaves_the_last_good_piece_in_place() -> None:
    """Stale beats fallback while stale-if-error lasts."""
    slow = False

    async def pets(_: Request) -> Reply:
        return html("<b>pets", delay=1.0 if slow else 0.0)

    policy = {"ttl": "10s", "stale_if_error": "1h"}
    async with playing([shell(), team("pets", timeout="50ms", cache=policy)], one(pets)) as play:
        await play.get("/")
        play.wait(20)
        slow = True
        got = await play.get("/")
        assert inside(got.text, "pets.box") == "<b>pets</b>"
        assert got.chunks[-1][0] <= 0.15


async def test_204_is_an_empty_slot() -> None:
    async with playing([shell(), team("pets")], one(lambda _: Reply(status=204))) as play:
        got = await play.get("/")
        assert inside(got.text, "pets.box") == ""
        assert not [fact for fact in play.facts if isinstance(fact, Degraded)]


@pytest.mark.parametrize("location", ["/moved?x=1", "http://pets.test/moved?x=1", "moved?x=1", "/moved?x=1#top"])
async def test_a_redirect_inside_the_upstream_is_followed(location: str) -> None:
    def pets(request: Request) -> Reply:
        return html("<b>moved") if request.target == b"/moved?x=1" else Reply(b"", 302, [("location", location)])

    async with playing([shell(), team("pets")], one(pets)) as play:
        assert inside((await play.get("/")).text, "pets.box") == "<b>moved</b>"
        assert play.seen == ["shell GET /", "pets GET /box", "pets GET /moved?x=1"]


@pytest.mark.parametrize(
    ("attributes", "seen"),
    [
        pytest.param((), "/box", id="none"),
        pytest.param(('city="São Paulo"', 'n="1&amp;2"'), "/box?city=S%C3%A3o%20Paulo&n=1%262", id="become the query"),
        pytest.param(('timeout="1s"', 'id="x"', "optional", 'a="b"'), "/box?a=b", id="but not Portico's own"),
        pytest.param(('q="a=b&c=d#e"',), "/box?q=a%3Db%26c%3Dd%23e", id="and cannot say more than one thing"),
    ],
)
async def test_attributes(attributes: tuple[str, ...], seen: str) -> None:
    async with playing([shell(), team("pets")], one(says("x"), *attributes)) as play:
        await play.get("/")
        assert play.seen[1] == f"pets GET {seen}"


async def test_a_fragments_own_query_comes_first() -> None:
    async with playing([shell(), team("pets", path="/box?kind=new")], one(says("x"), 'a="b"')) as play:
        await play.get("/")
        assert play.seen[1] == "pets GET /box?kind=new&a=b"


async def test_a_fragment_sees_only_what_its_manifest_names() -> None:
    forward = {"headers": ["X-Named"], "cookies": ["theme"]}
    asked = [
        ("cookie", "session=secret; theme=dark"),
        ("authorization", "Basic eA=="),
        ("accept-language", "de"),
        ("x-named", "1"),
        ("x-other", "2"),
        ("if-none-match", '"x"'),
    ]
    async with playing([shell(), team("pets", forward=forward)], one(says("x"))) as play:
        await play.get("/?name=evil&q=1", *asked)
        seen = dict(play.last.headers)
        assert play.last.target == b"/box"
        assert (seen[b"cookie"], seen[b"accept-language"], seen[b"x-named"]) == (b"theme=dark", b"de", b"1")
        assert not {b"authorization", b"x-other", b"if-none-match", b"referer"} & seen.keys()
        assert seen[b"host"] == b"pets.test"


async def test_what_is_personal_is_never_shared() -> None:
    def greet(request: Request) -> Reply:
        return kept(dict(request.headers).get(b"cookie", b"stranger").decode())

    async with playing([shell(), team("pets", forward={"cookies": ["name"]})], one(greet)) as play:
        said = [inside((await play.get("/", ("cookie", f"name={who}"))).text, "pets.box") for who in ("a", "b", "a")]
        assert said == ["name=a", "name=b", "name=a"]


@pytest.mark.parametrize(
    ("manifests", "origins"),
    [
        pytest.param([shell(composes=False), team("pets")], one(says("x")), id="a mount that does not compose"),
        pytest.param(
            [shell(), team("pets")],
            one(says("x")) | {"shell": lambda _: Reply(SLOT.encode(), headers=[("content-type", "text/plain")])},
            id="what is no HTML",
        ),
        pytest.param(
            [shell(), team("pets")],
            {"shell": says('<title><mf-slot name="pets.box"></mf-slot></title><!-- <mf-slot name="pets.box"> -->'
                           '<textarea><mf-slot name="pets.box"></mf-slot></textarea><p title="<mf-slot name=x>">x</p>'),
             "pets": says("x")},
            id="where a slot is only text",
        ),
    ],
)  # fmt: skip
async def test_what_is_not_composed_passes_as_it_is(
    manifests: list[dict[str, Any]], origins: Mapping[str, Answers]
) -> None:
    async with playing(manifests, origins) as play:
        got = await play.get("/")
        reply = origins["shell"](play.requests[0])
        assert isinstance(reply, Reply)
        assert got.body == reply.body
        assert play.seen == ["shell GET /"]


async def test_a_slot_that_came_with_a_fragment_is_inert() -> None:
    evil = '<mf-slot name="cars.box">x</mf-slot></mf-slot></main>'
    origins = {**one(says(evil)), "cars": says("<b>cars")}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        got = await play.get("/")
        assert "cars GET /box" not in play.seen
        assert got.text.endswith("</main><p id=after>after</p>")


async def test_errors_of_a_shell_may_have_slots_too() -> None:
    origins = {"shell": says(SLOT.format(""), status=404), "pets": says("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play:
        got = await play.get("/nothing")
        assert (got.status, inside(got.text, "pets.box")) == (404, "<b>pets</b>")


async def test_urls_of_a_fragment_are_put_below_its_own_mount() -> None:
    fragment = says('<a href="/list">l</a><img src="i.png"><a href="?p=2">q</a><a href="//cdn.test/x">c</a>')
    async with playing([shell(), team("pets")], one(fragment)) as play:
        filled = inside((await play.get("/")).text, "pets.box")
        assert re.findall(r'(?:href|src)="([^"]*)"', filled) == [
            "/pets/list",
            "/pets/i.png",
            "/pets/box?p=2",
            "//cdn.test/x",
        ]


async def test_head_of_a_composed_page_fetches_nothing() -> None:
    async with playing([shell(), team("pets")], one(says("<b>pets"))) as play:
        got = await play.get("/", method="HEAD")
        assert (got.status, got.body, play.seen) == (200, b"", ["shell HEAD /"])


async def test_a_shells_own_validators_and_ranges_are_not_the_pages() -> None:
    origins = one(says("<b>pets"))
    origins["shell"] = says(SLOT.format(""), status=200)

    def with_etag(_: Request) -> Reply:
        return html(SLOT.format(""), ("etag", '"s1"'), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT"))

    origins["shell"] = with_etag
    async with playing([shell(), team("pets")], origins) as play:
        got = await play.get("/", ("accept", "text/html"), ("if-none-match", '"s1"'), ("range", "bytes=0-9"))
        assert got.status == 200
        assert got.get("etag") != '"s1"' and got.get("last-modified") is None
        seen = dict(play.requests[0].headers)
        assert not {b"if-none-match", b"range"} & seen.keys()


# Time


async def test_first_bytes_leave_before_a_slow_fragment() -> None:
    slow = Slow("<b>pets")
    async with playing([shell(), team("pets", timeout="9s")], one(slow), deadline=9.0) as play:
        got, response = await play.open("/")
        assert isinstance(response.body, Stream)
        opening = await asyncio.wait_for(response.body.read(), 5)
        assert b"<main>" in opening and b"pets</b>" not in opening
        slow.go.set()
        await drain(got, response)
        assert b"<b>pets</b>" in got.body


async def test_a_page_that_begins_with_a_slot_does_not_end_before_it() -> None:
    origins = {"shell": says('<mf-slot name="pets.box"></mf-slot><p>end'), "pets": says("<b>pets", delay=0.02)}
    async with playing([shell(), team("pets")], origins) as play:
        got = await play.get("/")
        assert inside(got.text, "pets.box") == "<b>pets</b>"
        assert got.text.endswith("<p>end")


async def test_a_required_slot_comes_before_the_first_byte() -> None:
    slots = '<p>first<mf-slot name="pets.box">F</mf-slot><mf-slot name="cars.box" required>F</mf-slot>'
    origins = {"shell": says(slots), "pets": says("<b>pets"), "cars": says("no", status=503, delay=0.1)}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        got = await play.get("/")
        assert got.status == 502
        assert "first" not in got.text


async def test_several_required_slots() -> None:
    slots = '<main><mf-slot name="pets.box" required></mf-slot><mf-slot name="cars.box" required></mf-slot>'
    origins: dict[str, Answers] = {"shell": says(slots), "pets": says("<b>pets"), "cars": says("<b>cars", delay=0.02)}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        assert (await play.get("/")).status == 200
        play.origins["cars"] = says("no", status=503)
        assert (await play.get("/")).status == 502


async def test_a_failed_page_leaves_no_fetch_behind() -> None:
    slots = '<main><mf-slot name="pets.box"></mf-slot><mf-slot name="cars.box" required></mf-slot>'
    origins = {"shell": says(slots), "pets": says("x", delay=5.0), "cars": fails(Unreachable("refused"))}
    async with playing([shell(), team("pets", timeout="9s"), team("cars")], origins) as play:
        assert (await play.get("/")).status == 502
        await play.settle()
        assert play.cancelled == ["pets GET /box"]


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_viewer_that_goes_away_takes_its_fetches_along(coding: str) -> None:
    slots = '<main><mf-slot name="pets.box"></mf-slot><mf-slot name="cars.box"></mf-slot>'
    origins = {"shell": says(slots), "pets": says("x", delay=5.0), "cars": says("x", delay=5.0)}
    async with playing([shell(), team("pets", timeout="9s"), team("cars", timeout="9s")], origins) as play:
        _, response = await play.open("/", ("accept-encoding", coding))
        assert isinstance(response.body, Stream)
        await response.body.read()
        await until(lambda: len(play.seen) == 3)
        response.body.close()
        await play.settle()
        assert sorted(play.cancelled) == ["cars GET /box", "pets GET /box"]


async def test_a_viewer_that_goes_away_while_it_waits_takes_its_fetches_along() -> None:
    origins = {"shell": page("required"), "pets": says("x", delay=5.0)}
    async with playing([shell(), team("pets", timeout="9s")], origins, deadline=9.0) as play:
        waiting = asyncio.ensure_future(play.get("/"))
        await until(lambda: len(play.seen) == 2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await play.settle()
        assert play.cancelled == ["pets GET /box"]


# What the viewer is told


def timings(got: Got) -> list[tuple[str, str]]:
    return re.findall(r'([\w.]+);desc="(\w+)";dur=[\d.]+', got.get("server-timing") or "")


async def test_server_timing_names_each_fragment() -> None:
    slots = (
        '<main><mf-slot name="pets.box"></mf-slot><mf-slot name="cars.box"></mf-slot><mf-slot name="no.body"></mf-slot>'
    )
    origins = {"shell": kept_shell(slots), "pets": lambda _: kept("x"), "cars": lambda _: kept("y")}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        first = await play.get("/")
        assert [name for name, _ in timings(first)] == ["pets.box", "cars.box", "no.body"]
        assert timings(await play.get("/")) == [("pets.box", "hit"), ("cars.box", "hit"), ("no.body", "unknown")]
        assert "total;dur=" in (first.get("server-timing") or "")


def kept_shell(markup: str) -> Callable[[Request], Reply]:
    return lambda _: kept(markup)


async def test_a_page_of_cached_parts_asks_nobody() -> None:
    origins = {"shell": kept_shell(SLOT.format("")), "pets": lambda _: kept("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play:
        streamed = await play.get("/")
        at_once = await play.get("/")
        assert at_once.body == streamed.body
        assert play.seen == ["shell GET /", "pets GET /box"]
        assert len(at_once.chunks) == 1


@pytest.mark.parametrize(
    ("shell_says", "fragment_says", "page_says"),
    [
        pytest.param("max-age=60", "max-age=30", r"public, max-age=(29|30)", id="the shortest"),
        pytest.param("max-age=60", "private", r"private, no-cache", id="a private part"),
        pytest.param("max-age=60", "no-store", r"no-store", id="a part nobody may keep"),
        pytest.param("no-store", "max-age=60", r"no-store", id="a shell nobody may keep"),
    ],
)
async def test_a_page_is_kept_no_longer_than_any_part(shell_says: str, fragment_says: str, page_says: str) -> None:
    origins: dict[str, Answers] = {
        "shell": lambda _: html(SLOT.format(""), ("cache-control", shell_says)),
        "pets": lambda _: html("x", ("cache-control", fragment_says)),
    }
    async with playing([shell(), team("pets")], origins) as play:
        for number in range(2):
            got = await play.get("/")
            told = got.get("cache-control") or ""
            # while a part is still to come, nobody knows yet: then less may be promised, never more
            assert re.fullmatch(page_says, told) or (number == 0 and told in ("private, no-cache", "no-store"))
        assert re.fullmatch(page_says, told)


async def test_what_a_fragment_sets_does_not_reach_the_page() -> None:
    def with_cookie(_: Request) -> Reply:
        return html("x", ("set-cookie", "s=1"), ("x-own", "1"), ("link", "</x>; rel=canonical"), ("location", "/x"))

    async with playing([shell(), team("pets")], one(with_cookie)) as play:
        got = await play.get("/")
        assert got.get("set-cookie") is None and got.get("x-own") is None
        assert got.get("link") is None and got.get("location") is None


async def test_cache_status_parses_and_speaks_of_the_shell() -> None:
    origins = {"shell": kept_shell(SLOT.format("")), "pets": says("x")}
    async with playing([shell(), team("pets")], origins) as play:
        await play.get("/")
        told: Any = http_sf.parse(((await play.get("/")).get("cache-status") or "").encode(), tltype="list")
        ((name, parameters),) = told
        assert (str(name), parameters["hit"]) == ("portico", True)


async def test_stale_pieces_are_named_so_and_refreshed_once() -> None:
    policy = {"ttl": "10s", "stale_while_revalidate": "1h"}
    async with playing([shell(), team("pets", cache=policy)], one(says("<b>pets"))) as play:
        await play.get("/")
        play.wait(20)
        assert timings(await play.get("/"))[0] == ("pets.box", "stale")
        await play.settle()
        assert play.seen.count("pets GET /box") == 2
        assert timings(await play.get("/"))[0] == ("pets.box", "hit")


# Coding


@pytest.mark.parametrize("delay", [0.0, 0.05], ids=["all at once", "streamed"])
async def test_gzip_is_one_valid_stream_equal_to_the_plain_page(delay: float) -> None:
    slots = "<main>" + "".join(
        f'<mf-slot name="{name}.box"><i>é</i></mf-slot><p>{name}' * 3 for name in ("pets", "cars")
    )
    origins = {"shell": says(slots), "pets": says("<b>pets é", delay=delay), "cars": says("", delay=delay)}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        plain = await play.get("/")
        zipped = await play.get("/", ("accept-encoding", "br, gzip"))
        assert zipped.get("content-encoding") == "gzip"
        assert gzip.decompress(zipped.body) == plain.body
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        reader.decompress(zipped.body)
        assert reader.eof and not reader.unused_data
        assert "accept-encoding" in (plain.get("vary") or "") and "accept-encoding" in (zipped.get("vary") or "")


async def test_what_is_there_of_a_coded_page_can_be_read_before_a_slow_fragment() -> None:
    slow = Slow("<b>pets é")
    async with playing([shell(), team("pets", timeout="9s")], one(slow), deadline=9.0) as play:
        got, response = await play.open("/", ("accept-encoding", "gzip"))
        assert isinstance(response.body, Stream)
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        opening = reader.decompress(await asyncio.wait_for(response.body.read(), 5))
        assert BEFORE.encode() in opening
        slow.go.set()
        await drain(got, response)
        assert inside((opening + reader.decompress(got.body)).decode(), "pets.box") == "<b>pets é</b>"


async def test_gzip_of_cached_parts() -> None:
    origins = {"shell": kept_shell(SLOT.format("")), "pets": lambda _: kept("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play:
        plain = await play.get("/")
        for _ in range(2):
            assert gzip.decompress((await play.get("/", ("accept-encoding", "gzip"))).body) == plain.body


@pytest.mark.parametrize("accepted", ["gzip;q=0", "br", "identity", ""])
async def test_nobody_gets_gzip_who_does_not_take_it(accepted: str) -> None:
    async with playing([shell(), team("pets")], one(says("<b>pets"))) as play:
        got = await play.get("/", ("accept-encoding", accepted))
        assert got.get("content-encoding") is None
        assert "<b>pets</b>" in got.text


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
async def test_coded_shells_and_fragments_are_read(coding: str) -> None:
    import brotli

    pack = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}[coding]

    def coded(markup: str) -> Answers:
        fields = [("content-type", "text/html; charset=utf-8"), ("content-encoding", coding)]
        return lambda _: Reply(pack(markup.encode()), headers=fields)

    async with playing([shell(), team("pets")], {"shell": coded(SLOT.format("")), "pets": coded("<b>pets")}) as play:
        got = await play.get("/", ("accept-encoding", coding))
        body = gzip.decompress(got.body) if got.get("content-encoding") == "gzip" else got.body
        assert b"<b>pets</b>" in body


async def test_a_page_that_is_too_long_to_compose_passes_as_it_is() -> None:
    long = SLOT.format("") + "x" * (1 << 20)
    async with playing([shell(), team("pets")], {"shell": says(long), "pets": says("x")}) as play:
        got = await play.get("/")
        assert (got.status, got.text) == (200, long)
        assert [fact.outcome for fact in play.facts if isinstance(fact, Degraded)] == ["uncomposed"]
        assert play.seen == ["shell GET /"]


async def test_a_hundred_slots_and_no_more_are_fetched() -> None:
    slots = "<main>" + "".join(f'<mf-slot name="pets.box" n="{number}">F</mf-slot>' for number in range(103))
    async with playing([shell(), team("pets")], {"shell": says(slots), "pets": says("x")}) as play:
        got = await play.get("/")
        assert len(play.seen) == 101
        assert got.text.count(">F</mf-slot>") == 3


async def test_a_streamed_page_is_read_by_many_at_once() -> None:
    async with playing([shell(), team("pets")], one(says("<b>pets", delay=0.03))) as play:
        answers = await asyncio.gather(*(play.get("/") for _ in range(5)))
        assert len({got.body for got in answers}) == 1


async def test_reading_to_the_end_by_hand_is_the_same() -> None:
    async with playing([shell(), team("pets")], one(says("<b>pets", delay=0.02))) as play:
        whole = await whole_of(play)
        assert whole == (await play.get("/")).body


async def whole_of(play: Play) -> bytes:
    got, response = await play.open("/")
    assert isinstance(response, Response)
    await drain(got, response)
    return got.body


# A page that was put together stands only while its parts do


class Counter:
    def __init__(self, markup: str, *headers: tuple[str, str]) -> None:
        self.markup = markup
        self.headers = headers
        self.count = 0

    def __call__(self, _: Request) -> Reply:
        self.count += 1
        return html(self.markup.replace("#", str(self.count)), ("cache-control", "max-age=10"), *self.headers)


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_page_changes_with_any_of_its_parts(coding: str) -> None:
    counters = {"shell": Counter("<main>S#" + SLOT), "pets": Counter("<b>P#")}
    async with playing([shell(), team("pets")], counters) as play:

        async def said() -> list[str]:
            got = await play.get("/", ("accept-encoding", coding))
            body = gzip.decompress(got.body) if coding else got.body
            return re.findall(r"[SP]\d", body.decode())

        for _ in range(3):
            assert await said() == ["S1", "P1"]
        play.cache.purge(Purge("team", "pets"))
        for _ in range(3):
            assert await said() == ["S1", "P2"]
        play.cache.purge(Purge("team", "shell"))
        for _ in range(3):
            assert await said() == ["S2", "P2"]
        play.wait(11)
        for _ in range(3):
            assert await said() == ["S3", "P3"]


async def test_a_page_changes_with_the_table() -> None:
    origins = {"shell": Counter(SLOT), "pets": Counter("<b>P#"), "cars": Counter("<b>C#")}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        for _ in range(3):
            assert inside((await play.get("/")).text, "pets.box") == "<b>P1</b>"
        moved = manifest("cars", fragments={"pets.box": {"upstream": "cars", "path": "/box"}})
        play.current.swap(tables.compile([Manifest.model_validate(each) for each in (shell(), moved)], 2))
        for _ in range(3):
            assert inside((await play.get("/")).text, "pets.box") == "<b>C1</b>"


async def test_a_page_promises_less_as_its_parts_age() -> None:
    async with playing([shell(), team("pets")], {"shell": Counter(SLOT), "pets": Counter("<b>P#")}) as play:
        for _ in range(3):
            await play.get("/")
        assert (await play.get("/")).get("cache-control") in ("public, max-age=9", "public, max-age=10")
        play.wait(6)
        assert (await play.get("/")).get("cache-control") in ("public, max-age=3", "public, max-age=4")


async def test_a_kept_page_shows_one_viewer_nothing_of_another() -> None:
    fragment = Counter("<b>#", ("vary", "accept-language"))
    async with playing([shell(), team("pets")], {"shell": Counter(SLOT), "pets": fragment}) as play:
        said: dict[str, set[str]] = {}
        for _ in range(3):
            for language in ("de", "en"):
                said.setdefault(language, set()).add(
                    inside((await play.get("/", ("accept-language", language))).text, "pets.box")
                )
        assert said == {"de": {"<b>1</b>"}, "en": {"<b>2</b>"}}


async def test_a_kept_page_has_ids_and_facts_of_its_own() -> None:
    async with playing([shell(), team("pets")], {"shell": Counter(SLOT), "pets": Counter("<b>P#")}) as play:
        answers = [await play.get("/") for _ in range(5)]
        assert len({got.get("x-request-id") for got in answers}) == 5
        assert all(got.get("server-timing") for got in answers)
        assert len([fact for fact in play.facts if isinstance(fact, Served)]) == 5


@pytest.mark.parametrize(
    ("charset", "declared"),
    [("windows-1251", "text/html; charset=windows-1251"), ("windows-1251", 'text/html; charset="windows-1251"')],
)
async def test_a_shell_of_another_charset_is_read(charset: str, declared: str) -> None:
    reply = Reply(
        ("<p>\u041f\u0440\u0438\u0432\u0435\u0442" + SLOT).encode(charset), headers=[("content-type", declared)]
    )
    async with playing([shell(), team("pets")], {"shell": lambda _: reply, "pets": says("<b>pets")}) as play:
        got = await play.get("/")
        assert "\u041f\u0440\u0438\u0432\u0435\u0442" in got.text and "<b>pets</b>" in got.text
        assert got.get("content-type") == "text/html; charset=utf-8"


async def test_a_shell_that_costs_too_much_to_read_stays_as_it_is() -> None:
    deep = "<div>" * 20_000 + SLOT
    async with playing([shell(), team("pets")], {"shell": says(deep), "pets": says("<b>pets")}) as play:
        got = await play.get("/")
        assert (got.status, got.text, play.seen) == (200, deep, ["shell GET /"])
        assert [fact.outcome for fact in play.facts if isinstance(fact, Degraded)] == ["uncomposed"]


async def test_a_header_that_is_let_through_tells_pieces_apart() -> None:
    """What reaches an origin may change its answer: unkeyed, one viewer's piece would be another's."""
    manifest = team("pets", forward={"headers": ["X-Plan"]})
    origins = {
        "shell": kept_shell(SLOT.format("")),
        "pets": lambda request: kept((request.index.get(b"x-plan") or b"none").decode()),
    }
    async with playing([shell(), manifest], origins) as play:
        for plan in ("gold", "basic", "gold"):
            assert inside((await play.get("/", ("x-plan", plan))).text, "pets.box") == plan
        assert play.seen.count("pets GET /box") == 2


# The composed answer, as HTTP


def keeps(markup: str, *headers: tuple[str, str]) -> Answers:
    return lambda _: html(markup, ("cache-control", "max-age=60"), *headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("times", [1, 2, 3], ids=["fetched before", "put together before", "kept"])
@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_validator_is_answered_while_no_part_changed(method: str, times: int, coding: str) -> None:
    origins = {"shell": keeps(SLOT.format(" required")), "pets": keeps("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play:
        held = [await play.get("/", ("accept-encoding", "gzip")) for _ in range(times)][-1].get("etag")
        assert held is not None and held.startswith('W/"page-')
        got = await play.get("/", ("if-none-match", held), ("accept-encoding", coding), method=method)
        assert (got.status, got.body, got.get("etag"), got.get("vary")) == (304, b"", held, "accept-encoding")
        assert (got.get("cache-control") or "").startswith("public, max-age=")
        assert got.get("content-type") is None and got.get("content-length") is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"shell": keeps("<p>new</p>" + SLOT.format(""))}, id="the shell"),
        pytest.param({"pets": keeps("<b>dogs")}, id="a piece"),
        pytest.param({"pets": says("", status=500)}, id="a piece that failed"),
        pytest.param({"pets": lambda _: Reply(b"", 204)}, id="a piece that is empty now"),
    ],
)
async def test_a_validator_is_gone_with_any_part(changes: dict[str, Answers], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.proxy.slots.HEAD_START", 1.0)  # each page is whole, however busy the machine is
    origins = {"shell": keeps(SLOT.format("")), "pets": keeps("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play:
        held = (await play.get("/")).get("etag") or ""
        play.origins.update(changes)
        play.wait(61)
        got = await play.get("/", ("if-none-match", held))
        assert got.status == 200 and got.get("etag") != held
        play.origins.update(origins)
        play.wait(61)
        assert (await play.get("/", ("if-none-match", f'"other", {held}'))).status == 304


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param([("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT")], id="a date"),
        pytest.param([("if-none-match", 'W/"page-000000000000000000000000"'), ("if-modified-since", "x")], id="both"),
    ],
)
async def test_a_shell_that_did_not_change_does_not_speak_for_its_page(condition: list[tuple[str, str]]) -> None:
    """An origin that goes by dates alone says 304 to who has the page of yesterday, with other pieces in it."""

    def dated(request: Request) -> Reply:
        if b"if-modified-since" in request.index:
            return Reply(b"", 304)
        return html(SLOT.format(""), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT"))

    async with playing([shell(), team("pets")], {"shell": dated, "pets": says("<b>new")}) as play:
        got = await play.get("/", *condition)
        assert (got.status, inside(got.text, "pets.box")) == (200, "<b>new</b>")


async def test_what_is_no_page_keeps_its_own_validators() -> None:
    def sheet(request: Request) -> Reply:
        held = request.index.get(b"if-none-match", b"").startswith(b'"s1')
        return Reply(b"" if held else b"p{}", 304 if held else 200, [("content-type", "text/css"), ("etag", '"s1"')])

    async with playing([shell(), team("pets")], {"shell": sheet, "pets": says("x")}) as play:
        held = (await play.get("/s.css")).get("etag") or ""
        assert (await play.get("/s.css", ("if-none-match", held))).status == 304
        assert play.seen == ["shell GET /s.css", "shell GET /s.css"]


@pytest.mark.parametrize("times", [0, 2], ids=["never seen", "kept"])
async def test_a_range_of_a_composed_page_is_the_whole(times: int) -> None:
    def ranged(request: Request) -> Reply:
        fields = [("content-type", "text/html"), ("accept-ranges", "bytes"), ("cache-control", "max-age=60")]
        if b"range" in request.index:
            return Reply(SLOT.encode()[:9], 206, [*fields, ("content-range", f"bytes 0-8/{len(SLOT)}")])
        return Reply(SLOT.format("").encode(), 200, fields)

    aware = shell(rewrite={"html": False})
    async with playing([aware, team("pets")], {"shell": ranged, "pets": keeps("<b>pets")}) as play:
        for _ in range(times):
            await play.get("/")
        got = await play.get("/", ("range", "bytes=0-8"))
        assert (got.status, inside(got.text, "pets.box")) == (200, "<b>pets</b>")
        assert got.get("accept-ranges") is None and got.get("content-range") is None


@pytest.mark.parametrize(
    ("times", "etag", "cache_control"),
    [
        pytest.param(0, False, "no-store", id="nobody has asked for its parts yet"),
        pytest.param(1, True, r"public, max-age=\d+", id="its parts are here"),
        pytest.param(3, True, r"public, max-age=\d+", id="kept"),
    ],
)
async def test_head_says_what_get_would_or_less(times: int, etag: bool, cache_control: str) -> None:
    origins = {"shell": keeps(SLOT.format(""), ("etag", '"s1"'), ("content-length", "9")), "pets": keeps("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play:
        for _ in range(times):
            await play.get("/")
        seen = len(play.seen)
        head = await play.get("/", method="HEAD")
        assert (head.status, head.get("content-length")) == (200, None)
        assert len(play.seen) - seen == (0 if times else 1)
        assert re.fullmatch(cache_control, head.get("cache-control") or "")
        assert head.get("etag") == ((await play.get("/")).get("etag") if etag else None)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_viewer_over_http_sees_the_same(coding: str) -> None:
    origins = {"shell": keeps(SLOT.format("")), "pets": keeps("<b>pets")}
    async with playing([shell(), team("pets")], origins) as play, over_wire(play.portal) as viewer:
        asked = {"accept-encoding": coding}
        for _ in range(3):
            whole = await viewer.get("/", headers=asked)
            head = await viewer.head("/", headers=asked)
            part = await viewer.get("/", headers=asked | {"range": "bytes=0-3"})
            same = await viewer.get("/", headers=asked | {"if-none-match": head.headers["etag"]})
            assert "<b>pets</b>" in whole.text and part.text == whole.text and "date" in whole.headers
            assert (whole.status_code, head.status_code, part.status_code, same.status_code) == (200, 200, 200, 304)
            assert (head.content, same.content) == (b"", b"")
            assert head.headers["content-length"] == part.headers["content-length"]
            assert int(head.headers["content-length"]) == part.num_bytes_downloaded


async def test_an_answer_to_a_form_names_no_page() -> None:
    async with playing([shell(), team("pets")], one(keeps("<b>pets"))) as play:
        got = await play.get("/", ("if-none-match", "*"), method="POST", body=b"a=b")
        assert (got.status, inside(got.text, "pets.box"), got.get("etag")) == (200, "<b>pets</b>", None)
        assert got.get("cache-control") == "private, no-cache"


async def test_a_page_depends_on_all_that_its_parts_depend_on() -> None:
    origins = {
        "shell": keeps(SLOT.format("") + '<mf-slot name="cars.box"></mf-slot>', ("vary", "Cookie")),
        "pets": keeps("x", ("vary", "Accept-Language")),
        "cars": keeps("x"),
    }
    manifests = [shell(), team("pets"), team("cars", forward={"headers": ["X-Plan"]})]
    async with playing(manifests, origins) as play:
        for _ in range(3):
            got = await play.get("/")
        assert got.get("vary") == "accept-encoding, accept-language, cookie, x-plan"


async def test_no_cache_is_told_to_keep_a_page_for_as_long_as_its_shell() -> None:
    gone = [("cdn-cache-control", "max-age=9999"), ("expires", "Fri, 01 Jan 2100 00:00:00 GMT"), ("age", "3")]
    gone += [("surrogate-control", "max-age=9999"), ("date", "Tue, 14 Nov 2023 22:13:20 GMT")]
    async with playing([shell(), team("pets")], {"shell": keeps(SLOT.format(""), *gone), "pets": keeps("x")}) as play:
        for _ in range(3):
            got = await play.get("/")
            assert not {name for name, _ in gone} & {name.decode() for name, _ in got.headers}


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        pytest.param(("primary",), r"mf\.[0-9a-f]{8}\.p=1; Path=/pets", id="a primary piece's, below its mount"),
        pytest.param(("required",), None, id="no other's"),
    ],
)
async def test_a_primary_piece_may_set_cookies(attributes: tuple[str, ...], told: str | None) -> None:
    piece = keeps("x", ("set-cookie", "p=1; Path=/"))
    async with playing([shell(), team("pets")], {"shell": keeps(SLOT.format(*attributes)), "pets": piece}) as play:
        for _ in range(3):
            got = await play.get("/")
            assert re.fullmatch(told or "None", str(got.get("set-cookie")))
            assert got.get("cache-control") == "private, no-cache"


async def test_what_a_piece_asks_to_be_fetched_early_is_told() -> None:
    piece = keeps("x", ("link", "</a.css>; rel=preload; as=style, </b>; rel=next"))
    async with playing([shell(), team("pets")], {"shell": keeps(SLOT.format("")), "pets": piece}) as play:
        for _ in range(3):
            got = await play.get("/")
        assert got.get("link") == "</pets/a.css>; rel=preload; as=style"


async def test_an_empty_slot_is_kept_as_it_says() -> None:
    empty = Reply(b"", 204, [("cache-control", "max-age=30")])
    async with playing([shell(), team("pets")], {"shell": keeps(SLOT.format("")), "pets": lambda _: empty}) as play:
        for _ in range(3):
            got = await play.get("/")
        assert re.fullmatch(r"public, max-age=(30|29)", got.get("cache-control") or "")
        assert play.seen == ["shell GET /", "pets GET /box"]


async def test_a_shell_that_nobody_may_change_stays_as_it_is() -> None:
    origins = {"shell": keeps(SLOT.format(""), ("cache-control", "no-transform")), "pets": says("x")}
    async with playing([shell(), team("pets")], origins) as play:
        assert (await play.get("/")).text == SLOT.format("")
        assert play.seen == ["shell GET /"]


async def test_a_stale_piece_leaves_its_mark_and_no_lifetime() -> None:
    policy = {"ttl": "10s", "stale_while_revalidate": "1h"}
    origins = {"shell": keeps(SLOT.format("")), "pets": says("<b>pets")}
    async with playing([shell(), team("pets", cache=policy)], origins) as play:
        await play.get("/")
        play.wait(20)
        got = await play.get("/")
        assert "detail=stale-part" in (got.get("cache-status") or "")
        assert got.get("cache-control") == "private, no-cache"
        await play.settle()
        assert "stale" not in (await play.get("/")).text + str((await play.get("/")).get("cache-status"))


# One nonce for each answer

KEPT = "r4nd0mr4nd0mr4nd0m=="
NONCED = f"<!doctype html><head><script nonce='{KEPT}'>s()</script></head><script>evil()</script>" + SLOT.format("")
SCRIPTS = (
    "<link rel=stylesheet href=/p.css><style>p{}</style>"
    "<script nonce=old>p()</script><script type=module src=/m.js></script>"
)


def nonced(name: str, seconds: int) -> Answers:
    policy = (name, f"script-src 'nonce-{KEPT}'; style-src 'nonce-{KEPT}'")
    return lambda _: html(NONCED, policy, ("cache-control", f"max-age={seconds}"))


@pytest.mark.parametrize("name", ["content-security-policy", "content-security-policy-report-only"])
@pytest.mark.parametrize("delay", [0.0, 0.05], ids=["put together", "streamed"])
@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_each_answer_has_a_nonce_of_its_own(name: str, delay: float, coding: str) -> None:
    origins = {"shell": nonced(name, 60), "pets": says(SCRIPTS, delay=delay)}
    async with playing([shell(), team("pets")], origins) as play:
        seen = set()
        for _ in range(3):
            got = await play.get("/", ("accept-encoding", coding))
            text = gzip.decompress(got.body).decode() if coding else got.text
            (nonce,) = set(re.findall(r"'nonce-([^']+)'", got.get(name) or ""))
            assert set(re.findall(r"nonce=[\"']?([^\"' >]+)", text)) == {nonce}
            assert text.count("nonce=") == 5 and "<script>evil()" in text and KEPT not in text
            assert (
                got.get("cache-control") == ("no-store" if delay else "private, no-cache") and got.get("etag") is None
            )
            seen.add(nonce)
        assert len(seen) == 3


async def test_a_nonce_that_was_not_kept_is_the_answers_own() -> None:
    async with playing(
        [shell(), team("pets")], {"shell": nonced("content-security-policy", 0), "pets": keeps(SCRIPTS)}
    ) as play:
        got = await play.get("/")
        assert f"'nonce-{KEPT}'" in (got.get("content-security-policy") or "")
        assert set(re.findall(r"nonce=[\"']?([^\"' >]+)", got.text)) == {KEPT}


async def test_without_a_nonce_in_the_policy_pieces_carry_none() -> None:
    policy = ("content-security-policy", "script-src 'self'")
    async with playing(
        [shell(), team("pets")], {"shell": keeps(SLOT.format(""), policy), "pets": says(SCRIPTS)}
    ) as play:
        got = await play.get("/")
        assert "nonce" not in got.text and got.get("content-security-policy") == "script-src 'self'"
