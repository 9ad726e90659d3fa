"""The include languages of others, read into our plans: Tailor's tags, ESI, SSI, h-include and turbo-frame.

ESI and SSI are read into a tree once, and said anew for every request: what comes out is a shell, whose includes are
slots like any other. Includes that are elements are found by tokens, as slots are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, assert_never
from urllib.parse import quote

import fragments.directives as directives
import fragments.parse as parse
import fragments.values as values
from fragments.conditions import Test
from fragments.directives import Attempt, Call, Choice, Foreign, Keep, Nodes, Put, Say, Text, Tree
from fragments.errors import OverBudget
from fragments.plan import Diagnostic, Include
from fragments.scan import Kind, Token, attributes, tokens, unescape
from fragments.values import FIXED, Asked, Marks, Template, Variable

ALL = ("tailor", "esi", "ssi", "include")
PARTS = 64  # of what a variable was made of; one with more is a single value in an address
GROWTH = 4 << 20  # bytes a text may have once it is said
_LOOKS = {
    "tailor": re.compile(rb"<fragment[\t\n\f\r />]", re.IGNORECASE),
    "esi": re.compile(rb"</?esi:|<!--esi"),
    "ssi": re.compile(rb"<!--#"),
    "include": re.compile(rb"<(?:h-include|turbo-frame)[\t\n\f\r />]", re.IGNORECASE),
}
CODES = {
    "esi-unknown": "This ESI element is unknown; its tags go and its content stays.",
    "esi-misplaced": "This ESI element stands outside of what it belongs in; its tags go. Put it directly inside.",
    "esi-stray-end": "This ESI end tag closes nothing; it goes.",
    "include-without-src": "This include names nothing; it goes. Give it a path.",
    "include-in-text": "This include stands where no markup can (an attribute, a script); it goes. Move it.",
    "not-closed": "This directive is never closed. Close it.",
    "ssi-file": "`include file` is no path of this site; it goes. Use `virtual`.",
    "ssi-set": "An include into a variable is not taken; it goes. Include it where it is to be shown.",
    "ssi-unknown": "This SSI directive is not taken; it goes.",
    "test-unreadable": "This test cannot be read and is never true.",
    "too-deep": f"Directives stand in one another deeper than {directives.DEPTH}; the inner tags go.",
    "try-without-one-attempt": "`esi:try` holds exactly one attempt and one except; the first attempt counts.",
}


class Shell(NamedTuple):
    """A text said for one request: markup, and the includes that comments in it stand for."""

    text: bytes
    includes: Mapping[bytes, Include]
    diagnostics: tuple[Diagnostic, ...]


def spoken(text: bytes, allowed: Collection[str]) -> tuple[str, ...]:
    """Which of the allowed languages a text may hold something of; a cheap look, never a no too much."""
    return tuple(each for each in ALL if each in allowed and _LOOKS[each].search(text)) if allowed else ()


@dataclass(frozen=True, slots=True)
class Page:
    """A text in a dialect, read. `depends`: what it says is one viewer's."""

    text: bytes
    spoken: tuple[str, ...]
    tree: Tree
    depends: bool
    digest: bytes
    foreign: Foreign | None = field(default=None, repr=False)


def read(text: bytes, languages: Sequence[str], foreign: Foreign | None = None) -> Page:
    """A text in utf-8. Includes that are `foreign` (they came with the request) stay text."""
    if len(text) > parse.SHELL.size:
        raise OverBudget(f"A shell of {len(text)} bytes is longer than {parse.SHELL.size}.")
    written = [each for each in languages if each in ("esi", "ssi")]
    tree = directives.tree(text, written, foreign) if written else Tree((Text(text),), (), False)
    name = hashlib.blake2b(b" ".join((text, repr(languages).encode())), digest_size=16).digest()
    return Page(text, tuple(languages), tree, _depends(tree.nodes), name, foreign)


def _depends(nodes: Nodes) -> bool:
    for node in nodes:
        match node:
            case Text():
                continue
            case Call():
                if any(isinstance(part, Variable) for part in (*node.source, *(node.alternative or ()))):
                    return True
            case Attempt():
                if _depends(node.attempt) or _depends(node.otherwise):
                    return True
            case Keep():
                if _depends(node.nodes):
                    return True
            case Say() | Put() | Choice():
                return True
            case _:
                assert_never(node)
    return False


