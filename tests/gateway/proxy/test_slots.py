"""Slots in fragments, slots that come late or are the viewer's to fetch, and what a primary fragment says."""

import asyncio
import gzip
import json
import re
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from gateway.errors import Unreachable
from gateway.message import Request
from gateway.telemetry.facts import Degraded, Noticed
from tests.gateway.proxy.playbook import Answers, Got, Play, Reply, drain, html, kept, listening, playing, until
from tests.gateway.proxy.test_compose import Slow, fails, inside, says, shell, team

pytestmark = pytest.mark.anyio

BEFORE, AFTER = (
    "<!doctype html><html><head><title>S</title></head><body><main>",
    "</main><p id=after>after</p></body></html>",
)


def page(slots: str) -> Answers:
    return says(BEFORE + slots + AFTER)


def slot(name: str, attributes: str = "") -> str:
    return f'<mf-slot name="{name}" {attributes}><i>fallback of {name}</i></mf-slot>'


def degraded(play: Play) -> list[tuple[str, str]]:
    return [(fact.fragment, fact.why) for fact in play.facts if isinstance(fact, Degraded)]


# Slots of fragments


async def test_a_fragment_that_may_compose_has_its_slots_filled() -> None:
    origins = {
        "shell": page(slot("pets.box", "required")),
        "pets": says(f"<div>pets {slot('cars.box', 'city=paris')} end</div>"),
        "cars": says("<b>cars</b><link rel=stylesheet href=/cars.css>"),
    }
    async with playing([shell(), team("pets", composes=True), team("cars")], origins) as play:
        got = await play.get("/")
        filled = re.search(r'<div>pets <mf-slot name="cars.box"[^>]*><b>cars</b></mf-slot> end</div>', got.text)
        assert filled is not None, got.text
        assert play.seen == ["shell GET /", "pets GET /box", "cars GET /box?city=paris"]
        assert '<link rel="stylesheet" href="/cars/cars.css"></head>' in got.text
        assert re.search(r"pets.box;.*cars.box;", got.get("server-timing") or "")


async def test_without_the_right_its_slots_are_text() -> None:
    origins = {"shell": page(slot("pets.box")), "pets": says(slot("cars.box")), "cars": says("<b>cars")}
    async with playing([shell(), team("pets"), team("cars")], origins) as play:
        got = await play.get("/")
        assert "fallback of cars.box" in got.text
        assert play.seen == ["shell GET /", "pets GET /box"]


def chain(names: str) -> dict[str, Answers]:
    """Each fragment holds the next one."""
    pairs = zip(names, [*names[1:], None], strict=True)
    return {name: says(name + (slot(f"{below}.box") if below else "")) for name, below in pairs}


async def test_five_in_one_another_and_no_more() -> None:
    names = "abcdefg"
    origins = {"shell": page(slot("a.box")), **chain(names)}
    async with playing([shell(), *(team(name, composes=True) for name in names)], origins) as play:
        got = await play.get("/")
        assert play.seen == ["shell GET /", *(f"{name} GET /box" for name in "abcde")]
        assert "fallback of f.box" in got.text
        assert degraded(play) == [("f.box", "fragments stand in one another 5 deep at most")]


@pytest.mark.parametrize("around", ["a", "ab", "abc"])
async def test_what_stands_in_itself_ends(around: str) -> None:
    origins = {"shell": page(slot("a.box")), **chain(around), around[-1]: says(f"end{slot('a.box')}")}
    async with playing([shell(), *(team(name, composes=True) for name in around)], origins) as play:
        got = await play.get("/")
        assert got.text.count("fallback of a.box") == 1
        assert degraded(play) == [("a.box", "'a.box' stands in itself")]


async def test_a_page_has_a_hundred_fetches_however_they_are_nested() -> None:
    many = "".join(slot("b.box", f"n={number}") for number in range(60))
    origins = {"shell": page(slot("a.box") + slot("a.box", "again")), "a": says(many), "b": says("<b>b</b>")}
    async with playing([shell(), team("a", composes=True), team("b")], origins) as play:
        got = await play.get("/")
        assert len(play.seen) == 101
        assert got.text.count("<b>b</b>") == 98
        assert got.text.count("fallback of b.box") == 22


