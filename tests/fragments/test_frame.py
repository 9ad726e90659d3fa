"""A piece as a document of its own, in a sandbox that lets it reach nothing of the page."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from fragments.frame import SANDBOX, document, element
from fragments.piece import read
from fragments.plan import Slot
from fragments.urls import Place

CART = Place("/cart", base="/cart/fragments/mini")
SLOT = Slot("cart.mini", mark="0-abc")


def framed(source: str) -> str:
    return document(read(source.encode(), "text/html", CART), SLOT)


def test_the_frame() -> None:
    frame = LexborHTMLParser(element(read(b'<p title="a">&amp;', "text/html", CART), SLOT)).css_first("iframe")
    assert frame is not None
    assert (frame.attributes["title"], frame.attributes["sandbox"]) == ("cart.mini", SANDBOX)
    assert (frame.attributes["srcdoc"] or "").endswith('</head><body><p title="a">&amp;</p></body></html>')


def test_no_frame_may_take_its_sandbox_away() -> None:
    assert "allow-scripts" in SANDBOX.split()
    assert "allow-same-origin" not in SANDBOX.split()


def test_the_document_has_what_was_the_roots() -> None:
    found = framed("<html lang=de class=k data-theme=x><title>T</title><body dir=rtl><p>x")
    assert found.startswith(
        '<!doctype html><html lang="de" dir="rtl" class="k" data-theme="x"><head><title>T</title><base target='
    )


HEADS = [
    pytest.param("<link rel=stylesheet href=/s>", '<link rel="stylesheet" href="/cart/s">', id="a sheet"),
    pytest.param("<meta name=a content=b>", '<meta name="a" content="b">', id="metadata"),
    pytest.param(
        '<script type=module src=/m></script><script type=importmap>{"imports":{"a":"/a"}}</script>',
        '<script type="importmap">{"imports":{"a":"/cart/a"},"scopes":{},"integrity":{}}</script>'
        '<script type="module" src="/cart/m"></script>',
        id="an import map, before any module",
    ),
]


@pytest.mark.parametrize(("source", "expected"), HEADS)
def test_what_the_head_has(source: str, expected: str) -> None:
    assert expected in framed(source).partition("</head>")[0]


def test_speculation_rules_are_for_pages() -> None:
    assert "speculationrules" not in framed("<script type=speculationrules>{}</script>")


def test_it_says_how_high_it_is_and_for_which_slot() -> None:
    assert 'parent.postMessage({mf:"0-abc",height:' in framed("<p>x")


def test_a_module_mounts_itself() -> None:
    found = framed("<script type=module mf-mount src=/app.js></script>").partition("</head>")[0]
    assert '<script type="module" src="/cart/app.js"></script>' in found
    assert 'import*as m from "/cart/app.js";' in found
    assert 'base:"/cart/",name:"cart.mini"' in found


def test_no_name_ends_a_script() -> None:
    found = document(
        read(b"<script type=module mf-mount src='/</script>'></script>", "text/html", CART), Slot("</script>", mark="<")
    )
    assert found.count("</script>") == 3
