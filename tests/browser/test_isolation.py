"""What isolation keeps apart, through a running gateway: sheets that would collide, and what a frame's scripts reach.

Two fragments style the same names as the shell does. Measured is what Chromium computes for the shell's elements, for
those of a fragment without styles, and for the fragments' own.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page

from tests.kit.origin import Answer, Origin, Seen, html, serving
from tests.live.portal import Portal, gateway_for

ISOLATIONS = ("none", "scope", "shadow", "iframe")
FENCED = pytest.mark.parametrize("isolation", ISOLATIONS[1:])
BROUGHT = pytest.mark.parametrize("brought", ["inline", "linked"])

SHELL = """<!doctype html><html lang=en><head><title>Shell</title><style>
:root { --tone: shell; font-size: 16px }
body { background: rgb(1, 1, 1); margin: 3px }
h2 { color: rgb(1, 1, 1) }
.card { color: rgb(1, 1, 1); padding: 3px }
#same { outline: 3px solid rgb(1, 1, 1) }
.turning { animation: shell-turn 60s paused }
@keyframes shell-turn { from { opacity: 0.25 } to { opacity: 0.25 } }
</style></head><body>
<main data-who=shell><h2>h2</h2><div class=card>card</div><p class=turning>p</p><i id=same>i</i></main>
SLOTS
<footer data-who=footer><h2>h2</h2><div class=card>card</div></footer></body></html>"""

# What a team writes that believes to be alone: NN is another number for each of the two.
SHEET = """
@import "/more.css?n=NN";
@font-face { font-family: "Face NN"; src: url(/face.woff2) }
:root { --tone: NN; font-size: NNpx }
html { letter-spacing: NNpx }
body { background: rgb(NN, NN, NN); margin: NNpx }
h2, h2 ~ * { color: rgb(NN, NN, NN) }
.card { color: rgb(NN, NN, NN); padding: NNpx; animation: turn-NN 60s paused }
#same { outline: NNpx solid rgb(NN, NN, NN) }
* { text-indent: NNpx }
@media all { .card { border-left: NNpx solid } @supports (color: red) { h2 { padding-top: NNpx } } }
@layer a { .card { word-spacing: NNpx } }
@keyframes turn-NN { from { opacity: 0.5 } to { opacity: 0.5 } }
"""
MORE = ".card { text-underline-offset: NNpx } body { tab-size: NN }"
MARKUP = "<div data-who=NN><h2>h2</h2><div class=card>card</div><i id=same>i</i></div>"
PLAIN = "<div data-who=plain><h2>h2</h2><div class=card>card</div><p class=turning>p</p><i id=same>i</i></div>"
TURNED = "<style>@keyframes shell-turn { from { opacity: 0.75 } to { opacity: 0.75 } }</style>" + PLAIN.replace(
    "plain", "turned"
)
TRIED = """<div id=box style="height: 900px">tall</div><p id=said></p><script>
const said = {}, tries = {
  cookie: () => document.cookie, page: () => parent.document.title, storage: () => localStorage.length,
  address: () => top.location.href, navigate: () => top.eval("1"), sibling: () => parent.frames[1].document.title,
}
for (const [name, reach] of Object.entries(tries)) {
  try { said[name] = "reached " + reach() } catch (error) { said[name] = error.name }
}
said.origin = self.origin
document.getElementById("said").textContent = JSON.stringify(said)
</script>"""
CSS = [("Content-Type", "text/css")]


def _styles(body: bytes, content_type: str = "text/css", *more: tuple[str, str]) -> Answer:
    return Answer(body, headers=[("Content-Type", content_type), *more])


_LOUD = ".card, h2, main { color: rgb(9, 9, 9) !important }"
_WIDE = f"{{}} {_LOUD}".encode("utf-16-le")
_SHIFTED = b".x {} \x1b$B'!\x1b(B {} } " + _LOUD.encode() + b" .x /*'*/ .x {}"  # a quote that is half of a kanji
# Sheets that would like to mean the whole page; the one that reads them and the browser must not disagree.
OUTBREAKS: dict[str, Answer] = {
    "a stray brace": _styles(b"} " + _LOUD.encode()),
    "stray braces in a group": _styles(b"@media all { .x { a: b } } } } " + _LOUD.encode()),
    "an escaped end of a line": _styles(b".x\\\n{ a: b } " + _LOUD.encode()),
    "a string over lines": _styles(b".x { a: 'b\n} } " + _LOUD.encode()),
    "a url that is none": _styles(b".x { a: url(b 'c) } } " + _LOUD.encode()),
    "comments of HTML": _styles(b"<!-- } --> " + _LOUD.encode()),
    "fonts that end early": _styles(b"@font-face { a: b } } " + _LOUD.encode() + b" @font-face { c: d"),
    "a scope of its own": _styles(b"} @scope (html) { " + _LOUD.encode() + b" }"),
    "an import behind a rule": _styles(b".x{} @import '/sheet/34'; } " + _LOUD.encode()),
    "a null": _styles(b"\0}\0 " + _LOUD.encode()),
    "in UTF-16 by its mark": _styles(_LOUD.encode("utf-16")),
    "in UTF-16 by its type": _styles(_WIDE, "text/css; charset=utf-16le"),
    "in UTF-16, a byte later": _styles(b" " + _WIDE, "text/css; charset=utf-16le"),
    "in another charset": _styles(_SHIFTED, "text/css; charset=iso-2022-jp"),
    "in a declared charset": _styles(b'@charset "iso-2022-jp";' + _SHIFTED),
    "very long": _styles(b"/*" + b"x" * (5 << 20) + b"*/" + _LOUD.encode()),
    "in a coding nobody knows": _styles(_LOUD.encode(), "text/css", ("Content-Encoding", "x-plain")),
    "of another type": _styles(_LOUD.encode(), "text/plain"),
    "of no type": Answer(_LOUD.encode()),
}


def answer(seen: Seen) -> Answer:
    kind, _, number = seen.path.removeprefix("/").partition("/")
    match kind:
        case "page":
            slots = "\n".join(f'<mf-slot name="{name}"></mf-slot>' for name in number.split("+"))
            return html(SHELL.replace("SLOTS", slots))
        case "inline":
            return html(f"<style>{SHEET}</style>{MARKUP}".replace("NN", number))
        case "linked":
            return html(f"<link rel=stylesheet href=/sheet/{number}>{MARKUP.replace('NN', number)}")
        case "outbreak":
            return html(f"<link rel=stylesheet href=/break/{number}>{MARKUP.replace('NN', '21')}")
        case "break":
            return list(OUTBREAKS.values())[int(number)]
        case "quirks":
            return html(SHELL.removeprefix("<!doctype html>").replace("SLOTS", f'<mf-slot name="{number}"></mf-slot>'))
        case "sheet":
            return Answer(SHEET.replace("NN", number).encode(), headers=CSS)
        case "more.css":
            return Answer(MORE.replace("NN", seen.query.partition("n=")[2][:2]).encode(), headers=CSS)
        case "plain" | "turned" | "tried":
            return html({"plain": PLAIN, "turned": TURNED, "tried": TRIED}[kind])
    return html("not here", status=404)


def manifest(origin: str) -> str:
    fragments = ["plain: { upstream: team, path: /plain }"]
    for isolation in ISOLATIONS:
        for name, path in (("turned", "/turned"), ("tried", "/tried")):
            fragments.append(f"{name}.{isolation}: {{ upstream: team, path: {path}, isolation: {isolation} }}")
        for number in range(len(OUTBREAKS)):
            named = f"outbreak.{isolation}.n{number}"
            fragments.append(f"{named}: {{ upstream: team, path: /outbreak/{number}, isolation: {isolation} }}")
        for brought in ("inline", "linked"):
            for number in (21, 34):
                named = f"{brought}.{isolation}.n{number}"
                fragments.append(f"{named}: {{ upstream: team, path: /{brought}/{number}, isolation: {isolation} }}")
    declared = "\n  ".join(fragments)
    return f"""\
