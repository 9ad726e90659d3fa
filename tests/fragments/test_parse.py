"""The tree, normal form, places, and the guard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.errors import OverBudget
from fragments.parse import (
    HTML,
    MATH,
    SVG,
    Element,
    Spot,
    Surroundings,
    comes_back,
    document,
    holds,
    part,
    quirky,
    serialise,
    spots,
)


def written(source: str, tag: str = "div", space: str = HTML) -> str:
    return serialise(part(source, tag, space))


def test_a_tree_is_never_deeper_than_browsers_make_it() -> None:
    with pytest.raises(OverBudget):
        part("<div>" * 600, "div")


NORMAL = [
    pytest.param("<b>x", "<b>x</b>", id="closed"),
    pytest.param("</div></body>x", "x", id="stray end tags are gone"),
    pytest.param("a<!-- x -->b<?y z?>c", "abc", id="comments and instructions are gone"),
    pytest.param("<pre>\n\nx</pre>", "<pre>\n\nx</pre>", id="a leading line feed is written twice"),
    pytest.param("<pre>\nx", "<pre>x</pre>", id="the dropped one stays dropped"),
    pytest.param("<textarea>\n\n<b>", "<textarea>\n\n&lt;b&gt;</textarea>", id="in a textarea, too"),
    pytest.param("a\xa0&amp;&lt;", "a&nbsp;&amp;&lt;", id="text is escaped"),
    pytest.param("<p title='\"<&'>", '<p title="&quot;&lt;&amp;"></p>', id="and values"),
    pytest.param("<input disabled value=''>", '<input disabled="" value="">', id="empty values"),
    pytest.param("<script>a<b</script>", "<script>a<b</script>", id="raw text is raw"),
    pytest.param("<svg><style>a&lt;b</style>", "<svg><style>a&lt;b</style></svg>", id="not in foreign content"),
    pytest.param("<svg viewbox=0 xlink:href=a><BR>", '<svg viewBox="0" xlink:href="a"></svg><br>', id="foreign names"),
    pytest.param(
        "<template><tr><td>x</template>", "<template><tr><td>x</td></tr></template>", id="a template's content"
    ),
    pytest.param("<template></template>", "<template></template>", id="an empty one"),
    pytest.param("<noscript><b></noscript>", "<noscript><b></noscript>", id="noscript is text"),
    pytest.param("<plaintext>a<b>", "<plaintext>a<b></plaintext>", id="plaintext as it is: the reader repairs it"),
]


@pytest.mark.parametrize(("source", "html"), NORMAL)
def test_normal_form(source: str, html: str) -> None:
    assert written(source) == html


IN_CONTEXT = [
    pytest.param("<tr><td>1", "table", HTML, "<tbody><tr><td>1</td></tr></tbody>", id="rows in a table"),
    pytest.param("<tr><td>1", "tbody", HTML, "<tr><td>1</td></tr>", id="rows in a body"),
    pytest.param("<td>1<td>2", "tr", HTML, "<td>1</td><td>2</td>", id="cells in a row"),
    pytest.param("<tr><td>1", "div", HTML, "1", id="rows in flow are none"),
    pytest.param("<circle>", SVG, SVG, "<circle></circle>", id="svg"),
    pytest.param("<circle><p>x", SVG, SVG, "<circle></circle>", id="what breaks out is left out"),
    pytest.param("</svg>x", SVG, SVG, "", id="what comes after it, too"),
    pytest.param("<mi>x", MATH, MATH, "<mi>x</mi>", id="mathml"),
]


@pytest.mark.parametrize(("source", "tag", "space", "html"), IN_CONTEXT)
def test_parsed_in_context(source: str, tag: str, space: str, html: str) -> None:
    assert written(source, tag, space) == html


def spaces(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    pending = part(source, "div")
    while pending:
        node = pending.pop()
        if isinstance(node, Element):
            found[node.name] = node.space
            pending += node.children
    return found


SPACES = [
    pytest.param("<svg><g><desc><p>", {"svg": SVG, "g": SVG, "desc": SVG, "p": HTML}, id="html in svg"),
    pytest.param("<math><mi><b>", {"math": MATH, "mi": MATH, "b": HTML}, id="html in a text point"),
    pytest.param("<math><mi><mglyph>", {"math": MATH, "mi": MATH, "mglyph": MATH}, id="but not mglyph"),
    pytest.param("<math><mi><svg>", {"math": MATH, "mi": MATH, "svg": SVG}, id="svg in a text point"),
    pytest.param("<math><svg>", {"math": MATH, "svg": MATH}, id="no svg elsewhere in mathml"),
    pytest.param(
        "<math><annotation-xml><svg>", {"math": MATH, "annotation-xml": MATH, "svg": SVG}, id="svg in an annotation"
    ),
    pytest.param(
        "<math><annotation-xml><x>", {"math": MATH, "annotation-xml": MATH, "x": MATH}, id="mathml in an annotation"
    ),
    pytest.param(
        "<math><annotation-xml encoding='TEXT/html'><p>",
        {"math": MATH, "annotation-xml": MATH, "p": HTML},
        id="html in one that says so",
    ),
]


@pytest.mark.parametrize(("source", "expected"), SPACES)
def test_namespaces(source: str, expected: dict[str, str]) -> None:
    assert spaces(source) == expected


def test_a_document_has_a_head_and_a_body_with_the_attributes_of_both_roots() -> None:
    head, body = document("<!doctype html><html class=a lang=de><head><title>t</title></head> <body class=b><p>x")
    assert serialise(head.children) == "<title>t</title>"
    assert serialise(body.children) == "<p>x</p>"
    assert body.attributes == {"class": "a b", "lang": "de"}


def test_a_document_of_frames_has_frames_for_a_body() -> None:
    _, body = document("<frameset><frame></frameset>")
    assert body.name == "frameset"
    assert body.attributes == {}


COMING_BACK = [
    pytest.param("", True, id="nothing"),
    pytest.param("<b>x</b>", True, id="as Lexbor writes it"),
    pytest.param("<pre>\n\nx</pre>", True, id="as only we write it"),
    pytest.param("<b>x", False, id="not closed"),
    pytest.param("<plaintext>x</plaintext>", False, id="plaintext never ends"),
    pytest.param("<p><div></div></p>", False, id="a block in a paragraph"),
]


@pytest.mark.parametrize(("html", "back"), COMING_BACK)
def test_comes_back(html: str, back: bool) -> None:
    assert comes_back(html, "div") is back


SPOTS = [
    pytest.param("<p>a<!--probe:-->", Spot(("html", "body", "p"), (HTML,) * 3, HTML), id="in a paragraph"),
    pytest.param("<!--probe:--><html>", Spot((), (), HTML), id="before the root"),
    pytest.param("<title></title><!--probe:-->", Spot(("html", "head"), (HTML,) * 2, HTML), id="in the head"),
    pytest.param("<table><!--probe:-->", Spot(("html", "body", "table"), (HTML,) * 3, HTML), id="in a table"),
    pytest.param("<svg><g><!--probe:-->", Spot(("html", "body", "svg", "g"), (HTML, HTML, SVG, SVG), SVG), id="in svg"),
    pytest.param(
        "<math><annotation-xml encoding=text/html><!--probe:-->",
        Spot(
            ("html", "body", "math", 'annotation-xml encoding="text/html"'),
            (HTML, HTML, MATH, MATH),
            HTML,
        ),
        id="in an annotation that holds html",
    ),
    pytest.param(
        "<div><template><p><template><b><!--probe:-->",
        Spot(("html", "body", "div", "template", "p", "template", "b"), (HTML,) * 7, HTML),
        id="in a template in a template",
    ),
]


@pytest.mark.parametrize(("page", "spot"), SPOTS)
def test_where_a_comment_stands(page: str, spot: Spot) -> None:
    assert spots(page.encode(), "probe") == {"probe:": spot}


@pytest.mark.parametrize(
    "page", ["<script><!--probe:--></script>", "<title><!--probe:-->", "<!--x-->", "<p a='<!--probe:-->"]
)
def test_text_is_no_comment(page: str) -> None:
    assert spots(page.encode(), "probe") == {}


ELEMENTS = [
    pytest.param("<p>a<probe n=1></probe>", Spot(("html", "body", "p"), (HTML,) * 3, HTML), id="in a paragraph"),
    pytest.param(
        "<p><b>x</p><probe n=1></probe>", Spot(("html", "body", "b"), (HTML,) * 3, HTML), id="with what is opened again"
    ),
    pytest.param(
        "<p>x</body><probe n=1></probe>", Spot(("html", "body", "p"), (HTML,) * 3, HTML), id="where the body goes on"
    ),
    pytest.param(
        "<template><i><probe n=1></probe>",
        Spot(("html", "head", "template", "i"), (HTML,) * 4, HTML),
        id="in a template",
    ),
    pytest.param(
        "<template><tr><i><probe n=1></probe>",
        Spot(("html", "head", "template", "i"), (HTML,) * 4, HTML, stray=True),
        id="moved out of a row in a template",
    ),
    pytest.param(
        "<template><tr><td><template><probe n=1></probe>",
        Spot(("html", "head", "template", "tr", "td", "template"), (HTML,) * 6, HTML),
        id="in a cell in a template",
    ),
]


@pytest.mark.parametrize(("page", "spot"), ELEMENTS)
def test_where_an_element_stands(page: str, spot: Spot) -> None:
    assert spots(page.encode(), "probe") == {"probe/1": spot}


DOCTYPES = [
    (b"<!doctype html>", False),
    (b"", True),
    (b'<!DOCTYPE html PUBLIC "-//IETF//DTD HTML//EN">', True),
    (b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/x.dtd">', False),
]


@pytest.mark.parametrize(("doctype", "quirks"), DOCTYPES)
def test_quirks(doctype: bytes, quirks: bool) -> None:
    assert quirky(doctype) is quirks


SLOT = ("<mf-slot>", "</mf-slot>")
SECTION = ("<section>", "</section>")
GUARDED = [
    pytest.param(("div",), SLOT, "<p>x</p>", True, id="closed content in flow"),
    pytest.param(("div",), SLOT, "</div>", False, id="a stray end tag"),
    pytest.param(("div",), SLOT, "<!--", False, id="an open comment"),
    pytest.param(("div",), SLOT, "<textarea>", False, id="open raw text"),
    pytest.param(("div",), SLOT, "</mf-slot>", False, id="the wrapper's own end tag"),
    pytest.param(("div",), SLOT, "<table>", False, id="an open table"),
    pytest.param(("p",), SLOT, "<b>x</b>", True, id="phrase in a paragraph"),
    pytest.param(("p",), SLOT, "<div></div>", False, id="a block in a paragraph"),
    pytest.param(("p",), SECTION, "x", False, id="a section closes the paragraph, which the empty slot does not"),
    pytest.param(("ul", "li"), SLOT, "<li>x</li>", False, id="an item in an item"),
    pytest.param(("ul", "li"), SECTION, "<li>x</li>", True, id="a section stops it"),
    pytest.param(("a",), SLOT, "<a>x</a>", False, id="an anchor in an anchor"),
    pytest.param(("b",), SLOT, "<b>x</b>" * 4, True, id="formatting in the same, side by side"),
    pytest.param(("b",), SLOT, "<b>" * 3 + "x" + "</b>" * 3, False, id="so deep that a parser forgets the one around"),
    pytest.param(("b",), SLOT, '<b id="a">' * 3 + "x" + "</b>" * 3, False, id="whose attributes may be the same"),
    pytest.param(("b",), SLOT, "<i>" * 3 + "x" + "</i>" * 3, True, id="but not for another kind"),
    pytest.param(("form",), SLOT, "<form></form>", False, id="a form in a form"),
    pytest.param(("form", "table", "tbody", "tr", "td"), SLOT, "<form></form>", False, id="a form in a form's table"),
    pytest.param(("div",), SLOT, "<noscript><!--</noscript>", False, id="what only viewers without scripting read"),
    pytest.param(("div",), SLOT, "<noscript></div></noscript>", False, id="in both ways"),
    pytest.param(("div",), SLOT, "<noscript><b></b></noscript>", True, id="a good noscript"),
    pytest.param(("template", "div"), SLOT, "</template>", False, id="in a template"),
    pytest.param(("div",), SLOT, "<!--(m--><!--)m-->", False, id="the guard's own marks"),
    pytest.param(("svg",), ("<g>", "</g>"), "<circle></circle>", True, id="svg"),
    pytest.param(("svg",), ("<g>", "</g>"), "<p>x</p>", False, id="what breaks out of svg"),
]


@pytest.mark.parametrize(("chain", "wrapper", "inside", "held"), GUARDED)
def test_guard(chain: tuple[str, ...], wrapper: tuple[str, str], inside: str, held: bool) -> None:
    empty = ("<g>", "</g>") if chain == ("svg",) else SLOT
    assert holds(Surroundings(("html", "body", *chain), empty), wrapper, inside, "m") is held


@pytest.mark.parametrize(("quirks", "held"), [(True, True), (False, False)])
def test_the_guard_knows_quirks(quirks: bool, held: bool) -> None:
    assert holds(Surroundings(("html", "body", "p"), SLOT, quirks), SLOT, "<table></table>", "m") is held


TAGS = """
<b> </b> <p> </p> <div> </div> <table> </table> <tr> <td> <svg> </svg> <g> <style> </style> <title> <select> <option>
<template> </template> <noscript> </noscript> <!-- --> <a> </a> <math> <mi> <form> </form> <li> <script> </script>
<textarea> <pre> x &lt; <foreignObject> <desc> <plaintext> <frameset> <br>
"""
NASTY = st.lists(st.sampled_from(TAGS.split()), max_size=24).map("".join)


@settings(max_examples=150, deadline=None)
@given(NASTY)
def test_normal_form_of_normal_form_settles(source: str) -> None:
    first = written(source.replace("<plaintext>", ""))
    second = written(first)
    assert written(written(second)) == written(second)
