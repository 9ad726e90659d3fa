"""Where slots are cut, what they say, where they stand, and where the head of a page ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fragments.parse as parse
import fragments.piece as piece
from fragments.contain import fit
from fragments.errors import FragmentsError, OverBudget
from fragments.parse import SHELL
from fragments.plan import MOST, Context, Heading, Plan, Region, Slot, brings, compile, compile_piece, has_slots
from fragments.urls import Place

SLOT = '<mf-slot name="n">F</mf-slot>'
SLOT2 = '<mf-slot name="m"></mf-slot>'


def plan(shell: str) -> Plan:
    return compile(shell.encode())


def only(shell: str) -> Slot:
    (slot,) = plan(shell).slots
    return slot


def codes(shell: str) -> list[str]:
    return [said.code for said in plan(shell).diagnostics]


def region(found: Plan, at: Region) -> bytes:
    return found.literals[at.literal][at.start : at.end]


CUT = [
    pytest.param(f"<header>{SLOT}</header>", ["<header>", "</header>"], ["F"], id="an element"),
    pytest.param("<div><mf-slot name=n /><p>after</p></div>", ["<div>", "<p>after</p></div>"], [""], id="self-closing"),
    pytest.param('a<!--mf:slot name="n"-->b', ["a", "b"], [""], id="a comment"),
    pytest.param('a<template mf-slot="n">F</template>b', ["a", "b"], ["F"], id="a template"),
    pytest.param(
        '<template mf-slot="n"><template>x</template>y</template>b',
        ["", "b"],
        ["<template>x</template>y"],
        id="a template in its fallback",
    ),
    pytest.param("<MF-SLOT NAME=n>F</MF-Slot >b", ["", "b"], ["F"], id="in any case"),
    pytest.param(f"{SLOT}{SLOT}", ["", "", ""], ["F", "F"], id="side by side"),
    pytest.param("<mf-slot name=n><p>after", ["", "<p>after"], [""], id="without an end tag it is empty"),
    pytest.param(
        "<mf-slot name=a><p><mf-slot name=n>F</mf-slot>z", ["", "<p>", "z"], ["", "F"], id="and the next is its own"
    ),
    pytest.param(
        "<mf-slot name=n>1<mf-slot name=b>2</mf-slot>3</mf-slot>4", ["", "4"], None, id="the outer one counts"
    ),
    pytest.param(
        "<template><p></template><mf-slot name=n/ >b", ["<template><p></template>", "b"], [""], id="odd slash"
    ),
]


@pytest.mark.parametrize(("shell", "literals", "fallbacks"), CUT)
def test_cut(shell: str, literals: list[str], fallbacks: list[str] | None) -> None:
    found = plan(shell)
    assert [literal.decode() for literal in found.literals] == literals
    if fallbacks is not None:
        assert [slot.fallback.decode() for slot in found.slots] == fallbacks
    assert found.digest == plan(shell).digest


UNCHANGED = [
    pytest.param('<title>a <mf-slot name="n"></mf-slot></title>', "slot-in-text", id="slot-in-title"),
    pytest.param('<script>var s="<mf-slot name=\\"n\\"></mf-slot>"</script>', "slot-in-text", id="slot-in-script"),
    pytest.param('<!-- <mf-slot name="n"></mf-slot> -->', "slot-in-text", id="slot-in-comment"),
    pytest.param('<textarea><mf-slot name="n"></mf-slot></textarea>', "slot-in-text", id="slot-in-textarea"),
    pytest.param('<p title="<mf-slot name=n></mf-slot>">x</p>', "slot-in-text", id="slot-in-attribute"),
    pytest.param("<style>/*<mf-slot name=n>*/</style>", "slot-in-text", id="slot in style"),
    pytest.param("<noscript><mf-slot name=n></mf-slot></noscript>", "slot-refused", id="slot in noscript"),
    pytest.param("<frameset><mf-slot name=n></mf-slot></frameset>", "slot-refused", id="slot in a frameset"),
    pytest.param("<table><div><mf-slot name=n></mf-slot></div></table>", "slot-refused", id="moved out of a table"),
    pytest.param("<table><tr><b><mf-slot name=n></mf-slot></table>", "slot-refused", id="moved out of a row"),
    pytest.param("<template><col><mf-slot name=n></mf-slot></template>", "slot-refused", id="among template columns"),
    pytest.param("<template><tr></tr><em><mf-slot name=n></mf-slot>", "slot-refused", id="moved out of its rows"),
    pytest.param("<mf-slot></mf-slot>", "slot-without-name", id="slot without a name"),
    pytest.param("<mf-slot name=' '></mf-slot>", "slot-without-name", id="slot with a blank name"),
    pytest.param("<!--mf:slot -->", "slot-without-name", id="comment without a name"),
    pytest.param("<!--mf:slotted name=n-->", "slot-without-name", id="comment that is another"),
    pytest.param('<!--mf:slot name="n-->', "slot-without-name", id="comment whose quote is open"),
    pytest.param("<template mf-slot></template>", "slot-without-name", id="template without a name"),
]


@pytest.mark.parametrize(("shell", "code"), UNCHANGED)
def test_what_is_no_slot_stays_byte_for_byte(shell: str, code: str) -> None:
    found = plan(shell)
    assert found.literals == (shell.encode(),)
    assert code in [said.code for said in found.diagnostics]


SAID = [
    pytest.param(f"<p>{SLOT}", [], id="nothing about a good slot"),
    pytest.param("\n\n<mf-slot name=n>", ["slot-not-closed"], id="no end tag"),
    pytest.param("<mf-slot name=n><!--mf:slot name=m--></mf-slot>", ["slot-in-fallback"], id="a slot in a fallback"),
    pytest.param("<mf-slot name=n timeout=soon></mf-slot>", ["slot-timeout"], id="a timeout that is none"),
    pytest.param("<mf-slot name=n isolation=total></mf-slot>", ["slot-isolation"], id="an isolation that is none"),
    pytest.param("<div><mf-slot name=n></div></mf-slot>", ["fallback-not-closed"], id="a fallback that reaches out"),
]


@pytest.mark.parametrize(("shell", "said"), SAID)
def test_diagnostics(shell: str, said: list[str]) -> None:
    assert codes(shell) == said


def test_a_diagnostic_names_the_line() -> None:
    (said,) = plan("\n\n<mf-slot name=n>").diagnostics
    assert "line 3" in said.message


def test_a_shell_in_another_charset_is_told() -> None:
    assert [said.code for said in compile(b"\xff<mf-slot name=n></mf-slot>").diagnostics] == ["shell-not-utf-8"]


def test_attributes() -> None:
    slot = only(
        '<mf-slot name="hotels.deals" required optional primary timeout="400ms" isolation=shadow '
        'id=deals class="wide red" style="x:y" city="S&atilde;o Paulo" n=1>F</mf-slot>'
    )
    assert slot.name == "hotels.deals"
    assert (slot.required, slot.optional, slot.primary) == (True, True, True)
    assert slot.timeout == 0.4
    assert slot.isolation == "shadow"
    assert slot.query == (("city", "São Paulo"), ("n", "1"))
    assert slot.kept == (("id", "deals"), ("class", "wide red"), ("style", "x:y"))
    assert slot.spelling == "element"


def test_attributes_of_the_other_spellings() -> None:
    comment, template = plan(
        "<!--mf:slot name='a' q='1 > 0' required--><template mf-slot=b name=x q=2></template>"
    ).slots
    assert (comment.name, comment.query, comment.required, comment.spelling) == (
        "a",
        (("q", "1 > 0"),),
        True,
        "comment",
    )
    assert (template.name, template.query, template.spelling) == ("b", (("q", "2"),), "template")


TIMEOUTS = [
    ("400ms", 0.4),
    ("1s", 1.0),
    ("1.5s", 1.5),
    (" 2s ", 2.0),
    ("5", None),
    ("-1s", None),
    ("1m", None),
    ("", None),
]


@pytest.mark.parametrize(("written", "seconds"), TIMEOUTS)
def test_timeout(written: str, seconds: float | None) -> None:
    assert only(f'<mf-slot name=n timeout="{written}"></mf-slot>').timeout == seconds


def test_an_isolation_that_cannot_be_read_is_the_strongest() -> None:
    assert only("<mf-slot name=n isolation=total></mf-slot>").isolation == "iframe"


B = ("html", "body")
PLACES = [
    pytest.param(f"<div>{SLOT}", Context.FLOW, (*B, "div"), id="in a block"),
    pytest.param(SLOT, Context.FLOW, B, id="alone"),
    pytest.param(f"<p>{SLOT}", Context.PHRASE, (*B, "p"), id="in a paragraph"),
    pytest.param(f"<p>a<table><tr><td>{SLOT}", Context.FLOW, None, id="a cell is flow again"),
    pytest.param(f"<button><i>{SLOT}", Context.PHRASE, (*B, "button", "i"), id="in a button"),
    pytest.param(f"<ul><li>{SLOT}", Context.FLOW, (*B, "ul", "li"), id="in a list item"),
    pytest.param(f"<table>{SLOT}", Context.TABLE, (*B, "table"), id="in a table, as an element"),
    pytest.param("<table><!--mf:slot name=n-->", Context.TABLE, (*B, "table"), id="in a table, as a comment"),
    pytest.param(f"<table><tr><td>a</tr>{SLOT}", Context.TBODY, (*B, "table", "tbody"), id="between rows"),
    pytest.param(f"<table><tr>{SLOT}", Context.TR, (*B, "table", "tbody", "tr"), id="in a row"),
    pytest.param(f"<table><colgroup>{SLOT}", Context.COLGROUP, (*B, "table", "colgroup"), id="among columns"),
    pytest.param(f"<select>{SLOT}", Context.SELECT, (*B, "select"), id="in a select"),
    pytest.param(f"<select><option>{SLOT}", Context.SELECT, (*B, "select", "option"), id="in an option"),
    pytest.param(f"<svg><g>{SLOT}", Context.SVG, (*B, "svg", "g"), id="in svg"),
    pytest.param(f"<svg><desc>{SLOT}", Context.FLOW, (*B, "svg", "desc"), id="in html in svg"),
    pytest.param(f"<math>{SLOT}", Context.MATH, (*B, "math"), id="in mathml"),
    pytest.param(f"<div><template><p>{SLOT}", Context.PHRASE, (*B, "div", "template", "p"), id="in a template"),
    pytest.param(f"<head>{SLOT}<title>T</title></head>", Context.HEAD, ("html", "head"), id="in a head that goes on"),
    pytest.param(f"<title>T</title>{SLOT}<body>", Context.HEAD, ("html", "head"), id="in one without tags"),
    pytest.param(f"<title>T</title>{SLOT}<p>x", Context.FLOW, B, id="after the last of the head"),
    pytest.param(f"<head></head>{SLOT}<body>x", Context.FLOW, B, id="between head and body"),
    pytest.param(f"<body>x</body></html>{SLOT}", Context.FLOW, B, id="after the end"),
    pytest.param(f"<table><form><tr><td>{SLOT}", Context.FLOW, (*B, "form", "table", "tbody", "tr", "td"), id="form"),
    pytest.param(f"<p>x</body>{SLOT}", Context.PHRASE, (*B, "p"), id="after a body that left something open"),
    pytest.param(f"<ul><li>x</body></html>{SLOT}", Context.FLOW, (*B, "ul", "li"), id="after an html that did"),
    pytest.param(
        f"<p><a href=/x><b><nobr>1</p>{SLOT}", Context.PHRASE, (*B, "a", "b", "nobr"), id="in what its tag opens again"
    ),
    pytest.param(f"<head>{SLOT}<meta>{SLOT2}</head>", Context.HEAD, ("html", "head"), id="both in the head"),
    pytest.param(f"<table><form></form><tr><td>{SLOT}", Context.FLOW, (*B, "table", "tbody", "tr", "td"), id="no form"),
]


@pytest.mark.parametrize(("shell", "context", "chain"), PLACES)
def test_where_a_slot_stands(shell: str, context: Context, chain: tuple[str, ...] | None) -> None:
    slot = plan(shell).slots[0]
    assert slot.context is context
    if chain is not None:
        assert slot.chain == chain


@pytest.mark.parametrize(("shell", "quirks"), [(SLOT, True), (f"<!doctype html>{SLOT}", False)])
def test_quirks(shell: str, quirks: bool) -> None:
    assert only(shell).quirks is quirks


def test_a_byte_order_mark_does_not_end_the_head() -> None:
    assert only(f"\ufeff<head>{SLOT}</head>").context is Context.HEAD


WRAPPERS = [
    pytest.param(SLOT, '<mf-slot name="n" data-mf-slot="@">', "</mf-slot>", id="an element"),
    pytest.param(
        "<mf-slot name=n class=c></mf-slot>", '<mf-slot name="n" data-mf-slot="@" class="c">', "</mf-slot>", id="kept"
    ),
    pytest.param(f"<table>{SLOT}", "<!--mf:@-->", "<!--/mf:@-->", id="comments in a table"),
    pytest.param(f"<head>{SLOT}</head>", "<!--mf:@-->", "<!--/mf:@-->", id="comments in a head"),
    pytest.param(f"<svg>{SLOT}", '<g data-mf-name="n" data-mf-slot="@">', "</g>", id="a group in svg"),
    pytest.param(f"<math>{SLOT}", '<mrow data-mf-name="n" data-mf-slot="@">', "</mrow>", id="a row in mathml"),
]


@pytest.mark.parametrize(("shell", "before", "after"), WRAPPERS)
def test_wrapper(shell: str, before: str, after: str) -> None:
    slot = only(shell)
    assert slot.wrapper() == (before.replace("@", slot.mark), after.replace("@", slot.mark))


def test_fallbacks_and_empty_slots_are_ready_to_be_sent() -> None:
    found = plan(f"<p>{SLOT}")
    before, after = found.slots[0].wrapper()
    assert found.fallbacks == (f"{before}F{after}".encode(),)
    assert found.empties == (f"{before}{after}".encode(),)


FALLBACKS = [
    pytest.param("<div><mf-slot name=n><P>x</P></mf-slot>", b"<P>x</P>", id="what stays inside is kept as written"),
    pytest.param("<div><mf-slot name=n><p>x</mf-slot>", b"<p>x</p>", id="an open paragraph would go on after it"),
    pytest.param("<div><mf-slot name=n></div>x</mf-slot>", b"x", id="what reaches out is closed"),
    pytest.param("<svg><mf-slot name=n><g><p>x</mf-slot>", b"<g></g>", id="in its own context"),
    pytest.param("<p><mf-slot name=n><div>x</div></mf-slot>", b"", id="what cannot be closed is left out"),
]


@pytest.mark.parametrize(("shell", "fallback"), FALLBACKS)
def test_fallback(shell: str, fallback: bytes) -> None:
    assert only(shell).fallback == fallback


MARKS = f"{SLOT}{SLOT}<mf-slot name=b></mf-slot>"


def test_marks_differ_within_a_page_and_agree_between_pages() -> None:
    marks = [slot.mark for slot in plan(MARKS).slots]
    assert len(set(marks)) == 3
    assert marks == [slot.mark for slot in plan(f"<p>other</p>{MARKS}").slots]


HOISTS = [
    pytest.param("<head><title>T</title>|</head><body>", id="before the end tag"),
    pytest.param("<title>T</title>|<body><p>x", id="before the body"),
    pytest.param("<!doctype html><title>T</title>|<p>x", id="before the first block"),
    pytest.param("<title>T</title>|text<p>x", id="before text"),
    pytest.param("<title>T</title><!-- c --> <link>\n|<p>x", id="comments and space may be in a head"),
    pytest.param("<head><template><p>x</p></template>|</head>", id="a template's content is not the page's"),
    pytest.param("<noscript><img></noscript>|</head>", id="nor a noscript's"),
    pytest.param("|<p>x", id="without a head"),
    pytest.param("\ufeff|x", id="after a mark"),
    pytest.param(f"<title>T</title>|{SLOT}<p>x", id="before a slot that begins the body"),
    pytest.param(f"<head>{SLOT}<meta>|</head>{SLOT}", id="after one in the head"),
    pytest.param("<title>T</title>|<script>x", id="before a script that never ends"),
    pytest.param("<title>T</title>|", id="at the end"),
    pytest.param("<title>T</title></p>|</html>", id="stray end tags are nothing"),
    pytest.param("<title>T</title>|</br><script>x</script>", id="but one of br is an element"),
]


@pytest.mark.parametrize("shell", HOISTS)
def test_where_the_head_ends(shell: str) -> None:
    found = plan(shell.replace("|", ""))
    assert found.hoist is not None
    at, offset = found.hoist
    marked = [*found.literals]
    marked[at] = marked[at][:offset] + b"|" + marked[at][offset:]
    expected = shell.replace(SLOT, "\0").encode()
    assert b"\0".join(marked) == expected
    assert [b"".join(halves) for halves in found.hoisted] == list(found.literals)


def test_heading() -> None:
    found = plan(
        "<head><title>T</title><meta name=description content=d><meta charset=utf-8><link rel=canonical href=/c>"
        "<link rel=stylesheet href=/a.css><script type=importmap>{}</script><script type=module src=/m.js></script>"
        "<noscript><link rel=stylesheet href=/n.css></noscript></head>"
        "<template><title>X</title></template><meta name=late>"
    )
    heading = found.heading
    assert heading.present == {"stylesheet href=/a.css", "module src=/m.js"}
    assert heading.title is not None
    assert region(found, heading.title) == b"<title>T</title>"
    assert [(key, region(found, at)) for key, at in heading.metadata] == [
        ("meta description", b"<meta name=description content=d>"),
        ("meta ", b"<meta charset=utf-8>"),
        ("canonical", b"<link rel=canonical href=/c>"),
    ]
    assert heading.import_map is not None
    assert (heading.map_text, region(found, heading.import_map)) == ("{}", b"{}")


MAP_PLACES = [
    pytest.param("<head>|<script type=module src=/m.js></script></head>", id="before the first module"),
    pytest.param("<head>|<link rel=modulepreload href=/m.js></head>", id="before the first preload of one"),
    pytest.param("<head><title>T</title>|</head><script type=module src=/m.js></script>", id="in the head"),
]


@pytest.mark.parametrize("shell", MAP_PLACES)
def test_where_an_import_map_has_to_stand(shell: str) -> None:
    heading = plan(shell.replace("|", "")).heading
    assert heading.map_text is None
    assert heading.import_map == Region(0, shell.index("|"), shell.index("|"))


HAS = [
    ("<p>x", False),
    (SLOT, True),
    ("<MF-Slot name=n>", True),
    ("<!--mf:slot name=n-->", True),
    ("<!--MF:SLOT-->", True),
    ("<template mf-slot=n>", True),
    ("<template MF-SLOT=n>", True),
]


@pytest.mark.parametrize(("page", "has"), HAS)
def test_has_slots(page: str, has: bool) -> None:
    assert has_slots(page.encode()) is has


BROUGHT = [
    pytest.param("<p><mf-slot name=a>", True, id="an element"),
    pytest.param("<template data-mf-x mf-slot=a>", True, id="a template"),
    pytest.param("<!--mf:slot name=a-->", True, id="a comment"),
    pytest.param("<p><mf-slot name=b></mf-slot><!-- name=a -->", False, id="one that is not asked for"),
    pytest.param("<script>'<mf-slot name=a>'</script>", False, id="text"),
    pytest.param("name=a", False, id="no slot at all"),
]


@pytest.mark.parametrize(("source", "brought"), BROUGHT)
def test_what_came_with_a_request_is_known_as_it_was_written(source: str, brought: bool) -> None:
    assert brings(source.encode(), lambda tag: b"=a" in tag) is brought


@pytest.mark.parametrize("shell", ["<div>" * 600, "x" * (SHELL.size + 1)], ids=["depth", "bytes"])
def test_a_shell_has_a_budget_too(shell: str) -> None:
    with pytest.raises(OverBudget):
        plan(shell)


def test_a_page_has_so_many_slots_and_no_more() -> None:
    found = plan(SLOT * (MOST + 2))
    assert len(found.slots) == MOST
    assert found.literals[-1] == (SLOT * 2).encode()
    assert found.diagnostics[0].code == "slots-too-many"


TAGS = """
<mf-slot_name=n> <mf-slot_name=m_/> </mf-slot> <!--mf:slot_name=c--> <template_mf-slot=t> </template> <template> <p>
</p> <table> <tr> <td> </table> <div> </div> <title> </title> <script> </script> <svg> </svg> <select> <head> </head>
<body> x
<!-- --> <noscript> </noscript> <form> </form> <style> <frameset> <link_rel=stylesheet_href=/a> <math> <!doctype_html>
"""
SHELLS = st.lists(st.sampled_from(TAGS.split()).map(lambda tag: tag.replace("_", " ")), max_size=16).map("".join)


@settings(max_examples=200, deadline=None)
@given(SHELLS)
def test_any_shell_is_cut_without_loss(shell: str) -> None:
    """Literals are the shell's own bytes in order, and whatever is not a slot is in one of them."""
    found = plan(shell)
    assert len(found.literals) == len(found.slots) + 1
    at = 0
    for literal in found.literals:
        assert shell.encode().find(literal, at) >= at
        at = shell.encode().find(literal, at) + len(literal)
    if not found.slots:
        assert found.literals == (shell.encode(),)
    assert [b"".join(halves) for halves in found.hoisted] == list(found.literals)


