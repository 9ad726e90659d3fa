"""Where slots stand, what they say there, and which can come late."""

from __future__ import annotations

import pytest

from fragments.slot import Context
from tests.fragments.shells import SLOT, SLOT2, B, codes, only, plan


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


REFUSED = [
    pytest.param(f"<select><p><b>x</p>{SLOT}<option>y", "Formatting", id="in a select, after a paragraph's"),
    pytest.param(f"<select><p><b>x<svg><dt>{SLOT}", "Formatting", id="in a term that ended one"),
    pytest.param(f"<select><template></template><p><a>x</p>{SLOT}", "Formatting", id="a link's"),
    pytest.param(f"<svg><desc><p><b>x</p></desc><g>{SLOT}</g>", "Formatting", id="in a drawing"),
    pytest.param(f"<math><mtext><p><b>x</p></mtext><mrow>{SLOT}", "Formatting", id="in a formula"),
    pytest.param(f"<title>q</title><noscript><button><svg></noscript><g>{SLOT}", "<noscript>", id="a noscript's svg"),
    pytest.param(f"<body><noscript><p></noscript>{SLOT}", "<noscript>", id="a paragraph from a noscript"),
    pytest.param(f"<p><noscript><div>x</div></noscript>{SLOT}", "<noscript>", id="a paragraph that one ends"),
    pytest.param(f"<select><noscript><p><b>x</p></noscript>{SLOT}", "<noscript>", id="formatting from a noscript"),
    pytest.param(
        f"<select><button><selectedcontent></selectedcontent></button>{SLOT}", "<selectedcontent>", id="options copied"
    ),
    pytest.param(
        f"<select><SelectedContent></SelectedContent><option><svg>{SLOT}", "<selectedcontent>", id="a drawing in one"
    ),
]


@pytest.mark.parametrize(("shell", "why"), REFUSED)
def test_where_what_fills_a_slot_would_be_felt_behind_it_none_stands(shell: str, why: str) -> None:
    found = plan(shell)
    assert found.literals == (shell.encode(),)
    assert [said.code for said in found.diagnostics] == ["slot-refused"]
    assert why in found.diagnostics[0].message


STANDING = [
    pytest.param(f"<select><b>x</b>{SLOT}", (*B, "select"), id="closed by a tag of its own"),
    pytest.param(f"<select><p><b>x</p><i>{SLOT}", (*B, "select", "b", "i"), id="opened again before the slot"),
    pytest.param(f"<p><b>x</p><svg>{SLOT}", (*B, "b", "svg"), id="around a drawing"),
    pytest.param(f"<p><b>x</p><table>{SLOT}", (*B, "table"), id="which no row opens again"),
    pytest.param(f"<p><b>x</p><table><tr><td><svg>{SLOT}", None, id="nor what is in a cell"),
    pytest.param(f"<p><noscript><img></noscript>{SLOT}", (*B, "p"), id="after a noscript"),
    pytest.param(f"<head><noscript><img></noscript><title>T</title></head><p>{SLOT}", (*B, "p"), id="in the head, too"),
    pytest.param(
        f"<head><noscript><img></noscript>{SLOT}<title>T</title></head>", ("html", "head"), id="in a head that it ends"
    ),
    pytest.param(f"<noscript><iframe></iframe></noscript><select>{SLOT}", (*B, "select"), id="before a select"),
    pytest.param(f"<svg><g>{SLOT}</g></svg><p><b>x</p>y", (*B, "svg", "g"), id="after the slot"),
    pytest.param(f"<select>{SLOT}</select><p>&lt;selectedcontent>", (*B, "select"), id="only spoken of"),
    pytest.param(
        f"<select><selectedcontent></selectedcontent></select>{SLOT}", B, id="not in the select that is copied from"
    ),
]


@pytest.mark.parametrize(("shell", "chain"), STANDING)
def test_but_a_slot_stands_where_it_is_not(shell: str, chain: tuple[str, ...] | None) -> None:
    slot = only(shell)
    assert chain is None or slot.chain == chain


def test_one_that_cannot_stand_takes_no_other_along() -> None:
    shell = f"<svg><desc><p><b>x</p></desc><g>{SLOT}</g></svg></b></svg><p>{SLOT2}"
    assert [slot.chain for slot in plan(shell).slots] == [(*B, "p")]


@pytest.mark.parametrize(("shell", "quirks"), [(SLOT, True), (f"<!doctype html>{SLOT}", False)])
def test_quirks(shell: str, quirks: bool) -> None:
    assert only(shell).quirks is quirks


def test_a_byte_order_mark_does_not_end_the_head() -> None:
    assert only(f"\ufeff<head>{SLOT}</head>").context is Context.HEAD


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
