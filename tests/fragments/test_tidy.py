"""What is tidy is read as it is written, wherever that is asked of a parser; and what is not is told from it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fragments.parse as parse
import fragments.shortcut as shortcut
from fragments.budgets import Survey
from fragments.tidy import nested
from tests.fragments.test_shortcut import both


def deepest(*tags: str) -> int | None:
    return nested([tag.encode() for tag in tags], 64)


TIDY = [
    pytest.param("div p a /a br /p /div", 4, id="blocks, paragraphs and phrases"),
    pytest.param("ul li ul li /li /ul /li /ul", 5, id="lists in lists"),
    pytest.param("li /li dt /dt dd /dd", 2, id="items alone"),
    pytest.param("table caption /caption colgroup col /colgroup tr td p /p /td /tr /table", 5, id="tables"),
    pytest.param("a div p /p /div /a a /a", 4, id="blocks in a link, and a link after it"),
    pytest.param("html head title /title /head body h1 /h1 /body /html", 2, id="documents"),
    pytest.param("", 1, id="nothing"),
]
UNTIDY = [
    pytest.param("p div /div /p", id="a block ends a paragraph"),
    pytest.param("p span div /div /span /p", id="however deep"),
    pytest.param("p hr /p", id="and a rule does"),
    pytest.param("h1 h2 /h2 /h1", id="a heading ends another"),
    pytest.param("div li /li /div", id="an item outside of a list"),
    pytest.param("ul li li /li /li /ul", id="or in an item"),
    pytest.param("a p a /a /p /a", id="a link in a link, in a paragraph or not"),
    pytest.param("b i b /b /i /b", id="formatting in its like"),
    pytest.param("form div form /form /div /form", id="a form in a form"),
    pytest.param("table div /div /table", id="what a table puts out"),
    pytest.param("table tr img /tr /table", id="or its rows do"),
    pytest.param("td /td", id="a cell without a table"),
    pytest.param("b p /b /p", id="misnested"),
    pytest.param("/p", id="an end tag of nothing"),
    pytest.param("script div /div /script", id="what looks like tags in text"),
    pytest.param("div body /div", id="roots that stand elsewhere"),
    pytest.param("select /select", id="elements with rules of their own"),
    pytest.param("x-y /x-y", id="and unknown ones"),
]


@pytest.mark.parametrize(("tags", "deep"), TIDY)
def test_tidy_is(tags: str, deep: int) -> None:
    assert deepest(*tags.split()) == deep


@pytest.mark.parametrize("tags", UNTIDY)
def test_not_tidy_is(tags: str) -> None:
    assert deepest(*tags.split()) is None


def test_what_is_too_deep_is_not_looked_at() -> None:
    assert nested([b"div"] * 5, 6) == 6
    assert nested([b"div"] * 6, 6) is None


NAMES = """
p div span a b em form button h1 h2 ul li dl dd dt table caption colgroup tbody thead tr td th section label
fieldset legend details summary figure script style title strong html body head
"""
LEAVES = st.sampled_from(["x", " ", "<br>", "<hr>", "<img>", "<col>", "<link rel=icon>", "&#13;", "<!-- -->"])
INNER = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda name, held: f"<{name}>{''.join(held)}</{name}>",
        st.sampled_from(NAMES.split()),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
SOURCES = st.lists(INNER, max_size=4).map("".join)
DEEP = "<table><tbody><tr><td>{}</td></tr></tbody></table>"


@settings(max_examples=1000, deadline=None)
@given(SOURCES, st.sampled_from(["{}", "<div>{}</div>", "<ul>{}</ul>", "<dl>{}</dl>", DEEP, "<table>{}</table>"]))
def test_a_parser_reads_tidy_markup_as_it_is_written(source: str, around: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fragments.budgets._FEW", 0)
        whole = around.replace("{}", source).encode()
        told = parse.survey(whole)
        quick, slow = both(whole)
        assert quick == slow
        if told.tidy and quick is not None and "\r" not in (html := quick.html.decode()):
            assert parse.comes_back(html, "div")


def test_what_no_text_keeps_is_asked_for() -> None:
    told = Survey(False, frozenset({b"p"}))
    assert shortcut._comes_back("<p>x</p>", told)
    assert not shortcut._comes_back("<p>\r</p>", told)
