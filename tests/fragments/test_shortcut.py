"""The quick way reads what it reads as the long one does, and leaves the rest to it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fragments.shortcut as shortcut
from fragments.errors import FragmentsError
from fragments.piece import Piece, read
from fragments.urls import Place
from tests.fragments.documents_of_strangers import made_up, pages

CART = Place("/cart", frozenset({"http://cart.internal"}), base="/cart/fragments/mini")


def both(body: bytes) -> tuple[Piece | None, Piece | None]:
    """The piece by each way; None if it was refused."""
    return _read(body, shortcut.read), _read(body, lambda *_: None)


def _read(body: bytes, way: object) -> Piece | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcut, "read", way)
        try:
            return read(body, "text/html; charset=utf-8", CART)
        except FragmentsError:
            return None


def takes(source: str) -> bool:
    """Whether the quick way reads this."""
    taken: list[bool] = []
    quick = shortcut.read

    def watched(*given: object) -> object:
        found = quick(*given)  # type: ignore[arg-type]
        taken.append(found is not None)
        return found

    _read(source.encode(), watched)
    return taken == [True]


PLAIN = [
    pytest.param('<p class=a>x<b>y</p><a href="/x?a=1&amp;b=2">z</a>', id="markup"),
    pytest.param("<style>a{b:url(/x)}</style><link rel=stylesheet href=s.css><p>x", id="sheets"),
    pytest.param(
        "<script>a<b</script><script src=/a.js></script><script type=module src=/m.js></script>", id="scripts"
    ),
    pytest.param("<img srcset='/a 1x, /b 2x'><form action><input formaction=/x></form>", id="what carries URLs"),
    pytest.param("<!--[--><p>x<!-- a > b --></p><!--]-->y", id="comments without markup in them"),
    pytest.param("<a href=/x><svg viewBox='0 0 1 1'><g><path d='M0'/></g></svg></a>", id="icons"),
    pytest.param("<ul><li>a<li>b</ul><table><tr><td>c</table>&nbsp;&lt;", id="what is closed by others"),
    pytest.param(
        "<!doctype html><html lang=de class=a id=i><head><title>T</title></head><body class=b>x", id="documents"
    ),
    pytest.param("<details name=a open id=d><summary style='a:url(b)'>x</summary></details>", id="details"),
    pytest.param("<script type=module mf-mount src=/m.js></script><p>x".replace("mf-mount", "defer"), id="modules"),
]


@pytest.mark.parametrize("source", PLAIN)
def test_plain_markup_is_read_quickly_and_as_ever(source: str) -> None:
    assert takes(source)
    quick, slow = both(source.encode())
    assert quick == slow


ODD = [
    pytest.param("<template>x</template>", id="a template"),
    pytest.param("<noscript>x</noscript>", id="a noscript"),
    pytest.param("<pre>\nx</pre>", id="a newline that a parser drops"),
    pytest.param("<svg><title>x</title></svg>", id="a drawing with text"),
    pytest.param("<svg><use href=#a /></svg>", id="one that refers to something"),
    pytest.param("<svg><path d=M0>", id="one that is left open"),
    pytest.param('<svg a="></svg><b c="><title>x</title></svg>', id="one that ends in a value"),
    pytest.param('<svg x" y=" z></svg><b>"><style>a{}</style></svg>', id="or seems to"),
    pytest.param("<math><mi>x</math>", id="a formula"),
    pytest.param("<!--<b>-->x", id="a comment with markup in it"),
    pytest.param("<![CDATA[x]]>", id="another declaration"),
    pytest.param("<?x?>", id="an instruction"),
    pytest.param("<base href=/x>", id="a base"),
    pytest.param("<iframe srcdoc=x></iframe>", id="a frame"),
    pytest.param("<p data-mf-slot=x>", id="marks of ours"),
    pytest.param("<script nonce=x>1</script>", id="a nonce"),
    pytest.param("<script>a='<!--<script>'</script><!-- -->", id="a script that is repaired"),
    pytest.param("<script>a='<!-- > <script>'", id="one that is repaired behind a comment"),
    pytest.param("<script>a='<!-- -->'</script>", id="a script with a comment"),
    pytest.param("<a><table><a>x", id="what does not come back as it was"),
]


@pytest.mark.parametrize("source", ODD)
def test_anything_else_is_left_to_the_long_way(source: str) -> None:
    assert not takes(source)
    quick, slow = both(source.encode())
    assert quick == slow


REFERRING = [
    pytest.param("url(/x)", id="a URL"),
    pytest.param("&#117;rl(/x)", id="one with references"),
    pytest.param("u\\72l(/x)", id="one with escapes"),
    pytest.param("image-set('/x' 1x)", id="a choice of pictures"),
    pytest.param("@import '/x';", id="an import"),
]


@pytest.mark.parametrize("around", ["{}", "<!doctype html><p>{}</p>"], ids=["a part", "a tidy page"])
@pytest.mark.parametrize("value", REFERRING)
def test_a_shape_that_may_refer_to_something_is_left_to_the_long_way(value: str, around: str) -> None:
    icon = "<svg><path d='M0 0'/></svg>"
    assert takes(around.format(icon))
    source = around.format(f'{icon}<svg><path fill="{value}"/></svg>')
    assert not takes(source)
    quick, slow = both(source.encode())
    assert quick == slow
    assert slow is not None
    assert b"/cart/x" in slow.html


@pytest.mark.parametrize("other", ["<title>x</title>", "<use href=#a></use>", "<defs></defs>"])
def test_what_is_drawn_without_being_an_icon_is_left_to_the_long_way(other: str) -> None:
    page = "<!doctype html><p><svg><path d='M0'/></svg><svg>{}</svg></p>"
    assert takes(page.format(""))
    assert not takes(page.format(other))
    quick, slow = both(page.format(other).encode())
    assert quick == slow


TAGS = """
<b> </b> <p> </p> <div_style=a:url(b)> </div> <table> </table> <tr> <td> <svg> </svg> <g> <path_d=M/> <style> </style>
<title> <select> <option> <!-- --> <a_href=x> </a> <form_action> </form> <li_id=q> <script> </script> x &lt; &nbsp;
<br/> <base_href=/b/> <meta_charset=x> <meta_name=a_content=b> <html_class=a> <body_id=x_data-a=b> <head> </title>
<link_rel=stylesheet_href=s> <nobr> <button> \0 ' " = <a <img_srcset="a_1x,b"_src=/c> <details_name=a> <col>
<!doctype_html> </body> <h1> <dl> <dd> <option> <script_type=module_src=/m> <script_src=/a_mf-once> <font>
<input_formaction=> <textarea> <image_src=/x>
"""
SOURCES = st.lists(st.sampled_from(TAGS.split()).map(lambda tag: tag.replace("_", " ")), max_size=16).map("".join)


@settings(max_examples=400, deadline=None)
@given(SOURCES)
def test_both_ways_say_the_same_of_anything(source: str) -> None:
    quick, slow = both(source.encode())
    assert quick == slow


def test_and_of_pages_that_others_wrote() -> None:
    taken = 0
    small = [body for body in (path.read_bytes() for path in pages()[:60]) if len(body) < 20_000]
    for body in small[:12] + [text.encode() for text in made_up(200, seed=7)]:
        quick, slow = both(body)
        assert quick == slow
        taken += takes(body.decode("utf-8", "replace"))
    assert taken > 10


def test_a_piece_is_compared_as_a_whole() -> None:
    """What the other tests rest on: equality of pieces is that of all they say."""
    fields = [field for field in dataclasses.fields(Piece) if field.compare]
    assert len(fields) == len(dataclasses.fields(Piece))
