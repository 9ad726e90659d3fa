"""A piece's sheets as its isolation wants them: those that go to the head, and those that stay where they are."""

from __future__ import annotations

import pytest

from fragments.fence import scoped, shadowed
from fragments.piece import Piece, read
from fragments.scope import scoped as within
from fragments.urls import Place

CART = Place("/cart", base="/cart/fragments/mini")


def piece(source: str) -> Piece:
    return read(source.encode(), "text/html", CART)


HEADS = [
    pytest.param(
        "<style media=print>.c{}</style>", f'<style media="print">{within(".c{}", "cart")}</style>', id="a style"
    ),
    pytest.param(
        "<link rel=stylesheet href='/s.css?a&amp;b'>",
        '<link rel="stylesheet" href="/cart/s.css?a&amp;b&amp;mf-scope=cart">',
        id="a sheet",
    ),
    pytest.param(
        "<link rel=stylesheet href=/cart/s.css integrity=x media=print>",
        '<link rel="stylesheet" href="/cart/s.css?mf-scope=cart" media="print">',
        id="a sheet with a hash, which is no longer its",
    ),
    pytest.param(
        "<link rel=preload as=style href=/s.css>",
        '<link rel="preload" as="style" href="/cart/s.css?mf-scope=cart">',
        id="what is loaded before it is wanted",
    ),
    pytest.param(
        "<link rel=preload as=font href=/f>", '<link rel="preload" as="font" href="/cart/f">', id="no other hint"
    ),
    pytest.param(
        "<script type=module src=/m></script>", '<script type="module" src="/cart/m"></script>', id="no module"
    ),
]


@pytest.mark.parametrize(("source", "expected"), HEADS)
def test_scoped_heads(source: str, expected: str) -> None:
    found = scoped(piece(source), "cart")
    assert [item.html.decode() for item in found.head] == [expected]
    assert found.diagnostics == ()


def test_two_fragments_with_the_same_sheet_have_it_each() -> None:
    given = piece("<style>.c{}</style><link rel=stylesheet href=/s>")
    keys = {item.key for name in ("a", "b") for item in scoped(given, name).head}
    assert len(keys) == 4


def test_a_sheet_of_another_site_is_told() -> None:
    found = scoped(piece("<link rel=stylesheet href=https://fonts.test/a.css>"), "cart")
    assert [said.code for said in found.diagnostics] == ["scope-elsewhere"]
    assert b"mf-scope" not in found.head[0].html


STAYING = [
    pytest.param(
        "<svg><style>a>b{c:'&lt;'}</style></svg>",
        f"""<svg><style>{within("a>b{c:'<'}", "cart")}</style></svg>""",
        id="svg",
    ),
    pytest.param("<svg><style>a{}<g></g></style></svg>", "<svg><style></style></svg>", id="a sheet with markup in it"),
    pytest.param(
        "<noscript><style>.c{}</style></noscript>",
        f"<noscript><style>{within('.c{}', 'cart')}</style></noscript>",
        id="for viewers without scripts",
    ),
    pytest.param(
        "<noscript><link rel=stylesheet href=/s></noscript>",
        '<noscript><link rel="stylesheet" href="/cart/s?mf-scope=cart"></noscript>',
        id="linked for them",
    ),
    pytest.param("<p><link itemprop=url href=/x></p>", '<p><link itemprop="url" href="/cart/x"></p>', id="no sheet"),
    pytest.param(
        "<template><style>.c{}</style></template>", "<template><style>.c{}</style></template>", id="a template's"
    ),
    pytest.param("<p>x</p>", "<p>x</p>", id="none"),
]


@pytest.mark.parametrize(("source", "expected"), STAYING)
def test_sheets_that_stay_where_they_are(source: str, expected: str) -> None:
    html = scoped(piece(source), "cart").html.decode()
    assert html.replace("&gt;", ">").replace("&lt;", "<") == expected


def test_a_shadow_root_has_its_sheets_and_its_document_the_fonts() -> None:
    source = (
        "<style media=print>:root{a:b}@font-face{c:d}</style><style>.c{}</style><link rel=stylesheet href=/s.css>"
        "<link rel=preload as=style href=/s.css><link rel=stylesheet href=https://fonts.test/a.css>"
        "<script type=module src=/m></script>"
    )
    inside, head = shadowed(piece(source).head)
    assert inside == (
        '<style media="print">:host{a:b}</style><style>.c{}</style>'
        '<link rel="stylesheet" href="/cart/s.css?mf-scope=:host">'
        '<link rel="stylesheet" href="https://fonts.test/a.css">'
    )
    assert [item.html.decode() for item in head] == [
        '<style media="print">@font-face{c:d}</style>',
        '<link rel="stylesheet" href="/cart/s.css?mf-scope=:document">',
        '<link rel="preload" as="style" href="/cart/s.css?mf-scope=:host">',
        '<script type="module" src="/cart/m"></script>',
    ]


def test_key_frames_have_the_same_name_in_all_sheets_of_the_piece() -> None:
    source = (
        "<style>@keyframes a{}</style><style>.c{animation:a 1s}</style><svg><style>.d{animation:a}</style></svg>"
        "<p style='animation:a &quot;b&quot;;e:f'>x</p><p animation=a>"
    )
    found = scoped(piece(source), "cart.box")
    assert found.head[0].html == b"<style>@keyframes a-cart-box{}</style>"
    assert b"animation:a-cart-box 1s" in found.head[1].html
    assert b"{animation:a-cart-box}" in found.html
    assert found.html.endswith(b'<p style="animation:a-cart-box &quot;b&quot;;e:f">x</p><p animation="a"></p>')
