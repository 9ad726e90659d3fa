"""Sheets that hold in a slot alone: what goes into the scope, and what is the document's wherever it is written."""

from __future__ import annotations

import pytest

import fragments.scope as scope
from fragments.scope import addressed, in_shadow_root, is_name, scoped, sheet, with_ids

OPENING = '@scope ([data-mf-slot][name="cart"],[data-mf-slot][data-mf-name="cart"]) to ([data-mf-slot]){'

SCOPED = [
    pytest.param(".card{a:b}", ".card{a:b}", "", id="a rule"),
    pytest.param(":root{--x:1}", ":scope{--x:1}", "", id="the root is the slot"),
    pytest.param("@media x{body{a:b}}", "@media x{:where(:scope):not(_){a:b}}", "", id="in a group, too"),
    pytest.param(
        "@supports (a:b){@container x{.c{}}}", "@supports (a:b){@container x{.c{}}}", "", id="groups in groups"
    ),
    pytest.param("@layer a{.c{}}", "@layer a{.c{}}", "", id="a layer"),
    pytest.param(".c{}@layer a, b;", ".c{}@layer a{}@layer b{}", "", id="names of layers after rules"),
    pytest.param("@scope (body) to (.x){p{}}", "@scope (body) to (.x){p{}}", "", id="a scope of its own"),
    pytest.param("@font-face{a:b}.c{}", ".c{}", "@font-face{a:b}", id="a font comes out"),
    pytest.param("@keyframes k{to{a:b}}.c{}", ".c{}", "@keyframes k-cart{to{a:b}}", id="so do key frames"),
    pytest.param("@property --p{syntax:'*'}.c{}", ".c{}", "@property --p{syntax:'*'}", id="a property"),
    pytest.param(
        "@media x{.c{}@keyframes k{}}", "@media x{.c{}}", "@media x{@keyframes k-cart{}}", id="each with its group"
    ),
    pytest.param(
        "@layer a{@keyframes k{}}", "@layer a{}", "@layer a{@keyframes k-cart{}}", id="a layer keeps its place"
    ),
    pytest.param("@media x{@font-face{a:b}}.c{}", ".c{}", "@media x{@font-face{a:b}}", id="a group of nothing else"),
    pytest.param("@page{a:b}@view-transition{navigation:auto}.c{}", ".c{}", "", id="what means the page is left out"),
    pytest.param("@new x{.c{}}", "@new x{.c{}}", "", id="what nobody knows stays inside"),
    pytest.param("}body{a:b}.c{}", ".c{}", "", id="no brace ends the scope"),
    pytest.param("a\\ {b:c}body\\ {d:e}", "a\\ {b:c}body\\ {d:e}", "", id="a blank that is escaped is no blank"),
    pytest.param(".c{}@layer a\\ ;", ".c{}@layer a\\ {}", "", id="nor in a layer's name"),
    pytest.param(".c{a:b", ".c{a:b}", "", id="and none is missing"),
    pytest.param(".c{}@import 'x';@charset 'y';", ".c{}", "", id="what comes too late to be heard"),
    pytest.param("@media x{" * 12 + "body{}" + "}" * 12, "@media x{" * 12 + "body{}" + "}" * 12, "", id="a depth"),
]


@pytest.mark.parametrize(("before", "inside", "outside"), SCOPED)
def test_scoped(before: str, inside: str, outside: str) -> None:
    assert scoped(before, "cart") == f"{OPENING}{inside}}}{outside}"


FIRST = [
    pytest.param("@namespace x 'y';@layer a,b;", id="stays first"),
    pytest.param("@import 'https://fonts.test/a.css';@import url(//fonts.test/b.css);", id="a sheet from elsewhere"),
    pytest.param("@import;@import 'a\\2f b';@import url(", id="what is no address one can read"),
]


@pytest.mark.parametrize("sheet", FIRST)
def test_what_is_first_stays_first(sheet: str) -> None:
    assert scoped(sheet + "a{}", "cart").startswith(
        sheet.removesuffix("@import url(") + (OPENING if "url(" not in sheet[-8:] else "")
    )


IMPORTS = [
    pytest.param("@import 'a.css' layer(x) print;", "@import 'a.css?mf-scope=cart' layer(x) print;", id="a string"),
    pytest.param('@import url( "/a?b=c#d" );', '@import url( "/a?b=c&mf-scope=cart#d" );', id="an address"),
    pytest.param("@import url(/a.css);", "@import url(/a.css?mf-scope=cart);", id="a bare one"),
]