# ---- Where the body ends --------------------------------------------------------------------------------------------

BODY_ENDS = [
    pytest.param("<body><p>x</p>|</body></html>", "", id="before its end tag"),
    pytest.param(f"<div>{SLOT}</div>|</body>", "", id="after the last slot"),
    pytest.param("<p>x</p>|</html>", "", id="before html's where body has none"),
    pytest.param("<div>x</div>|", "", id="at the end of a page without either"),
    pytest.param("<div>x</div>|</body>\n<!-- c -->\n</html>\n", "", id="blanks and comments may follow"),
    pytest.param("<div>x</div></body>y|", "", id="text after it goes on with the body"),
    pytest.param("<div>x</div></body></html><p>y</p>|", "", id="so does an element"),
    pytest.param(f"x</body>{SLOT}|</html>", "", id="so does a slot"),
    pytest.param("<p>a<p>b|</body>", "</p>", id="a paragraph may be left open"),
    pytest.param("<ul><li>a<b>b|</body>", "</b></li></ul>", id="a list as well"),
    pytest.param(
        "<table><tr><td>a|</body>", "</td></tr></tbody></table>", id="a table, whose cells ignore the end tag"
    ),
    pytest.param("<script>'</body>'</script>|</body>", "", id="one in a script is text"),
    pytest.param("<!--</body>-->|</body>", "", id="one in a comment as well"),
    pytest.param("<title>T</title>|", "", id="a page that is all head"),
    pytest.param("|", "", id="nothing"),
]


