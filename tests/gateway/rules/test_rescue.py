"""Whose page made a request that left its mount, and which answers say that nobody knows the path."""

import pytest

import gateway.rules.rescue as rescue
from gateway.message import Fields, Request, Response

PUBLIC = b"https://shop.test"


def asked(*fields: tuple[bytes, bytes]) -> Request:
    return Request(b"GET", b"/api", [(b"host", b"shop.test"), *fields])


@pytest.mark.parametrize(
    ("fields", "page"),
    [
        pytest.param([(b"referer", b"https://shop.test/hotels/x")], b"/hotels/x", id="the page that asked"),
        pytest.param([(b"referer", b"https://shop.test/hotels/x?q=/pets/#f")], b"/hotels/x", id="its path only"),
        pytest.param([(b"referer", b"https://shop.test/")], b"/", id="the root page"),
        pytest.param([(b"referer", b"https://shop.test/hotels/%9b")], b"/hotels/%9b", id="as browsers write it"),
        pytest.param([(b"referer", b"https://shop.test/hotels/\x9b")], None, id="bytes no browser writes"),
        pytest.param([], None, id="nobody says"),
        pytest.param([(b"referer", b"https://shop.test")], None, id="an origin is no page"),
        pytest.param([(b"referer", b"http://shop.test/hotels/")], None, id="another scheme is another origin"),
        pytest.param([(b"referer", b"https://shop.test:8443/hotels/")], None, id="another port too"),
        pytest.param([(b"referer", b"https://shop.test.evil.test/hotels/")], None, id="a longer host"),
        pytest.param([(b"referer", b"https://shop.test@evil.test/hotels/")], None, id="a name before a host"),
        pytest.param(
            [(b"referer", b"https://shop.test/hotels/"), (b"sec-fetch-site", b"same-origin")], b"/hotels/", id="said so"
        ),
        pytest.param(
            [(b"referer", b"https://shop.test/hotels/"), (b"sec-fetch-site", b"cross-site")], None, id="a stranger's"
        ),
        pytest.param(
            [(b"referer", b"https://shop.test/hotels/"), (b"sec-fetch-site", b"same-site")], None, id="a sibling host's"
        ),
        pytest.param(
            [(b"referer", b"https://shop.test/hotels/"), (b"service-worker", b"script")], None, id="a service worker"
        ),
    ],
)
def test_page(fields: Fields, page: bytes | None) -> None:
    assert rescue.page(asked(*fields), PUBLIC) == page


@pytest.mark.parametrize(
    ("wanted", "status", "kind", "unknown"),
    [
        pytest.param(b"script", 404, b"text/html", True, id="not found"),
        pytest.param(b"empty", 405, b"text/html", True, id="not for this method"),
        pytest.param(b"document", 404, b"text/html", True, id="a page that is not there"),
        pytest.param(b"document", 200, b"text/html", False, id="a page"),
        pytest.param(b"iframe", 200, b"text/html", False, id="a page in a page"),
        pytest.param(b"empty", 200, b"text/html", False, id="fetch may want a page"),
        pytest.param(b"", 200, b"text/html", False, id="nobody says what for"),
        pytest.param(b"script", 200, b"text/html; charset=utf-8", True, id="a page for a script"),
        pytest.param(b"image", 200, b"text/html", True, id="a page for an image"),
        pytest.param(b"image", 200, b"image/png", False, id="an image"),
        pytest.param(b"style", 500, b"text/html", False, id="a failure is an answer"),
        pytest.param(b"script", 302, b"text/html", False, id="a redirect is an answer"),
    ],
)
def test_unknown(wanted: bytes, status: int, kind: bytes, unknown: bool) -> None:
    request = asked((b"sec-fetch-dest", wanted)) if wanted else asked()
    assert rescue.unknown(request, Response(status, [(b"content-type", kind)])) is unknown