@pytest.mark.parametrize(("before", "after"), IMPORTS)
def test_imports_are_sheets_of_the_piece_as_well(before: str, after: str) -> None:
    assert scoped(before, "cart") == after


def test_in_a_shadow_root_fonts_and_properties_are_the_documents() -> None:
    css = "@import '/a';:root{--x:1}@font-face{a:b}@media x{.c{}@property --p{d:e}}@keyframes k{}"
    found = in_shadow_root(css)
    assert found.inside == "@import '/a?mf-scope=:host';:host{--x:1}@media x{.c{}}@keyframes k{}"
    assert found.outside == "@import '/a?mf-scope=:document';@font-face{a:b}@media x{@property --p{d:e}}"


def test_a_shadow_root_with_nothing_for_its_document() -> None:
    assert in_shadow_root("@import 'https://fonts.test/a';.c{}").outside == ""


SHEETS = [
    pytest.param(b".c{a:b}", "cart", OPENING.encode() + b".c{a:b}}", id="a fragment's"),
    pytest.param(b":root{}@font-face{a:b}", ":host", b":host{}", id="in a shadow root"),
    pytest.param(b":root{}@font-face{a:b}", ":document", b"@font-face{a:b}", id="what is its document's"),
    pytest.param(b"", "cart", b"", id="nothing"),
]


@pytest.mark.parametrize(("css", "name", "expected"), SHEETS)
def test_sheet(css: bytes, name: str, expected: bytes) -> None:
    assert sheet(css, name) == expected


CHARSETS = [
    pytest.param(".é{}".encode(), None, id="utf-8"),
    pytest.param(b"\xef\xbb\xbf.\xc3\xa9{}", "latin1", id="a byte order mark"),
    pytest.param(b".\xe9{}", "ISO-8859-1", id="the header's"),
    pytest.param(".é{}".encode("utf-16"), "utf-8", id="utf-16"),
    pytest.param(".é{}".encode("utf-16-le"), "utf-16le", id="utf-16 by the header"),
    pytest.param(b'@charset "windows-1252";.\xe9{}', None, id="what the sheet says"),
]


@pytest.mark.parametrize(("css", "charset"), CHARSETS)
def test_a_sheet_is_read_by_its_charset_and_is_in_utf_8(css: bytes, charset: str | None) -> None:
    assert sheet(css, "cart", charset) == f"{OPENING}.é{{}}}}".encode()


def test_no_name_says_more_than_a_name() -> None:
    assert '"a\\22 \\5d b"' in scoped("c{}", 'a"]b')


ADDRESSES = [
    pytest.param("/s.css", "/s.css?mf-scope=cart", id="a path"),
    pytest.param("/s.css?v=1#x", "/s.css?v=1&mf-scope=cart#x", id="with a query"),
    pytest.param("//cdn.test/s.css", "//cdn.test/s.css", id="another host"),
    pytest.param("https://cdn.test/s.css", "https://cdn.test/s.css", id="another site"),
    pytest.param("data:text/css,a{}", "data:text/css,a{}", id="no address"),
]


@pytest.mark.parametrize(("before", "after"), ADDRESSES)
def test_addressed(before: str, after: str) -> None:
    assert addressed(before, "cart") == after
    assert scope.PARAMETER == "mf-scope"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("cart", True), ("a.b-c.d_9", True), (":host", True), (":document", True)]
    + [(each, False) for each in ("", "Cart", "a b", "a..b", ":root", 'a"', "-a", "a.b.c.d.e.f")],
)
def test_is_name(value: str, expected: bool) -> None:
    assert is_name(value) is expected


IDS = [
    pytest.param("#a{color:#a}", "#x-a{color:#a}", id="selectors, not colours"),
    pytest.param("@media y{#a,#b{c:d}}", "@media y{#x-a,#b{c:d}}", id="in a group"),
    pytest.param("@scope (#a){}", "@scope (#x-a){}", id="a scope's"),
    pytest.param("@font-face{a:url(#a)}", "@font-face{a:url(#a)}", id="nothing else"),
    pytest.param(" a { }", " a { }", id="a sheet without any stays as it is"),
]


@pytest.mark.parametrize(("before", "after"), IDS)
def test_with_ids(before: str, after: str) -> None:
    assert with_ids(before, frozenset("a"), "x-") == after
