"""Fragments of three teams on one page of a running portal, in Chromium: two bring modules, one a custom element, and
they talk with one another; one is late, one is lazy, and the next page changes only what differs.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.slots_site import Site, Visit
from tests.kit.origin import Answer, Origin, Seen, html, serving
from tests.live.portal import Portal, gateway_for

SHELL = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title><link rel="icon" href="data:,"></head>
<body><nav><a id="home" href="/">home</a> <a id="other" href="/other">other</a></nav>
<main>
<mf-slot name="hotels.price"></mf-slot>
<mf-slot name="pets.finder" page="{name}"></mf-slot>
<mf-slot name="cars.estimate"></mf-slot>
<mf-slot name="hotels.advice" late><p>advice is on its way</p></mf-slot>
<table><tbody><!--mf:slot name="hotels.rows" late--></tbody></table>
<div style="height: 3000px"></div>
<mf-slot name="cars.trips" lazy><p>trips further down</p></mf-slot>
</main></body></html>
"""

# As a framework would: takes over what the server sent if it is there, and tells what was chosen.
PRICE = """
export const hydrate = (root, { base, bus, signal }) => {
  const button = root.querySelector("button")
  button.addEventListener("click", () => bus.emit("state:stay", { nights: 3, base }), { signal })
  button.disabled = false
}
export const mount = (root, context) => {
  root.innerHTML = "<button>mounted</button>"
  hydrate(root, context)
}
"""
FINDER = """
export const mount = async (root, { bus, signal, name }) => {
  const shown = document.createElement("output")
  root.replaceChildren(shown)
  bus.on("state:stay", ({ nights }) => (shown.textContent = `${name} for ${nights} nights`))
  return () => (window.finders = (window.finders ?? 0) + 1)
}
"""
ESTIMATE = """
customElements.define("cars-estimate", class extends HTMLElement {
  connectedCallback() {
    const show = ({ detail }) => (this.querySelector("b").textContent = detail.nights * 20)
    document.addEventListener("mf:state:stay", show)
    this.leave = () => document.removeEventListener("mf:state:stay", show)
  }
  disconnectedCallback() { this.leave() }
})
"""


def hotels(seen: Seen) -> Answer:
    if seen.path == "/price.js":
        return _script(PRICE)
    if seen.path == "/advice.css":
        return Answer(b".advice { color: rgb(1, 2, 3) }", headers=[("Content-Type", "text/css")])
    if seen.path == "/rows":
        return Answer(b"<tr><td>a row</td></tr>", headers=[("Content-Type", "text/html")], delay=0.4)
    if seen.path == "/advice":
        page = '<link rel="stylesheet" href="/advice.css"><p class="advice">stay longer</p>'
        return Answer(page.encode(), headers=[("Content-Type", "text/html")], delay=0.3)
    return html(
        '<script type="module" mf-mount src="/price.js"></script><p>Price</p><button disabled>3 nights</button>'
    )


def pets(seen: Seen) -> Answer:
    if seen.path == "/finder.js":
        return _script(FINDER)
    return html(f'<script type="module" mf-mount src="finder.js"></script><p>server {seen.query}</p>')


def cars(seen: Seen) -> Answer:
    if seen.path == "/estimate.js":
        return _script(ESTIMATE)
    if seen.path == "/trips":
        return html("<script>window.trips = (window.trips || 0) + 1</script><p>round trips</p>")
    return html('<script type="module" src="/estimate.js"></script><cars-estimate>from <b>20</b></cars-estimate>')


def shell(seen: Seen) -> Answer:
    return html(SHELL.replace("{name}", seen.path.strip("/") or "home"), ("Cache-Control", "max-age=60"))


def _script(text: str) -> Answer:
    return Answer(text.encode(), headers=[("Content-Type", "text/javascript")])


def manifests(origins: dict[str, Origin]) -> dict[str, str]:
    mounts = {name: f"/{name}: {{ upstream: {name} }}" for name in origins}
    mounts["shell"] = "/: { upstream: shell, composes: true, navigation: { soft: true } }"
    fragments = {
        "hotels": ("price", "advice, timeout: 2s", "rows, timeout: 2s"),
        "pets": ("finder",),
        "cars": ("estimate", "trips"),
    }
    told = {}
    for name, origin in origins.items():
        text = f'team: {name}\nupstreams:\n  {name}: {{ origins: ["{origin.url}"] }}\nmounts:\n  {mounts[name]}\n'
        if name in fragments:
            text += "fragments:\n"
        for each in fragments.get(name, ()):
            text += f"  {name}.{each.split(',')[0]}: {{ upstream: {name}, path: /{each} }}\n"
        told[name] = text
    return told


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder: Path = tmp_path_factory.mktemp("slots")
    with ExitStack() as life:
        answers = {"shell": shell, "hotels": hotels, "pets": pets, "cars": cars}
        origins = {name: life.enter_context(serving(answer)) for name, answer in answers.items()}
        yield life.enter_context(gateway_for(folder, manifests(origins)))


@pytest.fixture
def visit(browser: Browser, portal: Portal) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 800, "height": 600})
    visit = Visit(Site(), context.new_page())
    visit.page.goto(portal.url + "/")
    visit.run("void (window.stays = 1)")
    yield visit
    context.close()


def test_three_teams_share_a_page_and_talk(visit: Visit) -> None:
    visit.until("document.querySelector('output') && !document.querySelector('button').disabled")
    assert visit.text("[name='hotels.price']") == "Price3 nights"  # taken over, not made anew
    visit.page.click("button")
    visit.until("document.querySelector('output').textContent")
    assert visit.text("output") == "pets.finder for 3 nights"
    assert visit.text("cars-estimate") == "from 60"
    assert visit.complaints == []


def test_late_pieces_come_into_their_places(visit: Visit) -> None:
    visit.until("document.querySelector('.advice') && document.querySelector('td')")
    assert visit.text("[name='hotels.advice']") == "stay longer"
    assert visit.run("getComputedStyle(document.querySelector('.advice')).color") == "rgb(1, 2, 3)"
    assert visit.text("table") == "a row"
    assert visit.run("document.querySelector('tbody > tr > td') !== null")


def test_lazy_piece_comes_when_it_is_looked_for(visit: Visit) -> None:
    assert visit.run("window.trips") is None
    visit.run("scrollTo(0, document.body.scrollHeight)")
    visit.until("window.trips === 1")
    assert visit.text("[name='cars.trips'] p") == "round trips"


def test_next_page_changes_what_differs(visit: Visit) -> None:
    visit.until("document.querySelector('output') && document.querySelector('.advice')")
    visit.run("void (window.price = document.querySelector('button'))")
    visit.page.click("#other")
    visit.until("window.finders === 1 && document.title === 'other'")
    visit.until("document.querySelector('output')")
    assert visit.run("window.price.isConnected && window.stays === 1")
    assert visit.path == "/other"
    visit.page.go_back(wait_until="commit")
    visit.until("window.finders === 2 && document.title === 'home'")
    assert visit.complaints == []


def test_fragment_alone_is_a_page_and_its_module_runs_there(visit: Visit, portal: Portal) -> None:
    visit.page.goto(portal.url + "/-/fragment/hotels.price")
    visit.until("document.querySelector('button')?.disabled === false")
    assert visit.complaints == []
