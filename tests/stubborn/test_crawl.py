"""The watcher sees what leaves a mount: a page that leaks in every way it knows, and two journeys that differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.kit.origin import Answer, Seen, html, serving
from tests.stubborn.crawl import App, Called, Shown, Visit, differences, used, visiting
from tests.stubborn.crawl import Seen as Noted

PAGE = """<!doctype html><title>Leaks</title><link rel="icon" href="data:,">
<p>Made in 12 ms at <b id="where"></b></p><a href="more">more</a> <a href="/out">out</a> <a href="ORIGIN/past">past</a>
<a href="never">never</a>
<script>
where.textContent = location.host;
fetch("/lost"); fetch("/rescued"); fetch("ORIGIN/behind"); fetch("known");
new WebSocket("ws://" + location.host + "/live");
console.error("as " + location.origin); setTimeout(() => { throw new Error("thrown"); });
</script>"""


@contextmanager
def _nowhere(_: Path) -> Iterator[str]:
    yield "http://127.0.0.1:9"


def _use(visit: Visit) -> None:
    visit.open("/")
    visit.step("home")


APP = App("leaky", "Leaky", _nowhere, _use, volatile=(r"\d+ ms",), avoided="never")


def _mounted(seen: Seen, behind: str) -> Answer:
    match seen.path:
        case "/pre/":
            return html(PAGE.replace("ORIGIN", behind))
        case "/pre/more":
            return html("<title>More</title><p>More of it</p>")
        case "/rescued":
            return Answer(b"", 307, [("Location", "/pre/rescued")])
    return Answer(b"", 200 if seen.path.startswith("/pre/") else 404)


@pytest.fixture(scope="module")
def noted(browser: Browser) -> Noted:
    with serving(lambda _: Answer(b"")) as behind, serving(lambda seen: _mounted(seen, behind.url)) as site:
        base, hosts = f"{site.url}/pre", frozenset({behind.url})
        with browser.new_context() as context, visiting(APP, context, base, hosts) as visit:
            found = used(visit)
        for name in ("escaped", "leaving", "errors"):
            setattr(found, name, {text.replace(behind.url, "BEHIND") for text in getattr(found, name)})
        found.escaped = {text.replace(site.url.removeprefix("http"), "SITE") for text in found.escaped}
    return found


def test_requests_outside_the_prefix_escaped(noted: Noted) -> None:
    assert noted.escaped == {"GET /lost (fetch, 404)", "GET BEHIND/behind", "WebSocket wsSITE/live"}


def test_requests_that_were_led_back_are_counted_apart(noted: Noted) -> None:
    assert noted.rescued == {"GET /rescued (fetch, 307)"}
    assert noted.statuses[Called("GET", "/rescued")] == {200}


def test_links_that_would_leave_are_told_with_their_page(noted: Noted) -> None:
    assert noted.leaving == {"a link on / to /out", "a link on / to BEHIND/past"}


def test_complaints_do_not_name_the_base(noted: Noted) -> None:
    assert {"thrown", "as http://HOST"} <= {error.removesuffix(" (/)") for error in noted.errors}


def test_pages_are_found_by_links_and_avoided_ones_are_not_opened(noted: Noted) -> None:
    assert noted.pages["/more"] == Shown("/more", "200 More of it")
    assert set(noted.pages) == {"/", "/more"}


def test_text_is_without_what_changes_from_run_to_run(noted: Noted) -> None:
    assert noted.steps["home"] == Shown("/", "Made in … at HOST more out past never")


HOME = {"home": Shown("/", "Hello")}


@pytest.mark.parametrize(
    ("direct", "mounted", "told"),
    [
        pytest.param(Noted(steps=HOME), Noted(steps=HOME), [], id="the same is nothing"),
        pytest.param(
            Noted(steps=HOME),
            Noted(steps={"home": Shown("/", "Hallo")}),
            ["step home: shows 'Hallo' instead of 'Hello'"],
            id="another text",
        ),
        pytest.param(
            Noted(steps=HOME),
            Noted(steps={"home": Shown("/x/", "Hello")}),
            ["step home: at /x/ instead of /"],
            id="another address",
        ),
        pytest.param(Noted(pages=HOME), Noted(), ["page home: only directly"], id="a page that is not there"),
        pytest.param(Noted(), Noted(pages=HOME), ["page home: only below the prefix"], id="a page too many"),
        pytest.param(Noted(errors={"old"}), Noted(errors={"old"}), [], id="an error of its own"),
        pytest.param(Noted(errors={"old"}), Noted(errors={"new"}), ["error: new"], id="an error of the mount"),
        pytest.param(Noted(), Noted(rescued={"GET /a"}), [], id="what was rescued is no difference"),
        pytest.param(Noted(), Noted(escaped={"GET /a"}), ["escaped: GET /a"], id="what escaped is one"),
        pytest.param(Noted(abroad={"GET a"}), Noted(abroad={"GET a", "GET b"}), ["asked abroad: GET b"], id="abroad"),
        pytest.param(
            Noted(statuses={Called("GET", "/a"): {200}}),
            Noted(statuses={Called("GET", "/a"): {200, 502}}),
            ["status: GET /a is 200 and 502 instead of 200"],
            id="a failure now and then",
        ),
        pytest.param(
            Noted(statuses={Called("GET", "/a"): {404}}),
            Noted(statuses={Called("GET", "/a"): {404}}),
            [],
            id="what fails directly may fail",
        ),
        pytest.param(
            Noted(),
            Noted(statuses={Called("GET", "/a"): {404}}),
            ["status: GET /a is 404, and is not asked for directly"],
            id="a failure of the mount alone",
        ),
        pytest.param(Noted(), Noted(statuses={Called("GET", "/a"): {200}}), [], id="a poll that only one side made"),
    ],
)
def test_differences_are_told(direct: Noted, mounted: Noted, told: list[str]) -> None:
    assert differences(direct, mounted) == told
