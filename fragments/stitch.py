"""Fills a plan's slots. Parts stay apart, as they are: the caller may have them deflated already.

The same plan and fillings give the same bytes. While the head is still to come, what pieces bring goes there, each
thing once; later pieces carry what is new themselves. Slots that are late hold nothing up: their pieces come before the
end of the body, in whatever order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import fragments.head as head
import fragments.late as late
import fragments.parse as parse
from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.plan import WRAPPED, Context, Plan, Region
from fragments.scan import attributes, tokens, unescape


@dataclass(frozen=True, slots=True)
class Fallback:
    """The slot shows what the shell says for this case."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """The slot is there and empty."""


Filling = Fitted | Fallback | Nothing


def page(plan: Plan, fillings: Sequence[Filling], more: Sequence[HeadItem] = ()) -> list[bytes]:
    """The whole page, when every slot is known; `more` is for its head, beside what pieces bring."""
    literals = _literals(plan, fillings, set(plan.heading.present), more)
    parts: list[bytes] = []
    for at, filling in enumerate(fillings):
        parts += literals[at]
        parts.append(filling.html if type(filling) is Fitted else _filled(plan, at, filling))
    parts += literals[-1]
    return parts


class Stitch:
    """One page, filled in order while its slots become known; those still `coming` late are known as what stands in."""

    def __init__(
        self,
        plan: Plan,
        known: Sequence[Filling | None],
        coming: Collection[int] = (),
        more: Sequence[HeadItem] = (),
    ) -> None:
        self._plan = plan
        self._fillings = list(known)
        self._literals: Sequence[Sequence[bytes]] = plan.hoisted
        self._seen: set[str] = set()
        self._at = 0  # the next literal to be sent
        self._coming = bool(coming)
        self._more = more
        self._end: bytes = b""
        self._plan_head()

    def __repr__(self) -> str:
        return f"<Stitch {min(self._at, len(self._fillings))}/{len(self._fillings)}, waiting for {self.waiting}>"

    @property
    def waiting(self) -> str | None:
        """The slot that the next filling is for."""
        at = self._at - 1
        return self._plan.slots[at].name if 0 <= at < len(self._fillings) else None

    def open(self) -> list[bytes]:
        """Everything up to the first slot that is not known yet."""
        return self._onwards([])

    def fill(self, filling: Filling) -> list[bytes]:
        """The slot waited for, and everything up to the next one that is not known yet."""
        at = self._at - 1
        self._fillings[at] = filling
        if self._head_is_ahead():
            self._plan_head()
            return self._onwards([_filled(self._plan, at, filling)])
        return self._onwards([self._carrying(at, filling)])

    def arrive(self, at: int, filling: Filling) -> list[bytes]:
        """The piece of a late slot, once all that is in order has been sent; nothing where the fallback stays."""
        html = self._carrying(at, filling)
        patch = None if isinstance(filling, Fallback) else late.patch(self._plan.slots[at], html)
        return [] if patch is None else [patch]

    def close(self) -> list[bytes]:
        """What is left of the page behind its late pieces."""
        return [self._end]

    def _head_is_ahead(self) -> bool:
        return self._plan.hoist is not None and self._plan.hoist[0] >= self._at

    def _plan_head(self) -> None:
        self._seen = set(self._plan.heading.present)
        known = [each for each in self._fillings if each is not None]
        self._literals = _literals(self._plan, known, self._seen, self._more)
        if self._coming and self._plan.body_end is not None:
            *before, last = self._literals[-1]
            ends = len(self._plan.literals[-1]) - self._plan.body_end[1]
            self._end = last[len(last) - ends :]
            self._literals = (*self._literals[:-1], (*before, last[: len(last) - ends], self._plan.closing))

    def _onwards(self, parts: list[bytes]) -> list[bytes]:
        while True:
            parts += self._literals[self._at]
            at = self._at
            self._at += 1
            filling = self._fillings[at] if at < len(self._fillings) else None
            if filling is None:
                return parts
            parts.append(_filled(self._plan, at, filling))

    def _carrying(self, at: int, filling: Filling) -> bytes:
        """A slot behind the head, with what its piece brings for it."""
        html = _filled(self._plan, at, filling)
        if not isinstance(filling, Fitted) or not filling.head:
            return html
        brought = b"".join(head.gather(_allowed(filling.head, self._plan.slots[at].context), self._seen))
        return html[: filling.inside] + brought + html[filling.inside :]


def _filled(plan: Plan, at: int, filling: Filling) -> bytes:
    match filling:
        case Fitted():
            return filling.html
        case Fallback():
            return plan.fallbacks[at]
        case Nothing():
            return plan.empties[at]
        case _:
            assert_never(filling)


_IMPORTING = frozenset({Context.TABLE, Context.TBODY, Context.TR})


def _allowed(items: Iterable[HeadItem], context: Context) -> Iterable[HeadItem]:
    """What may stand where the slot is: a link would be moved out of a table, a sheet that imports it is not."""
    if context in WRAPPED or context is Context.HEAD:
        return items
    if context in _IMPORTING:
        return [_importing(item) for item in items if item.kind in head.STYLES]
    return []


def _importing(item: HeadItem) -> HeadItem:
    if item.kind != "stylesheet":
        return item
    values = {each.name: unescape(each.value or b"") for each in attributes(item.html, next(tokens(item.html)))}
    url = values.get(b"href", "").replace("\\", "%5C").replace('"', "%22").replace("<", "%3C").replace("\n", "")
    media = values.get(b"media", "").replace(";", "").replace("<", "")
    return replace(item, html=f'<style>@import "{url}" {media};</style>'.encode())


# ---- The head -------------------------------------------------------------------------------------------------------


def _literals(
    plan: Plan, fillings: Iterable[Filling], seen: set[str], more: Sequence[HeadItem]
) -> Sequence[Sequence[bytes]]:
    """The plan's literals with what the pieces bring for the head in them; `seen` learns what that is."""
    fitted = [filling for filling in fillings if type(filling) is Fitted]
    brought = head.gather([*more, *[item for each in fitted for item in each.head]], seen)
    if any(not each.plain for each in fitted):
        return _edited(plan, _edits(plan, fitted, brought))
    if not brought or plan.hoist is None:
        return plan.hoisted
    at = plan.hoist[0]
    before, after = plan.hoisted[at]
    return (*plan.hoisted[:at], (before, *brought, after), *plan.hoisted[at + 1 :])


