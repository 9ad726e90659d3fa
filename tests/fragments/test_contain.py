"""The ladder, and the promise it keeps: outside its slot, a page does not depend on what a piece is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from fragments.contain import Fitted, fit
from fragments.errors import FragmentsError, Uncontained
from fragments.piece import Piece, read
from fragments.plan import Plan, Slot, compile
from fragments.urls import Place

CART = Place("/cart", base="/cart/fragments/mini")
SLOT = '<mf-slot name="n"></mf-slot>'


def compiled(shell: str) -> tuple[Plan, Slot]:
    plan = compile(shell.replace("@", SLOT).encode())
    (slot,) = plan.slots
    return plan, slot


def fitted(shell: str, source: str, isolation: str = "none") -> Fitted:
    _, slot = compiled(shell)
    return fit(read(source.encode(), "text/html", CART, slot.context), slot, isolation)


RUNGS = [
    pytest.param("<div>@</div>", "<p>x", "light", id="flow in flow"),
    pytest.param("<p>1@2</p>", "<b>x", "light", id="phrase in a paragraph"),
    pytest.param("<p>1@2</p>", "<div>x</div>", "shadow", id="contain-block-in-p"),
    pytest.param("<ul><li>@<b>y</b></li></ul>", "<li>z", "section", id="contain-li-in-li"),
    pytest.param("<dl><dt>@<b>y</b></dl>", "<dd>z", "section", id="the same in a list of terms"),
    pytest.param("<ul><li><p><b>x</p>@</ul>", "<li>z", "shadow", id="a section opens no formatting again"),
    pytest.param("<ul><li><b>x@</b></ul>", "<li>z", "shadow", id="contain-li-in-b-in-li"),
    pytest.param(
        "<svg><desc><div><b>x</div><i><p><b>x<b>y</p>@", "<b>z", "shadow", id="formatting is remembered in a drawing"
    ),
    pytest.param("<ul><li>@</ul>", "<search><li>z", "section", id="a search is no block to all parsers"),
    pytest.param("<ul><li><search>@</ul>", "<li>z", "section", id="nor is one around"),
    pytest.param("<form>@<input></form>", "<form><input></form>", "shadow", id="contain-form-in-form"),
    pytest.param("<a href=/x>@<b>y</b></a>", "<a href=/z>z</a>", "shadow", id="contain-a-in-a"),
    pytest.param("<button>@</button>", "<button>x", "shadow", id="a button in a button"),
    pytest.param("<table>@</table>", "<tr><td>1", "light", id="slot-comment-in-table"),
    pytest.param("<table><form>@</table>", "<tr><td><b>1", "light", id="rows in an open form"),
    pytest.param("<svg>@</svg>", "<circle>", "light", id="svg"),
    pytest.param("<select>@</select>", "<option>x", "light", id="options"),
    pytest.param("<head>@<title>T</title></head>", "<meta name=a>", "light", id="slot-in-head"),
    pytest.param("<p>@", "<table></table>", "light", id="a table in a paragraph, in quirks mode"),
    pytest.param("<!doctype html><p>@", "<table></table>", "shadow", id="and in standards mode"),
]


@pytest.mark.parametrize(("shell", "source", "rung"), RUNGS)
def test_rung(shell: str, source: str, rung: str) -> None:
    assert fitted(shell, source).rung == rung


STARTING = [
    pytest.param("none", "", "light", id="none"),
    pytest.param("scope", "", "light", id="scope"),
    pytest.param("shadow", "", "shadow", id="the manifest's"),
    pytest.param("none", "isolation=shadow", "shadow", id="the slot's"),
    pytest.param("iframe", "isolation=none", "iframe", id="the stronger of both"),
]


@pytest.mark.parametrize(("isolation", "attribute", "rung"), STARTING)
def test_where_the_ladder_begins(isolation: str, attribute: str, rung: str) -> None:
    (slot,) = compile(f"<div><mf-slot name=n {attribute}></mf-slot></div>".encode()).slots
    assert fit(read(b"<p>x", "text/html", CART), slot, isolation).rung == rung


SCOPES = [
    pytest.param("<div>@", "<p>x", "light", True, [], id="as it is"),
    pytest.param("<ul><li>@</ul>", "<li>x", "section", True, [], id="in a section"),
    pytest.param("<svg>@</svg>", "<g>", "light", True, [], id="in a drawing"),
    pytest.param("<p>@", "<div>x", "shadow", False, [], id="in a shadow root there is no need"),
    pytest.param("<table>@", "<tr><td>x", "light", False, ["scope-not-applied"], id="where no element can stand"),
]


@pytest.mark.parametrize(("shell", "source", "rung", "has_scope", "said"), SCOPES)
def test_scope(shell: str, source: str, rung: str, has_scope: bool, said: list[str]) -> None:
    found = fitted("<!doctype html>" + shell, "<style>.c{}</style>" + source, "scope")
    assert found.rung == rung
    assert (b"@scope" in b"".join([found.html, *(item.html for item in found.head)])) == has_scope
    assert [each.code for each in found.diagnostics] == said


@pytest.mark.parametrize("isolation", ["shadow", "iframe"])
def test_where_no_element_can_stand_nothing_stronger_can(isolation: str) -> None:
    with pytest.raises(Uncontained):
        fitted("<table>@</table>", "<tr>", isolation)


def test_a_piece_that_does_not_settle_is_framed() -> None:
    _, slot = compiled("<div>@")
    piece = Piece(b"<p>x", stable=False)
    assert fit(piece, slot).rung == "iframe"


def test_so_is_one_that_only_says_it_does() -> None:
    """What a piece says of itself is seen where it stands."""
    _, slot = compiled("<div>@")
    assert fit(Piece(b"<a><p><a>x</a></p></a>"), slot).rung == "iframe"


def test_uncontained_says_where() -> None:
    _, slot = compiled("<table>@")
    with pytest.raises(Uncontained, match=r"slot 'n' in html > body > table"):
        fit(Piece(b"<tr>", stable=False), slot)


def test_no_rung_is_left_where_even_a_frame_changes_the_page() -> None:
    """A chain that its own start tags do not make again is never taken for contained."""
    slot = Slot("n", chain=("html", "body", "textarea"))
    with pytest.raises(Uncontained):
        fit(Piece(b"x"), slot)


BROUGHT = (
    "<title>T</title><meta name=description content=d><link rel=stylesheet href=/s.css><style>b{}</style>"
    "<script type=module src=/m.js></script><script type=importmap>{}</script><p>x"
)


def test_light_brings_to_the_head_all_but_metadata() -> None:
    found = fitted("<div>@", BROUGHT)
    assert [item.kind for item in found.head] == ["stylesheet", "style", "module", "importmap"]
    assert (found.title, found.plain) == (None, False)


def test_a_primary_slot_brings_title_and_metadata() -> None:
    (slot,) = compile(b"<mf-slot name=n primary></mf-slot>").slots
    found = fit(read(BROUGHT.encode(), "text/html", CART), slot)
    assert "meta" in [item.kind for item in found.head]
    assert (found.title, found.plain) == ("T", False)


def test_plain_is_what_needs_nothing_but_a_place_at_the_end_of_the_head() -> None:
    assert fitted("<div>@", "<link rel=stylesheet href=/s.css><p>x").plain


def test_a_shadow_root_has_its_sheets_inside() -> None:
    found = fitted("<div>@", BROUGHT, "shadow")
    sheets = b'<link rel="stylesheet" href="/cart/s.css?mf-scope=:host"><style>b{}</style>'
    assert b'<template shadowrootmode="open">' + sheets + b"<p>x</p></template>" in found.html
    assert [item.kind for item in found.head] == ["stylesheet", "module", "importmap"]


def test_a_frame_has_everything_inside() -> None:
    found = fitted("<div>@", "<html lang=de class=k><body dir=rtl>" + BROUGHT + '"&amp;', "iframe")
    assert found.head == ()
    for brought in (b"/cart/s.css", b"/cart/m.js", b"importmap", b"description", b"b{}"):
        assert brought in found.html


MODULE = "<script type=module mf-mount src=/app.js></script><p id=a>x</p>"


@pytest.mark.parametrize("isolation", ["none", "scope", "shadow"])
def test_the_wrapper_says_which_module_takes_the_slot_over(isolation: str) -> None:
    found = fitted("<div>@", MODULE, isolation)
    assert found.module == "/cart/app.js"
    assert b' data-mf-module="/cart/app.js" data-mf-base="/cart/">' in found.html[: found.inside]
    assert [item.kind for item in found.head] == ["modulepreload"]
    assert found.ids == (frozenset() if isolation == "shadow" else frozenset("a"))


def test_in_a_frame_the_module_is_the_frames() -> None:
    found = fitted("<div>@", MODULE, "iframe")
    assert (found.module, found.head, found.ids) == ("", (), frozenset())
    assert [said.code for said in found.diagnostics] == ["frame-module"]
    assert b"data-mf-module" not in found.html


def test_no_module_takes_over_rows() -> None:
    found = fitted("<table>@", "<tr><td>x" + MODULE)
    assert (found.module, [said.code for said in found.diagnostics]) == ("", ["mount-refused"])


def test_speculation_rules_are_a_primary_pieces() -> None:
    source = b"<script type=speculationrules>{}</script>x"
    (first,) = compile(b"<mf-slot name=n primary></mf-slot>").slots
    (second,) = compile(b"<mf-slot name=n></mf-slot>").slots
    primary, other = (fit(read(source, "text/html", CART), slot) for slot in (first, second))
    assert ([item.kind for item in primary.head], primary.diagnostics) == (["speculationrules"], ())
    assert (other.head, [said.code for said in other.diagnostics]) == ((), ["piece-rules"])


def test_the_wrapper_has_what_was_the_roots() -> None:
    (slot,) = compile(b"<mf-slot name=n class=wide id=i></mf-slot>").slots
    found = fit(read(b"<html class=a lang=de><body class=b dir='' data-a><p>x", "text/html", CART), slot)
    before = f'<mf-slot name="n" data-mf-slot="{slot.mark}" id="i" class="wide a b" lang="de" data-a="">'
    assert found.html.decode() == f"{before}<p>x</p></mf-slot>"
    assert found.html[found.inside :] == b"<p>x</p></mf-slot>"


SHELLS = [
    "<div>@</div>",
    "<p>1@2</p>",
    "<table>@<tr><td>z</table>",
    "<table><tr><td>a</tr>@<tr><td>z</table>",
    "<table><tr>@<td>z</table>",
    "<ul><li>@<b>y</b></li></ul>",
    "<a href=/x>@<b>y</b></a>",
    "<form>@<input></form>",
    "<form><table><tr><td>@</table></form><p>z",
    "<select>@<option>z</select>",
    "<svg><g>@</g></svg>z",
    "<math>@</math>z",
    "<head>@<title>T</title></head>z",
    "<b><nobr>@<i>y</b>z",
    "<template><p>@</p>z</template>",
    "<dl><dt>@<b>y</dl>",
    "<button>@</button>z",
    "<!doctype html><p>@<b>y",
]
TAGS = """
<b> </b> <p> </p> <div> </div> <table> </table> <tr> <td> <svg> </svg> <g> <style> </style> <title> <select> <option>
<template> </template> <noscript> </noscript> <!-- --> <a_href=x> </a> <math> <mi> <form> </form> <li> <script>
</script> <textarea> <pre> x &lt; <foreignObject> <desc> <plaintext> <frameset> <br> <mf-slot> </mf-slot> </section>
<nobr> <button> <h1> <dd> <input> <object> </body> </html> <caption> <col> <hr> <xmp> <iframe> <mglyph> <annotation-xml>
"""
NASTY = st.lists(st.sampled_from(TAGS.split()).map(lambda tag: tag.replace("_", " ")), max_size=14).map("".join)


def outside(page: str, mark: str, scripting: bool) -> str:
    """The whole page as Lexbor reads it, with the slot cut out of it."""
    parser = LexborHTMLParser(page, scripting=scripting, options=LexborDocumentOptions.WO_EVENTS)
    whole = parser.html or ""
    found = parser.css(f'[data-mf-slot="{mark}"]')
    for content in parser.template_fragments():
        found += content.css(f'[data-mf-slot="{mark}"]')
    if found:
        assert len(found) == 1
        return whole.replace(found[0].html or "", "SLOT")
    cut = re.subn(f"<!--mf:{mark}-->.*<!--/mf:{mark}-->", "SLOT", whole, flags=re.DOTALL)
    assert cut[1] == 1
    return cut[0]


@settings(max_examples=300, deadline=None)
@given(NASTY, st.sampled_from(SHELLS))
def test_outside_the_slot_nothing_depends_on_the_piece(source: str, shell: str) -> None:
    plan, slot = compiled(shell)
    try:
        html = fit(read(source.encode(), "text/html", CART, slot.context), slot).html
    except FragmentsError:
        html = plan.fallbacks[0]
    before, after = (literal.decode() for literal in plan.literals)
    for scripting in (True, False):
        filled = outside(before + html.decode() + after, slot.mark, scripting)
        assert filled == outside(before + plan.empties[0].decode() + after, slot.mark, scripting)
