"""What is known is asked about, not for; what an unsafe request changed, or a purge named, is never used again."""

import asyncio

import pytest

from gateway.message import Request
from gateway.store.base import Purge
from tests.gateway.proxy.playbook import Answers, Reply, html, manifest, playing, until
from tests.gateway.proxy.test_cache import HOTELS, status_of

pytestmark = pytest.mark.anyio

FRESH = ("cache-control", "max-age=60")
PIECE = manifest("pets", fragments={"pets.box": {"upstream": "pets", "path": "/box"}})
HOME = manifest("home", mounts={"/": {"upstream": "home", "composes": True}})


def validated(*headers: tuple[str, str], etag: str = '"v1"') -> tuple[list[str], Answers]:
    """An origin that knows its ETag; and what it was asked by."""
    asked: list[str] = []

    def answer(request: Request) -> Reply:
        said = request.index.get(b"if-none-match", b"").decode()
        asked.append(said)
        if said == etag:
            return Reply(b"", 304, [("etag", etag), ("x-turn", str(len(asked))), *headers])
        return html(f"<p>{len(asked)}", ("etag", etag), ("x-turn", str(len(asked))), *headers)

    return asked, answer


async def test_what_went_stale_is_asked_about_and_a_304_makes_it_fresh_again() -> None:
    asked, answer = validated(FRESH)
    async with playing([HOTELS], {"hotels": answer}) as play:
        first = await play.get("/hotels/x")
        play.flow.ahead = 61
        second = await play.get("/hotels/x")
        third = await play.get("/hotels/x")
    assert asked == ["", '"v1"']
    assert first.text == second.text == third.text == "<p>1"
    assert (second.status, second.get("x-turn")) == (200, "2")
    assert status_of(second)["fwd"] == "stale" and status_of(second)["fwd-status"] == 304
    assert "hit" in status_of(third)


async def test_another_answer_takes_the_place_of_the_one_that_was_asked_about() -> None:
    _, answer = validated(FRESH)
    _, other = validated(FRESH, etag='"v2"')
    async with playing([HOTELS], {"hotels": answer}) as play:
        await play.get("/hotels/x")
        play.flow.ahead, play.origins["hotels"] = 61, other
        assert (await play.get("/hotels/x")).text == "<p>1"
        assert (await play.get("/hotels/x")).get(
            "etag",
        ) is not None


async def test_what_must_always_be_asked_about_is_kept_and_asked_about() -> None:
    asked, answer = validated(("cache-control", "no-cache"))
    async with playing([HOTELS], {"hotels": answer}) as play:
        texts = [(await play.get("/hotels/x")).text for _ in range(3)]
    assert (texts, asked) == (["<p>1"] * 3, ["", '"v1"', '"v1"'])


async def test_an_edited_page_is_asked_about_by_its_origins_own_validator() -> None:
    asked: list[bytes] = []

    def answer(request: Request) -> Reply:
        asked.append(request.index.get(b"if-none-match", b""))
        if asked[-1]:
            return Reply(b"", 304, [("etag", '"o1"'), FRESH])
        return html('<a href="/y">', ("etag", '"o1"'), FRESH)

    async with playing([HOTELS], {"hotels": answer}) as play:
        before = await play.get("/hotels/x")
        play.flow.ahead = 61
        after = await play.get("/hotels/x")
    assert asked == [b"", b'"o1"']
    assert before.text == after.text and 'href="/hotels/y"' in after.text
    assert before.get("etag") == after.get("etag")


async def test_fragments_are_asked_about_too() -> None:
    asked, answer = validated(FRESH)
    shell = '<!doctype html><main><mf-slot name="pets.box" required></mf-slot></main>'
    async with playing([HOME, PIECE], {"home": lambda _: html(shell, FRESH), "pets": answer}) as play:
        first = await play.get("/")
        play.flow.ahead = 61
        second = await play.get("/")
    assert asked == ["", '"v1"']
    assert "<p>1" in first.text and "<p>1" in second.text


async def test_viewers_are_told_of_a_304_only_by_what_they_hold() -> None:
    _, answer = validated(FRESH)
    async with playing([HOTELS], {"hotels": answer}) as play:
        etag = (await play.get("/hotels/x")).get("etag") or ""
        play.flow.ahead = 61
        assert (await play.get("/hotels/x", ("if-none-match", etag))).status == 304
        assert (await play.get("/hotels/x", ("if-none-match", '"other"'))).status == 200