async def test_who_waits_for_its_own_slots_holds_no_connection() -> None:
    """The parent's answer is here whole, and its transport done with it, before a child is asked."""
    order: list[str] = []

    def parent(_: Request) -> Reply:
        return Reply([b"<p>a", b"</p>", slot("b.box").encode()], headers=[("content-type", "text/html")])

    def child(_: Request) -> Reply:
        order.append("closed" if all(not body._pieces for body in play.bodies) else "open")
        return html("<b>b</b>")

    async with playing(
        [shell(), team("a", composes=True), team("b")], {"shell": page(slot("a.box")), "a": parent, "b": child}
    ) as play:
        assert "<b>b</b>" in (await play.get("/")).text
        assert order == ["closed"]


@pytest.mark.parametrize(
    ("attributes", "shows"),
    [
        pytest.param("", "pets <i>fallback of cars.box</i>", id="its fallback stands in the piece"),
        pytest.param("optional", "pets ", id="an optional one is empty"),
        pytest.param("required", "<i>fallback of pets.box</i>", id="a required one fails its piece, not the page"),
    ],
)
@pytest.mark.parametrize("how", ["error", "unknown", "slow"])
async def test_a_slot_of_a_fragment_fails(attributes: str, shows: str, how: str) -> None:
    async def never(_: Request) -> Reply:
        await asyncio.sleep(60)
        return html("")

    name = "nobody.knows" if how == "unknown" else "cars.box"
    origins: dict[str, Answers] = {
        "shell": page(slot("pets.box")),
        "pets": says("pets " + slot(name, attributes).replace(f"of {name}", "of cars.box")),
        "cars": never if how == "slow" else fails(Unreachable("gone")),
    }
    teams = [team("pets", composes=True), team("cars", timeout="50ms")]
    async with playing([shell(), *teams], origins) as play:
        got = await play.get("/")
        assert got.status == 200
        assert re.sub(r"</?mf-slot[^>]*>", "", got.text) == BEFORE + shows + AFTER


async def test_a_page_of_nested_parts_is_kept_and_goes_with_any_of_them() -> None:
    origins: dict[str, Answers] = {
        "shell": lambda _: kept(BEFORE + slot("pets.box") + AFTER),
        "pets": lambda _: kept("pets " + slot("cars.box")),
        "cars": lambda _: kept("<b>one</b>", 10),
    }
    async with playing([shell(), team("pets", composes=True), team("cars")], origins) as play:
        first = await play.get("/")
        await play.get("/")
        again = await play.get("/")
        assert len(play.seen) == 3
        assert again.text == first.text
        assert again.get("cache-control") == "public, max-age=9" or again.get("cache-control") == "public, max-age=10"
        assert again.get("etag") is not None
        play.origins["cars"] = says("<b>two</b>")
        play.wait(11)
        assert "<b>two</b>" in (await play.get("/")).text


async def test_tags_of_the_viewer_in_a_fragment_stay_text() -> None:
    def reflecting(request: Request) -> Reply:
        return html("<p>for " + unquote(request.target.decode().partition("q=")[2]))

    origins = {"shell": page(slot("pets.box")), "pets": reflecting, "cars": says("<b>secret</b>")}
    forwarding = team("pets", composes=True, forward={"query": ["q"]})
    async with playing([shell(), forwarding, team("cars")], origins) as play:
        got = await play.get("/?q=%3Cmf-slot%20name=cars.box%3E%3C/mf-slot%3E")
        assert '<p>for <mf-slot name="cars.box"></mf-slot></p>' in got.text
        assert "secret" not in got.text
        assert not any(each.startswith("cars") for each in play.seen)


# The viewer's query


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        pytest.param("/?q=a&x=1", "/box?q=a", id="what the manifest names"),
        pytest.param("/?q=a+b&q=c%26d", "/box?q=a%20b&q=c%26d", id="each value, escaped anew"),
        pytest.param("/?x=1", "/box", id="nothing else"),
        pytest.param("/?%71=a", "/box?q=a", id="a name that is escaped is the same name"),
        pytest.param("/?city=rome", "/box?city=paris", id="the shell's own word stands"),
    ],
)
async def test_a_viewers_query(asked: str, seen: str) -> None:
    attributes = "city=paris" if "city" in asked else ""
    origins = {"shell": page(slot("pets.box", attributes)), "pets": says("<b>x")}
    async with playing([shell(), team("pets", forward={"query": ["q", "city"]})], origins) as play:
        await play.get(asked)
        assert play.seen[1] == f"pets GET {seen}"


