"""The last things worked out; the one not asked for longest goes first."""

from gateway.recent import Kept, Recent


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
