"""ESI 1.0 and SSI, read into a tree of directives: once for a text, before anything of a request is in it.

Both are read as their servers do, without regard to HTML around. Nothing in them is an error: what is unknown or does
not fit goes, and its content stays. https://www.w3.org/TR/esi-lang
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import fragments.conditions as conditions
import fragments.patterns as patterns
from fragments.conditions import Test, never
from fragments.scan import unescape
from fragments.values import Template, Variable, read

DEPTH = 32  # directives in one another; ATS stops at 3 documents, which is another thing
MOST = 20_000  # directives and comments of one text, read in 50 ms; what follows is text


@dataclass(frozen=True, slots=True)
class Text:
    text: bytes
    at: int = field(default=0, compare=False)  # where in the source it begins; so in all nodes


@dataclass(frozen=True, slots=True)
class Say:
    """A value, in the text; as one of a URL where it is `encoded`."""

    variable: Variable
    encoded: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Put:
    """SSI's `set`."""

    name: str
    value: Template
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Keep:
    """What is shown for an include that fails and names it as its stub; without a name, for all that name none."""

    name: str | None
    nodes: Nodes
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An include. `continues`: nothing is shown if it fails, but what its `stub` names."""

    written: bytes
    source: Template
    alternative: Template | None
    continues: bool
    stub: str | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """The first branch whose test holds; None always does. `tests` are those tests as written."""

    branches: tuple[tuple[Test | None, Nodes], ...]
    tests: tuple[str, ...] = field(default=(), compare=False)
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is shown unless an include in it fails, and what then."""

    number: int
    attempt: Nodes
    otherwise: Nodes
    at: int = field(default=0, compare=False)


Node: TypeAlias = "Text | Say | Put | Keep | Call | Choice | Attempt"
Nodes: TypeAlias = "tuple[Node, ...]"


class Tree(NamedTuple):
    nodes: Nodes
    said: tuple[tuple[str, int], ...]  # what a team should know: a code, and where in the text
    unwraps: bool  # markup came out of `<!--esi … -->`


Foreign = Callable[[bytes], bool]

# no directive stands in another's value: so each is looked at up to the next one only
_LESS = rb"<(?!/?esi:|!)"
_LEXEMES = {
    "esi": rb"<(?P<end>/?)esi:(?P<esi>[a-z]{1,32})(?P<given>(?=[\t\n\f\r />])(?:%(ws)s++|"
    rb"[^\t\n\f\r />=\"'<]++(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+"
    rb"(?:\"(?:[^\"<]|%(less)s)*+\"|'(?:[^'<]|%(less)s)*+'|[^\t\n\f\r >\"'<]++))?+)*+)>|"
    rb"(?P<opaque><!\[CDATA\[)|(?P<wrapped><!--esi(?=[\t\n\f\r <]))|(?P<unwrapped>-->)"
    % {b"ws": rb"[\t\n\f\r /]", b"less": _LESS},
    "ssi": rb"<!--#[\t\n\f\r ]*+(?P<ssi>[a-z]{1,32})(?P<told>(?:[\t\n\f\r ]++[a-z]{1,32}[\t\n\f\r ]*+=[\t\n\f\r ]*+"
    rb"(?:\"(?:[^\"\\<]|\\[^<]|%(less)s)*+\"|'(?:[^'\\<]|\\[^<]|%(less)s)*+'|[^\t\n\f\r \"'<>]++))*+)[\t\n\f\r ]*+-->"
    % {b"less": _LESS},
}
_LEXER: dict[tuple[str, ...], re.Pattern[bytes]] = {
    spoken: patterns.compile(b"|".join(_LEXEMES[each] for each in spoken), re.DOTALL)
    for spoken in (("esi",), ("ssi",), ("esi", "ssi"))
}
_GIVEN = patterns.compile(
    rb"([a-z_-]{1,32})[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"((?:[^\"\\]|\\.)*+)\"|'((?:[^'\\]|\\.)*+)'|([^\t\n\f\r \"'>]++))",
    re.DOTALL,
)
_ESI_GIVEN = patterns.compile(
    rb"([a-z_-]{1,32})[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\t\n\f\r >\"']++))"
)
UNDEFINED = "(none)"  # what nginx and Apache write for a variable that has no value
ESI_VARIABLE = patterns.compile(
    r"\$\(([A-Z][A-Z_]{0,31})(?:\{([^{}()$'\"<>]{1,128})\})?(?:\|(?:'([^'<>]{0,256})'|([^()|'$<>\t\n ]{0,256})))?\)"
)
SSI_VARIABLE = patterns.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]{0,63})\}|([A-Za-z_][A-Za-z0-9_]{0,63}))")


