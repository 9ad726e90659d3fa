"""Leaks of one path are one; each is told with what mends it."""

import pytest

import gateway.rules.leaks as leaks
from gateway.rules.leaks import Leak


def leak(target: str = "/api/rooms", kind: str = "", times: int = 1, mount: str = "/hotels") -> Leak:
    return Leak("hotels", mount, target, kind, "rescue", "/hotels/list", times, 1.0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param("empty", ["fetch()", "'/api/rooms'", "'api/rooms'", "/hotels/list"], id="a call"),
        pytest.param("image", ["makes an element", "public path"], id="an element a script made"),
        pytest.param("script", ["import()", "base: './'"], id="a module"),
        pytest.param("document", ["location", "router"], id="another page"),
        pytest.param("font", ["style sheet", "url()"], id="a font is a style sheet's"),
        pytest.param("serviceworker", ["service worker", "'./'"], id="a service worker"),
        pytest.param("", ["relative to the page"], id="a browser that does not say"),
        pytest.param("made-up", ["relative to the page"], id="a kind nobody knows"),
    ],
)
def test_each_kind_has_its_fix(kind: str, said: list[str]) -> None:
    told = leaks.fix(leak(kind=kind))
    assert [word for word in said if word not in told] == []


@pytest.mark.parametrize("target", ["/", "/{0}", "/{target}{", "/%s"])
def test_what_strangers_ask_for_is_no_format(target: str) -> None:
    assert f"'{target}'" in leaks.fix(leak(target))


def test_counts_add_up_and_the_latest_page_stands() -> None:
    later = Leak("hotels", "/hotels", "/api/rooms", "empty", "rescue", "/hotels/", 2, 5.0)
    both = leaks.added(leak(times=3), later)
    assert (both.times, both.page, both.kind, both.last) == (5, "/hotels/", "empty", 5.0)
    assert leaks.added(None, later) is later


@pytest.mark.parametrize(
    ("path", "kept"), [("/a?b=c?d", "/a"), ("/a", "/a"), ("/" + "x" * 600, "/" + "x" * 511), ("?", "")]
)
def test_a_path_is_kept_short(path: str, kept: str) -> None:
    assert leaks.short(path) == kept


def test_what_happens_most_often_stands_first() -> None:
    found = [leak("/b"), leak("/a", times=9), leak("/a"), leak("/x", mount="/a")]
    assert [(each.mount, each.target, each.times) for each in leaks.ordered(found)] == [
        ("/a", "/x", 1),
        ("/hotels", "/a", 9),
        ("/hotels", "/a", 1),
        ("/hotels", "/b", 1),
    ]
