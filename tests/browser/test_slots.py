"""The slots runtime in Chromium: lazy pieces, errors, strict policies, and what it leaves on a page: nothing."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from fragments.urls import Place
from gateway.browser.scripts import SLOTS, tag
from tests.browser.slots_site import ERRORS, MODULE, RUNS, Site, Visit, lazy, module, visiting

FAR = '<div style="height: 4000px"></div>'


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 800, "height": 600})
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Visit]:
    with visiting(context) as visit:
        yield visit


# ---- Lazy pieces ----------------------------------------------------------------------------------------------------


def test_lazy_piece_is_asked_for_when_its_slot_comes_near(visit: Visit) -> None:
    visit.site.fragment("/-/fragment/x?a=1", "<b>piece</b>")
    visit.open(FAR + lazy() + FAR)
    visit.page.wait_for_timeout(150)
    assert not visit.site.asked("/-/fragment/x?a=1")
    assert visit.text("mf-slot p") == "wait"
    visit.run("scrollTo(0, 3200)")  # its top is 200 pixels below the fold
    visit.until("document.querySelector('mf-slot b')")
    assert visit.text("mf-slot") == "piece"
    assert visit.run("document.querySelectorAll('[data-mf-lazy], [aria-busy]').length") == 0
    assert visit.site.asked("/-/fragment/x?a=1") == 1
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("fallback", "style"),
    [
        pytest.param("", "", id="nothing in it"),
        pytest.param("<p>wait</p>", "mf-slot { display: contents }", id="no box of its own"),
        pytest.param("", "mf-slot { display: contents }", id="neither"),
        pytest.param("<p>wait</p>", "mf-slot { display: block; height: 0; overflow: hidden }", id="no height"),
    ],
)
def test_lazy_slot_is_seen_however_it_is_laid_out(visit: Visit, fallback: str, style: str) -> None:
    visit.site.fragment("/-/fragment/x?a=1", "<b>piece</b>")
    visit.open(lazy(fallback=fallback), head=f"<style>{style}</style>")
    visit.until("document.querySelector('mf-slot b')")


def test_lazy_slot_that_is_hidden_is_left_alone_until_it_is_shown(visit: Visit) -> None:
    visit.site.fragment("/-/fragment/x?a=1", "<b>piece</b>")
    visit.open(f"<div hidden>{lazy()}</div>")
    visit.page.wait_for_timeout(150)
    assert not visit.site.asked("/-/fragment/x?a=1")
    visit.run("document.querySelector('div').hidden = false")
    visit.until("document.querySelector('mf-slot b')")


def test_place_keeps_its_own_attributes_and_its_mark(visit: Visit) -> None:
    visit.site.fragment("/-/fragment/x?a=1", "<b>piece</b>", **{"class": "dark", "lang": "de"})
    visit.open(lazy(more=' id="deals" class="wide" style="color: red"'))
    visit.until("document.querySelector('mf-slot b')")
    read = "(({id, className, lang, style, dataset}) => [id, className, lang, style.color, dataset.mfSlot])"
    assert visit.run(f"{read}(document.querySelector('mf-slot'))") == ["deals", "dark wide", "de", "red", "7"]


def test_sheets_are_there_before_the_piece_and_each_once(visit: Visit) -> None:
    site = visit.site
    site.files |= {"/a.css": "b { color: rgb(1, 2, 3) }", "/slow.css": "b { top: 7px }"}
    site.slow["/slow.css"] = 0.3
    head = '<link rel="stylesheet" href="/a.css"><link rel="stylesheet" href="/slow.css"><style>b { left: 5px }</style>'
    noted = "(({color, top, left}) => window.noted = [color, top, left])(getComputedStyle(document.querySelector('b')))"
    site.fragment("/-/fragment/x?a=1", f"<b>piece</b><script>{noted}</script>", head)
    site.fragment("/-/fragment/x?a=2", "<i>other</i>", head)
    visit.open(lazy() + lazy("/-/fragment/x?a=2"), head='<link rel="stylesheet" href="/a.css">')
    visit.until("window.noted && document.querySelector('i')")
    assert visit.run("window.noted") == ["rgb(1, 2, 3)", "7px", "5px"]
    assert visit.run("document.querySelectorAll('link[rel=stylesheet]').length") == 2
    assert visit.run("document.querySelectorAll('style').length") == 1
    assert (site.asked("/a.css"), site.asked("/slow.css")) == (1, 1)


def test_sheet_that_does_not_come_does_not_hold_the_piece_for_ever(visit: Visit) -> None:
    visit.site.files["/never.css"] = ""
    visit.site.slow["/never.css"] = 4.5
    visit.site.fragment("/-/fragment/x?a=1", "<b>piece</b>", '<link rel="stylesheet" href="/never.css">')
    visit.page.clock.install()
    visit.open(lazy())
    for _ in range(100):
        if visit.site.asked("/never.css"):
            break
        visit.page.wait_for_timeout(20)
    assert visit.text("mf-slot p") == "wait"
    visit.page.clock.fast_forward(3100)
    visit.until("document.querySelector('mf-slot b')")


def test_scripts_of_a_lazy_piece_run_once_in_order_and_modules_after_them(visit: Visit) -> None:
    site = visit.site
    site.files |= {"/slow.js": f"{RUNS}('slow')", "/module.js": f"{RUNS}('module ' + !!document.querySelector('b'))"}
    site.slow["/slow.js"] = 0.15
    inside = (
        f'<script>{RUNS}(1)</script><b></b><script src="/slow.js"></script><script>{RUNS}(2)</script>'
        f'<noscript><script>{RUNS}("never")</script></noscript><template><script>{RUNS}("never")</script></template>'
        f'<div><template shadowrootmode="open"><script>{RUNS}("shadow")</script></template></div>'
    )
    head = '<script type="module" src="/module.js"></script>'
    site.fragment("/-/fragment/x?a=1", inside, head)
    site.fragment("/-/fragment/x?a=2", "<u>other</u>", head)
    visit.open(lazy())
    visit.until("window.ran?.length >= 5")
    ran = visit.run("window.ran")
    assert isinstance(ran, list)
    assert [each for each in ran if each != "module true"] == [1, "slow", 2, "shadow"]
    assert "module true" in ran
    visit.run(f"document.body.insertAdjacentHTML('beforeend', {lazy('/-/fragment/x?a=2')!r})")
    visit.until("document.querySelector('u')")
    assert visit.run("window.ran.length") == 5
    assert visit.complaints == []


def test_shadow_root_of_a_lazy_piece_is_attached(visit: Visit) -> None:
    visit.site.fragment("/-/fragment/x?a=1", '<template shadowrootmode="open"><b>in the shade</b></template>')
    visit.open(lazy())
    visit.until("document.querySelector('mf-slot').shadowRoot")
    assert visit.run("document.querySelector('mf-slot').shadowRoot.innerHTML") == "<b>in the shade</b>"


def test_shadow_root_is_attached_by_hand_where_the_parser_does_not(visit: Visit) -> None:
    nested = '<div><template shadowrootmode="open"><u>deep</u></template></div><i><template shadowrootmode="open"></i>'
    visit.site.fragment("/-/fragment/x?a=1", f'<template shadowrootmode="open"><b>shade</b>{nested}</template>')
    visit.page.add_init_script("delete Element.prototype.setHTMLUnsafe")
    visit.open(lazy())
    visit.until("document.querySelector('mf-slot').shadowRoot?.querySelector('div').shadowRoot")
    assert visit.run("document.querySelector('mf-slot').shadowRoot.innerHTML") == (
        '<b>shade</b><div></div><i><template shadowrootmode="open"></template></i>'
    )


def test_lazy_slot_in_a_lazy_piece_is_filled(visit: Visit) -> None:
    visit.site.fragment("/-/fragment/x?a=1", "<b>outer</b>" + lazy("/-/fragment/y", mark="0-1"))
    visit.site.fragment("/-/fragment/y", "<i>inner</i>")
    visit.open(lazy())
    visit.until("document.querySelector('mf-slot mf-slot i')")
    assert visit.text("mf-slot") == "outerinner"


@pytest.mark.parametrize("answer", ["status", "no slot", "nobody"])
def test_piece_that_does_not_come_leaves_the_fallback_and_says_so(visit: Visit, answer: str) -> None:
    if answer == "no slot":
        visit.site.pages["/-/fragment/x?a=1"] = "<!doctype html><p>somebody else's page"
    if answer == "nobody":
        visit.page.route("**/-/fragment/**", lambda route: route.abort())
    visit.open(lazy(), head=ERRORS)
    visit.until("window.errors")
    assert visit.text("mf-slot p") == "wait"
    assert visit.run("window.errors.map(([where, {name}]) => [where, name])") == [["mf-slot", "x"]]
    said = "Failed to fetch" if answer == "nobody" else r"/-/fragment/x\?a=1: (404|200)"
    assert re.search(said, str(visit.run("window.errors[0][1].message")))
    assert visit.run("document.querySelectorAll('[aria-busy]').length") == 0
    assert visit.complaints


def test_page_may_take_an_error_upon_itself(visit: Visit) -> None:
    visit.open(lazy(), head=ERRORS.replace("=> (", "=> (event.preventDefault(), "))
    visit.until("window.errors")
    assert [each for each in visit.complaints if "404 (Not Found)" not in each] == []


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("//other.test/-/fragment/x", id="another host"),
        pytest.param("http://other.test/-/fragment/x", id="in full"),
        pytest.param("/hotels/page", id="no fragment"),
        pytest.param("/-/fragment/../../hotels/page", id="a way out"),
        pytest.param("/-/fragment/%2e%2e/%2e%2e/hotels/page", id="a way out in other words"),
        pytest.param("data:text/html,<mf-slot data-mf-slot>", id="no address of ours"),
    ],
)
def test_mark_that_names_what_is_no_fragment_of_the_portal_fetches_nothing(visit: Visit, address: str) -> None:
    """A page that writes whatever it is told may hold the mark of somebody else."""
    visit.site.fragment("/hotels/page", f"<b>evil</b><script>{RUNS}('evil')</script>")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.open(lazy(address).partition("<noscript>")[0], head=ERRORS)
    visit.until("window.errors")
    assert visit.text("mf-slot p") == "wait"
    assert visit.run("window.errors[0][1].message") == f"TypeError: {address}"
    assert {url.removeprefix(visit.site.origin.url) for url in asked} <= {"/page", SLOTS.path.decode(), "data:,"}


def test_fragment_that_leads_elsewhere_is_not_followed(visit: Visit) -> None:
    visit.site.moved["/-/fragment/x?a=1"] = "/hotels/page"
    visit.site.fragment("/hotels/page", "<b>evil</b>")
    visit.open(lazy(), head=ERRORS)
    visit.until("window.errors")
    assert visit.text("mf-slot p") == "wait"
    assert not visit.site.asked("/hotels/page")


@pytest.mark.parametrize("address", ["http://other.test/app.js", "//other.test/app.js", "data:text/javascript,ran=1"])
def test_mark_that_names_a_module_of_another_origin_imports_nothing(visit: Visit, address: str) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.open(module("<b>server</b>", address), head=ERRORS)
    visit.until("window.errors")
    assert visit.text("mf-slot") == "server"
    assert visit.run("window.errors[0][1].message") == f"TypeError: {address}"
    assert [url for url in asked if "other.test" in url] == []
    assert visit.run("window.ran") is None


# ---- The runtime itself ---------------------------------------------------------------------------------------------


def test_loaded_twice_is_loaded_once(visit: Visit) -> None:
    visit.site.files |= {"/hotels/app.js": MODULE, "/again.js": SLOTS.body.decode()}
    visit.site.fragment("/-/fragment/x?a=1", "<b>piece</b>", visit.site.tag)
    visit.open(lazy() + module(), head='<script type="module" src="/again.js" data-mf-runtime></script>')
    visit.until("window.notes && document.querySelector('b')")
    visit.page.wait_for_timeout(50)
    assert visit.run("window.notes.length") == 1
    assert visit.site.asked("/-/fragment/x?a=1") == 1


def test_runtime_of_a_page_below_a_prefix_leaves_pieces_alone(visit: Visit) -> None:
    site = visit.site
    site.files |= {"/hotels/app.js": MODULE, "/hotels/a.js": f"{RUNS}('file')", "/hotels/a.css": "b { top: 7px }"}
    site.files["/hotels/m.js"] = f"{RUNS}('module')"
    more = {"data-mf-module": "/hotels/app.js", "data-mf-base": "/hotels/"}
    head = '<link rel="stylesheet" href="/hotels/a.css"><script type="module" src="/hotels/m.js"></script>'
    site.fragment("/-/fragment/x?a=1", '<b>piece</b><script src="/hotels/a.js"></script>', head, **more)
    mounted = tag(Place("/shop", tag="1a2b3c4d"), "none", None).decode()
    visit.open([site.page(lazy()).replace(site.tag, mounted + site.tag)], path="/shop/page")
    visit.until("window.notes && window.ran?.length === 2")
    assert visit.run("getComputedStyle(document.querySelector('b')).top") == "7px"
    assert not [target for target in site.origin.targets if target.startswith("/shop/") and target != "/shop/page"]
    assert visit.complaints == []


def test_nothing_is_left_on_the_window(visit: Visit) -> None:
    visit.site.files["/before.js"] = "window.before = new Set(Reflect.ownKeys(window))"
    visit.open("", head='<script src="/before.js"></script>')
    visit.until("window[Symbol.for('mf-slots')]")
    left = "Reflect.ownKeys(window).filter((key) => !window.before.has(key)).map(String)"
    assert set(visit.run(left)) - {"before"} <= {"Symbol(mf-slots)"}  # type: ignore[call-overload]


def test_plain_scripts_are_told_when_it_is_there(visit: Visit) -> None:
    visit.open(
        "", head="<script>addEventListener('mf:ready', () => window.told = window[Symbol.for('mf-slots')])</script>"
    )
    visit.until("window.told?.bus")


# ---- Strict policies ------------------------------------------------------------------------------------------------

STRICT = "default-src 'none'; script-src 'nonce-abc'; style-src 'nonce-abc'; connect-src 'self'; img-src data:"
TRUSTED = "; require-trusted-types-for 'script'"


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(STRICT, id="nonces"),
        pytest.param(STRICT.replace("script-src", "script-src 'strict-dynamic'"), id="strict-dynamic"),
        pytest.param(STRICT + TRUSTED, id="trusted types"),
        pytest.param(f"{STRICT}{TRUSTED}; trusted-types mf-slots", id="trusted types, this policy alone"),
    ],
)
def test_everything_works_under_a_strict_policy(context: BrowserContext, policy: str) -> None:
    site = Site(nonce="abc", fields=[("Content-Security-Policy", policy)])
    site.files |= {
        "/hotels/app.js": MODULE,
        "/a.js": f"{RUNS}('file')",
        "/a.css": "b { top: 7px }",
        "/m.js": f"{RUNS}('m')",
    }
    own = 'nonce="other"'
    inside = (
        f'<b>piece</b><script {own}>{RUNS}("inline")</script><script {own} src="/a.js"></script>'
        f'<div><template shadowrootmode="open"><style {own}>u {{ top: 9px }}</style><u>shade</u></template></div>'
    )
    head = (
        f'<link {own} rel="stylesheet" href="/a.css"><style {own}>b {{ left: 5px }}</style>'
        f'<script {own} type="module" src="/m.js"></script>'
    )
    more = {"data-mf-module": "/hotels/app.js", "data-mf-base": "/hotels/"}
    site.fragment("/-/fragment/x?a=1", inside, head, **more)
    with visiting(context, site) as visit:
        visit.open(lazy())
        visit.until("window.notes && window.ran?.length === 3")
        read = "({top, left}) => [top, left]"
        assert visit.run(f"({read})(getComputedStyle(document.querySelector('b')))") == ["7px", "5px"]
        shade = "document.querySelector('div').shadowRoot.querySelector('u')"
        assert visit.run(f"getComputedStyle({shade}).top") == "9px"
        assert visit.complaints == []


def test_policy_that_forbids_ours_leaves_the_fallback(context: BrowserContext) -> None:
    site = Site(nonce="abc", fields=[("Content-Security-Policy", f"{STRICT}{TRUSTED}; trusted-types 'none'")])
    site.fragment("/-/fragment/x?a=1", "<b>piece</b>")
    with visiting(context, site) as visit:
        visit.open(lazy(), head=ERRORS.replace("<script", '<script nonce="abc"'))
        visit.until("window.errors")
        assert visit.text("mf-slot p") == "wait"
