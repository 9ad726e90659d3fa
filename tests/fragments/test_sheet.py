"""Where rules begin and end, whatever is written in them; a sheet that is left open is closed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.sheet import rules

READ = [
    pytest.param("", [], id="nothing"),
    pytest.param("a{b:c}d,e{f:g}", ["a{b:c}", "d,e{f:g}"], id="rules"),
    pytest.param(" /* x */ <!-- a{} --> b{}", ["a{}", "b{}"], id="what stands between them"),
    pytest.param("@import 'x';@layer a,b;a{}", ["@import 'x';", "@layer a,b;", "a{}"], id="statements"),
    pytest.param("@layer a", ["@layer a;"], id="a statement at the end"),
    pytest.param("@media x{a{}b{}}c{}", ["@media x{a{}b{}}", "c{}"], id="a group"),
    pytest.param("a{&:hover{b:c}d{}}e{}", ["a{&:hover{b:c}d{}}", "e{}"], id="rules in a rule"),
    pytest.param('a[b="{"]{c:"}"}d{}', ['a[b="{"]{c:"}"}', "d{}"], id="braces in strings"),
    pytest.param("a{b:url(})}c{}", ["a{b:url(})}", "c{}"], id="braces in an address"),
    pytest.param("a{b:url( 'x)' )}c{}", ["a{b:url( 'x)' )}", "c{}"], id="a quoted address"),
    pytest.param("a{b:url(x'y)}c{}d{e:'", ["a{b:url(x'y)}", "c{}", "d{e:''}"], id="a quote in a bare one"),
    pytest.param("a{b:u\\72l(')}c{}d{e:'", ["a{b:u\\72l(')}c{}d{e:')}"], id="a quote behind it is no bare one"),
    pytest.param("a{b:u\\72l(x')}c{}d{e:'", ["a{b:u\\72l(x')}", "c{}", "d{e:''}"], id="spelled with an escape"),
    pytest.param("a{b:\0url(')')}c{}", ["a{b:\ufffdurl(')')}", "c{}"], id="a function with a letter for NUL before it"),
    pytest.param("a{b:×U\\52 l(')')}c{}", ["a{b:\ufffdU\\52 l(')')}", "c{}"], id="and for what may be one or not"),
    pytest.param("a{b:curl(')')}c{}", ["a{b:curl(')')}", "c{}"], id="another function"),
    pytest.param("a{/* } */}b{}", ["a{/* } */}", "b{}"], id="a brace in a comment"),
    pytest.param("a\\{b{c:d}e{}", ["a\\{b{c:d}", "e{}"], id="a brace that is escaped"),
    pytest.param("a{b:(}c{}", ["a{b:(}c{})}"], id="a bracket keeps a brace in"),
    pytest.param("a{b:c)}d{}", ["a{b:c)}", "d{}"], id="a bracket that nothing opens"),
    pytest.param("}a{b:c}d{}", ["d{}"], id="a brace that nothing opens spoils what it stands before"),
    pytest.param("a;b{c:d}e{}", ["e{}"], id="so does a semicolon among rules"),
    pytest.param("@x }{a:b}c{}", ["c{}"], id="and a brace in an at-rule"),
    pytest.param("@media x{;a{}}", ["@media x{;a{}}"], id="not one within a block"),
    pytest.param("a{b:'x\nc{d:e}", ["a{b:'x\nc{d:e}}"], id="a line ends a string"),
    pytest.param("a{b:c", ["a{b:c}"], id="an open rule"),
    pytest.param("a{b:'c", ["a{b:'c'}"], id="an open string"),
    pytest.param("a{b:'c\\", ["a{b:'c'}"], id="an open string with a backslash"),
    pytest.param("a{b:'c\\'", ["a{b:'c\\''}"], id="an open string that ends in an escaped quote"),
    pytest.param('a{b:"\\\\"', ['a{b:"\\\\"}'], id="a closed string that ends in a backslash"),
    pytest.param("a{b:url(c", ["a{b:url(c)}"], id="an open address"),
    pytest.param("a{b:url(c\\", ["a{b:url(c)}"], id="an open address with a backslash"),
    pytest.param("a{b:url(", ["a{b:url()}"], id="an empty open address"),
    pytest.param("a{b:c/* d", ["a{b:c}"], id="an open comment"),
    pytest.param("a{b:c\\", ["a{b:c}"], id="a backslash at the end"),
    pytest.param("a{b:[(c", ["a{b:[(c)]}"], id="open brackets"),
    pytest.param("a, b", [], id="selectors without a block"),
]


@pytest.mark.parametrize(("sheet", "expected"), READ)
def test_rules(sheet: str, expected: list[str]) -> None:
    assert [rule.text for rule in rules(sheet)] == expected


def test_a_rule_and_its_parts() -> None:
    (rule,) = rules("@MEDIA (x) { a{} @import 'y'; b{c:d} }")
    assert (rule.name, rule.keyword, rule.prelude, rule.is_statement) == ("media", "@MEDIA", " (x) ", False)
    assert [each.text for each in rule.rules] == ["a{}", "@import 'y';", "b{c:d}"]
    assert [each.text for each in rules("@media x{a{} @layer b}")[0].rules] == ["a{}", "@layer b;"]
    assert rule.around("x{}") == "@MEDIA (x) {x{}}"
    assert rule.rules[0].after("z") == "z{}"
    assert rule.rules[1].after(" 'z'") == "@import 'z';"
    assert [each.name for each in rule.rules] == ["", "import", ""]


def test_a_name_with_an_escape_is_that_name() -> None:
    (rule,) = rules("@\\6d edia x{}")
    assert (rule.name, rule.text) == ("media", "@\\6d edia x{}")


PIECES = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    '"',
    "'",
    "\\",
    "\n",
    "/*",
    "*/",
    "url(",
    "u\\72l(",
    "@x",
    "a",
    " ",
    "<!--",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
def test_what_is_read_reads_the_same_within_braces(sheet: str) -> None:
    """Nothing that a rule says ends the rule around it."""
    found = [rule.text for rule in rules(sheet)]
    (whole,) = rules(f"@scope{{{''.join(found)}}}")
    assert [rule.text for rule in whole.rules] == found


@pytest.mark.parametrize(
    "unit", ["{", "}", '"', "a\\", "/*", "url(", "(", ";", "[;", "u\\72l(", "@media x{", "a{}", "@a;", "<!--", "\\"]
)
def test_time_is_linear(unit: str) -> None:
    start = time.process_time()
    rules(unit * 20_000)
    assert time.process_time() - start < 5  # hours, if it were quadratic
