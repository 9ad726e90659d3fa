"""One contract, whatever Redis it is: alone, behind a Sentinel, a cluster, or one that tells nothing of changes."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest
import redis

from gateway.message import Entry
from gateway.store.base import Claim, Entries, StoreError
from gateway.store.codec import digest, encode
from gateway.store.redis.entries import CLAIM, ENTRY, RedisEntries
from tests.kit.redis import RedisCluster, RedisServer, Watched

pytestmark = pytest.mark.anyio

Make = Callable[[], Entries]
Raw = Callable[..., None]  # a command, a name, a value: as somebody else would write


def entry(body: bytes = b"<p>deals</p>", life: float = 30.0) -> Entry:
    now = time.time()
    headers = ((b"content-type", b"text/html"), (b"x-number", b"%d" % len(body)))
    return Entry(200, headers, body, digest(body), now, now + life, now + life, now, ("hotels", "url:/hotels/"), 7)


KEYS = [b"page http portal.example / /%d" % number for number in range(12)]


@pytest.fixture(scope="module", params=["alone", "silent", "watched", "cluster"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Raw]]:
    """Where it is, and a hand in it. `silent` is a user who may not ask to be told of changes, as in some clouds."""
    kinds: dict[str, type[RedisServer | Watched | RedisCluster]] = {"watched": Watched, "cluster": RedisCluster}
    kind = kinds.get(request.param, RedisServer)
    server = kind(tmp_path_factory.mktemp("redis"))
    server.start()
    if isinstance(server, RedisServer):
        server.cli("ACL", "SETUSER", "quiet", "on", ">secret", "~*", "+@all", "-client|tracking")
    url = server.url if request.param != "silent" else server.url.replace("//", "//quiet:secret@")
    with _client(server) as client:

        def raw(command: str, name: bytes, value: bytes = b"") -> None:
            client.execute_command(command, name, *([value] if value else []))

        yield url, raw
    server.stop()


def _client(server: RedisServer | Watched | RedisCluster) -> redis.Redis | redis.RedisCluster:
    if isinstance(server, RedisCluster):
        return redis.RedisCluster(host="127.0.0.1", port=server.servers[0].port)
    return redis.Redis(port=server.master.port if isinstance(server, Watched) else server.port)


@pytest.fixture
async def make(place: tuple[str, Raw]) -> AsyncIterator[Make]:
    """Another gateway on the same place each time."""
    made: list[Entries] = []

    def new() -> Entries:
        made.append(RedisEntries(place[0]))
        return made[-1]

    yield new
    for each in made:
        await each.close()


@pytest.fixture
async def entries(make: Make) -> Entries:
    return await connected(make())


@pytest.fixture
async def other(make: Make) -> Entries:
    return await connected(make())


async def connected(entries: Entries) -> Entries:
    """On a busy machine the first trial may come late."""
    for _ in range(100):
        try:
            await entries.get(KEYS)
            break
        except StoreError:
            await asyncio.sleep(0.05)
    return entries


@pytest.fixture
def raw(place: tuple[str, Raw]) -> Raw:
    return place[1]


async def test_what_one_puts_another_gets(entries: Entries, other: Entries) -> None:
    kept = {key: entry(key) for key in KEYS[::2]}
    for key, each in kept.items():
        assert await entries.put(key, each, time.time())
    assert await other.get(KEYS) == [kept.get(key) for key in KEYS]
    assert await other.get([KEYS[0], KEYS[0]]) == [kept[KEYS[0]]] * 2
    assert await other.get([]) == []


async def test_what_is_of_no_use_any_more_is_not_put(entries: Entries) -> None:
    assert not await entries.put(b"gone", entry(life=-1.0), time.time())
    assert await entries.get([b"gone"]) == [None]


async def test_it_ends_with_its_last_use(entries: Entries) -> None:
    await entries.put(b"short", entry(life=0.05), time.time())
    await asyncio.sleep(0.1)
    assert await entries.get([b"short"]) == [None]


async def test_what_one_forgets_is_gone_for_all(entries: Entries, other: Entries) -> None:
    for key in KEYS:
        await entries.put(key, entry(key), time.time())
    await entries.forget(KEYS[1:])
    await entries.forget([])
    assert [found is not None for found in await other.get(KEYS)] == [True] + [False] * (len(KEYS) - 1)


@pytest.mark.parametrize("size", [0, 1, 512 << 10, (512 << 10) + 1, 1 << 20])
async def test_bodies_of_every_size_come_back(entries: Entries, other: Entries, size: int) -> None:
    kept = entry(random.Random(size).randbytes(size))
    await entries.put(b"sized", kept, time.time())
    assert await other.get([b"none", b"sized"]) == [None, kept]


async def test_a_thousand_corrupted_entries_are_a_thousand_misses(entries: Entries, other: Entries, raw: Raw) -> None:
    whole, chance = encode(entry()), random.Random(21)
    for number in range(0, 1000, 50):
        keys = [b"corrupt %d" % (number + at) for at in range(50)]
        for key in keys:
            raw("SET", ENTRY + key + b"}", spoiled(whole, chance))
        assert await other.get(keys) == [None] * 50


def spoiled(whole: bytes, chance: random.Random) -> bytes:
    """A byte tipped over, the end cut off, or nothing of it left."""
    at = chance.randrange(len(whole))
    tipped = whole[:at] + bytes([whole[at] ^ chance.randrange(1, 256)]) + whole[at + 1 :]
    return chance.choice([tipped, whole[:at] or b"x", chance.randbytes(at + 1)])


async def test_one_claim_at_a_time(entries: Entries, other: Entries) -> None:
    claims = await asyncio.gather(*((entries, other)[at % 2].claim(b"one", 5) for at in range(20)))
    (held,) = [claim for claim in claims if claim is not None]
    assert held.key == b"one"
    await other.yield_claim(Claim(b"one", b"not the holder's"))
    assert await other.claim(b"one", 5) is None
    await entries.yield_claim(held)
    assert await other.claim(b"one", 5) is not None


async def test_a_claim_ends_by_itself(entries: Entries, other: Entries) -> None:
    assert await entries.claim(b"dying", 0.05) is not None
    await asyncio.sleep(0.1)
    assert await other.claim(b"dying", 5) is not None


async def test_a_claim_is_given_back_with_the_entry(entries: Entries, other: Entries) -> None:
    claim = await entries.claim(b"given", 5)
    assert claim is not None
    assert await entries.put(b"given", entry(), time.time(), claim)
    assert await other.claim(b"given", 5) is not None


@pytest.mark.parametrize("size", [10, 600_000], ids=["small", "large"])
async def test_who_lost_the_claim_writes_nothing(entries: Entries, other: Entries, size: int) -> None:
    """A holder that slept while another took over: what it brings is older than what is there."""
    key = b"fenced %d" % size
    late = await entries.claim(key, 0.05)
    await asyncio.sleep(0.1)
    taken = await other.claim(key, 5)
    assert late is not None and taken is not None
    newer = entry(b"newer" * size)
    assert await other.put(key, newer, time.time(), taken)
    assert not await entries.put(key, entry(b"older" * size), time.time(), late)
    assert await entries.get([key]) == [newer]


async def test_who_waits_gets_what_the_holder_stores(entries: Entries, other: Entries) -> None:
    claim = await entries.claim(b"awaited", 5)
    waiting = [asyncio.create_task(other.await_entry(b"awaited", 5)) for _ in range(20)]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in waiting)
    kept, began = entry(), time.monotonic()
    assert await entries.put(b"awaited", kept, time.time(), claim)
    assert await asyncio.gather(*waiting) == [kept] * 20
    assert time.monotonic() - began < 0.5


async def test_who_waits_for_a_holder_that_gives_up_gets_nothing(entries: Entries, other: Entries) -> None:
    claim = await entries.claim(b"given up", 5)
    assert claim is not None
    waiting = asyncio.create_task(other.await_entry(b"given up", 5))
    await asyncio.sleep(0.05)
    await entries.yield_claim(claim)
    assert await waiting is None


async def test_who_waits_for_a_holder_that_died_waits_for_its_claim_at_most(entries: Entries, other: Entries) -> None:
    await entries.claim(b"died", 0.3)
    began = time.monotonic()
    assert await other.await_entry(b"died", 5) is None
    assert 0.1 < time.monotonic() - began < 1.5


async def test_nobody_waits_longer_than_he_said(entries: Entries, other: Entries) -> None:
    await entries.claim(b"slow", 5)
    began = time.monotonic()
    assert await other.await_entry(b"slow", 0.1) is None
    assert time.monotonic() - began < 1.0


async def test_changes_of_others_are_told(place: tuple[str, Raw], entries: Entries, other: Entries, raw: Raw) -> None:
    told: list[Sequence[bytes] | None] = []
    entries.listen(told.append)
    await entries.get(KEYS)  # every node of a cluster is known
    await entries.put(KEYS[0], entry(), time.time())
    await other.claim(b"a claim is no change", 1)
    await other.put(KEYS[1], entry(b"x" * 600_000), time.time())
    raw("DEL", ENTRY + KEYS[0] + b"}")
    raw("SET", CLAIM + KEYS[2] + b"}", b"nor is this")
    await asyncio.sleep(0.2)
    heard = [key for keys in told if keys is not None for key in keys]
    assert heard == ([] if "quiet" in place[0] else [KEYS[1], KEYS[0]])


async def test_all_at_once_is_told_as_all(place: tuple[str, Raw], entries: Entries, raw: Raw) -> None:
    told: list[Sequence[bytes] | None] = []
    await entries.get(KEYS)
    entries.listen(told.append)
    raw("FLUSHALL", b"SYNC")
    await asyncio.sleep(0.2)
    assert (None in told) == ("quiet" not in place[0])
    assert await entries.get(KEYS) == [None] * len(KEYS)


async def test_closing_leaves_nothing_behind(make: Make) -> None:
    before = asyncio.all_tasks()
    entries = make()
    await entries.get([b"a"])
    await entries.close()
    assert asyncio.all_tasks() == before
