"""The promise of composition, in Chromium: outside its slot, a page does not depend on what a fragment returns."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from fragments.contain import Fitted
from tests.browser import matrix
from tests.browser.matrix import ANSWERS, ASKED, SHELLS, case, cases, differing, filling, shell


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content("<!doctype html><body></body>")
    yield page
    page.close()


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len(ANSWERS) >= 60
    assert set(ASKED) <= set(SHELLS)


@pytest.mark.parametrize("scripting", [True, False], ids=["scripting", "no-scripting"])
@pytest.mark.parametrize("place", list(SHELLS))
def test_outside_the_slot_nothing_changes(tab: Page, place: str, scripting: bool) -> None:
    assert differing(tab, cases((place,)), scripting=scripting) == []


@pytest.mark.parametrize("isolation", ["shadow", "iframe"])
def test_nor_with_stronger_isolation(tab: Page, isolation: str) -> None:
    assert differing(tab, cases(("p", "li"), isolation), scripting=True) == []


def test_two_broken_pieces_do_not_make_one_whole(tab: Page) -> None:
    two = '<mf-slot name="a"></mf-slot><b>between</b><mf-slot name="b"></mf-slot>'
    pairs = [("<!--", "-->"), ("<div title='", "'>x</div>"), ("<script>", "</script>"), ("<b><p>", "</p></b>")]
    compared = []
    for place in ("body", "div", "p", "li"):
        plan = shell(place, two)
        for first, second in pairs:
            answers = [matrix.Answer(first.encode()), matrix.Answer(second.encode())]
            fillings = [filling(answer, slot) for answer, slot in zip(answers, plan.slots, strict=True)]
            compared.append(case(f"{place}: {first} {second}", plan, fillings))
    assert differing(tab, compared, scripting=True) == []


def test_the_comparison_sees_what_is_not_contained(tab: Page) -> None:
    """Raw bytes in the slot, without a reader or a guard, are told from an empty slot."""
    plan = shell("div")
    raw = [Fitted(plan.slots[0].filled(ANSWERS[name].body)) for name in ("unclosed-comment", "end-tags", "textarea")]
    found = differing(tab, [case("raw", plan, [each]) for each in raw], scripting=True)
    assert len(found) == len(raw)


def test_most_pieces_are_shown_where_they_are_asked_for() -> None:
    """Containment is not bought by showing nothing: nearly every broken answer in flow stays on the first rung."""
    (slot,) = shell("body").slots
    shown = [filling(answer, slot) for answer in ANSWERS.values()]
    assert sum(isinstance(each, Fitted) and each.rung == "light" for each in shown) >= 0.8 * len(shown)