@pytest.mark.parametrize(("shell", "closing"), BODY_ENDS)
def test_where_the_body_ends(shell: str, closing: str) -> None:
    found = plan(shell.replace("|", ""))
    assert found.body_end is not None
    at, offset = found.body_end
    marked = [*found.literals]
    marked[at] = marked[at][:offset] + b"|" + marked[at][offset:]
    assert b"\0".join(marked) == shell.replace(SLOT, "\0").encode()
    assert found.closing == closing.encode()


ENDLESS = ["<script>x</body>", "<!-- x</body>", "<p title='</body>", "<plaintext>x</body>", "<textarea></body>"]
ENDLESS += ["<template><p></body>", "<svg><g></body>", "<math></body>", "<select><option></body>", "<noscript></body>"]


@pytest.mark.parametrize("shell", ENDLESS)
def test_a_page_that_ends_within_something_has_no_end_of_the_body(shell: str) -> None:
    assert plan(shell).body_end is None


# ---- Who comes later ------------------------------------------------------------------------------------------------

LATE = '<mf-slot name="n" late></mf-slot>'
LAZY = '<mf-slot name="n" lazy></mf-slot>'
LATER = [
    pytest.param(f"<div>{LATE}", (True, False), [], id="late in flow"),
    pytest.param(f"<p>{LATE}", (True, False), [], id="late in a paragraph"),
    pytest.param(f"<table>{LATE}", (True, False), [], id="late in a table"),
    pytest.param(f"<table><tbody>{LATE}", (True, False), [], id="late between rows"),
    pytest.param(f"<table><tr>{LATE}", (True, False), [], id="late between cells"),
    pytest.param(f"<title>T</title>{LATE}", (False, False), ["slot-late"], id="not where it begins the body"),
    pytest.param(f"<p><b>x</p>{LATE}", (False, False), ["slot-late"], id="not where formatting is opened again"),
    pytest.param(f"<body>x</body>{LATE}", (False, False), ["slot-late"], id="not after the body"),
    pytest.param(f"<head>{LATE}</head>", (False, False), ["slot-late"], id="not in the head"),
    pytest.param(f"<select>{LATE}", (False, False), ["slot-late"], id="not in a select"),
    pytest.param(f"<table><colgroup>{LATE}", (False, False), ["slot-late"], id="not among columns"),
    pytest.param(f"<svg>{LATE}", (False, False), ["slot-late"], id="not in svg"),
    pytest.param(f"<template><p>{LATE}", (False, False), ["slot-late"], id="not in a template"),
    pytest.param("<mf-slot name=n late required></mf-slot>", (False, False), ["slot-late"], id="not a required one"),
    pytest.param("<mf-slot name=n late primary></mf-slot>", (False, False), ["slot-late"], id="not a primary one"),
    pytest.param(f"<div>{LAZY}", (False, True), [], id="lazy in flow"),
    pytest.param(f"<p>{LAZY}", (False, True), [], id="lazy in a paragraph"),
    pytest.param(f"<table>{LAZY}", (False, False), ["slot-lazy"], id="lazy not in a table"),
    pytest.param(f"<head>{LAZY}</head>", (False, False), ["slot-lazy"], id="lazy not in the head"),
    pytest.param(f"<template>{LAZY}", (False, False), ["slot-lazy"], id="lazy not in a template"),
    pytest.param("<mf-slot name=n lazy required></mf-slot>", (False, False), ["slot-lazy"], id="lazy not required"),
    pytest.param("<p><mf-slot name=n lazy late></mf-slot>", (False, True), ["slot-late"], id="of both, lazy"),
    pytest.param("<table><mf-slot name=n lazy late></mf-slot>", (True, False), ["slot-lazy"], id="or what can be"),
]


