"""What is stepped over is whole, and nothing in it could change."""

import pytest

import fragments.inert as inert
from fragments.rewrite import HtmlRewriter
from fragments.urls import Place

HOTELS = Place("/hotels")


def stepped_over(page: str, base: bool = False) -> str:
    found = (inert.MARKUP_WITH_A_BASE if base else inert.MARKUP).match(page.encode())
    assert found is not None
    return found[0].decode()


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("text & more < 3", id="text"),
        pytest.param("<p class='a b' title=\"/x\" hidden id=q>x</p>", id="tags"),
        pytest.param("<a href='x/y' name=a><img src=data:image/png>", id="links that are not from the root"),
        pytest.param("<!-- <a href=/x> -->", id="a comment"),
        pytest.param("<i style='color: red'>", id="a plain style"),
        pytest.param("<b data-x=1 data-src='a.png' hx-get='x?y' data-title=x>", id="what scripts read"),
        pytest.param("<svg viewBox='0 0 1 1'><path d='M0 0'/><use href=\"#a\"/></svg>", id="an icon"),
    ],
)
def test_stepped_over(markup: str) -> None:
    assert stepped_over(markup) == markup


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<b href='/x'>", id="a root path"),
        pytest.param("<a href='/x' style='b:url(/y)'>", id="more than one root path"),
        pytest.param("<a href='/x' href='y'>", id="more than one link"),
        pytest.param("<a hrefx='/x' srcset='/y'>", id="candidates behind a link that is none"),
        pytest.param("<a href=http://x/>", id="an absolute URL"),
        pytest.param("<a href='&#47;x'>", id="a disguise"),
        pytest.param("<img srcset='a 1x'>", id="candidates"),
        pytest.param("<i style='b:url(x)'>", id="a function in a style"),
        pytest.param("<b data-src='/a'>", id="a root path that scripts read"),
        pytest.param("<b DATA-srcset='a 1x, /b 2x'>", id="candidates that scripts read"),
        pytest.param("<b hx-post='/x'>", id="htmx"),
        pytest.param("<script>", id="a script"),
        pytest.param("<textarea>", id="raw text"),
        pytest.param("<p", id="a tag that is cut off"),
        pytest.param("<!-- ", id="a comment without end"),
        pytest.param("<svg><a href='/x'></svg>", id="a drawing that links"),
        pytest.param("<p title='x>", id="a quote without end"),
    ],
)
def test_left_to_the_scanner(markup: str) -> None:
    assert stepped_over("x" + markup) == "x"


@pytest.mark.parametrize(
    "page, tag, path",
    [
        pytest.param(
            '<p>x<a class=b href="/x?y#z" title="/t">', '<a class=b href="/x?y#z" title="/t">', "/x?y#z", id="a"
        ),
        pytest.param("<IMG alt='>' SRC='/i.png' />", "<IMG alt='>' SRC='/i.png' />", "/i.png", id="img"),
        pytest.param(
            "<a data-x=1 href='//other.example/x'>",
            "<a data-x=1 href='//other.example/x'>",
            "//other.example/x",
            id="any",
        ),
    ],
)
def test_a_linking_tag_is_read_at_once(page: str, tag: str, path: str) -> None:
    found = inert.MARKUP.match(page.encode())
    assert found is not None
    assert (found[1].decode(), found[3].decode(), found.end()) == (tag, path, len(page))


def test_with_a_base_relative_links_change() -> None:
    assert stepped_over("<p><a href='x'>", base=True) == "<p>"
    assert stepped_over("<p data-src='x'>", base=True) == "<p data-src='x'>"


@pytest.mark.parametrize("name", ["hx-sse", "data-hx-ws"])
def test_a_connection_is_not_stepped_over(name: str) -> None:
    rewriting = HtmlRewriter(HOTELS)
    page = f"<b {name}='connect:/x'>".encode()
    assert rewriting.feed(page) + rewriting.close() == page.replace(b"/x", b"/hotels/x")
