"""One byte range of a known length; anything else is the whole, or cannot be satisfied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.ranges as ranges


@pytest.mark.parametrize(
    ("value", "size", "span"),
    [
        pytest.param(b"bytes=0-9", 100, (0, 9), id="the first ten"),
        pytest.param(b"bytes=90-", 100, (90, 99), id="from a position on"),
        pytest.param(b"bytes=-10", 100, (90, 99), id="the last ten"),
        pytest.param(b"bytes=-200", 100, (0, 99), id="more than there are from the end"),
        pytest.param(b"bytes=0-999", 100, (0, 99), id="beyond the end is the end"),
        pytest.param(b"bytes=99-99", 100, (99, 99), id="the last byte"),
        pytest.param(b" bytes = 1 - 2 ", 100, (1, 2), id="white space"),
        pytest.param(None, 100, None, id="no range"),
        pytest.param(b"bytes=-", 100, None, id="neither end"),
        pytest.param(b"bytes=5-4", 100, None, id="backwards"),
        pytest.param(b"bytes=0-1,5-6", 100, None, id="several: the whole"),
        pytest.param(b"items=0-1", 100, None, id="another unit"),
        pytest.param(b"bytes=a-b", 100, None, id="nonsense"),
    ],
)
def test_asked(value: bytes | None, size: int, span: tuple[int, int] | None) -> None:
    assert ranges.asked(value, size) == span


@pytest.mark.parametrize(
    ("value", "size"),
    [
        pytest.param(b"bytes=100-", 100, id="behind the end"),
        pytest.param(b"bytes=100-200", 100, id="wholly behind the end"),
        pytest.param(b"bytes=-0", 100, id="an empty suffix"),
        pytest.param(b"bytes=0-", 0, id="of nothing"),
        pytest.param(b"bytes=-5", 0, id="the end of nothing"),
    ],
)
def test_unsatisfiable(value: bytes, size: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ranges.asked(value, size)


@given(st.text("bytes=0123456789-, ", max_size=14).map(str.encode), st.integers(0, 200))
def test_a_span_lies_inside(value: bytes, size: int) -> None:
    try:
        span = ranges.asked(value, size)
    except ValueError:
        return
    assert span is None or 0 <= span[0] <= span[1] < size
