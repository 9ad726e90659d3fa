"""A text on its way: whatever its charset and however it is cut, what comes out is the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.stream import HELD, Held, Lines, Text, is_read, whole, wide


class Upper(Text):
    """Changes letters of ASCII and holds the last byte back, so that characters get cut."""

    def __init__(self) -> None:
        super().__init__()
        self._last = b""

    def _feed(self, chunk: bytes) -> bytes:
        text = self._last + chunk
        self._last = text[-1:]
        return text[:-1].upper()

    def _close(self) -> bytes:
        return self._last.upper()


def streamed(text: Text, source: bytes, step: int) -> bytes:
    return b"".join(text.feed(source[at : at + step]) for at in range(0, len(source), step)) + text.close()


@pytest.mark.parametrize(
    "parameters, read, charset",
    [
        pytest.param("", True, None, id="nothing said"),
        pytest.param("charset=utf-8", True, None, id="utf-8"),
        pytest.param('charset="windows-1251"', True, None, id="another that agrees with ASCII"),
        pytest.param(" Charset = UTF-16LE", True, "utf-16-le", id="utf-16le"),
        pytest.param("charset=utf-16be", True, "utf-16-be", id="utf-16be"),
        pytest.param("charset='utf-16'", True, "utf-16-le", id="utf-16 is little-endian (Encoding, 4.2)"),
        pytest.param("charset=ucs-2", True, "utf-16-le", id="by another name"),
        pytest.param("charset=utf-32", False, None, id="utf-32"),
        pytest.param("charset=utf-7", False, None, id="utf-7"),
        pytest.param("charset=iso-2022-kr", False, None, id="iso-2022"),
        pytest.param("charset=hz-gb-2312", False, None, id="hz"),
    ],
)
def test_charset(parameters: str, read: bool, charset: str | None) -> None:
    assert is_read(parameters) is read
    assert wide(parameters) == charset


@pytest.mark.parametrize(
    "said, source, expected",
    [
        pytest.param(None, b"a\xe9", b"A\xe9", id="any bytes"),
        pytest.param(None, b"\xef\xbb\xbfa", b"\xef\xbb\xbfA", id="with a mark"),
        pytest.param(None, "\ufeffaé".encode("utf-16-le"), "\ufeffAé".encode("utf-16-le"), id="utf-16 by its mark"),
        pytest.param(None, "\ufeffa".encode("utf-16-be"), "\ufeffA".encode("utf-16-be"), id="the other way round"),
        pytest.param("utf-16-be", "a".encode("utf-16-be"), "A".encode("utf-16-be"), id="utf-16 as said"),
        pytest.param("utf-16-le", b"\xef\xbb\xbfa", b"\xef\xbb\xbfA", id="a mark says more than what was said"),
        pytest.param("utf-16-le", b"a\0b", b"A\0b", id="an odd byte at the end stays"),
        pytest.param("utf-16-le", b"\0\xd8a\0\0\xdc\0\xd8", b"\0\xd8A\0\0\xdc\0\xd8", id="halves of characters stay"),
        pytest.param("utf-16-le", b"\0\xd8a", b"\0\xd8a", id="half a character and an odd byte"),
        pytest.param(None, b"a", b"A", id="one byte"),
        pytest.param("utf-16-le", b"a\0", b"A\0", id="one character"),
        pytest.param(None, b"", b"", id="nothing"),
    ],
)
def test_text(said: str | None, source: bytes, expected: bytes) -> None:
    for step in (1 << 20, 1, 2, 3, 5):
        text = Upper()
        text.wide = said
        assert streamed(text, source, step) == expected


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40), st.integers(1, 9), st.sampled_from([None, "utf-16-le", "utf-16-be"]))
def test_how_it_is_cut_does_not_show(source: bytes, step: int, said: str | None) -> None:
    at_once, cut = Upper(), Upper()
    at_once.wide = cut.wide = said
    expected = whole(at_once, source)
    assert streamed(cut, source, step) == expected
    assert len(expected) == len(source)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-16"), max_size=30), st.integers(1, 9))
def test_wide_text_is_changed_as_narrow_text_is(text: str, step: int) -> None:
    wide_one = Upper()
    wide_one.wide = "utf-16-le"
    if text.startswith("\ufeff") or text.encode("utf-16-le").startswith((b"\xef\xbb\xbf", b"\xfe\xff")):
        return
    assert streamed(wide_one, text.encode("utf-16-le"), step).decode("utf-16-le") == text.encode().upper().decode()


def test_held() -> None:
    assert streamed_held(b"abc", 5) == b"ABC"
    assert streamed_held(b"abcdef", 5) == b"abcdef", "longer than the limit"


def streamed_held(source: bytes, limit: int) -> bytes:
    held = Held(limit, bytes.upper)
    return b"".join(held.feed(source[at : at + 2]) for at in range(0, len(source), 2)) + held.close()


@pytest.mark.parametrize("step", [1, 2, 5, 1 << 20])
def test_lines(step: int) -> None:
    ended = Lines(lambda line: b"<" + line + b">")
    assert streamed(ended, b"a\nb\r\n\nc", step) == b"<a>\n<b>\r\n<>\n<c>"


@pytest.mark.parametrize("step", [1000, HELD, 1 << 20])
def test_a_line_too_long_to_hold_passes(step: int) -> None:
    long = b"x" * (2 * HELD)
    source = b"a\n" + long + b"\nb\n" + long
    assert streamed(Lines(bytes.upper), source, step) == b"A\n" + long + b"\nB\n" + long
