"""The tags that slots, heads and budgets are about; all others are stepped over in one go.

Spelled narrowly: whatever looks odd is left to the scanner, which knows all the rules. What is stepped over is text,
tags of HTML with plain attributes, and small drawings as a whole.
"""

from __future__ import annotations

import fragments.patterns as patterns
from fragments.scan import Kind, Scanner, Token

TOLD = frozenset(  # the names whose tags are always told
    b"mf-slot template html head body title meta link noscript form table frameset svg math "
    b"textarea style script xmp iframe noembed noframes plaintext".split()
)
IN_HEAD = frozenset(b"html head title meta link style script noscript template base basefont bgsound".split())
HOLDING = frozenset(b"title style script noscript template".split())  # of these, what is inside is not the head's
DRAWN = 100  # shapes and texts of a small drawing, at most


def _either_case(name: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in name)


def _spelled(names: list[str]) -> str:
    """Any of these names, by their first letters, so that most others fail at once."""
    first = sorted({name[0] for name in names})
    rests = {letter: [name[1:] for name in names if name[0] == letter] for letter in first}
    return "|".join(f"{_either_case(letter)}(?:{'|'.join(map(_either_case, rests[letter]))})" for letter in first)


_SPACE, _NAME = r"[\t\n\f\r ]", r"[^\t\n\f\r />\"'=<]"
_VALUE = r"=(?:\"[^\"<]*+\"|'[^'<]*+'|[^\t\n\f\r \"'=<>`]++)"
_ATTRIBUTES = rf"(?:{_SPACE}++{_NAME}++(?:{_VALUE})?+)*+{_SPACE}*+"
_NOT_TOLD = rf"(?!(?:{_spelled([name.decode() for name in sorted(TOLD)])})[\t\n\f\r />])"
_SHAPES = "path g rect circle line polyline polygon ellipse defs lineargradient radialgradient stop use symbol"
_SHAPE = rf"(?:{_spelled(_SHAPES.split())}){_ATTRIBUTES}"
_TITLE = r"<[tT][iI][tT][lL][eE]>[^<]*+</[tT][iI][tT][lL][eE]>"
_DRAWING = rf"[sS][vV][gG]{_ATTRIBUTES}>(?>(?:[^<]++|</?{_SHAPE}/?>|{_TITLE}){{0,{DRAWN}}})</[sS][vV][gG]>"
_START = rf"[A-Za-z]{_NAME}*+{_ATTRIBUTES}/?>"
_PLAIN = rf"(?:[^<]++|</{_NOT_TOLD}[A-Za-z]{_NAME}*+>|<{_NOT_TOLD}{_START}|<{_DRAWING}|<(?=[^A-Za-z/!?]))*+"

PLAIN = patterns.compile(_PLAIN.encode())  # a run of what is stepped over
START = patterns.compile(f"<{_START}".encode())  # one start tag with nothing but plain attributes
DRAWING = patterns.compile(f"<{_DRAWING}".encode())


def skim(source: bytes, *, head: bool = False) -> tuple[list[Token], bool]:
    """The tags told, in order, with all comments and whatever is odd; and whether the source ends within something.
    With `head`, nothing is stepped over up to the first tag that ends a head."""
    scanner = Scanner(limit=None, over=None if head else PLAIN)
    found: list[Token] = []
    inside, depth = b"", 0
    for token in scanner.close(source):
        found.append(token)
        if scanner.over is not None:
            continue
        if inside:
            if token.name == inside:
                depth += 1 if token.kind is Kind.START else -1
            inside = inside if depth else b""
        elif token.kind is Kind.START:
            if token.name in HOLDING or (token.name == b"mf-slot" and not token.closed):
                inside, depth = token.name, 1
            elif token.name not in IN_HEAD and token.name != b"mf-slot":
                scanner.over = PLAIN
    return found, scanner.inside
