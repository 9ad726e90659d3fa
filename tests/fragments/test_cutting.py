"""Where slots are cut, and what their tags say; and what is none."""

from __future__ import annotations

import pytest

from fragments.cutting import MOST
from fragments.plan import compile
from tests.fragments.shells import SLOT, codes, plan

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


def test_a_page_has_so_many_slots_and_no_more() -> None:
    found = plan(SLOT * (MOST + 2))
    assert len(found.slots) == MOST
    assert found.literals[-1] == (SLOT * 2).encode()
    assert found.diagnostics[0].code == "slots-too-many"