@pytest.mark.parametrize(("shell", "later", "said"), LATER)
def test_who_comes_later(shell: str, later: tuple[bool, bool], said: list[str]) -> None:
    slot = only(shell)
    assert (slot.late, slot.lazy) == later
    assert codes(shell) == said


# ---- Slots in a piece -----------------------------------------------------------------------------------------------

PLACE = Place("/hotels", base="/hotels/x")


def composed(shell: str, fragment: str, isolation: str = "none") -> tuple[Slot, Plan, bytes]:
    slot = only(shell)
    read = piece.read(fragment.encode(), "text/html", PLACE, slot.context, slots=True)
    html = fit(read, slot, isolation).html
    return slot, compile_piece(html, slot), html


INNER = '<mf-slot name="i" q="1">F</mf-slot>'
NESTED = [
    pytest.param(f"<div>{SLOT}", f"<p>a{INNER}b</p>", Context.PHRASE, (*B, "div", "mf-slot", "p"), id="in a paragraph"),
    pytest.param(f"<p>{SLOT}", INNER, Context.PHRASE, (*B, "p", "mf-slot"), id="in the shell's paragraph"),
    pytest.param(
        f"<table>{SLOT}",
        "<tr><td>x<template mf-slot=i>F</template>",
        Context.FLOW,
        (*B, "table", "tbody", "tr", "td"),
        id="in a cell of rows",
    ),
    pytest.param(
        f"<table><tbody>{SLOT}",
        "<tr><td>x</td></tr><template mf-slot=i>F</template>",
        Context.TBODY,
        (*B, "table", "tbody"),
        id="between rows",
    ),
    pytest.param(
        f"<table><tr>{SLOT}",
        "<td>x</td><!--mf:slot name=i-->",
        Context.TR,
        (*B, "table", "tbody", "tr"),
        id="between cells, as a comment",
    ),
    pytest.param(f"<head>{SLOT}</head>", "<!--mf:slot name=i-->", Context.HEAD, ("html", "head"), id="in the head"),
    pytest.param(f"<svg><g>{SLOT}", "<template mf-slot=i></template>", Context.SVG, (*B, "svg", "g", "g"), id="in svg"),
    pytest.param(
        f"<table><form><tr><td>{SLOT}",
        f"<p>x</p>{INNER}",
        Context.FLOW,
        (*B, "form", "table", "tbody", "tr", "td", "mf-slot"),
        id="an open form stays around",
    ),
]


