"""Structured fields are read as a parser of others reads them, or not at all."""

from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.structured as structured
from gateway.rules.structured import Dictionary, Item, Opaque, Text, Token


@pytest.mark.parametrize(
    ("text", "members"),
    [
        pytest.param(b"", {}, id="nothing is an empty one"),
        pytest.param(b"a", {b"a": Item(True, {})}, id="a key alone is true"),
        pytest.param(b"a=1, b=-2.5", {b"a": Item(1, {}), b"b": Item(-2.5, {})}, id="numbers"),
        pytest.param(b"a=?0;x;y=2", {b"a": Item(False, {b"x": True, b"y": 2})}, id="parameters"),
        pytest.param(b'a="x\\"y"', {b"a": Item(Text(b'x"y'), {})}, id="a string"),
        pytest.param(b"a=b/c", {b"a": Item(Token(b"b/c"), {})}, id="a token"),
        pytest.param(b"a=:aGk=:", {b"a": Item(Opaque(b"aGk="), {})}, id="bytes"),
        pytest.param(b"a=@1659578233", {b"a": Item(Opaque(b"@1659578233"), {})}, id="a date"),
        pytest.param(b'a=%"f%c3%bc"', {b"a": Item(Opaque(b"f%c3%bc"), {})}, id="a display string"),
        pytest.param(
            b"a=(1 b);q", {b"a": Item((Item(1, {}), Item(Token(b"b"), {})), {b"q": True})}, id="an inner list"
        ),
        pytest.param(b"a=1, a=2", {b"a": Item(2, {})}, id="the last of a key"),
        pytest.param(b" a=1\t,\tb=2 ", {b"a": Item(1, {}), b"b": Item(2, {})}, id="white space"),
    ],
)
def test_dictionary(text: bytes, members: Dictionary) -> None:
    assert structured.dictionary(text) == members


BROKEN = rb"""A=1|a=|a=1,|,|a=1 b=2|a==1|a="x|a=1.|a=1.2345|a=1234567890123456|a=--1|a=(1|a=(1,2)|a=?2|a=:?:|a=:a:
a=@1.5|a=%"%zz"|a=%"%ff"|a=&|a;=1|a=1;|a="\xff"|a =1|a= 1|a='1'"""


@pytest.mark.parametrize("text", BROKEN.replace(b"\n", b"|").split(b"|"))
def test_what_is_no_dictionary(text: bytes) -> None:
    assert structured.dictionary(text) is None


def test_members_keep_their_order_and_twins() -> None:
    assert structured.members(b"a, b;x, a") == [
        Item(Token(b"a"), {}),
        Item(Token(b"b"), {b"x": True}),
        Item(Token(b"a"), {}),
    ]
    assert structured.members(b"a,") is None
    assert structured.members(b"(a b), 1") == [Item((Item(Token(b"a"), {}), Item(Token(b"b"), {})), {}), Item(1, {})]


WORDS = b'a max-age = 1 60 , ; " ( ) ?0 ?1 * - .5 :aGk: @1 % A / x=1 y;q=2 "z"'.split()
PIECES = st.sampled_from([*WORDS, b" ", b"\t", b"\\", b", ", b"\x00", b"\xc3"])


def others(text: bytes, named: bool) -> Any:
    """What another parser makes of it; None when it will not have it."""
    try:
        return http_sf.parse(text, tltype="dictionary" if named else "list")
    except (http_sf.StructuredFieldError, ValueError):
        return None


@given(st.lists(PIECES, max_size=12).map(b"".join), st.booleans())
def test_another_parser_agrees(text: bytes, named: bool) -> None:
    ours: Any = structured.dictionary(text) if named else structured.members(text)
    theirs = others(text, named)
    assert (ours is None) == (theirs is None), text
    if named and ours is not None:
        assert {name.decode() for name in ours} == set(theirs)
        ours, theirs = ours.values(), theirs.values()
    for our, (value, parameters) in zip(ours or (), theirs or (), strict=True):
        assert {name.decode() for name in our.parameters} == set(parameters)
        if type(value) in (bool, int):
            assert our.value == value


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    for unit in (b'"\\"', b'a="', b"(", b"a;", b" ", b"a,", b'"a" ', b":", b"%"):
        text = b"a=" + unit * 20_000
        structured.dictionary(text)
        structured.members(text)
