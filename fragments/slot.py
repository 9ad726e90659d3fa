"""What a slot is: what it says, where it stands, and what is around whatever fills it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

import fragments.parse as parse


class Context(enum.Enum):
    """What kind of content is read where a slot stands."""

    FLOW = "flow"
    PHRASE = "phrase"  # inside what a block or its own kind would close: p, a, button, label…
    HEAD = "head"
    TABLE = "table"
    TBODY = "tbody"
    TR = "tr"
    COLGROUP = "colgroup"
    SELECT = "select"
    SVG = "svg"
    MATH = "math"


NOTHING: Mapping[str, str] = {}
WRAPPED = frozenset({Context.FLOW, Context.PHRASE})  # where an `<mf-slot>` may stand
LATE = WRAPPED | {Context.TABLE, Context.TBODY, Context.TR}  # where a patch finds its place again
ISOLATIONS = ("none", "scope", "shadow", "iframe")  # each fences more in


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something a team should know. `code` is stable, `message` says what, where and what next."""

    code: str
    message: str
    line: int = 0  # of the source; 0 where there is no saying


@dataclass(frozen=True, slots=True)
class Include:
    """A slot in another language than ours, filled by what is found at an address. See `dialects`."""

    source: str  # a path with its query, or a whole URL
    alternative: str | None = None  # where it is found if not there
    required: bool = False
    optional: bool = False
    primary: bool = False
    late: bool = False
    timeout: float | None = None
    fallback: bytes = b""
    group: int | None = None  # the attempt that fails with it
    frame: str | None = None  # the id of the `<turbo-frame>` that is wanted of the answer
    kept: tuple[tuple[str, str], ...] = ()
    written: bytes = b""
    stubbed: bool = False  # the fallback also stands where the answer is empty


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    query: tuple[tuple[str, str], ...] = ()
    required: bool = False
    optional: bool = False
    primary: bool = False
    late: bool = False
    lazy: bool = False
    timeout: float | None = None  # seconds
    isolation: str | None = None
    fallback: bytes = b""
    context: Context = Context.FLOW
    chain: tuple[str, ...] = ("html", "body")
    spelling: str = "element"  # element, comment or template
    quirks: bool = False
    mark: str = "0"  # tells this slot's wrapper from the others of the page
    kept: tuple[tuple[str, str], ...] = ()  # id, class and style, which stay on the wrapper
    include: Include | None = None  # where to look, when it is no fragment that was named
    line: int = field(default=0, compare=False)  # of the source, in which it begins

    def wrapper(self, name: str = "mf-slot", more: Mapping[str, str] = NOTHING) -> parse.Wrapper:
        """What stands around whatever fills the slot."""
        if self.context in (Context.SVG, Context.MATH):
            name = "g" if self.context is Context.SVG else "mrow"
        elif self.context not in WRAPPED:
            return f"<!--mf:{self.mark}-->", f"<!--/mf:{self.mark}-->"
        named = {"name" if name == "mf-slot" else "data-mf-name": self.name, "data-mf-slot": self.mark}
        return parse.start_tag(name, {**named, **dict(self.kept), **more}), f"</{name}>"

    def filled(self, inside: bytes) -> bytes:
        before, after = self.wrapper()
        return before.encode() + inside + after.encode()


def bare(slot: Slot, name: str = "mf-slot") -> parse.Wrapper:
    """The wrapper without its attributes, which change nothing about how it is read."""
    before, after = slot.wrapper(name)
    return (f"<{after[2:]}", after) if after.startswith("</") else (before, after)


def around(slot: Slot) -> parse.Surroundings:
    return parse.Surroundings(slot.chain, bare(slot), slot.quirks)


_PARSED_AS = {
    Context.HEAD: "head",
    Context.TABLE: "table",
    Context.TBODY: "tbody",
    Context.TR: "tr",
    Context.COLGROUP: "colgroup",
    Context.SELECT: "select",
}


def parsed_as(context: Context) -> tuple[str, str]:
    """The element, and its namespace, that content of this context is parsed in."""
    if context in (Context.SVG, Context.MATH):
        return context.value, context.value
    return _PARSED_AS.get(context, "div"), parse.HTML
