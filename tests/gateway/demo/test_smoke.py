"""What the smoke calls good, and what it says when it is not."""

import pytest

from gateway.demo.smoke import Smoke
from gateway.walk import Step

GOOD = Step("http://p/", "", 200, "text/html")
GONE = Step("http://p/x", "http://p/", 404, "text/html")
AWAY = Step("http://p/y", "http://p/", 0, fault="ReadError")


@pytest.mark.parametrize(
    ("smoke", "good"),
    [
        pytest.param(Smoke((GOOD,), ("a",), ()), True, id="all well"),
        pytest.param(Smoke((GOOD, GONE), ("a",), ()), False, id="a page is gone"),
        pytest.param(Smoke((GOOD,), ("a",), ("b",)), False, id="a piece is missing"),
        pytest.param(Smoke((GOOD,), (), ()), False, id="a home without pieces"),
        pytest.param(Smoke((), ("a",), ()), False, id="nothing was walked"),
    ],
)
def test_smoke_is_good_only_when_all_is(smoke: Smoke, good: bool) -> None:
    assert smoke.good is good


def test_smoke_names_what_failed_and_who_linked_to_it() -> None:
    assert list(Smoke((GOOD, GONE, AWAY), ("a",), ("b",)).lines()) == [
        "404  http://p/x  (linked from http://p/)",
        "ReadError  http://p/y  (linked from http://p/)",
        "missing on the home page: b",
        "walked 3 addresses: 1 answered 200, 2 did not",
        "the home page holds 1 piece: a",
    ]
