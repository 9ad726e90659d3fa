"""Entries in a real Redis: shared, timed, purged, checked when read, and cheap when it is away."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

import gateway.store.redis as redis
from gateway.message import Entry
from gateway.store.base import Purge, StoreError
from gateway.store.codec import digest
from gateway.store.redis import RedisEntries
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.anyio


def entry(body: bytes = b"<p>deals</p>", life: float = 30.0, tags: tuple[str, ...] = ()) -> Entry:
    now = time.time()
    return Entry(200, ((b"content-type", b"text/html"),), body, digest(body), now, now + life, now + life, now, tags)


@pytest.fixture
async def entries(fresh_redis: RedisServer) -> AsyncIterator[RedisEntries]:
    entries = RedisEntries(fresh_redis.url)
    yield entries
    await entries.close()


async def test_what_is_put_is_got_in_one_round_trip(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    kept = entry()
    await entries.put(b"a", kept, time.time())
    with fresh_redis.monitor() as said:
        assert await entries.get([b"a", b"b", b"a"]) == [kept, None, kept]
    asked = [command for command in said if "portico" in command]  # the kit's own words aside
    assert [command.split()[0] for command in asked] == ["MGET"]
    assert await entries.get([]) == []


async def test_an_entry_lives_to_its_last_use_and_not_longer(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    await entries.put(b"a", entry(life=30.0, tags=("hotels",)), time.time())
    for key in ("portico:1:e:a", "portico:1:t:hotels"):
        assert 29_000 < int(str(fresh_redis.cli("PTTL", key))) <= 30_000
    await entries.put(b"b", entry(life=-1.0), time.time())
    assert await entries.get([b"b"]) == [None]


async def test_a_tag_lives_as_long_as_its_longest_entry(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    for key, life in ((b"a", 60.0), (b"b", 5.0)):
        await entries.put(key, entry(life=life, tags=("hotels",)), time.time())
    assert int(str(fresh_redis.cli("PTTL", "portico:1:t:hotels"))) > 59_000


async def test_a_tag_does_not_grow_with_entries_that_ended(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    now = time.time()
    for number in range(5):
        await entries.put(b"%d" % number, entry(life=1.0, tags=("hotels",)), now)
    await entries.put(b"last", entry(life=60.0, tags=("hotels",)), now + 5)
    assert fresh_redis.cli("ZCARD", "portico:1:t:hotels") == 1


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        pytest.param(Purge("tag", "rooms"), [False, True], id="by tag"),
        pytest.param(Purge("team", "hotels"), [False, True], id="by team"),
        pytest.param(Purge("url", "/hotels/1"), [False, True], id="by URL"),
        pytest.param(Purge("tag", "cars"), [True, True], id="of a tag nobody has"),
        pytest.param(Purge("tag", "hotels"), [True, True], id="a team is no tag of that name"),
    ],
)
async def test_a_purge_takes_what_it_names(entries: RedisEntries, purge: Purge, left: list[bool]) -> None:
    await entries.put(b"a", entry(tags=("rooms", "team:hotels", "url:/hotels/1")), time.time())
    await entries.put(b"b", entry(tags=("animals", "team:pets")), time.time())
    await entries.purge(purge)
    assert [found is not None for found in await entries.get([b"a", b"b"])] == left


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x04\x95cos\nsystem\n.", id="a pickle"),
        pytest.param(b"PTC\x01\xff\xff\xff\xff{}", id="a length that lies"),
        pytest.param(b"\x00" * 4096, id="zeros"),
    ],
)
async def test_nonsense_is_a_miss(entries: RedisEntries, fresh_redis: RedisServer, value: bytes) -> None:
    fresh_redis.cli("SET", "portico:1:e:a", value)
    assert await entries.get([b"a"]) == [None]


async def test_another_type_under_a_key_is_a_miss(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    fresh_redis.cli("LPUSH", "portico:1:e:a", "x")
    assert await entries.get([b"a"]) == [None]


async def test_what_redis_refuses_is_told_without_giving_it_up(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    fresh_redis.cli("SET", "portico:1:t:hotels", "not a sorted set")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        await entries.put(b"a", entry(tags=("hotels",)), time.time())
    assert entries.answers


async def test_away_it_costs_next_to_nothing_and_it_is_found_again(
    fresh_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "PAUSE", 0.05)
    entries = RedisEntries(fresh_redis.url)
    kept = entry()
    await entries.put(b"a", kept, time.time())
    fresh_redis.stop()
    try:
        with pytest.raises(StoreError):
            await entries.get([b"a"])
        assert not entries.answers
        with pytest.raises(StoreError, match="does not answer; it is tried every"):
            await entries.put(b"a", kept, time.time())
    finally:
        fresh_redis.start()
    for _ in range(100):
        await asyncio.sleep(0 if entries.answers else 0.02)
    await entries.put(b"a", kept, time.time())
    assert await entries.get([b"a"]) == [kept]
    await entries.close()


async def test_closing_ends_the_trials(fresh_redis: RedisServer) -> None:
    entries = RedisEntries("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(StoreError) as told:
        await entries.get([b"a"])
    assert "secret" not in f"{told.value}{entries!r}"
    await entries.close()