@pytest.mark.parametrize(("shell", "fragment", "context", "chain"), NESTED)
def test_a_slot_in_a_piece(shell: str, fragment: str, context: Context, chain: tuple[str, ...]) -> None:
    outer, found, html = composed(shell, fragment)
    (slot,) = found.slots
    assert (slot.name, slot.context, slot.chain, slot.quirks) == ("i", context, chain, outer.quirks)
    before, after = found.literals
    assert html.startswith(before)
    assert html.endswith(after)
    assert slot.mark.startswith(f"{outer.mark}-")


def test_a_slot_in_a_shadow_root_stands_in_its_template() -> None:
    _, found, _ = composed(f"<div>{SLOT}", f"<p>x</p>{INNER}", "shadow")
    assert found.slots[0].chain == (*B, "div", "mf-slot", "template")


def test_a_piece_has_no_head_and_no_end() -> None:
    _, found, _ = composed(f"<div>{SLOT}", f"<p>x</p>{INNER}{INNER}")
    assert (found.hoist, found.body_end, found.closing, found.heading) == (None, None, b"", Heading())
    assert found.hoisted == tuple((literal,) for literal in found.literals)
    assert found.fallbacks == tuple(slot.filled(b"F") for slot in found.slots)


def test_the_wrapper_of_a_piece_is_no_slot() -> None:
    _, found, html = composed(f"<div>{SLOT}", "<p>x")
    assert (found.literals, found.slots, found.diagnostics) == ((html,), (), ())


