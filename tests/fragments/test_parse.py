"""Budgets before the parser, characters, the tree, normal form, places, and the guard."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.errors import OverBudget
from fragments.parse import (
    HTML,
    MATH,
    PIECE,
    SHELL,
    SVG,
    Budget,
    Element,
    Spot,
    Surroundings,
    comes_back,
    decode,
    document,
    grown,
    holds,
    part,
    quirky,
    serialise,
    spots,
    survey,
)
from fragments.scan import tokens


def written(source: str, tag: str = "div", space: str = HTML) -> str:
    return serialise(part(source, tag, space))


RUSSIAN = "Привет"
DECODED = [
    pytest.param(RUSSIAN.encode(), None, RUSSIAN, id="utf-8 unless said"),
    pytest.param(RUSSIAN.encode("cp1251"), "windows-1251", RUSSIAN, id="the header's charset"),
    pytest.param(RUSSIAN.encode("koi8-r"), ' "KOI8-R" ', RUSSIAN, id="in quotes and any case"),
    pytest.param(b"\xef\xbb\xbf" + RUSSIAN.encode(), "windows-1251", RUSSIAN, id="a mark wins over the header"),
    pytest.param(RUSSIAN.encode("utf-16"), None, RUSSIAN, id="the mark of utf-16"),
    pytest.param(b"\xfe\xff" + RUSSIAN.encode("utf-16-be"), None, RUSSIAN, id="and of the other"),
    pytest.param(b"<meta charset=koi8-r>" + b"\xf0", None, "<meta charset=koi8-r>П", id="meta charset"),
    pytest.param(
        b"<meta http-equiv=content-type content='text/html; charset=windows-1251'>\xcf",
        None,
        "<meta http-equiv=content-type content='text/html; charset=windows-1251'>П",
        id="meta http-equiv",
    ),
    pytest.param(b"<!--<meta charset=koi8-r>-->\xd0\x9f", None, "<!--<meta charset=koi8-r>-->П", id="not in a comment"),
    pytest.param(
        b" " * 1024 + b"<meta charset=koi8-r>\xd0\x9f", None, " " * 1024 + "<meta charset=koi8-r>П", id="late"
    ),
    pytest.param(b"<meta charset=utf-16>x", None, "<meta charset=utf-16>x", id="meta cannot mean utf-16"),
    pytest.param(b"\x93x\x94", "iso-8859-1", "\u201cx\u201d", id="latin1 means windows-1252"),
    pytest.param(b"x", "base64", "x", id="an unknown charset is none"),
    pytest.param(b"\xff", "utf-8", "\ufffd", id="what cannot be read is replaced"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfx", None, "x", id="no mark reaches the tree"),
]


@pytest.mark.parametrize(("body", "charset", "text"), DECODED)
def test_decode(body: bytes, charset: str | None, text: str) -> None:
    assert decode(body, charset) == text


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


def test_tokens_may_be_given() -> None:
    source = b"<!-- <html> --><p>"
    assert survey(source, SHELL, found=list(tokens(source))).document is False


def test_other_contexts_count_hidden_tags() -> None:
    source = b"<textarea>" + b"<i>" * 3000
    assert survey(source).document is False
    with pytest.raises(OverBudget):
        survey(source, in_flow=False)


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


def test_growth_has_a_bound() -> None:
    assert not grown(10, 4 * 10 + 64 * 1024)
    assert grown(10, 4 * 10 + 64 * 1024 + 1)


SPOTS = [
    pytest.param("<p>a<!--@-->", Spot(("html", "body", "p"), (HTML,) * 3, HTML), id="in a paragraph"),
    pytest.param("<!--@--><html>", Spot((), (), HTML), id="before the root"),
    pytest.param("<title></title><!--@-->", Spot(("html", "head"), (HTML,) * 2, HTML), id="in the head"),
    pytest.param("<table><!--@-->", Spot(("html", "body", "table"), (HTML,) * 3, HTML), id="in a table"),
    pytest.param("<svg><g><!--@-->", Spot(("html", "body", "svg", "g"), (HTML, HTML, SVG, SVG), SVG), id="in svg"),
    pytest.param(
        "<math><annotation-xml encoding=text/html><!--@-->",
        Spot(
            ("html", "body", "math", 'annotation-xml encoding="text/html"'),
            (HTML, HTML, MATH, MATH),
            HTML,
        ),
        id="in an annotation that holds html",
    ),
    pytest.param(
        "<div><template><p><template><b><!--@-->",
        Spot(("html", "body", "div", "template", "p", "template", "b"), (HTML,) * 7, HTML),
        id="in a template in a template",
    ),
]


@pytest.mark.parametrize(("page", "spot"), SPOTS)
def test_where_a_comment_stands(page: str, spot: Spot) -> None:
    assert spots(page.encode(), "@") == {"@": spot}


@pytest.mark.parametrize("page", ["<script><!--@--></script>", "<title><!--@-->", "<!--x-->", "<p a='<!--@-->'>"])
def test_text_is_no_comment(page: str) -> None:
    assert spots(page.encode(), "@") == {}


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


@settings(max_examples=200, deadline=None)
@given(NASTY)
def test_what_is_let_through_is_not_much_deeper_than_was_counted(pattern: str) -> None:
    """With many tags the count is strict: a parser goes at most about twice as deep, for what tables imply, and eight
    times that where it may see tags in what a scanner takes for text."""
    source = pattern * 100
    with patch("fragments.parse._MANY", 0), patch("fragments.parse._FEW", 0):
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


@settings(max_examples=150, deadline=None)
@given(NASTY)
def test_normal_form_of_normal_form_settles(source: str) -> None:
    first = written(source.replace("<plaintext>", ""))
    second = written(first)
    assert written(written(second)) == written(second)
