"""The demo's home page shows what composing can do: applications of three teams at once, late, lazy, kept apart.

Each test looks at one of these in Chromium; what needs no script is looked at without.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.browser.abilities import patches
from tests.live.portal import Crew, Portal, gateway_for, registered

SCRIPTING = pytest.mark.parametrize("scripting", [True, False], ids=["scripting", "no-scripting"])
WAITING = "The harbour master looks at the sky"
ADVICE = "The harbour master’s advice"

# Remembers the elements that servers rendered, before any application can touch them, and what stood in the late slot
# when the end of the page was there.
REMEMBER = """
window.rendered = {};
new MutationObserver(() => {
  if (document.querySelector("footer"))
    window.waiting ??= document.querySelector('mf-slot[name="hotels.advice"]').textContent;
  for (const name of ["hotels-sum-form", "pets-find-form", "cars-estimate"])
    window.rendered[name] ??= document.querySelector("." + name) ?? undefined;
}).observe(document, { childList: true, subtree: true });
"""
COLOURS = """() => {
  const found = {};
  for (const slot of document.querySelectorAll("mf-slot[name]")) {
    const root = slot.shadowRoot ?? slot;
    const heading = root.querySelector("h2"), card = root.querySelector(".card");
    if (heading) found[slot.getAttribute("name")] = {
      heading: getComputedStyle(heading).color,
      face: getComputedStyle(heading).fontStyle,
      border: card && getComputedStyle(card).borderTopStyle,
    };
  }
  found[":root"] = { edge: getComputedStyle(document.documentElement).getPropertyValue("--card-edge") };
  return found;
}"""


@pytest.fixture(scope="module")
def fresh(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal of this module's own: what is kept and what is not is nobody else's doing."""
    with gateway_for(tmp_path_factory.mktemp("demo"), registered(crew)) as portal:
        yield portal


@contextmanager
def home(browser: Browser, portal: Portal, scripting: bool = True, wide: int = 1280) -> Iterator[Page]:
    """A window that has asked for home and has its first bytes; at the end nobody complained."""
    context = browser.new_context(
        java_script_enabled=scripting, viewport={"width": wide, "height": 900}, reduced_motion="reduce"
    )
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    if scripting:
        page.add_init_script(REMEMBER)
    page.goto(f"{portal.url}/", wait_until="commit")
    yield page
    context.close()
    assert complaints == []


def slot(page: Page, name: str) -> Locator:
    return page.locator(f'mf-slot[name="{name}"]')


def in_view(place: Locator) -> None:
    """Scrolled to, as a reader would; a lazy slot is filled when it comes near."""
    place.scroll_into_view_if_needed()


@SCRIPTING
def test_a_late_slot_is_filled_after_everything_else_is_there(browser: Browser, fresh: Portal, scripting: bool) -> None:
    """Without scripts as well, where the browser's own parser puts pieces into their places; elsewhere what stood in
    for it stays."""
    fresh.portico("purge", "--team", "hotels")
    with home(browser, fresh, scripting) as page:
        page.wait_for_load_state("load")
        place = slot(page, "hotels.advice")
        if not scripting and not patches(browser):
            expect(place).to_contain_text(WAITING)
            expect(place.get_by_role("heading", name=ADVICE)).to_have_count(0)
            return
        expect(place.get_by_role("heading", name=ADVICE)).to_be_visible()
        assert WAITING not in place.inner_text()
        assert page.locator("template[for]").count() == 0
        if scripting:
            assert WAITING in page.evaluate("waiting")


def test_the_page_does_not_wait_for_a_late_slot(fresh: Portal) -> None:
    """All but the piece has been sent while its origin still thinks."""
    fresh.portico("purge", "--team", "hotels")
    with httpx.stream("GET", f"{fresh.url}/", timeout=10) as answer:
        sent = ""
        for chunk in answer.iter_text():
            if "</footer>" not in sent:
                sent += chunk
    assert "</footer>" in sent and WAITING in sent and ADVICE not in sent


def test_a_lazy_slot_is_fetched_when_it_comes_near(browser: Browser, fresh: Portal) -> None:
    with home(browser, fresh) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_load_state("load")
        place = slot(page, "cars.trips")
        assert place.get_by_role("listitem").count() == 0
        assert not [url for url in asked if "/-/fragment/" in url]
        in_view(place)
        expect(place.get_by_role("listitem")).to_have_count(3)
        assert [url for url in asked if "/-/fragment/" in url] == [f"{fresh.url}/-/fragment/cars.trips"]
        expect(place.get_by_role("heading", level=2)).to_have_count(1)
        expect(place.get_by_role("link", name="Take the Gull")).to_have_attribute("href", "/cars/car/gull/")


def test_a_lazy_slot_is_a_frame_without_scripts(browser: Browser, fresh: Portal) -> None:
    with home(browser, fresh, scripting=False) as page:
        page.wait_for_load_state("load")
        place = slot(page, "cars.trips")
        in_view(place)
        inner: FrameLocator = place.frame_locator("iframe")
        expect(inner.get_by_role("heading", name="Roads for a weekend")).to_be_visible()
        expect(inner.get_by_role("listitem")).to_have_count(3)
        assert place.get_by_role("heading", name="Roads for a weekend").count() == 0, "its stand-in is put aside"


