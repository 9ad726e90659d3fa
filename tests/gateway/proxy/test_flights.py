"""One question for many, and never one answer for many that is not for all."""

import asyncio
from typing import Any

import pytest

from gateway.errors import Unreachable
from gateway.message import Request
from gateway.proxy.flights import LONE, PATIENCE, Flights
from tests.gateway.proxy.playbook import Reply, html, manifest, playing, until
from tests.gateway.proxy.test_cache import HOTELS, Shared, status_of

pytestmark = pytest.mark.anyio

FRESH = ("cache-control", "max-age=60")
MANY = 50


class Gate:
    """An origin that answers once it is opened, each with its number and the viewer's name."""

    def __init__(self, *headers: tuple[str, str], status: int = 200) -> None:
        self.headers = headers
        self.status = status
        self.open = asyncio.Event()
        self.count = 0

    async def __call__(self, request: Request) -> Reply:
        self.count += 1
        await self.open.wait()
        who = request.index.get(b"x-who", b"nobody").decode()
        return html(f"<p>{who}", *self.headers, status=self.status)


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        pytest.param([FRESH], 1, id="for all"),
        pytest.param([("cache-control", "public, max-age=60"), ("vary", "accept-encoding")], 1, id="alike for all"),
        pytest.param([("cache-control", "private, max-age=60")], MANY, id="private"),
        pytest.param([("cache-control", "no-store")], MANY, id="no-store"),
        pytest.param([FRESH, ("set-cookie", "a=1")], MANY, id="with a cookie"),
        pytest.param([FRESH, ("vary", "x-who")], MANY, id="by who asks"),
        pytest.param([], MANY, id="nothing said"),
    ],
)
async def test_many_who_miss_the_same_cost_one_fetch_if_it_is_for_all(
    headers: list[tuple[str, str]], asked: int
) -> None:
    gate = Gate(*headers)
    async with playing([HOTELS], {"hotels": gate}) as play:
        names = [("x-who", f"u{number}" if asked > 1 else "nobody") for number in range(MANY)]
        viewers = [asyncio.ensure_future(play.get("/hotels/x", name)) for name in names]
        await until(lambda: gate.count == 1)
        await asyncio.sleep(0.01)
        assert gate.count == 1
        gate.open.set()
        got = await asyncio.gather(*viewers)
    assert gate.count == asked
    if asked > 1:
        assert [each.text for each in got] == [f"<p>u{number}" for number in range(MANY)]
    else:
        assert sum("collapsed" in status_of(each) for each in got) == MANY - 1


async def test_who_is_answered_alone_is_not_waited_for_again() -> None:
    gate = Gate(("cache-control", "no-store"))
    async with playing([HOTELS], {"hotels": gate}) as play:
        gate.open.set()
        await play.get("/hotels/x")
        gate.open.clear()
        viewers = [asyncio.ensure_future(play.get("/hotels/x")) for _ in range(5)]
        await until(lambda: gate.count == 6)
        gate.open.set()
        await asyncio.gather(*viewers)
        play.flow.ahead = LONE + 1
        gate.open.clear()
        viewers = [asyncio.ensure_future(play.get("/hotels/x")) for _ in range(5)]
        await until(lambda: gate.count == 7)
        await asyncio.sleep(0.01)
        assert gate.count == 7
        gate.open.set()
        await asyncio.gather(*viewers)


async def test_variants_are_fetched_once_each() -> None:
    def answer(request: Request) -> Reply:
        return html(request.index[b"accept-language"].decode(), FRESH, ("vary", "accept-language"))

    async with playing([HOTELS], {"hotels": answer}) as play:
        languages = [("accept-language", "de" if number % 2 else "en") for number in range(20)]
        got = await asyncio.gather(*(play.get("/hotels/x", each) for each in languages))
        assert [each.text for each in got] == [language for _, language in languages]
        assert len(play.seen) <= 3


