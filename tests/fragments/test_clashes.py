"""What two pieces of one page cannot both have is told of the later one."""

from __future__ import annotations

from fragments.clashes import between
from fragments.contain import Fitted
from fragments.head import HeadItem


def mapping(text: bytes, prefix: str = "/cart") -> tuple[HeadItem, ...]:
    return (HeadItem("importmap", prefix, text),)


def test_pieces_that_have_nothing_in_common() -> None:
    one = Fitted(b"", mapping(b'{"imports":{"a":"/cart/a.js"}}'), ids=frozenset("a"), defines=frozenset({"x-a"}))
    two = Fitted(b"", mapping(b'{"imports":{"a":"/pets/a.js"}}', "/pets"), ids=frozenset("b"))
    assert between([("cart", one), ("pets", two)]) == []


def test_an_id_and_an_element_twice() -> None:
    one = Fitted(b"", ids=frozenset("ab"), defines=frozenset({"x-a"}))
    two = Fitted(b"", ids=frozenset("bc"), defines=frozenset({"x-a"}))
    assert [(said.code, said.message) for said in between([("cart", one), ("pets", two)])] == [
        ("id-twice", "'pets' has the id 'b', and so has 'cart'. Use ids: prefix."),
        ("element-twice", "'pets' defines <x-a>, and so does 'cart': the later one throws."),
    ]


def test_a_module_under_two_addresses() -> None:
    one = Fitted(b"", mapping(b'{"imports":{"vue":"/cart/v3.js"}}'))
    two = Fitted(b"", mapping(b'{"imports":{"vue":"/cart/v2.js"}}'))
    (said,) = between([("a", one), ("b", two)])
    assert said.code == "import-map-conflict"
    assert said.message == "'vue' below '/cart/' is /cart/v3.js, not /cart/v2.js as well."


def test_the_shells_map_comes_first() -> None:
    one = Fitted(b"", mapping(b'{"scopes":{"/cart/":{"vue":"/cart/v2.js"}}}'))
    shell = '{"imports":{"vue":"/v1.js"},"scopes":{"/cart/":{"vue":"/v3.js"}}}'
    assert [said.code for said in between([("a", one)], shell)] == ["import-map-conflict"]
    assert between([("a", one)], "{") == []


def test_no_more_is_told_than_is_read() -> None:
    many = Fitted(b"", ids=frozenset(map(str, range(50))))
    assert len(between([("a", many), ("b", many)])) == 5
