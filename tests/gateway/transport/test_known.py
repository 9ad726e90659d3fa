"""What an origin said before is known again by its bytes, whatever its date; and only so much of it is remembered."""

import pytest

from gateway.message import Head
from gateway.transport.known import ANSWERS, DATE, ENTRY, PATIENCE, RETRY, Familiar, Known, Seen, undated

EARLY, LATE = b"Tue, 24 Nov 2026 11:46:13 GMT", b"Tue, 24 Nov 2026 11:46:14 GMT"
KNOWN = Known(200, Head([]), 2)


def head(date: bytes, name: bytes = b"Date") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%b: %b\r\nContent-Length: 2\r\n\r\n" % (name, date)


@pytest.mark.parametrize("name", [b"Date", b"date"])
def test_a_head_is_the_same_at_another_time(name: bytes) -> None:
    assert undated(head(EARLY, name)) == undated(head(LATE, name)) == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", id="no date"),
        pytest.param(head(b"now"), id="another kind of date"),
        pytest.param(head(EARLY + b"!"), id="more than a date"),
    ],
)
def test_a_head_without_a_plain_date_is_taken_as_it_is(other: bytes) -> None:
    assert undated(other) == other


def test_an_answer_is_known_once_it_came_twice() -> None:
    seen = Seen(KNOWN, b"ok")
    assert seen.count == -1
    seen.came(head(EARLY), KNOWN, b"ok")
    assert seen.count == len(head(EARLY)) + 2
    assert seen.before + EARLY + seen.after == head(EARLY)
    assert (seen.gap, seen.body) == (DATE, b"ok")


def test_an_answer_without_a_date_is_known_as_a_whole() -> None:
    seen = Seen(KNOWN, b"ok")
    seen.came(b"HTTP/1.1 200 OK\r\n\r\n", KNOWN, b"ok")
    assert (seen.before, seen.gap, seen.after) == (b"HTTP/1.1 200 OK\r\n\r\n", 0, b"")


@pytest.mark.parametrize(
    ("known", "body"),
    [
        pytest.param(KNOWN, b"no", id="another body"),
        pytest.param(Known(200, Head([]), 2), b"ok", id="another head"),
    ],
)
def test_one_that_differs_takes_its_place_and_has_to_come_twice_again(known: Known, body: bytes) -> None:
    seen = Seen(KNOWN, b"ok")
    seen.came(head(EARLY), KNOWN, b"ok")
    seen.came(head(EARLY), known, body)
    assert (seen.count, seen.known, seen.body) == (-1, known, body)
    seen.came(head(EARLY), known, body)
    assert seen.count == len(head(EARLY)) + 2


def test_answers_that_always_differ_are_looked_at_now_and_then() -> None:
    seen = Seen(KNOWN, b"0")
    for number in range(PATIENCE):
        assert seen.is_looked_at()
        seen.came(b"", KNOWN, b"%d" % (number + 1))
    looked = [seen.is_looked_at() for _ in range(RETRY)]
    assert looked[: RETRY - PATIENCE] == [False] * (RETRY - PATIENCE) and any(looked)


def test_answers_are_remembered_within_a_budget() -> None:
    familiar, body = Familiar(), b"x" * 60_000
    for number in range(100):
        familiar.came(b"/%d" % number, b"", KNOWN, body)
        assert familiar.answers.weight <= ANSWERS
        assert sum(len(seen.body) + ENTRY for seen in familiar.answers.values()) <= ANSWERS
    assert 1 < len(familiar.answers) < 100


def test_an_answer_that_changes_its_size_is_weighed_anew() -> None:
    familiar = Familiar()
    for body in (b"x" * 1000, b"", b"x" * 10):
        familiar.came(b"/", b"", KNOWN, body)
        assert familiar.answers.weight == 1 + len(body) + ENTRY