def test_applications_of_three_teams_take_over_what_was_rendered(browser: Browser, fresh: Portal) -> None:
    """React, Vue and a custom element on one page, each in the very elements its server had sent."""
    with home(browser, fresh) as page:
        page.wait_for_load_state("load")
        expect(page.get_by_role("button", name="Work it out")).to_have_count(0)
        expect(page.get_by_role("button", name="Find", exact=True)).to_have_count(0)
        expect(page.get_by_label("Days")).to_be_visible()
        kept = page.evaluate(
            "Object.entries(rendered).map(([name, e]) => [name, e === document.querySelector('.' + name)])"
        )
        assert kept == [["hotels-sum-form", True], ["pets-find-form", True], ["cars-estimate", True]]


def test_they_speak_by_the_bus(browser: Browser, fresh: Portal) -> None:
    """The cars' estimate hears how long somebody stays, and who comes along."""
    with home(browser, fresh) as page:
        page.wait_for_load_state("load")
        estimate = slot(page, "cars.estimate")
        expect(page.get_by_role("button", name="Work it out")).to_have_count(0)
        slot(page, "hotels.price").get_by_label("Where").select_option(label="Lighthouse Sveti Nikola, Kotor")
        slot(page, "hotels.price").get_by_label("Nights").fill("9")
        expect(estimate.get_by_text("9 days at Lighthouse Sveti Nikola")).to_be_visible()
        expect(estimate.get_by_label("Days")).to_have_value("9")
        expect(estimate.get_by_role("row", name="Pilot")).to_contain_text(f"€{46 * 9 + 10}")
        expect(page.get_by_role("button", name="Find", exact=True)).to_have_count(0)
        slot(page, "pets.finder").get_by_label("Kind").select_option(label="Dogs")
        expect(slot(page, "pets.finder").get_by_role("status")).to_have_text("3 of 9 would fit.")
        expect(estimate.get_by_text("likes a dog")).to_have_count(1)


def test_what_an_application_hears_last_it_is_told_when_it_comes_later(browser: Browser, fresh: Portal) -> None:
    with home(browser, fresh) as page:
        page.wait_for_load_state("load")
        expect(slot(page, "cars.estimate").get_by_text("2 days at Casa da Alfândega")).to_be_visible()
        page.evaluate("""() => {
          const old = document.querySelector("cars-estimate"), parent = old.parentElement;
          old.remove();
          parent.append(old);
        }""")
        expect(slot(page, "cars.estimate").get_by_text("2 days at Casa da Alfândega")).to_be_visible()
        expect(slot(page, "cars.estimate").get_by_label("Days")).to_have_count(1)


@pytest.mark.parametrize(("stay", "nights", "guests"), [(1, 1, 1), (3, 7, 2), (5, 28, 6), (8, 13, 2), (4, 8, 1)])
def test_the_calculator_reckons_as_its_server_does(
    browser: Browser, fresh: Portal, stay: int, nights: int, guests: int
) -> None:
    with home(browser, fresh) as page:
        page.wait_for_load_state("load")
        expect(page.get_by_role("button", name="Work it out")).to_have_count(0)
        calculator = slot(page, "hotels.price")
        calculator.get_by_label("Where").select_option(str(stay))
        calculator.get_by_label("Nights").fill(str(nights))
        calculator.get_by_label("Guests").fill(str(guests))
        told = fresh.get(f"/hotels/price?stay={stay}&nights={nights}&guests={guests}").text
        expect(calculator.locator("caption")).to_have_text(re.findall("<caption>(.*?)</caption>", told)[0])
        assert calculator.locator("td").all_inner_texts() == re.findall("<td>(.*?)</td>", told)


def test_forms_of_applications_work_without_scripts(browser: Browser, fresh: Portal) -> None:
    with home(browser, fresh, scripting=False) as page:
        page.get_by_label("Nights").fill("7")
        page.get_by_role("button", name="Work it out").click()
        expect(page).to_have_url(f"{fresh.url}/hotels/price?stay=1&nights=7&guests=2")
        expect(page.locator("caption")).to_have_text("7 nights, 2 guests")
        page.go_back()
        page.get_by_label("Kind").select_option(label="Hens")
        page.get_by_role("button", name="Find", exact=True).click()
        expect(page).to_have_url(f"{fresh.url}/pets/?kind=hen&age=&word=")
        expect(page.locator("main article")).to_have_count(1)


@SCRIPTING
def test_styles_that_would_collide_are_kept_apart(browser: Browser, fresh: Portal, scripting: bool) -> None:
    """Two teams' sheets say `:root`, `h2` and `.card`, and mean their own."""
    with home(browser, fresh, scripting) as page:
        page.wait_for_load_state("load")
        seen = page.evaluate(COLOURS)
        book, letters, deals = seen["hotels.voices"], seen["pets.letters"], seen["hotels.deals"]
        assert book["face"] == "italic" and letters["face"] == deals["face"] == "normal"
        assert book["border"] == "none" and letters["border"] == "dashed"
        assert len({book["heading"], letters["heading"], deals["heading"]}) == 3
        plain = {name: told["heading"] for name, told in seen.items() if name.endswith((".deals", ".price", ".finder"))}
        assert len(set(plain.values())) == 1 and len(plain) == 3, "nobody else's heading was touched"
        assert seen[":root"]["edge"] == ""


@pytest.mark.parametrize(
    "name",
    [
        *("hotels.deals", "hotels.price", "hotels.advice", "hotels.voices"),
        *("pets.adoptable", "pets.finder", "pets.letters", "cars.featured", "cars.estimate", "cars.trips"),
    ],
)
def test_a_fragment_opened_alone_is_a_page(browser: Browser, fresh: Portal, name: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    answer = page.goto(f"{fresh.url}/-/fragment/{name}", wait_until="load")
    assert answer is not None and answer.status == 200
    expect(page.get_by_role("heading", level=2)).to_have_count(1)
    assert page.title()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
