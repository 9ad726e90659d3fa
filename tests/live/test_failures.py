"""Teams crash, hang and come back; the pages they are part of go on, and nobody else's part of them changes."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live.portal import Crew, Portal, gateway_for, registered, soon

TIMEOUT = 0.5  # of hotels.deals, as its manifest says
MORE = 0.05  # what the page may take beyond it
FALLBACK = "Rooms are on their way"
PIECE = 'class="hotels-deals"'
OTHERS = ('class="pets-adoptable"', 'class="cars-featured"', 'class="shell-header"')
SLOT = re.compile(r"<mf-slot[^>]*\bhotels\.[^>]*>.*?</mf-slot>", re.S)
LATE = re.compile(rf"<\?start [^>]*>({SLOT.pattern})<\?end\?>|<template for=[^>]*>{SLOT.pattern}</template>\n", re.S)
END = b"</footer>"  # what comes after it fills slots that are late


@pytest.fixture
def hotels(crew: Crew) -> Iterator[Crew]:
    """The crew, with hotels well again at the end."""
    yield crew
    if "hotels" in crew.children:
        crew.children["hotels"].send(signal.SIGCONT)
    crew.start("hotels")


@pytest.fixture
def cold(hotels: Crew, tmp_path: Path) -> Iterator[Portal]:
    """A portal that never saw a fragment of hotels."""
    with gateway_for(tmp_path, registered(hotels)) as portal:
        assert portal.get("/about/").status_code == 200
        yield portal


def timed(portal: Portal) -> tuple[str, float]:
    """Home, and how long it took to the end of its content: the least of a few, since a busy machine only ever adds."""
    took = []
    with httpx.Client(timeout=10) as visitor:
        visitor.get(f"{portal.url}/-/health/live")
        for _ in range(4):
            began = time.monotonic()
            with visitor.stream("GET", f"{portal.url}/") as answer:
                assert answer.status_code == 200
                home = b""
                for chunk in answer.iter_bytes():
                    home += chunk
                    if END in home:
                        break
            took.append(time.monotonic() - began)
            if took[-1] < TIMEOUT + MORE:
                break
    return home.decode(), min(took)


def warmed(portal: Portal) -> str:
    """Home with every piece stored: what a piece brings for the head stands there, and no more before its slot."""
    portal.home()
    return portal.home()


def others(home: str) -> str:
    """Home without the slots of hotels, and without what hotels' pieces put into the head."""
    assert not [name for name in OTHERS if name not in home]
    main = home[home.index("<body") :]
    return SLOT.sub("", LATE.sub("", main))


def test_killed_and_never_seen_its_slot_shows_the_fallback(hotels: Crew, cold: Portal) -> None:
    hotels.kill("hotels")
    home, took = timed(cold)
    assert FALLBACK in home and PIECE not in home
    assert took < TIMEOUT + MORE
    assert not [name for name in OTHERS if name not in home]


def test_killed_its_stored_piece_is_shown(hotels: Crew, cold: Portal) -> None:
    before = warmed(cold)
    hotels.kill("hotels")
    home, took = timed(cold)
    assert PIECE in home and FALLBACK not in home
    assert took < TIMEOUT + MORE
    assert others(home) == others(before)


def test_hanging_and_never_seen_costs_no_more_than_the_slots_timeout(hotels: Crew, cold: Portal) -> None:
    """The port still takes connections, nothing ever answers: the worst a team can do."""
    hotels.children["hotels"].send(signal.SIGSTOP)
    home, took = timed(cold)
    assert FALLBACK in home and PIECE not in home
    assert took < TIMEOUT + MORE
    assert not [name for name in OTHERS if name not in home]


def test_other_slots_are_untouched(hotels: Crew, cold: Portal) -> None:
    whole = warmed(cold)
    hotels.kill("hotels")
    purged = cold.portico("purge", "--team", "hotels")
    assert purged.returncode == 0, purged.stdout + purged.stderr
    home = soon(lambda: FALLBACK in cold.home() and cold.home())
    assert others(home) == others(whole)


def test_its_own_pages_fail_and_say_so(hotels: Crew, cold: Portal) -> None:
    hotels.kill("hotels")
    answer = cold.get("/hotels/")
    assert answer.status_code in (502, 503, 504)
    assert "error=" in answer.headers["proxy-status"]
    assert answer.headers["x-request-id"] in answer.text
    assert str(hotels.ports["hotels"]) not in answer.text
    assert cold.get("/pets/").status_code == 200


def test_started_again_it_is_back_within_a_second(hotels: Crew, cold: Portal) -> None:
    hotels.kill("hotels")
    for _ in range(20):
        assert FALLBACK in cold.home()
        assert cold.get("/hotels/").status_code >= 500
    hotels.start("hotels")
    soon(lambda: PIECE in cold.home())
    soon(lambda: cold.get("/hotels/").status_code == 200)


def test_awake_again_it_is_back_within_a_second(hotels: Crew, cold: Portal) -> None:
    hotels.children["hotels"].send(signal.SIGSTOP)
    for _ in range(3):
        assert FALLBACK in cold.home()
    hotels.children["hotels"].send(signal.SIGCONT)
    soon(lambda: PIECE in cold.home())
    soon(lambda: cold.get("/hotels/").status_code == 200)


def test_the_first_bytes_do_not_wait_for_a_slow_slot(hotels: Crew, cold: Portal) -> None:
    hotels.children["hotels"].send(signal.SIGSTOP)
    with httpx.stream("GET", f"{cold.url}/", timeout=10) as answer:
        first = next(answer.iter_bytes())
    assert b"<title>" in first and b"shell-hello" in first
    assert FALLBACK.encode() not in first  # which stands there once the slot is given up


def test_without_the_shell_teams_pages_go_on(crew: Crew, cold: Portal) -> None:
    crew.kill("shell")
    try:
        page = cold.get("/hotels/")
        assert page.status_code == 200
        assert "Stays by the water" in page.text
        assert cold.get("/").status_code in (502, 503, 504)
    finally:
        crew.start("shell")
    soon(lambda: cold.get("/").status_code == 200)
