"""The tests of `esi:when` and SSI's `if`."""

import time

import pytest

import fragments.conditions as conditions
from fragments.directives import esi_template, ssi_template
from fragments.values import Variable

SAID = {"A": "a", "N": "7", "M": "10", "E": "", "F": "false", "$a": "a b", "$n": "7", "$e": ""}


def lookup(variable: Variable) -> str:
    return SAID.get(variable.name, "") or variable.default


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param("$(A)=='a'", True, id="equal"),
        pytest.param("$(A) != 'a'", False, id="unequal"),
        pytest.param("'$(A)' == 'a'", True, id="a-variable-in-quotes"),
        pytest.param("$(N) < $(M)", True, id="numbers-compare-as-numbers"),
        pytest.param("'7a' < '10a'", False, id="texts-compare-as-texts"),
        pytest.param("$(N) >= 7", True, id="at-least"),
        pytest.param("$(N) <= 6.5", False, id="at-most"),
        pytest.param("$(A)", True, id="something-said-is-true"),
        pytest.param("$(E)", False, id="nothing-said-is-false"),
        pytest.param("$(F)", False, id="the-word-false-is-false"),
        pytest.param("$(E) == ''", False, id="nothing-compares-to-nothing"),
        pytest.param("'$(E)' == ''", True, id="but-a-quoted-nothing-does"),
        pytest.param("$(X|'d') == 'd'", True, id="a-default"),
        pytest.param("$(X|d) == 'd'", True, id="a-bare-default"),
        pytest.param("!($(A) == 'b')", True, id="not"),
        pytest.param("$(A)=='b' | $(N)==7 & $(M)==10", True, id="and-binds-more-than-or"),
        pytest.param("($(A)=='a' | $(N)==7) & $(M)==11", False, id="parentheses"),
        pytest.param("$(A)=='a' && $(N)==7 || $(M)==0", True, id="doubled-signs-are-single-ones"),
        pytest.param("'it\\'s' == 'it\\'s'", True, id="a-quote-in-a-quote"),
    ],
)
def test_esi(text: str, holds: bool) -> None:
    test = conditions.compile(text, esi_template)
    assert test is not None and test(lookup) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param("$a = a b", True, id="words-in-a-row-are-one-text"),
        pytest.param("$a != a b", False, id="unequal"),
        pytest.param('"$a" = "a b"', True, id="quoted"),
        pytest.param("${n} = 7", True, id="braces"),
        pytest.param("$n", True, id="set"),
        pytest.param("$e", False, id="empty"),
        pytest.param("$never", False, id="never-set"),
        pytest.param("!$e && $n > 6", True, id="not-and"),
        pytest.param("$uri_ = /", False, id="a-slash-alone-is-text"),
    ],
)
def test_ssi(text: str, holds: bool) -> None:
    test = conditions.compile(text, ssi_template)
    assert test is not None and test(lookup) is holds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("$(A) ==", id="half-a-comparison"),
        pytest.param("== 'a'", id="the-other-half"),
        pytest.param("($(A)", id="an-open-parenthesis"),
        pytest.param("$(A))", id="a-stray-one"),
        pytest.param("'a", id="an-open-quote"),
        pytest.param("$(A) == 'a' 'b'", id="two-texts"),
        pytest.param("(" * 40 + "1" + ")" * 40, id="too-deep"),
        pytest.param("!" * 40 + "1", id="too-many-negations"),
        pytest.param("1" * 5000, id="too-long"),
        pytest.param("'a' = /a.*/", id="a-regular-expression"),
        pytest.param("'a' != /b c/", id="nor-as-unequal-which-would-nearly-always-hold"),
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    assert conditions.compile(text, esi_template) is None
    assert not conditions.never(lookup)


def test_reading_takes_time_for_its_length_only() -> None:
    began = time.process_time()
    for text in ("'" * 4000, "$(" * 2000, "(!" * 2000, "a " * 2000, "'\\" * 2000, "|&" * 2000):
        conditions.compile(text, esi_template)
    assert time.process_time() - began < 1
