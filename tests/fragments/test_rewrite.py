"""A page below a prefix: what carries a URL is edited in place, every other byte stays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from fragments.documents import Json
from fragments.rewrite import (
    CssRewriter,
    HtmlRewriter,
    XmlRewriter,
    concerns,
    html,
    rewriter,
)
from fragments.scan import HELD, Kind, attributes, tokens, unescape
from fragments.stream import Lines, Rewriter
from fragments.urls import CARRIERS, Place, below
from fragments.xml import Document

ORIGINS = frozenset({"http://hotels.internal:8000", "http://shop.test"})
HOTELS = Place("/hotels", ORIGINS, links_to=("/pets",), public="http://shop.test")
ROOT = Place("", ORIGINS)
PIECE = Place("/hotels", ORIGINS, base="/hotels/fragments/deals")
CASES = Path(__file__).parent / "cases" / "mount"


def streamed(rewriting: Rewriter, source: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cut for cut in cuts if cut < len(source)), len(source)]
    return b"".join(rewriting.feed(source[start:end]) for start, end in pairwise(edges)) + rewriting.close()


def assert_rewritten(make: Callable[[Place], Rewriter], source: bytes, expected: bytes) -> None:
    assert streamed(make(HOTELS), source, []) == expected
    assert streamed(make(HOTELS), expected, []) == expected, "twice is once"
    for step in (1, 3, 7):
        assert streamed(make(HOTELS), source, list(range(0, len(source), step))) == expected, f"in steps of {step}"


CHANGED = {
    "unquoted": ("<a href=/x>", "<a href=/hotels/x>"),
    "single quotes, with references as they were": ("<a href='/x?a=1&b=2'>", "<a href='/hotels/x?a=1&b=2'>"),
    "spaced and in any case": ('<A HREF = "/x">', '<A HREF = "/hotels/x">'),
    "a reference for the slash": ('<a href="&#47;x">', '<a href="/hotels&#47;x">'),
    "white space before it": ('<a href="\n /x">', '<a href="/hotels/x">'),
    "quotes where the value needs them": ("<a href=&#32;/x&#32;y>", '<a href="/hotels/x y">'),
    "the quote in use is escaped": ("<a href=' /x&#39;y&amp;z'>", "<a href='/hotels/x&#39;y&amp;z'>"),
    "an absolute URL of the origin": ("<a href=http://hotels.internal:8000/x>", "<a href=/hotels/x>"),
    "the first of two": ('<a href="/x" HREF="/y">', '<a href="/hotels/x" HREF="/y">'),
    "only the tag, not what a value looks like": (
        '<div title="<a href=/in>"><a href="/out">',
        '<div title="<a href=/in>"><a href="/hotels/out">',
    ),
    "srcset": (
        '<img srcset="/a.png 1x, /b.png 2x, //c/d 3x">',
        '<img srcset="/hotels/a.png 1x, /hotels/b.png 2x, //c/d 3x">',
    ),
    "imagesrcset": ('<link imagesrcset="/a 1x, /b 2x">', '<link imagesrcset="/hotels/a 1x, /hotels/b 2x">'),
    "ping": ('<a ping="/a /b">', '<a ping="/hotels/a /hotels/b">'),
    "noscript": ('<noscript><img src="/p.gif"></noscript>', '<noscript><img src="/hotels/p.gif"></noscript>'),
    "template": ('<template><img src="/p"></template>', '<template><img src="/hotels/p"></template>'),
    "a sheet": ("<style>a{background:url(/i.png)}</style>", "<style>a{background:url(/hotels/i.png)}</style>"),
    "a style": ("<p style=\"background:url('/i.png')\">", "<p style=\"background:url('/hotels/i.png')\">"),
    "a style with references": (
        '<p style="background:url(&quot;/i.png&quot;)">',
        '<p style="background:url(&quot;/hotels/i.png&quot;)">',
    ),
    "a style in disguise": ("<p style=background:u&#114;l(/i)>", "<p style=background:url(/hotels/i)>"),
    "refresh": (
        '<meta http-equiv=Refresh content="0; url=/x">',
        '<meta http-equiv=Refresh content="0; url=/hotels/x">',
    ),
    "base": ('<base href="/">', '<base href="/hotels/">'),
    "use": ('<svg><use xlink:href="/s.svg#a"/></svg>', '<svg><use xlink:href="/hotels/s.svg#a"/></svg>'),
    "an svg link": ("<svg><a href=/x><image href=/y /></a>", "<svg><a href=/hotels/x><image href=/hotels/y /></a>"),
    "a presentation attribute": ('<svg><path fill="url(/x#y)"/>', '<svg><path fill="url(/hotels/x#y)"/>'),
    "svg among icons": (
        '<svg><path d="M1 1"/></svg><svg><title>x</title><use href="#a"/><use href="/b#a"/></svg>',
        '<svg><path d="M1 1"/></svg><svg><title>x</title><use href="#a"/><use href="/hotels/b#a"/></svg>',
    ),
    "a sheet in svg has references": (
        "<svg><style>a{b:url(&quot;/x&quot;)}</style>",
        '<svg><style>a{b:url("/hotels/x")}</style>',
    ),
    "and cdata without": (
        "<svg><style> <![CDATA[ a>b{c:url(/x)} ]]></style>",
        "<svg><style> <![CDATA[ a>b{c:url(/hotels/x)} ]]></style>",
    ),
    "html in svg": (
        "<svg><foreignObject><a href=/x></foreignObject><a href=/y>",
        "<svg><foreignObject><a href=/hotels/x></foreignObject><a href=/hotels/y>",
    ),
    "a document in an attribute": (
        '<iframe srcdoc="&lt;img src=&quot;/i&quot;&gt;">',
        '<iframe srcdoc="<img src=&quot;/hotels/i&quot;>">',
    ),
    "with characters of any charset": (
        "<iframe srcdoc='<a title=&eacute; href=/x>'>",
        "<iframe srcdoc='<a title=&#xE9; href=/hotels/x>'>",
    ),
    "a document in a document in an attribute": (
        "<iframe srcdoc=\"<iframe srcdoc='<a href=/x>'>\">",
        "<iframe srcdoc=\"<iframe srcdoc='<a href=/hotels/x>'>\">",
    ),
    "a form": (
        '<form action="/go"><button formaction="/b"><input formaction=/c>',
        '<form action="/hotels/go"><button formaction="/hotels/b"><input formaction=/hotels/c>',
    ),
    "an import map": (
        '<script type=importmap>{"imports":{"a":"/a.js","/k":"./b"},"scopes":{"/s/":{"c":"/c"}}}</script>',
        '<script type=importmap>{"imports":{"a":"/hotels/a.js","/k":"./b"},'
        '"scopes":{"/hotels/s/":{"c":"/hotels/c"}}}</script>',
    ),
    "an import map never ends its script": (
        '<script type="importmap">{"imports":{"a":" /\\u003c/script>"}}</script>',
        '<script type="importmap">{"imports":{"a":"/hotels/\\u003c/script>"}}</script>',
    ),
    "speculation rules": (
        '<script type=speculationrules>{"prefetch":[{"urls":["/x","//y"],"where":{"and":[{"href_matches":"/*"},'
        '{"not":{"href_matches":["/out",{"pathname":"/p"}]}}]}}]}</script>',
        '<script type=speculationrules>{"prefetch":[{"urls":["/hotels/x","//y"],"where":{"and":[{"href_matches":'
        '"/hotels/*"},{"not":{"href_matches":["/hotels/out",{"pathname":"/hotels/p"}]}}]}}]}</script>',
    ),
    "a canonical link stays absolute": (
        '<link rel=canonical href="http://hotels.internal:8000/x">',
        '<link rel=canonical href="http://shop.test/hotels/x">',
    ),
    "so does a picture for other sites": (
        '<meta property="og:image" content="http://hotels.internal:8000/x"><meta name=twitter:image content="/y">',
        '<meta property="og:image" content="http://shop.test/hotels/x"><meta name=twitter:image content="/hotels/y">',
    ),
    "the hash of a sheet that is rewritten goes": (
        '<link rel=stylesheet integrity="sha384-x" href=/x.css crossorigin>',
        "<link rel=stylesheet href=/hotels/x.css crossorigin>",
    ),
    "at the end of the tag, too": (
        '<link rel=stylesheet href=x.css integrity="y"/><link rel="preload" as="style" href="x"integrity="y">',
        '<link rel=stylesheet href=x.css /><link rel="preload" as="style" href="x">',
    ),
    "in windows-1251, or whatever it is": (
        "<a title='\udcef' href='/\udcf0'>",
        "<a title='\udcef' href='/hotels/\udcf0'>",
    ),
    "with a byte order mark": ("\udcef\udcbb\udcbf<a href=/x>", "\udcef\udcbb\udcbf<a href=/hotels/x>"),
    "what a tag that is cut off follows": ('<a href="/x"><a href="/y', '<a href="/hotels/x"><a href="/y'),
    "UTF-16 with its mark": (
        "\udcff\udcfe<\0a\0 \0h\0r\0e\0f\0=\0/\0>\0",
        "\udcff\udcfe<\0a\0 \0h\0r\0e\0f\0=\0/\0h\0o\0t\0e\0l\0s\0/\0>\0",
    ),
    "a policy": (
        '<meta http-equiv=Content-Security-Policy content="img-src http://hotels.internal:8000/i/; report-uri /r">',
        '<meta http-equiv=Content-Security-Policy content="img-src http://shop.test/hotels/i/; report-uri /hotels/r">',
    ),
    "linked data": (
        '<script type="application/ld+json">[{"@context":"https://schema.org","@type":"Hotel","@id":"/#h","n":1.0,'
        '"image":["/a.png",{"url":"http:\\/\\/hotels.internal:8000\\/b.png"}],"sameAs":["https://x.example/h"],'
        '"potentialAction":{"target":{"urlTemplate":"http://shop.test/s?q={q}"}},"itemListElement":[{"item":"/c"}]}]'
        "</script>",
        '<script type="application/ld+json">[{"@context":"https://schema.org","@type":"Hotel","@id":"/hotels/#h","n":1.0'
        ","
        '"image":["/hotels/a.png",{"url":"http://shop.test/hotels/b.png"}],"sameAs":["https://x.example/h"],'
        '"potentialAction":{"target":{"urlTemplate":"http://shop.test/hotels/s?q={q}"}},"itemListElement":[{"item":'
        '"/hotels/c"}]}]</script>',
    ),
    "htmx": (
        "<div hx-get=/a HX-Post='/b' data-hx-delete=\"/c\" hx-push-url=/d hx-sse='connect:/e swap:m' ws-connect=/f>",
        "<div hx-get=/hotels/a HX-Post='/hotels/b' data-hx-delete=\"/hotels/c\" hx-push-url=/hotels/d "
        "hx-sse='connect:/hotels/e swap:m' ws-connect=/hotels/f>",
    ),
    "lazy pictures": (
        "<img data-src=/a data-lazy-srcset='/b 1x, c 2x' data-bgset='/d 1x' data-original=/e src=x.gif>",
        "<img data-src=/hotels/a data-lazy-srcset='/hotels/b 1x, c 2x' data-bgset='/hotels/d 1x' "
        "data-original=/hotels/e src=x.gif>",
    ),
    "values that scripts read": (
        "<p data-search-url-value=/s data-login-url=http://hotels.internal:8000/l data-iframe-src=/f>",
        "<p data-search-url-value=/hotels/s data-login-url=/hotels/l data-iframe-src=/hotels/f>",
    ),
    "a frame of Turbo": ("<turbo-frame data-src=/x src=/y>", "<turbo-frame data-src=/hotels/x src=/hotels/y>"),
    "where Turbo and Action Cable are": (
        "<meta name=turbo-root content=/><meta name=action-cable-url content=/cable>",
        "<meta name=turbo-root content=/hotels/><meta name=action-cable-url content=/hotels/cable>",
    ),
    "tasks of a taskbar": (
        '<meta name=msapplication-task content="name=/In; action-uri=/in; icon-uri=/i.ico">',
        '<meta name=msapplication-task content="name=/In; action-uri=/hotels/in; icon-uri=/hotels/i.ico">',
    ),
    "an animated link": (
        "<svg><a><set attributeName='href' to='/x'/><animate attributeName=xlink:href values='/a;/b'"
        " from=/c /></a></svg>",
        "<svg><a><set attributeName='href' to='/hotels/x'/>"
        "<animate attributeName=xlink:href values='/hotels/a;/hotels/b' from=/hotels/c /></a></svg>",
    ),
    "an animated filter": (
        "<svg><set attributeName='filter' to='url(/x#f)'/></svg>",
        "<svg><set attributeName='filter' to='url(/hotels/x#f)'/></svg>",
    ),
    "pictures and scripts in svg": (
        "<svg><filter><feImage xlink:href=/a /></filter><image href='/b'/><script href=/c></script>"
        "<style>@import '/d';</style>",
        "<svg><filter><feImage xlink:href=/hotels/a /></filter><image href='/hotels/b'/><script"
        " href=/hotels/c></script>"
        "<style>@import '/hotels/d';</style>",
    ),
    "a link in mathml": ("<math><mi href=/x>x</mi></math>", "<math><mi href=/hotels/x>x</mi></math>"),
    "a shadow root": (
        "<div><template shadowrootmode=open><link rel=stylesheet href=/a><img src=/b></template></div>",
        "<div><template shadowrootmode=open><link rel=stylesheet href=/hotels/a><img src=/hotels/b></template></div>",
    ),
    "links that other sites read": (
        "<link rel=amphtml href=http://hotels.internal:8000/a><link rel='next' href=/b>",
        "<link rel=amphtml href=http://shop.test/hotels/a><link rel='next' href=/hotels/b>",
    ),
    "frames": (
        "<frameset><frame src=/a></frameset><noframes><a href=/b></noframes>",
        "<frameset><frame src=/hotels/a></frameset><noframes><a href=/b></noframes>",
    ),
    "what elements of a library load": (
        "<model-viewer src=/m.glb poster=/p><x-link href=/l to=/t>",
        "<model-viewer src=/hotels/m.glb poster=/hotels/p><x-link href=/hotels/l to=/t>",
    ),
    "a doctype and its case stay": (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "/x.dtd">\r\n<A\tHREF=/x >',
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "/x.dtd">\r\n<A\tHREF=/hotels/x >',
    ),
}
SAME = {
    "already below the prefix": "<a href=/hotels/x>",
    "another mount": "<a href=/pets/x>",
    "a comment": '<!-- <a href="/x"> -->',
    "a script": "<script>\"<a href='/x'>\"; fetch('/x')</script>",
    "a script of data": '<script type="application/json">{"url":"/x"}</script>',
    "an import map without our URLs": '<script type=importmap>{ "imports" : {"a":"./a.js"} }</script>',
    "an import map that is none": "<script type=importmap>{'a':'/a'}</script>",
    "the first of two": '<a href=1 HREF="/x">',
    "a place in the page": '<a href="#/x">',
    "mailto": '<a href="mailto:a@b?subject=/x">',
    "javascript": "<a href=\"javascript:go('/x')\">",
    "another host": '<a href="//cdn.example/x">',
    "text": '<textarea><a href="/x"></textarea><title><a href="/x"></title><xmp><a href="/x"></xmp>',
    "a tag that is cut off": '<a href="/x',
    "an attribute of another element": "<p href=/x><div src=/x><span action=/x><a src=/x><img href=/x>",
    "an attribute of nobody": "<a data-title=/x usemap=/x hx-target=/x hx-vals=/x>",
    "what scripts read, when it is no URL of ours": (
        "<a data-src=x data-url='//cdn.example/x' data-href=#/x data-hx-get=https://other.example/ hx-push-url=true "
        "hx-replace-url=false data-srcset='a 1x, //c/d 2x' hx-sse='swap:/x' data-bg=url(/x) data-url='{{/x}}'>"
    ),
    "an animation of something else": "<svg><animate attributeName=x to=/x values='/a;/b'/></svg>"
    "<animate to=/x attributeName=href>",
    "linked data of others": (
        '<script type="application/ld+json">{"@context":"/x","description":"/x","url":"https://other.example/x","n":1.0'
        "}"
        "</script>"
    ),
    "a script of state": '<script id=__NEXT_DATA__ type=application/json>{"url":"/x"}</script>',
    "plain text without end": "<p><plaintext><a href=/x></plaintext><a href=/y>",
    "an opted-out hash of a module": "<link rel=modulepreload href=x integrity=y>",
    "a policy of others": "<meta http-equiv=content-security-policy content=\"script-src 'self'"
    ' https://cdn.example/x/">',
    "a slot's own attributes": "<mf-slot name=x href=/x src=/y></mf-slot><h-include src=/x></h-include>",
    "a place in another page's map": "<img usemap=/x#m>",
    "an empty value": "<form action=''><a href=><img src=\"\">",
    "without a value": "<a href><style src></style>",
    "a meta of another name": "<meta name=description content=/x><meta content=/x>",
    "a style that only says so": "<p style=\"content:'url(/x)'\">",
    "the hash of a script": "<script src=x integrity=y></script>",
    "the hash of another's sheet": "<link rel=stylesheet href=//cdn.example/x integrity=y>",
    "an icon": '<svg viewBox="0 0 1 1"><g fill="url(#a)"><path d="M0 0" transform="scale(2)"/></g></svg>',
    "a use in html": "<use href=/x><path fill=url(/x)>",
    "a conditional comment": "<!--[if IE]><link href=/x><![endif]-->",
    "cdata in html": "<![CDATA[ <a ]]>",
    "UTF-16 that nobody says it is": "<\0a\0 \0h\0r\0e\0f\0=\0/\0>\0",
    "one byte": "x",
    "nothing": "",
}


@pytest.mark.parametrize("source, expected", [pytest.param(*row, id=name) for name, row in CHANGED.items()])
def test_changed(source: str, expected: str) -> None:
    encoded = [text.encode("utf-8", "surrogateescape") for text in (source, expected)]
    assert_rewritten(HtmlRewriter, *encoded)
    assert html(encoded[0], HOTELS) == encoded[1]


@pytest.mark.parametrize("source", [pytest.param(row, id=name) for name, row in SAME.items()])
def test_same(source: str) -> None:
    encoded = source.encode("utf-8", "surrogateescape")
    assert_rewritten(HtmlRewriter, encoded, encoded)


@pytest.mark.parametrize(
    "element, attribute",
    [
        pytest.param(e.decode(), a.decode(), id=f"{e.decode()}.{a.decode()}")
        for e, names in CARRIERS.items()
        for a in names
    ],
)
def test_every_attribute_of_the_table(element: str, attribute: str) -> None:
    assert html(f"<{element} {attribute}='/x'>".encode(), HOTELS) == f"<{element} {attribute}='/hotels/x'>".encode()


@pytest.mark.parametrize("case", sorted(CASES.glob("*.in.html")), ids=lambda case: case.name.removesuffix(".in.html"))
def test_golden_pairs(case: Path) -> None:
    expected = case.with_name(case.name.replace(".in.", ".out.")).read_bytes()
    assert_rewritten(HtmlRewriter, case.read_bytes(), expected)


def test_a_piece_gets_root_relative_urls() -> None:
    source = b"<img src=a.png srcset='b 1x'><a href='?p'>x</a><form action=''><a href='#y'><p class=x>"
    expected = (
        b"<img src=/hotels/fragments/a.png srcset='/hotels/fragments/b 1x'><a href='/hotels/fragments/deals?p'>x</a>"
        b"<form action='/hotels/fragments/deals'><a href='#y'><p class=x>"
    )
    assert html(source, PIECE) == expected
    assert html(expected, PIECE) == expected


def test_at_the_root_only_the_origin_goes() -> None:
    assert html(b"<a href=/x><a href=http://hotels.internal:8000/y>", ROOT) == b"<a href=/x><a href=/y>"


@pytest.mark.parametrize(
    "source, expected",
    [
        pytest.param('<script src="/x"/><a href="/y">', '<script src="/hotels/x"/><a href="/hotels/y">', id="closed"),
        pytest.param("<title/><a href='/y'/>", "<title/><a href='/hotels/y'/>", id="no text is raw"),
        pytest.param("<p><![CDATA[<a href='/x'>]]></p>", "<p><![CDATA[<a href='/x'>]]></p>", id="cdata"),
        pytest.param("<?x <a href='/x'> ?><br/>", "<?x <a href='/x'> ?><br/>", id="an instruction"),
        pytest.param("<style>a{b:url(/x)}</style>", "<style>a{b:url(/hotels/x)}</style>", id="a sheet"),
        pytest.param(
            "<style><![CDATA[a{b:url(/x)}]]></style>", "<style><![CDATA[a{b:url(/hotels/x)}]]></style>", id="in cdata"
        ),
        pytest.param("<s:use xlink:href='/x'/>", "<s:use xlink:href='/hotels/x'/>", id="svg"),
        pytest.param("<h:a href='/x'/>", "<h:a href='/hotels/x'/>", id="a name with a prefix"),
    ],
)
def test_xml(source: str, expected: str) -> None:
    assert_rewritten(XmlRewriter, source.encode(), expected.encode())


def test_css() -> None:
    assert_rewritten(CssRewriter, b"\xe9{b:url(/\xe9)}", b"\xe9{b:url(/hotels/\xe9)}")
    assert_rewritten(CssRewriter, b"", b"")
    assert_rewritten(CssRewriter, b"}", b"}")
    assert_rewritten(CssRewriter, *("a{b:url(%s/x)}".replace("%s", p).encode("utf-16") for p in ("", "/hotels")))


@pytest.mark.parametrize(
    "content_type, kind",
    [
        pytest.param("text/html", HtmlRewriter, id="html"),
        pytest.param("Text/HTML ; charset=UTF-8", HtmlRewriter, id="in any spelling"),
        pytest.param("text/html; charset=utf-16le", HtmlRewriter, id="in UTF-16"),
        pytest.param("text/html; charset=iso-2022-jp", None, id="but in no other charset that is not ASCII"),
        pytest.param("application/xhtml+xml", XmlRewriter, id="xhtml"),
        pytest.param("text/css;charset=utf-8", CssRewriter, id="css"),
        pytest.param("application/manifest+json", Json, id="manifest"),
        pytest.param("application/ld+json", Json, id="linked data"),
        pytest.param("image/svg+xml", Document, id="a picture"),
        pytest.param("application/rss+xml", Document, id="a feed"),
        pytest.param("application/vnd.apple.mpegurl", Lines, id="a playlist"),
        pytest.param("text/javascript", None, id="script"),
        pytest.param("application/json", None, id="json"),
        pytest.param("text/plain", None, id="text"),
        pytest.param("", None, id="nothing said"),
    ],
)
def test_rewriter(content_type: str, kind: type | None) -> None:
    made = rewriter(content_type, HOTELS)
    assert made is None if kind is None else type(made) is kind
    assert concerns(content_type) is (kind is not None)


@pytest.mark.parametrize(
    "content_type, asked, kind",
    [
        pytest.param("text/plain", {"target": b"/robots.txt?x"}, Lines, id="robots"),
        pytest.param("text/plain", {"target": b"/a/robots.txt"}, None, id="robots somewhere else"),
        pytest.param("text/html", {"target": b"/robots.txt"}, HtmlRewriter, id="a page where robots look"),
        pytest.param("application/json", {"pointers": ("/next",)}, Json, id="json with pointers"),
        pytest.param("application/hal+json;x=y", {"pointers": ("/next",)}, Json, id="of any kind"),
        pytest.param("text/javascript", {"pointers": ("/next",)}, None, id="no script"),
    ],
)
def test_rewriter_by_what_is_known_besides(content_type: str, asked: dict[str, Any], kind: type | None) -> None:
    made = rewriter(content_type, HOTELS, **asked)
    assert made is None if kind is None else type(made) is kind
    assert concerns(content_type, **asked) is (kind is not None)


@pytest.mark.parametrize("charset", ["utf-16le", "utf-16be", "UTF-16"])
def test_utf_16_that_only_the_field_names(charset: str) -> None:
    python = "utf-16-be" if charset == "utf-16be" else "utf-16-le"
    made = rewriter(f"text/html; charset={charset}", HOTELS, b"<script></script>")
    assert made is not None
    source = "<head><p title=\U0001f3e8\ud800><a href=/x>".encode(python, "surrogatepass") + b"\0"
    assert streamed(made, source, list(range(len(source)))) == (
        "<head><script></script><p title=\U0001f3e8\ud800><a href=/hotels/x>".encode(python, "surrogatepass") + b"\0"
    )


def test_a_tag_too_long_to_hold_is_let_through() -> None:
    source = b"<img src=/x alt='" + b"y" * HELD + b"'><style>a{b:url(/z)}</style><a href=/a>"
    expected = source.replace(b"(/z", b"(/hotels/z").replace(b"=/a>", b"=/hotels/a>")
    in_steps = [streamed(HtmlRewriter(HOTELS), source, list(range(0, len(source), n))) for n in (999, 70_000, 10**6)]
    assert in_steps == [expected] * 3


def test_many_urls() -> None:
    page = b"".join(b"<a href=/%d>" % (number % 5000) for number in range(10_000))
    assert html(page, HOTELS) == page.replace(b"=/", b"=/hotels/")


def test_documents_in_documents_have_a_depth() -> None:
    page = "<a href=/x>"
    for _ in range(12):
        page = "<iframe srcdoc=" + page.replace("&", "&amp;").replace(" ", "&#32;").replace(">", "&gt;") + ">"
    assert html(page.encode(), HOTELS) == page.encode()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"<a " * 150_000, id="tags without end"),
        pytest.param(b"<p a='" + b'"' * 900_000, id="a quote without end"),
        pytest.param(b"<svg><g>" * 30_000, id="icons without end"),
        pytest.param(b"<svg><g>" * 30_000 + b"<p>", id="icons broken out of"),
        pytest.param(b"<!--" * 200_000, id="comments without end"),
        pytest.param(b"<!-- -" * 200_000, id="dashes"),
        pytest.param(b"<style>" + b"url(" * 200_000, id="urls in urls"),
        pytest.param(b"<p style='" + b"url(" * 200_000 + b"'>", id="in an attribute"),
        pytest.param(b"<img srcset='" + b"/a," * 15_000 + b"'>", id="candidates"),
        pytest.param(b"<a href='" + b"/.." * 20_000 + b"'>", id="dots"),
        pytest.param(b"<p a" * 120_000, id="tags in tags"),
        pytest.param(b"<" * 900_000, id="less-than signs"),
    ],
)
def test_nothing_is_looked_at_again_and_again(source: bytes) -> None:
    cuts = list(range(0, len(source), 8192))
    assert streamed(HtmlRewriter(HOTELS), source, cuts) == html(source, HOTELS)


def test_repr_says_where_it_is() -> None:
    rewriting = HtmlRewriter(HOTELS)
    rewriting.feed(b"<style>a{")
    assert repr(rewriting) == "<HtmlRewriter below /hotels: <Scanner in style, 2 bytes held>>"


# Any markup at all.

PIECES = (
    *(
        "<a href=/x>",
        '<a href="/x">',
        "<a href='x' title='/x'>",
        "</a>",
        "<p ",
        "x=y ",
        "href=",
        "/x",
        "='",
        "'",
        '"',
        ">",
        "/>",
    ),
    *(
        "<",
        "text",
        " ",
        "\n",
        "&amp;",
        "&#47;",
        "<!--",
        "-->",
        "--!>",
        "<!-->",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
    ),
    *(
        "<title>",
        "</title>",
        "<svg>",
        "</svg>",
        "<g/>",
        "<path d='1'>",
        "<use href=/x />",
        "<use href='#x'>",
        "url(/x)",
        "style='",
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
        "=",
        "/",
        "é",
        "\\",
    ),
    *(
        "<iframe srcdoc='",
        "&lt;a href=/x&gt;",
        "<svg fill='url(/x)'>",
        "<link rel=stylesheet integrity=x href=/x>",
        "srcset='/a 1x,/b'",
    ),
    *(
        "<script type=importmap>",
        '{"imports":{"a":"/b"}}',
        "<img ",
        "<base ",
        "a{b:",
        "}",
        "<form action=/x>",
        "<svg/>",
    ),
)
markup = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@settings(deadline=None, max_examples=300)
@given(markup, st.lists(st.integers(0, 400), max_size=6))
def test_how_a_page_is_cut_does_not_show_and_twice_is_once(text: str, cuts: list[int]) -> None:
    source = text.encode()
    for place in (HOTELS, PIECE):
        once = html(source, place)
        assert streamed(HtmlRewriter(place), source, cuts) == once
        assert streamed(HtmlRewriter(place), source, list(range(len(source)))) == once
        assert html(once, place) == once


@settings(deadline=None, max_examples=300)
@given(markup)
def test_only_values_that_carry_urls_change(text: str) -> None:
    source = text.encode()
    after = html(source, HOTELS)
    before_tokens, after_tokens = list(tokens(source)), list(tokens(after))
    assert [(t.kind, t.name, t.foreign) for t in before_tokens] == [(t.kind, t.name, t.foreign) for t in after_tokens]
    for ours, theirs in zip(before_tokens, after_tokens, strict=True):
        if ours.kind is not Kind.START:
            assert source[ours.start : ours.end] == after[theirs.start : theirs.end] or ours.kind is Kind.CDATA
            continue
        old = {each.name: each.value for each in attributes(source, ours) if each.name != b"integrity"}
        new = {each.name: each.value for each in attributes(after, theirs) if each.name != b"integrity"}
        assert list(old) == list(new)
        assert {name for name in old if old[name] != new[name]} <= {
            b"href",
            b"src",
            b"srcset",
            b"action",
            b"style",
            b"srcdoc",
            b"fill",
        }


@settings(deadline=None, max_examples=300)
@given(markup)
def test_what_is_stepped_over_would_not_change(text: str) -> None:
    """The pattern for what is unchanged agrees with the scanner and the tables."""
    source = text.encode()
    token_by_token = HtmlRewriter(HOTELS)
    token_by_token._scanner.over = None
    assert streamed(token_by_token, source, []) == html(source, HOTELS)


well_formed = st.recursive(
    st.sampled_from(
        (
            "text",
            "<img src='/i'>",
            "<br>",
            "<a href='/x&amp;y'>z</a>",
            "<img src='i' alt='/x'>",
            "<!-- <a href='/x'> -->",
        )
    ),
    lambda inside: st.builds(
        "<{0}>{1}</{2}>".format,
        st.sampled_from(("div", "section", "blockquote cite=/c")),
        st.lists(inside, max_size=3).map("".join),
        st.just("div"),
    ).filter(lambda text: not text.startswith(("<section", "<blockquote"))),
    max_leaves=12,
)


@settings(deadline=None)
@given(well_formed)
def test_a_parser_sees_the_mapped_values(text: str) -> None:
    def links(page: bytes) -> list[str | None]:
        tree = LexborHTMLParser(page.decode())
        return [node.attributes.get("href") or node.attributes.get("src") for node in tree.css("a[href], img[src]")]

    assert links(html(text.encode(), HOTELS)) == [below(url or "", HOTELS) for url in links(text.encode())]


def test_the_value_a_browser_reads() -> None:
    page = html(b"<a href='/x?a=1&b=2'><a href='&#47;x'><a href=' /x&amp;y'>", HOTELS)
    values = [unescape(each.value or b"") for token in tokens(page) for each in attributes(page, token)]
    assert values == ["/hotels/x?a=1&b=2", "/hotels/x", "/hotels/x&y"]
