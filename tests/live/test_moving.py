"""A mount moves while its application runs on, knowing nothing of it; within a second no page names the old prefix.

What leads from the old one lasts: over restarts, over further moves, until somebody declares it again.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import gateway.walk as walk
from tests.live.portal import Crew, Portal, gateway_for, registered, soon, without_slots

HEADLINE = "Stays by the water"
OLD = ["", "/", "/stay/1", "/search?city=Lisbon", "/static/hotels.css", "/art/1.svg", "/fragments/deals"]


def moved(manifest: str) -> str:
    after = manifest.replace("/hotels: {", "/stays: {")
    assert after != manifest
    return after


@pytest.fixture(scope="module")
def portal(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal that had everything at its first place, and whose hotels moved while it ran."""
    with gateway_for(tmp_path_factory.mktemp("moving"), registered(crew)) as portal:
        for path in OLD:
            portal.get(f"/hotels{path}")
        assert HEADLINE in portal.get("/hotels/").text
        assert 'href="/hotels/stay/' in portal.home()
        pid = crew.children["hotels"].pid
        portal.declare("hotels", moved(crew.manifest("hotels")))
        soon(lambda: portal.get("/stays/").status_code == 200)
        yield portal
        assert crew.children["hotels"].pid == pid and crew.children["hotels"].running


def test_within_a_second_all_is_below_the_new_prefix(crew: Crew, portal: Portal) -> None:
    for path in ("/", "/search?city=Lisbon", "/stay/1", "/bookings"):
        page = portal.get(f"/stays{path}")
        assert page.status_code == 200
        own = walk.links(without_slots(crew.text("hotels", path)), crew.url("hotels") + path, "text/html")
        found = walk.links(page.text, f"{portal.url}/stays{path}", "text/html")
        assert {link.replace(crew.url("hotels"), f"{portal.url}/stays") for link in own} <= found
        assert not [link for link in found if link.startswith(f"{portal.url}/hotels/") and link.count("/") > 4]
    assert portal.get("/stays").headers["location"] == "/stays/"


def test_its_fragment_in_others_pages_names_the_new_prefix(portal: Portal) -> None:
    deals = soon(lambda: re.search(r'<section class="hotels-deals".*?</section>', portal.home(), re.S))[0]
    assert 'href="/stays/stay/' in deals and 'src="/stays/art/' in deals
    assert "/hotels" not in deals
    for link in walk.links(portal.home(), f"{portal.url}/", "text/html"):
        assert httpx.get(link, follow_redirects=True).status_code == 200, link


def test_assets_and_forms_work_below_the_new_prefix(portal: Portal) -> None:
    css = portal.get("/stays/static/hotels.css")
    assert css.status_code == 200
    form = {"stay": "1", "name": "Ida", "arrival": "2099-05-01", "nights": "2", "guests": "1"}
    with httpx.Client(base_url=portal.url) as visitor:
        booked = visitor.post("/stays/book", data=form)
        assert booked.status_code == 303
        assert booked.headers["location"].removeprefix(portal.url).startswith("/stays/bookings/")
        assert "path=/stays" in booked.headers["set-cookie"].lower()
        assert visitor.get(booked.headers["location"]).status_code == 200


@pytest.mark.parametrize("path", OLD)
def test_the_old_prefix_only_leads_to_the_new(portal: Portal, path: str) -> None:
    answer = portal.get(f"/hotels{path}")
    assert answer.status_code == 308
    assert answer.headers["location"].removeprefix(portal.url) in (f"/stays{path}", f"/stays{path}/")
    assert httpx.get(f"{portal.url}/hotels{path}", follow_redirects=True).status_code == 200


def test_a_form_sent_to_the_old_prefix_is_not_lost(portal: Portal) -> None:
    answer = httpx.post(f"{portal.url}/hotels/book", data={"stay": "1"})
    assert answer.status_code == 308
    assert answer.headers["location"].removeprefix(portal.url) == "/stays/book"


BOOKING = {"stay": "1", "name": "Ida", "arrival": "2099-05-01", "nights": "2", "guests": "1"}
BOOKED = "01 May 2099"


def test_a_visitors_session_moves_along(crew: Crew, tmp_path: Path) -> None:
    with gateway_for(tmp_path, registered(crew)) as portal, httpx.Client(base_url=portal.url) as visitor:
        visitor.post("/hotels/book", data=BOOKING)
        assert BOOKED in visitor.get("/hotels/bookings").text
        portal.declare("hotels", moved(crew.manifest("hotels")))
        soon(lambda: portal.get("/stays/").status_code == 200)
        assert BOOKED not in visitor.get("/stays/bookings").text
        assert BOOKED in visitor.get("/hotels/bookings", follow_redirects=True).text
        assert BOOKED in visitor.get("/stays/bookings").text
        assert {cookie.path for cookie in visitor.cookies.jar} == {"/stays"}