team: team
upstreams:
  team: {{ origins: ["{origin}"], timeout: 5s }}
mounts:
  /: {{ upstream: team, composes: true }}
fragments:
  {declared}
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving(answer) as origin:
        yield origin


@pytest.fixture(scope="module")
def portal(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with gateway_for(tmp_path_factory.mktemp("isolation"), {"team": manifest(origin.url)}) as portal:
        yield portal


@pytest.fixture
def tab(browser: Browser, portal: Portal) -> Iterator[Page]:
    page = browser.new_page(base_url=portal.url)
    yield page
    page.close()


Measured = dict[str, dict[str, dict[str, str]]]  # whose, which element, which property

_MEASURE = """() => {
    const properties = ["color", "backgroundColor", "paddingTop", "paddingLeft", "marginTop", "fontSize", "outline",
        "letterSpacing", "textIndent", "borderLeftWidth", "wordSpacing", "textUnderlineOffset", "tabSize", "opacity"];
    const measured = element => {
        const style = getComputedStyle(element);
        const told = Object.fromEntries(properties.map(name => [name, style[name]]));
        return {...told, tone: style.getPropertyValue("--tone").trim()};
    };
    const found = {};
    const look = root => {
        for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot) look(element.shadowRoot);
            if (!element.dataset.who) continue;
            const own = found[element.dataset.who] = {};
            for (const each of element.children) own[each.className || each.id || each.localName] = measured(each);
        }
    };
    look(document);
    found.root = {html: measured(document.documentElement), body: measured(document.body)};
    return found;
}"""


def measured(tab: Page, *names: str) -> Measured:
    """The page with these fragments; what frames hold comes to what the page holds."""
    tab.goto(f"/page/{'+'.join(names)}", wait_until="load")
    found: Measured = {}
    for frame in tab.frames[1:] + tab.frames[:1]:
        found |= frame.evaluate(_MEASURE)
    return found


def framed(tab: Page) -> list[Frame]:
    return tab.frames[1:]


def others(found: Measured) -> Measured:
    return {whose: found[whose] for whose in ("shell", "footer", "plain", "root")}


# ---- Sheets ---------------------------------------------------------------------------------------------------------


@BROUGHT
@FENCED
def test_colliding_sheets_leave_the_page_and_other_pieces_alone(tab: Page, isolation: str, brought: str) -> None:
    alone = measured(tab, "plain")
    together = measured(tab, f"{brought}.{isolation}.n21", "plain", f"{brought}.{isolation}.n34")
    assert others(together) == others(alone)


@BROUGHT
def test_without_isolation_they_do_not(tab: Page, brought: str) -> None:
    alone = measured(tab, "plain")
    together = measured(tab, f"{brought}.none.n21", "plain", f"{brought}.none.n34")
    for whose in ("shell", "footer", "plain", "root"):
        assert together[whose] != alone[whose]
    assert together["21"]["card"]["color"] == "rgb(34, 34, 34)"


@BROUGHT
@FENCED
@pytest.mark.parametrize("number", ["21", "34"])
def test_its_own_styles_hold_in_the_piece(tab: Page, isolation: str, brought: str, number: str) -> None:
    found = measured(tab, f"{brought}.{isolation}.n21", "plain", f"{brought}.{isolation}.n34")[number]
    pixels, colour = f"{number}px", f"rgb({number}, {number}, {number})"
    card = {
        "color": colour,
        "paddingTop": pixels,
        "fontSize": pixels,  # :root
        "letterSpacing": pixels,  # html
        "tabSize": number,  # body, imported
        "tone": number,  # a custom property
        "textIndent": pixels,
        "borderLeftWidth": pixels,  # @media
        "wordSpacing": pixels,  # @layer
        "textUnderlineOffset": pixels,  # @import
        "opacity": "0.5",  # @keyframes
    }
    assert {name: found["card"][name] for name in card} == card
    assert found["h2"]["color"] == colour and found["h2"]["paddingTop"] == pixels
    assert found["same"]["outline"] == f"{colour} solid {pixels}"


@BROUGHT
@FENCED
def test_its_fonts_are_known_where_it_stands(tab: Page, isolation: str, brought: str) -> None:
    measured(tab, f"{brought}.{isolation}.n21")
    where = framed(tab)[0] if isolation == "iframe" else tab.main_frame
    assert "Face 21" in where.evaluate('() => [...document.fonts].map(face => face.family.replaceAll(\'"\', ""))')


@FENCED
def test_key_frames_of_the_same_name_are_two(tab: Page, isolation: str) -> None:
    found = measured(tab, f"turned.{isolation}", "plain")
    assert found["shell"]["turning"]["opacity"] == found["plain"]["turning"]["opacity"] == "0.25"


@pytest.mark.parametrize("isolation", ["scope", "shadow"])
@pytest.mark.parametrize("sheet", OUTBREAKS)
def test_no_sheet_gets_out_of_where_it_belongs(tab: Page, isolation: str, sheet: str) -> None:
    number = list(OUTBREAKS).index(sheet)
    for mode in ("page", "quirks"):  # in which a browser applies a sheet of any type
        tab.goto(f"/{mode}/outbreak.{isolation}.n{number}", wait_until="load")
        found: Measured = tab.evaluate(_MEASURE)
        assert {each["color"] for each in found["shell"].values()} <= {"rgb(1, 1, 1)", "rgb(0, 0, 0)"}


def test_but_they_would(tab: Page) -> None:
    """Where nothing keeps them, those that are well-formed mean the page."""
    got_out = set()
    for number, sheet in enumerate(OUTBREAKS):
        tab.goto(f"/quirks/outbreak.none.n{number}", wait_until="load")
        if tab.evaluate(_MEASURE)["shell"]["card"]["color"] == "rgb(9, 9, 9)":
            got_out.add(sheet)
    assert got_out >= {
        "an escaped end of a line",
        "very long",
        "in UTF-16 by its mark",
        "of another type",
        "of no type",
    }


# ---- Scripts and frames ---------------------------------------------------------------------------------------------


def test_scripts_in_a_frame_reach_neither_cookies_nor_the_page(tab: Page, portal: Portal) -> None:
    tab.context.add_cookies([{"name": "session", "value": "secret", "url": portal.url}])
    tab.goto("/page/tried.iframe+inline.iframe.n21", wait_until="load")
    assert tab.evaluate("document.cookie") == "session=secret"
    assert told(framed(tab)[0]) == {
        "cookie": "SecurityError",
        "page": "SecurityError",
        "storage": "SecurityError",
        "address": "SecurityError",
        "navigate": "SecurityError",
        "sibling": "SecurityError",
        "origin": "null",
    }


@pytest.mark.parametrize("isolation", ["none", "scope"])
def test_in_the_page_they_do(tab: Page, portal: Portal, isolation: str) -> None:
    tab.context.add_cookies([{"name": "session", "value": "secret", "url": portal.url}])
    tab.goto(f"/page/tried.{isolation}", wait_until="load")
    said = told(tab.main_frame)
    assert said["cookie"] == "reached session=secret" and said["page"] == "reached Shell"


def told(frame: Frame) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(frame.locator("#said").inner_text())
    return said


def test_a_frame_grows_and_shrinks_with_its_content(tab: Page) -> None:
    tab.goto("/page/tried.iframe", wait_until="load")
    height = "() => document.querySelector('iframe').clientHeight"
    tab.wait_for_function(f"({height})() >= 900")
    framed(tab)[0].evaluate("document.getElementById('box').style.height = '1500px'")
    tab.wait_for_function(f"({height})() >= 1500")
    framed(tab)[0].evaluate("document.getElementById('box').style.height = '300px'")
    tab.wait_for_function(f"({height})() < 900")
    assert tab.evaluate(height) >= 300


def test_and_has_a_height_without_scripting(browser: Browser, portal: Portal) -> None:
    tab = browser.new_page(base_url=portal.url, java_script_enabled=False)
    tab.goto("/page/tried.iframe", wait_until="load")
    box = tab.locator("iframe").bounding_box()
    assert box is not None and box["height"] >= 100
    tab.close()


def test_another_frame_cannot_set_its_height(tab: Page) -> None:
    tab.goto("/page/tried.iframe+inline.iframe.n21", wait_until="load")
    tab.wait_for_function("() => document.querySelector('iframe').clientHeight >= 900")
    first, second = (tab.locator("mf-slot").nth(at).get_attribute("data-mf-slot") for at in (0, 1))
    assert first and second
    framed(tab)[1].evaluate("mark => parent.postMessage({mf: mark, height: 5}, '*')", first)
    framed(tab)[1].evaluate("mark => parent.postMessage({mf: mark, height: 777}, '*')", second)
    tab.wait_for_function("() => document.querySelectorAll('iframe')[1].clientHeight === 777")
    assert tab.evaluate("() => document.querySelector('iframe').clientHeight") >= 900
