"""What is kept, for whom, and what stands in when an origin fails. Cache-Status is read with a parser not ours."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import http_sf
import pytest

from gateway.errors import TimedOut, Unreachable
from gateway.message import Entry, Request
from gateway.store.base import Changed, Claim, Purge, StoreError
from gateway.telemetry.facts import Noticed
from tests.gateway.proxy.playbook import Got, Reply, html, kept, manifest, playing

pytestmark = pytest.mark.anyio

HOTELS = manifest("hotels", mounts={"/hotels": {"upstream": "hotels"}, "/stays": {"upstream": "hotels"}})
POLICY = {"ttl": "1m", "stale_while_revalidate": "1m", "stale_if_error": "1h", "tags": ["front"]}
BY_POLICY = manifest("hotels", mounts={"/hotels": {"upstream": "hotels", "cache": POLICY}})


def status_of(got: Got) -> dict[str, Any]:
    """Cache-Status, which must be one member and ours (RFC 9211)."""
    members: Any = http_sf.parse((got.get("cache-status") or "").encode(), tltype="list")
    ((name, parameters),) = members
    assert str(name) == "portico"
    assert ("hit" in parameters) != ("fwd" in parameters)
    return {key: str(value) if not isinstance(value, (bool, int)) else value for key, value in parameters.items()}


class Counter:
    """Answers with the number of the request, and fields."""

    def __init__(self, *headers: tuple[str, str], status: int = 200) -> None:
        self.headers = headers
        self.status = status
        self.count = 0

    def __call__(self, _: Request) -> Reply:
        self.count += 1
        return html(f"<p>{self.count}", *self.headers, status=self.status)


FRESH = ("cache-control", "max-age=60")


@pytest.mark.parametrize(
    ("reply", "asked", "detail"),
    [
        pytest.param([FRESH], [], None, id="max-age is kept"),
        pytest.param([("cache-control", "s-maxage=60")], [], None, id="s-maxage is kept"),
        pytest.param([("cache-control", "public, max-age=60")], [("cookie", "s=1")], None, id="public, with cookies"),
        pytest.param([], [], "no-freshness", id="silence is not kept"),
        pytest.param([("cache-control", "no-store")], [], "no-store", id="no-store is not"),
        pytest.param([("cache-control", "private, max-age=60")], [], "private", id="private is not"),
        pytest.param([("cache-control", "no-cache, max-age=60")], [], "no-cache", id="no-cache is not"),
        pytest.param([FRESH, ("set-cookie", "s=1")], [], "set-cookie", id="Set-Cookie is not"),
        pytest.param([FRESH, ("vary", "*")], [], "vary", id="a star in Vary is not"),
        pytest.param([FRESH], [("cookie", "s=1")], "cookie", id="max-age with cookies is not"),
    ],
)
async def test_what_is_kept(reply: list[tuple[str, str]], asked: list[tuple[str, str]], detail: str | None) -> None:
    counter = Counter(*reply)
    async with playing([HOTELS], {"hotels": counter}) as play:
        first = await play.get("/hotels/x", *asked)
        second = await play.get("/hotels/x", *asked)
        told = status_of(first)
        assert (told["fwd"], told["fwd-status"], told.get("detail")) == ("uri-miss", 200, detail)
        assert ("stored" in told) is (detail is None)
        assert counter.count == (1 if detail is None else 2)
        assert ("hit" in status_of(second)) is (detail is None)
        if detail is None:
            assert second.text == first.text
            assert 58 <= status_of(second)["ttl"] <= 60


@pytest.mark.parametrize(
    ("method", "asked", "reason"),
    [
        pytest.param("POST", [], "method", id="a method that changes things"),
        pytest.param("GET", [("authorization", "Basic eA==")], "request", id="Authorization"),
        pytest.param("GET", [("range", "bytes=0-1")], "request", id="a range"),
    ],
)
async def test_what_the_cache_has_no_say_in(method: str, asked: list[tuple[str, str]], reason: str) -> None:
    counter = Counter(FRESH)
    async with playing([HOTELS], {"hotels": counter}) as play:
        await play.get("/hotels/x", *asked, method=method)
        got = await play.get("/hotels/x", *asked, method=method)
        assert status_of(got)["fwd"] == reason
        assert counter.count == 2
        assert "hit" not in status_of(await play.get("/hotels/x"))


async def test_head_is_served_from_what_get_left() -> None:
    counter = Counter(FRESH)
    async with playing([HOTELS], {"hotels": counter}) as play:
        await play.get("/hotels/x")
        got = await play.get("/hotels/x", method="HEAD")
        assert "hit" in status_of(got)
        assert counter.count == 1


async def test_what_head_brought_is_never_served_to_get() -> None:
    async with playing([HOTELS], {"hotels": lambda _: kept("<p>whole")}) as play:
        await play.get("/hotels/x", method="HEAD")
        assert (await play.get("/hotels/x")).text == "<p>whole"


async def test_age_counts() -> None:
    async with playing([HOTELS], {"hotels": lambda _: kept("x")}) as play:
        assert (await play.get("/hotels/x")).get("age") is None
        play.wait(7)
        got = await play.get("/hotels/x")
        assert got.get("age") in ("7", "8")
        assert 51 <= status_of(got)["ttl"] <= 53


async def test_age_of_the_way_here_counts_too() -> None:
    """RFC 9111 section 4.2.3: what it aged before it came to us."""
    async with playing([HOTELS], {"hotels": lambda _: html("x", FRESH, ("age", "20"))}) as play:
        await play.get("/hotels/x")
        play.wait(5)
        got = await play.get("/hotels/x")
        assert status_of(got)["ttl"] <= 35
        assert int(got.get("age") or 0) >= 25


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("/hotels/x", "shop.test"), ("/hotels/y", "shop.test"), id="path"),
        pytest.param(("/hotels/x", "shop.test"), ("/hotels/x?", "shop.test"), id="query"),
        pytest.param(("/hotels/x", "shop.test"), ("/hotels/x", "other.test"), id="host"),
        pytest.param(("/hotels/x", "shop.test"), ("/stays/x", "shop.test"), id="mount"),
    ],
)
async def test_answers_are_told_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    counter = Counter(FRESH)
    async with playing([HOTELS], {"hotels": counter}) as play:
        for target, host in (one, other, one, other):
            await play.get(target, host=host)
        assert counter.count == 2


async def test_variants() -> None:
    def by_language(request: Request) -> Reply:
        return html(dict(request.headers).get(b"accept-language", b"-").decode(), FRESH, ("vary", "Accept-Language"))

    async with playing([HOTELS], {"hotels": by_language}) as play:
        answers = [await play.get("/hotels/x", ("accept-language", each)) for each in ("de", "en", "de", "en")]
        answers.append(await play.get("/hotels/x"))
        said = [got.text for got in answers]
        assert said == ["de", "en", "de", "en", "-"]
        assert len(play.seen) == 3
        assert "hit" in status_of(await play.get("/hotels/x", ("accept-language", "de")))


async def test_a_purged_variant_is_gone_with_the_others() -> None:
    counter = Counter(FRESH, ("vary", "accept-language"), ("surrogate-key", "red"))
    async with playing([HOTELS], {"hotels": counter}) as play:
        for _ in range(2):
            for language in ("de", "en"):
                await play.get("/hotels/x", ("accept-language", language))
        assert counter.count == 2
        play.cache.purge(Purge("tag", "red"))
        for language in ("de", "en"):
            await play.get("/hotels/x", ("accept-language", language))
        assert counter.count == 4


async def test_stale_is_served_while_one_refresh_runs() -> None:
    counter = Counter(("cache-control", "max-age=10, stale-while-revalidate=60"))
    go = asyncio.Event()
    go.set()

    async def when_told(request: Request) -> Reply:
        await go.wait()
        return counter(request)

    async with playing([HOTELS], {"hotels": when_told}) as play:
        await play.get("/hotels/x")
        play.wait(20)
        go.clear()
        answers = await asyncio.gather(*(play.get("/hotels/x") for _ in range(10)))
        assert {got.text for got in answers} == {"<p>1"}
        assert all(status_of(got)["ttl"] < 0 for got in answers)
        assert (counter.count, len(play.seen), play.cancelled) == (1, 2, [])  # asked, and not waited for
        go.set()
        await play.settle()
        assert (await play.get("/hotels/x")).text == "<p>2"
        assert (counter.count, len(play.seen)) == (2, 2)


async def test_a_refresh_that_fails_changes_nothing_and_is_noticed() -> None:
    replies: list[Callable[[], Reply]] = [lambda: kept_stale("<p>old"), fail, lambda: kept_stale("<p>new")]

    async with playing([HOTELS], {"hotels": lambda _: replies.pop(0)()}) as play:
        await play.get("/hotels/x")
        play.wait(20)
        for _ in range(2):
            assert (await play.get("/hotels/x")).text == "<p>old"
            await play.settle()
        assert [fact.room for fact in play.facts if isinstance(fact, Noticed)] == ["cache"]
        assert (await play.get("/hotels/x")).text == "<p>new"
        assert len(play.seen) == 3


def kept_stale(markup: str) -> Reply:
    return html(markup, ("cache-control", "max-age=10, stale-while-revalidate=60"))


def fail() -> Reply:
    raise Unreachable("refused")


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Unreachable("refused"), id="refused"),
        pytest.param(TimedOut("late"), id="late"),
        *[pytest.param(status, id=str(status)) for status in (500, 502, 503, 504)],
    ],
)
async def test_stale_stands_in_while_the_origin_fails(failure: Exception | int) -> None:
    healthy = True

    def origin(_: Request) -> Reply:
        if healthy:
            return html("<p>good", ("cache-control", "max-age=10, stale-if-error=100"))
        if isinstance(failure, Exception):
            raise failure
        return html("<p>bad", status=failure)

    async with playing([HOTELS], {"hotels": origin}) as play:
        await play.get("/hotels/x")
        play.wait(20)
        healthy = False
        got = await play.get("/hotels/x")
        assert (got.status, got.text) == (200, "<p>good")
        assert status_of(got)["fwd"] == "stale"
        if isinstance(failure, int):
            assert status_of(got)["fwd-status"] == failure
        play.wait(100)
        assert (await play.get("/hotels/x")).status >= 500
        healthy = True
        assert (await play.get("/hotels/x")).text == "<p>good"


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_stale_does_not_hide_what_the_origin_means(status: int) -> None:
    replies = [html("<p>good", ("cache-control", "max-age=10, stale-if-error=100")), html("<p>gone", status=status)]
    async with playing([HOTELS], {"hotels": lambda _: replies.pop(0)}) as play:
        await play.get("/hotels/x")
        play.wait(20)
        assert (await play.get("/hotels/x")).status == status


async def test_must_revalidate_leaves_nothing_to_stand_in() -> None:
    replies: list[Callable[[], Reply]] = [lambda: html("x", ("cache-control", "max-age=10, must-revalidate")), fail]
    async with playing([BY_POLICY], {"hotels": lambda _: replies.pop(0)()}) as play:
        await play.get("/hotels/x")
        play.wait(20)
        assert (await play.get("/hotels/x")).status == 502


async def test_the_manifests_policy_speaks_where_the_origin_is_silent() -> None:
    counter = Counter()
    async with playing([BY_POLICY], {"hotels": counter}) as play:
        await play.get("/hotels/x", ("cookie", "s=1"))
        assert (await play.get("/hotels/x")).text == "<p>1"
        play.cache.purge(Purge("tag", "front"))
        assert (await play.get("/hotels/x")).text == "<p>2"


@pytest.mark.parametrize(
    ("purge", "gone"),
    [
        pytest.param(Purge("url", "/hotels/x"), {"/hotels/x"}, id="by URL"),
        pytest.param(Purge("url", "/hotels/x?q=1"), {"/hotels/x?q=1"}, id="by URL with its query"),
        pytest.param(Purge("tag", "red"), {"/hotels/x", "/hotels/x?q=1"}, id="by tag"),
        pytest.param(Purge("team", "hotels"), {"/hotels/x", "/hotels/x?q=1", "/stays/y"}, id="by team"),
        pytest.param(Purge("tag", "hotels"), set(), id="a team's name is no tag"),
    ],
)
async def test_purge(purge: Purge, gone: set[str]) -> None:
    def tagged(request: Request) -> Reply:
        return html("x", FRESH, ("surrogate-key", "red green" if request.target.startswith(b"/x") else "blue"))

    targets = ["/hotels/x", "/hotels/x?q=1", "/stays/y"]
    async with playing([HOTELS], {"hotels": tagged}) as play:
        for target in targets:
            await play.get(target)
        assert play.cache.purge(purge) == len(gone)
        missed = {target for target in targets if "fwd" in status_of(await play.get(target))}
        assert missed == gone


async def test_what_is_between_origin_and_us_is_not_for_viewers() -> None:
    reply = html("x", FRESH, ("surrogate-key", "red"), ("surrogate-control", "max-age=5"))
    async with playing([HOTELS], {"hotels": lambda _: reply}) as play:
        for _ in range(2):
            got = await play.get("/hotels/x")
            assert got.get("surrogate-key") is None and got.get("surrogate-control") is None


async def test_a_streamed_answer_is_kept_once_it_is_whole() -> None:
    pieces = Reply([b"one ", 0.01, b"two"], headers=[FRESH, ("content-type", "text/plain")])
    async with playing([HOTELS], {"hotels": lambda _: pieces}) as play:
        got, response = await play.open("/hotels/x")
        assert "fwd" in status_of(await play.get("/hotels/x"))
        assert not isinstance(response.body, bytes)
        response.body.close()
        got = await play.get("/hotels/x")
        assert ("hit" in status_of(got), got.text) == (True, "one two")


async def test_an_incomplete_answer_is_never_kept() -> None:
    cut = Reply([b"one ", Unreachable("cut")], headers=[FRESH, ("content-type", "text/plain")])
    whole = Reply(b"whole", headers=[("content-type", "text/plain")])
    replies = [cut, whole]
    async with playing([HOTELS], {"hotels": lambda _: replies.pop(0)}) as play:
        with pytest.raises(Unreachable):
            await play.get("/hotels/x")
        assert (await play.get("/hotels/x")).text == "whole"


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_what_is_too_large_passes_and_is_not_kept(streamed: bool) -> None:
    big = bytes(300_000)
    reply = Reply([big] if streamed else big, headers=[FRESH, ("content-type", "application/octet-stream")])
    async with playing([HOTELS], {"hotels": lambda _: reply}) as play:
        for _ in range(2):
            got = await play.get("/hotels/x")
            assert (got.body, "fwd" in status_of(got)) == (big, True)


class Shared:
    """A store other gateways share, which may be away."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.away = False
        self.asked: list[int] = []
        self.purges: list[Purge] = []
        self.claims: dict[bytes, Claim] = {}
        self.free = asyncio.Event()

    def _reached(self) -> None:
        if self.away:
            raise StoreError("away")

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        self._reached()
        self.asked.append(len(keys))
        return [self.entries.get(key) for key in keys]

    async def put(self, key: bytes, entry: Entry, now: float, claim: Claim | None = None) -> bool:
        self._reached()
        self.entries[key] = entry
        if claim is not None:
            await self.yield_claim(claim)
        return True

    async def claim(self, key: bytes, seconds: float) -> Claim | None:
        self._reached()
        if key in self.claims:
            return None
        self.free.clear()
        self.claims[key] = Claim(key, secrets.token_bytes(4))
        return self.claims[key]

    async def yield_claim(self, claim: Claim) -> None:
        if self.claims.get(claim.key) == claim:
            del self.claims[claim.key]
            self.free.set()

    async def await_entry(self, key: bytes, seconds: float) -> Entry | None:
        self._reached()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.free.wait(), seconds)
        return self.entries.get(key)

    async def forget(self, keys: Sequence[bytes]) -> None:
        self._reached()
        for key in keys:
            self.entries.pop(key, None)

    def listen(self, changed: Changed) -> None:
        self.changed = changed

    async def purge(self, purge: Purge) -> None:
        self._reached()
        self.purges.append(purge)

    async def close(self) -> None:
        pass


