"""What belongs into a head, when two things are the same, in which order, and one import map for all."""

from __future__ import annotations

import json

import pytest

from fragments.head import HeadItem, conflicts, gather, identify, import_map, merged, named
from fragments.urls import Place

CART = Place("/cart", base="/cart/f")

IDENTIFIED = [
    pytest.param("link", {"rel": "stylesheet", "href": "/s"}, "stylesheet", "stylesheet href=/s", id="a sheet"),
    pytest.param(
        "link",
        {"rel": "Stylesheet", "href": "/s", "media": "print"},
        "stylesheet",
        "stylesheet href=/s media=print",
        id="for another medium it is another",
    ),
    pytest.param(
        "link",
        {"rel": "alternate stylesheet", "href": "/s"},
        "stylesheet",
        "alternate stylesheet href=/s",
        id="an alternate sheet",
    ),
    pytest.param(
        "link",
        {"rel": "preload", "href": "/f", "as": "font", "crossorigin": ""},
        "preload",
        "preload href=/f as=font crossorigin=",
        id="a preload, by what is loaded and how",
    ),
    pytest.param("link", {"rel": "preconnect", "href": "/"}, "preconnect", "preconnect href=/", id="a connection"),
    pytest.param("script", {"src": "/a.js"}, "script", "script src=/a.js", id="a classic script"),
    pytest.param("link", {"rel": "canonical", "href": "/a"}, "link", "canonical", id="there is one canonical"),
    pytest.param("link", {"rel": "icon", "href": "/i"}, "link", "icon href=/i", id="an icon"),
    pytest.param("link", {}, "link", "", id="a link that says nothing"),
    pytest.param("meta", {"name": "Description"}, "meta", "meta description", id="metadata by its name"),
    pytest.param("meta", {"property": "og:title"}, "meta", "meta og:title", id="or property"),
    pytest.param("script", {"type": "module", "src": "/m"}, "module", "module src=/m", id="a module"),
    pytest.param("script", {"type": "importmap"}, "importmap", "", id="an import map"),
]


@pytest.mark.parametrize(("name", "attributes", "kind", "key"), IDENTIFIED)
def test_identify(name: str, attributes: dict[str, str], kind: str, key: str) -> None:
    assert identify(name, attributes) == (kind, key)


STAYING = [
    pytest.param("script", {"type": "module"}, id="an inline module"),
    pytest.param("script", {"type": "text/x", "src": "/a"}, id="a script that none runs"),
    pytest.param("script", {"type": "speculationrules"}, id="speculation rules"),
    pytest.param("link", {"rel": "stylesheet", "itemprop": "x"}, id="microdata"),
    pytest.param("p", {}, id="anything else"),
]


@pytest.mark.parametrize(("name", "attributes"), STAYING)
def test_what_stays_where_it_is(name: str, attributes: dict[str, str]) -> None:
    assert identify(name, attributes) is None


def test_styles_are_the_same_by_their_text_and_medium() -> None:
    assert identify("style", {}, "a{}") == identify("style", {}, "a{}")
    assert identify("style", {}, "a{}") != identify("style", {}, "b{}")
    assert identify("style", {}, "a{}") != identify("style", {"media": "print"}, "a{}")


def item(kind: str, key: str) -> HeadItem:
    return HeadItem(kind, key, f"<{kind} {key}>".encode())


def test_gather_orders_by_kind_and_keeps_the_order_within() -> None:
    items = [
        item("module", "m1"),
        item("style", "s1"),
        item("preload", "p"),
        item("stylesheet", "s2"),
        item("style", "s1"),
    ]
    seen = {"s3"}
    assert gather([*items, item("style", "s3")], seen) == [
        b"<preload p>",
        b"<style s1>",
        b"<stylesheet s2>",
        b"<module m1>",
    ]
    assert seen == {"s1", "s2", "s3", "p", "m1"}
    assert gather(items, seen) == []


def test_metadata_and_import_maps_are_not_gathered() -> None:
    assert gather([item("meta", "a"), item("link", "b"), item("importmap", "/cart")], set()) == []


def loaded(text: str) -> object:
    mapped = import_map(text, CART)
    assert mapped is not None
    return json.loads(mapped)