def test_no_two_slots_of_a_page_share_a_mark() -> None:
    shell = plan(f"{SLOT}{SLOT}")
    pieces = [compile_piece(slot.filled(f"{INNER}{INNER}".encode()), slot) for slot in shell.slots]
    deeper = [compile_piece(slot.filled(INNER.encode()), slot) for each in pieces for slot in each.slots]
    marks = [slot.mark for each in (shell, *pieces, *deeper) for slot in each.slots]
    assert len(set(marks)) == len(marks) == 10


def test_the_same_piece_elsewhere_has_another_digest() -> None:
    digests = {compile_piece(b"<i>x</i>", slot).digest for slot in plan(f"{SLOT}<p>{SLOT}").slots}
    assert len(digests) == 2


NESTED_SAID = [
    pytest.param("<mf-slot name=i late></mf-slot>", ["slot-late"], id="late"),
    pytest.param("<mf-slot name=i lazy></mf-slot>", ["slot-lazy"], id="lazy"),
    pytest.param("<mf-slot name=i primary></mf-slot>", ["slot-primary"], id="primary"),
    pytest.param("<mf-slot name=i required></mf-slot>", [], id="required"),
    pytest.param("<mf-slot></mf-slot>", ["slot-without-name"], id="without a name"),
    pytest.param("<script>'<mf-slot name=i>'</script>", ["slot-in-text"], id="in text"),
]


