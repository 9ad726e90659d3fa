"""How entries lie in a real Redis: timed, in pieces where they are large, under names that never meet."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.store.redis.entries as entries_of
import gateway.store.redis.node as node
from gateway.message import Entry
from gateway.store.base import StoreError, StoreRefused
from gateway.store.codec import digest
from gateway.store.redis.entries import RedisEntries
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


async def test_a_page_is_read_in_one_round_trip(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    kept = entry()
    await entries.put(b"a", kept, time.time())
    with fresh_redis.monitor() as said:
        assert await entries.get([b"a", b"b", b"a"]) == [kept, None, kept]
    asked = [command for command in said if "portico" in command]  # the kit's own words aside
    assert [command.split()[0] for command in asked] == ["MGET"]


async def test_an_entry_is_written_in_one_command(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    await entries.get([b"a"])
    with fresh_redis.monitor() as said:
        await entries.put(b"a", entry(tags=("hotels", "team:hotels", "url:/hotels/")), time.time())
    assert [command.split()[:2] for command in said if "portico" in command] == [["SET", "portico:2:e:{a}"]]


async def test_an_entry_lives_to_its_last_use_and_not_longer(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    await entries.put(b"a", entry(life=30.0, tags=("hotels",)), time.time())
    assert 29_000 < int(str(fresh_redis.cli("PTTL", "portico:2:e:{a}"))) <= 30_000


async def test_a_large_body_lies_in_pieces_that_end_with_it(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    large, small = entry(random.Random(1).randbytes(700_000)), entry()
    await entries.put(b"large", large, time.time())
    await entries.put(b"small", small, time.time())
    pieces = fresh_redis.cli("KEYS", "portico:2:p:{large}:*")
    assert isinstance(pieces, list) and len(pieces) == 3
    for name in ("portico:2:e:{large}", *pieces):
        assert int(str(fresh_redis.cli("STRLEN", name))) <= entries_of.PIECES
        assert 29_000 < int(str(fresh_redis.cli("PTTL", name))) <= 30_000
    with fresh_redis.monitor() as said:
        assert await entries.get([b"small", b"large", b"none"]) == [small, large, None]
    assert [command.split()[0] for command in said if "portico" in command] == ["MGET", "MGET"]


async def test_a_large_body_without_one_of_its_pieces_is_a_miss(
    entries: RedisEntries, fresh_redis: RedisServer
) -> None:
    await entries.put(b"large", entry(b"x" * 700_000), time.time())
    pieces = fresh_redis.cli("KEYS", "portico:2:p:*")
    assert isinstance(pieces, list)
    name = pieces[0]
    fresh_redis.cli("SET", name, "y" * entries_of.PIECES)
    assert await entries.get([b"large"]) == [None]
    fresh_redis.cli("DEL", name)
    assert await entries.get([b"large"]) == [None]


async def test_the_same_bytes_are_the_same_entry(entries: RedisEntries) -> None:
    """What was made of an entry, such as a page of several, is found again by it."""
    await entries.put(b"a", entry(), time.time())
    (first,), (second,) = await entries.get([b"a"]), await entries.get([b"a"])
    assert first is second


async def test_what_was_read_is_remembered_within_bounds(
    entries: RedisEntries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries_of, "KNOWN", 64_000)
    for number in range(100):
        await entries.put(b"%d" % number, entry(b"%d" % number * 200), time.time())
        assert all(await entries.get([b"%d" % number]))
        assert entries._known_size == sum(len(value) for value, _ in entries._known.values()) <= 64_000


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x04\x95cos\nsystem\n.", id="a pickle"),
        pytest.param(b"PTC\x01\xff\xff\xff\xff{}", id="an entry of the format before"),
        pytest.param(b"\x00" * 4096, id="zeros"),
    ],
)
async def test_nonsense_is_a_miss(entries: RedisEntries, fresh_redis: RedisServer, value: bytes) -> None:
    fresh_redis.cli("SET", "portico:2:e:{a}", value)
    assert await entries.get([b"a"]) == [None]


async def test_another_type_under_a_key_is_a_miss(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    fresh_redis.cli("LPUSH", "portico:2:e:{a}", "x")
    assert await entries.get([b"a"]) == [None]


KEYS = st.binary(max_size=12)


@given(st.lists(st.tuples(st.sampled_from("ecp"), KEYS), min_size=2, max_size=6, unique=True))
def test_names_of_two_keys_are_never_the_same(asked: list[tuple[str, bytes]]) -> None:
    makers = {"e": lambda key: [b"%b%b}" % (entries_of.ENTRY, key)], "c": lambda key: [entries_of._claimed(key)]}
    makers["p"] = lambda key: entries_of._pieces(key, digest(b""), 600_000)
    names = [name for kind, key in asked for name in makers[kind](key)]
    assert len(set(names)) == len(names)


async def test_a_refusal_is_told_and_not_taken_for_silence(entries: RedisEntries, fresh_redis: RedisServer) -> None:
    fresh_redis.cli("SET", "portico:2:e:{kept}", "x")
    fresh_redis.cli("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(StoreRefused, match="OOM"):
            await entries.put(b"a", entry(), time.time())
        with fresh_redis.monitor() as said, pytest.raises(StoreRefused, match="OOM"):
            await entries.put(b"a", entry(), time.time())
        assert not [command for command in said if "portico" in command]  # nor is it offered more for a moment
        assert entries.answers
        assert await entries.get([b"a"]) == [None]
    finally:
        fresh_redis.cli("CONFIG", "SET", "maxmemory", "0")


async def test_away_it_costs_next_to_nothing_and_it_is_found_again(
    fresh_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "PAUSE", 0.05)
    entries = RedisEntries(fresh_redis.url)
    kept = entry()
    await entries.put(b"a", kept, time.time())
    fresh_redis.stop()
    try:
        with pytest.raises(StoreError):
            await entries.get([b"a"])
        assert not entries.answers
        with pytest.raises(StoreError, match="is tried every"):
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
