"""A style sheet as its rules: where each begins and ends, by the tokens and blocks of CSS Syntax, section 5.

Nothing is judged here: what is in a rule stays text. A sheet that its author left open is closed first, so that its
rules can stand inside another's braces.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import fragments.patterns as patterns
from fragments.css import decoded

_SPACE = r"[ \t\n\r\f]"
_LETTER = r"\-0-9A-Za-z_\x80-\U0010ffff"
_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\n\r\f])?+|[^\n\r\f0-9a-fA-F])"
_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+"
_PLAIN = r"(?:[^{}()\[\]\"'\\/]++|/(?!\*))"  # what needs no look
_DECLARED = r"(?:[^{}()\[\]\"'\\/@]++|/(?!\*))"
_QUOTED = r"\"[^\"\\\n\r\f]*+\"|'[^'\\\n\r\f]*+'"

_TOKEN = patterns.compile(
    rf"(?P<comment>{_COMMENT}(?:\*/)?)"
    r"|(?P<string>\"(?:[^\"\\\n\r\f]|\\(?:\r\n|[\s\S]))*+(?:\"|(?=[\n\r\f])|\\?\Z)"
    r"|'(?:[^'\\\n\r\f]|\\(?:\r\n|[\s\S]))*+(?:'|(?=[\n\r\f])|\\?\Z))"
    rf"|(?<![{_LETTER}#@\\])(?P<url>[uU][rR][lL](?=\())"
    rf"|(?<![{_LETTER}])(?P<escaped>[{_LETTER}]*+(?:{_ESCAPE}[{_LETTER}]*+)++)"
    rf"|(?P<block>\{{(?:{_DECLARED}|\({_SPACE}*+(?:{_QUOTED})?+{_PLAIN}*+\))*+\}})"
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<semicolon>;)|(?P<last>\\\Z)"
)
_ADDRESS = patterns.compile(
    rf"\({_SPACE}*+(?!['\"])(?:[^)\\ \t\n\r\f'\"]|\\[\s\S])(?:[^)\\]|\\[\s\S])*+(?:(\))|(\\?)\Z)"
)
_GAP = patterns.compile(rf"(?:{_SPACE}++|{_COMMENT}\*/|<!--|-->)*+")
_AT = patterns.compile(rf"@((?:[{_LETTER}]|{_ESCAPE})++)")
_CLOSES = {"(": ")", "{": "}", "[": "]"}


@dataclass(slots=True)
class Rule:
    """One rule by its offsets in a sheet. `rules` are those in its block."""

    sheet: str
    start: int
    at: int  # where its block begins; where it ends, if it is a statement
    end: int = -1  # where its block ends
    rules: list[Rule] = field(default_factory=list)

    @property
    def is_statement(self) -> bool:
        return self.end < 0

    @property
    def keyword(self) -> str:
        """With which an at-rule begins, as it is written; "" for a rule with selectors."""
        if not self.sheet.startswith("@", self.start):
            return ""
        found = _AT.match(self.sheet, self.start, self.at)
        return found[0] if found else ""

    @property
    def name(self) -> str:
        return decoded(self.keyword[1:]).lower()

    @property
    def prelude(self) -> str:
        """With the white space at its end, which may be escaped."""
        return self.sheet[self.start + len(self.keyword) : self.at]

    @property
    def text(self) -> str:
        return f"{self.sheet[self.start : self.at]};" if self.is_statement else self.sheet[self.start : self.end + 1]

    def around(self, body: str) -> str:
        """The rule with another block."""
        return f"{self.sheet[self.start : self.at]}{{{body}}}"

    def after(self, prelude: str) -> str:
        """The rule with another prelude."""
        return f"{self.keyword}{prelude}{';' if self.is_statement else self.sheet[self.at : self.end + 1]}"


# What is a letter in a name for browsers of today and none by the standard's newer text (4.2), before what would be the
# address of one of them and a function of the other; and the same spelled with escapes.
_DOUBTFUL = patterns.compile(
    r"[\x80-\xb6\xb8-\xbf\xd7\xf7\u037e\u2000-\u200b\u200e-\u203e\u2041-\u206f\u2190-\u2bff\u2ff0-\u3000\ud800-\udfff"
    r"\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff]"
    rf"(?=(?:[uU]|\\0{{0,4}}+[57]5{_SPACE}?)(?:[rR]|\\0{{0,4}}+[57]2{_SPACE}?)(?:[lL]|\\0{{0,4}}+[46][cC]{_SPACE}?)\()"
)


def rules(text: str) -> list[Rule]:
    """The rules of a sheet. What a browser leaves out for its braces is left out."""
    text = _DOUBTFUL.sub("\ufffd", text.replace("\0", "\ufffd"))
    reader = _Reader(text)
    closed = reader.read()
    if closed != text:
        reader = _Reader(closed)
        reader.read()
    return reader.open[0].rules


@dataclass(slots=True)
class _Open:
    """A bracket that is open, or the sheet itself, and where the next rule in it begins."""

    closes: str
    begun: int
    rule: Rule | None = None
    rules: list[Rule] = field(default_factory=list)
    spoiled: bool = False  # what has begun has something in it that a browser leaves it out for


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.open = [_Open("", 0)]

    def read(self) -> str:
        """Finds the rules; answers the text with all closed that is open at its end."""
        at = 0
        closing = ""
        while found := _TOKEN.search(self.text, at):
            at = found.end()
            match found.lastgroup:
                case "block":
                    self.opened("{", found.start())
                    self.closed("}", at - 1)
                case "open":
                    self.opened(found[0], found.start())
                case "close":
                    self.closed(found[0], found.start())
                case "semicolon":
                    self.ended(found.start())
                case "url":
                    at, closing = _through_address(self.text, at)
                case "escaped" if decoded(found[0]).lower() == "url":
                    at, closing = _through_address(self.text, at)
                case "string" if at == len(self.text):
                    closing = _closing(found[0])
                case "comment" if not found[0].endswith("*/") or len(found[0]) < 4:
                    self.text = self.text[: found.start()]
                case "last":
                    self.text = self.text[:-1]
                case _:
                    pass
        if closing.startswith("\\"):
            self.text, closing = self.text[:-1], closing[1:]
        if len(self.open) == 1:
            self.ended(len(self.text))
        return self.text + closing + "".join(each.closes for each in reversed(self.open))

    def opened(self, bracket: str, at: int) -> None:
        around = self.open[-1]
        rule = None
        if bracket == "{" and around.closes in ("", "}"):
            rule = Rule(self.text, _after_gap(self.text, around.begun), at)
        self.open.append(_Open(_CLOSES[bracket], at + 1, rule))

    def closed(self, bracket: str, at: int) -> None:
        inside = self.open[-1]
        if inside.closes != bracket:
            inside.spoiled = inside.spoiled or (bracket == "}" and not inside.closes)
            return
        if bracket == "}" and self.text.startswith("@", _after_gap(self.text, inside.begun)):
            self.ended(at)  # a statement needs no semicolon there
        self.open.pop()
        if inside.rule is not None:
            inside.rule.end = at
            inside.rule.rules = inside.rules
            self.begin_anew(inside.rule, at)

    def ended(self, at: int) -> None:
        """By a semicolon: a statement, a declaration; or, where only rules stand, nothing that is one."""
        around = self.open[-1]
        if around.closes not in ("", "}"):
            return
        start = _after_gap(self.text, around.begun)
        if self.text.startswith("@", start):
            self.begin_anew(Rule(self.text, start, at), at)
        elif around.closes:
            around.begun, around.spoiled = at + 1, False
        else:
            around.spoiled = True

    def begin_anew(self, rule: Rule, at: int) -> None:
        around = self.open[-1]
        if not around.spoiled:
            around.rules.append(rule)
        around.begun, around.spoiled = at + 1, False


def _after_gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


def _through_address(text: str, at: int) -> tuple[int, str]:
    """After a `url(` that is no function but an address, whatever is in it (4.3.6), and what closes it."""
    found = _ADDRESS.match(text, at)
    if found is None:
        return at, ""
    return found.end(), "" if found[1] else f"{found[2]})"


def _closing(string: str) -> str:
    """What closes a string that the text ends in; a backslash at its end goes."""
    if _ends_in_escape(string):
        return "\\" + string[0]
    is_closed = len(string) > 1 and string.endswith(string[0]) and not _ends_in_escape(string[:-1])
    return "" if is_closed else string[0]


def _ends_in_escape(string: str) -> bool:
    return (len(string) - len(string.rstrip("\\"))) % 2 == 1