# What stands in


@pytest.mark.parametrize(
    ("alternative", "asked"),
    [
        pytest.param("/plain", ["pets GET /box?a=1", "pets GET /plain?a=1"], id="a path of the same upstream"),
        pytest.param("cars.box", ["pets GET /box?a=1", "cars GET /box?a=1"], id="another fragment"),
    ],
)
@pytest.mark.parametrize("how", [500, 404, Unreachable("gone")])
async def test_an_alternative(alternative: str, asked: list[str], how: int | Exception) -> None:
    def pets(request: Request) -> Reply:
        if request.target.startswith(b"/plain"):
            return html("<b>instead</b>")
        if isinstance(how, Exception):
            raise how
        return html("<b>broken</b>", status=how)

    origins = {"shell": page(slot("pets.box", "a=1")), "pets": pets, "cars": says("<b>instead</b>")}
    async with playing([shell(), team("pets", alternative=alternative), team("cars")], origins) as play:
        got = await play.get("/")
        assert inside(got.text, "pets.box") == "<b>instead</b>"
        assert play.seen == ["shell GET /", *asked]
        assert degraded(play) == []


async def test_stale_comes_before_the_alternative() -> None:
    policy = {"ttl": "10s", "stale_if_error": "1h"}
    origins: dict[str, Answers] = {
        "shell": page(slot("pets.box")),
        "pets": says("<b>good</b>"),
        "cars": says("<b>instead</b>"),
    }
    async with playing([shell(), team("pets", alternative="cars.box", cache=policy), team("cars")], origins) as play:
        await play.get("/")
        play.origins["pets"] = fails(Unreachable("gone"))
        play.wait(60)
        assert inside((await play.get("/")).text, "pets.box") == "<b>good</b>"
        assert "cars GET /box" not in play.seen


async def test_an_alternative_fails_as_well() -> None:
    origins = {"shell": page(slot("pets.box")), "pets": fails(Unreachable("gone")), "cars": says("", status=500)}
    async with playing([shell(), team("pets", alternative="cars.box"), team("cars")], origins) as play:
        assert "fallback of pets.box" in (await play.get("/")).text


# A primary fragment speaks for its page


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
@pytest.mark.parametrize("more", ["", "required"])
async def test_a_primary_fragment_says_that_there_is_no_such_page(status: int, more: str) -> None:
    origins = {"shell": page(slot("pets.box", f"primary {more}")), "pets": says("<h1>Stock page</h1>", status=status)}
    async with playing([shell(), team("pets")], origins) as play:
        got = await play.get("/")
        assert got.status == status
        assert inside(got.text, "pets.box") == "<i>fallback of pets.box</i>"
        assert got.get("etag") is None


@pytest.mark.parametrize("answer", [says("", status=500), says("", status=503), fails(Unreachable("gone"))])
async def test_a_primary_fragment_that_is_broken_is_like_any_other(answer: Answers) -> None:
    async with playing([shell(), team("pets")], {"shell": page(slot("pets.box", "primary")), "pets": answer}) as play:
        got = await play.get("/")
        assert got.status == 200
        assert inside(got.text, "pets.box") == "<i>fallback of pets.box</i>"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_primary_fragment_sends_the_viewer_elsewhere(status: int) -> None:
    moved = Reply(b"", status, [("location", "/login?to=/x"), ("set-cookie", "seen=1; Path=/")])
    slow = Slow("<b>slow")
    origins: dict[str, Answers] = {
        "shell": page(slot("pets.box", "primary") + slot("cars.box")),
        "pets": lambda _: moved,
        "cars": slow,
    }
    async with playing([shell(), team("pets"), team("cars", timeout="30s")], origins) as play:
        got = await play.get("/")
        assert (got.status, got.get("location"), got.body) == (status, "/pets/login?to=/x", b"")
        assert "Path=/pets" in (got.get("set-cookie") or "")
        await until(lambda: play.cancelled == ["cars GET /box"])


async def test_any_other_fragment_is_followed_and_sends_nobody_anywhere() -> None:
    def pets(request: Request) -> Reply:
        return html("<b>there</b>") if request.target == b"/there" else Reply(b"", 302, [("location", "/there")])

    async with playing([shell(), team("pets")], {"shell": page(slot("pets.box")), "pets": pets}) as play:
        got = await play.get("/")
        assert (got.status, got.get("location")) == (200, None)
        assert inside(got.text, "pets.box") == "<b>there</b>"