@pytest.mark.parametrize(
    ("method", "status", "asked_again"),
    [
        pytest.param("POST", 200, True, id="an unsafe one that did its work"),
        pytest.param("DELETE", 303, True, id="or sends elsewhere"),
        pytest.param("POST", 500, False, id="not one that failed"),
        pytest.param("OPTIONS", 200, False, id="not a safe one"),
    ],
)
async def test_an_unsafe_request_ends_what_is_kept_of_its_target(method: str, status: int, asked_again: bool) -> None:
    def answer(request: Request) -> Reply:
        return html("<p>", FRESH) if request.method == b"GET" else Reply(b"", status, [("location", "/elsewhere")])

    async with playing([HOTELS], {"hotels": answer}) as play:
        for path in ("/hotels/x", "/hotels/elsewhere", "/hotels/other"):
            await play.get(path)
        await play.get("/hotels/x", method=method)
        for path in ("/hotels/x", "/hotels/other"):
            await play.get(path)
    gets = [seen for seen in play.seen if seen.startswith("hotels GET")]
    assert gets.count("hotels GET /x") == (2 if asked_again else 1)
    assert gets.count("hotels GET /other") == 1


async def test_only_what_is_kept_is_504_where_nothing_is() -> None:
    _, answer = validated(FRESH)
    only = ("cache-control", "only-if-cached")
    async with playing([HOTELS], {"hotels": answer}) as play:
        assert (await play.get("/hotels/x", only)).status == 504
        await play.get("/hotels/x")
        assert (await play.get("/hotels/x", only)).status == 200
        assert len(play.seen) == 1


@pytest.mark.parametrize(("reloads", "times"), [("ignored", 1), ("obeyed", 2)])
async def test_a_reload_reaches_the_origin_only_where_the_mount_obeys(reloads: str, times: int) -> None:
    mount = {"upstream": "hotels", "cache": {"ttl": "1m", "reloads": reloads}}
    async with playing([manifest("hotels", mounts={"/hotels": mount})], {"hotels": lambda _: html("<p>")}) as play:
        await play.get("/hotels/x")
        await play.get("/hotels/x", ("cache-control", "no-cache"))
    assert len(play.seen) == times


async def test_a_request_that_forbids_to_keep_its_answer_is_obeyed() -> None:
    async with playing([HOTELS], {"hotels": lambda _: html("<p>", FRESH)}) as play:
        assert status_of(await play.get("/hotels/x", ("cache-control", "no-store")))["detail"] == "no-store"
        assert "hit" not in status_of(await play.get("/hotels/x"))


async def test_an_answer_of_many_variants_is_kept_in_so_many() -> None:
    async with playing([HOTELS], {"hotels": lambda _: html("<p>", FRESH, ("vary", "x-a"))}) as play:
        for number in range(80):
            await play.get("/hotels/x", ("x-a", str(number)))
        again = [await play.get("/hotels/x", ("x-a", str(number))) for number in range(80)]
    assert sum("hit" in status_of(got) for got in again) == 64


# Purges


async def test_a_fetch_that_began_before_a_purge_brings_back_nothing_of_what_it_named() -> None:
    go = asyncio.Event()

    async def slow(_: Request) -> Reply:
        await go.wait()
        return html("<p>old", FRESH)

    async with playing([HOTELS], {"hotels": slow}) as play:
        old = asyncio.ensure_future(play.get("/hotels/x"))
        other = asyncio.ensure_future(play.get("/stays/y"))
        await until(lambda: len(play.seen) == 2)
        play.cache.purge(Purge("prefix", "/hotels"))
        go.set()
        assert (await old).text == (await other).text == "<p>old"
        play.origins["hotels"] = lambda _: html("<p>new", FRESH)
        assert (await play.get("/hotels/x")).text == "<p>new"
        assert (await play.get("/stays/y")).text == "<p>old"


async def test_what_is_purged_softly_is_served_stale_while_it_is_asked_for_again() -> None:
    mount = {"upstream": "hotels", "cache": {"ttl": "1m", "stale_while_revalidate": "1m"}}
    turns = iter(range(9))
    origins = {"hotels": lambda _: html(f"<p>{next(turns)}")}
    async with playing([manifest("hotels", mounts={"/hotels": mount})], origins) as play:
        await play.get("/hotels/x")
        play.cache.purge(Purge("url", "/hotels/x", soft=True), play.flow.now())
        assert (await play.get("/hotels/x")).text == "<p>0"
        await play.settle()
        assert (await play.get("/hotels/x")).text == "<p>1"


# What makes no difference


