"""Entries within a byte budget; the one not asked for longest goes first, and who asks for all once empties nothing."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import Entry
from gateway.store.base import Purge, named
from gateway.store.memory import Memory, softened


def entry(size: int = 10, *tags: str) -> Entry:
    return Entry(200, (), bytes(size), b"d", stored=0.0, fresh=1.0, revalidate=1.0, error=1.0, tags=tags)


UNIT = entry(1000).size


def test_what_was_put_is_got() -> None:
    memory, kept = Memory(100_000), entry()
    memory.put(b"k", kept)
    assert memory.get(b"k") is kept
    assert memory.get(b"other") is None
    assert (len(memory), memory.size) == (1, kept.size)
    assert repr(memory) == f"<Memory: 1 entries, {kept.size} of 100000 bytes>"


def test_what_is_nowhere_is_lacking() -> None:
    memory = Memory(100_000)
    memory.put(b"k", entry())
    lacking = {keys: memory.lacks(frozenset(keys)) for keys in ((), (b"other",), (b"k",), (b"other", b"k"))}
    assert lacking == {(): True, (b"other",): True, (b"k",): False, (b"other", b"k"): False}


def test_the_least_recently_used_goes() -> None:
    memory = Memory(4 * UNIT)
    for key in (b"a", b"b", b"c", b"d"):
        memory.put(key, entry(1000))
    memory.get(b"a")
    memory.put(b"e", entry(1000))
    assert [key for key in (b"a", b"b", b"c", b"d", b"e") if memory.get(key)] == [b"a", b"c", b"d", b"e"]


def test_a_crawler_empties_nothing() -> None:
    memory = Memory(50 * UNIT)
    popular = [b"popular %d" % number for number in range(30)]
    for key in popular:
        memory.put(key, entry(1000))
        memory.get(key)
    for number in range(2000):
        memory.get(popular[number % 30])
        memory.put(b"page %d" % number, entry(1000))
    for number in range(1000):  # and nobody asks for the popular ones for a while
        memory.put(b"archive %d" % number, entry(1000))
    assert all(memory.get(key) for key in popular)
    assert memory.stats.protected == 30 * UNIT
    assert memory.stats.evicted == 3000 - 20


def test_what_was_popular_once_goes_when_others_are() -> None:
    memory = Memory(50 * UNIT)
    for day in range(20):
        for number in range(200):
            key = b"day %d, %d" % (day, number // 40)
            if memory.get(key) is None:
                memory.put(key, entry(1000))
            memory.put(b"passing %d %d" % (day, number), entry(1000))
    kept = [sum(memory.get(b"day %d, %d" % (day, at)) is not None for at in range(5)) for day in range(20)]
    assert kept[0] == 0
    assert kept[-1] == 5


def test_what_is_protected_leaves_room_for_what_comes() -> None:
    memory = Memory(50 * UNIT)
    for number in range(300):
        memory.put(b"%d" % number, entry(1000))
        memory.get(b"%d" % number)
    assert memory.stats.protected <= memory.budget * 0.8


def test_what_would_fill_a_quarter_is_not_kept() -> None:
    memory = Memory(4 * UNIT)
    memory.put(b"big", entry(1001))
    assert memory.get(b"big") is None
    memory.put(b"just", entry(1000))
    assert memory.get(b"just") is not None


def test_what_is_too_large_still_takes_the_old_ones_place() -> None:
    memory = Memory(4 * UNIT)
    memory.put(b"k", entry(10))
    memory.put(b"k", entry(5000))
    assert memory.get(b"k") is None
    assert memory.size == 0


def test_forgetting_what_is_not_there_is_nothing() -> None:
    memory = Memory(10_000)
    memory.forget(b"k")
    assert (len(memory), memory.size) == (0, 0)


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        pytest.param(Purge("tag", "red"), [b"b", b"c"], id="a tag"),
        pytest.param(Purge("team", "hotels"), [b"c"], id="all of a team"),
        pytest.param(Purge("url", "/x"), [b"a", b"b"], id="a URL"),
        pytest.param(Purge("tag", "hotels"), [b"a", b"b", b"c"], id="a tag is no team"),
        pytest.param(Purge("tag", "green"), [b"a", b"b", b"c"], id="nothing carries it"),
        pytest.param(Purge("prefix", "/x"), [b"a", b"b"], id="a path itself"),
        pytest.param(Purge("prefix", "/"), [b"a", b"b"], id="all paths"),
        pytest.param(Purge("origin", "http://o:8000/red"), [b"b", b"c"], id="all below an origin's URL"),
        pytest.param(Purge("origin", "http://o:8000"), [b"c"], id="all of an origin"),
        pytest.param(Purge("origin", "http://o:80"), [b"a", b"b", b"c"], id="another origin"),
    ],
)
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_purge(purge: Purge, left: list[bytes], soft: bool) -> None:
    memory = Memory(100_000)
    memory.put(b"a", entry(10, "red", "team:hotels", "origin:http://o:8000/red?1"))
    memory.put(b"b", entry(10, "team:hotels", "origin:http://o:8000/b"))
    memory.put(b"c", entry(10, "url:/x"))
    assert memory.purge(dataclasses.replace(purge, soft=soft), 0.5) == 3 - len(left)
    found = {key: memory.get(key) for key in (b"a", b"b", b"c")}
    assert [key for key, each in found.items() if each and each.fresh == 1.0] == left
    assert [key for key, each in found.items() if each] == ([b"a", b"b", b"c"] if soft else left)


@pytest.mark.parametrize(
    ("value", "url", "meant"),
    [
        pytest.param("/hotels", "/hotels", True, id="the path itself"),
        pytest.param("/hotels", "/hotels?page=2", True, id="with a query"),
        pytest.param("/hotels", "/hotels/1/rooms", True, id="what is below"),
        pytest.param("/hotels/", "/hotels/1", True, id="a slash at the end makes no difference"),
        pytest.param("/hotels", "/hotels-for-pets", False, id="a longer segment"),
        pytest.param("/hotels/1", "/hotels", False, id="what is above"),
        pytest.param("/", "/anything", True, id="all"),
    ],
)
def test_a_prefix_names_whole_segments(value: str, url: str, meant: bool) -> None:
    assert named(Purge("prefix", value), f"url:{url}") is meant
    assert not named(Purge("prefix", value), url)
    assert not named(Purge("prefix", value), f"origin:{url}")


def test_softened_is_stale_at_once_and_usable_for_as_long_as_it_would_have_been() -> None:
    fresh = dataclasses.replace(entry(), fresh=100.0, revalidate=110.0, error=160.0)
    stale = softened(fresh, 40.0)
    assert (stale.fresh, stale.revalidate, stale.error) == (40.0, 50.0, 100.0)
    assert softened(fresh, 105.0) == fresh


def test_a_tag_of_many_finds_those_that_are_left() -> None:
    memory = Memory(1_000_000)
    for number in range(200):
        memory.put(b"%d" % number, entry(10, "many", "many"))
    for number in range(0, 200, 2):
        memory.forget(b"%d" % number)
    for number in range(50):
        memory.put(b"1", entry(10, "many"))
        memory.put(b"%d" % (2 * number), entry(10, "other"))
    assert memory.purge(Purge("tag", "many")) == 100
    assert memory.purge(Purge("tag", "other")) == 50
    assert (len(memory), memory.size, memory.stats.tags) == (0, 0, 0)


def test_everything_is_forgotten_at_once() -> None:
    memory = Memory(10_000_000)
    for number in range(3000):
        memory.put(b"%d" % number, entry(10, "t", f"url:{number}"))
    memory.clear()
    assert (len(memory), memory.size, memory.stats.tags, list(memory.items())) == (0, 0, 0, [])
    memory.put(b"1", entry())
    assert memory.get(b"1") is not None


def test_what_was_forgotten_is_lacking_at_once() -> None:
    memory = Memory(100_000)
    memory.put(b"k", entry())
    memory.forget(b"k")
    assert memory.get(b"k") is None
    assert memory.lacks(frozenset({b"k"}))
    assert list(memory.items()) == []


def test_what_entries_have_in_common_is_held_once() -> None:
    memory = Memory(1_000_000)
    for at in range(2):
        fields = ((b"content-type", bytes(bytearray(b"text/html"))), (b"etag", b"%d" % at))
        memory.put(b"%d" % at, dataclasses.replace(entry(), headers=fields, tags=("team:" + "x" * (at + 1 - at),)))
    first, second = (memory.get(b"%d" % at) for at in range(2))
    assert first is not None and second is not None
    assert first.headers[0] is second.headers[0] and first.tags[0] is second.tags[0]
    assert (first.headers[1], second.headers[1]) == ((b"etag", b"0"), (b"etag", b"1"))
    for number in range(10_000):
        memory.put(b"k", dataclasses.replace(entry(), headers=((b"etag", b"%d" % number),)))
    assert len(memory._once) < 5000


def test_going_through_all_takes_them_as_they_are() -> None:
    memory = Memory(100_000)
    kept = {b"%d" % number: entry(number) for number in range(5)}
    for key, each in kept.items():
        memory.put(key, each)
    for key, each in memory.items():
        assert kept[key] is each
        memory.forget(key)
    assert len(memory) == 0


def test_a_purge_does_not_hit_what_took_the_place() -> None:
    memory = Memory(100_000)
    memory.put(b"k", entry(10, "red"))
    memory.put(b"k", entry(10, "green"))
    assert memory.purge(Purge("tag", "red")) == 0
    assert memory.purge(Purge("tag", "green")) == 1


KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 3000)),
        st.tuples(st.just("get"), KEYS, st.just(0)),
        st.tuples(st.just("forget"), KEYS, st.just(0)),
    ),
    max_size=30,
)


@given(STEPS)
def test_the_budget_is_kept_whatever_happens(steps: list[tuple[str, bytes, int]]) -> None:
    memory = Memory(4 * UNIT)
    for what, key, size in steps:
        if what == "put":
            memory.put(key, entry(size, "t"))
        elif what == "get":
            memory.get(key)
        else:
            memory.forget(key)
        assert memory.size <= memory.budget
        kept = [found for found in map(memory.get, (b"a", b"b", b"c", b"d")) if found]
        assert (len(memory), memory.size) == (len(kept), sum(each.size for each in kept))
    assert memory.purge(Purge("tag", "t")) == len(kept if steps else [])
    assert memory.size == 0