# Late


def late_of(text: str) -> list[str]:
    return re.findall(r'<template for="mf-[^"]*" data-mf-late="[^"]*">(.*?)</template><!---->', text, re.DOTALL)


async def test_late_slots_hold_nothing_up_and_come_as_they_are_ready() -> None:
    first, second, third = Slow("<b>first"), Slow("<b>second"), Slow("<b>third")
    slots = slot("a.box", "late") + slot("b.box") + slot("c.box", "late")
    teams = [team(name, timeout="30s") for name in "abc"]
    async with playing(
        [shell(), *teams], {"shell": page(slots), "a": first, "b": second, "c": third}, deadline=30
    ) as play:
        got, response = await play.open("/")
        reading = asyncio.create_task(drain(got, response))
        await until(lambda: "fallback of a.box" in got.text)
        assert re.search(
            r'<\?start name="mf-0-\w+"\?><mf-slot name="a.box"[^>]*><i>fallback of a.box</i></mf-slot><\?end\?>',
            got.text,
        )
        assert "fallback of b.box" not in got.text  # one that is not late is waited for in its place
        second.go.set()
        await until(lambda: "<b>second</b>" in got.text)
        assert got.text.endswith("<p id=after>after</p>")
        third.go.set()
        await until(lambda: len(late_of(got.text)) == 1)
        first.go.set()
        await reading
        assert [re.sub(r"<mf-slot[^>]*>", "", each) for each in late_of(got.text)] == [
            "<b>third</b></mf-slot>",
            "<b>first</b></mf-slot>",
        ]
        assert got.text.endswith("</template><!----></body></html>")


async def test_a_late_slot_that_is_here_stands_in_its_place() -> None:
    origins: dict[str, Answers] = {"shell": page(slot("a.box", "late")), "a": lambda _: kept("<b>a</b>")}
    async with playing([shell(), team("a")], origins) as play:
        await play.get("/")
        got = await play.get("/")
        assert inside(got.text, "a.box") == "<b>a</b>"
        assert "<?start" not in got.text


@pytest.mark.parametrize(
    ("attributes", "patches"),
    [
        pytest.param("late", [], id="its fallback stays"),
        pytest.param("late optional", [""], id="an optional one's goes"),
    ],
)
async def test_a_late_slot_fails(attributes: str, patches: list[str]) -> None:
    origins = {"shell": page(slot("a.box", attributes)), "a": lambda _: html("", status=500, delay=0.05)}
    async with playing([shell(), team("a")], origins) as play:
        got = await play.get("/")
        assert got.status == 200
        assert [re.sub(r"</?mf-slot[^>]*>", "", each) for each in late_of(got.text)] == patches
        assert got.text.endswith("</body></html>")


async def test_what_a_late_piece_brings_comes_with_it_and_once() -> None:
    sheet = "<link rel=stylesheet href=/s.css>"
    origins = {
        "shell": page(slot("a.box", "late n=1") + slot("a.box", "late n=2")),
        "a": lambda _: html(sheet + "<b>x", delay=0.05),
    }
    async with playing([shell(), team("a")], origins) as play:
        got = await play.get("/")
        assert got.text.count('<link rel="stylesheet" href="/a/s.css">') == 1
        assert '<script type="module"' in got.text.partition("</head>")[0]


async def test_a_viewer_that_leaves_takes_late_fetches_along() -> None:
    slow = Slow("<b>x")
    async with playing([shell(), team("a", timeout="30s")], {"shell": page(slot("a.box", "late")), "a": slow}) as play:
        got, response = await play.open("/")
        assert got.status == 200
        assert not isinstance(response.body, bytes)
        assert b"fallback" in await response.body.read()
        response.body.close()
        await until(lambda: play.cancelled == ["a GET /box"])


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_late_in_a_page_with_a_nonce(coding: str) -> None:
    policy = ("content-security-policy", "script-src 'nonce-abcdefghijklmnop'")
    origins = {
        "shell": lambda _: html(BEFORE + slot("a.box", "late") + AFTER, policy),
        "a": lambda _: html("<script>1</script>", delay=0.05),
    }
    async with playing([shell(), team("a")], origins) as play:
        got = await play.get("/", ("accept-encoding", coding))
        text = gzip.decompress(got.body).decode() if coding == "gzip" else got.text
        assert '<script nonce="abcdefghijklmnop">1</script>' in late_of(text)[0]


