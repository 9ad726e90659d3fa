"""Where a page's head and body end, and what its head holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

import fragments.parse as parse
from fragments.heading import Region
from tests.fragments.shells import SHELLS, SLOT, plan, region

HOISTS = [
    pytest.param("<head><title>T</title>|</head><body>", id="before the end tag"),
    pytest.param("<title>T</title>|<body><p>x", id="before the body"),
    pytest.param("<!doctype html><title>T</title>|<p>x", id="before the first block"),
    pytest.param("<title>T</title>|text<p>x", id="before text"),
    pytest.param("<title>T</title><!-- c --> <link>\n|<p>x", id="comments and space may be in a head"),
    pytest.param("<head><template><p>x</p></template>|</head>", id="a template's content is not the page's"),
    pytest.param("<noscript><img></noscript>|</head>", id="nor a noscript's"),
    pytest.param("|<p>x", id="without a head"),
    pytest.param("\ufeff|x", id="after a mark"),
    pytest.param(f"<title>T</title>|{SLOT}<p>x", id="before a slot that begins the body"),
    pytest.param(f"<head>{SLOT}<meta>|</head>{SLOT}", id="after one in the head"),
    pytest.param("<title>T</title>|<script>x", id="before a script that never ends"),
    pytest.param("<title>T</title>|", id="at the end"),
    pytest.param("<title>T</title></p>|</html>", id="stray end tags are nothing"),
    pytest.param("<title>T</title>|</br><script>x</script>", id="but one of br is an element"),
]


@pytest.mark.parametrize("shell", HOISTS)
def test_where_the_head_ends(shell: str) -> None:
    found = plan(shell.replace("|", ""))
    assert found.hoist is not None
    at, offset = found.hoist
    marked = [*found.literals]
    marked[at] = marked[at][:offset] + b"|" + marked[at][offset:]
    expected = shell.replace(SLOT, "\0").encode()
    assert b"\0".join(marked) == expected
    assert [b"".join(halves) for halves in found.hoisted] == list(found.literals)


def test_heading() -> None:
    found = plan(
        "<head><title>T</title><meta name=description content=d><meta charset=utf-8><link rel=canonical href=/c>"
        "<link rel=stylesheet href=/a.css><script type=importmap>{}</script><script type=module src=/m.js></script>"
        "<noscript><link rel=stylesheet href=/n.css></noscript></head>"
        "<template><title>X</title></template><meta name=late>"
    )
    heading = found.heading
    assert heading.present == {"stylesheet href=/a.css", "module src=/m.js"}
    assert heading.title is not None
    assert region(found, heading.title) == b"<title>T</title>"
    assert [(key, region(found, at)) for key, at in heading.metadata] == [
        ("meta description", b"<meta name=description content=d>"),
        ("meta ", b"<meta charset=utf-8>"),
        ("canonical", b"<link rel=canonical href=/c>"),
    ]
    assert heading.import_map is not None
    assert (heading.map_text, region(found, heading.import_map)) == ("{}", b"{}")


MAP_PLACES = [
    pytest.param("<head>|<script type=module src=/m.js></script></head>", id="before the first module"),
    pytest.param("<head>|<link rel=modulepreload href=/m.js></head>", id="before the first preload of one"),
    pytest.param("<head><title>T</title>|</head><script type=module src=/m.js></script>", id="in the head"),
]


@pytest.mark.parametrize("shell", MAP_PLACES)
def test_where_an_import_map_has_to_stand(shell: str) -> None:
    heading = plan(shell.replace("|", "")).heading
    assert heading.map_text is None
    assert heading.import_map == Region(0, shell.index("|"), shell.index("|"))


# ---- Where the body ends --------------------------------------------------------------------------------------------

BODY_ENDS = [
    pytest.param("<body><p>x</p>|</body></html>", "", id="before its end tag"),
    pytest.param(f"<div>{SLOT}</div>|</body>", "", id="after the last slot"),
    pytest.param("<p>x</p>|</html>", "", id="before html's where body has none"),
    pytest.param("<div>x</div>|", "", id="at the end of a page without either"),
    pytest.param("<div>x</div>|</body>\n<!-- c -->\n</html>\n", "", id="blanks and comments may follow"),
    pytest.param("<div>x</div></body>y|", "", id="text after it goes on with the body"),
    pytest.param("<div>x</div></body></html><p>y</p>|", "", id="so does an element"),
    pytest.param(f"x</body>{SLOT}|</html>", "", id="so does a slot"),
    pytest.param("<p>a<p>b|</body>", "</p>", id="a paragraph may be left open"),
    pytest.param("<ul><li>a<b>b|</body>", "</b></li></ul>", id="a list as well"),
    pytest.param(
        "<table><tr><td>a|</body>", "</td></tr></tbody></table>", id="a table, whose cells ignore the end tag"
    ),
    pytest.param("<script>'</body>'</script>|</body>", "", id="one in a script is text"),
    pytest.param("<!--</body>-->|</body>", "", id="one in a comment as well"),
    pytest.param("<title>T</title>|", "", id="a page that is all head"),
    pytest.param("|", "", id="nothing"),
]


@pytest.mark.parametrize(("shell", "closing"), BODY_ENDS)
def test_where_the_body_ends(shell: str, closing: str) -> None:
    found = plan(shell.replace("|", ""))
    assert found.body_end is not None
    at, offset = found.body_end
    marked = [*found.literals]
    marked[at] = marked[at][:offset] + b"|" + marked[at][offset:]
    assert b"\0".join(marked) == shell.replace(SLOT, "\0").encode()
    assert found.closing == closing.encode()


ENDLESS = ["<script>x</body>", "<!-- x</body>", "<p title='</body>", "<plaintext>x</body>", "<textarea></body>"]
ENDLESS += ["<template><p></body>", "<svg><g></body>", "<math></body>", "<select><option></body>", "<noscript></body>"]


@pytest.mark.parametrize("shell", ENDLESS)
def test_a_page_that_ends_within_something_has_no_end_of_the_body(shell: str) -> None:
    assert plan(shell).body_end is None


@settings(max_examples=200, deadline=None)
@given(SHELLS)
def test_what_comes_at_the_end_of_any_body_is_its_own_child(shell: str) -> None:
    found = plan(shell)
    if found.body_end is None:
        return
    at, offset = found.body_end
    literals = [*found.literals]
    literals[at] = literals[at][:offset] + found.closing + b"<div><!--here:--></div>" + literals[at][offset:]
    parts = [literals[0], *(part for pair in zip(found.empties, literals[1:], strict=True) for part in pair)]
    assert parse.spots(b"".join(parts), "here")["here:"].chain == ("html", "body", "div")
