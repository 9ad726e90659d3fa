"""Pages as they are seen: wide and narrow, by day and by night, by keyboard. Pictures are left to be looked at."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.live.portal import Portal

PAGES = {
    "home": "/",
    "about": "/about/",
    "favourites": "/favourites/",
    "hotels": "/hotels/",
    "stay": "/hotels/stay/1",
    "price": "/hotels/price?stay=3&nights=7",
    "pets": "/pets/",
    "pet": "/pets/pet/3",
    "cars": "/cars/",
    "car": "/cars/car/gull/",
    "lost": "/hotels/stay/99999",
}
WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}
Light = Literal["light", "dark"]
LOOKS = [
    (name, width, light)
    for name in PAGES
    for width, light in itertools.product(WIDTHS, ("light", "dark"))
    if name in ("home", "stay", "pet", "car") or (width, light) in (("phone", "dark"), ("desk", "light"))
]

# Relative luminance and contrast as WCAG 2.2 defines them, of the text there is and the first opaque ground behind it.
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.backgroundImage !== "none") return null;
      const color = rgba(style.backgroundColor);
      if (color[3] === 255) return color;
      if (color[3] > 0) return null;
    }
    return rgba(getComputedStyle(document.documentElement).colorScheme.includes("dark") ? "Canvas" : "white");
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
    const style = getComputedStyle(element), behind = ground(element), ink = rgba(style.color);
    if (!behind || ink[3] < 255 || element.closest("svg, option, datalist, noscript, script, style")) continue;
    const [light, dark] = [luminance(ink), luminance(behind)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${walker.currentNode.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of pictures; it stays until pytest clears its old ones away."""
    album = tmp_path_factory.mktemp("looks")
    yield album
    print(f"\npictures of {len(list(album.iterdir()))} pages: {album}")


@contextmanager
def opened(browser: Browser, portal: Portal, path: str, width: str, light: Light) -> Iterator[Page]:
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme=light,
        reduced_motion="reduce",
        has_touch=width == "phone",
    )
    page = context.new_page()
    page.goto(f"{portal.url}{path}", wait_until="load")
    yield page
    context.close()