# Lazy, and fragments by themselves


async def test_a_lazy_slot_asks_for_nothing_and_says_where_it_is() -> None:
    origins: dict[str, Answers] = {
        "shell": lambda _: kept(BEFORE + slot("a.box", 'lazy city="São Paulo"') + AFTER),
        "a": says("<b>a"),
    }
    async with playing([shell(), team("a", forward={"query": ["q"]})], origins) as play:
        got = await play.get("/?q=1")
        assert play.seen == ["shell GET /?q=1"]
        assert 'data-mf-lazy="/-/fragment/a.box?city=S%C3%A3o%20Paulo&amp;q=1"' in got.text
        assert "<noscript><iframe" in got.text
        assert got.get("cache-control") in ("public, max-age=60", "public, max-age=59")
        assert '<script type="module"' in got.text.partition("</head>")[0]
        assert "a.box;" in (got.get("server-timing") or "")


async def test_a_fragment_by_itself_is_a_page() -> None:
    markup = "<!doctype html><title>Deals</title><html lang=de><link rel=stylesheet href=/s.css><p>deals"
    origins: dict[str, Answers] = {"a": lambda _: kept(markup, 30)}
    async with playing([team("a")], origins) as play:
        got = await play.get("/-/fragment/a.box?city=rome&timeout=1")
        assert play.seen == ["a GET /box?city=rome&timeout=1"]
        assert got.status == 200
        assert got.get("content-type") == "text/html; charset=utf-8"
        assert '<html lang="de"><head><meta charset="utf-8">' in got.text
        assert "<title>Deals</title>" in got.text
        assert '<link rel="stylesheet" href="/a/s.css"></head>' in got.text
        assert "<p>deals</p>" in inside(got.text, "a.box")
        assert got.get("cache-control") in ("public, max-age=30", "public, max-age=29")
        assert got.get("x-robots-tag") == "noindex"
        again = await play.get("/-/fragment/a.box?city=rome&timeout=1", ("if-none-match", got.get("etag") or "none"))
        assert again.status == 304


@pytest.mark.parametrize("language", ["de", "en-GB", '"><script>', "de, en", "x" * 99])
async def test_a_fragment_by_itself_has_a_name_and_a_language(language: str) -> None:
    answer = lambda _: html("<p>x", ("content-language", language))  # noqa: E731
    async with playing([team("a")], {"a": answer}) as play:
        got = await play.get("/-/fragment/a.box")
        assert "<title>a.box</title>" in got.text
        assert (f'<html lang="{language}">' in got.text) is (language in ("de", "en-GB"))


async def test_a_fragment_by_itself_is_under_its_own_policy() -> None:
    policy = ("content-security-policy", "script-src 'nonce-abcdefghijklmnop'")
    async with playing([team("a")], {"a": lambda _: html("<script nonce=abcdefghijklmnop>1</script>", policy)}) as play:
        got = await play.get("/-/fragment/a.box")
        nonce = re.fullmatch(r"script-src 'nonce-(.+)'", got.get("content-security-policy") or "")
        assert nonce is not None
        assert f'<script nonce="{nonce[1]}">1</script>' in got.text


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(says("", status=404), 404, id="what is not there"),
        pytest.param(says("", status=500), 502, id="what is broken"),
        pytest.param(fails(Unreachable("gone")), 502, id="what cannot be reached"),
        pytest.param(lambda _: Reply(b"", 204), 200, id="what is empty today"),
    ],
)
async def test_a_fragment_by_itself_fails(answer: Answers, status: int) -> None:
    async with playing([team("a")], {"a": answer}) as play:
        assert (await play.get("/-/fragment/a.box")).status == status


@pytest.mark.parametrize("name", ["nobody.knows", "", "a.box/x", "%61.box"])
async def test_a_fragment_nobody_declares(name: str) -> None:
    async with playing([team("a")], {"a": says("<b>x")}) as play:
        assert (await play.get(f"/-/fragment/{name}")).status == 404
        assert play.seen == []


