"""Regular expressions that never go back, on every Python: possessive groups, spelled as atomic ones.

Pythons before 3.11.5 match a possessive quantifier wrongly when what it repeats could itself go back
(python/cpython#106052), and Debian 12 has 3.11.2. An atomic group around a plain quantifier means the same.
"""

import re
from typing import AnyStr

_QUANTIFIERS = "*+?"


def compile(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, for patterns that are not verbose."""
    if isinstance(pattern, bytes):
        return re.compile(atomic(pattern.decode("latin-1")).encode("latin-1"), flags)
    return re.compile(atomic(pattern), flags)


def atomic(pattern: str) -> str:
    """`(…)*+` as `(?>(…)*)`. Single characters and classes stay possessive: those never went wrong."""
    out: list[str] = []
    opened: list[int] = []
    at = 0
    while at < len(pattern):
        piece = _piece(pattern, at)
        at += len(piece)
        if piece == "(":
            opened.append(len(out))
        elif piece == ")":
            start = opened.pop()
            quantifier = pattern[at : at + 2]
            if len(quantifier) == 2 and quantifier[0] in _QUANTIFIERS and quantifier[1] == "+":
                out[start] = "(?>" + out[start]
                piece = ")" + quantifier[0] + ")"
                at += 2
        out.append(piece)
    return "".join(out)


def _piece(pattern: str, at: int) -> str:
    """An escape, a class, or one character."""
    if pattern[at] == "\\":
        return pattern[at : at + 2]
    if pattern[at] != "[":
        return pattern[at]
    end = at + 1
    if pattern[end] == "^":
        end += 1
    if pattern[end] == "]":
        end += 1
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return pattern[at : end + 1]
