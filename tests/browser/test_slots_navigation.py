"""Soft navigation in Chromium: a link changes the slots that differ; what a visitor can tell is as after a load."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Route

from gateway.browser.scripts import PREFETCH, SOFT, TRANSITIONS
from tests.browser.slots_site import Site, Visit, visiting


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 800, "height": 600})
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Visit]:
    """A portal of three pages that share a shell: one slot is the same on all, one differs."""
    site = Site(soft=True)
    for name in "abc":
        site.pages[f"/{name}"] = shell(site, name)
        site.plan(f"/{name}", f"title {name}", ("0-nav", "/-/fragment/nav"), (f"1-{name}", f"/-/fragment/{name}"))
        site.fragment(f"/-/fragment/{name}", f'<h2>piece {name}</h2><a id="in" href="/c">on</a>')
    with visiting(context, site) as visit:
        visit.page.goto(site.origin.url + "/a")
        visit.run("void (window.stays = 1)")
        yield visit


def shell(site: Site, name: str, more: str = "") -> str:
    links = "".join(f'<a id="{each}" href="/{each}">{each}</a>' for each in "abc")
    nav = f'<mf-slot name="nav" data-mf-slot="0-nav"><nav>{links}</nav></mf-slot>'
    piece = f'<h2>piece {name}</h2><a id="in" href="/c">on</a>'
    main = f'<main><mf-slot name="x" data-mf-slot="1-{name}">{piece}</mf-slot></main>'
    tall = '<div style="height: 4000px"></div><p id="deep">deep</p>'
    return site.page(f"{nav}{main}{more}{tall}", title=f"title {name}")


def shows(visit: Visit, name: str, soft: bool = True) -> None:
    visit.until(f"document.querySelector('main')?.textContent.startsWith('piece {name}')")
    visit.until(f"document.title === 'title {name}'")
    assert str(visit.path).startswith(f"/{name}")
    assert visit.run("window.stays") == (1 if soft else None)
    assert visit.complaints == []


def test_link_changes_the_slots_that_differ_and_no_others(visit: Visit) -> None:
    visit.run("void (window.nav = document.querySelector('nav'))")
    visit.page.click("#b")
    shows(visit, "b")
    assert visit.run("window.nav.isConnected")
    assert visit.site.asked("/-/fragment/b") == 1
    assert not visit.site.asked("/-/fragment/nav")
    assert not visit.site.asked("/b")
    assert visit.run("document.querySelector('main mf-slot').dataset.mfSlot") == "1-b"


def test_place_keeps_what_the_shell_says_of_it_and_nothing_of_the_piece_before(visit: Visit) -> None:
    told = [("0-nav", "/-/fragment/nav"), ("1-b", "/-/fragment/b")]
    visit.site.plan("/b", "title b", *told, kept=[["class", "wide"], ["id", "deals"]])
    visit.site.fragment("/-/fragment/b", "<h2>piece b</h2>", **{"class": "light"})
    visit.run("document.querySelector('main mf-slot').className = 'wide dark'")
    visit.page.click("#b")
    shows(visit, "b")
    assert visit.run("(({className, id}) => [className, id])(document.querySelector('main mf-slot'))") == [
        "light wide",
        "deals",
    ]


def test_history_goes_back_and_forth(visit: Visit) -> None:
    visit.page.click("#b")
    shows(visit, "b")
    visit.page.click("#c")
    shows(visit, "c")
    visit.page.go_back(wait_until="commit")
    shows(visit, "b")
    visit.run("history.go(-1)")
    shows(visit, "a")
    visit.run("history.go(2)")
    shows(visit, "c")
    assert visit.run("history.length") == 4  # the blank page, and three


def test_page_that_was_turned_to_softly_loads_again_as_itself(visit: Visit) -> None:
    visit.page.click("#b")
    shows(visit, "b")
    visit.page.reload()
    shows(visit, "b", soft=False)
    assert visit.site.asked("/b") == 1


def test_one_may_go_back_before_the_runtime_is_there(visit: Visit) -> None:
    visit.page.click("#b")
    shows(visit, "b")
    waiting: list[Route] = []
    visit.page.route(f"**{SOFT.path.decode()}", lambda route: waiting.append(route))
    visit.page.reload()
    for _ in range(100):
        visit.page.wait_for_timeout(20)
        if waiting:
            break
    visit.run("history.back()")
    visit.until("location.pathname === '/a'")
    for route in waiting:
        route.continue_()
    visit.page.unroute(f"**{SOFT.path.decode()}")
    shows(visit, "a", soft=False)


def test_page_begins_at_its_top_and_is_where_it_was_when_one_comes_back(visit: Visit) -> None:
    visit.run("scrollTo(0, 1500)")
    visit.run("document.querySelector('#b').click()")
    shows(visit, "b")
    visit.until("scrollY === 0")
    visit.page.go_back(wait_until="commit")
    shows(visit, "a")
    visit.until("scrollY === 1500")


@pytest.mark.parametrize("source", ["http://other.test/-/fragment/b", "/b"])
def test_plan_that_names_what_is_no_fragment_is_an_ordinary_load(visit: Visit, source: str) -> None:
    visit.site.plan("/b", "title b", ("0-nav", "/-/fragment/nav"), ("1-b", source))
    visit.page.click("#b")
    shows(visit, "b", soft=False)


def test_link_into_a_page_scrolls_there(visit: Visit) -> None:
    visit.run("document.querySelector('#b').href = '/b#deep'")
    visit.page.click("#b")
    shows(visit, "b")
    visit.until("document.querySelector('#deep').getBoundingClientRect().top < 600")


def test_focus_stays_where_it_is_if_that_is_still_there(visit: Visit) -> None:
    visit.page.focus("#b")
    visit.page.keyboard.press("Enter")
    shows(visit, "b")
    assert visit.run("document.activeElement.id") == "b"


def test_focus_goes_to_what_came_if_where_it_was_is_gone(visit: Visit) -> None:
    visit.page.focus("#in")
    visit.page.keyboard.press("Enter")
    shows(visit, "c")
    assert visit.run("document.activeElement === document.querySelector('main mf-slot')")
    visit.page.keyboard.press("Tab")
    assert visit.run("document.activeElement.id") == "in"


def test_title_is_told_to_those_who_do_not_see_it(visit: Visit) -> None:
    visit.page.click("#b")
    shows(visit, "b")
    visit.until("document.querySelector('[aria-live=polite]')?.textContent === 'title b'")
    visit.page.click("#c")
    shows(visit, "c")
    visit.until("document.querySelector('[aria-live=polite]').textContent === 'title c'")
    assert visit.run("document.querySelectorAll('[aria-live]').length") == 1


def test_modules_end_and_begin_with_their_slots(visit: Visit) -> None:
    note = "(window.notes ||= []).push"
    visit.site.files["/b/app.js"] = f"export const mount = () => ({note}('in'), () => {note}('out'))"
    visit.site.fragment("/-/fragment/b", "<h2>piece b</h2>", **{"data-mf-module": "/b/app.js", "data-mf-base": "/b/"})
    visit.page.click("#b")
    shows(visit, "b")
    visit.until("window.notes")
    visit.page.click("#c")
    shows(visit, "c")
    visit.until("window.notes.length === 2")
    assert visit.run("window.notes") == ["in", "out"]


def test_newer_navigation_ends_an_older_one(visit: Visit) -> None:
    visit.site.slow["/-/fragment/b"] = 0.6
    visit.page.click("#b", no_wait_after=True)
    visit.until("location.pathname === '/b'")
    visit.page.click("#c")
    shows(visit, "c")
    visit.page.wait_for_timeout(700)
    shows(visit, "c")
    visit.page.go_back(wait_until="commit")
    shows(visit, "b")


def test_lazy_slot_that_was_never_seen_learns_its_new_address(visit: Visit) -> None:
    lazy = '<div hidden><mf-slot name="l" data-mf-slot="2-a" data-mf-lazy="/-/fragment/l?a">wait</mf-slot></div>'
    visit.site.pages["/a"] = shell(visit.site, "a", lazy)
    told = ("0-nav", "/-/fragment/nav"), ("1-b", "/-/fragment/b"), ("2-b", "/-/fragment/l?b")
    visit.site.plan("/b", "title b", *told)
    visit.site.fragment("/-/fragment/l?b", "<i>lazy b</i>")
    visit.page.reload()
    visit.run("void (window.stays = 1)")
    visit.page.click("#b")
    shows(visit, "b")
    assert not visit.site.asked("/-/fragment/l?b")
    visit.run("document.querySelector('[hidden]').hidden = false")
    visit.page.evaluate("document.querySelector('[data-mf-lazy]').scrollIntoView()")
    visit.until("document.querySelector('i')")
    assert visit.run("document.querySelector('i').parentNode.dataset.mfSlot") == "2-b"


def test_entries_that_a_fragments_own_router_made_are_its_own(visit: Visit) -> None:
    visit.run("history.pushState({own: 1}, '', '/a/details')")
    visit.run("history.back()")
    visit.until("location.pathname === '/a'")
    visit.run("history.forward()")
    visit.until("location.pathname === '/a/details'")
    assert not any("/-/slots" in target for target in visit.site.origin.targets)
    visit.page.click("#b")
    shows(visit, "b")
    visit.page.go_back(wait_until="commit")
    visit.until("document.querySelector('main').textContent.startsWith('piece a')")
    assert visit.path == "/a/details"


@pytest.mark.parametrize(
    "how", ["another shell", "other slots", "no plan", "no JSON", "no fragment", "a redirect", "a slot of no element"]
)
def test_anything_odd_is_an_ordinary_load(visit: Visit, how: str) -> None:
    site = visit.site
    nav, piece = ("0-nav", "/-/fragment/nav"), ("1-b", "/-/fragment/b")
    if how == "another shell":
        site.plan("/b", "title b", nav, piece, shell="other")
    if how == "other slots":
        site.plan("/b", "title b", nav)
    if how == "no plan":
        del site.files["/-/slots/b"]
    if how == "no JSON":
        site.files["/-/slots/b"] = "<p>"
    if how == "no fragment":
        del site.pages["/-/fragment/b"]
    if how == "a redirect":
        visit.page.route("**/-/slots/b", lambda route: route.fulfill(status=302, headers={"Location": "/-/slots/c"}))
    if how == "a slot of no element":
        site.plan("/b", "title b", nav, piece, ("2-b", "/-/fragment/c"))
        site.pages["/a"] = shell(site, "a", "<!--mf:2-a-->text<!--/mf:2-a-->")
        visit.page.reload()
        visit.run("void (window.stays = 1)")
    visit.complaints.clear()
    visit.page.click("#b")
    visit.until("!window.stays && document.title === 'title b'")
    assert visit.path == "/b"
    assert visit.text("main h2") == "piece b"
    assert visit.site.asked("/b") == 1
    visit.page.go_back()
    visit.until("document.title === 'title a'")
    assert visit.run("scrollY") == 0


@pytest.mark.parametrize(
    ("link", "there"),
    [
        pytest.param('<a id="go" href="/b" target="other">', None, id="into another tab"),
        pytest.param('<a id="go" href="/b" download>', None, id="a download"),
        pytest.param('<a id="go" href="/b" rel="external">', "/b", id="one that says so"),
        pytest.param('<form action="/b" method="post"><button id="go">', "/b", id="a form that sends"),
        pytest.param('<a id="go" href="#deep">', "/a#deep", id="within the page"),
        pytest.param('<a id="go" href="/a">', "/a", id="to the same page"),
        pytest.param('<a id="go" href="/-/browser/x">', "/-/browser/x", id="what is the gateway's own"),
        pytest.param('<a id="go" href="/b" onclick="event.preventDefault()">', None, id="one that a script takes"),
    ],
)
def test_what_is_no_navigation_between_pages_is_left_alone(visit: Visit, link: str, there: str | None) -> None:
    visit.site.pages["/a"] = shell(visit.site, "a", f"{link}go</button></form></a>")
    visit.page.reload()
    visit.page.click("#go")
    if there is not None:
        visit.page.wait_for_url(f"**{there}")
    visit.page.wait_for_timeout(100)
    assert not [target for target in visit.site.origin.targets if target.startswith("/-/slots")]


def test_form_that_asks_is_a_navigation_like_any(visit: Visit) -> None:
    visit.site.pages["/a"] = shell(visit.site, "a", '<form action="/b"><input name="q" value="1"><button id="go">go')
    visit.site.plan("/b?q=1", "title b", ("0-nav", ""), ("1-b", "/-/fragment/b"))
    visit.page.reload()
    visit.run("void (window.stays = 1)")
    visit.page.click("#go")
    shows(visit, "b")
    assert visit.path == "/b?q=1"


def test_page_that_is_not_soft_loads_as_ever(context: BrowserContext) -> None:
    site = Site()
    site.pages |= {f"/{name}": shell(site, name) for name in "ab"}
    with visiting(context, site) as visit:
        visit.page.goto(site.origin.url + "/a")
        visit.page.click("#b")
        shows(visit, "b", soft=False)
        assert not any("/-/slots" in target for target in site.origin.targets)


# ---- Between documents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("motion", "moves"), [("no-preference", True), ("reduce", False)], ids=["moves", "keeps still"]
)
def test_pages_move_into_one_another_unless_the_visitor_minds(visit: Visit, motion: str, moves: bool) -> None:
    visit.page.emulate_media(reduced_motion="no-preference" if moves else "reduce")
    noted = "<script>addEventListener('pagereveal', (event) => window.moved = !!event.viewTransition)</script>"
    head = f'<link rel="stylesheet" href="{TRANSITIONS.path.decode()}">{noted}'
    for name, other in ("xy", "yx"):
        link = f'<a href="/{other}">{other}</a>'
        visit.site.pages[f"/{name}"] = f"<!doctype html><title>{name}</title>{head}<body>{link}"
    visit.page.goto(visit.site.origin.url + "/x")
    visit.page.click("a")
    visit.page.wait_for_url("**/y")
    visit.until("window.moved !== undefined")
    assert visit.run("window.moved") is moves
    visit.page.emulate_media(reduced_motion="null")


RULES = PREFETCH["eager"]
LINKS = {
    "/yes": '<a href="/yes">a page</a>',
    "/yes?q=1": '<a href="/yes?q=1">with a query</a>',
    "/-/fragment/x": '<a href="/-/fragment/x">ours</a>',
    "/file": '<a href="/file" download>a download</a>',
    "/nofollow": '<a href="/nofollow" rel="noopener nofollow">not followed</a>',
    "/marked": '<a href="/marked" data-no-prefetch>marked</a>',
    "/within": '<div data-no-prefetch><a href="/within">within what is marked</a></div>',
    "/account/Logout": '<a href="/account/Logout">ends the session</a>',
    "/do?action=sign-out": '<a href="/do?action=sign-out">ends it, too</a>',
}


def test_links_are_fetched_ahead_but_not_those_that_must_not(visit: Visit) -> None:
    site = visit.site
    site.pages |= dict.fromkeys(LINKS, "<!doctype html><p>there")
    site.fields = [("Speculation-Rules", f'"{RULES.path.decode()}"')]
    site.pages["/start"] = "<!doctype html><title>start</title>" + "<br>".join(LINKS.values())
    visit.page.goto(site.origin.url + "/start")
    allowed = ["/yes", "/yes?q=1"]
    for path in allowed:
        _rest_on(visit, path)
    for path in LINKS.keys() - set(allowed):
        visit.page.hover(f'[href="{path}"]')
        visit.page.wait_for_timeout(120)
    assert [path for path in LINKS if site.asked(path)] == allowed


def _rest_on(visit: Visit, path: str) -> None:
    """Until it is fetched: the rules come with the page, and some time after it."""
    for _ in range(20):
        visit.page.mouse.move(0, 0)
        visit.page.hover(f'[href="{path}"]')
        visit.page.wait_for_timeout(150)
        if visit.site.asked(path):
            return
