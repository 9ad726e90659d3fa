"""Every URL of a sheet, and nothing else, is put below the prefix; twice is once; how it is cut does not show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.css import HELD, Sheet, rewrite, rewrite_text
from fragments.urls import Place

HOTELS = Place("/hotels", frozenset({"http://hotels.internal:8000"}))


def in_steps(sheet: str, step: int) -> str:
    text, rewriting = sheet.encode().decode("ascii", "surrogateescape"), Sheet(HOTELS)
    parts = [rewriting.feed(text[at : at + step]) for at in range(0, len(text), step)]
    return ("".join(parts) + rewriting.close()).encode("ascii", "surrogateescape").decode()


CHANGED = [
    pytest.param("a{background:url(/x)}", "a{background:url(/hotels/x)}", id="url, bare"),
    pytest.param('a{background:url( "/x" )}', 'a{background:url( "/hotels/x" )}', id="url, quoted"),
    pytest.param("a{background:url('/x')}", "a{background:url('/hotels/x')}", id="url, single quotes"),
    pytest.param("a{background:URL( /x )}", "a{background:URL( /hotels/x )}", id="in any case, with space"),
    pytest.param(r"a{background:u\72l(/x)}", r"a{background:u\72l(/hotels/x)}", id="with an escape in its name"),
    pytest.param(r"a{background:\75\52\4c (/x)}", r"a{background:\75\52\4c (/hotels/x)}", id="all of it escaped"),
    pytest.param(r"a{b:url(\2f x)}", r"a{b:url(/hotels/x)}", id="with an escape in the URL"),
    pytest.param(r"a{b:url(/x\)y)}", r"a{b:url(/hotels/x\)y)}", id="a bracket escaped"),
    pytest.param('a{b:url("/x\\"y")}', 'a{b:url("/hotels/x\\"y")}', id="a quote escaped"),
    pytest.param('a{b:url("/x\\\ny")}', 'a{b:url("/hotels/xy")}', id="a string over two lines"),
    pytest.param("a{b:url(http://hotels.internal:8000/x)}", "a{b:url(/hotels/x)}", id="the origin"),
    pytest.param("a{b:url(/a),url(/b)}", "a{b:url(/hotels/a),url(/hotels/b)}", id="a list"),
    pytest.param("a{--b:url(/a)}", "a{--b:url(/hotels/a)}", id="in a custom property"),
    pytest.param("@font-face{src:url(/a) format('x')}", "@font-face{src:url(/hotels/a) format('x')}", id="a font"),
    pytest.param("a{b:cross-fade(url(/a),50%)}", "a{b:cross-fade(url(/hotels/a),50%)}", id="in another function"),
    pytest.param("a{b:src('/x') src( /**/ '/y')}", "a{b:src('/hotels/x') src( /**/ '/hotels/y')}", id="src"),
    pytest.param('@import "/x.css" layer(a);', '@import "/hotels/x.css" layer(a);', id="import, a string"),
    pytest.param("@IMPORT url(/x.css);", "@IMPORT url(/hotels/x.css);", id="import, a url"),
    pytest.param("@import/**/'/a;b';", "@import/**/'/hotels/a;b';", id="import, a comment before"),
    pytest.param(r"@\69mport '/x';", r"@\69mport '/hotels/x';", id="import, escaped"),
    pytest.param('a{b:image-set("/a.png" 1x)}', 'a{b:image-set("/hotels/a.png" 1x)}', id="image-set"),
    pytest.param(
        "a{b:-webkit-image-set(url(/a) 1x, '/b' type('image/png') 2x) '/c'}",
        "a{b:-webkit-image-set(url(/hotels/a) 1x, '/hotels/b' type('image/png') 2x) '/c'}",
        id="image-set: its own strings only",
    ),
    pytest.param("a{b:image-set(/*)*/'/a')}", "a{b:image-set(/*)*/'/hotels/a')}", id="image-set: a comment in it"),
    pytest.param(
        "a{b:c}/*# sourceMappingURL=/x.css.map */", "a{b:c}/*# sourceMappingURL=/hotels/x.css.map */", id="a source map"
    ),
    pytest.param("/*@\tsourceMappingURL=/x*/", "/*@\tsourceMappingURL=/hotels/x*/", id="a source map, as it was"),
    pytest.param("a{b:url(/x", "a{b:url(/hotels/x", id="the end of the sheet ends a url"),
    pytest.param(
        r"image-set(@\url(/x)'/y')", r"image-set(@\url(/x)'/hotels/y')", id="image-set: a name that is no function"
    ),
    pytest.param("a{b:url('/x", "a{b:url('/hotels/x", id="and a string"),
    pytest.param("a{b:url('/x\\\\')}", "a{b:url('/hotels/x\\\\')}", id="a backslash escaped"),
    pytest.param("a{b:url(/a b) url(/c)}", "a{b:url(/a b) url(/hotels/c)}", id="after a url that is none"),
    pytest.param("a{b:'/x\n} c{d:url(/y)}", "a{b:'/x\n} c{d:url(/hotels/y)}", id="after a string that is none"),
    pytest.param("a{b:url('/x\n') url(/y)}", "a{b:url('/x\n') url(/y)}", id="not in a string that is none"),
    pytest.param("@namespace url(/n); a{b:url(/x)}", "@namespace url(/n); a{b:url(/hotels/x)}", id="after a namespace"),
    pytest.param("url(data:x) url(/y)", "url(data:x) url(/hotels/y)", id="after data"),
    pytest.param("é{é:url(/é)}", "é{é:url(/hotels/é)}", id="beyond ASCII"),
    pytest.param(
        r"a{b:url('/\e9 \3c/style>')}", r"a{b:url('/hotels/\e9 \3c /style>')}", id="no end tag comes out of it"
    ),
]
SAME = [
    pytest.param('a::before{content:"url(/x)"}', id="a string"),
    pytest.param("a{content:'/x'}", id="a string that looks like a path"),
    pytest.param("/* url(/x) */", id="a comment"),
    pytest.param("/* url(/x)", id="a comment without end"),
    pytest.param("/*/ url(/x) */", id="a comment that opens like it ends"),
    pytest.param("/* sourceMappingURL=/x */ a{b:'/*# sourceMappingURL=/x */'}", id="what only looks like a source map"),
    pytest.param("/*# sourceMappingURL=x.css.map */ /*# sourceMappingURL=data:a/b */", id="a source map beside it"),
    pytest.param("/*# sourceURL=/x */ /*# sourceMappingURL=/x", id="a source's name, and a map without end"),
    pytest.param("a{background:url(#g)}", id="a place in the page"),
    pytest.param("a{background:url(x.png)}", id="a relative one"),
    pytest.param("a{background:url(/hotels/x.png)}", id="one below the prefix"),
    pytest.param("a{background:url(//cdn.example/x)}", id="another host"),
    pytest.param("a{background:url(data:image/png;base64,AA/BB)}", id="data"),
    pytest.param("a{background:url(\"data:image/svg+xml,<svg fill='url(/x)'/>\")}", id="data that holds one"),
    pytest.param('@namespace "/x";', id="a namespace"),
    pytest.param("@namespace p url(/x);", id="a namespace in a url"),
    pytest.param("@-moz-document url(/x){}", id="a document"),
    pytest.param("1url(/x) #url(/x) @url(/x) url (/x) xurl(/x) url-x(/x)", id="names that are not it"),
    pytest.param("a{b:attr(x '/y')}", id="a string in another function"),
    pytest.param("@import layer(a) '/x';", id="a string further on"),
    pytest.param("a\\", id="a backslash at the end"),
    pytest.param("", id="nothing"),
]


@pytest.mark.parametrize("sheet, expected", CHANGED)
def test_changed(sheet: str, expected: str) -> None:
    assert rewrite(sheet.encode(), HOTELS).decode() == expected
    assert rewrite(expected.encode(), HOTELS).decode() == expected
    assert [in_steps(sheet, step) for step in (1, 2, 3, 7)] == [expected] * 4


@pytest.mark.parametrize("sheet", SAME)
def test_same(sheet: str) -> None:
    assert rewrite(sheet.encode(), HOTELS).decode() == sheet
    assert [in_steps(sheet, step) for step in (1, 2, 3, 7)] == [sheet] * 4


def test_bytes_of_any_charset_survive() -> None:
    assert rewrite(b"\xff{b:url(/\xe9)}", HOTELS) == b"\xff{b:url(/hotels/\xe9)}"


def test_a_style_attribute_writes_characters_as_escapes() -> None:
    assert rewrite_text("b:url('/\xe9')", HOTELS) == "b:url('/hotels/\\e9 ')"


LONG = "x" * HELD


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param(f"a{{b:url(/{LONG})}}", id="bare"),
        pytest.param(f"a{{b:url('/{LONG}')}}", id="quoted"),
        pytest.param(f"a{{b:image-set('/{LONG}')}}", id="in an image-set"),
        pytest.param(f"@import/*{LONG}*/'/a';", id="an import after a long comment"),
        pytest.param(f"a{{b:url(data:{LONG})}}", id="data"),
    ],
)
@pytest.mark.parametrize("step", [1000, 100_000, 1_000_000])
def test_what_is_too_long_to_hold_is_let_through(sheet: str, step: int) -> None:
    assert in_steps(sheet + "c{d:url(/e)}", step) == sheet + "c{d:url(/hotels/e)}"


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param("/*" * 300_000, id="a comment without end"),
        pytest.param("a{b:url(data:" + "x" * 600_000, id="data without end"),
        pytest.param("a{b:url('data:" + "x" * 600_000, id="quoted data without end"),
        pytest.param("a{b:'" + "x" * 600_000, id="a string without end"),
        pytest.param("x" * 600_000, id="a word without end"),
        pytest.param("\\61" * 200_000, id="a word of escapes"),
        pytest.param("url(" * 150_000, id="urls in urls"),
        pytest.param("image-set(" * 60_000, id="image sets in image sets"),
        pytest.param("@import" * 90_000, id="imports"),
        pytest.param("@namespace " * 50_000, id="namespaces without end"),
        pytest.param(" " * 600_000, id="space"),
    ],
)
def test_nothing_is_held_or_looked_at_again_and_again(sheet: str) -> None:
    rewriting, out, held = Sheet(HOTELS), 0, 0
    for at in range(0, len(sheet), 1000):
        out += len(rewriting.feed(sheet[at : at + 1000]))
        held = max(held, at + 1000 - out)
    assert out + len(rewriting.close()) == len(sheet)
    assert held <= 2 * HELD
    assert repr(rewriting).startswith("<Sheet in ")


PIECES = (
    *(
        "url(",
        "URL(",
        "u\\72l(",
        "src(",
        "image-set(",
        "@import",
        "@namespace",
        "/x",
        "/hotels/x",
        "x",
        "'",
        '"',
        ")",
        "(",
    ),
    *(
        "\\",
        "\n",
        "\r",
        " ",
        "/*",
        "*/",
        "*",
        "/",
        "{",
        "}",
        ";",
        "#",
        "@",
        "1",
        "-",
        "data:",
        "\\2f",
        "é",
        "\\\n",
        "a{b:",
    ),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.integers(1, 9))
def test_twice_is_once_and_cuts_do_not_show(sheet: str, step: int) -> None:
    once = rewrite(sheet.encode(), HOTELS).decode()
    assert in_steps(sheet, step) == once
    assert rewrite(once.encode(), HOTELS).decode() == once


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="/\\hH", exclude_categories=["Cs"]), max_size=60))
def test_without_a_slash_nothing_changes(sheet: str) -> None:
    assert rewrite(sheet.encode(), HOTELS) == sheet.encode()


def test_many_urls() -> None:
    sheet = "".join(f"a{{b:url(/{number % 1500})}}" for number in range(3000))
    assert rewrite_text(sheet, HOTELS) == sheet.replace("(/", "(/hotels/")
