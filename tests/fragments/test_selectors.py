"""What meant a document's root means the slot; every other selector stays as it is written."""

from __future__ import annotations

import time

import pytest

from fragments.selectors import identified, in_scope, in_shadow, rooted

TYPE = ":where(:scope):not(_)"

ROOTED = [
    pytest.param(":root", ":scope", ":host", id="the root"),
    pytest.param("html", TYPE, ":where(:host)", id="html"),
    pytest.param("html, BODY", f"{TYPE},{TYPE}", ":where(:host),:where(:host)", id="a list"),
    pytest.param("body .card", f"{TYPE} .card", ":where(:host) .card", id="something in the body"),
    pytest.param("html > body p", f"{TYPE} p", ":where(:host) p", id="html's body is the same"),
    pytest.param("html.a body.b p", f"{TYPE}.a.b p", ":where(:host(.a.b)) p", id="and has the classes of both"),
    pytest.param(":root[dir=rtl]", ":scope[dir=rtl]", ":host([dir=rtl])", id="one that asks more"),
    pytest.param("body::before", f"{TYPE}::before", ":where(:host)::before", id="what comes before all"),
    pytest.param("body:after", f"{TYPE}:after", ":where(:host):after", id="spelled as in old days"),
    pytest.param("body:not(.dark) p", f"{TYPE}:not(.dark) p", ":where(:host(:not(.dark))) p", id="one that lacks"),
    pytest.param(":is(html,body) p", f":is({TYPE},{TYPE}) p", ":is(:where(:host),:where(:host)) p", id="a choice"),
    pytest.param("*:root", ":scope", ":host", id="any that is the root"),
    pytest.param(
        "body:x(a(b[c]))", f"{TYPE}:x(a(b[c]))", ":where(:host(:x(a(b[c]))))", id="arguments in brackets of their own"
    ),
    pytest.param("body+p", f"{TYPE}+p", ":where(:host)+p", id="a sibling, of which there is none"),
    pytest.param("a /**/ body", f"a {TYPE}", "a :where(:host)", id="a comment"),
]


@pytest.mark.parametrize(("before", "scope", "shadow"), ROOTED)
def test_rooted(before: str, scope: str, shadow: str) -> None:
    assert (rooted(before, in_scope), rooted(before, in_shadow)) == (scope, shadow)


STAYING = [
    pytest.param(".card", id="a class"),
    pytest.param(".body #html [x=':root'] y--html", id="names that are no roots"),
    pytest.param("a\\:body", id="an escaped name"),
    pytest.param("p:root, body", id="a root that is something else"),
    pytest.param("body(", id="what cannot be read"),
    pytest.param("body,", id="a list that does not end"),
    pytest.param(", body", id="or begins with nothing"),
    pytest.param("svg|body [", id="a bracket that is open"),
    pytest.param("p body:nth-child(2", id="another"),
    pytest.param("body:lang(a])", id="one that nothing opens"),
    pytest.param("body:lang([)", id="brackets across"),
    pytest.param("body div body{", id="no selector at all"),
    pytest.param(".abody", id="part of a name"),
    pytest.param("*.x body*", id="a type at the end"),
    pytest.param("x|body", id="in another namespace"),
]


@pytest.mark.parametrize("selectors", STAYING)
def test_what_stays(selectors: str) -> None:
    assert rooted(selectors, in_scope) == selectors


def test_arguments_that_are_no_selectors_stay() -> None:
    assert rooted('body a:nth-child( 2n + 1 of ")" )', in_scope) == f'{TYPE} a:nth-child( 2n + 1 of ")" )'


def test_selectors_in_selectors_are_read_to_a_depth() -> None:
    deep = "body" + ":not(" * 20 + "a" + ")" * 20
    assert rooted(deep, in_scope) == deep


IDENTIFIED = [
    pytest.param("#a", "#x-a", id="an id"),
    pytest.param("p#a.b,#a #b", "p#x-a.b,#x-a #b", id="some of them"),
    pytest.param("#ab", "#ab", id="another that begins so"),
    pytest.param("#a\\:b", "#a\\:b", id="and one with an escape"),
    pytest.param("[href='#a'] [x=#a]", "[href='#a'] [x=#a]", id="values"),
    pytest.param("/* #a */ b", "/* #a */ b", id="a comment"),
    pytest.param("a", "a", id="none"),
]


@pytest.mark.parametrize(("before", "after"), IDENTIFIED)
def test_identified(before: str, after: str) -> None:
    assert identified(before, {"a"}, "x-") == after


@pytest.mark.parametrize(
    "unit", ["html ", "html>", "html:not(", "html[", "html/*", "#a/*", ":is(html,", "html:x((", "'#a"]
)
def test_time_is_linear(unit: str) -> None:
    start = time.process_time()
    rooted("html" + unit * 40_000, in_shadow)
    identified("#a" + unit * 40_000, {"a"}, "x")
    assert time.process_time() - start < 5