_Edit = tuple[Region, bytes]


def _edits(plan: Plan, fitted: Sequence[Fitted], brought: Sequence[bytes]) -> list[_Edit]:
    if plan.hoist is None:
        return []
    end = Region(plan.hoist[0], plan.hoist[1], plan.hoist[1])
    edits = [*_metadata(plan, fitted, end), *_import_map(plan, fitted)]
    return [*edits, *((end, html) for html in brought)]


def _metadata(plan: Plan, fitted: Sequence[Fitted], end: Region) -> list[_Edit]:
    """The primary piece's title and metadata, in place of the shell's own of the same name."""
    edits: list[_Edit] = []
    title = next((each.title for each in fitted if each.title is not None), None)
    if title is not None:
        edits.append((plan.heading.title or end, f"<title>{parse.text(title)}</title>".encode()))
    regions = dict(plan.heading.metadata)
    for each in fitted:
        edits += [(regions.pop(item.key, end), item.html) for item in each.head if item.kind in head.METADATA]
    return edits


def _import_map(plan: Plan, fitted: Sequence[Fitted]) -> list[_Edit]:
    maps = tuple((item.key, item.html) for each in fitted for item in each.head if item.kind == "importmap")
    region = plan.heading.import_map
    merged = head.merged(plan.heading.map_text, maps) if maps and region else None
    if merged is None or region is None:
        return []
    if plan.heading.map_text is None:
        merged = b'<script type="importmap">' + merged + b"</script>"
    return [(region, merged)]


def _edited(plan: Plan, edits: Sequence[_Edit]) -> list[list[bytes]]:
    literals = []
    for number, literal in enumerate(plan.literals):
        parts, at = [], 0
        for region, html in sorted((edit for edit in edits if edit[0].literal == number), key=lambda edit: edit[0]):
            parts += [literal[at : region.start], html]
            at = region.end
        literals.append([*parts, literal[at:]])
    return literals
