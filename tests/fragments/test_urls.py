"""One URL, read as browsers do and put below a prefix; what is not this application's stays the same object."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.urls import (
    SCRIPTED,
    SCRIPTED_ENDINGS,
    Place,
    absolute,
    action,
    below,
    candidates,
    carriers,
    listed,
    listed_by_semicolons,
    means,
    refresh,
    scripted,
)

ORIGINS = frozenset({"http://hotels.internal:8000", "http://shop.test"})
HOTELS = Place("/hotels", ORIGINS, links_to=("/pets",))
ROOT = Place("", ORIGINS)
PIECE = Place("/hotels", ORIGINS, base="/hotels/fragments/deals?city=paris")
PUBLIC = Place("/hotels", ORIGINS, public="http://shop.test")

CHANGED = [
    pytest.param("/x", "/hotels/x", id="a root path"),
    pytest.param("/", "/hotels/", id="the root"),
    pytest.param("/?a=/b#/c", "/hotels/?a=/b#/c", id="query and fragment go along"),
    pytest.param("/hotelsx", "/hotels/hotelsx", id="the prefix ends at a segment"),
    pytest.param("/petsx", "/hotels/petsx", id="so do those of other mounts"),
    pytest.param("/HOTELS/x", "/hotels/HOTELS/x", id="paths have a case"),
    pytest.param("http://hotels.internal:8000/x", "/hotels/x", id="an absolute URL of the origin"),
    pytest.param("HTTP://Hotels.Internal:8000/x", "/hotels/x", id="in any case"),
    pytest.param("http:\\\\hotels.internal:8000\\x", "/hotels/x", id="with backslashes"),
    pytest.param("http://hotels.internal:8000", "/hotels/", id="without a path"),
    pytest.param("http://hotels.internal:8000?x", "/hotels/?x", id="with only a query"),
    pytest.param("//hotels.internal:8000/x", "/hotels/x", id="without a scheme"),
    pytest.param("http://shop.test/x", "/hotels/x", id="the public origin without the prefix"),
    pytest.param("http://shop.test:80/x", "/hotels/x", id="with its default port"),
    pytest.param("\\x", "/hotels/x", id="a backslash is a slash"),
    pytest.param(" \n\t/x ", "/hotels/x", id="edges are trimmed"),
    pytest.param("/\nx\t/y", "/hotels/x/y", id="tabs and newlines are dropped"),
    pytest.param("/../x", "/hotels/x", id="nothing climbs above the root"),
    pytest.param("/%2E./x", "/hotels/x", id="not in disguise"),
    pytest.param("/hotels/../x", "/hotels/x", id="nor out of the prefix"),
    pytest.param("/hotels/..", "/hotels/", id="at the end neither"),
    pytest.param("/a/./b/../c/.", "/hotels/a/c/", id="dots inside are resolved"),
]
SAME = [
    pytest.param("", id="empty"),
    pytest.param("x", id="relative"),
    pytest.param("../up", id="relative, up"),
    pytest.param("?p=/x", id="a query"),
    pytest.param("#/x", id="a fragment"),
    pytest.param("/hotels", id="the prefix"),
    pytest.param("/hotels/x", id="below the prefix"),
    pytest.param("/hotels?x", id="the prefix and a query"),
    pytest.param("/pets/1", id="another mount this one links to"),
    pytest.param("/pets", id="its root"),
    pytest.param("//cdn.example/x", id="another host"),
    pytest.param("/\\cdn.example/x", id="with a backslash"),
    pytest.param("/\t/cdn.example/x", id="with a tab in between"),
    pytest.param("https://other.example/x", id="another origin"),
    pytest.param("https://hotels.internal:8000/x", id="another scheme"),
    pytest.param("http://hotels.internal/x", id="another port"),
    pytest.param("http://hotels.internal:8000@evil.test/x", id="the origin as a user name"),
    pytest.param("http://user@hotels.internal:8000/x", id="with a user name"),
    pytest.param("http:/x", id="a scheme without an authority"),
    pytest.param("mailto:a@b?subject=/x", id="mailto"),
    pytest.param("javascript:go('/x')", id="javascript"),
    pytest.param(" javascript:go('/x')", id="javascript after a space"),
    pytest.param("data:text/html,/x", id="data"),
    pytest.param("blob:http://shop.test/x", id="blob"),
]


@pytest.mark.parametrize("url, expected", CHANGED)
def test_changed(url: str, expected: str) -> None:
    assert below(url, HOTELS) == expected
    assert below(expected, HOTELS) is expected
    assert means(url, HOTELS)


@pytest.mark.parametrize("url", SAME)
def test_same(url: str) -> None:
    assert below(url, HOTELS) is url


@pytest.mark.parametrize(
    "url, expected",
    [
        pytest.param("/x", "/x", id="a root path stays"),
        pytest.param("http://hotels.internal:8000/x", "/x", id="the origin goes"),
        pytest.param("http://hotels.internal:8000//evil.test/x", "/.//evil.test/x", id="no path becomes a host"),
        pytest.param("/.//evil.test", "/.//evil.test", id="nor does it twice"),
    ],
)
def test_a_mount_at_the_root(url: str, expected: str) -> None:
    assert below(url, ROOT) == expected
    assert below(expected, ROOT) == expected


@pytest.mark.parametrize(
    "url, expected",
    [
        pytest.param("x", "/hotels/fragments/x", id="beside the document"),
        pytest.param("./", "/hotels/fragments/", id="its folder"),
        pytest.param("../x?y#z", "/hotels/x?y#z", id="above it"),
        pytest.param("../../../x", "/hotels/x", id="never above the prefix"),
        pytest.param("?p=2", "/hotels/fragments/deals?p=2", id="another query"),
        pytest.param("#x", "#x", id="a place in the page stays"),
        pytest.param("", "", id="nothing stays"),
        pytest.param("x:y", "x:y", id="a scheme is no path"),
        pytest.param("/x", "/hotels/x", id="a root path"),
    ],
)
def test_a_piece_resolves_relative_urls(url: str, expected: str) -> None:
    assert below(url, PIECE) == expected
    assert below(expected, PIECE) == expected


@pytest.mark.parametrize(
    "value, expected",
    [
        pytest.param("", "/hotels/fragments/deals?city=paris", id="an empty one is the document's"),
        pytest.param(" ", "/hotels/fragments/deals?city=paris", id="a blank one, too"),
        pytest.param("/go", "/hotels/go", id="any other is a URL"),
    ],
)
def test_action_of_a_piece(value: str, expected: str) -> None:
    assert action(value, PIECE) == expected
    assert action(value, HOTELS) == (value if not value.strip() else expected)


@pytest.mark.parametrize(
    "url, expected",
    [
        pytest.param("http://hotels.internal:8000/x", "http://shop.test/hotels/x", id="an absolute one stays absolute"),
        pytest.param("http://shop.test/x", "http://shop.test/hotels/x", id="with the prefix"),
        pytest.param("http://shop.test/hotels/x", "http://shop.test/hotels/x", id="once"),
        pytest.param("/x", "/hotels/x", id="a path stays a path"),
        pytest.param("https://other.example/x", "https://other.example/x", id="others' stay"),
    ],
)
def test_absolute(url: str, expected: str) -> None:
    assert absolute(url, PUBLIC) == expected
    assert absolute(expected, PUBLIC) == expected


@pytest.mark.parametrize(
    "url, own",
    [
        pytest.param("x.css", True, id="relative"),
        pytest.param("/x.css", True, id="a root path"),
        pytest.param("http://hotels.internal:8000/x.css", True, id="the origin"),
        pytest.param("http://shop.test/hotels/x.css", True, id="the public address"),
        pytest.param("/pets/x.css", False, id="another mount"),
        pytest.param("//cdn.example/x.css", False, id="another host"),
        pytest.param("data:text/css,a{}", False, id="data"),
    ],
)
def test_means(url: str, own: bool) -> None:
    assert means(url, HOTELS) is own
    assert means(url, PUBLIC) is (own or url == "/pets/x.css")


@pytest.mark.parametrize(
    "value, expected",
    [
        pytest.param("/a.png", "/hotels/a.png", id="one"),
        pytest.param("/a.png 1x, /b.png 2x, //c/d 3x", "/hotels/a.png 1x, /hotels/b.png 2x, //c/d 3x", id="three"),
        pytest.param("/a,b.png,/c 1x", "/hotels/a,b.png,/c 1x", id="commas inside a URL"),
        pytest.param("/a, /b", "/hotels/a, /hotels/b", id="a comma after it"),
        pytest.param("/a,, ,/b", "/hotels/a,, ,/hotels/b", id="many commas"),
        pytest.param("/a (1x, 2x) , /b", "/hotels/a (1x, 2x) , /hotels/b", id="parentheses"),
        pytest.param("\n /a 1x\n,/b 2x\n", "\n /hotels/a 1x\n,/hotels/b 2x\n", id="space"),
        pytest.param("/a,", "/hotels/a,", id="a comma at the end"),
        pytest.param("data:image/png,/x 1x, /b", "data:image/png,/x 1x, /hotels/b", id="data"),
        pytest.param("", "", id="none"),
    ],
)
def test_candidates(value: str, expected: str) -> None:
    assert candidates(value, HOTELS) == expected
    assert candidates(expected, HOTELS) == expected


@pytest.mark.parametrize(
    "value, expected",
    [
        pytest.param("0; url=/x", "0; url=/hotels/x", id="as usual"),
        pytest.param("0;URL='/x';y", "0;URL='/hotels/x';y", id="in quotes"),
        pytest.param('5 url = "/x', '5 url = "/hotels/x', id="in a quote without end"),
        pytest.param("5,/x", "5,/hotels/x", id="without the word"),
        pytest.param("1.5; url=/x", "1.5; url=/hotels/x", id="a fraction"),
        pytest.param(".5; '/x'", ".5; '/hotels/x'", id="less than one"),
        pytest.param("5", "5", id="no URL"),
        pytest.param("5;", "5;", id="nothing after the semicolon"),
        pytest.param("x;url=/x", "x;url=/x", id="no time"),
        pytest.param("5url=/x", "5url=/x", id="nothing in between"),
    ],
)
def test_refresh(value: str, expected: str) -> None:
    assert refresh(value, HOTELS) == expected
    assert refresh(expected, HOTELS) == expected


def test_listed() -> None:
    assert listed("/a  //b\t/c", HOTELS) == "/hotels/a  //b\t/hotels/c"


awkward = st.lists(
    st.sampled_from(
        ("/", "\\", ".", "..", "%2e", "x", "hotels", "pets", "?", "#", ":", "http:", "//", "@", " ", "\t", "shop.test")
    ),
    max_size=8,
).map("".join)


@settings(deadline=None)
@given(awkward | st.text(max_size=12))
def test_twice_is_once_and_no_url_leads_elsewhere(url: str) -> None:
    for place in (HOTELS, ROOT, PIECE, PUBLIC):
        once = below(url, place)
        assert below(once, place) == once
        if once != url:
            assert (
                once.startswith(place.prefix + "/")
                or (once in ("/pets",) or once.startswith(("/pets/", "/pets?", "/pets#")))
                or once == place.prefix
            )
            assert once[1:2] not in ("/", "\\")


def test_every_attribute_that_scripts_read_is_documented() -> None:
    page = (Path(__file__).parents[2] / "fragments" / "README.md").read_text()
    for name in SCRIPTED.split():
        assert f"`{name}`" in page
    for ending in SCRIPTED_ENDINGS:
        assert f"`data-…{ending}`" in page


@pytest.mark.parametrize(
    "name, value, expected",
    [
        pytest.param("hx-get", "/x", "/hotels/x", id="htmx"),
        pytest.param("data-hx-get", "/x", "/hotels/x", id="htmx, with data before it"),
        pytest.param("hx-sse", "connect:/x swap:y", "connect:/hotels/x swap:y", id="a connection"),
        pytest.param("data-search-url", "http://hotels.internal:8000/x", "/hotels/x", id="by its ending"),
        pytest.param("data-src", " /x", "/hotels/x", id="behind white space"),
        pytest.param("data-src", "x", "x", id="a relative one"),
        pytest.param("data-url", "#/x", "#/x", id="a place"),
        pytest.param("data-url", "see /x", "see /x", id="text"),
        pytest.param("data-lazy-srcset", "/a 1x, b 2x", "/hotels/a 1x, b 2x", id="candidates"),
    ],
)
def test_scripted(name: str, value: str, expected: str) -> None:
    change = scripted(name.encode())
    assert change is not None
    for base in (None, "/hotels/fragments/deals"):
        assert change(value, replace(HOTELS, base=base)) == expected


@pytest.mark.parametrize("name", ["data-title", "hx-target", "data-hx-vals", "data-connect", "src", "urls", "data-"])
def test_what_scripts_read_otherwise(name: str) -> None:
    assert scripted(name.encode()) is None


@pytest.mark.parametrize(
    "element, names",
    [
        pytest.param("image", {"src", "srcset"}, id="image is img"),
        pytest.param("x-link", {"href", "src"}, id="a custom element"),
        pytest.param("mf-slot", set(), id="a slot is none"),
        pytest.param("h-include", set(), id="an include is none"),
        pytest.param("p", set(), id="nothing"),
    ],
)
def test_carriers(element: str, names: set[str]) -> None:
    found = carriers(element.encode())
    assert names <= {name.decode() for name in found} if names else not found


@pytest.mark.parametrize(
    "url, expected",
    [
        pytest.param("/cars/1", "/autos/1", id="a root path"),
        pytest.param("/cars", "/autos", id="the mount itself"),
        pytest.param("/carsharing", "/hotels/carsharing", id="only by whole segments"),
        pytest.param("http://shop.test/cars/1?x", "/autos/1?x", id="in full"),
        pytest.param("/x/../cars/./1", "/autos/1", id="by its path without dots"),
        pytest.param("/autos/1", "/autos/1", id="where it is now"),
        pytest.param("/hotels/cars", "/hotels/cars", id="not one of our own"),
        pytest.param("/boats/1", "/boats/new/1", id="into itself"),
        pytest.param("/boats/new/1", "/boats/new/1", id="and not again"),
    ],
)
def test_mounts_that_moved_are_followed(url: str, expected: str) -> None:
    moved = (("/cars", "/autos"), ("/boats", "/boats/new"))
    place = replace(HOTELS, links_to=("/autos", "/boats/new"), relinked=moved)
    assert below(url, place) == expected
    assert below(expected, place) == expected


@pytest.mark.parametrize(
    "url, expected",
    [
        pytest.param("/-/browser/mount-1.js", "/-/browser/mount-1.js", id="its scripts"),
        pytest.param("/-/u/other/x.css", "/-/u/other/x.css", id="assets of an upstream"),
        pytest.param("/-/profile", "/hotels/-/profile", id="nothing that only looks like it"),
    ],
)
def test_what_the_gateway_answers_stands(url: str, expected: str) -> None:
    assert below(url, HOTELS) == expected


def test_values_of_an_animation() -> None:
    assert listed_by_semicolons("/a;b; /c", HOTELS) == "/hotels/a;b;/hotels/c"
