"""Selectors of a piece's sheets, for where the piece really stands: what meant its own document's root means the slot.

Only what is spelled plainly is changed; a selector that cannot be read stays, and matches what it matches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import fragments.patterns as patterns

_LETTER = r"\-0-9A-Za-z_\x80-\U0010ffff"
_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\n\r\f])?+|[^\n\r\f0-9a-fA-F])"
_NAME = rf"(?:[{_LETTER}]|{_ESCAPE})++"
_GAP = r"(?:[ \t\n\r\f]|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
_STRING = r"\"(?:[^\"\\\n\r\f]|\\[\s\S])*+\"|'(?:[^'\\\n\r\f]|\\[\s\S])*+'"

_MAY_MEAN_ROOT = patterns.compile(rf"(?i)(?<![{_LETTER}.#\\])(?:html|body|root)(?![{_LETTER}\\])")
_COMBINATOR = patterns.compile(rf"{_GAP}([>+~]|\|\||){_GAP}")
_COMMA = patterns.compile(rf"{_GAP},{_GAP}")
_SIMPLE = patterns.compile(
    rf"(?P<type>(?:(?:{_NAME}|\*)?\|(?!\|))?(?:{_NAME}|\*))|(?P<other>[.#]{_NAME}|&|\[(?:{_STRING}|[^\"'\[\]])*+\])"
    rf"|(?P<pseudo>::?{_NAME})(?P<arguments>\()?"
)
_ARGUMENT = patterns.compile(rf"(?:{_STRING}|[^\"'()\[\]])*+")
_LISTS = frozenset({":is", ":where", ":not", ":has", ":matches", ":-webkit-any"})
_ROOTS = frozenset({"html", "body", ":root"})
_DEPTH = 8  # of selectors within selectors; what is deeper stays

Compound = list[str]  # simple selectors, as they are written
Root = Callable[[Compound, bool], str]  # how the root is said, with what else is asked of it; whether by `:root`


def in_scope(rest: Compound, by_root: bool) -> str:
    """The slot, within `@scope`. A type counts (0,0,1) and the root (0,1,0), as before, so that no rule wins anew."""
    return (":scope" if by_root else ":where(:scope):not(_)") + "".join(rest)


def in_shadow(rest: Compound, by_root: bool) -> str:
    """The slot, from within its shadow root. Nothing but `:host()` may ask more of it."""
    asked = "".join(each for each in rest if not _is_element(each))
    elements = "".join(each for each in rest if _is_element(each))
    host = f":host({asked})" if asked else ":host"
    return (host if by_root else f":where({host})") + elements


_OLD_ELEMENTS = frozenset({":before", ":after", ":first-line", ":first-letter"})


def _is_element(simple: str) -> bool:
    return simple.startswith("::") or simple.lower() in _OLD_ELEMENTS


def _is_type(simple: str) -> bool:
    return simple[0] not in ".#&[:"


def rooted(selectors: str, root: Root) -> str:
    """The list of selectors with `:root`, `html` and `body` said by `root`."""
    if not _MAY_MEAN_ROOT.search(selectors):
        return selectors
    read = _Reader(selectors, root).whole()
    return selectors if read is None else read


class _Reader:
    """Reads a list of selectors and writes it anew; answers None for what it does not know."""

    def __init__(self, text: str, root: Root) -> None:
        self.text, self.root = text, root

    def whole(self) -> str | None:
        end = len(self.text.rstrip(" \t\n\r\f"))
        read = self.listed(0, 0)
        return read[0] if read is not None and read[1] >= end else None

    def listed(self, at: int, depth: int) -> tuple[str, int] | None:
        """A list from here to its end, or to the bracket that ends it."""
        if depth > _DEPTH:
            return None
        written: list[str] = []
        while True:
            one = self.complex(at, depth)
            if one is None:
                return None
            written.append(one[0])
            at = one[1]
            comma = _COMMA.match(self.text, at)
            if comma is None:
                return ",".join(written), at
            at = comma.end()

    def complex(self, at: int, depth: int) -> tuple[str, int] | None:
        """Compounds and what stands between them. A root within a root is one: the slot has both their classes."""
        parts: list[tuple[str, Compound, bool | None]] = []  # a combinator, what comes after it, whether a root
        while True:
            between = _COMBINATOR.match(self.text, at)
            assert between is not None
            if between.end() == len(self.text) or self.text[between.end()] in "),":
                break
            compound = self.compound(between.end(), depth)
            if compound is None:
                return None
            simple, is_root, end = compound
            combinator = between[1] or (" " if parts else "")
            if parts and parts[-1][2] is not None and is_root is not None and combinator in (" ", ">"):
                combinator, before, _ = parts.pop()
                simple = before + simple
            parts.append((combinator, simple, is_root))
            at = end
        if not parts:
            return None
        return "".join(self.written(*part) for part in parts), at

    def written(self, combinator: str, simple: Compound, is_root: bool | None) -> str:
        return combinator + ("".join(simple) if is_root is None else self.root(simple, is_root))

    def compound(self, at: int, depth: int) -> tuple[Compound, bool | None, int] | None:
        """Simple selectors without what says the root in them; whether that was `:root`, None if nothing did."""
        simple: Compound = []
        is_root: bool | None = None
        start = at
        while found := _SIMPLE.match(self.text, at):
            if found["type"] and at != start:
                return None
            at = found.end()
            said = found[0]
            if found["arguments"]:
                arguments = self.arguments(found["pseudo"].lower(), at, depth)
                if arguments is None:
                    return None
                said, at = said + arguments[0], arguments[1]
            if said.lower() in _ROOTS:
                is_root = is_root or said.startswith(":")
            else:
                simple.append(said)
        if at == start:
            return None
        if is_root is not None and simple and _is_type(simple[0]):
            return (simple[1:], is_root, at) if simple[0] in ("*", "*|*") else None
        return simple, is_root, at

    def arguments(self, pseudo: str, at: int, depth: int) -> tuple[str, int] | None:
        if pseudo in _LISTS:
            read = self.listed(at, depth + 1)
        else:
            end = self.balanced(at)
            read = None if end is None else (self.text[at:end], end)
        if read is None or self.text[read[1] : read[1] + 1] != ")":
            return None
        return read[0] + ")", read[1] + 1

    def balanced(self, at: int) -> int | None:
        """The end of what stands in brackets, whatever it is."""
        open_: list[str] = []
        while True:
            found = _ARGUMENT.match(self.text, at)
            assert found is not None
            at = found.end()
            character = self.text[at : at + 1]
            if not open_ and character in (")", ""):
                return at if character else None
            if character in ("(", "["):
                open_.append(")" if character == "(" else "]")
            elif not open_ or open_.pop() != character:
                return None
            at += 1


_HASH = patterns.compile(rf"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?|{_STRING}|\[[^\]\"']*+|#(?P<name>[{_LETTER}]++)(?!\\)")


def identified(selectors: str, names: Collection[str], prefix: str) -> str:
    """The list of selectors with the ids among `names` as they are with this prefix."""
    if "#" not in selectors:
        return selectors
    return _HASH.sub(lambda found: f"#{prefix}{found['name']}" if found["name"] in names else found[0], selectors)
