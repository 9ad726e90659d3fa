"""The one buffer bytes of origins land in: read into again, never under somebody who still holds what it held."""

import pytest

from gateway.message import Head
from gateway.transport.known import Known, Seen
from gateway.transport.landing import SIZE, Landing


def fill(landing: Landing, data: bytes) -> None:
    landing.room()[: len(data)] = data


def test_the_buffer_is_read_into_again() -> None:
    landing = Landing()
    before = landing.room()
    fill(landing, b"one")
    assert landing.taken(3) == b"one"
    fill(landing, b"two")
    assert landing.taken(3) == b"two"
    assert landing.room() is before


def test_what_was_taken_outlives_the_next_bytes() -> None:
    landing = Landing()
    fill(landing, b"one")
    taken = landing.taken(3)
    fill(landing, b"two")
    assert taken == b"one"


def test_what_was_lent_and_is_still_held_outlives_the_next_bytes() -> None:
    landing = Landing()
    fill(landing, b"one and more")
    part = landing.lent(12)[8:]  # a view of a view, as a sink may keep it
    fill(landing, b"another text")
    assert bytes(part) == b"more"
    assert bytes(landing.lent(12)) == b"another text"


def test_what_was_lent_and_let_go_costs_no_new_buffer() -> None:
    landing = Landing()
    before = landing.room()
    landing.lent(SIZE).release()
    assert landing.room() is before
    assert len(before) == SIZE


def seen(before: bytes, gap: int, after: bytes, body: bytes = b"") -> Seen:
    answer = Seen(Known(200, Head([]), len(body)), body)
    answer.before, answer.gap, answer.after = before, gap, after
    return answer


@pytest.mark.parametrize(
    ("before", "gap", "after", "holds"),
    [
        pytest.param(b"one and more", 0, b"", True, id="all of it"),
        pytest.param(b"one ", 3, b" more", True, id="with something between"),
        pytest.param(b"one ", 2, b" more", False, id="with another length between"),
        pytest.param(b"two ", 3, b" more", False, id="another beginning"),
        pytest.param(b"one ", 3, b" less", False, id="another end"),
    ],
)
def test_what_lies_there_is_told_without_being_taken(before: bytes, gap: int, after: bytes, holds: bool) -> None:
    landing = Landing()
    fill(landing, b"one and more")
    assert landing.holds(seen(before, gap, after)) is holds


@pytest.mark.parametrize(("body", "holds"), [(b" more", True), (b" less", False), (b" more and more", False)])
def test_the_body_stands_behind_the_head(body: bytes, holds: bool) -> None:
    landing = Landing()
    fill(landing, b"one and more")
    assert landing.holds(seen(b"one ", 0, b"and", body)) is holds


def test_what_may_lie_between_is_of_one_line() -> None:
    landing = Landing()
    fill(landing, b"one a\nd more")
    assert not landing.holds(seen(b"one ", 3, b" more"))
