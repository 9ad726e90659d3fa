"""The runtime in Chromium: whatever a script of a mounted page does, what it asks for stays below the mount."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from tests.browser.runtime_site import Site
from tests.kit import browser as chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.launched(chromium.find()) as browser:
        yield browser


@dataclass
class Visit:
    """A page of the site, open in a browser of its own, and all that was complained of in it."""

    site: Site
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)

    def leave(self) -> None:
        self.page.remove_listener("console", self._console)
        self.page.remove_listener("pageerror", self._error)
        self.page.goto("about:blank")

    @property
    def path(self) -> str:
        return str(self.page.evaluate("location.pathname + location.search + location.hash"))

    def open(self, path: str = "/shop/page", body: str = "", head: str = "") -> None:
        self.site.pages.setdefault(path, self.site.page(body, head))
        self.page.goto(self.site.origin.url + path)

    def run(self, script: str) -> object:
        result: object = self.page.evaluate(script.replace("SITE", self.site.origin.url))
        return result

    def waits_for(self, target: str) -> None:
        """Until this target was asked for."""
        for _ in range(100):
            if target in self.site.asked():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{target} was not asked for, but {self.site.asked()}; {self.complaints}")

    def waits_until(self, condition: str) -> None:
        self.page.wait_for_function(condition, timeout=5000)

    def _error(self, error: Error) -> None:
        self.complaints.append(f"{error}\n{error.stack}")

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(f"{said.text} ({said.location})")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One for all: each test goes to a site of its own in it."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture
def visit(page: Page) -> Iterator[Visit]:
    site = Site()
    with site.origin:
        visit = Visit(site, page)
        yield visit
        visit.leave()
    page.context.clear_cookies()


ASKS = {
    "fetch of a root path": ("fetch('/api/a')", "/shop/api/a"),
    "fetch of an absolute URL of the site": ("fetch('SITE/api/a?b#c')", "/shop/api/a?b"),
    "fetch of origin and path": ("fetch(location.origin + '/api/a')", "/shop/api/a"),
    "fetch of a URL object": ("fetch(new URL('/api/a', location))", "/shop/api/a"),
    "fetch of a Request": ("fetch(new Request('/api/a', {method: 'POST', body: 'x'}))", "/shop/api/a"),
    "fetch of what is below already": ("fetch('/shop/api/a')", "/shop/api/a"),
    "fetch of a relative URL": ("fetch('api/a')", "/shop/api/a"),
    "fetch that climbs too high stops at the root": ("fetch('../../api/a')", "/shop/api/a"),
    "fetch of a root path with dots": ("fetch('/x/../../api/a')", "/shop/api/a"),
    "fetch with white space around": ("fetch('  /api/a ')", "/shop/api/a"),
    "fetch with a backslash": (r"fetch('\\api\\a')", "/shop/api/a"),
    "fetch of another mount it links to": ("fetch('/pets/api')", "/pets/api"),
    "fetch of a path that only begins like the prefix": ("fetch('/shopping/api')", "/shop/shopping/api"),
    "XMLHttpRequest": ("(x => {x.open('GET', '/api/a'); x.send()})(new XMLHttpRequest)", "/shop/api/a"),
    "sendBeacon": ("void navigator.sendBeacon('/api/a', 'x')", "/shop/api/a"),
    "EventSource": ("void (window.source = new EventSource('/events'))", "/shop/events"),
    "WebSocket of an absolute URL": (
        "void (window.socket = new WebSocket('ws://' + location.host + '/ws'))",
        "/shop/ws",
    ),
    "WebSocket of a root path": ("void (window.socket = new WebSocket('/ws'))", "/shop/ws"),
    "Worker": ("void (window.worker = new Worker('/worker.js'))", "/shop/worker.js"),
    "SharedWorker": ("void (window.worker = new SharedWorker('/shared.js'))", "/shop/shared.js"),
    "serviceWorker.register": ("navigator.serviceWorker.register('/sw.js').then(() => 0)", "/shop/sw.js"),
    "Image": ("void (new Image().src = '/a.png')", "/shop/a.png"),
    "img.src": ("void (document.createElement('img').src = '/a.png')", "/shop/a.png"),
    "img.srcset": ("void (document.createElement('img').srcset = '/a,b.png 1x, /b.png 2x')", "/shop/a,b.png"),
    "setAttribute": ("document.createElement('img').setAttribute('SRC', '/a.png')", "/shop/a.png"),
    "video.poster": (
        "(v => {v.poster = '/a.png'; document.body.append(v)})(document.createElement('video'))",
        "/shop/a.png",
    ),
    "video.src": ("void (document.createElement('video').src = '/a.mp4')", "/shop/a.mp4"),
    "source.src": (
        "(s => {s.src = '/a.mp4'; document.createElement('video').append(s)})(document.createElement('source'))",
        "/shop/a.mp4",
    ),
    "script.src": (
        "(s => {s.src = '/loaded.js'; document.head.append(s)})(document.createElement('script'))",
        "/shop/loaded.js",
    ),
    "link.href": (
        "(l => {l.rel = 'stylesheet'; l.href = '/a.css'; document.head.append(l)})(document.createElement('link'))",
        "/shop/a.css",
    ),
    "iframe.src": (
        "(f => {f.src = '/frame'; document.body.append(f)})(document.createElement('iframe'))",
        "/shop/frame",
    ),
    "embed.src": ("(e => {e.src = '/e'; document.body.append(e)})(document.createElement('embed'))", "/shop/e"),
    "object.data": ("(o => {o.data = '/o'; document.body.append(o)})(document.createElement('object'))", "/shop/o"),
    "input.src": (
        "(i => {i.type = 'image'; i.src = '/a.png'; document.body.append(i)})(document.createElement('input'))",
        "/shop/a.png",
    ),
    "SVG image by setAttributeNS": (
        """(() => {const svg = 'http://www.w3.org/2000/svg', image = document.createElementNS(svg, 'image')
        image.setAttributeNS('http://www.w3.org/1999/xlink', 'xlink:href', '/a.png')
        const root = document.createElementNS(svg, 'svg'); root.append(image); document.body.append(root)})()""",
        "/shop/a.png",
    ),
    "innerHTML": ("void (document.body.innerHTML = '<p><img src=/a.png>')", "/shop/a.png"),
    "innerHTML with srcset": (
        "void (document.body.innerHTML = '<img srcset=\"/a.png 1x, /b.png 2x\">')",
        "/shop/a.png",
    ),
    "innerHTML of what is nowhere": (
        "void (document.createElement('p').innerHTML = '<img src=/a.png>')",
        "/shop/a.png",
    ),
    "outerHTML": ("void (document.querySelector('p').outerHTML = '<img src=/a.png>')", "/shop/a.png"),
    "insertAdjacentHTML inside": ("document.body.insertAdjacentHTML('beforeend', '<img src=/a.png>')", "/shop/a.png"),
    "insertAdjacentHTML beside": (
        "document.querySelector('p').insertAdjacentHTML('afterend', '<img src=/a.png>')",
        "/shop/a.png",
    ),
    "innerHTML of a shadow root": (
        "void (document.querySelector('p').attachShadow({mode: 'open'}).innerHTML = '<img src=/a.png>')",
        "/shop/a.png",
    ),
    "createContextualFragment": (
        "document.body.append(document.createRange().createContextualFragment('<img src=/a.png>'))",
        "/shop/a.png",
    ),
    "template, cloned": (
        """(t => {t.innerHTML = '<img src=/a.png>'
        document.body.append(t.content.cloneNode(true))})(document.createElement('template'))""",
        "/shop/a.png",
    ),
    "style.backgroundImage": ("void (document.body.style.backgroundImage = 'url(/a.png)')", "/shop/a.png"),
    "style.setProperty": ("document.body.style.setProperty('background', 'url(\"/a.png\") red')", "/shop/a.png"),
    "one quoted URL behind another": (
        'void (document.body.style.backgroundImage = \'url("/b.png"), url("/a.png")\')',
        "/shop/a.png",
    ),
    "style.cssText": ("void (document.body.style.cssText = 'background: url(/a.png)')", "/shop/a.png"),
    "style attribute": ("document.body.setAttribute('style', 'background: url(/a.png)')", "/shop/a.png"),
    "style element": (
        """(s => {s.textContent = 'body { background: url(/a.png) }'
        document.head.append(s)})(document.createElement('style'))""",
        "/shop/a.png",
    ),
    "text added to a style element": (
        """(s => {document.head.append(s)
        setTimeout(() => s.append('body { background: url(/a.png) }'))})(document.createElement('style'))""",
        "/shop/a.png",
    ),
    "insertRule": (
        """(s => {document.head.append(s)
        s.sheet.insertRule('body { background: url(/a.png) }')})(document.createElement('style'))""",
        "/shop/a.png",
    ),
    "replaceSync of an adopted sheet": (
        """(s => {s.replaceSync('/* it\\'s */ body::before { content: "url(/b)"; background: url( \\'/a.png\\' ) }')
        document.adoptedStyleSheets = [s]})(new CSSStyleSheet)""",
        "/shop/a.png",
    ),
}


@pytest.mark.parametrize(("script", "target"), ASKS.values(), ids=ASKS)
def test_ask_stays_below(visit: Visit, script: str, target: str) -> None:
    visit.open(body="<p>text")
    visit.run(script)
    visit.waits_for(target)
    assert visit.site.escaped() == []
    refused = [said for said in visit.complaints if not re.search(r"WebSocket connection|404", said)]
    assert refused == []


LEADS = {
    "click on a link made by a script": ("document.querySelector('a').click()", "/shop/list"),
    "click on what is inside a link": ("document.querySelector('b').click()", "/shop/list"),
    "location.assign": ("location.assign('/list')", "/shop/list"),
    "location.replace": ("location.replace('/list')", "/shop/list"),
    "location.href": ("void (location.href = '/list?a#b')", "/shop/list?a"),
    "location.pathname": ("void (location.pathname = '/list')", "/shop/list"),
    "navigation.navigate": ("void navigation.navigate('/list')", "/shop/list"),
    "form.submit": ("document.querySelector('form').submit()", "/shop/sent"),
    "form.requestSubmit": ("document.querySelector('form').requestSubmit()", "/shop/sent"),
    "button with a formaction": ("document.querySelector('button').click()", "/shop/other"),
    "link to another mount": ("void (location.href = '/pets/')", "/pets/"),
}
NEW_WINDOWS = {
    "window.open": "void window.open('/list')",
    "link that opens one": "(a => {a.target = '_blank'; a.click()})(document.querySelector('a'))",
}
LEADING = """document.body.innerHTML = `<a href="/list"><b>list</b></a>
<form action="/sent" method="post"><button formaction="/other">send</button></form>`"""


@pytest.mark.parametrize(("script", "target"), LEADS.values(), ids=LEADS)
def test_way_stays_below(visit: Visit, script: str, target: str) -> None:
    visit.open()
    visit.run(LEADING)
    visit.run(f"setTimeout(() => {{ {script} }})")
    visit.page.wait_for_url(lambda url: url.startswith(visit.site.origin.url + target))
    visit.waits_for(target)
    assert visit.site.escaped() == []
    assert visit.complaints == []


@pytest.mark.parametrize("script", NEW_WINDOWS.values(), ids=NEW_WINDOWS)
def test_way_into_a_new_window_stays_below(visit: Visit, script: str) -> None:
    visit.open()
    visit.run(LEADING)
    visit.run(f"setTimeout(() => {{ {script} }})")
    visit.waits_for("/shop/list")
    assert visit.site.escaped() == []


def test_link_reads_as_it_was_written_until_it_is_followed(visit: Visit) -> None:
    visit.open()
    visit.run(LEADING + "; void (document.querySelector('a').onclick = (event) => event.preventDefault())")
    visit.page.click("a")
    assert visit.run("document.querySelector('a').getAttribute('href')") == "/list"
    visit.page.click("a", button="right")
    assert visit.run("document.querySelector('a').getAttribute('href')") == "/shop/list"


HISTORY = {
    "pushState of a root path": ("history.pushState(1, '', '/list?a#b')", "/shop/list?a#b"),
    "pushState of a URL object": ("history.pushState(1, '', new URL('/list', location))", "/shop/list"),
    "pushState of what is below already": ("history.pushState(1, '', '/shop/list')", "/shop/list"),
    "pushState of a relative URL": ("history.pushState(1, '', 'list')", "/shop/list"),
    "pushState of a query": ("history.pushState(1, '', '?a')", "/shop/page?a"),
    "pushState without a URL": ("history.pushState(1, '')", "/shop/page"),
    "replaceState": ("history.replaceState(1, '', '/list')", "/shop/list"),
}


@pytest.mark.parametrize(("script", "path"), HISTORY.values(), ids=HISTORY)
def test_address_keeps_the_prefix(visit: Visit, script: str, path: str) -> None:
    visit.open()
    visit.run(script)
    assert visit.path == path
    assert visit.run("history.state") == 1


# Routers as applications bring them: they read `location` when they start and when they are told of a move.
START = {
    "reads when it starts, writes without an address": """
        history.replaceState({idx: 0}, '')
        const read = () => location.pathname""",
    "reads when it starts, writes its address": """
        history.replaceState({at: 1}, '', location.protocol + '//' + location.host + location.pathname)
        const read = () => location.pathname""",
    "reads only": "const read = () => location.pathname",
    "shows something, then reads after an answer": """
        document.body.append(document.createElement('i'))
        await fetch('/api/slow.json')
        const read = () => location.pathname""",
    "reads after a while": "await new Promise((go) => setTimeout(go, 150)); const read = () => location.pathname",
}
ROUTER = """
const titles = { '/': 'home', '/list': 'list' }
const show = (path) => {
  document.getElementById('root').innerHTML = `<h1>${titles[path] || 'lost'}</h1><a href="/list">list</a>`
}
START
window.go = (path) => { history.pushState({}, '', path); show(read()) }
addEventListener('popstate', () => show(read()))
document.addEventListener('click', (event) => {
  const link = event.target.closest('a')
  if (link) { event.preventDefault(); go(link.getAttribute('href')) }
})
setTimeout(() => show(read()))
"""


def application(site: Site, start: str, router: str) -> None:
    site.router = router
    site.spa = site.page('<div id="root"></div>', '<script type="module" src="/shop/app.js"></script>')
    site.scripts["/app.js"] = ROUTER.replace("START", start)


@pytest.mark.parametrize("router", ["auto", "flip"])
@pytest.mark.parametrize("start", START.values(), ids=START)
def test_router_knows_no_prefix(visit: Visit, start: str, router: str) -> None:
    """Home, deep link, link, back, forward, push, reload: the page and the address bar are right after each."""
    application(visit.site, start, router)

    def shows(title: str, path: str) -> None:
        visit.waits_until(f"document.querySelector('h1')?.textContent === '{title}' && location.pathname === '{path}'")

    url = visit.site.origin.url
    visit.page.goto(url + "/shop/")
    shows("home", "/shop/")
    visit.page.goto(url + "/shop/list")
    shows("list", "/shop/list")
    visit.page.goto(url + "/shop/")
    shows("home", "/shop/")
    visit.page.click("a")
    shows("list", "/shop/list")
    visit.page.go_back()
    shows("home", "/shop/")
    visit.page.go_forward()
    shows("list", "/shop/list")
    visit.run("go('/')")
    shows("home", "/shop/")
    visit.run("go('/list')")
    shows("list", "/shop/list")
    visit.page.reload()
    shows("list", "/shop/list")
    assert visit.site.escaped() == []
    assert visit.complaints == []


UNTOUCHED = {
    "a script of its own and nothing else": ("", '<script type="module" src="/shop/app.js"></script>', "/"),
    "a deferred script": ("", '<script defer src="/shop/app.js"></script>', "/"),
    "text in the page": ("<p>rendered by a server", '<script type="module" src="/shop/app.js"></script>', "/shop/"),
    "text for browsers without scripts": (
        "<noscript>no scripts</noscript>",
        '<script type="module" src="/shop/app.js"></script>',
        "/",
    ),
    "a relative script": ("", '<script type="module" src="app.js"></script>', "/shop/"),
    "a base": ("", '<base href="/shop/"><script type="module" src="/shop/app.js"></script>', "/shop/"),
}


@pytest.mark.parametrize(("body", "head", "path"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_auto_turns_the_address_for_pages_built_for_the_root(visit: Visit, body: str, head: str, path: str) -> None:
    visit.site.router = "auto"
    visit.site.scripts["/app.js"] = "window.read = location.pathname"
    visit.open("/shop/", body, head)
    visit.waits_until("window.read")
    assert visit.run("window.read") == path


def test_relative_urls_of_the_page_are_read_before_the_address_turns(visit: Visit) -> None:
    visit.site.router = "auto"
    visit.site.scripts["/app.js"] = "document.body.innerHTML = '<img src=b.png>'; fetch('api/c')"
    visit.open("/shop/deep/page", '<img src="a.png">', '<script type="module" src="/shop/app.js"></script>')
    for target in ("/shop/deep/a.png", "/shop/deep/b.png", "/shop/deep/api/c"):
        visit.waits_for(target)
    assert visit.site.escaped() == []


def test_functions_answer_as_ever_while_and_after_the_address_turns(visit: Visit) -> None:
    visit.site.router = "flip"
    visit.open()
    asked = """[history.pushState(1, '', '/list'), history.replaceState(2, ''), fetch('/api/a') instanceof Promise,
        (request => (request.open('GET', '/api/a'), request.send()))(new XMLHttpRequest)].map(String).join()"""
    assert visit.run(asked) == "undefined,undefined,true,undefined"
    visit.waits_until("location.pathname === '/shop/list'")
    assert visit.run(asked) == "undefined,undefined,true,undefined"


def test_address_comes_back_when_no_router_ever_starts(visit: Visit) -> None:
    visit.site.router = "flip"
    visit.page.clock.install()
    visit.open("/shop/list")
    assert visit.path == "/list"
    visit.page.clock.run_for(4500)
    assert visit.path == "/shop/list"


COOKIES = {
    "a name": ("session=1", "mf.1a2b3c4d.session=1; session=x", "session=1"),
    "a path of its own": ("a=1; path=/", "mf.1a2b3c4d.a=1", "a=1"),
    "a path below already": ("a=1; Path=/shop", "mf.1a2b3c4d.a=1", "a=1"),
    "a domain": ("a=1; Domain=example.org; path=/", "mf.1a2b3c4d.a=1", "a=1"),
    "a value with =": ("a=b=c", "mf.1a2b3c4d.a=b=c", "a=b=c"),
    "no name": ("just", "mf.1a2b3c4d.=just", "just"),
    "spaces": (" a = 1 ", "mf.1a2b3c4d.a=1", "a=1"),
}


@pytest.mark.parametrize(("written", "kept", "read"), COOKIES.values(), ids=COOKIES)
def test_cookie_is_kept_under_the_name_of_the_application(visit: Visit, written: str, kept: str, read: str) -> None:
    visit.open()
    visit.run(f"void (document.cookie = {written!r})")
    assert visit.run("document.cookie") == read
    (cookie,) = visit.page.context.cookies()
    assert f"{cookie['name']}={cookie['value']}" == kept.split(";")[0]
    assert cookie["path"] == "/shop"


def test_script_sees_its_own_cookies_and_what_the_mount_lists(visit: Visit) -> None:
    url = visit.site.origin.url
    names = ["mf.1a2b3c4d.a", "mf.99999999.b", "c", "lang", "__Secure-mf.1a2b3c4d.d"]
    visit.page.context.add_cookies([{"name": name, "value": "1", "url": url} for name in names[:4]])
    visit.site.cookies = (b"lang", b"theme")
    visit.open()
    assert visit.run("document.cookie") == "a=1; lang=1"
    assert visit.run("cookieStore.getAll().then(all => all.map(each => each.name))") == ["a", "lang"]


def test_cookie_the_mount_shares_keeps_its_name(visit: Visit) -> None:
    visit.site.cookies = (b"lang",)
    visit.open("/shop")
    visit.run("void (document.cookie = 'lang = en')")
    assert visit.run("document.cookie") == "lang=en"
    assert visit.run("cookieStore.get('lang').then(({name, value}) => name + value)") == "langen"
    assert [(cookie["name"], cookie["path"]) for cookie in visit.page.context.cookies()] == [("lang", "/shop")]


def test_cookie_store_speaks_the_names_of_the_application(visit: Visit) -> None:
    visit.open()
    visit.run("cookieStore.set('a', '1')")
    visit.run("cookieStore.set({name: 'b', value: '2', path: '/deep'})")
    kept = {cookie["name"]: cookie["path"] for cookie in visit.page.context.cookies()}
    assert kept == {"mf.1a2b3c4d.a": "/shop/", "mf.1a2b3c4d.b": "/shop/deep/"}
    assert visit.run("cookieStore.get('a').then(({name, value}) => name + value)") == "a1"
    visit.run("cookieStore.delete('a')")
    assert visit.run("cookieStore.get('a')") is None


SAME = {
    "name and length": ("[fetch.name, fetch.length, WebSocket.name].join()", "fetch,1,WebSocket"),
    "source": ("fetch.toString().includes('[native code]')", True),
    "constants": ("WebSocket.OPEN", 1),
    "instances": ("new Request('/a') instanceof Request", True),
    "constructor of instances": ("new Request('/a').constructor === Request", True),
    "subclass of Request": ("(class extends Request { own() { return this.url } }, 1)", 1),
    "subclass's own methods": (
        "(() => { class Mine extends Request { own() { "
        "return new URL(this.url).pathname } }; return new Mine('/a').own() })()",
        "/shop/a",
    ),
    "subclass of EventTarget kinds": (
        "(() => { class Mine extends EventSource {}; "
        "const one = new Mine('/events'); one.close(); return one instanceof Mine })()",
        True,
    ),
    "subclass of XMLHttpRequest": (
        "(() => { class Mine extends XMLHttpRequest {}; const one = new Mine; "
        "one.open('GET', '/api'); return one instanceof Mine })()",
        True,
    ),
    "subclass of Worker": (
        "(() => { class Mine extends Worker {}; return new Mine('/worker.js') instanceof Mine })()",
        True,
    ),
    "subclass of WebSocket": (
        "(() => { class Mine extends WebSocket {}; return new Mine('ws://' + location.host + '/ws').url.slice(-8) })()",
        "/shop/ws",
    ),
    "errors": ("(() => { try { new WebSocket('gopher://a') } catch (error) { return error.name } })()", "SyntaxError"),
    "errors of missing arguments": ("fetch().catch((error) => error.name)", "TypeError"),
    "errors of objects that throw": (
        "fetch({ get href() { throw 1 }, toString: () => '/shop/api' }).then((r) => r.status)",
        200,
    ),
    "no enumerable name": ("Object.keys(window).filter((key) => /portico|mf/.test(key)).length", 0),
    "foreign hosts": ("new Request('https://example.org/a').url", "https://example.org/a"),
    "data URLs": ("new Request('data:,a').url", "data:,a"),
    "blob URLs": ("new Request(URL.createObjectURL(new Blob(['a']))).url.startsWith('blob:')", True),
    "attributes that are no URLs": (
        "(e => { e.setAttribute('title', '/a'); e.setAttribute('data', "
        "'/a'); return e.title + e.getAttribute('data') })(document.body)",
        "/a/a",
    ),
    "attributes of elements of the page's own": (
        "(e => { e.setAttribute('src', '/a'); return e.getAttribute('src') })(document.createElement('my-image'))",
        "/a",
    ),
    "references within the page": (
        "(e => { e.setAttribute('href', '#a'); return e.getAttribute('href') })"
        "(document.createElementNS('http://www.w3.org/2000/svg', 'use'))",
        "#a",
    ),
    "text in style sheets": (
        "(s => { s.replaceSync('a { content: \"url(/a)\" }'); return s.cssRules[0].style.content })(new CSSStyleSheet)",
        '"url(/a)"',
    ),
    "markup as it was": (
        "(e => { e.innerHTML = '<p title=/a>url(/b)<a href=/c>/d</a><!-- /e -->'; "
        "return e.innerHTML })(document.createElement('p'))",
        '<p title="/a">url(/b)<a href="/c">/d</a><!-- /e --></p>',
    ),
    "rows without a table": (
        "(e => { e.innerHTML = '<tr><td>1'; return e.innerHTML })(document.createElement('tbody'))",
        "<tr><td>1</td></tr>",
    ),
}


@pytest.mark.parametrize(("script", "result"), SAME.values(), ids=SAME)
def test_page_does_not_notice(visit: Visit, script: str, result: object) -> None:
    visit.open()
    assert visit.run(script) == result


def test_loaded_twice_is_loaded_once(visit: Visit) -> None:
    visit.open(head=visit.site.tag)
    visit.run("fetch('/api/a')")
    visit.waits_for("/shop/api/a")
    visit.run("history.pushState(1, '', '/shop')")
    assert visit.path == "/shop"


def test_switched_off_it_touches_nothing(visit: Visit) -> None:
    visit.open()
    visit.run("void (sessionStorage.portico = 'off')")
    visit.page.reload()
    assert visit.run("new URL(new Request('/a').url).pathname") == "/a"


def test_error_of_our_own_hands_on_what_came(visit: Visit) -> None:
    visit.open()
    visit.run("void (window.URL = class { constructor() { throw new Error('ours') } })")
    visit.run("fetch('/shop/api/a')")
    visit.waits_for("/shop/api/a")
    assert visit.complaints == []


FRAMES = {
    "blank": "<iframe></iframe>",
    "about:blank": '<iframe src="about:blank"></iframe>',
    "srcdoc": '<iframe srcdoc="<p>text"></iframe>',
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_frame_without_a_page_of_its_own_is_reached(visit: Visit, frame: str) -> None:
    visit.open()
    visit.run(f"document.body.insertAdjacentHTML('beforeend', {frame!r})")
    visit.run(
        "frames[0].document.readyState === 'complete' || new Promise((go) => frames[0].onload = go).then(() => 0)"
    )
    visit.page.wait_for_timeout(50)
    visit.run("document.querySelector('iframe').contentWindow.fetch('/api/a')")
    visit.waits_for("/shop/api/a")
    assert visit.site.escaped() == []


def test_frame_in_the_page_itself_is_reached(visit: Visit) -> None:
    visit.open(body='<iframe srcdoc="<p>text"></iframe>')
    visit.run("frames[0].fetch('/api/a')")
    visit.waits_for("/shop/api/a")


def test_strict_policy_with_a_nonce_is_kept(visit: Visit) -> None:
    visit.site.nonce = b"abc"
    visit.site.fields = [
        ("Content-Security-Policy", "default-src 'self' data:; script-src 'nonce-abc'; style-src 'self'")
    ]
    visit.open()
    visit.run("void (document.body.innerHTML = '<img src=/a.png>')")
    visit.run("void (document.body.style.backgroundImage = 'url(/b.png)')")
    visit.waits_for("/shop/a.png")
    visit.waits_for("/shop/b.png")
    assert visit.complaints == []


def test_trusted_types_are_the_pages_own(visit: Visit) -> None:
    visit.site.fields = [("Content-Security-Policy", "require-trusted-types-for 'script'; trusted-types app")]
    visit.open()
    visit.run("""(() => {
        const policy = trustedTypes.createPolicy('app', { createHTML: (text) => text, createScriptURL: (url) => url })
        document.body.innerHTML = policy.createHTML('<img src=/a.png>')
        const script = document.createElement('script')
        script.src = policy.createScriptURL('/shop/loaded.js')
        document.head.append(script)
    })()""")
    visit.waits_for("/shop/a.png")
    visit.waits_for("/shop/loaded.js")
    assert visit.complaints == []
    assert (
        visit.run("(() => { try { document.body.innerHTML = '<b>' } catch (error) { return error.name } })()")
        == "TypeError"
    )


def test_what_is_written_while_the_page_loads_is_mended(visit: Visit) -> None:
    visit.open(body="<script>document.write('<img src=\"/a.png\">')</script>")
    visit.waits_for("/shop/a.png")
    assert visit.site.escaped() == []


def test_link_of_a_page_that_was_rescued_leads_on(visit: Visit) -> None:
    """What no runtime can reach (here: inside a worker) is answered with a redirect below, and loads."""
    visit.site.rescue = True
    visit.open()
    visit.run("void new Worker(URL.createObjectURL(new Blob([`fetch('SITE/api/a')`])))")
    visit.waits_for("/api/a")
    visit.waits_for("/shop/api/a")


PIECE = """<div data-mf-slot="cars.offer"><a href="/cars-offer">offer</a><img alt="">
<form action="/cars-sent"><button>send</button></form></div>"""


def test_links_of_a_piece_of_another_team_lead_where_they_say(visit: Visit) -> None:
    visit.open(body=PIECE)
    visit.run("setTimeout(() => document.querySelector('a').click())")
    visit.page.wait_for_url("**/cars-offer")


def test_forms_of_a_piece_of_another_team_go_where_they_say(visit: Visit) -> None:
    visit.open(body=PIECE)
    visit.run("setTimeout(() => document.querySelector('button').click())")
    visit.page.wait_for_url("**/cars-sent?")


def test_piece_that_comes_late_is_right_as_it_came(visit: Visit) -> None:
    visit.open(body=PIECE)
    visit.run("document.querySelector('[data-mf-slot]').insertAdjacentHTML('beforeend', '<img src=/cars-a.png>')")
    visit.run("void (document.querySelector('img').src = '/cars-b.png')")
    visit.waits_for("/cars-a.png")
    visit.waits_for("/cars-b.png")
