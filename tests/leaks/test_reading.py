"""The readers find what a browser would find, however it is spelled, and no more."""

import pytest

import tests.leaks.reading as reading
from tests.leaks.reading import Read, attribute, candidates, refreshed, sheet, text


@pytest.mark.parametrize(
    ("read", "written", "found"),
    [
        pytest.param(attribute("href"), "<A HREF = '&#47;x&amp;y'>", ["/x&y"], id="entities are decoded"),
        pytest.param(attribute("href"), '<a href="a" href="b">', ["a"], id="the first of a name counts"),
        pytest.param(attribute("src"), "<!-- <img src=a> --><img src=b>", ["b"], id="comments hold no attributes"),
        pytest.param(attribute("srcdoc", attribute("src")), "<p srcdoc='<i src=x>'>", ["x"], id="a document in one"),
        pytest.param(attribute("srcset", candidates), '<img srcset="/a,w 1x,/b 2x">', ["/a,w", "/b"], id="candidates"),
        pytest.param(refreshed, "0; URL = '/x'", ["/x"], id="refresh with quotes"),
        pytest.param(refreshed, "0,/x", ["/x"], id="refresh without a name"),
        pytest.param(sheet, "a{b:url( '/x' )} c{d:URL(/y)}", ["/x", "/y"], id="urls of a sheet"),
        pytest.param(sheet, r"a{b:u\72l(\2f x)}", ["/x"], id="escapes of a sheet"),
        pytest.param(sheet, "/* url(/x) */ a{content:'/y'}", [], id="comments and strings of a sheet"),
        pytest.param(sheet, '@import "/x"; a{b:image-set("/y" 1x, "/z" 2x)}', ["/x", "/y", "/z"], id="strings as urls"),
        pytest.param(sheet, "a{b:url(/x", ["/x"], id="the end closes"),
        pytest.param(text(sheet), "<style>a{b:url(/x)}</style>", ["/x"], id="the text of an element"),
        pytest.param(reading.member("/a/0/b~1c"), '{"a":[{"b/c":"/x"}]}', ["/x"], id="a JSON pointer"),
        pytest.param(reading.keys("/scopes"), '{"scopes":{"/x":{}}}', ["/x"], id="names of members"),
        pytest.param(reading.element("a", "href"), '<r><a href="/x"/></r>', ["/x"], id="an attribute in XML"),
    ],
)
def test_urls_are_found(read: Read, written: str, found: list[str]) -> None:
    assert read(written) == found


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        pytest.param(" /x\n", "http://a.test/x", id="edges are trimmed"),
        pytest.param("/\t/b.test/x", "http://b.test/x", id="tabs go before the host is read"),
        pytest.param("\\x", "http://a.test/x", id="a backslash is a slash"),
        pytest.param("/x?y\\z", "http://a.test/x?y\\z", id="but not in a query"),
        pytest.param("x", "http://a.test/b/x", id="relative to the page"),
        pytest.param("/../x", "http://a.test/x", id="nothing climbs above the root"),
    ],
)
def test_urls_lead_where_a_browser_goes(url: str, leads: str) -> None:
    assert reading.resolved(url, "http://a.test/b/page") == leads