async def test_parameters_that_make_no_difference_reach_no_origin_and_no_key() -> None:
    mount = {"upstream": "hotels", "cache": {"ttl": "1m", "query": {"sort": True, "ignore": ["utm_*", "fbclid"]}}}
    async with playing([manifest("hotels", mounts={"/hotels": mount})], {"hotels": lambda _: html("<p>")}) as play:
        for query in ("?b=2&a=1", "?a=1&b=2&utm_source=x", "?fbclid=1&a=1&b=2"):
            assert (await play.get(f"/hotels/x{query}")).status == 200
    assert play.seen == ["hotels GET /x?a=1&b=2"]


async def test_languages_are_narrowed_for_the_key_and_for_the_origin() -> None:
    def answer(request: Request) -> Reply:
        return html(request.index.get(b"accept-language", b"").decode(), FRESH, ("vary", "accept-language"))

    mount = {"upstream": "hotels", "cache": {"ttl": "1m", "vary": {"languages": ["en", "de"]}}}
    async with playing([manifest("hotels", mounts={"/hotels": mount})], {"hotels": answer}) as play:
        said = [
            (await play.get("/hotels/x", ("accept-language", each))).text for each in ("de-AT, en;q=.5", "de", "fr")
        ]
    assert (said, len(play.seen)) == (["de", "de", "en"], 2)


async def test_the_cookies_that_matter_are_all_an_origin_sees_of_who_reads() -> None:
    def answer(request: Request) -> Reply:
        return html(request.index.get(b"cookie", b"-").decode(), FRESH, ("vary", "cookie"))

    mount = {"upstream": "hotels", "cookies": ["*"], "cache": {"ttl": "1m", "vary": {"cookies": ["currency"]}}}
    async with playing([manifest("hotels", mounts={"/hotels": mount})], {"hotels": answer}) as play:
        for cookie in ("sid=1; currency=eur", "currency=eur; sid=2"):
            assert "sid" not in (await play.get("/hotels/x", ("cookie", cookie))).text
    assert len(play.seen) == 1


# What viewers hold, and what is nobody's but theirs


async def test_a_date_that_a_viewer_holds_is_judged_by_what_is_kept() -> None:
    fields = [("content-type", "image/png"), ("last-modified", "Tue, 24 Nov 2026 10:00:00 GMT"), FRESH]
    files = manifest("files", mounts={"/f": {"upstream": "files"}})
    async with playing([files], {"files": lambda _: Reply(b"x", 200, fields)}) as play:
        await play.get("/f/x.png")
        since = [("if-modified-since", f"Tue, 24 Nov 2026 {hour}:00:00 GMT") for hour in ("09", "10", "11")]
        assert [(await play.get("/f/x.png", each)).status for each in since] == [200, 304, 304]
    assert len(play.seen) == 1


async def test_a_304_that_is_for_one_viewer_is_nobody_elses() -> None:
    turns = iter(range(9))

    def answer(request: Request) -> Reply:
        if b"if-none-match" in request.index:
            return Reply(b"", 304, [("etag", '"v1"'), ("cache-control", "private")])
        return html(f"<p>{next(turns)}", ("etag", '"v1"'), FRESH)

    async with playing([HOTELS], {"hotels": answer}) as play:
        await play.get("/hotels/x")
        play.flow.ahead = 61
        assert (await play.get("/hotels/x")).text == "<p>0"
        assert (await play.get("/hotels/x")).text == "<p>1"


async def test_a_cookie_of_a_304_is_for_who_asked() -> None:
    def answer(request: Request) -> Reply:
        if b"if-none-match" in request.index:
            return Reply(b"", 304, [("etag", '"v1"'), FRESH, ("set-cookie", "a=1")])
        return html("<p>", ("etag", '"v1"'), FRESH)

    async with playing([HOTELS], {"hotels": answer}) as play:
        await play.get("/hotels/x")
        play.flow.ahead = 61
        assert (await play.get("/hotels/x")).get("set-cookie") is not None
        assert (await play.get("/hotels/x")).get("set-cookie") is None


async def test_who_writes_says_exactly_where() -> None:
    mount = {"upstream": "hotels", "cache": {"ttl": "1m", "query": {"ignore": ["utm_*"]}}}
    async with playing([manifest("hotels", mounts={"/hotels": mount})], {"hotels": lambda _: html("<p>")}) as play:
        for method in ("GET", "POST", "GET"):
            await play.get("/hotels/x?utm_a=1&b=2", method=method)
    assert play.seen == ["hotels GET /x?b=2", "hotels POST /x?utm_a=1&b=2", "hotels GET /x?b=2"]
