"""Entries within a byte budget; the one not asked for longest goes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import Entry
from gateway.store.base import Purge
from gateway.store.memory import Memory


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
    ],
)
def test_purge(purge: Purge, left: list[bytes]) -> None:
    memory = Memory(100_000)
    memory.put(b"a", entry(10, "red", "team:hotels"))
    memory.put(b"b", entry(10, "team:hotels"))
    memory.put(b"c", entry(10, "url:/x"))
    assert memory.purge(purge) == 3 - len(left)
    assert [key for key in (b"a", b"b", b"c") if memory.get(key)] == left


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
