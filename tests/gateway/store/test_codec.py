"""Entries as bytes and back; what is not one is refused, whoever wrote it."""

import dataclasses
import math
import struct

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
    since=1_764_000_000_123,
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
    status=st.integers(0, 999),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple),
    stored=TIMES,
    fresh=TIMES,
    revalidate=TIMES,
    error=TIMES,
    tags=st.lists(st.text(max_size=8), max_size=3).map(tuple),
    since=st.integers(0, 2**63),
)


@given(ENTRIES)
def test_every_entry_comes_back(entry: Entry) -> None:
    assert codec.decode(codec.encode(entry)) == entry


@given(ENTRIES)
def test_a_head_says_which_body_it_lacks(entry: Entry) -> None:
    head, whole = codec.head(entry), codec.encode(entry)
    assert head + entry.body == whole
    assert codec.lacks(whole) is None
    assert codec.lacks(head) == ((entry.digest, len(entry.body)) if entry.body else None)
    if entry.body:
        with pytest.raises(ValueError):
            codec.decode(head)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    for each in (data, codec.MAGIC + data):
        with pytest.raises(ValueError):
            codec.decode(each)
        codec.lacks(each)


@given(ENTRIES, st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_refused_wherever_it_is(entry: Entry, at: int, flip: int) -> None:
    data = bytearray(codec.encode(entry))
    data[at % len(data)] ^= flip
    with pytest.raises(ValueError):
        codec.decode(bytes(data))


def test_a_cut_entry_is_refused_at_every_offset() -> None:
    data = codec.encode(ENTRY)
    for end in range(len(data)):
        with pytest.raises(ValueError):
            codec.decode(data[:end])


def test_an_entry_of_the_format_before_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        codec.decode(b"PTC\x01" + codec.encode(ENTRY)[4:])


# The head behind its seal: status, since, four times, digest and length of the body, texts, tags, bytes of each.
HEAD = struct.Struct(">HQ4d16sQHHII")
NOTHING = (0, 0, 0.0, 0.0, 0.0, 0.0, codec.digest(BODY), len(BODY), 0, 0, 0, 0)
PLACES = (
    "status",
    "since",
    "stored",
    "fresh",
    "revalidate",
    "error",
    "digest",
    "length",
    "texts",
    "tags",
    "said",
    "tagged",
)


def forged(rest: bytes = b"", body: bytes = BODY, **said: object) -> bytes:
    """Sealed as an entry is, whatever it says."""
    row = dict(zip(PLACES, NOTHING, strict=True)) | said
    sealed = HEAD.pack(*row.values()) + rest
    return codec.MAGIC + codec.digest(sealed) + sealed + body


def texts(*words: bytes) -> bytes:
    return struct.pack(f">{len(words)}I", *map(len, words)) + b"".join(words)


FIELD = texts(b"a", b"1")


def test_the_forgery_differs_only_in_what_a_row_says() -> None:
    assert codec.decode(forged()).body == BODY
    assert codec.decode(forged(FIELD, texts=2, said=len(FIELD))).headers == ((b"a", b"1"),)
    assert codec.decode(forged(FIELD, tags=2, tagged=len(FIELD))).tags == ("a", "1")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(forged(status=1000), id="a status of four digits"),
        pytest.param(forged(fresh=math.inf), id="a time without end"),
        pytest.param(forged(error=math.nan), id="a time that is no number"),
        pytest.param(forged(stored=-math.inf, fresh=math.inf), id="times that cancel out"),
        pytest.param(forged(length=len(BODY) - 1), id="a body longer than said"),
        pytest.param(forged(length=len(BODY) + 1), id="a body shorter than said"),
        pytest.param(forged(digest=codec.digest(b"other")), id="another body's digest"),
        pytest.param(forged(FIELD, texts=1, said=len(FIELD)), id="a field without a value"),
        pytest.param(forged(FIELD, texts=3, said=len(FIELD)), id="fewer texts than said"),
        pytest.param(forged(FIELD, texts=65_535, said=len(FIELD)), id="far fewer texts than said"),
        pytest.param(forged(texts(b"a", b"1") + b"x", texts=2, said=len(FIELD) + 1), id="more bytes than texts"),
        pytest.param(forged(texts=2), id="texts of no bytes"),
        pytest.param(forged(FIELD, said=len(FIELD)), id="bytes of no text"),
        pytest.param(forged(texts(b"", b"1"), texts=2, said=9), id="a field without a name"),
        pytest.param(forged(texts(b"A", b"1"), texts=2, said=10), id="a name in capitals"),
        pytest.param(forged(texts(b"a b", b"1"), texts=2, said=12), id="a name of two words"),
        pytest.param(forged(texts(b"a", b"1\r\nset-cookie: s=1"), texts=2, said=28), id="a field that would split"),
        pytest.param(forged(texts(b"a", b"\0"), texts=2, said=10), id="a value with a NUL"),
        pytest.param(forged(texts(b"\xff"), tags=1, tagged=5), id="a tag that is no text"),
        pytest.param(forged(FIELD, said=2**32 - 1, texts=2), id="more fields than there are bytes"),
    ],
)
def test_a_forgery_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        codec.decode(data)


def test_a_field_that_would_split_the_answer_is_refused() -> None:
    """Whoever can write to the store cannot make us send fields of their own."""
    evil = dataclasses.replace(ENTRY, headers=((b"x", b"1\r\nset-cookie: s=1"),))
    with pytest.raises(ValueError):
        codec.decode(codec.encode(evil))


def test_fields_that_are_long_are_read_each_time() -> None:
    long = dataclasses.replace(ENTRY, headers=((b"content-security-policy", b"x" * 5000),))
    first, second = (codec.decode(codec.encode(long)) for _ in range(2))
    assert first == second == long
    assert first.headers is not second.headers


def test_equal_fields_are_kept_once() -> None:
    other = dataclasses.replace(ENTRY, body=b"other", digest=codec.digest(b"other"))
    assert codec.decode(codec.encode(ENTRY)).headers is codec.decode(codec.encode(other)).headers
