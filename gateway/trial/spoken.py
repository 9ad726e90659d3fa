"""A shell in other include languages: what would be fetched from where, on what it depends, and what is refused.

What such a page says differs by request. So each of its branches is said once, to someone who asks for nothing in
particular, and every include is seen where it stands. Pure.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, assert_never

import fragments.dialects as dialects
import fragments.directives as directives
import fragments.plan as plans
import gateway.proxy.includes as includes
import gateway.rules.paths as paths
import gateway.trial.shells as shells
from fragments.directives import Attempt, Call, Choice, Keep, Nodes, Put, Say, Text, Tree
from fragments.errors import FragmentsError
from fragments.plan import Include, Plan, Slot
from fragments.values import Asked, Template, Variable
from gateway.exchange import Exchange
from gateway.message import Request
from gateway.trial.remarks import Remark, of, placed, remark
from gateway.trial.shells import Around, Inclusion, Shell, Source

VIEWS = 64  # ways through a page that are looked at; each costs as much as reading it once
NOBODY = "portal.test"  # the portal's name, where none was said


def read(source: Source, around: Around = shells.NOWHERE, languages: Sequence[str] = ()) -> Shell:
    """The shell in our own spellings, and in these languages besides."""
    text, said = shells.legible(source)
    speaks = dialects.spoken(text, languages) if text is not None else ()
    if text is None or not speaks:
        return shells.read(source, around, languages)
    try:
        reading = _Reading(dialects.read(text, speaks), around)
    except FragmentsError as error:
        said.append(remark("shell-over-budget", str(error)))
        return Shell(source, text, None, placed(said, text.decode("utf-8", "replace")), around)
    slots = reading.slots
    said += [*reading.remarks, *shells.of_slots(slots, around), *shells.of_page(text, around, languages)]
    return Shell(
        source,
        text,
        reading.plan,
        placed(said, text.decode("utf-8", "replace")),
        around,
        slots,
        reading.inclusions,
        tuple(languages),
        shells.unread(text, languages),
    )


# ---- Ways through a page --------------------------------------------------------------------------------------------

Way = tuple[tuple[int, int], ...]  # of each choice on it, which branch leads here


class _Seen(NamedTuple):
    """What stands in the page, in the order of its source, and what leads to it."""

    node: "Text | Say | Put | Keep | Call"
    way: Way
    when: tuple[str, ...]
    tried: bool  # in an attempt, so that its failure is nobody's


class _Walk:
    """The tree of a page laid out flat."""

    def __init__(self, nodes: Nodes) -> None:
        self.choices = 0
        self.seen: list[_Seen] = []
        self._walk(nodes, (), (), False)

    def _walk(self, nodes: Nodes, way: Way, when: tuple[str, ...], tried: bool) -> None:
        for node in nodes:
            match node:
                case Choice(branches, tests):
                    for told in self._branches([nodes for _, nodes in branches], way):
                        self._walk(told.nodes, told.way, (*when, _condition(told.number, branches, tests)), tried)
                case Attempt(_, attempt, otherwise):
                    first, second = self._branches([attempt, otherwise], way)
                    self._walk(first.nodes, first.way, when, True)
                    self._walk(second.nodes, second.way, (*when, "an include of its attempt fails"), tried)
                case Text() | Say() | Put() | Keep() | Call():
                    self.seen.append(_Seen(node, way, when, tried))
                case _:
                    assert_never(node)

    def _branches(self, branches: Sequence[Nodes], way: Way) -> "list[_Branch]":
        choice, self.choices = self.choices, self.choices + 1
        return [_Branch(number, nodes, (*way, (choice, number))) for number, nodes in enumerate(branches)]

    def views(self) -> Iterator[Mapping[int, int]]:
        """Decisions, one set after the other, until every branch was taken once; where there are none, one."""
        left: dict[Way, None] = dict.fromkeys(((), *(each.way for each in self.seen)))
        while left:
            decided = dict(next(iter(left)))
            for way in left:
                if all(decided.get(choice, branch) == branch for choice, branch in way):
                    decided |= way
            left = dict.fromkeys(way for way in left if not _on(way, decided))
            yield decided


class _Branch(NamedTuple):
    number: int
    nodes: Nodes
    way: Way


def _on(way: Way, decided: Mapping[int, int]) -> bool:
    return all(decided.get(choice, 0) == branch for choice, branch in way)


def _condition(number: int, branches: Sequence[object], tests: Sequence[str]) -> str:
    told = tests[number] if number < len(tests) else ""
    return told or "none of the tests before holds"


# ---- One view -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _View:
    """The page said along one way: a plan, and how its lines become those of the source."""

    plan: Plan
    lost: frozenset[int]  # includes that stood where no markup can, by number among all seen
    removed: tuple[tuple[int, int], ...]  # a line of the plan's text, and how many lines an element there took with it

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(replace(slot, line=self.line(slot.line)) for slot in self.plan.slots)

    def line(self, line: int) -> int:
        return line and line + sum(lines for before, lines in self.removed if before < line)


class _Lines:
    """Which line of a text an offset is in."""

    def __init__(self, text: bytes) -> None:
        self._ends = [found.start() for found in re.finditer(rb"\n", text)]

    def of(self, at: int) -> int:
        return bisect_left(self._ends, at) + 1


def _said_along(page: dialects.Page, lines: _Lines, walk: _Walk, decided: Mapping[int, int], asked: Asked) -> _View:
    """Every line stays where it is, so that what is said of a line is said of the source's."""
    chosen = {number: each for number, each in enumerate(walk.seen) if _on(each.way, decided)}
    shown: list[directives.Node] = []
    line = 1
    for number, each in chosen.items():
        behind = lines.of(each.node.at) - line
        if behind > 0:
            shown.append(Text(b"\n" * behind))
            line += behind
        node = each.node
        if isinstance(node, Text):
            line += node.text.count(b"\n")
        shown.append(replace(node, written=b"%d" % number) if isinstance(node, Call) else node)
    said = dialects.say(replace(page, tree=Tree(tuple(shown), (), page.tree.unwraps)), asked)
    plan = plans.compile(said.text, said.includes)
    removed = [(slot.line, _lines(slot.include)) for slot in plan.slots if slot.include is not None]
    calls = frozenset(number for number, each in chosen.items() if isinstance(each.node, Call))
    held = {int(include.written) for include in said.includes.values() if include.written.isdigit()}
    return _View(plan, calls - held, tuple(removed))


