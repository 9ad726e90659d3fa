"""XML documents that name URLs: what the vocabulary says is a URL goes below the prefix, every other byte stays."""

import re

import pytest

from fragments.rewrite import XmlRewriter, html
from fragments.scan import HELD
from fragments.urls import Place
from fragments.xml import VOCABULARIES, Document

HOTELS = Place("/hotels", frozenset({"http://hotels.internal:8000"}), links_to=("/pets",), public="http://shop.test")
OWN, SHOWN = "http://hotels.internal:8000/", "http://shop.test/hotels/"


def changed(source: bytes, step: int = 1 << 20) -> bytes:
    document = Document(HOTELS, XmlRewriter, html)
    return b"".join(document.feed(source[at : at + step]) for at in range(0, len(source), step)) + document.close()


def assert_changed(source: str, expected: str) -> None:
    before, after = (text.encode("utf-8", "surrogateescape") for text in (source, expected))
    for step in (1 << 20, 1, 3, 7):
        assert changed(before, step) == after, f"in steps of {step}"
        assert changed(after, step) == after, "twice is once"


CHANGED = {
    "sitemap": (
        '<?xml version="1.0"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url>'
        "<loc>\n  @a?b=1&amp;c=2\n"
        '</loc><changefreq>/x</changefreq><xhtml:link rel="alternate" hreflang="de" href="@de"/><image:image>'
        "<image:loc>/i.png</image:loc></image:image></url></urlset>",
        '<?xml version="1.0"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url>'
        "<loc>\n  @a?b=1&amp;c=2\n"
        '</loc><changefreq>/x</changefreq><xhtml:link rel="alternate" hreflang="de" href="@de"/><image:image>'
        "<image:loc>@i.png</image:loc></image:image></url></urlset>",
    ),
    "index of sitemaps": (
        "<sitemapindex><sitemap><loc><![CDATA[@s.xml]]></loc></sitemap></sitemapindex>",
        "<sitemapindex><sitemap><loc><![CDATA[@s.xml]]></loc></sitemap></sitemapindex>",
    ),
    "rss": (
        "<rss version='2.0'><channel><title>/x</title><link>@</link><atom:link href='/feed' rel='self'/>"
        "<image><url>/l.png"
        "</url></image><item><guid>@1</guid><enclosure url='/e.mp3' length='1'/><comments>@1#c</comments></item>"
        "</channel></rss>",
        "<rss version='2.0'><channel><title>/x</title><link>@</link><atom:link href='@feed' rel='self'/>"
        "<image><url>@l.png"
        "</url></image><item><guid>@1</guid><enclosure url='@e.mp3' length='1'/><comments>@1#c</comments></item>"
        "</channel></rss>",
    ),
    "html in a feed, as references": (
        "<rss><channel><item><description>&lt;a href='/x'&gt;&amp;eacute;&lt;/a&gt;</description></item>"
        "</channel></rss>",
        "<rss><channel><item><description>&lt;a href='/hotels/x'>&amp;eacute;&lt;/a></description></item>"
        "</channel></rss>",
    ),
    "html in a feed, as cdata": (
        "<rss><channel><item><content:encoded> <![CDATA[<img src=/x>é]]></content:encoded></item></channel></rss>",
        "<rss><channel><item><content:encoded> <![CDATA[<img src=/hotels/x>é]]></content:encoded></item>"
        "</channel></rss>",
    ),
    "rss 1.0": (
        '<rdf:RDF><channel rdf:about="@"><link>@</link><items><rdf:li rdf:resource="@1"/></items></channel></rdf:RDF>',
        '<rdf:RDF><channel rdf:about="@"><link>@</link><items><rdf:li rdf:resource="@1"/></items></channel></rdf:RDF>',
    ),
    "atom": (
        "<feed xmlns='http://www.w3.org/2005/Atom'><icon>/i</icon><link href='/f'/><entry><content type='html'>"
        "&lt;a href=&quot;/x&quot;&gt;</content><summary type='xhtml'><div><a href='/y'>z</a></div>"
        "</summary></entry></feed>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><icon>@i</icon><link href='@f'/><entry><content type='html'>"
        "&lt;a href=\"/hotels/x\"></content><summary type='xhtml'><div><a href='/hotels/y'>z</a></div>"
        "</summary></entry></feed>",
    ),
    "opml": (
        '<opml><body><outline text="/x" xmlUrl="/feed" htmlUrl="@"/></body></opml>',
        '<opml><body><outline text="/x" xmlUrl="@feed" htmlUrl="@"/></body></opml>',
    ),
    "opensearch": (
        '<OpenSearchDescription><Image>/i.ico</Image><Url type="text/html" template="@s?q={searchTerms}&amp;p={x?}"/>'
        "<moz:SearchForm>/s</moz:SearchForm></OpenSearchDescription>",
        '<OpenSearchDescription><Image>@i.ico</Image><Url type="text/html" template="@s?q={searchTerms}&amp;p={x?}"/>'
        "<moz:SearchForm>@s</moz:SearchForm></OpenSearchDescription>",
    ),
    "tiles": (
        '<browserconfig><msapplication><tile><square70x70logo src="/t.png"/></tile></msapplication></browserconfig>',
        '<browserconfig><msapplication><tile><square70x70logo src="/hotels/t.png"/></tile></msapplication>'
        "</browserconfig>",
    ),
    "webdav": (
        '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/d%20x/</D:href></D:response></D:multistatus>',
        '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/hotels/d%20x/</D:href></D:response></D:multistatus>',
    ),
    "dash": (
        '<MPD><BaseURL>/v/</BaseURL><SegmentTemplate media="/$Number$.m4s" initialization="i.mp4"/></MPD>',
        '<MPD><BaseURL>/hotels/v/</BaseURL><SegmentTemplate media="/hotels/$Number$.m4s"'
        ' initialization="i.mp4"/></MPD>',
    ),
    "svg": (
        "<?xml version='1.0'?><!DOCTYPE svg><svg><style>a{b:url(/c)}</style><image href='/i'/><a xlink:href='/l'/>"
        "<script href='/s'/><path fill='url(/p#q)'/></svg>",
        "<?xml version='1.0'?><!DOCTYPE svg><svg><style>a{b:url(/hotels/c)}</style><image href='/hotels/i'/>"
        "<a xlink:href='/hotels/l'/><script href='/hotels/s'/><path fill='url(/hotels/p#q)'/></svg>",
    ),
    "xslt": (
        "<xsl:stylesheet><xsl:import href='/a.xsl'/><xsl:template match='/x'><img src='/i'/></xsl:template>"
        "</xsl:stylesheet>",
        "<xsl:stylesheet><xsl:import href='/hotels/a.xsl'/><xsl:template match='/x'><img src='/hotels/i'/>"
        "</xsl:template>"
        "</xsl:stylesheet>",
    ),
    "the style sheet of anything": (
        '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/x.xsl?a=1&amp;b"?><any><link>/x</link></any>',
        '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/hotels/x.xsl?a=1&amp;b"?><any><link>/x'
        "</link></any>",
    ),
    "a base": ("<feed xml:base='/b/'><id>/x</id></feed>", "<feed xml:base='/hotels/b/'><id>/x</id></feed>"),
}
SAME = {
    "an id that is no address": "<rss><channel><item><guid isPermaLink='false'>/1</guid></item></channel></rss>",
    "an id for ever": "<feed><id>http://hotels.internal:8000/1</id></feed>",
    "text about markup": "<feed><title>&lt;a href='/x'></title><content type='text'>&lt;a href='/x'></content></feed>",
    "other hosts": "<urlset><url><loc>https://other.example/x</loc></url></urlset>",
    "a comment": "<urlset><!-- <loc>/x</loc> --></urlset>",
    "a root nobody knows": "<soap:Envelope><loc>/x</loc><a href='/x'/></soap:Envelope>",
    "an instruction for others": "<?php href='/x' ?><any/>",
    "no root": "<?xml version='1.0'?><!-- x -->",
    "no text": "<urlset><url><loc/><loc></loc><loc> </loc></url></urlset>",
    "cut off": "<urlset><url><loc",
    "nothing": "",
}


