"""Facts are values: told once, never changed."""

import dataclasses

import pytest

from gateway.telemetry.facts import Degraded, Leaked, Noticed, Served

SERVED = Served(b"id", 1.0, b"GET", b"/x", 200, 0.5, "hotels", b"/hotels", b"portico; hit", "")


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(Degraded("id", 1.0, "pets.box", "pets", "timeout", "late"), id="degraded"),
        pytest.param(Noticed(1.0, "cache", "away"), id="noticed"),
    ],
)
def test_a_fact_does_not_change(fact: Degraded | Noticed) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        fact.at = 2.0  # type: ignore[misc]


def test_a_served_exchange_does_not_change() -> None:
    with pytest.raises(AttributeError):
        SERVED.status = 500  # type: ignore[misc]
    assert SERVED.status == 200


def test_a_leak_does_not_change() -> None:
    leaked = Leaked(1.0, b"/hotels", "hotels", b"/hotels/", b"/api")
    with pytest.raises(AttributeError):
        leaked.target = b"/x"  # type: ignore[misc]
    assert (leaked.kind, leaked.how) == (b"", "rescue")
