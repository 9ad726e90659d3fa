"""Composition's table of cases, each row through a running gateway: bytes of origins in, a page out, read by Chromium.

`cases/composition.yaml` says what origins send and, in words, what must come of it; `CHECKS` says those words as tests,
one for each row. What a row does not say: its fragments are team cart's, below the mount /cart.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route
from ruamel.yaml import YAML

import fragments.piece as pieces
import fragments.plan as plans
from fragments.plan import Context
from fragments.urls import Place
from tests.browser.matrix import Case, differing
from tests.kit.origin import Answer, Origin, Seen, serving
from tests.live.portal import Portal, gateway_for

Row = dict[str, Any]
ROWS: list[Row] = YAML(typ="safe").load((Path(__file__).parent / "cases" / "composition.yaml").read_text())
SHELL = (
    '<!doctype html><html lang="en"><head><title>S</title><meta name="last"></head><body class="s"><p>1</p>'
    '<mf-slot name="n"><i>F</i></mf-slot><p id="s">2</p></body></html>'
)
PAIR = SHELL.replace(
    '<mf-slot name="n"><i>F</i></mf-slot>', '<mf-slot name="a"></mf-slot><hr><mf-slot name="b"></mf-slot>'
)
TRIES = 20  # of what is timed, the best counts, as a busy machine only adds; no more are made than are needed
SOON = 0.05  # seconds from a fragment's arrival to the end of its page
ANYTHING = None  # a piece may bring for the head

LARGE = {
    "contain-deep": "<div>" * ((1 << 20) // 5),
    "contain-amplify": "".join(f"<b x{number}>" for number in range(600)) + "<p>" * 2000,
    "piece-charset": '<meta charset="windows-1251"><p>Привет',
}


# What origins send


@dataclass(slots=True)
class Site:
    """The shell's origin and the fragments' in one: they answer for whichever row is on."""

    row: Row = field(default_factory=dict)
    empty: bool = False
    hops: int = 1
    sent: float = 0.0

    def shell(self, seen: Seen) -> Answer:
        fields = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        if "csp" in self.row:
            fields.append(("Content-Security-Policy", self.row["csp"]))
        return Answer(self.markup().encode(), headers=fields)

    def markup(self) -> str:
        written: str = self.row.get("shell", PAIR if "fragments" in self.row else SHELL)
        return written.replace("http://hotels/", "http://127.0.0.1:{port}/")

    def fragment(self, seen: Seen) -> Answer:
        if self.empty:
            return Answer(status=204)
        if seen.path in ("/f", "/g"):
            return _html(f"<b>{seen.path}</b>")
        if seen.path == "/broken":
            return _html("broken", status=500)
        if seen.path.startswith("/other"):
            return self.other(int(seen.path.removeprefix("/other") or 1))
        return self.told(seen.path.removeprefix("/"))

    def other(self, hop: int) -> Answer:
        """Where a redirect leads: to the next one, until there have been enough."""
        if hop < self.hops:
            return Answer(status=302, headers=[("Location", f"/other{hop + 1}")])
        return _html("<b>other</b>")

    def told(self, name: str) -> Answer:
        row = self.row
        if "fragments" in row:
            return _html(row["fragments"].get(name, ""), status=row["fragments"].get(f"{name}_status", 200))
        kind = row.get("fragment_type", "text/html" if "fragment_bytes" in row else "text/html; charset=utf-8")
        fields = [("Content-Type", kind)]
        if "fragment_location" in row:
            fields.append(("Location", row["fragment_location"]))
        text: str = LARGE.get(row["id"], "") or row.get("fragment", "")
        body = text.encode("windows-1251" if "fragment_bytes" in row else "utf-8")
        self.sent = time.monotonic()
        delay = float(str(row.get("fragment_delay", "0s")).removesuffix("s"))
        return Answer(body, row.get("fragment_status", 200), fields, delay)


def _html(text: str, status: int = 200) -> Answer:
    return Answer(text.encode(), status, [("Content-Type", "text/html; charset=utf-8")])


def manifests(shells: Origin, cart: Origin, path: str) -> dict[str, str]:
    """A team for each language its shell speaks, all at / and told apart by the host; the fragments are cart's."""
    told = {
        name: f"""\
team: {name}
upstreams:
  {name}: {{ origins: ["{shells.url}"], dialects: [{dialects}] }}
mounts:
  /: {{ upstream: {name}, composes: {composes}, hosts: [{name}.test] }}
"""
        for name, dialects, composes in (
            ("plain", "", "true"),
            ("tailor", "tailor", "true"),
            ("esi", "esi", "true"),
            ("ssi", "ssi", "true"),
            ("alone", "", "false"),
        )
    }
    fragments = "".join(
        f"  {name}: {{ upstream: cart, path: {path if name == 'n' else '/' + name}, timeout: 5s }}\n" for name in "nab"
    )
    told["cart"] = f"""\
team: cart
upstreams:
  cart: {{ origins: ["{cart.url}"] }}
mounts:
  /cart: {{ upstream: cart }}
fragments:
{fragments}"""
    return told


