"""Which charset a document is in: its mark, its header, its own word, and what these names mean."""

from __future__ import annotations

import pytest

from fragments.characters import decode

RUSSIAN = "Привет"
DECODED = [
    pytest.param(RUSSIAN.encode(), None, RUSSIAN, id="utf-8 unless said"),
    pytest.param(RUSSIAN.encode("cp1251"), "windows-1251", RUSSIAN, id="the header's charset"),
    pytest.param(RUSSIAN.encode("koi8-r"), ' "KOI8-R" ', RUSSIAN, id="in quotes and any case"),
    pytest.param(b"\xef\xbb\xbf" + RUSSIAN.encode(), "windows-1251", RUSSIAN, id="a mark wins over the header"),
    pytest.param(RUSSIAN.encode("utf-16"), None, RUSSIAN, id="the mark of utf-16"),
    pytest.param(b"\xfe\xff" + RUSSIAN.encode("utf-16-be"), None, RUSSIAN, id="and of the other"),
    pytest.param(b"<meta charset=koi8-r>" + b"\xf0", None, "<meta charset=koi8-r>П", id="meta charset"),
    pytest.param(
        b"<meta http-equiv=content-type content='text/html; charset=windows-1251'>\xcf",
        None,
        "<meta http-equiv=content-type content='text/html; charset=windows-1251'>П",
        id="meta http-equiv",
    ),
    pytest.param(b"<!--<meta charset=koi8-r>-->\xd0\x9f", None, "<!--<meta charset=koi8-r>-->П", id="not in a comment"),
    pytest.param(
        b" " * 1024 + b"<meta charset=koi8-r>\xd0\x9f", None, " " * 1024 + "<meta charset=koi8-r>П", id="late"
    ),
    pytest.param(b"<meta charset=utf-16>x", None, "<meta charset=utf-16>x", id="meta cannot mean utf-16"),
    pytest.param(b"\x93x\x94", "iso-8859-1", "\u201cx\u201d", id="latin1 means windows-1252"),
    pytest.param(b"x", "base64", "x", id="an unknown charset is none"),
    pytest.param(b"\xff", "utf-8", "\ufffd", id="what cannot be read is replaced"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfx", None, "x", id="no mark reaches the tree"),
]


@pytest.mark.parametrize(("body", "charset", "text"), DECODED)
def test_decode(body: bytes, charset: str | None, text: str) -> None:
    assert decode(body, charset) == text
