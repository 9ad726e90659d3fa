"""Entries as bytes and back; what is not one is refused, whoever wrote it."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.store.codec as codec
from gateway.message import Entry

BODY = b"<p>\x00\xff body"
ENTRY = Entry(
    status=200,
    headers=((b"content-type", b"text/html"), (b"x-own", "é".encode()), (b"x-own", b"")),
    body=BODY,
    digest=codec.digest(BODY),
    stored=1_700_000_000.25,
    fresh=1_700_000_060.0,
    revalidate=1_700_000_360.0,
    error=1_700_086_400.0,
    tags=("hotels", "team:hotels", "url:/hotels/é"),
)


def test_back_and_forth() -> None:
    assert codec.decode(codec.encode(ENTRY)) == ENTRY


def test_digest_names_the_bytes() -> None:
    assert codec.digest(b"a") == codec.digest(b"a") != codec.digest(b"b")
    assert len(codec.digest(b"")) == 16


NAMES = st.text("abc-", min_size=1, max_size=8).map(str.encode)
VALUES = st.binary(max_size=20).map(lambda value: value.translate(None, b"\0\r\n"))
TIMES = st.floats(0, 4e9)
ENTRIES = st.builds(
    lambda body, **rest: Entry(body=body, digest=codec.digest(body), **rest),
    body=st.binary(max_size=60),
    status=st.integers(0, 599),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple),
    stored=TIMES,
    fresh=TIMES,
    revalidate=TIMES,
    error=TIMES,
    tags=st.lists(st.text(max_size=8), max_size=3).map(tuple),
)


@given(ENTRIES)
def test_every_entry_comes_back(entry: Entry) -> None:
    assert codec.decode(codec.encode(entry)) == entry


@given(st.binary(max_size=80))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        codec.decode(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_leaves_the_body_whole(at: int, flip: int) -> None:
    data = bytearray(codec.encode(ENTRY))
    data[at % len(data)] ^= flip
    try:
        entry = codec.decode(bytes(data))
    except ValueError:
        return
    assert entry.body == BODY
    assert isinstance(entry.status, int)


def test_a_cut_entry_is_refused_at_every_offset() -> None:
    data = codec.encode(ENTRY)
    for end in range(len(data)):
        with pytest.raises(ValueError):
            codec.decode(data[:end])


def forged(head: object, body: bytes = BODY) -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return codec.MAGIC + len(text).to_bytes(4, "big") + text + body


HEAD = {
    "status": 200,
    "headers": [],
    "digest": codec.digest(BODY).hex(),
    "tags": [],
    "stored": 0,
    "fresh": 0,
    "revalidate": 0,
    "error": 0,
}


def test_the_forgery_differs_only_in_what_a_row_says() -> None:
    assert codec.decode(forged(HEAD)).body == BODY


@pytest.mark.parametrize(
    "head",
    [
        pytest.param({**HEAD, "status": "200"}, id="a status that is text"),
        pytest.param({**HEAD, "status": True}, id="a status that is a truth"),
        pytest.param({**HEAD, "status": 2.5}, id="a status that is a fraction"),
        pytest.param({**HEAD, "headers": {"a": "b"}}, id="fields that are no list"),
        pytest.param({**HEAD, "headers": [["a"]]}, id="a field without a value"),
        pytest.param({**HEAD, "headers": [["a", 1]]}, id="a value that is a number"),
        pytest.param({**HEAD, "headers": [["a", "\u20ac"]]}, id="a value that is no byte"),
        pytest.param({**HEAD, "digest": "zz"}, id="a digest that is none"),
        pytest.param({**HEAD, "digest": codec.digest(b"other").hex()}, id="another body's digest"),
        pytest.param({**HEAD, "tags": [1]}, id="a tag that is a number"),
        pytest.param({**HEAD, "fresh": "never"}, id="a time that is text"),
        pytest.param({name: value for name, value in HEAD.items() if name != "fresh"}, id="no time"),
        pytest.param([], id="a list"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[" * 100_000, id="JSON deeper than anyone reads"),
    ],
)
def test_a_forged_head_is_refused(head: object) -> None:
    with pytest.raises(ValueError):
        codec.decode(forged(head))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_times_without_end_are_refused(number: str) -> None:
    """An entry that is fresh for ever could never be got rid of."""
    head = json.dumps(HEAD).replace('"fresh": 0', f'"fresh": {number}').encode()
    with pytest.raises(ValueError):
        codec.decode(forged(head))


def test_a_field_that_would_split_the_answer_is_refused() -> None:
    """Whoever can write to the store cannot make us send fields of their own."""
    evil = dataclasses.replace(ENTRY, headers=((b"x", b"1\r\nset-cookie: s=1"),))
    with pytest.raises(ValueError):
        codec.decode(codec.encode(evil))