# What came of it


@dataclass(slots=True)
class Tab:
    """A page of Chromium that is shown an answer as it came, at the address it came from, and nothing else."""

    page: Page
    answer: httpx.Response | None = None

    @classmethod
    def of(cls, context: BrowserContext) -> "Tab":
        tab = cls(context.new_page())
        tab.page.route("**/*", lambda route: tab.serve(route))
        return tab

    def serve(self, route: Route) -> None:
        answer, self.answer = self.answer, None
        if answer is None:
            route.fulfill(status=204)
            return
        kept = ("content-type", "content-security-policy")
        fields = {name: value for name, value in answer.headers.items() if name in kept}
        route.fulfill(status=answer.status_code, headers=fields, body=answer.content)

    def show(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.page.goto(str(answer.request.url), wait_until="domcontentloaded")


OWN = re.compile(r' data-mf-slot="[^"]*"|<!--/?mf:[^>]*-->')


@dataclass(slots=True)
class Came:
    """Everything that can be looked at after one row."""

    row: Row
    site: Site
    portal: Portal
    tab: Tab
    matrix: Page
    cart: Origin
    ask: Callable[..., httpx.Response]
    answer: httpx.Response

    def js(self, expression: str) -> Any:
        return self.tab.page.evaluate(expression)

    def inner(self, selector: str) -> str:
        """Chromium's serialisation of what is in an element, without our own marks."""
        found: str = self.js(f"document.querySelector({selector!r}).innerHTML")
        return OWN.sub("", found)

    @property
    def slot(self) -> str:
        return self.inner("mf-slot")

    def outside_is_as_with_an_empty_slot(self) -> bool:
        self.site.empty = True
        empty = self.ask().text
        self.site.empty = False
        marks = tuple(re.findall(r'data-mf-slot="([^"]*)"', empty))
        assert len(marks) == (2 if "fragments" in self.row else 1)
        compared = [Case(self.row["id"], self.answer.text, empty, marks, ANYTHING)]
        wrong = [*differing(self.matrix, compared, scripting=True), *differing(self.matrix, compared, scripting=False)]
        assert wrong == []
        return True

    def told(self, *words: str) -> bool:
        """A line of the gateway's log that holds all of these."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if any(all(word in line for word in words) for line in self.portal.child.output.splitlines()):
                return True
            time.sleep(0.02)
        return False


Check = Callable[[Came], object]
FALLBACK = "<i>F</i>"


def inner(selector: str, expected: str) -> Check:
    def check(came: Came) -> None:
        assert came.inner(selector) == expected

    return check


def slot(expected: str) -> Check:
    return inner("mf-slot", expected)


def js(expression: str, expected: Any = True) -> Check:
    def check(came: Came) -> None:
        assert came.js(expression) == expected

    return check


def outside(came: Came) -> None:
    assert came.outside_is_as_with_an_empty_slot()


def both(*checks: Check) -> Check:
    def check(came: Came) -> None:
        for each in checks:
            each(came)

    return check


def unchanged(came: Came) -> None:
    assert came.answer.text == came.site.markup()


def notes(came: Came, code: str) -> bool:
    return code in {each.code for each in plans.compile(came.site.markup().encode()).diagnostics}


# The words of each row


def required_500(came: Came) -> None:
    assert re.fullmatch(
        r"portico; error=(http_response_incomplete|http_[a-z_]+|destination_[a-z_]+|connection_[a-z_]+)(;.*)?",
        came.answer.headers["proxy-status"],
    )


def self_closing(came: Came) -> None:
    assert came.inner("div") == '<mf-slot name="n"><b>x</b></mf-slot><p id="s">after</p>'
    assert came.js("document.querySelector('#s').parentNode === document.querySelector('mf-slot').parentNode")


def in_head(came: Came) -> None:
    assert came.js("[...document.head.children].map(each => each.localName)") == ["link", "meta", "title"]
    assert came.js("document.head.querySelector('link').getAttribute('href')") == "/cart/a.css"


def div_in_head(came: Came) -> None:
    assert came.js("[...document.head.children].map(each => each.localName)") == ["title"]
    assert came.js("document.title") == "T"
    told = pieces.read(came.row["fragment"].encode(), "text/html", Place("/cart"), Context.HEAD).diagnostics
    assert "slot-in-head" in {each.code for each in told}


def in_title(came: Came) -> None:
    unchanged(came)
    assert notes(came, "slot-in-text")


def unknown(came: Came) -> None:
    assert came.slot == "F"
    assert came.told("nobody.knows", "no manifest declares")


def city(came: Came) -> None:
    (query,) = {seen.query for seen in came.cart.requests}  # one page may have been asked for again
    assert query == "city=S%C3%A3o%20Paulo"
    assert dict(parse_qsl(query)) == {"city": "São Paulo"}


def no_query(came: Came) -> None:
    assert set(came.cart.targets) == {"/n"}


def stray_ends(came: Came) -> None:
    outside(came)
    assert came.slot == "x"


def plaintext(came: Came) -> None:
    outside(came)
    assert came.js("document.querySelector('mf-slot').innerText") == "x"


def form_in_form(came: Came) -> None:
    assert came.js("document.querySelector('input[name=i]').form.id") == "f"
    assert came.js("document.querySelectorAll('#f').length") == 1


def deep(came: Came) -> None:
    assert came.slot == FALLBACK
    outside(came)


def amplified(came: Came) -> None:
    assert len(came.answer.content) <= 4 * len(LARGE["contain-amplify"]) + (64 << 10)
    outside(came)


def document(came: Came) -> None:
    assert came.slot == "<p>x</p>"
    wrapper = "document.querySelector('mf-slot')"
    assert set(came.js(f"{wrapper}.className").split()) == {"a", "b"}
    assert came.js(f"{wrapper}.lang") == "de"
    assert came.js("[document.documentElement.lang, document.documentElement.className]") == ["en", ""]
    assert came.js("[document.title, document.body.className]") == ["S", "s"]


def primary_title(came: Came) -> None:
    assert came.js("[document.title, document.querySelectorAll('title').length]") == ["T", 1]
    assert came.slot == "<p>x</p>"


def once_in_head(came: Came) -> None:
    assert came.js("[...document.querySelectorAll('link')].map(each => each.getAttribute('href'))") == ["/cart/s.css"]
    assert came.js("document.querySelector('link').parentNode === document.head")
    assert came.js("[...document.querySelectorAll('mf-slot')].map(each => each.textContent)") == ["a", "b"]


def import_map(came: Came) -> None:
    maps = came.js("[...document.querySelectorAll('script[type=importmap]')].map(each => JSON.parse(each.text))")
    assert [each["imports"] for each in maps] == [{"lib": "/lib1.js"}]
    assert maps[0]["scopes"]["/cart/"]["lib"] == "/cart/lib2.js"
    assert came.js("!document.querySelector('script[type=module] ~ script[type=importmap]')")


def nonce(came: Came) -> None:
    policy = came.answer.headers["content-security-policy"]
    (said,) = re.findall(r"'nonce-([^']+)'", policy)
    assert came.js("[...document.scripts].map(each => each.nonce)") == [said]
    assert "old" not in came.answer.text


def charset(came: Came) -> None:
    assert came.slot == "<p>Привет</p>"
    assert came.js("document.querySelectorAll('meta[charset]').length") == 0
    assert came.js("document.characterSet") == "UTF-8"


def redirect(came: Came) -> None:
    assert came.slot == "<b>other</b>"
    assert came.answer.status_code == 200
    came.site.hops = 3
    assert "<b>other</b>" in came.ask().text
    came.site.hops = 4
    assert "other" not in (text := came.ask().text) and FALLBACK in text
    came.site.hops = 1
    here, elsewhere = came.row, {**came.row, "fragment_location": "http://127.0.0.1:9/"}
    came.site.row = elsewhere
    answer = came.ask()
    assert answer.status_code == 200 and FALLBACK in answer.text and "location" not in answer.headers
    came.site.row = {**here, "shell": SHELL.replace('name="n"', 'name="n" primary')}
    answer = came.ask()
    assert answer.status_code == 302 and answer.headers["location"] == "/cart/other"


def tailored(came: Came) -> None:
    """As an mf-slot: the first address, and what stands for it once that answers an error."""
    assert came.slot == "<b>/f</b>"
    assert came.cart.targets == ["/f"]
    came.site.row = {**came.row, "shell": came.row["shell"].replace("/f", "/broken")}
    assert "<b>/g</b>" in came.ask().text
    assert came.cart.targets[1:] == ["/broken", "/g"]


CHECKS: dict[str, Check] = {
    "slot-plain": inner("header", '<mf-slot name="n"><b>x</b></mf-slot>'),
    "slot-fallback-500": slot(FALLBACK),
    "slot-fallback-timeout": slot(FALLBACK),
    "slot-required-500": required_500,
    "slot-two-required": lambda came: came.answer.headers["proxy-status"].index("error="),
    "slot-optional": slot(""),
    "slot-404-is-not-content": slot("F"),
    "slot-self-closing": self_closing,
    "slot-in-head": in_head,
    "slot-in-head-div": div_in_head,
    "slot-comment-in-table": inner("body", "<table><tbody><tr><td>1</td></tr></tbody></table>"),
    "slot-element-in-table": inner("body", "<table><tbody><tr><td>1</td></tr></tbody></table>"),
    "slot-in-title": in_title,
    "slot-in-script": unchanged,
    "slot-in-comment": unchanged,
    "slot-in-textarea": unchanged,
    "slot-in-attribute": unchanged,
    "slot-unknown-name": unknown,
    "slot-attributes-become-query": city,
    "slot-viewer-query-not-forwarded": no_query,
    "contain-stray-ends": stray_ends,
    "contain-textarea": outside,
    "contain-title": outside,
    "contain-style": outside,
    "contain-script": outside,
    "contain-comment": outside,
    "contain-plaintext": plaintext,
    "contain-script-comment": outside,
    "contain-select": outside,
    "contain-table": outside,
    "contain-attribute": outside,
    "contain-form-in-form": form_in_form,
    "contain-a-in-a": js("document.querySelector('b').closest('a') === document.querySelector('a[href=\"/x\"]')"),
    "contain-block-in-p": js(
        "[document.querySelectorAll('body > p').length, document.querySelector('p').firstChild.data, "
        "document.querySelector('p').lastChild.data]",
        [1, "1", "2"],
    ),
    "contain-li-in-li": js("document.querySelector('b').closest('li') === document.querySelector('ul > li')"),
    "contain-deep": deep,
    "contain-amplify": amplified,
    "contain-pair": outside,
    "contain-own-marker": outside,
    "piece-document": document,
    "piece-primary-title": primary_title,
    "piece-base": both(slot('<img src="/cart/v2/i.png">'), js("document.querySelectorAll('base').length", 0)),
    "piece-relative": slot(
        '<img src="/cart/fragments/i.png"><a href="/cart/list">l</a><a href="/cart/fragments/mini?p=2">q</a>'
        '<a href="#x">h</a>'
    ),
    "piece-srcset": slot('<img srcset="/cart/a.png 1x, /cart/b.png 2x, //c.example/d 3x">'),
    "piece-css-once": once_in_head,
    "piece-module-once": js(
        "[...document.querySelectorAll('script[type=module]')].map(each => each.getAttribute('src'))", ["/cart/m.js"]
    ),
    "piece-importmap": import_map,
    "piece-nonce": nonce,
    "piece-meta-refresh": both(slot("<p>x</p>"), js("document.querySelectorAll('meta[http-equiv]').length", 0)),
    "piece-charset": charset,
    "piece-pre": js("document.querySelector('pre').textContent", "\nx"),
    "piece-json": slot(FALLBACK),
    "piece-204": slot(""),
    "piece-redirect": redirect,
    "piece-noscript": outside,
    "tailor": tailored,
    "esi-include": both(
        inner("body", '<mf-slot name="/cart/f"><b>/f</b></mf-slot><p>x</p>'),
        js("document.querySelector('mf-slot').nextSibling.localName", "p"),
    ),
    "esi-alt": slot("<b>/f</b>"),
    "esi-try": inner("body", "E"),
    "esi-remove": inner("body", "ac"),
    "esi-comment": inner("body", 'a <mf-slot name="/cart/f"><b>/f</b></mf-slot>b'),
    "ssi-include": inner("body", '<mf-slot name="/cart/f"><b>/f</b></mf-slot>'),
    "dialect-off": unchanged,
    "provenance": unchanged,
}


# Running them


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


@pytest.fixture(scope="module")
def shells(site: Site, cart: Origin) -> Iterator[Origin]:
    def answer(seen: Seen) -> Answer:
        told = site.shell(seen)
        assert isinstance(told.body, bytes)
        return Answer(told.body.replace(b"{port}", b"%d" % cart.port), headers=told.headers)

    with serving(answer) as origin:
        yield origin


@pytest.fixture(scope="module")
def cart(site: Site) -> Iterator[Origin]:
    with serving(site.fragment) as origin:
        yield origin


@pytest.fixture(scope="module")
def portal_for(
    shells: Origin, cart: Origin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Portal]]:
    """A gateway in which the fragment n has this path: one for each path, from its first row to the end."""
    portals: dict[str, Portal] = {}
    with ExitStack() as life:

        def portal(path: str) -> Portal:
            if path not in portals:
                told = manifests(shells, cart, path)
                portals[path] = life.enter_context(gateway_for(tmp_path_factory.mktemp("cases"), told))
            return portals[path]

        yield portal


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture(scope="module")
def tab(context: BrowserContext) -> Tab:
    return Tab.of(context)


@pytest.fixture(scope="module")
def matrix(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_content("<!doctype html><body></body>")
    return page


def test_every_row_is_checked_and_every_check_is_a_rows() -> None:
    assert [row["id"] for row in ROWS] == [*CHECKS]
    assert len({row["id"] for row in ROWS}) == len(ROWS) >= 62


def test_every_word_of_a_row_is_one_that_is_read() -> None:
    """A key that nobody looks at would be a fact that nobody checks."""
    read = {"id", "shell", "fragment", "fragments", "fragment_status", "fragment_delay", "fragment_type"}
    read |= {"fragment_bytes", "fragment_location", "shell_mount_composes", "mount", "path", "same_team", "csp"}
    read |= {"dialect", "request", "status", "html", "within", "proxy_status", "dom", "note", "origin_sees"}
    read |= {"one title"}  # the rest of a sentence with a comma, which YAML takes for a key
    assert set[str]().union(*ROWS) <= read
    assert {row["mount"] for row in ROWS if "mount" in row} == {"/cart"}
    assert {row.get("html", "unchanged") for row in ROWS} == {"unchanged"}


def host(row: Row) -> str:
    if row.get("shell_mount_composes", True) is False:
        return "alone.test"
    return f"{row.get('dialect', 'plain')}.test"


def limit(row: Row) -> float | None:
    """Seconds until the page is there: from its being asked for, or from its fragment's arrival."""
    within: str | None = row.get("within")
    if within is None:
        return None
    return SOON if within == "50ms of the fragment's arrival" else float(within.removesuffix("ms")) / 1000


def is_whole(answer: httpx.Response) -> bool:
    """All pieces were there when the page left, so that they could bring something to its head."""
    return "pending" not in answer.headers.get("server-timing", "")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_row(
    row: Row,
    site: Site,
    cart: Origin,
    portal_for: Callable[[str], Portal],
    tab: Tab,
    matrix: Page,
) -> None:
    portal = portal_for(row.get("path", "/n"))
    site.row, site.empty, site.hops = row, False, 1
    cart.requests.clear()

    def ask() -> httpx.Response:
        answer = httpx.get(portal.url + row.get("request", "/"), headers={"Host": host(row)}, timeout=10)
        return answer

    within = limit(row)
    for _ in range(TRIES):
        began = time.monotonic()
        answer = ask()
        began = max(began, site.sent) if within is SOON else began
        took = time.monotonic() - began
        if took < within if within is not None else is_whole(answer):
            break
    else:
        assert within is None, f"not once within {within:g} s, the last time in {took:.3f} s"
    assert answer.status_code == row.get("status", 200)
    tab.show(answer)
    CHECKS[row["id"]](Came(row, site, portal, tab, matrix, cart, ask, answer))
    assert portal.child.running and "Traceback" not in portal.child.output
