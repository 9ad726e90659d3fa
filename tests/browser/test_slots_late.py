"""Late pieces in Chromium: the page is the same where the browser patches them in, and where the runtime has to.

A browser that cannot patch at all is twice the same one here, and what is asserted of it is what an older one does.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.abilities import patches
from tests.browser.slots_site import RUNS, Chunks, Visit, visiting, without_patching

NATIVE, SCRIPTED = "native", "scripted"


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    with without_patching(browser) as other:
        yield {NATIVE: browser.new_context(), SCRIPTED: other.new_context()}


@pytest.fixture(params=[NATIVE, SCRIPTED])
def visit(contexts: dict[str, BrowserContext], request: pytest.FixtureRequest) -> Iterator[Visit]:
    with visiting(contexts[request.param]) as visit:
        yield visit


@pytest.fixture
def scripted(contexts: dict[str, BrowserContext]) -> Iterator[Visit]:
    with visiting(contexts[SCRIPTED]) as visit:
        yield visit


# Instructions are nodes of their own kind to one browser, and comments to another.
SHOWN = """() => {
  const read = (node) => [...node.childNodes].map(one).join("")
  const one = (node) => {
    const said = (node.target ? `?${node.target} ` : "") + node.data
    if (node.nodeType === 3) return said.trim()
    if (node.nodeType !== 1) return `<${/^[?]?[^\\s?]*/.exec(said)}>`
    const inside = (node.shadowRoot ? `#(${read(node.shadowRoot)})` : "") + read(node)
    return `<${node.localName}${node.className && "." + node.className}>${inside}</>`
  }
  return read(document.querySelector("main"))
}"""


def waiting(mark: str, fallback: str = "<p>fallback</p>") -> str:
    return f'<?start name="mf-{mark}"?><mf-slot name="x" data-mf-slot="{mark}">{fallback}</mf-slot><?end?>'


def patch(mark: str, inside: str, name: str = "mf-slot", more: str = "") -> str:
    return unwrapped(mark, f'<{name} name="x" data-mf-slot="{mark}"{more}>{inside}</{name}>')


def unwrapped(mark: str, inside: str) -> str:
    return f'<template for="mf-{mark}" data-mf-late="{mark}">{inside}</template>\n'


def between(inside: str) -> str:
    return f'<!--mf:a--><?start name="mf-a"?>{inside}<?end?><!--/mf:a-->'


@pytest.mark.parametrize(
    ("body", "after", "shown"),
    [
        pytest.param(waiting("a"), patch("a", "<b>A</b>"), "<mf-slot><b>A</></>", id="one"),
        pytest.param(
            waiting("a") + "<hr>" + waiting("b"),
            patch("b", "B") + patch("a", "A"),
            "<mf-slot>A</><hr></><mf-slot>B</>",
            id="two, in the order in which they came",
        ),
        pytest.param(
            f"<p>x {waiting('a', 'F')} y</p>",
            patch("a", "<b>A</b>", more=' class="c"'),
            "<p>x<mf-slot.c><b>A</></>y</>",
            id="in a paragraph, with the wrapper of the piece",
        ),
        pytest.param(waiting("a"), patch("a", "<li>A", "section"), "<section><li>A</></>", id="in a section"),
        pytest.param(
            waiting("a"),
            patch("a", '<template shadowrootmode="open"><style></style><i>A</i></template>'),
            "<mf-slot>#(<style></><i>A</>)</>",
            id="in a shadow root",
        ),
        pytest.param(
            f"<table><tbody><tr><td>1</td></tr>{between('<tr><td>wait</td></tr>')}<tr><td>3</td></tr></table>",
            unwrapped("a", "<tr><td>2</td></tr>"),
            "<table><tbody><tr><td>1</></><mf:a><tr><td>2</></></mf:a><tr><td>3</></></></>",
            id="a row among rows",
        ),
        pytest.param(
            f"<table>{between('<tbody><tr><td>wait</td></tr></tbody>')}<tr><td>3</td></tr></table>",
            unwrapped("a", "<tbody><tr><td>2</td></tr></tbody>"),
            "<table><mf:a><tbody><tr><td>2</></></></mf:a><tbody><tr><td>3</></></></>",
            id="the body of a table",
        ),
        pytest.param(waiting("a"), patch("a", ""), "<mf-slot></>", id="a piece that is empty"),
        pytest.param(waiting("a", "F"), "", "<?start><mf-slot>F</><?end>", id="a piece that never came"),
        pytest.param(waiting("a", "F"), patch("z", "Z"), "<?start><mf-slot>F</><?end>", id="a piece of no slot"),
        pytest.param(
            waiting("a", "F"),
            patch("a", "A") + patch("a", "again"),
            "<mf-slot>A</>",
            id="a second piece of the same slot",
        ),
        pytest.param(
            waiting("a", '<div><a target="end">F</a></div>'),
            patch("a", "A"),
            "<mf-slot>A</>",
            id="a fallback that looks like a mark",
        ),
    ],
)
def test_piece_takes_the_place_of_its_slot(visit: Visit, body: str, after: str, shown: str) -> None:
    visit.open(f"<main>{body}</main>{after}")
    assert visit.run(SHOWN) == shown
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("inside", "ran"),
    [
        pytest.param(f"<script>{RUNS}(1)</script>", [1], id="one"),
        pytest.param(f"<script>{RUNS}(1)</script><script>{RUNS}(2)</script>", [1, 2], id="two in order"),
        pytest.param(
            f'<script src="/slow.js"></script><script>{RUNS}(2)</script>', ["slow", 2], id="one that waits for a file"
        ),
        pytest.param(
            f'<script nomodule src="/never.js"></script><script>{RUNS}(2)</script>', [2], id="one for old browsers"
        ),
        pytest.param(f'<script type="application/json">{{}}</script><script>{RUNS}(2)</script>', [2], id="data"),
        pytest.param(
            f'<template shadowrootmode="open"><script>{RUNS}(1)</script></template>', [1], id="in a shadow root"
        ),
        pytest.param(f"<template><script>{RUNS}(1)</script></template><script>{RUNS}(2)</script>", [2], id="inert"),
    ],
)
def test_scripts_of_a_piece_run_once_and_in_order(visit: Visit, inside: str, ran: list[object]) -> None:
    visit.site.files["/slow.js"] = f"{RUNS}('slow')"
    visit.site.slow["/slow.js"] = 0.15
    visit.open(f"<main>{waiting('a')}</main>{patch('a', inside)}")
    visit.until(f"window.ran?.length >= {len(ran)}")
    assert visit.run("window.ran") == ran
    assert visit.complaints == []


@pytest.mark.parametrize(("nonce", "ran"), [(' nonce="abc"', ["late"]), ("", None), (' nonce="other"', None)])
def test_scripts_run_only_with_the_nonce_of_a_policy_that_asks_for_one(
    visit: Visit, nonce: str, ran: list[str] | None
) -> None:
    """What only looks like a late piece, because the page writes whatever it is told, has none."""
    visit.site.nonce, visit.site.fields = "abc", [("Content-Security-Policy", "script-src 'nonce-abc'")]
    piece = patch("a", f"<script{nonce}>{RUNS}('late')</script><b>A</b>")
    visit.open(f"<main>{waiting('a')}</main>{piece}")
    visit.until("document.querySelector('main b')")
    visit.page.wait_for_timeout(50)
    assert visit.run("window.ran") == ran


def stream(visit: Visit, body: str, *more: str | float) -> Chunks:
    return [visit.site.page(body).removesuffix("</body></html>"), *more, "</body></html>"]


def test_piece_is_shown_before_the_page_has_ended(visit: Visit) -> None:
    body = f"<main>{waiting('a')}{waiting('b')}</main>"
    visit.open(stream(visit, body, 0.2, patch("b", "B"), 2.0, patch("a", "A")), ends=False)
    visit.until("document.querySelector('main').textContent.includes('B')")
    assert visit.run("document.readyState") == "loading"
    assert visit.text("main") == "fallbackB"
    visit.until("document.readyState === 'complete'")
    assert visit.text("main") == "AB"


def test_piece_that_is_still_arriving_is_not_torn(scripted: Visit) -> None:
    late = patch("a", "<p>one</p><p>two</p>")
    cut = late.index("<p>two")
    scripted.open(stream(scripted, f"<main>{waiting('a')}</main>", late[:cut], 0.4, late[cut:], 1.0), ends=False)
    scripted.until("document.querySelector('template')?.content.querySelector('p')")
    assert scripted.text("main") == "fallback"
    scripted.until("document.querySelector('main').textContent.includes('one')")
    assert scripted.text("main") == "onetwo"


def test_sheet_of_a_piece_is_there_before_it(scripted: Visit) -> None:
    scripted.site.files["/late.css"] = "b { color: rgb(1, 2, 3) }"
    scripted.site.slow["/late.css"] = 0.3
    noted = f"{RUNS}(getComputedStyle(document.querySelector('b')).color)"
    sheet = '<link rel="stylesheet" href="/late.css">'
    piece = patch("a", f"<b>A</b><script>{noted}</script>").replace("<mf-slot", f"{sheet}<mf-slot")
    scripted.open(f"<main>{waiting('a')}</main>{piece}")
    scripted.until("window.ran")
    assert scripted.run("window.ran") == ["rgb(1, 2, 3)"]


@pytest.mark.parametrize(
    "shell",
    [
        "<main>SLOT</main><p>never closed LATE",
        "<main>SLOT</main><div><b>never closed LATE",
        "<main>SLOT</main><table><tr><td>never closed LATE",
    ],
    ids=["paragraph", "division", "table"],
)
def test_piece_that_the_browser_does_not_match_is_put_in_by_the_runtime(visit: Visit, shell: str) -> None:
    visit.open(shell.replace("SLOT", waiting("a")).replace("LATE", patch("a", "A")))
    visit.until("document.querySelector('main').textContent === 'A'")


def test_range_without_an_end_among_its_siblings_is_left_alone(scripted: Visit) -> None:
    scripted.open('<main><?start name="mf-a"?><b>F<?end?></b>shell</main>' + patch("a", "A"))
    assert scripted.text("main") == "Fshell"


def test_without_scripting_the_browser_patches_and_an_older_one_keeps_the_fallback(
    browser: Browser, contexts: dict[str, BrowserContext]
) -> None:
    seen = {}
    for name, context in contexts.items():
        assert context.browser
        plain = context.browser.new_context(java_script_enabled=False)
        with visiting(plain) as visit:
            visit.open(f"<main>{waiting('a')}</main>{patch('a', 'A')}")
            seen[name] = visit.page.inner_text("main")
        plain.close()
    assert seen == {NATIVE: "A" if patches(browser) else "fallback", SCRIPTED: "fallback"}
