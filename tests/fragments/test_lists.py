"""Lines that name URLs go below the prefix, each by the rule of its kind."""

import pytest

import fragments.lists as lists
from fragments.stream import HELD, whole
from fragments.urls import Place

HOTELS = Place("/hotels", frozenset({"http://hotels.internal:8000"}), links_to=("/pets",), public="http://shop.test")


@pytest.mark.parametrize(
    "line, expected",
    [
        pytest.param("Disallow: /admin", "Disallow: /hotels/admin", id="a path"),
        pytest.param("ALLOW:/*.pdf$ # all", "ALLOW:/hotels/*.pdf$ # all", id="a pattern, with a comment"),
        pytest.param("Disallow:", "Disallow:", id="nothing is everything allowed"),
        pytest.param("Disallow: *", "Disallow: *", id="no path"),
        pytest.param("Disallow: /hotels/x", "Disallow: /hotels/x", id="already below"),
        pytest.param("Sitemap: /sitemap.xml", "Sitemap: http://shop.test/hotels/sitemap.xml", id="a sitemap, in full"),
        pytest.param(
            "sitemap: http://hotels.internal:8000/s.xml", "sitemap: http://shop.test/hotels/s.xml", id="of the origin"
        ),
        pytest.param("Sitemap: https://cdn.example/s.xml", "Sitemap: https://cdn.example/s.xml", id="of another host"),
        pytest.param("Clean-param: a&b /list", "Clean-param: a&b /hotels/list", id="behind names"),
        pytest.param("Clean-param: /list", "Clean-param: /list", id="without names"),
        pytest.param("User-agent: /x", "User-agent: /x", id="another field"),
        pytest.param("# Disallow: /x", "# Disallow: /x", id="a comment"),
        pytest.param("Crawl-delay: 5\r", "Crawl-delay: 5\r", id="no URL at all"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_robots(line: str, expected: str) -> None:
    source = f"User-agent: *\r\n{line}\r\n{line}".encode()
    after = f"User-agent: *\r\n{expected}\r\n{expected}".encode()
    assert whole(lists.robots(HOTELS), source) == after
    assert whole(lists.robots(HOTELS), after) == after, "twice is once"


def test_without_a_public_origin_a_path_is_what_there_is() -> None:
    assert whole(lists.robots(Place("/hotels")), b"Sitemap: /s.xml") == b"Sitemap: /hotels/s.xml"


def test_sitemap() -> None:
    source = b"http://hotels.internal:8000/a\n/b\nhttps://other.example/c\n\n"
    assert whole(lists.sitemap(HOTELS), source) == (
        b"http://shop.test/hotels/a\nhttp://shop.test/hotels/b\nhttps://other.example/c\n\n"
    )


@pytest.mark.parametrize(
    "line, expected",
    [
        pytest.param("/seg/1.ts?a=/b", "/hotels/seg/1.ts?a=/b", id="a segment"),
        pytest.param("seg/1.ts", "seg/1.ts", id="beside the list"),
        pytest.param(
            '#EXT-X-KEY:METHOD=AES-128,URI="/k",IV=0x1', '#EXT-X-KEY:METHOD=AES-128,URI="/hotels/k",IV=0x1', id="key"
        ),
        pytest.param('#EXT-X-MAP:URI="/init.mp4"', '#EXT-X-MAP:URI="/hotels/init.mp4"', id="map"),
        pytest.param(
            '#EXT-X-MEDIA:NAME="/n",URI="/a"', '#EXT-X-MEDIA:NAME="/n",URI="/hotels/a"', id="no other attribute"
        ),
        pytest.param(
            '#EXT-X-SESSION-DATA:X-ASSET-URI="/a"', '#EXT-X-SESSION-DATA:X-ASSET-URI="/hotels/a"', id="of any kind"
        ),
        pytest.param('# URI="/x"', '# URI="/x"', id="a comment"),
        pytest.param("#EXTINF:4,/x", "#EXTINF:4,/x", id="a title"),
    ],
)
def test_playlist(line: str, expected: str) -> None:
    source, after = f"#EXTM3U\n{line}\n".encode(), f"#EXTM3U\n{expected}\n".encode()
    assert whole(lists.playlist(HOTELS), source) == after
    assert whole(lists.playlist(HOTELS), after) == after, "twice is once"


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_how_it_is_cut_does_not_show(step: int) -> None:
    source = b"/a\n/b\r\n\n#x\n/\xc3\xa9\xff\n/last"
    rewriting = lists.playlist(HOTELS)
    after = b"".join(rewriting.feed(source[at : at + step]) for at in range(0, len(source), step)) + rewriting.close()
    assert after == b"/hotels/a\n/hotels/b\r\n\n#x\n/hotels/\xc3\xa9\xff\n/hotels/last"


def test_a_line_too_long_to_hold_is_let_through() -> None:
    source = b"/a\n/" + b"x" * (3 * HELD) + b"\n/b\n"
    rewriting = lists.playlist(HOTELS)
    after = b"".join(rewriting.feed(source[at : at + 1000]) for at in range(0, len(source), 1000)) + rewriting.close()
    assert after == b"/hotels/a\n/" + b"x" * (3 * HELD) + b"\n/hotels/b\n"