@pytest.mark.parametrize(("inner", "said"), NESTED_SAID)
def test_what_is_said_of_slots_in_a_piece(inner: str, said: list[str]) -> None:
    slot = only(f"<div>{SLOT}")
    found = compile_piece(slot.filled(f"<p>x</p>{inner}".encode()), slot)
    assert [each.code for each in found.diagnostics] == said
    assert [each.line for each in found.diagnostics] == [1] * len(said)
    assert [(each.late, each.lazy, each.primary) for each in found.slots] == [(False, False, False)] * len(found.slots)


def test_slots_of_a_primary_piece_may_be_primary() -> None:
    slot = only("<mf-slot name=n primary></mf-slot>")
    assert compile_piece(slot.filled(b"<mf-slot name=i primary></mf-slot>"), slot).slots[0].primary


def test_a_slot_in_a_piece_whose_tag_is_foreign_stays() -> None:
    slot = only(f"<div>{SLOT}")
    html = slot.filled(f"{INNER}<mf-slot name=own></mf-slot>".encode())
    found = compile_piece(html, slot, foreign=lambda tag: tag == INNER[: INNER.index(">") + 1].encode())
    assert [each.name for each in found.slots] == ["own"]


NESTED_TAGS = """
<mf-slot_name=i> </mf-slot> <mf-slot_name=j_/> <template_mf-slot=t> </template> <!--mf:slot_name=c--> <p> </p> <table>
<tr> <td> </table> <ul> <li> <svg> <g> </svg> <select> <option> </select> <a> </a> <form> </form> <b> x <template>
<template_shadowrootmode=open> <math> <script> </script> <button> <h1> <!-- -->
"""
FRAGMENTS = st.lists(st.sampled_from(NESTED_TAGS.split()).map(lambda tag: tag.replace("_", " ")), max_size=10)
AROUND = ["<div>@", "<p>@", "<table>@", "<table><tr>@", "<ul><li>@", "<select>@", "<svg>@", "<form>@"]
AROUND += ["<head>@</head>", "<!doctype html><p><b>@", "<a>@", "<template><div>@", "<math><mi>@", "<button>@"]


