"""Plans: whole shells, and pieces that have slots of their own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fragments.piece as piece
from fragments.budgets import SHELL
from fragments.contain import fit
from fragments.errors import FragmentsError, OverBudget
from fragments.heading import Heading
from fragments.plan import Plan, brings, compile, compile_piece, has_slots
from fragments.slot import Context, Slot
from fragments.urls import Place
from tests.fragments.shells import SHELLS, SLOT, B, only, plan

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


def test_fallbacks_and_empty_slots_are_ready_to_be_sent() -> None:
    found = plan(f"<p>{SLOT}")
    before, after = found.slots[0].wrapper()
    assert found.fallbacks == (f"{before}F{after}".encode(),)
    assert found.empties == (f"{before}{after}".encode(),)


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