def test_an_import_map_is_put_below_the_prefix() -> None:
    text = {
        "imports": {"lib": "/lib.js", "/a.js": "./b.js", "bad": None},
        "scopes": {"/x/": {"lib": "/x/lib.js"}},
        "integrity": {"/lib.js": "sha384-x"},
    }
    assert loaded(json.dumps(text)) == {
        "imports": {"lib": "/cart/lib.js", "/cart/a.js": "/cart/b.js", "bad": None},
        "scopes": {"/cart/x/": {"lib": "/cart/x/lib.js"}},
        "integrity": {"/cart/lib.js": "sha384-x"},
    }


def test_an_import_map_of_odd_parts_is_read_as_far_as_it_goes() -> None:
    assert loaded('{"imports": [], "scopes": {"/x": 1}}') == {"imports": {}, "scopes": {"/cart/x": {}}, "integrity": {}}


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "[" * 100_000], ids=["nothing", "list", "open", "number", "deep"])
def test_what_is_no_import_map(text: str) -> None:
    assert import_map(text, CART) is None


def test_an_import_map_cannot_end_its_script() -> None:
    mapped = import_map('{"imports": {"x": "/</script><script>"}}', CART)
    assert mapped is not None
    assert b"<" not in mapped


MERGED = [
    pytest.param(None, [], {}, id="nothing"),
    pytest.param(
        '{"imports":{"lib":"/lib1.js"}}',
        [("/cart", '{"imports":{"lib":"/cart/lib2.js"}}')],
        {"imports": {"lib": "/lib1.js"}, "scopes": {"/cart/": {"lib": "/cart/lib2.js"}}},
        id="piece-importmap",
    ),
    pytest.param(
        '{"scopes":{"/cart/":{"lib":"/mine.js"}}}',
        [("/cart", '{"imports":{"lib":"/cart/lib2.js","b":"/cart/b.js"}}')],
        {"scopes": {"/cart/": {"lib": "/mine.js", "b": "/cart/b.js"}}},
        id="the shell's word stands",
    ),
    pytest.param(
        None,
        [("/a", '{"imports":{"x":"/a/1"}}'), ("/a", '{"imports":{"x":"/a/2","y":"/a/3"}}')],
        {"scopes": {"/a/": {"x": "/a/1", "y": "/a/3"}}},
        id="who comes first wins",
    ),
    pytest.param(
        None,
        [("/a", '{"scopes":{"/a/":{"x":"/s"},"/a/b/":{"x":"/t"}},"imports":{"x":"/i"},"integrity":{"/i":"h"}}')],
        {"scopes": {"/a/": {"x": "/s"}, "/a/b/": {"x": "/t"}}, "integrity": {"/i": "h"}},
        id="a piece's own scopes and hashes",
    ),
]


@pytest.mark.parametrize(("shell", "maps", "expected"), MERGED)
def test_merged(shell: str | None, maps: list[tuple[str, str]], expected: object) -> None:
    whole = merged(shell, tuple((prefix, text.encode()) for prefix, text in maps))
    assert whole is not None
    assert json.loads(whole) == expected


def test_a_shell_whose_map_cannot_be_read_keeps_it() -> None:
    assert merged("{oops", (("/a", b"{}"),)) is None


def test_what_certainly_belongs_into_a_head_is_named() -> None:
    assert named("link", {"rel": "preload", "href": "/a"}) == ("preload", "preload href=/a")


CONFLICTS = [
    pytest.param(None, [("/a", '{"imports":{"x":"/1"}}'), ("/b", '{"imports":{"x":"/2"}}')], [], id="each its own"),
    pytest.param(
        None,
        [("/a", '{"imports":{"x":"/1"}}'), ("/a", '{"imports":{"x":"/2"}}')],
        ["'x' below '/a/' is /1, not /2 as well."],
        id="two of one team",
    ),
    pytest.param(
        '{"imports":{"x":"/0"}}', [("/a", '{"scopes":{"/b/":{"x":"/1"}}}')], [], id="the shell's holds for the shell"
    ),
    pytest.param(
        '{"scopes":{"/b/":{"x":"/0"}}}',
        [("/a", '{"scopes":{"/b/":{"x":"/1"}}}')],
        ["'x' below '/b/' is /0, not /1 as well."],
        id="a scope that the shell has",
    ),
    pytest.param("[]", [("/a", "{")], [], id="maps that are none"),
]


@pytest.mark.parametrize(("shell", "maps", "expected"), CONFLICTS)
def test_conflicts(shell: str | None, maps: list[tuple[str, str]], expected: list[str]) -> None:
    assert conflicts(shell, [(prefix, text.encode()) for prefix, text in maps]) == expected