@settings(max_examples=200, deadline=None)
@given(FRAGMENTS.map("".join), st.sampled_from(AROUND), st.sampled_from(["none", "shadow"]))
def test_a_piece_is_compiled_as_the_whole_page_would_be(fragment: str, around: str, isolation: str) -> None:
    try:
        outer, found, html = composed(around.replace("@", SLOT), fragment, isolation)
    except FragmentsError:
        return
    whole = compile(around.encode().replace(b"@", html), foreign=lambda tag: outer.mark.encode() in tag)
    assert [(slot.name, slot.context, slot.chain, slot.fallback) for slot in found.slots] == [
        (slot.name, slot.context, slot.chain, slot.fallback) for slot in whole.slots
    ]
    before, after = around.encode().split(b"@")
    assert [before + found.literals[0], *found.literals[1:]] == [
        *whole.literals[:-1],
        whole.literals[-1][: -len(after) or None],
    ]
    assert found.literals[0].startswith(html[: len(found.literals[0])])


@settings(max_examples=200, deadline=None)
@given(SHELLS)
def test_what_comes_at_the_end_of_any_body_is_its_own_child(shell: str) -> None:
    found = plan(shell)
    if found.body_end is None:
        return
    at, offset = found.body_end
    literals = [*found.literals]
    literals[at] = literals[at][:offset] + found.closing + b"<div><!--here:--></div>" + literals[at][offset:]
    parts = [literals[0], *(part for pair in zip(found.empties, literals[1:], strict=True) for part in pair)]
    assert parse.spots(b"".join(parts), "here")["here:"].chain == ("html", "body", "div")
