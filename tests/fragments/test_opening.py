"""An opening stands first in the head of a document, once, however the document spells its head."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from fragments.edit import Edits
from fragments.opening import Opening
from fragments.rewrite import HtmlRewriter, rewriter
from fragments.scan import Scanner
from fragments.stream import Rewriter
from fragments.urls import Place

HOTELS = Place("/hotels", frozenset({"http://hotels.internal:8000"}), public="http://shop.test")
SCRIPT = b'<script src="/-/browser/mount-1a.js" data-prefix="/hotels" data-links="/pets /cars"></script>'
WITH_BASE = b'<base href="/hotels/">' + SCRIPT


def streamed(rewriting: Rewriter, source: bytes, step: int = 1 << 20) -> bytes:
    edges = [*range(0, len(source), step), len(source)]
    return b"".join(rewriting.feed(source[start:end]) for start, end in pairwise(edges)) + rewriting.close()


# "@" stands for the opening.
PLACES = {
    "behind the head": "<!doctype html><html><head>@<meta charset=utf-8></head><body>",
    "before white space in it": "<html>\n<head>@\n  <title>x</title>",
    "before a comment in it": "<head>@<!-- x --><title>",
    "in any case, with attributes": "<!DOCTYPE HTML><HTML LANG=en><HEAD class='a>b'>@<TITLE>",
    "where the head begins unsaid": "<html lang=en>\n<!-- x -->\n@<title>x</title>",
    "behind a doctype alone": "<!doctype html>\n@<title>x</title><p>",
    "before a body": "<!doctype html>@<body><p>",
    "before text": "<html> \n @x",
    "before a script": "<html>@<script>'<head>'</script>",
    "before raw text": "<!doctype html>@<title><head></title>",
    "before what ends a head": "<!doctype html>@</head><body>",
    "behind end tags that mean nothing": "<!doctype html></p><html></div><head>@<title>",
    "in an empty head": "<html><head>@</head></html>",
    "in an empty document": "<!doctype html><html>\n @",
    "in an open head": "<head>@ \n",
    "of frames": "<html><head>@<title>x</title></head><frameset><frame src=a></frameset></html>",
    "of frames without head": "<html>@<frameset><frame src=a></frameset>",
    "behind a comment with a head in it": "<!-- <head> --><!doctype html><!-- <head> --><html><head>@<link>",
    "behind an instruction": "<?xml version='1.0'?><!doctype html><head>@<link>",
    "behind a byte order mark": "\ufeff<!doctype html><html><head>@<meta charset=utf-8>",
    "before much white space": "<head>@" + " " * 10_000 + "<title>",
}
NOWHERE = {
    "elements": "<p>x</p>",
    "text": "x <html><head><title>",
    "a title": "<title>x</title>",
    "a comment": "<!-- <html><head> -->",
    "a template": "<template><html><head></template>",
    "a script": "<script>'<html><head>'</script>",
    "a drawing": "<svg><head></svg>",
    "a doctype too late": "<p>x<!doctype html><html><head>",
    "a head's end": "</head><html>",
    "a tag that is cut off": "<html",
    "nothing": "",
    "white space": " \n",
}


@pytest.mark.parametrize("opening", [SCRIPT, WITH_BASE], ids=["a script", "a base and a script"])
@pytest.mark.parametrize("page", [pytest.param(row, id=name) for name, row in PLACES.items()])
def test_first_in_the_head(page: str, opening: bytes) -> None:
    source, expected = page.replace("@", "").encode(), page.encode().replace(b"@", opening)
    for step in (1 << 20, 1, 3, 7, 64):
        assert streamed(HtmlRewriter(HOTELS, opening), source, step) == expected
        assert streamed(HtmlRewriter(HOTELS, opening), expected, step) == expected, "twice is once"


@pytest.mark.parametrize("page", [pytest.param(row, id=name) for name, row in NOWHERE.items()])
def test_a_part_of_a_page_gets_none(page: str) -> None:
    for step in (1 << 20, 1, 3):
        assert streamed(HtmlRewriter(HOTELS, SCRIPT), page.encode(), step) == page.encode()


@pytest.mark.parametrize(
    "content_type, source, expected",
    [
        pytest.param("text/html; charset=utf-8", b"<head><a href=/x>", b"<head>@<a href=/hotels/x>", id="html"),
        pytest.param("application/xhtml+xml", b"<html><head/></html>", b"<html><head/></html>", id="not in xml"),
        pytest.param("text/css", b"<head>", b"<head>", id="not in a sheet"),
    ],
)
def test_by_type(content_type: str, source: bytes, expected: bytes) -> None:
    made = rewriter(content_type, HOTELS, SCRIPT)
    assert made is not None
    assert streamed(made, source) == expected.replace(b"@", SCRIPT)


def test_the_rest_is_rewritten_as_ever() -> None:
    page = (
        b"<html><head><link rel=icon href=/i><style>a{b:url(/c)}</style></head>"
        b"<body background=/b><iframe srcdoc='<html>'>"
    )
    assert streamed(HtmlRewriter(HOTELS, SCRIPT), page) == (
        b"<html><head>" + SCRIPT + b"<link rel=icon href=/hotels/i><style>a{b:url(/hotels/c)}</style></head>"
        b"<body background=/hotels/b><iframe srcdoc='<html>'>"
    )


def test_nothing_to_put_is_decided_at_once() -> None:
    assert Opening(b"").decided
    scanner, opening, edits = Scanner(), Opening(SCRIPT), Edits()
    for token in scanner.feed(b"<html><head>  "):
        opening.see(scanner.source, token, edits)
    assert opening.settle(scanner.source, scanner.settled, edits) == len(b"<html><head>")
    assert (opening.decided, opening.kept_back(), bool(edits)) == (False, b"", False), "waits for what follows"


PIECES = (
    *("<html>", "<head>", "<head a='", "</head>", "<body>", "<!doctype html>", "<!--", "-->", " ", "\n", "'>", "x"),
    *("<title>", "</title>", "<script>", "</script>", "<p>", "</p>", "<template>", "\ufeff", "<svg>", "<base>"),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.integers(1, 20))
def test_once_wherever_it_is_cut(text: str, step: int) -> None:
    page = text.encode()
    once = streamed(HtmlRewriter(HOTELS, SCRIPT), page)
    assert once in (page, page[: once.find(SCRIPT)] + SCRIPT + page[once.find(SCRIPT) :])
    assert streamed(HtmlRewriter(HOTELS, SCRIPT), page, step) == once
    assert streamed(HtmlRewriter(HOTELS, SCRIPT), once, step) == once


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PIECES[:-5]), max_size=8).map("".join))
def test_a_parser_finds_it_first_in_the_head(text: str) -> None:
    once = streamed(HtmlRewriter(HOTELS, b"<script id=mf></script>"), b"<!doctype html>" + text.encode())
    tree = LexborHTMLParser(once.decode())
    first = tree.css_first("head > *")
    assert first is not None and first.attributes.get("id") == "mf"