@pytest.mark.parametrize(("name", "width", "light"), LOOKS)
def test_a_page_is_fit_to_be_seen(
    browser: Browser, portal: Portal, album: Path, name: str, width: str, light: Light
) -> None:
    with opened(browser, portal, PAGES[name], width, light) as page:
        show_all(page)
        page.screenshot(path=album / f"{name}-{width}-{light}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0]
        assert page.locator("h1").count() == 1
        assert page.title()
        assert page.evaluate("document.documentElement.lang") == "en"
        assert broken_images(page) == []
        assert ids_twice(page) == []
        assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("name", list(PAGES))
def test_axe_finds_nothing(browser: Browser, portal: Portal, name: str, light: Light) -> None:
    """Names, roles, contrast, landmarks, the order of headings: all rules that axe has, best practices among them."""
    with opened(browser, portal, PAGES[name], "phone" if light == "dark" else "desk", light) as page:
        show_all(page)
        assert violations(page) == []


def test_axe_finds_nothing_while_a_late_slot_waits(browser: Browser, portal: Portal) -> None:
    """The page as it is before its last piece: held there by ending the load in the middle."""
    assert portal.portico("purge", "--team", "hotels").returncode == 0
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(
        "new MutationObserver(() => document.querySelector('footer') && stop()).observe(document, "
        "{ childList: true, subtree: true })"
    )
    page.goto(f"{portal.url}/", wait_until="commit")
    expect(page.get_by_role("contentinfo")).to_be_visible()
    expect(page.get_by_text("The harbour master looks at the sky")).to_be_visible()
    assert violations(page) == []
    context.close()


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("width", list(WIDTHS))
def test_home_without_scripts_is_fit_to_be_seen(
    browser: Browser, portal: Portal, album: Path, width: str, light: Light
) -> None:
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high}, color_scheme=light, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{portal.url}/", wait_until="load")
    page.screenshot(path=album / f"home-{width}-{light}-no-scripts.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    assert page.locator("h1").count() == 1
    assert page.evaluate(FAINT) == []
    context.close()


def test_pieces_side_by_side_begin_at_one_height(browser: Browser, portal: Portal) -> None:
    """Two teams' headings are as high, so that what stands below them is in one line."""
    with opened(browser, portal, "/", "desk", "light") as page:
        tops = [page.locator(f".{team}-card").first.bounding_box() for team in ("pets", "cars")]
        assert tops[0] and tops[1] and tops[0]["y"] == pytest.approx(tops[1]["y"], abs=0.5)
        boxes = [page.locator(place).bounding_box() for place in (".hotels-sum-app", "cars-estimate")]
        assert boxes[0] and boxes[1] and boxes[0]["y"] == pytest.approx(boxes[1]["y"], abs=0.5)


@pytest.mark.parametrize("team", ["hotels", "pets", "cars"])
def test_on_a_phone_a_link_stays_beside_its_heading(browser: Browser, portal: Portal, team: str) -> None:
    with opened(browser, portal, "/", "phone", "light") as page:
        head = page.locator(f":has(> .{team}-more)")
        heading, link = head.evaluate("(e) => [...e.children].map((each) => each.getBoundingClientRect().toJSON())")
        assert heading["top"] <= link["top"] and link["bottom"] <= heading["bottom"] and heading["right"] < link["left"]


@pytest.mark.parametrize("wide", [width for width, _ in WIDTHS.values()], ids=list(WIDTHS))
def test_what_is_read_stays_where_it_is(browser: Browser, portal: Portal, wide: int) -> None:
    """Applications that take over and a late slot move nothing much, on a screen so high that all of it is in view.

    A good page's cumulative layout shift is below 0.1 (Core Web Vitals).
    """
    assert portal.portico("purge", "--team", "hotels").returncode == 0
    context = browser.new_context(viewport={"width": wide, "height": 6000}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script("""
      window.shifted = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          shifted.push([entry.value, entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.data)]);
      }).observe({ type: "layout-shift", buffered: true });
    """)
    page.goto(f"{portal.url}/", wait_until="load")
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    expect(page.get_by_role("button", name="Anyone")).to_be_visible()
    shifted = page.evaluate("shifted")
    assert sum(value for value, _ in shifted) < 0.1, shifted
    context.close()


@pytest.mark.parametrize(("name", "width"), [("home", "phone"), *((name, "desk") for name in PAGES)])
def test_a_keyboard_reaches_the_content_first(browser: Browser, portal: Portal, name: str, width: str) -> None:
    with opened(browser, portal, PAGES[name], width, "light") as page:
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        assert skip.inner_text() == "Skip to the content"
        box = skip.bounding_box()
        assert box is not None and box["y"] >= 0 and box["x"] >= 0 and box["height"] > 10
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#main$"))
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.closest('[data-mf-slot] header')")


@pytest.mark.parametrize("name", list(PAGES))
def test_every_stop_of_the_keyboard_has_a_name_and_is_seen(browser: Browser, portal: Portal, name: str) -> None:
    with opened(browser, portal, PAGES[name], "desk", "light") as page:
        stops: list[str] = []
        for _ in range(80):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => {
                  let at = document.activeElement;
                  if (at === document.body) return null;
                  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                  const box = at.getBoundingClientRect(), style = getComputedStyle(at);
                  const ringed = [at, ...at.querySelectorAll("*"), at.closest("li, article")].filter(Boolean);
                  return {
                    name: (at.getAttribute("aria-label") || at.innerText || at.labels?.[0]?.innerText || "").trim(),
                    seen: box.width > 0 && box.height > 0 && style.visibility === "visible",
                    ringed: ringed.some((each) => getComputedStyle(each).outlineStyle !== "none"
                      || getComputedStyle(each).boxShadow !== "none"),
                    html: at.outerHTML.slice(0, 120),
                  };
                }"""
            )
            if told is None:
                break
            if told["html"] in stops[-1:]:
                continue  # inside a date field, whose parts are the browser's own
            stops.append(told["html"])
            assert told["name"] and told["seen"] and told["ringed"], told
        assert len(stops) > 5


def test_a_narrow_screens_targets_are_large_enough(browser: Browser, portal: Portal) -> None:
    """WCAG 2.2, 2.5.8: at least 24 by 24, but for links inside a line of text."""
    with opened(browser, portal, "/", "phone", "light") as page:
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, nav a, input, select, .shell-saved a")]
              .filter((each) => each.checkVisibility())
              .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
              .filter(([, box]) => box.top >= 0 && (box.width < 24 || box.height < 24))
              .map(([html, box]) => `${html}: ${Math.round(box.width)} by ${Math.round(box.height)}`)"""
        )
        assert small == []


def show_all(page: Page) -> None:
    """Lazy slots and images load when they come into view."""
    for name in page.evaluate("[...document.querySelectorAll('[data-mf-lazy]')].map((e) => e.getAttribute('name'))"):
        place = page.locator(f'mf-slot[name="{name}"]')
        place.scroll_into_view_if_needed()
        expect(place.get_by_role("listitem")).not_to_have_count(0)
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.evaluate("scrollTo(0, 0)")


def violations(page: Page) -> list[str]:
    """What axe says is wrong: the rule, and where."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]


def broken_images(page: Page) -> list[str]:
    broken: list[str] = page.evaluate("[...document.images].filter((i) => i.naturalWidth === 0).map((i) => i.src)")
    return broken


def ids_twice(page: Page) -> list[str]:
    twice: list[str] = page.evaluate(
        "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, n, all) => all.indexOf(id) !== n)"
    )
    return twice
