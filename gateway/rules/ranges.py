"""Byte ranges of a representation whose length is known (RFC 9110 section 14). One range; more are answered whole."""

import re

_SPEC = re.compile(rb"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*")


def asked(value: bytes | None, size: int) -> tuple[int, int] | None:
    """First and last byte position; None when the whole is to be sent. Raises ValueError when nothing can be (416)."""
    match = _SPEC.fullmatch(value or b"")
    if match is None or match[1] == match[2] == b"":
        return None
    if match[1] == b"":
        length = int(match[2])
        if length == 0 or size == 0:
            raise ValueError("an empty suffix")
        return max(0, size - length), size - 1
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if last < first and match[2]:
        return None
    if first >= size:
        raise ValueError("behind the end")
    return first, min(last, size - 1)