@pytest.mark.parametrize("source, expected", [pytest.param(*row, id=name) for name, row in CHANGED.items()])
def test_changed(source: str, expected: str) -> None:
    assert_changed(source.replace("@", OWN), expected.replace("@", SHOWN))


@pytest.mark.parametrize("source", [pytest.param(row, id=name) for name, row in SAME.items()])
def test_same(source: str) -> None:
    assert_changed(source, source)


def test_utf_16() -> None:
    source = "\ufeff<?xml version='1.0' encoding='UTF-16'?><urlset><url><loc>/é</loc></url></urlset>"
    assert changed(source.encode("utf-16-le"), 5).decode("utf-16-le") == source.replace("/é", SHOWN + "é")


def test_characters_stay_characters_in_any_charset() -> None:
    source = b"<rss><channel><description>\xe9&lt;a href='/x'>&#233;</description></channel></rss>"
    assert (
        changed(source) == b"<rss><channel><description>\xe9&lt;a href='/hotels/x'>&#xE9;</description></channel></rss>"
    )


def test_long_content_is_held_longer_than_a_tag() -> None:
    text = b"x" * (2 * HELD)
    source = (
        b"<rss><channel><description><![CDATA["
        + text
        + b"<a href='/x'>]]></description><link>/y</link></channel></rss>"
    )
    expected = source.replace(b"'/x", b"'/hotels/x").replace(b">/y", b">http://shop.test/hotels/y")
    assert changed(source, 8192) == expected


@pytest.mark.parametrize("root", [pytest.param(root.decode(), id=root.decode()) for root in VOCABULARIES])
def test_every_word_of_a_vocabulary(root: str) -> None:
    """Names are as the scanner gives them: in lower case, without prefix."""
    vocabulary = VOCABULARIES[root.encode()]
    for name in (*vocabulary.texts, *vocabulary.markup, *vocabulary.attributes):
        assert re.fullmatch(rb"[a-z0-9_\-]+", name)
    for element in vocabulary.texts:
        text = b"<%s><%s>/x</%s></%s>" % (root.encode(), element, element, root.encode())
        assert b"/hotels/x" in changed(text)
    for element, found in vocabulary.attributes.items():
        for attribute in found:
            assert b"/hotels/x" in changed(
                b"<%s><%s %s='/x 1x'/></%s>" % (root.encode(), element, attribute, root.encode())
            )


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"<?x " * 100_000, id="instructions without end"),
        pytest.param(b"<urlset>" + b"<loc>" * 100_000, id="texts without end"),
        pytest.param(b"<rss><description>" + b"&lt;" * 100_000, id="references"),
        pytest.param(b"<rss><description><![CDATA[" + b"]]" * 100_000, id="cdata without end"),
        pytest.param(b"<urlset><link " + b"href='" * 100_000, id="quotes"),
        pytest.param(b"<any " * 100_000, id="roots without end"),
    ],
)
def test_nothing_is_looked_at_again_and_again(source: bytes) -> None:
    assert changed(source, 8192) == changed(source)


def test_repr_says_where_it_is() -> None:
    document = Document(HOTELS, XmlRewriter, html)
    document.feed(b"<?xml?><!-- x")
    assert repr(document) == "<Document: <Scanner in text, 6 bytes held>>"
    document.feed(b"--><any>")
    assert repr(document).startswith("<Document of <")
