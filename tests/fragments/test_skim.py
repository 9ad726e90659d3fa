"""The tags that are told, and that a plan without the others is the same plan."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from hypothesis import given, settings

import fragments.skim as skimming
from fragments.errors import OverBudget
from fragments.plan import Plan, compile
from fragments.scan import Kind, tokens
from fragments.skim import TOLD, skim
from tests.fragments.documents_of_strangers import made_up, pages
from tests.fragments.shells import SHELLS

TELLING = [
    pytest.param(b"<p class=a>x</p><br/>", [], id="no common tags"),
    pytest.param(b"<p><mf-slot name=n></p>", [b"mf-slot"], id="slots"),
    pytest.param(b"<TABLE><tr></table>", [b"table", b"table"], id="tables, in any case"),
    pytest.param(b"<p title='<b>'>", [b"p"], id="what has markup in a value"),
    pytest.param(b'<p a="b"c>', [b"p"], id="what is written oddly"),
    pytest.param(b"</p x>", [b"p"], id="an end tag with attributes"),
    pytest.param(b"<!-- c --><?x?>", [b"", b""], id="comments and instructions"),
    pytest.param(b"<svg viewBox='0 0 1 1'><path d=''/></svg>", [], id="no small drawings"),
    pytest.param(b"<svg><b></svg>", [b"svg", b"b", b"svg"], id="other foreign content as a whole"),
    pytest.param(b"a < b <p> c", [], id="no lone signs"),
    pytest.param(b"<style>a<b</style>", [b"style", b"style"], id="raw text"),
]


@pytest.mark.parametrize(("source", "names"), TELLING)
def test_what_is_told(source: bytes, names: list[bytes]) -> None:
    assert [token.name for token in skim(source)[0]] == names


ENDINGS = [(b"<p>x", False), (b"<script>x", True), (b"<!-- x", True), (b"<p title='", True), (b"x<", False)]


@pytest.mark.parametrize(("source", "within"), ENDINGS)
def test_a_source_may_end_within_something(source: bytes, within: bool) -> None:
    assert skim(source)[1] is within


HEADS = [
    pytest.param(b"<title>x</title><link><p><b>", [b"title", b"title", b"link", b"p"], id="up to what ends it"),
    pytest.param(b"<template><p></template><i><b>", [b"template", b"p", b"template", b"i"], id="not in a template"),
    pytest.param(b"<mf-slot><p></mf-slot><i><b>", [b"mf-slot", b"p", b"mf-slot", b"i"], id="nor in a slot"),
]


@pytest.mark.parametrize(("source", "names"), HEADS)
def test_nothing_of_a_head_is_stepped_over(source: bytes, names: list[bytes]) -> None:
    assert [token.name for token in skim(source, head=True)[0]] == names


def planned(shell: bytes) -> Plan | None:
    try:
        return compile(shell)
    except OverBudget:
        return None


def in_full(shell: bytes) -> Plan | None:
    with patch.object(skimming, "PLAIN", re.compile(rb"(?!)")):
        return planned(shell)


@settings(max_examples=200, deadline=None)
@given(SHELLS)
def test_what_is_stepped_over_changes_no_plan(shell: str) -> None:
    assert planned(shell.encode()) == in_full(shell.encode())


STRANGERS = [pytest.param(path.read_bytes(), id=path.stem) for path in pages()[::4]]
STRANGERS += [pytest.param(page.encode(), id=f"made up {at}") for at, page in enumerate(made_up(150, seed=7))]


@pytest.mark.parametrize("page", STRANGERS)
def test_nor_that_of_a_page_of_strangers(page: bytes) -> None:
    shell = page.replace(b"<p>", b"<p><mf-slot name=n></mf-slot>", 3)
    assert planned(shell) == in_full(shell)


@pytest.mark.parametrize("page", STRANGERS)
def test_every_tag_that_is_to_be_told_is(page: bytes) -> None:
    told = [token for token in tokens(page) if token.name in TOLD or token.kind is Kind.COMMENT]
    drawings = [found.span() for found in skimming.DRAWING.finditer(page)]
    found = set(skim(page)[0])
    assert not [token for token in told if token not in found and not any(a <= token.start < b for a, b in drawings)]