def _lines(include: Include) -> int:
    """How many lines an element took with it when it became a comment."""
    if include.written.isdigit():
        return 0
    inside = include.fallback if include.written.startswith(b"<fragment") else b""
    return include.written.count(b"\n") + inside.count(b"\n")


# ---- All views ------------------------------------------------------------------------------------------------------


class _Reading:
    def __init__(self, page: dialects.Page, around: Around) -> None:
        self._page = page
        self._lines = _Lines(page.text)
        self._around = around
        self._asked = Asked(host=around.host or NOBODY, url=around.at)
        self._walk = _Walk(page.tree.nodes)
        self._slots: dict[tuple[int, str], Slot] = {}
        self._places: dict[int, Slot] = {}
        self._elements: dict[tuple[int, str], Slot] = {}
        self._remarks = [remark(code, dialects.CODES[code], self._lines.of(at)) for code, at in page.tree.said]
        views = list(self._views())
        self.plan = replace(views[0].plan, slots=views[0].slots)
        self._lost = {number: None for view in views for number in view.lost}

    def _views(self) -> Iterator[_View]:
        for number, decided in enumerate(self._walk.views()):
            if number == VIEWS:
                self._remarks.append(remark("more", f"Only {VIEWS} ways through the page were looked at."))
                return
            view = _said_along(self._page, self._lines, self._walk, decided, self._asked)
            self._keep(view)
            yield view

    def _keep(self, view: _View) -> None:
        self._remarks += [of(each, view.line(each.line)) for each in view.plan.diagnostics]
        for slot in view.slots:
            if slot.include is None:
                self._slots.setdefault((slot.line, slot.name), slot)
            elif slot.include.written.isdigit():
                self._places.setdefault(int(slot.include.written), slot)
            else:
                self._elements.setdefault((slot.line, slot.name), slot)

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(sorted(self._slots.values(), key=lambda slot: slot.line))

    @property
    def inclusions(self) -> tuple[Inclusion, ...]:
        found = [self._of_call(number, seen) for number, seen in enumerate(self._walk.seen)]
        found += [self._of_element(slot) for slot in self._elements.values()]
        return tuple(sorted(filter(None, found), key=lambda each: each.line))

    @property
    def remarks(self) -> Iterable[Remark]:
        yield from self._remarks
        for each in self.inclusions:
            if each.refused and each.leads == _NO_PLACE:
                yield remark("include-in-text", dialects.CODES["include-in-text"], each.line)
            elif each.refused:
                yield remark("include-refused", f"The include of {each.source} is refused: {each.leads}.", each.line)

    def _of_call(self, number: int, seen: _Seen) -> Inclusion | None:
        node = seen.node
        if not isinstance(node, Call):
            return None
        slot = self._places.get(number)
        include = slot.include if slot else None
        resolved = dialects.resolved(include.source if include else _written(node.source), self._asked)
        refusal, leads = (_NO_PLACE, "") if number in self._lost else _leads(resolved, self._around)
        return Inclusion(
            language="esi" if node.written.startswith(b"<esi:") else "ssi",
            line=self._lines.of(node.at),
            source=_written(node.source),
            leads=refusal or leads,
            refused=bool(refusal),
            failing=_failing(node, seen.tried, bool(include and include.fallback)),
            when=seen.when,
            depends=tuple(_depends(node, seen.when)),
            slot=slot,
        )

    def _of_element(self, slot: Slot) -> Inclusion:
        include = slot.include
        assert include is not None
        refusal, leads = _leads(include.source, self._around)
        stays = "its own content" if include.written.startswith(b"<fragment") else "the element as it is"
        return Inclusion(
            language="tailor" if include.written.startswith(b"<fragment") else "include",
            line=slot.line,
            source=include.source,
            leads=refusal or leads,
            refused=bool(refusal),
            failing=f"{include.alternative}, then {stays}" if include.alternative else stays,
            slot=slot,
        )


