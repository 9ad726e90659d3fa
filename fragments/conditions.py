"""The tests of `esi:when` and of SSI's `if`: read once, asked for every request. No regular expressions, no calls.

What cannot be read is never true.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import fragments.patterns as patterns
from fragments.values import Lookup, Template, said

Test = Callable[[Lookup], bool]
LONGEST = 4 * 1024  # characters of one test
DEPTH = 32  # parentheses and negations in one another
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")


class Operand(NamedTuple):
    template: Template
    quoted: bool = False


class Unreadable(Exception):
    """A test that says nothing we know."""


def never(_: Lookup) -> bool:
    return False


def compile(text: str, reader: Callable[[str], Template]) -> Test | None:
    """None for what cannot be read. `reader` takes a text with variables apart."""
    if len(text) > LONGEST:
        return None
    try:
        parsing = _Parsing(_lexemes(text, reader))
        test = parsing.either(0)
        return test if parsing.ended else None
    except Unreadable:
        return None


_LEXEME = patterns.compile(
    r"[\t\n\f\r ]*+(?:(\|\||&&|==|!=|<=|>=|[=<>!&|()])|'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\"|"
    r"((?:\$\([^()]*+\)|\$\{[^{}]*+\}|[^\t\n\f\r '\"=<>!&|()])++))"
)


def _lexemes(text: str, reader: Callable[[str], Template]) -> list[str | Operand]:
    found: list[str | Operand] = []
    at, text = 0, text.strip()
    while at < len(text):
        lexeme = _LEXEME.match(text, at)
        if lexeme is None:
            raise Unreadable
        at = lexeme.end()
        mark, single, double, word = lexeme.groups()
        if mark is not None:
            found.append(_SPELLED.get(mark, mark))
        elif word is not None:
            found.append(Operand(reader(word)))
        else:
            found.append(Operand(reader(re.sub(r"\\(.)", r"\1", single if single is not None else double)), True))
    return found


_SPELLED = {"||": "|", "&&": "&", "=": "=="}
_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
}


class _Parsing:
    """Recursive descent: `|` binds least, then `&`, then `!`, then comparisons (ESI 1.0, section 4)."""

    def __init__(self, lexemes: list[str | Operand]) -> None:
        self._lexemes = lexemes
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._lexemes)

    def _next(self) -> str | Operand | None:
        return None if self.ended else self._lexemes[self._at]

    def _taken(self, mark: str) -> bool:
        taken = self._next() == mark
        self._at += taken
        return taken

    def either(self, depth: int) -> Test:
        tests = [self._both(depth)]
        while self._taken("|"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda lookup: any(test(lookup) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._taken("&"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda lookup: all(test(lookup) for test in tests)

    def _one(self, depth: int) -> Test:
        if depth > DEPTH:
            raise Unreadable
        if self._taken("!"):
            test = self._one(depth + 1)
            return lambda lookup: not test(lookup)
        if self._taken("("):
            inner = self.either(depth + 1)
            if not self._taken(")"):
                raise Unreadable
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        left = self._operand()
        sign = self._next()
        if not isinstance(sign, str) or sign not in _COMPARISONS:
            return lambda lookup: said(left.template, lookup) not in ("", "false")
        self._at += 1
        holds, right = _COMPARISONS[sign], self._operand()
        return lambda lookup: _compared(said(left.template, lookup), said(right.template, lookup), left, right, holds)

    def _operand(self) -> Operand:
        """Words in a row are one text: SSI writes `$page = two words`."""
        operand = self._next()
        if not isinstance(operand, Operand):
            raise Unreadable
        self._at += 1
        template = operand.template
        while not operand.quoted and isinstance(following := self._next(), Operand) and not following.quoted:
            self._at += 1
            template += (" ", *following.template)
        if not operand.quoted and _is_expression(template):
            raise Unreadable  # as a text it would be unequal to nearly all, and `!=` hold
        return Operand(template, operand.quoted)


def _is_expression(template: Template) -> bool:
    """A regular expression, as nginx and Apache write them: `/a.*/`."""
    first, last = template[0], template[-1]
    if not isinstance(first, str) or not isinstance(last, str):
        return False
    return first.startswith("/") and last.endswith("/") and template != ("/",)


def _compared(left: str, right: str, one: Operand, other: Operand, holds: Callable[[int], bool]) -> bool:
    """Numbers as numbers, all else as text. A variable that says nothing compares to nothing (ESI 1.0, section 4)."""
    if (not left and not one.quoted) or (not right and not other.quoted):
        return False
    if _NUMBER.fullmatch(left) and _NUMBER.fullmatch(right):
        return holds((float(left) > float(right)) - (float(left) < float(right)))
    return holds((left > right) - (left < right))
