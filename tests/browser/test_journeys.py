"""What visitors do on the portal, in Chromium, with and without JavaScript, watched: every request, every complaint.

A page of a team asks for nothing outside its team's prefix, but for the portal's frame, which the shell serves.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

import gateway.walk as walk
from tests.live.portal import Crew, Portal

TEAMS = ("hotels", "pets", "cars")
SCRIPTING = pytest.mark.parametrize("scripting", [True, False], ids=["scripting", "no-scripting"])


@dataclass
class Visit:
    """A browser's window on the portal, and all that went on below it."""

    page: Page
    url: str
    frame: set[str]
    scripting: bool
    asked: list[tuple[str, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("requestfailed", self._failed)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def open(self, path: str) -> None:
        answer = self.page.goto(f"{self.url}{path}", wait_until="networkidle")
        assert answer is not None and answer.status == 200

    def at(self, path: str) -> None:
        """The address bar shows this path (a regular expression)."""
        expect(self.page).to_have_url(re.compile(rf"^{re.escape(self.url)}{path}$"))

    def strays(self) -> list[str]:
        """What was asked for outside the prefix of the page that asked."""
        return [f"{asked} from {page}" for page, asked in self.asked if not self._may(page, asked)]

    def _may(self, page: str, asked: str) -> bool:
        if not asked.startswith(self.url):
            return False
        path = asked.removeprefix(self.url)
        team = page.removeprefix(self.url).split("/")[1]
        own = f"/{team}/" if team in TEAMS else "/"
        return path.startswith((own, "/-/")) or urlsplit(path).path in self.frame

    def _request(self, request: Request) -> None:
        if not request.is_navigation_request():
            self.asked.append((request.frame.url, request.url))

    def _failed(self, request: Request) -> None:
        """Not what the browser itself gave up: for a page that was left, or a module it may not run without scripts."""
        if request.failure != "net::ERR_ABORTED" and (self.scripting or request.failure != "csp"):
            self.complaints.append(f"{request.failure}: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(f"console: {said.text}")


Visits = Callable[..., Visit]


@pytest.fixture(scope="module")
def frame(crew: Crew) -> set[str]:
    """The assets of the portal's frame: what the shell's header and footer bring along, wherever they are shown."""
    parts = ("/fragments/header.html", "/fragments/footer.html")
    links = {link for part in parts for link in walk.links(crew.text("shell", part), crew.url("shell"), "text/html")}
    return {path for link in links if (path := urlsplit(link).path).startswith("/assets/")}


@pytest.fixture
def visit(browser: Browser, portal: Portal, frame: set[str]) -> Iterator[Visits]:
    """`visit()` opens a window of its own; at the end nothing strayed and nobody complained."""
    visits = []

    @contextmanager
    def window(scripting: bool) -> Iterator[Page]:
        context = browser.new_context(java_script_enabled=scripting, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(10_000)
        yield context.new_page()
        context.close()

    def begin(scripting: bool = True) -> Visit:
        opened = window(scripting)
        begun = Visit(opened.__enter__(), portal.url, frame, scripting)
        begun.watch()
        visits.append((opened, begun))
        return begun

    yield begin
    for opened, begun in visits:
        opened.__exit__(None, None, None)
        assert begun.strays() == []
        assert begun.complaints == []


def count_of(page: Page, kind: str) -> int:
    """What the header counts."""
    said = page.locator(f'[data-shell-count="{kind}"]').inner_text() if page.locator("header").count() else ""
    return int(said or 0)


def text(page: Page) -> str:
    return " ".join(page.locator("body").inner_text().split())


@SCRIPTING
def test_home_is_whole(visit: Visits, scripting: bool) -> None:
    window = visit(scripting)
    window.open("/")
    page = window.page
    expect(page.locator("h1")).to_have_count(1)
    for headline in ("Rooms by the water, for less", "Looking for a home", "Out of the garage"):
        expect(page.get_by_role("heading", name=headline)).to_be_visible()
    for name in ("Stay", "Adopt", "Drive"):
        expect(page.get_by_role("navigation", name="Portal").get_by_role("link", name=name, exact=True)).to_be_visible()
    assert "on their way" not in text(page) and "having a nap" not in text(page)
    teams = {urlsplit(asked).path.split("/")[1] for _, asked in window.asked}
    assert teams >= {"hotels", "pets", "cars", "assets"}


@SCRIPTING
def test_hotels_from_home_to_a_booking(visit: Visits, scripting: bool) -> None:
    window = visit(scripting)
    window.open("/")
    page = window.page
    page.get_by_label("Where to").fill("Lisbon")
    page.get_by_role("button", name="Find a room").click()
    window.at(r"/hotels/search\?city=Lisbon&guests=2")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lisbon")
    page.locator("main article a").first.click()
    window.at(r"/hotels/stay/\d+")
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_label("Your name").fill("Ida")
    page.get_by_role("button", name="Book this stay").click()
    window.at(r"/hotels/bookings/\w+")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ida")
    assert name in text(page)
    page.get_by_role("link", name="All my bookings").click()
    window.at("/hotels/bookings")
    expect(page.locator("main li")).to_have_count(1)
    page.get_by_role("link", name="More stays").click()
    window.at("/hotels/")
    expect(page.get_by_role("link", name="My bookings")).to_be_visible()


@SCRIPTING
def test_hotels_say_what_is_wrong_with_a_booking(visit: Visits, scripting: bool) -> None:
    window = visit(scripting)
    window.open("/hotels/stay/1")
    page = window.page
    page.get_by_label("Your name").fill("   ")
    page.get_by_role("button", name="Book this stay").click()
    window.at("/hotels/book")
    expect(page.get_by_text("Please tell us your name.")).to_be_visible()
    window.complaints = [said for said in window.complaints if "422" not in said]  # which a browser logs as an error


def test_pets_go_on_as_an_application(visit: Visits) -> None:
    window = visit()
    window.open("/pets/")
    page = window.page
    page.evaluate("window.sameDocument = true")
    cards = page.locator("main article").count()
    first = page.locator("main article h2 a").first
    name = first.inner_text()
    first.click()
    window.at(r"/pets/pet/\d+")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page).to_have_title(re.compile(name))
    page.go_back()
    window.at("/pets/")
    expect(page.locator("main article")).to_have_count(cards)
    page.go_forward()
    window.at(r"/pets/pet/\d+")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert page.evaluate("window.sameDocument") is True
    page.reload(wait_until="networkidle")
    window.at(r"/pets/pet/\d+")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert page.evaluate("window.sameDocument") is None
    page.go_back()
    window.at("/pets/")
    page.get_by_role("link", name="Cats").click()
    window.at(r"/pets/\?kind=cat")
    expect(page.get_by_role("link", name="Cats")).to_have_attribute("aria-current", "true")


@SCRIPTING
def test_pets_are_greeted(visit: Visits, scripting: bool) -> None:
    window = visit(scripting)
    window.open("/pets/")
    page = window.page
    page.locator("main article h2 a").nth(1).click()
    window.at(r"/pets/pet/\d+")
    page.get_by_label("Your name").fill("Ole")
    page.get_by_role("button", name="Say hello").click()
    expect(page.get_by_role("status")).to_contain_text("got your hello")
    window.at(r"/pets/pet/\d+")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("got your hello")


@SCRIPTING
def test_cars_from_list_to_detail(visit: Visits, scripting: bool) -> None:
    window = visit(scripting)
    window.open("/cars/")
    page = window.page
    expect(page.locator("main article")).to_have_count(8)
    page.get_by_role("link", name="Gull", exact=True).click()
    window.at("/cars/car/gull/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gull")
    expect(page).to_have_title("Gull · Drive")
    page.go_back()
    window.at("/cars/")
    expect(page.locator("main article")).to_have_count(8)
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gull")
    page.reload(wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gull")


def test_cars_are_sifted(visit: Visits) -> None:
    window = visit()
    window.open("/cars/")
    page = window.page
    page.get_by_label("Electric").check()
    expect(page.locator("main article:visible")).to_have_count(3)
    page.get_by_label("Five seats or more").check()
    expect(page.get_by_text("No car is all of that")).to_be_visible()


def test_the_header_counts_what_any_teams_fragment_says(visit: Visits) -> None:
    window = visit()
    window.open("/")
    page = window.page
    assert (count_of(page, "favourite"), count_of(page, "basket")) == (0, 0)
    for number, team in enumerate(TEAMS, 1):
        page.locator(f"[data-{team}-save]").first.click()
        expect(page.locator('[data-shell-count="favourite"]')).to_have_text(str(number))
    page.locator("[data-pets-save]").first.click()
    expect(page.locator('[data-shell-count="favourite"]')).to_have_text("2")
    window.open("/hotels/stay/1")
    expect(page.locator('[data-shell-count="favourite"]')).to_have_text("2")
    page.get_by_role("button", name="Put into the basket").click()
    expect(page.locator('[data-shell-count="basket"]')).to_have_text("1")
    page.get_by_role("link", name="Favourites").first.click()
    window.at("/favourites/")
    expect(page.locator('[data-shell-kept="favourite"] li')).to_have_count(2)
    kept = [urlsplit(link.get_attribute("href") or "").path for link in page.locator("[data-shell-kept] li a").all()]
    assert {path.split("/")[1] for path in kept} == {"hotels", "cars"}
    page.locator('[data-shell-kept="basket"] a').click()
    window.at("/hotels/stay/1")
    expect(page.get_by_role("button", name="Put into the basket")).to_have_attribute("aria-pressed", "true")


def test_what_was_kept_in_an_application_is_shown_by_another_window(visit: Visits) -> None:
    window = visit()
    window.open("/cars/car/gull/")
    first = window.page
    second = first.context.new_page()
    second.goto(f"{window.url}/pets/")
    first.get_by_role("button", name="Keep Gull").click()
    expect(second.locator('[data-shell-count="favourite"]')).to_have_text("1")


@pytest.mark.parametrize(
    "path",
    [
        *("/hotels/", "/hotels/search?city=Bergen", "/hotels/stay/2", "/hotels/bookings"),
        *("/pets/", "/pets/?kind=dog", "/pets/pet/3", "/cars/", "/cars/car/ferry/", "/about/", "/favourites/"),
    ],
)
def test_a_page_says_the_same_without_javascript(visit: Visits, path: str) -> None:
    """Its heading, its links in the same order; only what keeps things needs more."""
    with_it, without = visit(), visit(scripting=False)
    with_it.open(path)
    without.open(path)
    for window in (with_it, without):
        expect(window.page.locator("h1")).to_have_count(1)
        expect(window.page.locator("main")).to_have_count(1)
        expect(window.page.get_by_role("banner")).to_have_count(1)
        expect(window.page.get_by_role("contentinfo")).to_have_count(1)
    assert links(without.page) == links(with_it.page)
    assert without.page.locator("h1").inner_text() == with_it.page.locator("h1").inner_text()


def links(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator("a[href]:visible").all()]