_NO_PLACE = "it stands where no markup can"


def _failing(call: Call, tried: bool, has_stub: bool) -> str:
    if call.continues:
        last = "its stub" if has_stub else "nothing"
    else:
        last = "the except of its try" if tried else "no page (502)"
    return last if call.alternative is None else f"{_written(call.alternative)}, then {last}"


# ---- What it says ---------------------------------------------------------------------------------------------------


def _written(template: Template) -> str:
    return "".join(part if isinstance(part, str) else spelled(part) for part in template)


def spelled(variable: Variable) -> str:
    """As the page writes it."""
    if variable.name.startswith("$"):
        return f"${{{variable.name[1:]}}}"
    key = f"{{{variable.key}}}" if variable.key is not None else ""
    default = f"|{variable.default}" if variable.default else ""
    return f"$({variable.name}{key}{default})"


def _depends(call: Call, when: Sequence[str]) -> Iterator[str]:
    """Each once, and without its default."""
    templates = [call.source, call.alternative or ()]
    for test in when:
        templates += [directives.esi_template(test), directives.ssi_template(test)]
    names = (_asks(part) for template in templates for part in template if isinstance(part, Variable))
    yield from dict.fromkeys(names)


def _asks(variable: Variable) -> str:
    return spelled(variable._replace(default=""))


def _leads(source: str, around: Around) -> tuple[str, str]:
    """Why an address leads nowhere ("" if it does not), and where it leads, as the gateway itself would say."""
    if not source.startswith("/") and "//" not in source[:8]:
        return "it is no path and no address", ""
    if not around.is_known:
        return _leads_by_itself(source)
    exchange = Exchange(Request(b"GET", around.at.encode(), []), around.table, b"", 0.0, 0.0)
    host = around.host or NOBODY
    exchange.authority, exchange.public = host.encode(), f"http://{host}".encode()
    exchange.host, exchange.mount = host.partition(":")[0].encode(), around.mount
    fetch = includes.fetch_of(source, exchange, includes.TIMEOUT)
    if fetch is None:
        return "no mount of this portal owns it", ""
    upstream, target = fetch.upstream, fetch.target.decode("latin-1")
    origin = upstream.origins[0].url if upstream.origins else upstream.name
    return "", f"{origin}{target}, upstream '{upstream.name}' of team '{upstream.team}'"


def _leads_by_itself(source: str) -> tuple[str, str]:
    if not source.startswith("/") or source.startswith(("//", "/\\")):
        return "", "the mount of the upstream with this origin, if there is one"
    if source.startswith("/-/") and not source.startswith("/-/u/"):
        return "the paths below /-/ are the gateway's own", ""
    refusal = paths.refusal(source.encode("ascii", "replace"))
    return (
        (refusal.rstrip("."), "") if refusal else ("", "the mount that owns this path, or the page's own application")
    )