def say(page: Page, asked: Asked, failed: Iterable[int] = ()) -> Shell:
    """The shell for a request; of the attempts in `failed`, what stands in for them."""
    saying = _Saying(page, asked, frozenset(failed))
    text = saying.said()
    lines = [Diagnostic(code, f"{CODES[code]} (line {_line(page.text, at)})") for code, at in page.tree.said]
    lost: tuple[int, ...] = ()
    if saying.marked:
        text, lost = values.write(text, list(tokens(text)), saying.values, saying.marks)
    lines += [Diagnostic("include-in-text", CODES["include-in-text"]) for _ in lost]
    includes = {saying.marks.include(at): each for at, each in enumerate(saying.includes) if at not in lost}
    if "tailor" in page.spoken or "include" in page.spoken:
        text = _elements(page, text, asked, includes, saying.marks)
    return Shell(text, includes, tuple(lines))


def _line(text: bytes, at: int) -> int:
    return text.count(b"\n", 0, at) + 1


class _Saying:
    """One walk through the tree, for one request."""

    def __init__(self, page: Page, asked: Asked, failed: frozenset[int]) -> None:
        self._page = page
        self._asked = asked
        self._failed = failed
        self._sets: dict[str, str] = {}
        self._made_of: dict[str, Template] = {}  # the same, what the page wrote and what was asked kept apart
        self._kept: dict[str | None, bytes] = {}
        self._parts: list[bytes] = []
        self._group: int | None = None
        self._left = GROWTH
        self.values: list[str] = []
        self.includes: list[Include] = []
        told = (page.digest, asked if page.depends else asked.path, sorted(failed), page.foreign is not None)
        self.marks = Marks(hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest())

    @property
    def marked(self) -> bool:
        return bool(self.values or self.includes)

    def said(self) -> bytes:
        self._nodes(self._page.tree.nodes)
        return b"".join(self._parts)

    def _nodes(self, nodes: Nodes) -> None:
        for node in nodes:
            match node:
                case Text(text):
                    self._put(text)
                case Say(variable, encoded):
                    self._put(self.marks.value(len(self.values)))
                    value = self._value(variable)
                    self.values.append(quote(value, safe="") if encoded else value)
                case Put(name, value):
                    self._set(name, value)
                case Keep(name, nodes):
                    self._kept[name] = self._aside(nodes)
                case Call():
                    self._put(self.marks.include(len(self.includes)))
                    self.includes.append(self._include(node))
                case Choice(branches):
                    self._nodes(self._chosen(branches))
                case Attempt(number, attempt, otherwise):
                    self._tried(number, attempt, otherwise)
                case _:
                    assert_never(node)

    def _put(self, text: bytes) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise OverBudget(f"A shell is longer than {GROWTH} bytes once its directives are done.")
        self._parts.append(text)

    def _set(self, name: str, value: Template) -> None:
        said = values.said(value, self._value)
        made_of = self._apart(value)
        self._made_of[name] = made_of if len(made_of) <= PARTS else (Variable(FIXED, default=said),)
        self._sets[name] = said

    def _apart(self, template: Template) -> Template:
        """With each variable as it is now, and what was set as what it was made of."""
        parts: list[str | Variable] = []
        for part in template:
            if isinstance(part, Variable) and part.name.startswith("$") and part.name[1:] in self._made_of:
                parts += self._made_of[part.name[1:]]
            elif isinstance(part, Variable) and part.name not in values.QUERIES:
                parts.append(Variable(FIXED, default=self._value(part)))
            else:
                parts.append(part)
        return tuple(parts)

    def _aside(self, nodes: Nodes) -> bytes:
        """What a block would show, as markup of its own; it stands nowhere yet."""
        around, self._parts = self._parts, []
        self._nodes(nodes)
        text, self._parts = b"".join(self._parts), around
        if self.marked:
            text = values.write(text, list(tokens(text)), self.values, self.marks).text
        return text

    def _stub(self, call: Call) -> bytes:
        """What stands for an include that fails; each copy counts."""
        stub = self._kept[call.stub] if call.stub in self._kept else self._kept.get(None, b"")
        self._left -= len(stub)
        if self._left < 0:
            raise OverBudget(f"What stands for the includes of a shell is longer than {GROWTH} bytes.")
        return stub

    def _chosen(self, branches: Sequence[tuple[Test | None, Nodes]]) -> Nodes:
        return next((nodes for test, nodes in branches if test is None or test(self._value)), ())

    def _tried(self, number: int, attempt: Nodes, otherwise: Nodes) -> None:
        if number in self._failed:
            self._nodes(otherwise)
            return
        around, self._group = self._group, number
        self._nodes(attempt)
        self._group = around

    def _include(self, call: Call) -> Include:
        fallback = self._stub(call)
        return Include(
            source=resolved(values.address(self._apart(call.source), self._value), self._asked),
            alternative=self._alternative(call.alternative),
            required=not call.continues and self._group is None,
            fallback=fallback,
            optional=call.continues and not fallback,
            stubbed=call.stub in self._kept,
            group=None if call.continues else self._group,
            written=call.written,
        )

    def _alternative(self, template: Template | None) -> str | None:
        return None if template is None else resolved(values.address(self._apart(template), self._value), self._asked)

    def _value(self, variable: Variable) -> str:
        """ESI's default is for a variable that says nothing (section 3.1), SSI's for one that does not exist."""
        name = variable.name
        if name == FIXED:
            return variable.default[: values.LONGEST]
        if not name.startswith("$"):
            return (_esi(name, variable.key, self._asked) or variable.default)[: values.LONGEST]
        found = self._sets[name[1:]] if name[1:] in self._sets else _ssi(name[1:], self._asked)
        return (variable.default if found is None else found)[: values.LONGEST]


