"""A composed page is kept no longer than any part of it, and shared only if every part is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.algebra as algebra
from gateway.message import Fields

UTF_8 = (b"content-type", b"text/html; charset=utf-8")


def test_what_spoke_of_the_shells_own_bytes_is_gone() -> None:
    gone = [b"content-length", b"content-encoding", b"etag", b"last-modified", b"accept-ranges", b"content-md5"]
    gone += [b"digest", b"content-digest", b"repr-digest", b"cache-control", b"expires", b"age"]
    said: Fields = [*((name, b"x") for name in gone), (b"x-own", b"y"), (b"set-cookie", b"s=1")]
    assert algebra.shell(said) == [(b"x-own", b"y"), (b"set-cookie", b"s=1"), UTF_8]


@pytest.mark.parametrize("kind", [b"text/html", b"text/html; charset=windows-1251", b"application/xhtml+xml"])
def test_a_page_that_was_put_together_is_utf_8(kind: bytes) -> None:
    assert algebra.shell([(b"content-type", kind)]) == [UTF_8]


@pytest.mark.parametrize(
    ("parts", "remaining", "left"),
    [
        pytest.param([b"public, max-age=60", b"max-age=30"], 12.9, b"public, max-age=12", id="the shortest time left"),
        pytest.param([b"max-age=60", b"private, max-age=60"], 60, b"private, max-age=60", id="private wins"),
        pytest.param([b"max-age=60", b"no-store"], 60, b"no-store", id="no-store wins"),
        pytest.param([b"private", b"no-store"], 60, b"no-store", id="over private too"),
        pytest.param([b"max-age=60", b"no-cache"], 60, b"private, no-cache", id="no-cache wins over a time"),
        pytest.param([b"max-age=60"], 0.9, b"private, no-cache", id="less than a second is nothing"),
        pytest.param([b"max-age=60"], -5, b"private, no-cache", id="stale parts"),
        pytest.param([b"max-age=60"], None, b"private, no-cache", id="a part of unknown freshness"),
        pytest.param([b'private="x"', b""], 60, b"private, max-age=60", id="private for some fields is private"),
        pytest.param([b"NO-STORE"], 60, b"no-store", id="in any case"),
    ],
)
def test_cache_control(parts: list[bytes], remaining: float | None, left: bytes) -> None:
    assert algebra.cache_control(parts, remaining) == left


WORDS = st.sampled_from([b"no-store", b"private", b"no-cache", b"public", b"max-age=60", b"s-maxage=9"])


@given(st.lists(st.lists(WORDS, max_size=3).map(b", ".join), max_size=4), st.floats(-10, 100))
def test_no_part_is_kept_longer_or_shown_to_more_than_it_may(parts: list[bytes], remaining: float) -> None:
    left = algebra.cache_control(parts, remaining)
    together = b", ".join(parts)
    if b"no-store" in together:
        assert left == b"no-store"
    if b"private" in together or b"no-cache" in together:
        assert b"public" not in left
    if b"max-age=" in left:
        assert int(left.partition(b"max-age=")[2]) <= remaining