async def test_a_fragment_by_itself_sets_no_cookies_and_sends_nobody_elsewhere() -> None:
    def a(request: Request) -> Reply:
        if request.target == b"/box":
            return Reply(b"", 302, [("location", "/there")])
        return html("<b>x", ("set-cookie", "a=1"))

    async with playing([team("a")], {"a": a}) as play:
        got = await play.get("/-/fragment/a.box")
        assert (got.status, got.get("set-cookie")) == (200, None)
        assert play.seen == ["a GET /box", "a GET /there"]


# From page to page


def soft(**navigation: Any) -> dict[str, Any]:
    return shell(navigation=navigation)


async def outline(play: Play, target: str) -> dict[str, Any]:
    got = await play.get(target)
    assert got.status == 200, got.text
    read: dict[str, Any] = json.loads(got.text)
    return read


async def test_the_outline_of_a_page() -> None:
    def pages(request: Request) -> Reply:
        city = request.target.decode().partition("city=")[2]
        return html(
            BEFORE.replace("<title>S", f"<title>{city}") + slot("a.box", f"city={city}") + slot("b.box") + AFTER
        )

    async with playing(
        [soft(soft=True), team("a"), team("b")], {"shell": pages, "a": says("a"), "b": says("b")}
    ) as play:
        rome, paris = await outline(play, "/-/slots/?city=rome"), await outline(play, "/-/slots/?city=paris")
        assert play.seen == ["shell GET /?city=rome", "shell GET /?city=paris"]
        assert (rome["title"], paris["title"]) == ("rome", "paris")
        assert [each["src"] for each in rome["slots"]] == ["/-/fragment/a.box?city=rome", "/-/fragment/b.box"]
        assert rome["shell"] == paris["shell"]
        assert rome["slots"][0]["mark"] != paris["slots"][0]["mark"]
        assert rome["slots"][1] == paris["slots"][1]
        page = await play.get("/?city=rome")
        assert f'data-shell="{rome["shell"]}"' in page.text
        assert all(f'data-mf-slot="{each["mark"]}"' in page.text for each in rome["slots"])


@pytest.mark.parametrize(
    ("mount", "answer"),
    [
        pytest.param({}, page(slot("a.box")), id="a mount that does not say so"),
        pytest.param({"navigation": {"soft": True}}, says("<p>no slots"), id="a page without slots"),
        pytest.param({"navigation": {"soft": True}}, page(slot("a.box", "primary")), id="a page a piece speaks for"),
        pytest.param({"navigation": {"soft": True}}, says(slot("a.box"), status=404), id="a page that is not there"),
        pytest.param({"navigation": {"soft": True}}, lambda _: Reply(b"", 302, [("location", "/x")]), id="a redirect"),
        pytest.param({"navigation": {"soft": True}}, lambda _: Reply(b"{}"), id="what is no page"),
    ],
)  # fmt: skip
async def test_what_has_no_outline_is_loaded(mount: dict[str, Any], answer: Answers) -> None:
    async with playing([shell(**mount), team("a")], {"shell": answer, "a": says("a")}) as play:
        assert (await play.get("/-/slots/")).status == 404


async def test_moving_as_a_mount_declares_it() -> None:
    declared = soft(transitions=True, prefetch="moderate")
    async with playing([declared, team("a")], {"shell": page(slot("a.box")), "a": says("a")}) as play:
        got = await play.get("/")
        assert re.search(
            r'<link rel="stylesheet" href="/-/browser/transitions-[^"]+">', got.text.partition("</head>")[0]
        )
        rules = re.fullmatch(r'"(/-/browser/prefetch-moderate-[^"]+)"', got.get("speculation-rules") or "")
        assert rules is not None


async def test_by_default_nothing_of_ours_is_in_a_page() -> None:
    async with playing([shell(), team("a")], {"shell": page(slot("a.box")), "a": says("a")}) as play:
        got = await play.get("/")
        assert "/-/" not in got.text
        assert got.get("speculation-rules") is None


# Early


async def hinted(play: Play, *headers: tuple[str, str]) -> list[bytes]:
    told: list[bytes] = []
    fields = [(b"host", b"shop.test"), *((name.encode(), value.encode()) for name, value in headers)]
    hints: Callable[[list[tuple[bytes, bytes]]], None] = lambda fields: told.extend(value for _, value in fields)  # noqa: E731
    response = await play.flow.serve(Request(b"GET", b"/", fields, b"", hints=hints))
    got = Got(response.status, response.headers)
    await drain(got, response)
    return told


