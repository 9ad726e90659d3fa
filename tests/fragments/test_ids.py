"""Ids with a prefix, and all that refers to them; what means something else stays."""

from __future__ import annotations

import pytest

from fragments.piece import read
from fragments.urls import Place

CART = Place("/cart", base="/cart/fragments/mini")

REFERRING = [
    pytest.param('<a href="#a"></a>', '<a href="#x-a"></a>', id="a link"),
    pytest.param('<a href="#b"></a>', '<a href="#b"></a>', id="to what is not its own"),
    pytest.param('<a href="?q#a"></a>', '<a href="/cart/fragments/mini?q#a"></a>', id="to another document"),
    pytest.param('<label for="a"></label>', '<label for="x-a"></label>', id="a label"),
    pytest.param('<p aria-labelledby="a b  a"></p>', '<p aria-labelledby="x-a b  x-a"></p>', id="a list of them"),
    pytest.param('<input list="a" form="a">', '<input list="x-a" form="x-a">', id="a form's"),
    pytest.param('<button popovertarget="a"></button>', '<button popovertarget="x-a"></button>', id="a popover"),
    pytest.param('<table><tbody><tr><td headers="a"></td></tr></tbody></table>', 'headers="x-a"', id="a cell"),
    pytest.param('<map name="m"></map><img usemap="#m">', '<map name="x-m"></map><img usemap="#x-m">', id="a map"),
    pytest.param('<a name="n"></a><a href="#n"></a>', '<a name="x-n"></a><a href="#x-n"></a>', id="an old anchor"),
    pytest.param('<input name="a">', '<input name="a">', id="no name of a field"),
    pytest.param(
        '<svg><use href="#a" xlink:href="#a"></use><path fill="url(#a)"></path></svg>',
        '<svg><use href="#x-a" xlink:href="#x-a"></use><path fill="url(#x-a)"></path></svg>',
        id="a drawing",
    ),
    pytest.param("<p style=\"fill:url( '#a')\"></p>", "<p style=\"fill:url( '#x-a')\"></p>", id="a style"),
    pytest.param('<p title="#a (a)"></p>', '<p title="#a (a)"></p>', id="text"),
    pytest.param("<template><b id=a></b></template>", '<template><b id="x-a"></b></template>', id="in a template"),
]


@pytest.mark.parametrize(("source", "expected"), REFERRING)
def test_what_refers(source: str, expected: str) -> None:
    found = read(f"<i id=a></i>{source}".encode(), "text/html", CART, ids="x-").html.decode()
    assert found.startswith('<i id="x-a"></i>')
    assert expected in found


def test_sheets_of_the_piece_find_them() -> None:
    found = read(b"<style>#a,#b{c:url(#a);color:#a}</style><p id=a>", "text/html", CART, ids="x-")
    assert found.head[0].html == b"<style>#x-a,#b{c:url(#x-a);color:#a}</style>"
    assert found.ids == {"x-a"}


def test_without_a_prefix_all_stays() -> None:
    source = b'<p id="a"></p><a href="#a"></a>'
    assert read(source, "text/html", CART).html == source


def test_a_piece_without_ids_stays() -> None:
    source = b'<a href="#a"></a>'
    assert read(source, "text/html", CART, ids="x-").html == source