def resolved(url: str, asked: Asked) -> str:
    """An include's URL from where its page is; absolute ones stay. Dots are gone: nothing climbs out later."""
    url = re.sub(r"[\t\n\r]", "", url.strip()).partition("#")[0]
    if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:|[/\\]{2}", url):
        return url
    path, mark, query = url.partition("?")
    if not path:
        return asked.path + mark + query
    if not path.startswith("/"):
        path = asked.path[: asked.path.rfind("/") + 1] + path
    return _without_dots(path) + mark + query


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


# ---- What may be asked for ------------------------------------------------------------------------------------------


def _esi(name: str, key: str | None, asked: Asked) -> str:
    """The variables of ESI 1.0, section 3."""
    match name, key:
        case "HTTP_HOST", None:
            return asked.host
        case "HTTP_REFERER", None:
            return asked.referer
        case "QUERY_STRING", None:
            return asked.query
        case (("QUERY_STRING" | "ESI_ARGS"), str()):
            return asked.argument(key) or ""
        case "HTTP_COOKIE", None:
            return "; ".join(f"{name}={value}" for name, value in asked.cookies.items())
        case "HTTP_COOKIE", str():
            return asked.cookies.get(key, "")
        case "HTTP_ACCEPT_LANGUAGE", None:
            return asked.languages
        case "HTTP_ACCEPT_LANGUAGE", str():
            return "true" if key.lower() in _languages(asked.languages) else "false"
        case "HTTP_USER_AGENT", None:
            return asked.agent
        case "HTTP_USER_AGENT", str():
            return _agent(key, asked.agent)
        case _:
            return ""


def _languages(field: str) -> list[str]:
    return [each.partition(";")[0].strip().lower() for each in field.split(",")]


_SYSTEMS = (("WIN", "windows"), ("MAC", "mac"), ("UNIX", "linux"), ("UNIX", "x11"))


def _agent(key: str, agent: str) -> str:
    lower = agent.lower()
    if key == "os":
        return next((name for name, word in _SYSTEMS if word in lower), "OTHER")
    older = re.search(r"msie ([0-9.]{1,16})", lower)
    if key == "browser":
        return "MSIE" if older else "MOZILLA" if lower.startswith("mozilla/") else "OTHER"
    first = older or re.match(r"[^/]{0,64}/([0-9.]{1,16})", lower)
    return first[1] if key == "version" and first else ""


def _ssi(name: str, asked: Asked) -> str | None:
    """What nginx and Apache both know, and nginx' arg_ and cookie_; None for what has no value."""
    lower = name.lower()
    if lower.startswith("arg_"):
        return asked.argument(name[4:])
    if lower.startswith("cookie_"):
        return asked.cookies.get(name[7:])
    return _OF_SSI[lower](asked) if lower in _OF_SSI else None


