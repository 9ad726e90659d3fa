"""Budgets before the parser: what is over and what is not, at once; and that the quick way counts as the slow one."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fragments.budgets as budgets
from fragments.budgets import ATTRIBUTES, PIECE, SHELL, Budget, grown, survey
from fragments.errors import OverBudget
from fragments.parse import Element, part
from fragments.skim import DRAWING, START, skim
from tests.fragments.documents_of_strangers import made_up, pages

OVER = [
    pytest.param("x" * (PIECE.size + 1), id="bytes"),
    pytest.param("<div>" * 200_000, id="depth"),
    pytest.param("<span><div></span>" * 300, id="depth behind end tags that close nothing"),
    pytest.param("<div><table></div>" * 150, id="depth behind a barrier"),
    pytest.param("<svg>" + "<td>" * 300, id="depth in foreign content, where cells nest"),
    pytest.param("<template>" * 300, id="depth of templates"),
    pytest.param("".join(f"<b x{n}>" for n in range(300)) + "<p>", id="unclosed formatting"),
    pytest.param("<table><tr><td></b>".join(f"<b x{n}>" for n in range(100)), id="formatting closed behind a cell"),
    pytest.param("<p>" * 60_000, id="tags"),
    pytest.param("</p>" * 60_000, id="end tags"),
    pytest.param("".join(f"<b x{n}>" for n in range(60)) + "<p>" * 20_000, id="reopened formatting"),
    pytest.param("<a " + " ".join(f"x{n}" for n in range(2000)) + ">", id="attributes"),
    pytest.param("".join(f"<body x{n}>" for n in range(50)), id="roots"),
    pytest.param("<svg></div><style>" + "<g>" * 100_000, id="depth that foreign content hides"),
    pytest.param("<noscript><!--</noscript>" + "<div>" * 100_000, id="depth that a comment in noscript hides"),
    pytest.param("<svg><style>" + "<link>" * 40_000, id="void elements nest in foreign content"),
    pytest.param("<svg></div><style>" + "<b x>" * 5000, id="formatting that foreign content hides"),
    pytest.param("<math></template>" + "<input>" * 2000, id="void elements where foreign content may go on"),
    pytest.param("<x-y><svg></x-y>" + "<q/>" * 2000, id="closed elements where it may have ended"),
    pytest.param("<svg><foreignObject><div></foreignObject>" + "<q/>" * 2000, id="and in html in it"),
    pytest.param(
        "<li><div><li><section></div>" * 2500, id="depth behind items that imply ends, where there are many tags"
    ),
    pytest.param("<h1><div><h2></h1>" * 3000, id="depth behind headings"),
    pytest.param("<dd></td><listing><td></td>" * 3000, id="depth behind cells without a table"),
    pytest.param("<template><col><textarea><template>" * 3000, id="depth that a template of columns hides"),
]


@pytest.mark.parametrize("source", OVER)
def test_over_budget_and_at_once(source: str) -> None:
    start = time.process_time()
    with pytest.raises(OverBudget):
        survey(source.encode())
    assert time.process_time() - start < 5  # minutes, if it were quadratic


WITHIN = [
    pytest.param("<ul>" + "<li><p>x" * 1000 + "</ul>", id="omitted end tags are no depth"),
    pytest.param("<table>" + "<tr><td>a<th>b" * 1000 + "</table>", id="nor those of cells"),
    pytest.param("<select>" + "<option>x" * 1000 + "</select>", id="nor those of options"),
    pytest.param("<br><img><input>" * 1000, id="nor void elements"),
    pytest.param("<svg>" + "<path/>" * 1000 + "</svg>", id="nor closed foreign elements"),
    pytest.param("<a name=x>" * 1000, id="an anchor closes the one before"),
    pytest.param("<p><b>x</p></b>" * 1000, id="misnested formatting that is closed"),
    pytest.param("<!--" * 200_000, id="an open comment is one comment"),
    pytest.param("<script>" + "if(a<b)" * 5000 + "</script>", id="script text"),
    pytest.param("<svg/><script>" + '"<div><p>x<br></p></div>";' * 2000 + "</script>", id="closed markup in a script"),
    pytest.param("<h1>x</h1><h2>y</h3>" * 100, id="headings end headings"),
    pytest.param("<form><p>x</form>" * 100, id="forms"),
    pytest.param("<td></td><tr></tr>" * 100, id="cells without a table are none"),
    pytest.param("<svg/><math/>" * 300, id="closed roots of foreign content"),
    pytest.param("<svg><image/><br></svg>" * 300, id="what breaks out of it"),
    pytest.param(
        "<ul><li><p>x<li>y</ul><table><tr><td>z</table><td></td>" * 1000, id="many of them, written as is usual"
    ),
    pytest.param("<object></object><b></b><template><td></td></template>", id="all that is closed"),
    pytest.param("<p title='" + "x" * 20_000 + "'>", id="a long value is one attribute"),
    pytest.param("<b></i>" + "<p></p>" * 1000, id="an end tag of nothing"),
]


@pytest.mark.parametrize("source", WITHIN)
def test_within_budget(source: str) -> None:
    assert survey(source.encode()).document is False


@pytest.mark.parametrize("source", ["<!doctype html>x", "<html>", "x<head>", "<p><body>"])
def test_a_document_is_told_by_its_tags(source: str) -> None:
    assert survey(source.encode()).document is True


def test_a_few_tags_are_not_counted() -> None:
    """What is so small costs next to nothing, even if all of it is nested."""
    start = time.process_time()
    assert survey(b"<b a>" * 200).document is False
    part("".join(f"<b x{n}>" for n in range(100)) + "<p>" * 100, "div")
    assert time.process_time() - start < 0.5


def test_what_was_skimmed_may_be_given() -> None:
    source = b"<!-- <html> --><p>"
    assert survey(source, SHELL, found=skim(source)[0]).document is False


def test_other_contexts_count_hidden_tags() -> None:
    source = b"<textarea>" + b"<i>" * 3000
    assert survey(source).document is False
    with pytest.raises(OverBudget):
        survey(source, in_flow=False)


TAGS = """
<b> </b> <p> </p> <div> </div> <table> </table> <tr> <td> <svg> </svg> <g> <style> </style> <title> <select> <option>
<template> </template> <noscript> </noscript> <!-- --> <a> </a> <math> <mi> <form> </form> <li> <script> </script>
<textarea> <pre> x &lt; <foreignObject> <desc> <plaintext> <frameset> <br>
"""
NASTY = st.lists(st.sampled_from(TAGS.split()), max_size=24).map("".join)


@settings(max_examples=200, deadline=None)
@given(NASTY)
def test_what_is_let_through_is_not_much_deeper_than_was_counted(pattern: str) -> None:
    """With many tags the count is strict: a parser goes at most about twice as deep, for what tables imply, and eight
    times that where it may see tags in what a scanner takes for text."""
    source = pattern * 100
    with patch("fragments.budgets._MANY", 0), patch("fragments.budgets._FEW", 0):
        try:
            survey(source.encode(), Budget(depth=20, formatting=10, hidden=0))
        except OverBudget:
            return
    deepest = 0
    pending = [(node, 1) for node in part(source, "div")]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, Element):
            deepest = max(deepest, depth)
            pending += [(child, depth + 1) for child in node.children]
    assert deepest <= 8 * 2 * 20 + 20


# ---- The quick way --------------------------------------------------------------------------------------------------


def verdict(source: bytes, budget: Budget, in_flow: bool = True) -> bool | None:
    """Whether it is a document; None for what is over budget."""
    try:
        return survey(source, budget, in_flow=in_flow).document
    except OverBudget:
        return None


def by_counting(source: bytes, budget: Budget, in_flow: bool = True) -> bool | None:
    with (
        patch("fragments.budgets._neatly_within", return_value=False),
        patch("fragments.budgets._plainly_within", return_value=None),
    ):
        return verdict(source, budget, in_flow)


def is_neat(source: str) -> bool:
    with patch("fragments.budgets._count_all") as counted:
        survey(source.encode())
    return not counted.called


DRAWN = """
<svg> </svg> <svg_viewbox='0_0'> <path/> <path_d="m0"> </path> <g> </g> <title> </title> <p> </p> <svg></svg> x <
<svg><path/></svg> <svg><g></g></svg> <svg>a</svg> <svg>b</svg> <svg>c</svg> <b_c=" "> <!-- -->
"""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(DRAWN.split()).map(lambda tag: tag.replace("_", " ")), max_size=24).map("".join))
def test_drawings_alike_are_taken_out_as_each_would_be(source: str) -> None:
    drawings, outside = budgets._drawn(source.encode())
    assert outside == DRAWING.sub(budgets._DRAWN, source.encode())
    assert drawings == set(DRAWING.findall(source.encode()))


@pytest.mark.parametrize("long", [ATTRIBUTES - 9, ATTRIBUTES + 1])
@pytest.mark.parametrize("at", range(0, ATTRIBUTES, 97))
def test_a_long_tag_is_seen_wherever_it_stands(at: int, long: int) -> None:
    source = b"<p>" + b"<b>" * (at // 3) + b"x" * (at % 3) + b"<i " + b"a " * (long // 2) + b">" + b"<b>" * 400
    assert budgets._has_long_tag(source, START) is (long > ATTRIBUTES)


def test_roots_are_counted_as_the_slow_way_does() -> None:
    page = "<!doctype html><html><body>" + "<p>x</p>" * 10 + "{}</body></html>"
    for more in ("<header></header>" * 30, "<b></b>", "<body a>" * 14, "<body a>" * 20, "</body>" * 30):
        source = page.format(more).encode()
        assert verdict(source, PIECE) == by_counting(source, PIECE)
    assert survey(page.format("<header></header>" * 30).encode()).tidy


NEAT = [
    pytest.param("<ul>" + "<li><a href=/x>x</a> <b>y</b></li>" * 300 + "</ul>", True, id="a list"),
    pytest.param("<!doctype html><html><head></head><body>" + "<p>x</p>" * 300 + "</body></html>", True, id="a page"),
    pytest.param("<table><tr>" + "<td><br>x</td>" * 300 + "</tr></table>", True, id="cells"),
    pytest.param("<P>x</p>" * 300, True, id="in any case"),
    pytest.param("<svg viewBox='0 0 9 9'><path d='M0 0'/></svg>" * 300, True, id="icons"),
    pytest.param("<script>if (a<b) '</div>'</script>" * 300, True, id="scripts"),
    pytest.param("<!-- <div> -->" * 300, True, id="comments"),
    pytest.param("<i title='<b>'>x</i>" * 300, True, id="markup in a value"),
    pytest.param("<p>x" * 300, False, id="not what closes by itself"),
    pytest.param("<li><li></li></li>" * 300, False, id="nor an item in an item"),
    pytest.param("<b><i></b></i>" * 300, False, id="nor misnested"),
    pytest.param("</b>" * 300, False, id="nor end tags of nothing"),
    pytest.param("<a><b><a></a></b></a>" * 300, False, id="nor an anchor in an anchor"),
    pytest.param("<svg><g><b>" + "</b></g></svg>" * 300, False, id="nor other drawings"),
    pytest.param("<div>" * 80 + "</div>" * 80 + "<p></p>" * 300, False, id="nor what is deep"),
    pytest.param("<script>" + "if (a<b)" * 2000, False, id="nor scripts that never end, as they hide a lot"),
]


@pytest.mark.parametrize(("source", "neat"), NEAT)
def test_what_is_known_without_counting(source: str, neat: bool) -> None:
    assert is_neat(source) is neat


TIGHT = Budget(depth=6, formatting=3, tags=400, created=900, roots=3, hidden=4)
LEAVES = st.sampled_from(
    ["x", "<br>", "<img>", "<!-- <b> -->", "<script>a<b</script>", "<svg><path/></svg>", "<html>", "<title>x</title>"]
)
NAMES = st.sampled_from(
    [
        "p",
        "div",
        "ul",
        "li",
        "a",
        "b",
        "i",
        "td",
        "tr",
        "table",
        "dd",
        "section",
        "span",
        "h1",
        "form",
        "button",
        "template",
        "select",
        "option",
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(lambda name, held: f"<{name}>{''.join(held)}</{name}>", NAMES, st.lists(inner, max_size=4)),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(TREES, NASTY), max_size=3).map("".join), st.sampled_from([1, 3, 40]), st.booleans())
def test_the_quick_way_says_what_counting_says(source: str, times: int, in_flow: bool) -> None:
    written = (source * times).encode()
    with patch("fragments.budgets._FEW", 0):
        for budget in (TIGHT, PIECE):
            assert verdict(written, budget, in_flow) == by_counting(written, budget, in_flow)


SIGNS = st.lists(
    st.sampled_from(
        ["<a ", "<b>", "<u>", "</b>", "</a>", '"', "'", "=", " ", ">", "x", "/", "<svg>", "</svg>", "<path>"]
    ),
    max_size=24,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(SIGNS, st.sampled_from([1, 9]))
def test_so_it_does_however_odd_the_quotes_are(source: str, times: int) -> None:
    written = (source * times).encode()
    with patch("fragments.budgets._FEW", 0):
        assert verdict(written, TIGHT) == by_counting(written, TIGHT)


STRANGERS = [pytest.param(path.read_bytes(), id=path.stem) for path in pages()]
STRANGERS += [pytest.param("".join(made_up(60, seed)).encode(), id=f"made up {seed}") for seed in range(20)]


@pytest.mark.parametrize("source", STRANGERS)
def test_so_it_does_of_pages_of_strangers(source: bytes) -> None:
    for budget in (TIGHT, PIECE, SHELL):
        assert verdict(source, budget) == by_counting(source, budget)


def test_growth_has_a_limit_too() -> None:
    assert not grown(0, 64 * 1024)
    assert grown(1000, 64 * 1024 + 4001)
