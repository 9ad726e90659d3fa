"""Spots: gathered, ordered, and what they make a trial end with."""

import pytest

import gateway.trial.spot as spots
from gateway.trial.spot import CHANNELS, Spot, spot


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_says_what_it_is_and_what_mends_it(channel: str) -> None:
    known = CHANNELS[channel]
    assert known.what and known.fix
    assert spot(channel, "/", "x").closed == known.closed


def test_the_same_text_in_a_file_is_one_and_the_worst_stands_first() -> None:
    found = spots.gathered(
        [spot("J3", "/a.js", "fetch('/x')", 3), spot("J3", "/a.js", "fetch('/x')", 9), spot("own", "/b.js", "x", 1)]
    )
    assert [(each.channel, each.line, each.times) for each in found] == [("own", 1, 1), ("J3", 3, 2)]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([spot("J19", "/", "x")], 0, id="only what is good to know"),
        pytest.param([spot("J3", "/", "x"), spot("J19", "/", "x")], 1, id="closed by the runtime"),
        pytest.param([spot("J1", "/", "x")], 1, id="closed by the rescue"),
        pytest.param([spot("J10", "/", "x")], 1, id="closed by the router"),
        pytest.param([spot("J3", "/", "x"), spot("own", "/", "x")], 2, id="something is open"),
    ],
)
def test_the_worst_decides(found: list[Spot], code: int) -> None:
    assert spots.code(found) == code


def test_an_excerpt_is_one_printable_line() -> None:
    each = spot("J3", "/a.js", "\x1b[2Jfetch(\n'/x')" + "y" * 200, 4, 2)
    assert each.text.isprintable() and len(each.text) == 90
    assert each.where == "/a.js:4:2"
    assert spot("R2", "/\x1b[2J", "x").where == "/ [2J"
