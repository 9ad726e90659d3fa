"""Two answers that may differ have two keys; what makes no difference is not in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.keys as keys
from gateway.message import Fields

PAGE = (b"http", b"shop.test", b"/hotels", b"/x?q=1")


def page(scheme: bytes, authority: bytes, prefix: bytes, target: bytes) -> bytes:
    return keys.page(scheme, authority, prefix) + target


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((b"https", b"shop.test", b"/hotels", b"/x?q=1"), id="scheme"),
        pytest.param((b"http", b"other.test", b"/hotels", b"/x?q=1"), id="host"),
        pytest.param((b"http", b"shop.test:81", b"/hotels", b"/x?q=1"), id="port"),
        pytest.param((b"http", b"shop.test", b"/pets", b"/x?q=1"), id="mount"),
        pytest.param((b"http", b"shop.test", b"", b"/hotels/x?q=1"), id="the root mount"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/y?q=1"), id="path"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/x?q=2"), id="query"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/x"), id="no query"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/x?"), id="an empty query"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/X?q=1"), id="case of the path"),
    ],
)
def test_pages_are_told_apart(other: tuple[bytes, bytes, bytes, bytes]) -> None:
    assert page(*PAGE) == page(*PAGE)
    assert page(*other) != page(*PAGE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((b"pets.deals", b"http", b"shop.test", b"/hotels", b"/d"), id="name"),
        pytest.param((b"hotels.deals", b"https", b"shop.test", b"/hotels", b"/d"), id="scheme"),
        pytest.param((b"hotels.deals", b"http", b"other.test", b"/hotels", b"/d"), id="host"),
        pytest.param((b"hotels.deals", b"http", b"shop.test", b"/stays", b"/d"), id="prefix"),
        pytest.param((b"hotels.deals", b"http", b"shop.test", b"/hotels", b"/d?city=x"), id="query"),
    ],
)
def test_fragments_are_told_apart(other: tuple[bytes, bytes, bytes, bytes, bytes]) -> None:
    one = (b"hotels.deals", b"http", b"shop.test", b"/hotels", b"/d")
    assert keys.fragment(*other) != keys.fragment(*one)


def test_a_fragment_is_no_page() -> None:
    assert keys.fragment(b"x", b"http", b"shop.test", b"/hotels", b"/d") != page(
        b"http", b"shop.test", b"/hotels", b"/d"
    )


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        pytest.param([], (), id="none"),
        pytest.param([(b"vary", b"Accept-Language, ACCEPT")], (b"accept", b"accept-language"), id="sorted, lower case"),
        pytest.param([(b"vary", b"b"), (b"vary", b"a")], (b"a", b"b"), id="several lines"),
        pytest.param([(b"vary", b"a, a,,")], (b"a",), id="once each"),
    ],
)
def test_vary(fields: Fields, names: tuple[bytes, ...]) -> None:
    assert keys.vary(fields) == names


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param([(b"a", b"1")], [(b"a", b"2")], False, id="another value"),
        pytest.param([(b"a", b"1")], [], False, id="absent"),
        pytest.param([], [], True, id="both absent"),
        pytest.param([(b"a", b" 1 ")], [(b"a", b"1")], True, id="white space around it"),
        pytest.param([(b"a", b"1"), (b"b", b"2")], [(b"a", b"1"), (b"b", b"3")], True, id="a field that is not named"),
        pytest.param([(b"a", b"1"), (b"a", b"2")], [(b"a", b"2"), (b"a", b"1")], False, id="another order of lines"),
        pytest.param([(b"a", b"x")], [(b"a", b"X")], False, id="another case: normalisation loses nothing"),
    ],
)
def test_variant(one: Fields, other: Fields, same: bool) -> None:
    assert (keys.variant(b"k", [b"a"], one) == keys.variant(b"k", [b"a"], other)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(b"gzip, br", b"br, gzip", True, id="the order of codings makes no difference"),
        pytest.param(b"gzip", b"gzip, compress", True, id="nor does one we never use"),
        pytest.param(b"gzip", b"br", False, id="another coding does"),
        pytest.param(b"gzip", b"gzip;q=0", False, id="a refusal does"),
    ],
)
def test_variant_by_accept_encoding(one: bytes, other: bytes, same: bool) -> None:
    name = b"accept-encoding"
    assert (keys.variant(b"k", [name], [(name, one)]) == keys.variant(b"k", [name], [(name, other)])) is same


VALUES = st.lists(st.sampled_from([b"a=1", b"b", b"=", b"2", b",", b" "]), max_size=4).map(b"".join)


@given(VALUES, VALUES, VALUES, VALUES)
def test_variants_do_not_run_into_each_other(a: bytes, b: bytes, c: bytes, d: bytes) -> None:
    one, other = [(b"a", a), (b"b", b)], [(b"a", c), (b"b", d)]
    same = (a.strip(), b.strip()) == (c.strip(), d.strip())
    assert (keys.variant(b"k", [b"a", b"b"], one) == keys.variant(b"k", [b"a", b"b"], other)) is same