async def test_what_another_gateway_kept_is_served() -> None:
    shared, counter = Shared(), Counter(FRESH, ("vary", "accept-language"))
    async with playing([HOTELS], {"hotels": counter}, shared=shared) as one:
        await one.get("/hotels/x", ("accept-language", "de"))
        await one.settle()
    async with playing([HOTELS], {"hotels": counter}, shared=shared) as other:
        got = await other.get("/hotels/x", ("accept-language", "de"))
        assert ("hit" in status_of(got), got.text, other.seen) == (True, "<p>1", [])
        await other.get("/hotels/x", ("accept-language", "de"))
        assert shared.asked[-2:] == [1, 1]
        await other.get("/hotels/x", ("accept-language", "en"))
        assert len(other.seen) == 1


async def test_a_store_that_is_away_is_said_once_and_missed_by_nobody() -> None:
    shared, counter = Shared(), Counter(FRESH)
    shared.away = True
    async with playing([HOTELS], {"hotels": counter}, shared=shared) as play:
        for number in range(5):
            assert (await play.get(f"/hotels/{number}")).status == 200
            await play.settle()
        assert "hit" in status_of(await play.get("/hotels/1"))
        shared.away = False
        assert (await play.get("/hotels/9")).status == 200
        told = [fact.what for fact in play.facts if isinstance(fact, Noticed)]
        assert len(told) == 2
        assert "going on without it" in told[0] and "is back" in told[1]


async def test_what_was_purged_is_not_taken_from_the_shared_store() -> None:
    shared, counter = Shared(), Counter(FRESH)
    async with playing([HOTELS], {"hotels": counter}, shared=shared) as one:
        await one.get("/hotels/x")
        await one.settle()
    async with playing([HOTELS], {"hotels": counter}, shared=shared) as other:
        other.cache.remember(Purge("team", "pets", 7))
        assert (await other.get("/hotels/x")).text == "<p>1"
    async with playing([HOTELS], {"hotels": counter}, shared=shared) as another:
        another.cache.remember(Purge("prefix", "/hotels", 8))
        assert (await another.get("/hotels/x")).text == "<p>2"
        await another.settle()
        assert [entry.since for entry in shared.entries.values()] == [8]