async def test_what_a_page_loaded_the_last_time_is_told_before_it_is_here() -> None:
    brings = "<link rel=stylesheet href=/s.css><script type=module src=/m.js></script><b>a"
    origins = {"shell": page(slot("a.box")), "a": lambda _: html(brings, delay=0.02)}
    async with playing([shell(), team("a")], origins) as play:
        navigates = ("sec-fetch-mode", "navigate")
        assert await hinted(play, navigates) == []
        link = b'</a/s.css>; rel=preload; as="style", </a/m.js>; rel=modulepreload'
        assert await hinted(play, navigates) == [link]
        assert await hinted(play) == []
        assert (await play.get("/")).get("link") == link.decode()


async def test_nobody_is_told_what_is_somebody_elses() -> None:
    brings = lambda _: html("<link rel=stylesheet href=/mine.css><b>a", delay=0.02)  # noqa: E731
    async with playing(
        [shell(), team("a", forward={"cookies": ["session"]})], {"shell": page(slot("a.box")), "a": brings}
    ) as play:
        await play.get("/")
        assert await hinted(play, ("sec-fetch-mode", "navigate")) == []


async def test_an_operator_may_do_without() -> None:
    brings = "<link rel=stylesheet href=/s.css><b>a"
    origins = {"shell": page(slot("a.box")), "a": lambda _: html(brings, delay=0.02)}
    async with playing([shell(), team("a")], origins, early_hints=False) as play:
        await play.get("/")
        assert await hinted(play, ("sec-fetch-mode", "navigate")) == []


# A viewer that leaves, by the end of its connection


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("attributes", ["", "late"])
async def test_who_stops_in_the_middle_of_a_page_has_gone_away(coding: str, attributes: str) -> None:
    slow = Slow("<b>x")
    origins: dict[str, Answers] = {"shell": page(slot("a.box", attributes)), "a": slow}
    async with (
        playing([shell(), team("a", timeout="30s")], origins, deadline=30) as play,
        listening(play.portal) as here,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(f"GET / HTTP/1.1\r\nHost: shop.test\r\nAccept-Encoding: {coding}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()  # a FIN, no more
        await until(lambda: play.cancelled == ["a GET /box"])


async def test_who_has_sent_all_it_had_still_gets_its_page() -> None:
    origins: dict[str, Answers] = {"shell": page(slot("a.box")), "a": lambda _: html("<b>x", delay=0.05)}
    async with playing([shell(), team("a")], origins) as play, listening(play.portal) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        writer.write_eof()
        said = await reader.read()
        assert b"<b>x</b>" in said
        assert said.endswith(b"0\r\n\r\n")
        writer.close()


# What a team should know


async def test_what_is_odd_about_markup_is_told_once() -> None:
    twice = '<p id=x>{}<meta http-equiv=refresh content="0">'
    origins = {
        "shell": says(
            BEFORE
            + slot("a.box", "required")
            + slot("b.box", "required")
            + '<mf-slot name="c.box" timeout="soon"></mf-slot>'
            + AFTER
        ),
        "a": says(twice.format("a")),
        "b": says(twice.format("b")),
    }
    async with playing([shell(), team("a"), team("b")], origins) as play:
        for _ in range(3):
            await play.get("/x")
        told = [fact.what.partition(": ") for fact in play.facts if isinstance(fact, Noticed)]
        assert sorted((who, what.partition(":")[0]) for who, _, what in told) == [
            ("/x", "id-twice"),
            ("/x", "slot-timeout"),
            ("a.box", "piece-meta"),
            ("b.box", "piece-meta"),
        ]


# What it costs


async def test_a_kept_page_is_not_copied_for_who_asks_again() -> None:
    rows = "<p>" + "x" * 50_000
    origins: dict[str, Answers] = {
        "shell": lambda _: kept(BEFORE + rows + slot("a.box", "required") + AFTER),
        "a": lambda _: kept(rows),
    }
    async with playing([shell(), team("a")], origins) as play:
        first = await play.get("/")
        await play.get("/")
        tracemalloc.start()
        _, response = await play.open("/")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert response.body == first.body
        assert len(first.body) > 100_000
        assert most < 20_000
