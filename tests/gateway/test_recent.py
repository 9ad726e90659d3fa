"""The last things worked out; the one not asked for longest goes first."""

import random

from gateway.recent import Heaped, Kept, Recent, Weighed


def test_the_one_not_asked_for_longest_goes() -> None:
    recent: Recent[str, int] = Recent(2)
    assert recent.put("a", 1) == 1
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c"), len(recent)) == (1, None, 3, 2)


def test_a_key_has_one_value() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("a", 2)
    assert (recent.get("a"), len(recent)) == (2, 1)


def test_kept_starts_anew_when_it_is_full() -> None:
    kept: Kept[str, int] = Kept(2)
    assert [kept.keep("a", 1), kept.keep("b", 2)] == [1, 2]
    assert kept.keep("c", 3) == 3
    assert kept == {"c": 3}


def test_a_heap_starts_anew_when_it_weighs_too_much() -> None:
    heaped: Heaped[str, int] = Heaped(100)
    assert [heaped.keep("a", 1, 60), heaped.keep("b", 2, 40)] == [1, 2]
    assert (heaped, heaped.weight) == ({"a": 1, "b": 2}, 100)
    heaped.keep("c", 3, 30)
    assert (heaped, heaped.weight) == ({"c": 3}, 30)


def test_what_takes_the_place_of_another_in_a_heap_weighs_what_it_weighs() -> None:
    heaped: Heaped[str, int] = Heaped(100)
    for value, weight in enumerate((60, 90, 10)):
        heaped.keep("a", value, weight)
        assert (heaped, heaped.weight) == ({"a": value}, weight)


ENTRY = Weighed.ENTRY


def test_what_weighs_too_much_together_is_let_go_and_the_one_not_asked_for_longest_first() -> None:
    weighed: Weighed[str, int] = Weighed(4 * (ENTRY + 100))
    for number, key in enumerate("abcd"):
        assert weighed.put(key, number, 100) == number
    assert weighed.get("a") == 0
    weighed.put("e", 4, 100)
    assert [weighed.get(key) for key in "abcde"] == [0, None, 2, 3, 4]


def test_small_things_are_not_free() -> None:
    weighed: Weighed[int, bytes] = Weighed(100 * ENTRY)
    for number in range(1000):
        weighed.put(number, b"", 0)
    assert len(weighed) == 100


def test_what_would_fill_a_quarter_alone_is_not_kept_and_its_older_self_goes() -> None:
    weighed: Weighed[str, int] = Weighed(8 * ENTRY)
    weighed.put("a", 1, ENTRY)
    assert weighed.put("a", 2, ENTRY + 1) == 2
    assert (weighed.get("a"), weighed.weight, len(weighed)) == (None, 0, 0)


def test_what_is_put_anew_weighs_what_it_weighs_now() -> None:
    weighed: Weighed[str, int] = Weighed(100 * ENTRY)
    weighed.put("a", 1, 500)
    weighed.put("a", 2, 100)
    assert (weighed.get("a"), weighed.weight) == (2, ENTRY + 100)


def test_the_weight_is_that_of_what_is_there_and_never_above_the_budget() -> None:
    chance, weighed, weights = random.Random(8), Weighed[int, int](50 * ENTRY), dict[int, int]()
    for _ in range(2000):
        key, weight = chance.randrange(40), chance.randrange(20 * ENTRY)
        weighed.put(key, weight, weight)
        weights[key] = weight
        there = [found for known in range(40) if (found := weighed.get(known)) is not None]
        assert weighed.weight == sum(there) + ENTRY * len(there) <= 50 * ENTRY
        assert all(weighed.get(known) in (None, weights[known]) for known in weights)