def esi_variable(found: re.Match[str]) -> Variable:
    name, key, quoted, plain = found.groups()
    return Variable(name, key, quoted if quoted is not None else plain or "")


def ssi_variable(found: re.Match[str]) -> Variable:
    return Variable("$" + (found[1] or found[2]))


def esi_template(text: str) -> Template:
    return read(text, ESI_VARIABLE, esi_variable)


def ssi_template(text: str) -> Template:
    return read(text, SSI_VARIABLE, ssi_variable)


def tree(text: bytes, spoken: Sequence[str], foreign: Foreign | None = None) -> Tree:
    """`spoken` is one or both of "esi" and "ssi"; a directive that is `foreign` is text."""
    return _Reading(text, tuple(spoken), foreign).tree()


class _Branch(NamedTuple):
    test: Test | None
    nodes: Nodes
    written: str = ""


@dataclass(slots=True)
class _Open:
    """A directive whose end has not come."""

    name: str
    start: int
    nodes: list[Node] = field(default_factory=list)
    branches: list[_Branch] = field(default_factory=list)
    test: Test | None = None
    value: str = ""


class _Reading:
    def __init__(self, text: bytes, spoken: tuple[str, ...], foreign: Foreign | None) -> None:
        self._text = text
        self._spoken = spoken
        self._foreign = foreign
        self._open: list[_Open] = [_Open("", 0)]
        self._said: list[tuple[str, int]] = []
        self._nowhere: dict[bytes, int] = {}
        self._tries = self._count = 0
        self._wrapped = self._unwraps = False
        self._vars = 0  # how many `esi:vars` are open
        self._at = 0

    def tree(self) -> Tree:
        lexer = _LEXER[self._spoken]
        while self._count < MOST and (found := lexer.search(self._text, self._at)) is not None:
            self._count += 1
            self._plain(found.start())
            self._at = found.start()
            if not self._read(found):
                self._plain(found.end())
            self._at = max(self._at, found.end())
        self._plain(len(self._text))
        while len(self._open) > 1:
            self._say("not-closed", self._open[-1].start)
            self._unclosed()
        return Tree(tuple(self._open[0].nodes), tuple(self._said), self._unwraps)

    def _plain(self, end: int) -> None:
        """The text up to here, with what it says of the request inside `esi:vars`."""
        if end <= self._at:
            return
        text = self._text[self._at : end]
        if not self._vars:
            self._add(Text(text, self._at))
            return
        for part in esi_template(text.decode("utf-8", "surrogateescape")):
            known = (
                Say(part, at=self._at)
                if isinstance(part, Variable)
                else Text(part.encode("utf-8", "surrogateescape"), self._at)
            )
            self._add(known)

    def _add(self, node: Node) -> None:
        self._open[-1].nodes.append(node)

    def _say(self, code: str, at: int) -> None:
        if len(self._said) < 100:
            self._said.append((code, at))

    def _read(self, found: re.Match[bytes]) -> bool:
        """One lexeme; False when it is text after all."""
        kind = next(name for name in _KINDS if name in found.re.groupindex and found[name] is not None)
        if kind in ("esi", "ssi") and self._foreign is not None and self._foreign(found[0]):
            return False
        if kind == "esi":
            return self._esi(found)
        if kind == "ssi":
            return self._ssi(found)
        return self._other(kind, found)

    def _find(self, end: bytes, after: int) -> int:
        """Where an end stands behind a position, -1 if nowhere; what is nowhere is not looked for again."""
        if self._nowhere.get(end, after + 1) <= after:
            return -1
        found = self._text.find(end, after)
        if found < 0:
            self._nowhere[end] = after
        return found

    def _other(self, kind: str, found: re.Match[bytes]) -> bool:
        if kind == "opaque":
            end = self._find(b"]]>", found.end())
            if end >= 0:
                self._plain(end + 3)
                self._at = end + 3
            return end >= 0
        if kind == "wrapped":
            if self._foreign is not None and self._foreign(self._text[found.start() : found.start() + 256]):
                return False
            if self._wrapped or self._find(b"-->", found.end()) < 0:
                return False
            self._wrapped = self._unwraps = True
            return True
        if self._wrapped:
            self._wrapped = False
            return True
        return False

    # ESI

    def _esi(self, found: re.Match[bytes]) -> bool:
        name = found["esi"].decode()
        if found["end"]:
            self._close(name)
            return True
        closed = found["given"].rstrip(b"\t\n\f\r ").endswith(b"/")
        told = found["given"].rstrip(b"\t\n\f\r ")
        pairs = [*_ESI_GIVEN.finditer(told[:-1] if closed else told)]
        given = {each[1].decode(): _value(each) for each in reversed(pairs)}  # of two of a name the first counts
        if name == "include":
            self._include(found, given)
        elif name == "comment" and not closed:
            end = self._find(b"</esi:comment>", found.end())
            self._at = end + len(b"</esi:comment>") if end >= 0 else self._at
        elif name in _ESI_NESTS and not closed:
            self._begin(name, found.start(), given.get("test", ""))
        elif name not in ("comment", *_ESI_NESTS):
            self._say("esi-unknown", found.start())
        return True

    def _include(self, found: re.Match[bytes], given: dict[str, str]) -> None:
        if not given.get("src", "").strip():
            self._say("include-without-src", found.start())
            return
        alternative = esi_template(given["alt"].strip()) if given.get("alt", "").strip() else None
        continues = given.get("onerror", "").strip() == "continue"
        source = esi_template(given["src"].strip())
        self._add(Call(found[0], source, alternative, continues, at=found.start()))

    def _begin(self, name: str, start: int, value: str = "") -> bool:
        if len(self._open) > DEPTH:
            self._say("too-deep", start)
            return False
        if name in _IN and self._open[-1].name != _IN[name]:
            self._say("esi-misplaced", start)
            return False
        opened = _Open(name, start, value=value)
        if name == "when":
            opened.test = conditions.compile(value, esi_template)
            if opened.test is None:
                self._say("test-unreadable", start)
        self._vars += name == "vars"
        self._open.append(opened)
        return True

    def _close(self, name: str) -> None:
        """An end tag closes what is open in it as well; one that closes nothing goes."""
        at = next((at for at in range(len(self._open) - 1, 0, -1) if self._open[at].name == name), 0)
        if not at:
            self._say("esi-stray-end", self._at)
            return
        while len(self._open) > at:
            self._end() if len(self._open) == at + 1 else self._unclosed()

    def _unclosed(self) -> None:
        """What never ends: a removal removes nothing, so that a slip does not blank the page; all else ends here."""
        if self._open[-1].name not in ("remove", "block"):
            self._end()
            return
        opened = self._open.pop()
        self._open[-1].nodes += opened.nodes

    def _end(self) -> None:
        opened = self._open.pop()
        around = self._open[-1]
        nodes = tuple(opened.nodes)
        match opened.name:
            case "vars":
                self._vars -= 1
                around.nodes += nodes
            case "when":
                around.branches.append(_Branch(opened.test or never, nodes, opened.value))
            case "otherwise" | "attempt" | "except":
                around.branches.append(_Branch(None if opened.name != "except" else never, nodes))
            case "choose":
                tests = [branch for branch in opened.branches if branch.test is not None]
                others = [branch for branch in opened.branches if branch.test is None]
                around.nodes.append(_choice([*tests, *others[:1]], opened.start))
            case "try":
                self._try(opened, around)
            case "if":
                branches = [*opened.branches, _Branch(opened.test, nodes, opened.value)]
                around.nodes.append(_choice(branches, opened.start))
            case "block":
                around.nodes.append(Keep(opened.value, nodes, opened.start))

    def _try(self, opened: _Open, around: _Open) -> None:
        attempts = [branch.nodes for branch in opened.branches if branch.test is None]
        excepts = [branch.nodes for branch in opened.branches if branch.test is not None]
        if len(attempts) != 1 or len(excepts) > 1:
            self._say("try-without-one-attempt", opened.start)
        if attempts:
            around.nodes.append(Attempt(self._tries, attempts[0], excepts[0] if excepts else (), opened.start))
            self._tries += 1

    # SSI

    def _ssi(self, found: re.Match[bytes]) -> bool:
        name = found["ssi"].decode()
        given = [(each[1].decode(), _escaped(each)) for each in _GIVEN.finditer(found["told"])]
        values = dict(given)
        match name:
            case "include":
                self._virtual(found, given)
            case "echo" if values.get("var"):
                variable = Variable("$" + values["var"], default=values.get("default", UNDEFINED))
                self._add(Say(variable, values.get("encoding") == "url", found.start()))
            case "set" if values.get("var"):
                self._add(Put(values["var"], ssi_template(values.get("value", "")), found.start()))
            case "if":
                if self._begin("if", found.start()):
                    self._tested(values, found.start())
            case "elif" | "else" if self._open[-1].name == "if":
                opened = self._open[-1]
                opened.branches.append(_Branch(opened.test, tuple(opened.nodes), opened.value))
                opened.nodes = []
                opened.test, opened.value = None, ""
                if name == "elif":
                    self._tested(values, found.start())
            case "endif":
                self._close("if")
            case "block":
                self._begin("block", found.start(), values.get("name", ""))
            case "endblock":
                self._close("block")
            case "config":
                if "errmsg" in values:
                    self._add(Keep(None, (Text(_text(values["errmsg"].encode()), found.start()),), found.start()))
            case _:
                self._say("ssi-unknown", found.start())
        return True

    def _tested(self, values: dict[str, str], start: int) -> None:
        written = values.get("expr", "")
        test = conditions.compile(written, ssi_template)
        if test is None:
            self._say("test-unreadable", start)
        self._open[-1].test, self._open[-1].value = test or never, written

    def _virtual(self, found: re.Match[bytes], given: list[tuple[str, str]]) -> None:
        values = dict(given)
        if not values.get("virtual", "").strip():
            self._say("ssi-file" if "file" in values else "include-without-src", found.start())
        elif "set" in values:
            self._say("ssi-set", found.start())
        else:
            source = ssi_template(values["virtual"].strip())
            self._add(Call(found[0], source, None, True, values.get("stub"), found.start()))


_KINDS = ("esi", "ssi", "opaque", "wrapped", "unwrapped")
_IN = {"when": "choose", "otherwise": "choose", "attempt": "try", "except": "try"}
_ESI_NESTS = frozenset({"remove", "vars", "choose", "try", "inline", *_IN})


def _choice(branches: Sequence[_Branch], at: int) -> Choice:
    tests = tuple(branch.written for branch in branches)
    return Choice(tuple((branch.test, branch.nodes) for branch in branches), tests, at)


def _value(each: re.Match[bytes]) -> str:
    return meant(next((part for part in each.groups()[1:] if part is not None), b""))


def meant(value: bytes) -> str:
    """What an attribute means, in whole characters."""
    return unescape(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _escaped(each: re.Match[bytes]) -> str:
    written = next((part for part in each.groups()[1:] if part is not None), b"").decode("utf-8", "replace")
    return re.sub(r"\\([\"'\\])", r"\1", written)


def _text(message: bytes) -> bytes:
    return message.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
