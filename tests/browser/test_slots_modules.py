"""Modules that mount into slots, the bus between them, and frames that grow, in Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.abilities import moves_sheets
from tests.browser.slots_site import ERRORS, HYDRATES, MODULE, RUNS, SHADE, Visit, lazy, module, visiting


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 800, "height": 600})
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Visit]:
    with visiting(context) as visit:
        yield visit


# ---- Modules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "inside", "expected"),
    [
        pytest.param(MODULE, "", ["mount", "mf-slot", "/hotels/", "x", 0], id="an empty slot is mounted"),
        pytest.param(MODULE, "<b></b>", ["mount", "mf-slot", "/hotels/", "x", 1], id="no hydrate"),
        pytest.param(
            HYDRATES, "<b></b>", ["hydrate", "mf-slot", "/hotels/", "x", 1], id="the server's HTML is taken over"
        ),
        pytest.param(HYDRATES, "", ["mount", "mf-slot", "/hotels/", "x", 0], id="nothing to take over"),
        pytest.param(HYDRATES, "text", ["mount", "mf-slot", "/hotels/", "x", 0], id="text is a fallback"),
        pytest.param(
            HYDRATES, SHADE.format(""), ["mount", "shadow", "/hotels/", "x", 1], id="only a sheet in the shade"
        ),
        pytest.param(
            HYDRATES, SHADE.format("<b></b>"), ["hydrate", "shadow", "/hotels/", "x", 2], id="taken over in the shade"
        ),
    ],
)
def test_module_is_mounted_into_its_slot(visit: Visit, source: str, inside: str, expected: list[object]) -> None:
    visit.site.files["/hotels/app.js"] = source
    visit.open(module(inside))
    visit.until("window.notes")
    assert visit.run("window.notes[0]") == expected
    assert visit.complaints == []


def test_sheets_that_came_too_late_for_the_head_are_not_the_modules(visit: Visit, browser: Browser) -> None:
    visit.site.files |= {"/hotels/app.js": HYDRATES, "/a.css": "b { color: rgb(1, 2, 3) }", "/m.js": f"{RUNS}('m')"}
    sheet = '<link rel="stylesheet" href="/a.css"><style></style><script type="module" src="/m.js"></script>'
    island = '<script type="application/json">{}</script>'
    visit.open(module(f"{sheet}{island}<b></b><style></style>"))
    visit.until("window.notes && window.ran")
    assert visit.run("window.notes[0]") == ["hydrate", "mf-slot", "/hotels/", "x", 2]
    visit.until("getComputedStyle(document.querySelector('b')).color === 'rgb(1, 2, 3)'")
    assert visit.run("window.ran") == ["m"]
    assert visit.site.asked("/a.css") == (1 if moves_sheets(browser) else 2)


def test_module_is_unmounted_when_its_slot_is_taken_away_and_mounted_when_it_is_back(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = MODULE
    visit.open(f"<main>{module()}</main><aside></aside>")
    visit.until("window.notes?.length === 1")
    visit.run("document.querySelector('aside').append(window.slot = document.querySelector('mf-slot'))")
    visit.page.wait_for_timeout(50)
    assert visit.run("window.notes.length") == 1  # it was moved
    visit.run("window.slot.remove()")
    visit.until("window.notes.length === 2")
    assert visit.run("window.notes[1]") == "unmount true"
    visit.run("document.querySelector('main').append(window.slot)")
    visit.until("window.notes.length === 3")
    assert visit.run("window.signal.aborted") is False


def test_slot_taken_away_while_its_module_loads_is_never_mounted(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = MODULE + "; window.loaded = true"
    visit.site.slow["/hotels/app.js"] = 0.3
    visit.open(module(), ends=False)
    visit.until("document.readyState === 'complete'")
    visit.run("document.querySelector('mf-slot').remove()")
    visit.until("window.loaded")
    visit.page.wait_for_timeout(50)
    assert visit.run("window.notes") is None


def test_slot_that_is_still_arriving_is_not_taken_over(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = HYDRATES
    page = visit.site.page(module("<b></b><i></i>"))
    cut = page.index("<i>")
    visit.open([page[:cut], 0.4, page[cut:]], ends=False)
    visit.until("document.querySelector('b')")
    visit.page.wait_for_timeout(100)
    assert visit.run("window.notes") is None
    visit.until("window.notes")
    assert visit.run("window.notes[0]") == ["hydrate", "mf-slot", "/hotels/", "x", 2]


def test_slot_is_taken_over_before_the_page_has_ended(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = MODULE
    page = visit.site.page(f"<main>{module()}</main><p>")
    visit.open([page, 3.0], ends=False)
    visit.until("window.notes")
    assert visit.run("document.readyState") == "loading"


def test_module_of_a_late_piece_waits_for_the_whole_piece(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = HYDRATES
    waiting = '<?start name="mf-1"?><mf-slot name="x" data-mf-slot="1">F</mf-slot><?end?>'
    page = visit.site.page(f"<main>{waiting}</main>").removesuffix("</body></html>")
    late = f'<template for="mf-1" data-mf-late="1">{module("<b></b><i></i>")}</template>\n'
    cut = late.index("<i>")
    visit.open([page, late[:cut], 0.4, late[cut:], 1.0], ends=False)
    visit.until("window.notes")
    assert visit.run("window.notes[0]") == ["hydrate", "mf-slot", "/hotels/", "x", 2]


def test_module_of_a_lazy_piece_and_of_one_in_a_shadow_root_are_mounted(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = MODULE
    inner = module(address="/hotels/app.js?inner")
    visit.site.files["/hotels/app.js?inner"] = MODULE
    more = {"data-mf-module": "/hotels/app.js", "data-mf-base": "/hotels/"}
    visit.site.fragment("/-/fragment/x?a=1", SHADE.format(f"<div>{inner}</div>"), **more)
    visit.open(lazy())
    visit.until("window.notes?.length === 2")
    notes = visit.run("window.notes.map(([what, where]) => what + ' ' + where).sort()")
    assert notes == ["mount mf-slot", "mount shadow"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("export const mount = () => { throw Error('no') }", "Error: no", id="mount throws"),
        pytest.param("export const mount = async () => { throw Error('no') }", "Error: no", id="mount rejects"),
        pytest.param("export const nothing = 1", "is not a function", id="there is no mount"),
        pytest.param("syntax error", "SyntaxError", id="no module"),
        pytest.param(None, "Failed to fetch", id="no file"),
    ],
)
def test_module_that_fails_leaves_what_is_there_and_says_so(visit: Visit, source: str | None, message: str) -> None:
    if source is not None:
        visit.site.files["/hotels/app.js"] = source
    visit.open(module("<b>server</b>"), head=ERRORS)
    visit.until("window.errors")
    assert visit.text("mf-slot") == "server"
    assert message in str(visit.run("window.errors[0][1].message"))


def test_navigation_of_a_module_is_relative_to_its_base_and_stays_on_the_web(visit: Visit) -> None:
    visit.site.files["/hotels/app.js"] = MODULE
    visit.site.pages["/hotels/stay?n=3"] = visit.site.page("there")
    visit.open(module())
    visit.until("window.context")
    refused = "try { window.context.navigate('javascript:window.bad = 1') } catch (error) { error.name }"
    assert visit.run(f"(() => {{ {refused.replace('error.name', 'return error.name')} }})()") == "TypeError"
    visit.run("window.context.navigate('stay?n=3')")
    visit.page.wait_for_url("**/hotels/stay?n=3")


# ---- The bus --------------------------------------------------------------------------------------------------------


@pytest.fixture
def bus(visit: Visit) -> Visit:
    visit.site.files["/hotels/app.js"] = MODULE
    visit.open(module())
    visit.until("window.context")
    visit.run("void (bus = context.bus, heard = [], hear = (detail) => heard.push(detail))")
    return visit


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        pytest.param("bus.on('a', hear); bus.emit('a', {n: [1]})", [{"n": [1]}], id="what is said is heard"),
        pytest.param("bus.on('a', hear); bus.emit('b', 1)", [], id="other topics are not"),
        pytest.param("bus.emit('a', 1); bus.on('a', hear)", [], id="what was said before is not"),
        pytest.param("bus.emit('state:a', 1); bus.emit('state:a', 2); bus.on('state:a', hear)", [2], id="a state is"),
        pytest.param("bus.on('state:a', hear); bus.emit('state:a', 1)", [1], id="a state is heard once"),
        pytest.param("bus.on('state:a', hear)", [], id="a state that nobody said is not"),
        pytest.param("const off = bus.on('a', hear); off(); bus.emit('a', 1)", [], id="not after the end"),
        pytest.param(
            "const end = new AbortController(); bus.on('a', hear, {signal: end.signal}); bus.emit('a', 1); end.abort();"
            "bus.emit('a', 2)",
            [1],
            id="not after its signal",
        ),
        pytest.param("bus.on('a', hear); bus.emit('a')", [None], id="nothing is null"),
        pytest.param(
            "bus.on('a', hear); bus.emit('a', {f() {}, e: document.body, n: 1})", [{"e": {}, "n": 1}], id="JSON"
        ),
        pytest.param(
            "const said = {n: 1}; bus.emit('state:a', said); said.n = 2; bus.on('state:a', hear)",
            [{"n": 1}],
            id="a copy",
        ),
        pytest.param(
            "document.addEventListener('mf:a', ({detail}) => hear(detail)); bus.emit('a', 1)",
            [1],
            id="plain scripts hear",
        ),
        pytest.param(
            "bus.on('a', hear); document.dispatchEvent(new CustomEvent('mf:a', {detail: 1}))",
            [1],
            id="plain scripts say",
        ),
        pytest.param(
            "bus.on('a', hear); document.querySelector('mf-slot').dispatchEvent("
            "new CustomEvent('mf:a', {detail: 1, bubbles: true, composed: true}))",
            [1],
            id="elements say",
        ),
        pytest.param(
            "bus.on('state:a', () => {}); document.dispatchEvent(new CustomEvent('mf:state:a', {detail: 1}));"
            "bus.on('state:a', hear)",
            [1],
            id="a state of a plain script is kept once somebody listens",
        ),
        pytest.param(
            "bus.emit('state:a', 1); window[Symbol.for('mf-slots')].bus.on('state:a', hear)", [1], id="without a module"
        ),
    ],
)
def test_bus(bus: Visit, script: str, heard: list[object]) -> None:
    bus.run(f"(() => {{ const {{bus, hear}} = window; {script} }})()")
    assert bus.run("window.heard") == heard
    assert bus.complaints == []


def test_fragment_that_is_gone_hears_nothing(bus: Visit) -> None:
    bus.run("void (bus.on('a', hear), bus.on('a', hear, {signal: new AbortController().signal}))")
    bus.run("document.querySelector('mf-slot').remove()")
    bus.until("window.signal.aborted")
    bus.run("void (window[Symbol.for('mf-slots')].bus.emit('state:a', 1), bus.on('state:a', hear))")
    bus.run("window[Symbol.for('mf-slots')].bus.emit('a', 1)")
    assert bus.run("window.heard") == []


# ---- Frames ---------------------------------------------------------------------------------------------------------

# As fragments/frame.py writes it: told when it changes, and when asked.
GROWS = (
    "<script>const say = () => parent.postMessage({{mf: '1', height: {}}}, '*'); say();"
    "addEventListener('message', ({{data}}) => data.mf && say())</script>"
)


CAME = "<script>addEventListener('message', () => window.came = 1)</script>"


def framed(document: str) -> str:
    frame = f'<iframe sandbox="allow-scripts" srcdoc="{document}"></iframe>'
    return f'<mf-slot name="x" data-mf-slot="1">{frame}</mf-slot>'


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        pytest.param("321", "321px", id="its height"),
        pytest.param("1e9", "20000px", id="never without end"),
        pytest.param("-1", "", id="less than nothing"),
        pytest.param("'1px;position:fixed'", "", id="words"),
    ],
)
def test_frame_is_as_tall_as_it_says(visit: Visit, height: str, expected: str) -> None:
    visit.open(framed(GROWS.format(height)), head=CAME)
    visit.until("window.came && window[Symbol.for('mf-slots')]")
    visit.page.wait_for_timeout(50)
    assert visit.run("document.querySelector('iframe').style.height") == expected


def test_frame_that_was_there_first_is_asked(visit: Visit) -> None:
    page, tag = visit.site.page(framed(GROWS.format("321")), head=CAME), visit.site.tag
    visit.open([page.replace(tag, "").replace("</body>", f'<template id="later">{tag}</template></body>')])
    visit.until("window.came")
    assert visit.run("document.querySelector('iframe').style.height") == ""
    visit.run("document.head.append(document.querySelector('#later').content)")
    visit.until("document.querySelector('iframe').style.height === '321px'")


def test_frame_speaks_for_itself_only(visit: Visit) -> None:
    frames = framed("") + f'<iframe srcdoc="{GROWS.format(99)}"></iframe>'
    visit.open(frames, head=CAME)
    visit.until("window.came && window[Symbol.for('mf-slots')]")
    visit.page.wait_for_timeout(50)
    assert visit.run("[...document.querySelectorAll('iframe')].map((frame) => frame.style.height)") == ["", ""]
