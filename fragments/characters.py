"""What the bytes of a document say: which charset they are in (HTML 13.2.3, Encoding Standard 4.2)."""

from __future__ import annotations

import re

_CODECS = {  # Encoding Standard, 4.2: a label and the codec that reads it; names Python reads alike are left out
    "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "iso88591": "cp1252",
    "x-cp1252": "cp1252",
    "x-cp1251": "cp1251",
    "x-cp1250": "cp1250",
    "iso-8859-9": "cp1254",
    "iso_8859-9": "cp1254",
    "latin5": "cp1254",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "cp866": "cp866",
    "ibm866": "cp866",
    "koi8-r": "koi8-r",
    "koi8": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "mac": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "euc-jp": "euc-jp",
    "iso-2022-jp": "iso-2022-jp",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "windows-949": "cp949",
    "utf-8": "utf-8",
    "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso-8859-{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PRESCAN = 1024  # HTML 13.2.3.2 stops there
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META_CHARSET = re.compile(
    rb"<meta[\t\n\f\r /][^>]*?charset[\t\n\f\r ]*=[\t\n\f\r ]*[\"']?[\t\n\f\r ]*([^\t\n\f\r \"'/>;]+)", re.I
)


def decode(body: bytes, charset: str | None) -> str:
    """What the bytes say: the byte order mark first (it wins, HTML 13.2.3.2), the header, `<meta>`, else utf-8."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body.decode(codec, "replace").lstrip("\ufeff")
    codec = _CODECS.get((charset or "").strip("\t\n\f\r \"'").lower()) or _declared(body) or "utf-8"
    return body.decode(codec, "replace").lstrip("\ufeff")


def _declared(body: bytes) -> str | None:
    found = _META_CHARSET.search(_COMMENT.sub(b"", body[:_PRESCAN]))
    codec = _CODECS.get(found[1].decode("latin-1").lower()) if found else None
    return "utf-8" if codec and codec.startswith("utf-16") else codec
