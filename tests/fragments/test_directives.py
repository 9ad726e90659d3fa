"""ESI and SSI as trees: what is told of a text that does not fit, and that reading takes no longer than it may."""

import inspect
import re
import time

import pytest

import fragments.dialects as dialects
import fragments.directives as directives
from fragments.directives import Attempt, Call, Choice, Put, Say, Text
from fragments.values import Asked, Variable

INCLUDE = '<esi:include src="/cart/f"/>'


def codes(text: str, *allowed: str) -> list[str]:
    page = dialects.read(text.encode(), allowed)
    return [each.code for each in dialects.say(page, Asked()).diagnostics]


def test_a_tree() -> None:
    text = (
        b'a<esi:vars>$(HTTP_HOST|x)</esi:vars><esi:include src="/f" alt="/g" onerror="continue"/>'
        b'<!--#set var="b" value="c$d" --><esi:try><esi:attempt>A</esi:attempt><esi:except>E</esi:except></esi:try>'
    )
    tree = directives.tree(text, ("esi", "ssi"))
    assert tree.nodes == (
        Text(b"a"),
        Say(Variable("HTTP_HOST", None, "x")),
        Call(b'<esi:include src="/f" alt="/g" onerror="continue"/>', ("/f",), ("/g",), True),
        Put("b", ("c", Variable("$d"))),
        Attempt(0, (Text(b"A"),), (Text(b"E"),)),
    )
    assert not tree.said and not tree.unwraps


def test_a_choice_keeps_its_order() -> None:
    text = b"<esi:choose><esi:otherwise>O</esi:otherwise><esi:when test='1'>A</esi:when></esi:choose>"
    (choice,) = directives.tree(text, ("esi",)).nodes
    assert isinstance(choice, Choice)
    assert [nodes for _, nodes in choice.branches] == [(Text(b"A"),), (Text(b"O"),)]


def test_more_directives_than_a_text_may_have_are_text() -> None:
    tree = directives.tree(b"<esi:vars/>" * directives.MOST + INCLUDE.encode(), ("esi",))
    assert not any(isinstance(node, Call) for node in tree.nodes)


@pytest.mark.parametrize(
    ("text", "allowed", "code"),
    [
        pytest.param("<esi:foo/>", "esi", "esi-unknown", id="an-unknown-element"),
        pytest.param("<esi:when test='1'></esi:when>", "esi", "esi-misplaced", id="a-misplaced-one"),
        pytest.param("</esi:try>", "esi", "esi-stray-end", id="a-stray-end"),
        pytest.param("<esi:include/>", "esi", "include-without-src", id="an-include-of-nothing"),
        pytest.param(f"<p title='{INCLUDE}'>", "esi", "include-in-text", id="an-include-in-text"),
        pytest.param("<esi:try>", "esi", "not-closed", id="an-open-directive"),
        pytest.param("<esi:try></esi:try>", "esi", "try-without-one-attempt", id="a-try-of-nothing"),
        pytest.param("<esi:choose><esi:when test='=='></esi:when></esi:choose>", "esi", "test-unreadable", id="a-test"),
        pytest.param("<esi:vars>" * 40, "esi", "too-deep", id="too-deep"),
        pytest.param("<!--#include file='x' -->", "ssi", "ssi-file", id="a-file"),
        pytest.param("<!--#exec cmd='x' -->", "ssi", "ssi-unknown", id="an-unknown-directive"),
    ],
)
def test_diagnostics(text: str, allowed: str, code: str) -> None:
    assert code in codes(text, allowed)


ADVERSARIAL = [
    pytest.param("<esi:include ", id="open-tags"),
    pytest.param("<esi:a x='", id="open-values"),
    pytest.param("<esi:a y=' z=\"", id="quotes-in-quotes"),
    pytest.param("<esi:remove>", id="open-elements"),
    pytest.param("</esi:remove>", id="end-tags"),
    pytest.param("<!--esi ", id="open-wraps"),
    pytest.param("<![CDATA[", id="open-cdata"),
    pytest.param("<esi:comment>", id="open-comments"),
    pytest.param("<esi:vars>$(HTTP_COOKIE{a", id="open-variables"),
    pytest.param("<esi:vars>$(A|'", id="open-defaults"),
    pytest.param("<esi:try><esi:attempt>", id="tries-in-one-another"),
    pytest.param("<!--#if expr='$a", id="open-directives"),
    pytest.param("<!--#set var='a' value='\\", id="escapes"),
    pytest.param("<!--#block name=a -->", id="open-blocks"),
    pytest.param("<fragment src=/x>", id="open-fragments"),
    pytest.param("<h-include src='/x'>", id="open-elements-of-scripts"),
    pytest.param('<esi:include src="/f"/>', id="includes"),
    pytest.param("<esi:vars>$(HTTP_HOST)</esi:vars>", id="values"),
]


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_reading_takes_time_for_its_length_only(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size].encode()
        began = time.process_time()
        page = dialects.read(text, dialects.ALL)
        dialects.say(page, Asked(host="x"))
        return time.process_time() - began

    def fastest(size: int) -> float:
        return min(seconds(size) for _ in range(3))

    assert fastest(120_000) < 10 * max(fastest(30_000), 0.01)


def test_every_code_has_words() -> None:
    told = re.findall(r'_say\(\s*"([a-z-]+)"', inspect.getsource(directives))
    assert len(told) > 8 and set(told) <= set(dialects.CODES)