async def test_a_failure_is_everybodys() -> None:
    asked: list[int] = []
    go = asyncio.Event()

    async def fails(_: Request) -> Reply:
        asked.append(1)
        await go.wait()
        raise Unreachable("away")

    async with playing([HOTELS], {"hotels": fails}) as play:
        viewers = [asyncio.ensure_future(play.get("/hotels/x")) for _ in range(5)]
        await until(lambda: bool(asked))
        go.set()
        assert {got.status for got in await asyncio.gather(*viewers)} == {502}
        assert len(asked) == 1


async def test_who_goes_away_while_he_asks_for_all_leaves_it_to_the_next() -> None:
    gate = Gate(FRESH)
    async with playing([HOTELS], {"hotels": gate}) as play:
        first = asyncio.ensure_future(play.get("/hotels/x"))
        await until(lambda: gate.count == 1)
        others = [asyncio.ensure_future(play.get("/hotels/x")) for _ in range(5)]
        await asyncio.sleep(0.01)
        first.cancel()
        await until(lambda: gate.count == 2)
        gate.open.set()
        assert {got.status for got in await asyncio.gather(*others)} == {200}
        assert gate.count == 2
        assert not len(play.cache._flights)


async def test_fragments_of_many_pages_are_fetched_once() -> None:
    gate = Gate(FRESH)
    shell = '<!doctype html><main><mf-slot name="pets.box" required></mf-slot></main>'
    home = manifest("home", mounts={"/": {"upstream": "home", "composes": True}})
    pets = manifest("pets", fragments={"pets.box": {"upstream": "pets", "path": "/box", "timeout": "3s"}})
    async with playing([home, pets], {"home": lambda _: html(shell, FRESH), "pets": gate}) as play:
        pages = [asyncio.ensure_future(play.get("/")) for _ in range(20)]
        await until(lambda: gate.count == 1)
        gate.open.set()
        got = await asyncio.gather(*pages)
        assert all("<p>nobody" in each.text for each in got)
        assert gate.count == 1


async def test_two_gateways_ask_once() -> None:
    gate, shared = Gate(FRESH), Shared()
    async with (
        playing([HOTELS], {"hotels": gate}, shared=shared) as one,
        playing([HOTELS], {"hotels": gate}, shared=shared) as other,
    ):
        viewers = [asyncio.ensure_future(play.get("/hotels/x")) for play in (one, other) * 10]
        await until(lambda: gate.count == 1)
        await asyncio.sleep(0.02)
        gate.open.set()
        assert {got.text for got in await asyncio.gather(*viewers)} == {"<p>nobody"}
        assert gate.count == 1
        await asyncio.gather(one.settle(), other.settle())
        assert not shared.claims


async def test_a_claim_is_given_back_when_nothing_is_kept() -> None:
    gate, shared = Gate(("cache-control", "no-store")), Shared()
    gate.open.set()
    async with playing([HOTELS], {"hotels": gate}, shared=shared) as play:
        await play.get("/hotels/x")
        await play.settle()
        assert not shared.claims


async def test_nobody_waits_longer_than_he_would_for_an_answer() -> None:
    flights: Any = Flights()
    flight = flights.begin(b"k", 0)
    began = asyncio.get_running_loop().time()
    assert not await flight.landed(0.05)
    assert asyncio.get_running_loop().time() - began >= 0.04
    assert flights.get(b"k", 0) is flight and flights.get(b"k", 1) is None
    flight.end()
    assert await flight.landed(0.05) and flights.get(b"k", 0) is None


async def test_one_that_takes_longer_than_anybody_waits_gives_way_to_the_next() -> None:
    flights = Flights()
    first = flights.begin(b"k", 0)
    first.began -= PATIENCE + 1
    assert flights.get(b"k", 0) is None
    second = flights.begin(b"k", 0)
    first.end()
    assert flights.get(b"k", 0) is second
