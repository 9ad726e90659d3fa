"""Leaks are counted, bounded, and told once between two takings."""

import pytest

import gateway.telemetry.leaks as counting
from gateway.rules.leaks import Leak
from gateway.telemetry.facts import Fact, Leaked, Noticed
from gateway.telemetry.leaks import Leaks


def leaked(target: bytes = b"/api/rooms?page=2", page: bytes = b"/hotels/list?x", at: float = 1.0) -> Leaked:
    return Leaked(at, b"/hotels", "hotels", page, target, b"empty")


def test_the_same_leak_is_one_row_with_what_was_seen_last() -> None:
    leaks = Leaks(lambda fact: None)
    for at, page in ((1.0, b"/hotels/list?x"), (2.0, b"/hotels/"), (3.0, b"/hotels/stay/1")):
        leaks.tell(leaked(page=page, at=at))
    assert leaks.take() == [Leak("hotels", "/hotels", "/api/rooms", "empty", "rescue", "/hotels/stay/1", 3, 3.0)]
    assert leaks.take() == []


def test_facts_pass_and_a_leak_is_told_once_between_two_takings() -> None:
    told: list[Fact] = []
    leaks = Leaks(told.append)
    news = Noticed(1.0, "room", "news")
    for fact in (leaked(), news, leaked(), leaked(b"/other")):
        leaks.tell(fact)
    assert told == [leaked(), news, leaked(b"/other")]
    leaks.take()
    leaks.tell(leaked())
    assert told[-1] == leaked() and len(told) == 4


def test_what_could_not_be_kept_counts_with_the_rest() -> None:
    leaks = Leaks(lambda fact: None)
    leaks.tell(leaked())
    taken = leaks.take()
    leaks.tell(leaked())
    leaks.put_back(taken)
    assert [leak.times for leak in leaks.take()] == [2]


def test_made_up_paths_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST", 3)
    leaks = Leaks(lambda fact: None)
    for number in range(10):
        leaks.tell(leaked(b"/%d" % number))
        leaks.tell(leaked(b"/0"))
    assert [(leak.target, leak.times) for leak in leaks.take()] == [("/0", 11), ("/1", 1), ("/2", 1)]


def test_the_root_mount_is_named_as_its_manifest_does() -> None:
    leaks = Leaks(lambda fact: None)
    leaks.tell(Leaked(1.0, b"", "shell", b"/", b"/" + b"x" * 9999, b""))
    (leak,) = leaks.take()
    assert leak.mount == "/"
    assert len(leak.target) == 512
