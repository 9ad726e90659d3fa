"""One contract, two ledgers: what the registry may rely on, whoever keeps its registrations."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.errors import Conflict
from gateway.rules.leaks import LIFE, Leak, ordered
from gateway.store.base import Home, Kind, Ledger, Purge, Registered, StoreError
from gateway.store.redis.ledger import RedisLedger
from gateway.store.sqlite import SqliteLedger
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.anyio

Make = Callable[[], Ledger]


@pytest.fixture(params=["sqlite", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Another ledger on the same place each time, as another process has it."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / "state" / "ledger.sqlite")
    server: RedisServer = request.getfixturevalue("fresh_redis")
    return lambda: RedisLedger(server.url)


@pytest.fixture
async def ledger(make: Make) -> AsyncIterator[Ledger]:
    ledger = make()
    yield ledger
    await ledger.close()


@pytest.fixture
async def other(make: Make) -> AsyncIterator[Ledger]:
    other = make()
    yield other
    await other.close()


async def test_an_empty_one_has_nothing(ledger: Ledger) -> None:
    assert await ledger.number() == 0
    assert await ledger.manifests() == []
    assert await ledger.purges(0) == []
    assert await ledger.token("hotels") is None
    assert await ledger.delete("hotels", 1.0, "operator") is False


async def test_what_one_writes_the_other_reads(ledger: Ledger, other: Ledger) -> None:
    text = '{"team":"hotels","note":"\\u00e9 / \\"é\\" 🏨"}'
    written = await ledger.put("hotels", text, 1732450000.123456, "team hotels")
    assert written == Registered("hotels", 1, text, 1732450000.123456, "team hotels")
    assert await other.manifests() == [written]


async def test_teams_stand_in_the_order_they_first_came(ledger: Ledger) -> None:
    for team in ("shell", "hotels", "cars", "hotels", "shell"):
        await ledger.put(team, f'"{team}"', 1.0, "")
    assert [(row.team, row.revision) for row in await ledger.manifests()] == [("shell", 2), ("hotels", 2), ("cars", 1)]


async def test_a_change_on_an_old_revision_conflicts(ledger: Ledger, other: Ledger) -> None:
    await ledger.put("hotels", "1", 1.0, "", expected=0)
    await other.put("hotels", "2", 1.0, "", expected=1)
    for expected in (0, 1, 3):
        with pytest.raises(Conflict, match=f"'hotels' is at revision 2, .* revision {expected}"):
            await ledger.put("hotels", "3", 1.0, "", expected=expected)
    with pytest.raises(Conflict, match="'pets' is not registered"):
        await ledger.put("pets", "1", 1.0, "", expected=4)
    assert [row.manifest for row in await ledger.manifests()] == ["2"]


async def test_of_many_changes_on_one_revision_one_is_taken(ledger: Ledger, other: Ledger) -> None:
    async def change(number: int) -> bool:
        try:
            await (ledger, other)[number % 2].put("hotels", str(number), 1.0, "", expected=0)
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(change(number) for number in range(20)))) == 1


async def test_a_withdrawn_team_comes_back_with_a_revision_never_used(ledger: Ledger) -> None:
    await ledger.put("hotels", "1", 1.0, "")
    assert await ledger.delete("hotels", 2.0, "operator") is True
    assert await ledger.manifests() == []
    assert await ledger.delete("hotels", 2.0, "operator") is False
    assert (await ledger.put("hotels", "2", 3.0, "", expected=0)).revision == 3


async def test_every_change_grows_the_number(ledger: Ledger) -> None:
    seen = [await ledger.number()]
    await ledger.put("hotels", "1", 1.0, "")
    seen.append(await ledger.number())
    await ledger.purge("tag", "rooms", 1.0)
    seen.append(await ledger.number())
    await ledger.set_token("hotels", "abc")
    seen.append(await ledger.number())
    await ledger.delete("hotels", 1.0, "")
    seen.append(await ledger.number())
    assert seen == sorted(set(seen))


async def test_purges_are_told_once_and_in_order(ledger: Ledger, other: Ledger) -> None:
    first = await ledger.purge("url", "/hotels/1?a=b", 1.0)
    second = await other.purge("team", "hotels", 2.0)
    assert await ledger.purges(0) == [first, second]
    assert first.number < second.number
    assert await ledger.purges(first.number) == [second]
    assert await ledger.purges(second.number) == []


async def test_a_token_is_replaced(ledger: Ledger, other: Ledger) -> None:
    await ledger.set_token("hotels", "a" * 64)
    await ledger.set_token("hotels", "b" * 64)
    assert await other.token("hotels") == "b" * 64
    assert await other.token("pets") is None


HOTELS = Home("/hotels", "hotels", "hotels")
LEFT = Home("/stays", "hotels", "hotels", 1732450000.5, "/hotels")


async def test_homes_are_kept_and_replaced(ledger: Ledger, other: Ledger) -> None:
    assert await ledger.homes() == []
    await ledger.set_homes([])
    await ledger.set_homes([LEFT, HOTELS])
    assert await other.homes() == [HOTELS, LEFT]
    back = Home("/stays", "hotels", "hotels")
    await other.set_homes([back])
    assert await ledger.homes() == [HOTELS, back]
    await ledger.forget_homes([HOTELS])
    assert await other.homes() == [back]


def leak(target: str, *, team: str = "hotels", times: int = 1, last: float = 1000.0, page: str = "/hotels/") -> Leak:
    return Leak(team, "/hotels", target, "empty", "rescue", page, times, last)


async def test_leaks_of_all_processes_come_together(ledger: Ledger, other: Ledger) -> None:
    assert await ledger.leaks(None, 1000.0) == []
    await ledger.add_leaks([leak("/api", times=2), leak("/b'\"é{", team="pets")], 1000.0)
    await other.add_leaks([leak("/api", times=3, last=1001.5, page="/hotels/list")], 1001.5)
    both = leak("/api", times=5, last=1001.5, page="/hotels/list")
    assert await ledger.leaks("hotels", 1002.0) == [both]
    assert ordered(await ledger.leaks(None, 1002.0)) == [both, leak("/b'\"é{", team="pets")]


async def test_leaks_are_forgotten_in_time(ledger: Ledger) -> None:
    await ledger.add_leaks([leak("/old", last=1000.0), leak("/new", last=2000.0)], 2000.0)
    assert [each.target for each in await ledger.leaks(None, 1500.0 + LIFE)] == ["/new"]
    await ledger.add_leaks([leak("/newer", last=1500.0 + LIFE)], 1500.0 + LIFE)
    assert {each.target for each in await ledger.leaks(None, 0.0)} == {"/new", "/newer"}


async def test_or_when_their_team_says_so(ledger: Ledger, other: Ledger) -> None:
    await ledger.add_leaks([leak("/a"), leak("/b", team="pets")], 1000.0)
    await other.forget_leaks("hotels")
    assert [each.target for each in await ledger.leaks(None, 1000.0)] == ["/b"]
    await other.forget_leaks(None)
    assert await ledger.leaks(None, 1000.0) == []


async def test_made_up_paths_push_out_no_other_teams(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("sqlite", "redis.ledger"):
        monkeypatch.setattr(f"gateway.store.{room}.PER_TEAM", 3)
    await ledger.add_leaks([leak("/own", team="pets")], 1000.0)
    await ledger.add_leaks([leak(f"/{number}", last=1000.0 + number) for number in range(9)], 1010.0)
    assert [each.target for each in ordered(await ledger.leaks(None, 1010.0))] == ["/6", "/7", "/8", "/own"]


async def test_neither_leaks_nor_homes_wake_who_watches(ledger: Ledger) -> None:
    before = await ledger.number()
    await ledger.add_leaks([leak("/a")], 1000.0)
    await ledger.set_homes([HOTELS])
    await ledger.forget_homes([HOTELS])
    await ledger.forget_leaks(None)
    assert await ledger.number() == before


@pytest.mark.parametrize("kind", ["url", "prefix", "origin", "tag", "team"])
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
async def test_a_purge_is_read_as_it_was_written(ledger: Ledger, other: Ledger, kind: Kind, soft: bool) -> None:
    written = await ledger.purge(kind, "é/hotels?x=1", 1.0, soft)
    assert written == Purge(kind, "é/hotels?x=1", await ledger.number(), soft)
    assert await other.purges(0) == [written]


async def test_watching_tells_soon_of_what_another_changed(ledger: Ledger, other: Ledger) -> None:
    numbers = ledger.watch()
    assert await anext(numbers) == 0
    took = []
    for revision in range(1, 4):
        following = asyncio.ensure_future(anext(numbers))
        await asyncio.sleep(0.05)
        began = asyncio.get_running_loop().time()
        await other.put("hotels", str(revision), 1.0, "")
        assert await asyncio.wait_for(following, 5) == await other.number()
        took.append(asyncio.get_running_loop().time() - began)
    assert min(took) < 0.5  # the least of a few: a busy machine only ever adds


async def test_sqlite_tells_when_its_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all " * 100)
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    with pytest.raises(StoreError, match=r"ledger\.sqlite cannot be used"):
        await ledger.number()
    await ledger.close()


async def test_processes_may_open_a_new_sqlite_file_at_once(tmp_path: Path) -> None:
    ledgers = [SqliteLedger(tmp_path / "ledger.sqlite") for _ in range(6)]
    await asyncio.gather(*(ledger.put("hotels", str(number), 1.0, "") for number, ledger in enumerate(ledgers)))
    assert [row.revision for row in await ledgers[0].manifests()] == [6]
    for ledger in ledgers:
        await ledger.close()


async def test_redis_away_is_told_and_watching_goes_on_when_it_is_back(fresh_redis: RedisServer) -> None:
    ledger = RedisLedger(fresh_redis.url)
    numbers = ledger.watch()
    assert await anext(numbers) == 0
    following = asyncio.ensure_future(anext(numbers))
    fresh_redis.stop()
    try:
        with pytest.raises(StoreError):
            await ledger.put("hotels", "1", 1.0, "")
    finally:
        fresh_redis.start()
    await ledger.put("hotels", "1", 1.0, "")
    assert await asyncio.wait_for(following, 2) == await ledger.number() > 0
    await ledger.close()


async def test_a_redis_that_was_emptied_does_not_count_again_from_the_start(fresh_redis: RedisServer) -> None:
    """Entries in memories carry numbers of before: a purge that came with a lower one would not reach them."""
    ledger = RedisLedger(fresh_redis.url)
    before = [await ledger.purge("tag", "rooms", 1.0) for _ in range(3)]
    fresh_redis.flush()
    assert await ledger.number() == 0
    assert (await ledger.purge("tag", "rooms", 1.0)).number >= before[-1].number
    await ledger.close()
