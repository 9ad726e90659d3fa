"""Where slots are cut, what they say, where they stand, and where the head of a page ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.errors import OverBudget
from fragments.parse import SHELL
from fragments.plan import MOST, Context, Plan, Region, Slot, compile, has_slots

SLOT = '<mf-slot name="n">F</mf-slot>'


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
        '<mf-slot name="hotels.deals" required optional primary late lazy timeout="400ms" isolation=shadow '
        'id=deals class="wide red" style="x:y" city="S&atilde;o Paulo" n=1>F</mf-slot>'
    )
    assert slot.name == "hotels.deals"
    assert (slot.required, slot.optional, slot.primary, slot.late, slot.lazy) == (True,) * 5
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
    pytest.param(f"<table><form></form><tr><td>{SLOT}", Context.FLOW, (*B, "table", "tbody", "tr", "td"), id="no form"),
]


@pytest.mark.parametrize(("shell", "context", "chain"), PLACES)
def test_where_a_slot_stands(shell: str, context: Context, chain: tuple[str, ...] | None) -> None:
    slot = only(shell)
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
