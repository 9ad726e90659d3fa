"""One site of many teams: pages are whole without JavaScript, and nothing on them leads anywhere but the gateway."""

import asyncio
import re
from html.parser import HTMLParser

import httpx
import pytest

import gateway.walk as walk
from tests.live.portal import HEADLINES, Crew, Portal, directives, without_slots

FRAGMENTS = {
    "shell.header": ("shell", "/fragments/header.html"),
    "hotels.deals": ("hotels", "/fragments/deals"),
    "pets.adoptable": ("pets", "/fragments/adoptable"),
    "cars.featured": ("cars", "/fragments/featured.html"),
}
PAGES = [
    pytest.param("hotels", "/", id="hotels-list"),
    pytest.param("hotels", "/search?city=Lisbon", id="hotels-search"),
    pytest.param("hotels", "/stay/1", id="hotels-detail"),
    pytest.param("hotels", "/bookings", id="hotels-bookings"),
    pytest.param("pets", "/", id="pets-list"),
    pytest.param("pets", "/pet/3", id="pets-detail"),
    pytest.param("cars", "/", id="cars-list"),
    pytest.param("cars", "/car/gull/", id="cars-detail"),
]


class Tags(HTMLParser):
    """A page's start tags, in order, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def count(self, name: str) -> int:
        return sum(tag == name for tag, _ in self.found)


def links(page: str, site: str, path: str) -> set[str]:
    """The addresses that the page of a path names, as paths of its site."""
    return {link.removeprefix(site) for link in walk.links(page, f"{site}{path}", "text/html")}


def test_home_is_one_document_with_the_pieces_of_all_origins(crew: Crew, portal: Portal) -> None:
    home = portal.home()
    tags, words = Tags(home), walk.words(home)
    assert [tags.count(name) for name in ("html", "head", "body", "main", "h1")] == [1] * 5
    frames = [attrs for tag, attrs in tags.found if tag == "iframe"]
    assert [frame["src"] for frame in frames] == ["/-/fragment/cars.trips"]  # seen without scripts: a lazy slot's
    for tag, attrs in tags.found:
        assert tag != "template" or "shadowrootmode" in attrs or "data-mf-late" in attrs
    assert "Rooms are on their way" not in words and "The garage is still opening" not in words
    for name, (team, path) in FRAGMENTS.items():
        headline = walk.headline(crew.text(team, path))
        assert headline and headline in words, f"{name} is missing"
    assert len({crew.url(team) for team, _ in FRAGMENTS.values()} - {crew.url("shell")}) == 3


def test_an_unknown_fragments_slot_keeps_its_fallback(portal: Portal) -> None:
    assert "Tonight’s last-minute offers appear here" in portal.home()


def test_every_address_found_from_home_answers_200(portal: Portal) -> None:
    async def walked() -> list[walk.Step]:
        async with httpx.AsyncClient(timeout=10) as client:
            return await walk.walk(client, f"{portal.url}/", limit=200)

    steps = asyncio.run(walked())
    assert [f"{step.status} {step.url} from {step.via}" for step in steps if not step.good] == []
    assert {step.url.removeprefix(portal.url).split("/")[1] for step in steps} >= {"hotels", "pets", "cars", "assets"}
    assert {step.kind for step in steps} >= {"text/html", "text/css", "text/javascript", "image/svg+xml"}


@pytest.mark.parametrize(("team", "path"), PAGES)
def test_a_page_names_only_its_own_prefix_and_the_portals_frame(
    crew: Crew, portal: Portal, team: str, path: str
) -> None:
    own, seen = crew.text(team, path), portal.get(f"/{team}{path}")
    assert seen.status_code == 200
    frame = set[str]().union(
        *(
            links(crew.text("shell", part), crew.url("shell"), part)
            for part in ("/fragments/header.html", "/fragments/footer.html")
        )
    )
    mounted = {f"/{team}{link}" for link in links(without_slots(own), crew.url(team), path) if link.startswith("/")}
    found = links(seen.text, portal.url, f"/{team}{path}")
    assert mounted <= found
    assert {link for link in found if not link.startswith("/-/browser/")} <= mounted | frame


@pytest.mark.parametrize(("team", "path"), PAGES)
def test_no_address_of_an_origin_is_told(crew: Crew, portal: Portal, team: str, path: str) -> None:
    answer = portal.get(f"/{team}{path}")
    told = answer.text + repr(answer.headers.raw)
    assert not [port for port in crew.ports.values() if f":{port}" in told]
    assert "server" not in answer.headers


@pytest.mark.parametrize("team", ["hotels", "pets", "cars"])
def test_a_prefix_without_its_slash_leads_to_the_one_with_it(portal: Portal, team: str) -> None:
    answer = portal.get(f"/{team}?city=Lisbon&x=%2F")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/{team}/?city=Lisbon&x=%2F"


def test_booking_stays_below_the_prefix(portal: Portal) -> None:
    form = {"stay": "1", "name": "Ida", "arrival": "2099-05-01", "nights": "2", "guests": "1"}
    with httpx.Client(base_url=portal.url, timeout=10) as visitor:
        booked = visitor.post("/hotels/book", data=form)
        assert booked.status_code == 303
        assert booked.headers["location"].removeprefix(portal.url).startswith("/hotels/bookings/")
        assert re.search(r";\s*path=/hotels/?(;|$)", booked.headers["set-cookie"], re.I)
        ticket = visitor.get(booked.headers["location"])
        assert ticket.status_code == 200 and "Ida" in ticket.text
        assert "Ida" not in visitor.get("/hotels/bookings").text
        assert "nights" in visitor.get("/hotels/bookings").text
    assert portal.get(booked.headers["location"].removeprefix(portal.url)).status_code == 404


def test_a_session_is_shown_to_its_own_team_only(crew: Crew, portal: Portal) -> None:
    """The hotels' cookie lies below /hotels: a browser sends it nowhere else, and no shared answer was made from it."""
    form = {"stay": "2", "name": "Ole", "arrival": "2099-05-01", "nights": "1", "guests": "1"}
    with httpx.Client(base_url=portal.url, timeout=10) as visitor:
        visitor.post("/hotels/book", data=form)
        assert "cookie" not in visitor.build_request("GET", "/pets/").headers
        assert "cookie" in visitor.build_request("GET", "/hotels/").headers
        mine = visitor.get("/hotels/")
        assert "My bookings" in mine.text
    assert "My bookings" not in portal.get("/hotels/").text


def test_an_answer_says_how_it_came_about(portal: Portal) -> None:
    portal.home()
    answer = portal.get("/")
    assert directives(answer)[0] == "portico"
    assert answer.headers["x-request-id"]
    timings = answer.headers["server-timing"]
    assert not [name for name in HEADLINES if name not in timings], timings


def test_a_fragment_is_kept_and_a_page_that_may_not_be_is_not(portal: Portal) -> None:
    portal.home()
    timings = portal.get("/").headers["server-timing"]
    assert re.search(r'hotels\.deals;[^,]*"?hit', timings), timings
    assert directives(portal.get("/hotels/stay/1"))[1].startswith("fwd=")
    portal.get("/pets/portrait/3.svg")
    assert "hit" in directives(portal.get("/pets/portrait/3.svg"))


def test_a_page_that_is_not_there_is_its_teams_own_404(portal: Portal) -> None:
    answer = portal.get("/hotels/stay/99999")
    assert answer.status_code == 404
    assert "No such room" in answer.text and 'href="/hotels/"' in answer.text