def test_a_move_lasts_over_restarts_and_further_moves(crew: Crew, tmp_path: Path) -> None:
    manifest = crew.manifest("hotels")
    with gateway_for(tmp_path, registered(crew)) as portal:
        assert portal.get("/hotels/").status_code == 200
    with gateway_for(tmp_path, registered(crew) | {"hotels": moved(manifest)}, workers=2) as portal:
        assert portal.get("/hotels/stay/1").headers["location"] == "/stays/stay/1"
        portal.declare("hotels", manifest.replace("/hotels: {", "/rooms: {"))
        for old in ("/hotels", "/stays"):
            soon(lambda old=old: portal.get(f"{old}/stay/1").headers.get("location") == "/rooms/stay/1")  # type: ignore[misc]
    with gateway_for(tmp_path, registered(crew) | {"hotels": manifest.replace("/hotels: {", "/rooms: {")}) as portal:
        for old in ("/hotels", "/stays"):
            assert portal.get(f"{old}/stay/1").headers["location"] == "/rooms/stay/1"
        told = portal.portico("routes").stdout
        assert re.search(r"^/hotels +/rooms +hotels +20\d\d-", told, re.M)
        assert "leads to <code>/rooms</code>" in httpx.get(f"{portal.admin}/").text


def test_a_prefix_that_somebody_declares_again_is_theirs(crew: Crew, tmp_path: Path) -> None:
    with gateway_for(tmp_path, registered(crew)) as portal:
        portal.declare("hotels", moved(crew.manifest("hotels")))
        soon(lambda: portal.get("/hotels/").status_code == 308)
        portal.declare("pets", crew.manifest("pets").replace("/pets: {", "/hotels: {"))
        soon(lambda: portal.get("/hotels/").status_code == 200)
        assert portal.get("/pets/list").headers["location"] == "/hotels/list"


def test_a_move_ends_when_its_time_is_over(crew: Crew, tmp_path: Path) -> None:
    (tmp_path / "portico.yaml").write_text("moved_for: 1s\n")
    with gateway_for(tmp_path, registered(crew), "--config", str(tmp_path / "portico.yaml")) as portal:
        portal.declare("hotels", moved(crew.manifest("hotels")))
        soon(lambda: portal.get("/hotels/").status_code == 308)
        soon(lambda: portal.get("/hotels/stay/1").headers.get("location") is None, 4)


GUIDE = """
team: guide
upstreams: { guide: { origins: ["file:./guide"] } }
mounts: { /guide: { upstream: guide, links_to: [/hotels] } }
"""


def test_who_links_there_is_told_and_relinked(crew: Crew, tmp_path: Path) -> None:
    (tmp_path / "teams" / "guide").mkdir(parents=True)
    (tmp_path / "teams" / "guide" / "index.html").write_text('<!doctype html><a href="/hotels/stay/1">Stay</a>')
    with gateway_for(tmp_path, registered(crew) | {"guide": GUIDE}) as portal:
        assert 'href="/hotels/stay/1"' in portal.get("/guide/").text
        portal.declare("hotels", moved(crew.manifest("hotels")))
        soon(lambda: 'href="/stays/stay/1"' in portal.get("/guide/").text)
        (tmp_path / "new.yaml").write_text(GUIDE.replace("file:./guide", "http://guide.internal:8000"))
        told = portal.portico("check", str(tmp_path / "new.yaml"))
        assert "links to '/hotels', which moved to '/stays'." in told.stdout


def test_what_leaves_its_mount_is_led_back_counted_and_told(crew: Crew, tmp_path: Path) -> None:
    with gateway_for(tmp_path, registered(crew), workers=2) as portal:
        page = {"Referer": f"{portal.url}/hotels/search", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}
        for _ in range(6):
            answer = httpx.get(f"{portal.url}/art/1.svg", headers=page)
            assert (answer.status_code, answer.headers["location"]) == (307, "/hotels/art/1.svg")
        told = soon(lambda: re.search(r"^/hotels +/art/1.svg +/hotels/search +image +6 ", leaks(portal), re.M), 4)
        assert "'art/1.svg'" in leaks(portal) and told
        assert portal.portico("leaks", "--clear").stdout == "Leaks are forgotten.\n"
        assert leaks(portal) == "No leaks were seen.\n"


def leaks(portal: Portal) -> str:
    return portal.portico("leaks", "--team", "hotels").stdout


def test_back_again(crew: Crew, tmp_path: Path) -> None:
    with gateway_for(tmp_path, registered(crew) | {"hotels": moved(crew.manifest("hotels"))}) as portal:
        assert HEADLINE in portal.get("/stays/").text
        portal.declare("hotels", crew.manifest("hotels"))
        soon(lambda: HEADLINE in portal.get("/hotels/").text)
        assert 'href="/hotels/stay/' in portal.home()
        assert HEADLINE not in portal.get("/stays/").text