_OF_SSI: dict[str, Callable[[Asked], str | None]] = {
    "query_string": lambda asked: asked.query,
    "args": lambda asked: asked.query,
    "http_host": lambda asked: asked.host,
    "host": lambda asked: asked.host,
    "server_name": lambda asked: asked.host.partition(":")[0],
    "http_user_agent": lambda asked: asked.agent or None,
    "http_referer": lambda asked: asked.referer or None,
    "http_accept_language": lambda asked: asked.languages or None,
    "request_uri": lambda asked: asked.url,
    "document_uri": lambda asked: asked.path,
    "uri": lambda asked: asked.path,
    "request_method": lambda asked: "GET",
}


# ---- Elements -------------------------------------------------------------------------------------------------------

_TAGS = {"tailor": (b"fragment",), "include": (b"h-include", b"turbo-frame")}


def _elements(page: Page, text: bytes, asked: Asked, includes: dict[bytes, Include], marks: Marks) -> bytes:
    """Each include that is an element becomes a comment that stands for it; one in another is its fallback."""
    names = {name for each in ("tailor", "include") if each in page.spoken for name in _TAGS[each]}
    found = [token for token in tokens(text) if token.name in names]
    ends = _ends(found)
    parts: list[bytes] = []
    at = 0
    for number, token in enumerate(found):
        if token.kind is not Kind.START or token.start < at or token.foreign:
            continue
        tag = text[token.start : token.end]
        is_foreign = page.foreign is not None and page.foreign(tag)
        include = None if is_foreign else _element(text, token, ends.get(number), asked)
        if include is None:
            continue
        mark = marks.include(len(includes) + directives.MOST)
        includes[mark] = include
        end = ends.get(number)
        parts += [text[at : token.start], mark]
        at = end.end if end is not None else token.end
    return b"".join([*parts, text[at:]])


def _ends(found: Sequence[Token]) -> dict[int, Token]:
    """The end tag of each element, by the number of its start tag."""
    ends: dict[int, Token] = {}
    open_: dict[bytes, list[int]] = {}
    for number, token in enumerate(found):
        row = open_.setdefault(token.name, [])
        if token.kind is Kind.START:
            row.append(number)
        elif token.kind is Kind.END and row:
            ends[row.pop()] = token
    return ends


def _element(text: bytes, token: Token, end: Token | None, asked: Asked) -> Include | None:
    given = {each.name.decode("latin-1"): directives.meant(each.value or b"") for each in attributes(text, token)}
    source = given.get("src", "").strip()
    if not source or "media" in given or "when" in given:  # which the viewer's own script decides
        return None
    inside = text[token.end : end.start] if end is not None else b""
    whole = text[token.start : end.end] if end is not None else b""
    if token.name == b"fragment":
        return _tailored(given, inside, text[token.start : token.end], asked)
    if end is None:
        return None
    alternative = resolved(given["alt"], asked) if given.get("alt", "").strip() else None
    frame = given.get("id") if token.name == b"turbo-frame" else None
    return Include(source=resolved(source, asked), alternative=alternative, fallback=whole, frame=frame, written=whole)


def _tailored(given: Mapping[str, str], inside: bytes, tag: bytes, asked: Asked) -> Include:
    """Tailor's README: `primary`, `async`, `timeout` in milliseconds, `fallback-src`; `public` is what we always do."""
    written = given.get("timeout", "")
    fallback = given.get("fallback-src", "").strip()
    return Include(
        source=resolved(given["src"], asked),
        alternative=resolved(fallback, asked) if fallback else None,
        primary="primary" in given,
        late="async" in given,
        timeout=int(written) / 1000 if re.fullmatch(r"[0-9]{1,7}", written) else None,
        fallback=inside,
        kept=tuple((name, given[name]) for name in ("id", "class", "style") if name in given),
        written=tag,
    )


def framed(body: bytes, frame: str) -> bytes | None:
    """Of an answer, the `<turbo-frame>` with this id; None if it has none."""
    found = [token for token in tokens(body) if token.name == b"turbo-frame"]
    ends = _ends(found)
    for number, token in enumerate(found):
        if token.kind is Kind.START and number in ends:
            named = next((each.value for each in attributes(body, token) if each.name == b"id"), None)
            if named is not None and unescape(named) == frame:
                return body[token.start : ends[number].end]
    return None
