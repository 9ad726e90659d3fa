"""The hotels team by itself: search, and a booking from form to ticket."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
GOOD = {"stay": "3", "name": "Ada", "arrival": SOON, "nights": "2", "guests": "2"}


@pytest.fixture
def hotels(addresses: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=addresses["hotels"]) as client:
        yield client


def names(answer: httpx.Response) -> list[str]:
    return re.findall(r'class="hotels-name"><a href="/stay/\d+">([^<]+)<', answer.text)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("", 8, id="no wish finds all"),
        pytest.param("?city=LISBON", 2, id="case does not matter"),
        pytest.param("?city=nor", 2, id="part of a country is enough"),
        pytest.param("?city=bergen&guests=4", 1, id="guests must fit"),
        pytest.param("?city=oslo", 0, id="nowhere finds nothing"),
        pytest.param("?guests=many", 8, id="guests that are no number are no wish"),
    ],
)
def test_search(hotels: httpx.Client, query: str, count: int) -> None:
    answer = hotels.get(f"/search{query}")
    assert answer.status_code == 200
    assert len(names(answer)) == count
    assert ("hotels-empty" in answer.text) == (count == 0)


def test_what_was_searched_is_escaped(hotels: httpx.Client) -> None:
    assert "<mf-slot name=x>" not in hotels.get("/search", params={"city": "<mf-slot name=x>"}).text


def test_a_booking_redirects_to_its_page_with_a_session_for_the_whole_site(hotels: httpx.Client) -> None:
    answer = hotels.post("/book", data=GOOD)
    assert answer.status_code == 303
    assert re.fullmatch(r"/bookings/[0-9a-f]{8}", answer.headers["location"])
    assert re.fullmatch(r"hotels_session=\S+; HttpOnly; Path=/; SameSite=lax", answer.headers["set-cookie"])
    ticket = hotels.get(answer.headers["location"])
    assert ticket.status_code == 200
    assert ticket.headers["cache-control"] == "private, no-store"
    assert "See you in Kotor, Ada" in ticket.text and "€284" in ticket.text
    assert answer.headers["location"] in hotels.get("/bookings").text


def test_a_second_booking_keeps_the_session(hotels: httpx.Client) -> None:
    first, second = hotels.post("/book", data=GOOD), hotels.post("/book", data=GOOD | {"stay": "1"})
    assert first.cookies["hotels_session"] == second.cookies["hotels_session"]
    assert hotels.get("/bookings").text.count("<li><a href=") == 2


def test_a_booking_is_not_there_for_anyone_else(hotels: httpx.Client) -> None:
    place = hotels.post("/book", data=GOOD).headers["location"]
    hotels.cookies.clear()
    assert hotels.get(place).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"name": " "}, "name", id="a name is needed"),
        pytest.param({"arrival": "2001-01-01"}, "arrival", id="not in the past"),
        pytest.param({"arrival": "soon"}, "arrival", id="a day is a day"),
        pytest.param({"nights": "29"}, "nights", id="not for ever"),
        pytest.param({"guests": "3"}, "guests", id="no more guests than beds"),
        pytest.param({"guests": "0"}, "guests", id="at least one guest"),
    ],
)
def test_a_form_that_is_wrong_comes_back_filled_and_marked(
    hotels: httpx.Client, wrong: dict[str, str], field: str
) -> None:
    answer = hotels.post("/book", data=GOOD | wrong)
    assert answer.status_code == 422
    assert re.findall(r'id="wrong-(\w+)"', answer.text) == [field]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("stay", ["99", "x", "", "-1", "²"])
def test_a_stay_nobody_has_cannot_be_booked(hotels: httpx.Client, stay: str) -> None:
    assert hotels.post("/book", data=GOOD | {"stay": stay}).status_code == 404


def test_deals_begin_with_the_city_asked_for(hotels: httpx.Client) -> None:
    assert names(hotels.get("/fragments/deals?city=kotor"))[0] == "Lighthouse Sveti Nikola"


@pytest.mark.parametrize(
    ("wish", "caption", "sums"),
    [
        pytest.param("", "2 nights, 2 guests", ["€236", "from 7 nights", "€8", "€244"], id="no wish is the usual"),
        pytest.param(
            "?stay=3&nights=7&guests=1", "7 nights, 1 guest", ["€994", "−€99", "€14", "€909"], id="long is a tenth off"
        ),
        pytest.param(
            "?stay=3&nights=1&guests=9",
            "1 night, 2 guests",
            ["€142", "from 7 nights", "€4", "€146"],
            id="no more guests than beds",
        ),
        pytest.param(
            "?stay=99&nights=-3&guests=x",
            "2 nights, 2 guests",
            ["€236", "from 7 nights", "€8", "€244"],
            id="an odd wish is the usual",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/price", "/fragments/price"])
def test_what_a_stay_costs(hotels: httpx.Client, path: str, wish: str, caption: str, sums: list[str]) -> None:
    text = hotels.get(path + wish).text
    assert f"<caption>{caption}</caption>" in text
    assert re.findall(r"<td>([^<]+)</td>", text) == sums


def test_the_calculator_has_no_blank_between_its_elements(hotels: httpx.Client) -> None:
    """React takes over what it would have rendered itself, and that has none."""
    found = re.search(r"<div [^>]*data-hotels-sum>(.*)</div>", hotels.get("/fragments/price").text)
    assert found is not None
    assert not re.search(r">\s+<", found[1])
