"""JSON that names URLs: every URL of a known shape goes below the prefix, and every other byte stays."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fragments.documents as documents
from fragments.documents import Json, Shape
from fragments.stream import HELD
from fragments.urls import Place

HOTELS = Place("/hotels", frozenset({"http://hotels.internal:8000"}), links_to=("/pets",), public="http://shop.test")


def changed(shape: Shape, source: bytes, step: int = 1 << 20) -> bytes:
    rewriting, edges = Json(shape, HOTELS), [*range(0, len(source), step), len(source)]
    return b"".join(rewriting.feed(source[start:end]) for start, end in pairwise(edges)) + rewriting.close()


def assert_changed(shape: Shape, source: str, expected: str) -> None:
    before, after = (text.encode("utf-8", "surrogateescape") for text in (source, expected))
    for step in (1 << 20, 1, 3, 7):
        assert changed(shape, before, step) == after, f"in steps of {step}"
        assert changed(shape, after, step) == after, "twice is once"


MANIFEST = {
    "name": "/H\xe9\U0001f3e8",
    "start_url": "/?source=app",
    "scope": "/",
    "id": "/",
    "icons": [{"src": "/icon.png", "sizes": "any"}, {"src": "icon.svg"}],
    "screenshots": [{"src": "/shot.png"}],
    "shortcuts": [{"name": "x", "url": "/new", "icons": [{"src": "/new.png"}]}],
    "share_target": {"action": "/share", "params": {"url": "/url"}},
    "file_handlers": [{"action": "/open", "accept": {"text/csv": [".csv", "/x"]}}],
    "protocol_handlers": [{"protocol": "web+x", "url": "/p?u=%s"}],
    "note_taking": {"new_note_url": "/note"},
    "serviceworker": {"src": "/sw.js", "scope": "/"},
    "related_applications": [{"url": "https://store.example/x"}],
}


def test_web_manifest() -> None:
    after = json.loads(changed(documents.web_manifest(), json.dumps(MANIFEST, indent=2).encode()))
    assert after == {
        **MANIFEST,
        "start_url": "/hotels/?source=app",
        "scope": "/hotels/",
        "id": "/hotels/",
        "icons": [{"src": "/hotels/icon.png", "sizes": "any"}, {"src": "icon.svg"}],
        "screenshots": [{"src": "/hotels/shot.png"}],
        "shortcuts": [{"name": "x", "url": "/hotels/new", "icons": [{"src": "/hotels/new.png"}]}],
        "share_target": {"action": "/hotels/share", "params": {"url": "/url"}},
        "file_handlers": [{"action": "/hotels/open", "accept": {"text/csv": [".csv", "/x"]}}],
        "protocol_handlers": [{"protocol": "web+x", "url": "/hotels/p?u=%s"}],
        "note_taking": {"new_note_url": "/hotels/note"},
        "serviceworker": {"src": "/hotels/sw.js", "scope": "/hotels/"},
    }


@pytest.mark.parametrize(
    "source, expected",
    [
        pytest.param(
            '{ "n": 1.10, "big": 1e999,\t"scope" :"/" }',
            '{ "n": 1.10, "big": 1e999,\t"scope" :"/hotels/" }',
            id="bytes",
        ),
        pytest.param(
            r'{"scope":"\/x\u002fy"}',
            r'{"scope":"/hotels\/x\u002fy"}',
            id="escapes keep their spelling behind the prefix",
        ),
        pytest.param(
            r'{"scope":" /\u00e9<\"\\"}',
            r'{"scope":"/hotels/\u00e9\u003c\"\\"}',
            id="what is written anew is safe anywhere",
        ),
        pytest.param(r'{"sc\u006fpe":"/"}', r'{"sc\u006fpe":"/hotels/"}', id="a name with an escape"),
        pytest.param('\ufeff{"scope":"/"}', '\ufeff{"scope":"/hotels/"}', id="a byte order mark"),
        pytest.param('{"scope":"/\udcff"}', '{"scope":"/hotels/\udcff"}', id="bytes that are no UTF-8"),
        pytest.param('{"scope":"/a","scope":"/b"}', '{"scope":"/hotels/a","scope":"/hotels/b"}', id="a name twice"),
        pytest.param(")]}',\n" + '{"scope":"/"}', ")]}',\n" + '{"scope":"/hotels/"}', id="behind what guards it"),
        pytest.param(
            '{"x":{"scope":"/a"},"scope":"/"}', '{"x":{"scope":"/a"},"scope":"/hotels/"}', id="one level only"
        ),
        pytest.param(
            '{"x":["}",{"y":"]"}],"id":"/"}', '{"x":["}",{"y":"]"}],"id":"/hotels/"}', id="brackets in strings"
        ),
    ],
)
def test_in_place(source: str, expected: str) -> None:
    assert_changed(documents.web_manifest(), source, expected)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('{ "start_url" : "./" }', id="nothing of ours in it"),
        pytest.param('{"icons": 1, "shortcuts": ["/x"], "start_url": ["/"], "share_target": "/x"}', id="other shapes"),
        pytest.param('"/x"', id="a string"),
        pytest.param("{'start_url': '/x'}", id="no JSON"),
        pytest.param('{"start_url": "/x', id="cut off"),
        pytest.param('{"start_url": "/x\\', id="cut off in an escape"),
        pytest.param(r'{"start_url": "\q/x"}', id="an escape that is none"),
        pytest.param(r'{"start_url": " /\ud800"}', id="half a character"),
        pytest.param("", id="nothing"),
    ],
)
def test_same(source: str) -> None:
    assert_changed(documents.web_manifest(), source, source)


@pytest.mark.parametrize(
    "source, expected",
    [
        pytest.param('{"imports":{"/a":"/a.js","b":null}}', '{"imports":{"/a":"/hotels/a.js","b":null}}', id="imports"),
        pytest.param(
            '{"scopes":{"/s/":{"/a":"/a.js"}},"integrity":{"/a.js":"/x"}}',
            '{"scopes":{"/hotels/s/":{"/a":"/hotels/a.js"}},"integrity":{"/hotels/a.js":"/x"}}',
            id="names that are addresses",
        ),
    ],
)
def test_import_map(source: str, expected: str) -> None:
    assert_changed(documents.import_map(), source, expected)


@pytest.mark.parametrize(
    "source, expected",
    [
        pytest.param('{"prefetch":[{"urls":["/x","y"]}]}', '{"prefetch":[{"urls":["/hotels/x","y"]}]}', id="urls"),
        pytest.param(
            '{"prerender":[{"where":{"not":{"or":[{"href_matches":["/*",{"pathname":"/p","hash":"/h"}]},'
            '{"selector_matches":"/x"}]}},"eagerness":"/x"}]}',
            '{"prerender":[{"where":{"not":{"or":[{"href_matches":["/hotels/*",{"pathname":"/hotels/p","hash":"/h"}]},'
            '{"selector_matches":"/x"}]}},"eagerness":"/x"}]}',
            id="conditions in conditions",
        ),
        pytest.param('{"tag":"/x","prefetch":"/x"}', '{"tag":"/x","prefetch":"/x"}', id="nothing else"),
    ],
)
def test_speculation_rules(source: str, expected: str) -> None:
    assert_changed(documents.speculation_rules(), source, expected)


@pytest.mark.parametrize(
    "source, expected",
    [
        pytest.param('{"url":"/x"}', '{"url":"/hotels/x"}', id="a root path"),
        pytest.param(
            '{"@graph":[{"@id":"http://hotels.internal:8000/#o","logo":{"@id":"/#l","caption":"/c"}}]}',
            '{"@graph":[{"@id":"http://shop.test/hotels/#o","logo":{"@id":"/hotels/#l","caption":"/c"}}]}',
            id="at any depth, in full where it was in full",
        ),
        pytest.param(
            '{"sameAs":["https://x.example/h","http://hotels.internal:8000/h"]}',
            '{"sameAs":["https://x.example/h","http://shop.test/hotels/h"]}',
            id="of our own hosts only",
        ),
        pytest.param(
            '{"@context":{"url":"/x"},"name":"/x","text":"http://hotels.internal:8000/"}',
            '{"@context":{"url":"/x"},"name":"/x","text":"http://hotels.internal:8000/"}',
            id="no vocabulary, no text",
        ),
    ],
)
def test_linked(source: str, expected: str) -> None:
    assert_changed(documents.linked(), source, expected)


@pytest.mark.parametrize(
    "pointers, source, expected",
    [
        pytest.param(["/next"], '{"next":"/p?2","x":"/p"}', '{"next":"/hotels/p?2","x":"/p"}', id="a member"),
        pytest.param(
            ["/links/*/href"],
            '{"links":{"self":{"href":"/a"},"next":{"href":"/b","title":"/t"}}}',
            '{"links":{"self":{"href":"/hotels/a"},"next":{"href":"/hotels/b","title":"/t"}}}',
            id="of any name",
        ),
        pytest.param(
            ["/*/url", "/1/name"],
            '[{"url":"/a","name":"/n"},{"url":"/b","name":"/n"}]',
            '[{"url":"/hotels/a","name":"/n"},{"url":"/hotels/b","name":"/hotels/n"}]',
            id="of any number, and of one",
        ),
        pytest.param(["/a~1b/~0"], '{"a/b":{"~":"/x"}}', '{"a/b":{"~":"/hotels/x"}}', id="escaped"),
        pytest.param([""], '"/x"', '"/hotels/x"', id="the whole"),
        pytest.param(
            ["/u"], '{"u":"http://hotels.internal:8000/x"}', '{"u":"http://shop.test/hotels/x"}', id="in full"
        ),
        pytest.param(
            ["/u"], '{"u":["/x"],"v":{"u":"/x"}}', '{"u":["/x"],"v":{"u":"/x"}}', id="nothing that is no string"
        ),
        pytest.param(["/u"], '{"u":"https://x.example/"}', '{"u":"https://x.example/"}', id="no other host"),
        pytest.param([], '{"u":"/x"}', '{"u":"/x"}', id="no pointers"),
    ],
)
def test_pointed(pointers: list[str], source: str, expected: str) -> None:
    assert_changed(documents.pointed(pointers), source, expected)


def test_names_without_end_are_not_all_remembered() -> None:
    shape = documents.pointed(["/*/u"])
    members = [b'"%d":{"u":"/x"}' % number for number in range(1000)]
    source = b"{" + b",".join(members) + b"}"
    assert changed(shape, source) == source.replace(b'"/x"', b'"/hotels/x"')


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"[" * 200_000 + b'"/x"', id="levels"),
        pytest.param(b'{"a":' * 100_000 + b'"/x"', id="objects"),
        pytest.param(b'{"url":' * 100_000 + b'"/x"', id="levels that are looked into"),
        pytest.param(b'"' * 400_001, id="quotes"),
        pytest.param(b'{"url":"/x' + b"\\" * (4 * HELD), id="a string without end"),
        pytest.param(b'{"url":"/x' + b"y" * (4 * HELD) + b'","n":{"name":"z"}}', id="a string too long to hold"),
    ],
)
def test_nothing_is_looked_at_again_and_again(source: bytes) -> None:
    assert changed(documents.linked(), source, 8192) == source


def test_after_a_string_too_long_to_hold() -> None:
    long = b'"/' + b"y" * (2 * HELD) + b'\\""'
    source = b'{"url":' + long + b',"image":' + long + b',"logo":"/x"}'
    assert changed(documents.linked(), source, 999) == source.replace(b'"/x"', b'"/hotels/x"')


def test_repr_says_where_it_is() -> None:
    rewriting = Json(documents.linked(), HOTELS)
    rewriting.feed(b'{"@context":{"a":[{ "b')
    assert repr(rewriting) == "<Json 4 levels deep, 2 bytes held>"


values = st.recursive(
    st.sampled_from(["/x", "x", "//y", "é", 1, 1.5, None, True, "http://hotels.internal:8000/z"]),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(st.sampled_from(["url", "@id", "name", "image", "@graph"]), inside, max_size=3),
    ),
    max_leaves=12,
)


def mapped(value: Any, is_url: bool = False) -> Any:
    """The rule once more, over a tree."""
    match value:
        case dict():
            return {
                name: inside if name == "@context" else mapped(inside, name in ("url", "@id", "image"))
                for name, inside in value.items()
            }
        case list():
            return [mapped(each, is_url) for each in value]
        case "/x" if is_url:
            return "/hotels/x"
        case "http://hotels.internal:8000/z" if is_url:
            return "http://shop.test/hotels/z"
    return value


@settings(deadline=None, max_examples=200)
@given(values, st.integers(1, 40), st.booleans())
def test_the_value_is_what_the_rule_says(value: object, step: int, ascii_only: bool) -> None:
    source = json.dumps(value, ensure_ascii=ascii_only).encode()
    once = changed(documents.linked(), source, step)
    assert json.loads(once) == mapped(value)
    assert changed(documents.linked(), once) == once


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(["{", "}", "[", "]", ",", ":", '"', '"url"', '"/x"', "\\", "é", " ", "1"]), max_size=30),
    st.integers(1, 9),
)
def test_any_text_at_all(parts: list[str], step: int) -> None:
    source = "".join(parts).encode()
    once = changed(documents.linked(), source)
    assert changed(documents.linked(), source, step) == once
    assert changed(documents.linked(), once) == once
