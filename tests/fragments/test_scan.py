"""The scanner finds the tokens the HTML standard finds, whatever the chunks, in one pass."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from fragments.scan import ACQUAINTED, HELD, Kind, Scanner, Token, attributes, escape, tokens, unescape


def seen(source: bytes) -> list[str]:
    return [f"{token.kind.name.lower()} {source[token.start : token.end].decode()}" for token in tokens(source)]


def streamed(source: bytes, cuts: list[int]) -> list[Token]:
    """The tokens of a source cut at these places, with offsets into the whole."""
    scanner, base, found = Scanner(), 0, []
    edges = [0, *sorted(cut for cut in cuts if cut < len(source)), len(source)]
    for start, end in pairwise(edges):
        base += scanner.settled
        found += [t._replace(start=t.start + base, end=t.end + base) for t in scanner.feed(source[start:end])]
    base += scanner.settled
    return found + [t._replace(start=t.start + base, end=t.end + base) for t in scanner.close()]


TOKENS = {
    "a tag in text": ("x<a>y</a>z", ["start <a>", "end </a>"]),
    "a less-than sign alone is text": ("1 < 2 <3 <", []),
    "a name may hold anything but space, slash and greater-than": ("<a\"b'c=d<e>", ["start <a\"b'c=d<e>"]),
    "greater-than in quotes does not end a tag": ("<a title='>' id=\">\">", ["start <a title='>' id=\">\">"]),
    "quotes count only after an equals sign": ('<a b"c>d">', ['start <a b"c>']),
    "quotes in an unquoted value do not count": ('<a b=c"d>e">', ['start <a b=c"d>']),
    "an attribute name may begin with an equals sign": ('<a ="b>c">', ['start <a ="b>']),
    "a missing value ends with the tag": ("<a b=>c>", ["start <a b=>"]),
    "space stands around the equals sign": ("<a b = '>' >", ["start <a b = '>' >"]),
    "attributes need no space between them": ("<a b='1'c=\"2\"d>", ["start <a b='1'c=\"2\"d>"]),
    "slashes between attributes are nothing": ("<a/b/ /c=/d/>", ["start <a/b/ /c=/d/>"]),
    "an end tag has attributes too": ("</a b='>'>", ["end </a b='>'>"]),
    "an empty end tag is nothing": ("</>x<b>", ["start <b>"]),
    "an end tag without a name is a comment": ("</ a='>'>", ["comment </ a='>"]),
    "the shortest comments": ("<!--><a><!---><b>", ["comment <!-->", "start <a>", "comment <!--->", "start <b>"]),
    "a comment may end with a bang": ("<!--a--!><b>", ["comment <!--a--!>", "start <b>"]),
    "a bang right after the opening does not end it": ("<!---!><a>--><b>", ["comment <!---!><a>-->", "start <b>"]),
    "a comment in a comment": ("<!--<!--a--><b>-->", ["comment <!--<!--a-->", "start <b>"]),
    "a comment without end is none": ("<a><!-- <b>", ["start <a>"]),
    "a bogus comment ends at the first greater-than": ("<!a '>'><?b>", ["comment <!a '>", "instruction <?b>"]),
    "a doctype": ("<!doctype html SYSTEM 'a'><a>", ["doctype <!doctype html SYSTEM 'a'>", "start <a>"]),
    "cdata outside of foreign content is a bogus comment": ("<![CDATA[<a>]]>", ["comment <![CDATA[<a>"]),
    "a tag cut off by the end is none": ("<a><b c='", ["start <a>"]),
    "nothing after a tag cut off by the end": ("<a b='<i><i>", []),
    "a name cut off by the end": ("<a><b", ["start <a>"]),
    "title holds text": ("<title><a></title><b>", ["start <title>", "end </title>", "start <b>"]),
    "textarea holds text": ("<textarea></a></textarea >", ["start <textarea>", "end </textarea >"]),
    "raw text ends at its own name in any case": ("<style></styles></STYLE/>", ["start <style>", "end </STYLE/>"]),
    "iframe, xmp, noembed and noframes hold text": (
        "<iframe><a></iframe><xmp><a></xmp><noembed><a></noembed><noframes><a></noframes>",
        [f"{kind}{name}>" for name in ("iframe", "xmp", "noembed", "noframes") for kind in ("start <", "end </")],
    ),
    "noscript holds markup": ("<noscript><a></noscript>", ["start <noscript>", "start <a>", "end </noscript>"]),
    "template holds markup": ("<template><a></template>", ["start <template>", "start <a>", "end </template>"]),
    "nothing after plaintext": ("<plaintext><a></plaintext>", ["start <plaintext>"]),
    "a self-closing raw element is open": ("<script/><a></script>", ["start <script/>", "end </script>"]),
    "script text ends at the first end tag": (
        "<script>'</script>'<a>",
        ["start <script>", "end </script>", "start <a>"],
    ),
    "a comment in a script does not hide its end": (
        "<script><!-- </script><a>",
        ["start <script>", "end </script>", "start <a>"],
    ),
    "a script in a comment in a script does": (
        "<script><!-- <script> </script> <a> --></script><b>",
        ["start <script>", "end </script>", "start <b>"],
    ),
    "until the comment ends": (
        "<script><!-- <script> --> </script><a>",
        ["start <script>", "end </script>", "start <a>"],
    ),
    "a comment that opens and ends in four": (
        "<script><!--><script></script><a>",
        ["start <script>", "end </script>", "start <a>"],
    ),
    "scripted needs a delimiter": (
        "<script><!--<scripts></script><a>",
        ["start <script>", "end </script>", "start <a>"],
    ),
}
FOREIGN = {
    "cdata in svg": ("<svg><![CDATA[<a>]]></svg>", ["start <svg>", "cdata <![CDATA[<a>]]>", "end </svg>"]),
    "style in svg holds markup": (
        "<svg><style><a></style></svg><style><a></style>",
        ["start <svg>", "start <style>", "start <a>", "end </style>", "end </svg>", "start <style>", "end </style>"],
    ),
    "title in svg is an integration point": (
        "<svg><title><style><a></style></title><style><g>",
        ["start <svg>", "start <title>", "start <style>", "end </style>", "end </title>", "start <style>", "start <g>"],
    ),
    "a break-out tag ends svg": ("<svg><g><p><style><a>", ["start <svg>", "start <g>", "start <p>", "start <style>"]),
    "font breaks out only with its attributes": (
        "<svg><font><style><a></style><font color=x><style><a>",
        [
            "start <svg>",
            "start <font>",
            "start <style>",
            "start <a>",
            "end </style>",
            "start <font color=x>",
            "start <style>",
        ],
    ),
    "self-closed svg holds nothing": ("<svg/><style><a>", ["start <svg/>", "start <style>"]),
    "html in foreignObject is html": (
        "<svg><foreignObject><div><style><a></style></div></foreignObject><style><g>",
        [
            *("start <svg>", "start <foreignObject>", "start <div>", "start <style>", "end </style>"),
            *("end </div>", "end </foreignObject>", "start <style>", "start <g>"),
        ],
    ),
    "the svg end tag closes what is open in it": (
        "<svg><g><foreignObject></svg><style><a>",
        ["start <svg>", "start <g>", "start <foreignObject>", "end </svg>", "start <style>"],
    ),
    "an unclosed div keeps its svg open": (
        "<svg><foreignObject><div></svg><svg/><style><a>",
        ["start <svg>", "start <foreignObject>", "start <div>", "end </svg>", "start <svg/>", "start <style>"],
    ),
    "an end tag of an element that nobody opened closes nothing": (
        "<p><pre></pre><svg><g></pre></div><style><a>",
        [
            *("start <p>", "start <pre>", "end </pre>", "start <svg>", "start <g>", "end </pre>", "end </div>"),
            *("start <style>", "start <a>"),
        ],
    ),
    "an end tag of an element around closes svg": (
        "<div><svg><g></div><style><a>",
        ["start <div>", "start <svg>", "start <g>", "end </div>", "start <style>"],
    ),
    "a block in a paragraph in svg": (
        "<svg><foreignObject><p><div></div><style></style></foreignObject><style><g>",
        [
            *("start <svg>", "start <foreignObject>", "start <p>", "start <div>", "end </div>", "start <style>"),
            *("end </style>", "end </foreignObject>", "start <style>", "start <g>"),
        ],
    ),
    "formatting ends on its own": (
        "<svg><foreignObject><b><i></b></i></foreignObject><style><g>",
        [
            *("start <svg>", "start <foreignObject>", "start <b>", "start <i>", "end </b>", "end </i>"),
            *("end </foreignObject>", "start <style>", "start <g>"),
        ],
    ),
    "an end tag of html in svg closes svg in it": (
        "<svg><desc><div><svg><g></div><style></style></desc><style><g>",
        [
            *("start <svg>", "start <desc>", "start <div>", "start <svg>", "start <g>", "end </div>"),
            *("start <style>", "end </style>", "end </desc>", "start <style>", "start <g>"),
        ],
    ),
    "an end tag within svg does not reach over an integration point": (
        "<svg><desc><div></desc><style><g></style>",
        ["start <svg>", "start <desc>", "start <div>", "end </desc>", "start <style>", "end </style>"],
    ),
    "a stray end tag of raw text closes nothing": (
        "<svg></style><style><g>",
        ["start <svg>", "end </style>", "start <style>", "start <g>"],
    ),
    "a paragraph's end breaks out": ("<svg></p><style><a>", ["start <svg>", "end </p>", "start <style>"]),
    "mtext holds html": (
        "<math><mtext><style><a></style>",
        ["start <math>", "start <mtext>", "start <style>", "end </style>"],
    ),
    "but mglyph": (
        "<math><mtext><mglyph><style><g>",
        ["start <math>", "start <mtext>", "start <mglyph>", "start <style>", "start <g>"],
    ),
    "annotation-xml is html by its encoding": (
        "<math><annotation-xml encoding=Text/HTML><style><a></style>",
        ["start <math>", "start <annotation-xml encoding=Text/HTML>", "start <style>", "end </style>"],
    ),
    "and xml without": (
        "<math><annotation-xml><style><a>",
        ["start <math>", "start <annotation-xml>", "start <style>", "start <a>"],
    ),
    "svg in annotation-xml is svg": (
        "<math><annotation-xml><svg><title><style><a></style>",
        ["start <math>", "start <annotation-xml>", "start <svg>", "start <title>", "start <style>", "end </style>"],
    ),
}


@pytest.mark.parametrize(
    "source, expected", [pytest.param(*row, id=name) for name, row in {**TOKENS, **FOREIGN}.items()]
)
def test_tokens(source: str, expected: list[str]) -> None:
    assert seen(source.encode()) == expected
    whole = list(tokens(source.encode()))
    assert streamed(source.encode(), list(range(len(source)))) == whole


def test_deep_in_a_document_whatever_ends_was_open() -> None:
    source = b"x" * ACQUAINTED + b"<svg></div><title><a>"
    assert [token.name for token in tokens(source)] == [b"svg", b"div", b"title"]


def test_a_token_says_what_it_is() -> None:
    first, second = tokens(b"<SVG viewBox='0'><Use\n/>")
    assert first == Token(Kind.START, 0, 17, b"svg", closed=False, foreign=True)
    assert second == Token(Kind.START, 17, 24, b"use", closed=True, foreign=True)


def test_repr_says_where_it_is() -> None:
    scanner = Scanner()
    assert [token.name for token in scanner.feed(b"<svg><g><a")] == [b"svg", b"g"]
    assert repr(scanner) == "<Scanner in svg/g, 2 bytes held>"
    assert [token.name for token in scanner.close(b"><script>x")] == [b"a", b"script"]
    assert repr(Scanner()) == "<Scanner in text, 0 bytes held>"


@pytest.mark.parametrize(
    "source, closed",
    [
        pytest.param(b"<a/>", True, id="a slash before the end"),
        pytest.param(b"<a b />", True, id="after an attribute"),
        pytest.param(b"<a b='c'/>", True, id="after a quoted value"),
        pytest.param(b"<a b=c/>", False, id="but in an unquoted value"),
        pytest.param(b"<a / >", False, id="and not with a space after it"),
    ],
)
def test_closed(source: bytes, closed: bool) -> None:
    assert [token.closed for token in tokens(source)] == [closed]
    assert [token.closed for token in streamed(source, list(range(len(source))))] == [closed]


@pytest.mark.parametrize(
    "source, expected",
    [
        pytest.param(b"<a b=c>", [(b"b", b"c", b"")], id="unquoted"),
        pytest.param(b"<a b='c' d=\"e\">", [(b"b", b"c", b"'"), (b"d", b"e", b'"')], id="quoted"),
        pytest.param(b"<a B = c>", [(b"b", b"c", b"")], id="lower-case, spaced"),
        pytest.param(b"<a b>", [(b"b", None, b"")], id="without a value"),
        pytest.param(b"<a b= >", [(b"b", b"", b"")], id="with a missing value"),
        pytest.param(b"<a b=''>", [(b"b", b"", b"'")], id="with an empty value"),
        pytest.param(b"<a b=1 B=2>", [(b"b", b"1", b"")], id="the first of its name"),
        pytest.param(b"<a =b=c>", [(b"=b", b"c", b"")], id="named with an equals sign"),
        pytest.param(b"<a b=&amp;>", [(b"b", b"&amp;", b"")], id="as written"),
        pytest.param(b"<a/b=c/d/>", [(b"b", b"c/d/", b"")], id="slashes in an unquoted value"),
        pytest.param(b"<a>", [], id="none"),
    ],
)
def test_attributes(source: bytes, expected: list[tuple[bytes, bytes | None, bytes]]) -> None:
    (token,) = tokens(source)
    found = attributes(source, token)
    assert [(each.name, each.value, each.quote) for each in found] == expected
    for each in found:
        assert source[each.value_start : each.value_end] == (each.value or b"")
        assert source[each.start : each.start + len(each.name)].lower() == each.name


VALUES = [
    pytest.param(b"a&amp;b", "a&b", id="named"),
    pytest.param(b"&#47;&#x2F;&#X2f", "///", id="numbered"),
    pytest.param(
        b"?a&copy=1&copyx&copy", "?a&copy=1&copyx\xa9", id="an old name before an equals sign or a letter stays"
    ),
    pytest.param(b"&notit;&unknown;&", "&notit;&unknown;&", id="unknown names stay"),
    pytest.param(
        b"&#x80;&#0;&#xD800;&#99999999999999;", "\u20ac\ufffd\ufffd\ufffd", id="numbers that mean something else"
    ),
    pytest.param(b"\xc3\xa9&eacute;\xff", "\xe9\xe9\udcff", id="bytes that are not utf-8 stay bytes"),
]


@pytest.mark.parametrize("raw, value", VALUES)
def test_unescape(raw: bytes, value: str) -> None:
    assert unescape(raw) == value
    assert unescape(escape(value, b'"')) == value


@pytest.mark.parametrize(
    "value, quote, charset, expected",
    [
        pytest.param("&\"'", b'"', "utf-8", b"&amp;&quot;'", id="the quote in use"),
        pytest.param("&\"'", b"'", "utf-8", b'&amp;"&#39;', id="or the other"),
        pytest.param(
            "\xe9\udce9", b"", "ascii", b"&#xE9;\xe9", id="characters an unknown charset may lack become references"
        ),
    ],
)
def test_escape(value: str, quote: bytes, charset: str, expected: bytes) -> None:
    assert escape(value, quote, charset) == expected


def test_a_tag_that_is_too_long_to_hold_is_no_token_but_is_read() -> None:
    long = b"<script x='" + b"<a>" * HELD + b"'>"
    source = long + b"<b></script><i>"
    chunks = [source[at : at + 1000] for at in range(0, len(source), 1000)]
    scanner, found, held = Scanner(), [], 0
    for chunk in chunks:
        found += [(token.kind, token.name) for token in scanner.feed(chunk)]
        held = max(held, len(scanner.source) - scanner.settled)
    found += [(token.kind, token.name) for token in scanner.close()]
    assert found == [(Kind.END, b"script"), (Kind.START, b"i")]
    assert held <= HELD
    whole = Scanner()
    assert [(token.kind, token.name) for token in [*whole.feed(source), *whole.close()]] == found
    assert [token.name for token in tokens(source)] == [b"script", b"script", b"i"], "a whole source has no such limit"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"<a " * 200_000, id="tags without end"),
        pytest.param(b"<!--" * 250_000, id="comments without end"),
        pytest.param(b"<a b='" + b'"' * 1_000_000, id="a quote without end"),
        pytest.param(b'"' * 1_000_000, id="quotes in text"),
        pytest.param(b"<" * 1_000_000, id="less-than signs"),
        pytest.param(b"<a" + b" " * 1_000_000, id="a tag of spaces"),
        pytest.param(b"<a " + b"=" * 1_000_000, id="a tag of equals signs"),
        pytest.param(b"<script>" + b"<!--<script>" * 80_000, id="scripts in comments in a script"),
        pytest.param(b"<svg>" + b"<g>" * 60_000 + b"</x>" * 60_000, id="svg without bottom"),
        pytest.param(
            b"<svg><foreignObject>" + b"<div>" * 40_000 + b"</span>" * 40_000, id="html in svg without bottom"
        ),
        pytest.param(b"<style>" + b"</styl" * 160_000, id="an end that never comes"),
    ],
)
def test_nothing_is_looked_at_again_and_again(source: bytes) -> None:
    for token in tokens(source):
        assert token.end <= len(source)
    scanner = Scanner()
    for at in range(0, len(source), 4096):
        for token in scanner.feed(source[at : at + 4096]):
            assert token.end <= len(scanner.source)


PIECES = (
    *(
        "<a>",
        "<a href='x'>",
        "</a>",
        "<p ",
        "x=y",
        "='",
        "'",
        '"',
        ">",
        "/>",
        "<",
        "text",
        " ",
        "\n",
        "&amp;",
        "<!--",
        "-->",
    ),
    *(
        "--!>",
        "<!-->",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<title>",
        "</title>",
        "<svg>",
        "</svg>",
        "<g/>",
    ),
    *(
        "<foreignObject>",
        "</foreignObject>",
        "<![CDATA[",
        "]]>",
        "<!x>",
        "<?x?>",
        "</",
        "</>",
        "<math>",
        "<mi>",
        "=",
        "/",
    ),
)
markup = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@settings(deadline=None)
@given(markup, st.lists(st.integers(0, 300), max_size=8))
def test_how_a_source_is_cut_does_not_show(text: str, cuts: list[int]) -> None:
    source = text.encode()
    whole = list(tokens(source))
    assert streamed(source, cuts) == whole
    assert streamed(source, list(range(len(source)))) == whole


@settings(deadline=None)
@given(markup)
def test_tokens_go_forward_and_stand_where_they_say(text: str) -> None:
    source, at = text.encode(), 0
    for token in tokens(source):
        assert token.start >= at
        at = token.end
        assert source[token.start : token.start + 1] == b"<"
        opening = source[token.start : token.end].lower()
        if token.kind in (Kind.START, Kind.END):
            assert opening.removeprefix(b"<").removeprefix(b"/").startswith(token.name)
            assert opening.endswith(b">")


names = st.sampled_from(("div", "span", "section", "b", "x-y", "article", "em"))
attribute_names = st.from_regex(r"[a-z][a-z0-9:_\-]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
spelled = st.sampled_from(("{0}", '{0}="{1}"', "{0}='{1}'", '{0} = "{1}"'))


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    name = draw(names)
    written = "".join(
        draw(st.sampled_from((" ", "\n", " / ")))
        + draw(spelled).format(key, value.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#39;"))
        for key, value in draw(st.dictionaries(attribute_names, values, max_size=3)).items()
    )
    inside = st.sampled_from(
        (
            "text &lt; ",
            "<!-- <a> -->",
            "<script>'<a>'</script>",
            "<style>/*<a>*/</style>",
            "<textarea><a></textarea>",
            "<br/>",
        )
    )
    parts = draw(st.lists(inside if depth == 0 else inside | elements(depth - 1), max_size=3))
    return f"<{name}{written}>{''.join(parts)}</{name}>"


@settings(deadline=None)
@given(st.lists(elements(), max_size=4).map("".join))
def test_a_parser_sees_the_same_elements(text: str) -> None:
    source = text.encode()
    ours = [
        (token.name.decode(), {each.name.decode(): unescape(each.value or b"") for each in attributes(source, token)})
        for token in tokens(source)
        if token.kind is Kind.START
    ]
    body = LexborHTMLParser(f"<body>{text}").body
    assert body is not None
    theirs = [
        (node.tag, {k: v or "" for k, v in node.attributes.items()})
        for node in body.traverse()
        if node.tag is not None and node.tag[0] not in "-_"
    ]
    assert ours == theirs[1:]
