"""Possessive groups mean the same on every Python."""

import re

import pytest

import fragments.patterns as patterns


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        pytest.param(r"(?:ab|a)*+c", r"(?>(?:ab|a)*)c", id="a group"),
        pytest.param(r"(a|b)++", r"(?>(a|b)+)", id="a capturing group"),
        pytest.param(r"(?:a)?+b", r"(?>(?:a)?)b", id="at most once"),
        pytest.param(r"(?:a(?:b|c)*+d)++", r"(?>(?:a(?>(?:b|c)*)d)+)", id="one in another"),
        pytest.param(r"[^)]*+\)", r"[^)]*+\)", id="a class stays"),
        pytest.param(r"(?:[]()]|[^]\]()])*+", r"(?>(?:[]()]|[^]\]()])*)", id="brackets inside classes"),
        pytest.param(r"\(*+(?:x)+", r"\(*+(?:x)+", id="escapes are not groups"),
        pytest.param(r"(?:a)*", r"(?:a)*", id="greedy stays greedy"),
        pytest.param(r"(?:a)+?", r"(?:a)+?", id="lazy stays lazy"),
    ],
)
def test_spelling(written: str, spelled: str) -> None:
    assert patterns.atomic(written) == spelled


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        pytest.param(r"(?:\\[0-9a-f]{1,6}+(?:\r\n|[ \n])?+|[a-z])++", r"\75\4c ", r"\75\4c ", id="escapes in a row"),
        pytest.param(r"(?:ab|a)*+b", "aab", None, id="never back"),
        pytest.param(r"<(?:[^>\"]|\"[^\"]*+\")*+>", '<a b=">">', '<a b=">">', id="a quoted end"),
    ],
)
def test_what_is_matched(pattern: str, text: str, matched: str | None) -> None:
    for compiled in (patterns.compile(pattern), patterns.compile(pattern.encode())):
        found = compiled.match(text if isinstance(compiled.pattern, str) else text.encode())  # type: ignore[arg-type]
        got = found[0] if found else None
        assert (got.decode() if isinstance(got, bytes) else got) == matched


def test_flags_are_kept() -> None:
    assert patterns.compile(r"(?:A)++", re.IGNORECASE).match("aA")
