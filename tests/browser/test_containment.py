"""The promise of composition, in Chromium: the DOM of a shell outside a slot depends on no fragment."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import pytest
from playwright.sync_api import Browser, Page

import fragments.late as late
from fragments.contain import Fitted
from fragments.plan import Plan
from fragments.stitch import Fallback, Filling, Nothing, Stitch
from tests.browser import matrix
from tests.browser.abilities import patches
from tests.browser.matrix import (
    ASKED,
    ISOLATIONS,
    LATE,
    PLACES,
    REFUSED,
    SHELLS,
    USUAL,
    Case,
    Late,
    case,
    cases,
    differing,
    dressed,
    filled,
    filling,
    put,
    scattered,
    shell,
    shells_at_random,
    standing,
    unslotted,
)
from tests.browser.nasty import ANSWERS, HTML, KINDS, WHOLE, Answer, drawn, remains
from tests.browser.ordinary import ORDINARY

BOTH = pytest.mark.parametrize("scripting", [True, False], ids=["scripting", "no-scripting"])
# A frame takes time to make, and what is in it is one attribute's text wherever it stands.
STRONGER = {
    "scope": ("body", "p", "td", "li", "late", "nested"),
    "shadow": (
        "body",
        "p",
        "td",
        "li",
        "a",
        "form",
        "template",
        "shadow",
        "foreign object",
        "late",
        "late in p",
        "nested",
    ),
    "iframe": ("p",),
}


CELLS = [
    pytest.param(place, on, marks=() if place in USUAL or not on else pytest.mark.long, id=f"{place}-{said}")
    for place in PLACES
    for on, said in ((True, "scripting"), (False, "no-scripting"))
]


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = matrix.opened(browser)
    yield page
    page.close()


@lru_cache(maxsize=1)  # for the same place with scripting and without
def nasty(place: str, isolation: str = "none") -> list[Case]:
    return cases(place, ANSWERS, isolation)


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len(ANSWERS) - len(KINDS[WHOLE]) >= 130
    assert len(ANSWERS) == sum(map(len, KINDS.values()))
    assert len(PLACES) >= 60 and len(USUAL) >= 30 and set(PLACES) >= USUAL
    assert set(ASKED) <= set(SHELLS)
    assert all(standing(place).slot.name == "n" for place in PLACES)
    assert sum(standing(place).slot.late for place in LATE) >= 6


@pytest.mark.parametrize(("place", "scripting"), CELLS)
def test_outside_the_slot_nothing_changes(tab: Page, place: str, scripting: bool) -> None:
    assert not differing(tab, nasty(place), scripting=scripting)


@BOTH
@pytest.mark.parametrize("isolation", STRONGER)
def test_nor_with_stronger_isolation(tab: Page, isolation: str, scripting: bool) -> None:
    compared = [each for place in STRONGER[isolation] for each in nasty(place, isolation)]
    assert not differing(tab, compared, scripting=scripting)


@BOTH
@pytest.mark.parametrize("isolation", ["none", "scope", "shadow"])
def test_nor_with_ids_and_a_nonce_of_its_own(tab: Page, isolation: str, scripting: bool) -> None:
    compared = []
    for where in map(standing, ("body", "p", "late")):
        answers = ANSWERS.items()
        compared += [filled(name, where, dressed(answer, where.slot, isolation)) for name, answer in answers]
    assert not differing(tab, compared, scripting=scripting)


@pytest.mark.long
@BOTH
@pytest.mark.parametrize("isolation", STRONGER)
@pytest.mark.parametrize("place", PLACES)
def test_nor_with_stronger_isolation_anywhere(tab: Page, place: str, isolation: str, scripting: bool) -> None:
    assert not differing(tab, nasty(place, isolation), scripting=scripting)


# ---- At random ------------------------------------------------------------------------------------------------------


@BOTH
def test_documents_at_random_change_nothing(tab: Page, scripting: bool) -> None:
    assert not differing(tab, scattered(drawn(2000, seed=1), seed=1), scripting=scripting)


@pytest.mark.long
@BOTH
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_documents_at_random_change_nothing(tab: Page, seed: int, scripting: bool) -> None:
    assert not differing(tab, scattered(drawn(2000, seed), seed), scripting=scripting)


@BOTH
def test_nor_in_shells_that_are_broken_themselves(tab: Page, scripting: bool) -> None:
    assert not differing(tab, broken_shells(number=600, seed=1), scripting=scripting)


@pytest.mark.long
@BOTH
@pytest.mark.parametrize("seed", range(2, 12))
def test_nor_in_many_shells_that_are_broken_themselves(tab: Page, seed: int, scripting: bool) -> None:
    assert not differing(tab, broken_shells(number=2000, seed=seed), scripting=scripting)


@BOTH
def test_nor_where_formatting_remains(tab: Page, scripting: bool) -> None:
    assert not differing(tab, remaining(number=400, seed=1), scripting=scripting)


@pytest.mark.long
@BOTH
@pytest.mark.parametrize("seed", range(2, 8))
def test_nor_in_many_shells_where_formatting_remains(tab: Page, seed: int, scripting: bool) -> None:
    assert not differing(tab, remaining(number=1500, seed=seed), scripting=scripting)


@pytest.mark.parametrize("name", REFUSED)
def test_no_slot_stands_where_one_would_change_the_page(tab: Page, name: str) -> None:
    plan, would_be = unslotted(name)
    assert not plan.slots
    assert any(differing(tab, [would_be], scripting=scripting) for scripting in (True, False))


# What each kind of place takes, and of that what opens formatting again.
TELLING = (
    "xyz|<b>q|<desc>hi</desc><path>|<mtext>hi</mtext>|<foreignObject><p>z</p></foreignObject>|<option>hi|<tr><td>q<b>r|"
    "<caption>z<a>y|<td>c<nobr>d|<col>|<option selected>s<b>x|<hr>|<title>x</title>|<svg><desc>q</desc></svg>|"
    "<p>a<b>c</p>|<form><input></form>|<input type=hidden>|<li>q|<a href=x>y</a>|<div>z</div>|<optgroup><option>t|"
    "<button>u</button>|<template shadowrootmode=open>x</template>|<template><b>x</template>|<style>p{}</style>|"
    "<noscript><b>x</noscript>|<math><mtext>a|<g><title>q</title></g>|<textarea>x|<legend>e</legend>|<table><tr><td>m"
)


def remaining(number: int, seed: int) -> list[Case]:
    """Each with five of the telling ones, and with its fallback."""
    made, telling = [], TELLING.split("|")
    for at, where in enumerate(shells_at_random(number, seed, remains, most=(9, 6))):
        shown = b"SLOT".join(where.plan.literals).decode("utf-8", "replace")
        for more in range(5):
            body = telling[(seed + 5 * at + more) % len(telling)].encode()
            made.append(filled(f"{shown}: {body!r}", where, filling(Answer(body), where.slot)))
        made.append(filled(f"{shown}: fallback", where, Fallback()))
    return made


def broken_shells(number: int, seed: int) -> list[Case]:
    """Each with three of the nasty ones and one drawn at random."""
    small = [answer for answer in ANSWERS.values() if len(answer.body) < 2000]
    made = []
    for at, where in enumerate(shells_at_random(number, seed)):
        answers = [small[(3 * at + more) % len(small)] for more in range(3)] + drawn(1, seed * number + at)
        shown = b"SLOT".join(where.plan.literals).decode("utf-8", "replace")
        made += [filled(f"{shown}: {each.body!r}", where, filling(each, where.slot)) for each in answers]
    return made


# ---- Several pieces, and late ones ----------------------------------------------------------------------------------

PAIRS = [
    ("<!--", "-->"),
    ("<div title='", "'>x</div>"),
    ("<script>", "</script>"),
    ("<b><p>", "</p></b>"),
    ("<template>", "</template>"),
    ("<svg><style>", "</style></svg>"),
    ("<textarea>", "</textarea>"),
    ("<noscript>", "</noscript>"),
    ("<![CDATA[", "]]>"),
    ("<?start name='mf-MARK'?>", "<?end?>"),
]
TWO = '<mf-slot name="a"></mf-slot><b>between</b><mf-slot name="b"></mf-slot>'


@BOTH
def test_two_broken_pieces_do_not_make_one_whole(tab: Page, scripting: bool) -> None:
    compared = []
    for place in ("body", "div", "p", "li"):
        plan = shell(place, TWO)
        compared += [case(f"{place}: {pair}", plan, both(plan, pair)) for pair in PAIRS]
    assert not differing(tab, compared, scripting=scripting)


@BOTH
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the second first"])
def test_nor_do_two_that_come_late(tab: Page, order: tuple[int, int], scripting: bool) -> None:
    plan = shell("body", TWO)
    marks = tuple(slot.mark for slot in plan.slots)
    empty = case("empty", plan, [Nothing(), Nothing()]).empty
    compared = [Case(f"{pair}", sent_late(plan, both(plan, pair), order), empty, marks, ()) for pair in PAIRS]
    assert not differing(tab, compared, scripting=scripting)


def both(plan: Plan, pair: tuple[str, str]) -> list[Filling]:
    return [filling(Answer(body.encode()), slot) for body, slot in zip(pair, plan.slots, strict=True)]


def sent_late(plan: Plan, fillings: list[Filling], order: tuple[int, ...]) -> str:
    stitch = Stitch(plan, [late.waiting(slot, ()) for slot in plan.slots], coming=set(order))
    sent = [*stitch.open(), *(part for at in order for part in stitch.arrive(at, fillings[at])), *stitch.close()]
    return b"".join(sent).decode()


@BOTH
@pytest.mark.parametrize("content", [Nothing(), Fallback()], ids=["nothing", "fallback"])
@pytest.mark.parametrize("place", LATE)
def test_a_late_slot_is_a_slot_before_its_piece_is_there(
    tab: Page, place: str, content: Filling, scripting: bool
) -> None:
    where = standing(place)
    assert not differing(tab, [filled(place, where, content)], scripting=scripting)


@pytest.mark.parametrize(
    ("place", "body"),
    [(place, {"late rows": "<tr><td>came", "late cells": "<td>came"}.get(place, "came")) for place in LATE],
)
def test_a_late_piece_is_patched_in_by_a_browser_that_can(browser: Browser, tab: Page, place: str, body: str) -> None:
    """In another one it waits in its template. Two of the places cannot come late, and have it from the start."""
    page = put("came", Answer(body.encode()), place).html
    shown = tab.evaluate("html => new DOMParser().parseFromString(html, 'text/html').body.innerText", page)
    waits = standing(place).slot.late and not patches(browser)
    assert ("came" in shown) is not waits
    assert "F" not in shown or waits


# ---- What the comparison is worth -----------------------------------------------------------------------------------


def raw(answer: Answer, place: str) -> Case:
    """The bytes as they came in the slot, without a reader or a guard."""
    where = standing(place)
    if isinstance(where, Late):
        empty = filled(place, where, Nothing())
        return replace(empty, html=empty.html.replace("></template>", f">{answer.body.decode()}</template>"))
    return filled(place, where, Fitted(where.slot.filled(answer.body)))


@BOTH
@pytest.mark.parametrize("place", ["body", "p", "li", "td", "table", "select", "svg", "shadow", "nested", "late"])
def test_the_comparison_sees_what_is_not_contained(browser: Browser, tab: Page, place: str, scripting: bool) -> None:
    """A template that waits holds most of it."""
    small = [answer for answer in ANSWERS.values() if len(answer.body) < 2000 and answer.content_type == HTML]
    seen = differing(tab, [raw(answer, place) for answer in small if utf8(answer.body)], scripting=scripting)
    assert len(seen) >= (40 if place != "late" or patches(browser) else 3)


def utf8(body: bytes) -> bool:
    return body == body.decode(errors="replace").encode()


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("div", b"<!--"),
        ("div", b"</div>"),
        ("div", b"<textarea>"),
        ("div", b"<html class=evil>"),
        ("p", b"<div>"),
        ("a", b"<a>"),
        ("button", b"<button>"),
        ("form", b"</form>"),
        ("li", b"<li>"),
        ("table", b"<p>"),
        ("svg", b"<p>"),
        ("select", b"</select>"),
        ("head", b"<p>"),
        ("formatting", b"<nobr>"),
        ("late", b"</template><p>"),
        ("late rows", b"</template>x"),
    ],
)
def test_and_what_only_means_something_there(tab: Page, place: str, body: bytes) -> None:
    assert len(differing(tab, [raw(Answer(body), place)], scripting=True)) == 1


@BOTH
def test_and_much_of_what_is_drawn_at_random(tab: Page, scripting: bool) -> None:
    uncontained = [raw(answer, "p") for answer in drawn(300, seed=1) if utf8(answer.body)]
    assert len(differing(tab, uncontained, scripting=scripting)) >= 100


# ---- Containment is not bought by showing nothing -------------------------------------------------------------------


def test_most_nasty_pieces_are_shown_where_they_are_asked_for() -> None:
    (slot,) = shell("body").slots
    shown = [filling(answer, slot) for answer in ANSWERS.values()]
    assert sum(isinstance(each, Fitted) and each.rung == "light" for each in shown) >= 0.8 * len(shown)


def test_ordinary_pieces_are_shown() -> None:
    assert len(ORDINARY) >= 60
    ended = {name: put(name, answer, place).rung for name, (place, answer) in ORDINARY.items()}
    lost = [name for name, rung in ended.items() if rung in ("fallback", "nothing")]
    assert len(lost) < 0.06 * len(ORDINARY), lost


@BOTH
def test_and_change_nothing_either(tab: Page, scripting: bool) -> None:
    ordinary = [put(name, answer, place) for name, (place, answer) in ORDINARY.items()]
    assert not differing(tab, ordinary, scripting=scripting)


def test_on_which_rung_they_end(capsys: pytest.CaptureFixture[str]) -> None:
    told = matrix.table()
    assert len(told) == len(ISOLATIONS) + 3
    with capsys.disabled():
        print("", *told, sep="\n")
