"""The worst-case origin in Chromium, below two prefixes: whatever its scripts try, they end at the application.

`runtime` and `rescue` are told apart by what arrives at the root. With the runtime off only the rescue is left, and
with scripting off only what was rewritten.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

import tests.leaks.browsing as browsing
import tests.leaks.stage as stage
from tests.browser.abilities import says_who_preloads
from tests.leaks.browsing import Outcome
from tests.leaks.escapes import ESCAPES, KEPT, Escape, Kept
from tests.leaks.origin import Site, worst_case
from tests.leaks.stage import Stage

PREFIXES = ("/hotels", "/a/b/c")

Tried = tuple[dict[str, Outcome], Counter[str]]


@pytest.fixture(scope="module")
def direct(browser: Browser) -> Tried:
    """The same without a proxy, at `/`."""
    with worst_case() as site:
        site.public = site.origin.url
        with browsing.visiting(browser, site) as visit:
            return named(browsing.outcomes(visit, None)), visit.complaints


@pytest.fixture(scope="module", params=PREFIXES)
def mounted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage.guarded(tmp_path_factory.mktemp("leaks"), request.param) as mounted:
        yield mounted


@pytest.fixture(scope="module")
def tried(browser: Browser, mounted: Stage) -> Tried:
    outcomes, complaints = browsing.tried(browser, mounted)
    return named(outcomes), complaints


@pytest.fixture(scope="module")
def rescued(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Nothing runs in the page."""
    with stage.guarded(tmp_path_factory.mktemp("rescue"), "/hotels", runtime="off") as plain:
        return named(browsing.tried(browser, plain)[0])


def named(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.escape.id: outcome for outcome in outcomes}


def label(each: Escape | Kept) -> str:
    return f"{each.channel}-{each.id}" if isinstance(each, Escape) else each.id


def test_table_is_wide_enough() -> None:
    ids = [each.id for each in (*ESCAPES, *KEPT)]
    assert len(ids) == len(set(ids))
    assert len(ESCAPES) >= 25


@pytest.mark.parametrize("escape", ESCAPES, ids=label)
def test_escape_is_none_where_there_is_no_proxy(direct: Tried, escape: Escape) -> None:
    """What is tried below works at `/`: the table is right."""
    assert direct[0][escape.id] == Outcome(escape, "runtime")


@pytest.mark.parametrize("escape", ESCAPES, ids=label)
def test_escape_ends_at_the_application(tried: Tried, escape: Escape) -> None:
    outcome = tried[0][escape.id]
    assert outcome.ending != "leaked", f"{escape.channel} {escape.id}: {outcome.why}"


@pytest.mark.parametrize("escape", [each for each in ESCAPES if each.layer == "E"], ids=label)
def test_escape_is_rescued_without_the_runtime(browser: Browser, rescued: dict[str, Outcome], escape: Escape) -> None:
    """Where the browser says which page it came from; a preload that it does not say it of is lost."""
    outcome = rescued[escape.id]
    said = escape.id != "j-preload" or says_who_preloads(browser)
    assert outcome.ending == ("rescued" if said else "leaked"), f"{escape.channel} {escape.id}: {outcome.why}"


def test_whatever_left_was_brought_back(mounted: Stage, tried: Tried) -> None:
    """What arrived at the root is known there to nobody, and was asked again below the prefix."""
    assert set(mounted.root.asked) <= set(mounted.site.asked)
    assert sum(outcome.ending == "runtime" for outcome in tried[0].values()) > len(ESCAPES) / 2


def test_browser_complains_of_nothing_that_it_would_not_complain_of_at_the_root(direct: Tried, tried: Tried) -> None:
    assert tried[1] - direct[1] == Counter()


@pytest.mark.parametrize("scripting", [True, False], ids=["scripting", "no scripting"])
def test_rewritten_page_asks_for_nothing_outside(browser: Browser, mounted: Stage, scripting: bool) -> None:
    context = browser.new_context(java_script_enabled=scripting)
    before = list(mounted.root.asked)
    page = context.new_page()
    page.goto(f"{mounted.site.public}{mounted.site.prefix}/html", wait_until="networkidle")
    context.close()
    assert mounted.root.asked[len(before) :] == []
    asked = set(mounted.site.asked)
    assert {
        "/m/h-src.gif",
        "/m/h-stylesheet.css",
        "/m/h-style-attribute.gif",
        "/m/h-iframe",
        "/m/h-srcdoc.gif",
    } <= asked


def test_what_is_no_escape_is_left_alone(browser: Browser, mounted: Stage) -> None:
    """What a script reports is what it would report at `/`."""
    assert_kept(browser, mounted.site)


def test_what_is_no_escape_is_none_where_there_is_no_proxy(browser: Browser) -> None:
    with worst_case() as site:
        site.public = site.origin.url
        assert_kept(browser, site)


def assert_kept(browser: Browser, site: Site) -> None:
    with browsing.visiting(browser, site) as visit:
        reported = browsing.kept(visit)
    assert [(each.id, said) for each, said, _ in reported] == [(each.id, meant) for each, _, meant in reported]
