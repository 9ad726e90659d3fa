"""A plan as one reads it: literals and slots in order, and where pieces' head items, import maps and late pieces go.

Pure: a shell in, lines or JSON out.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import gateway.trial.listing as listing
from fragments.plan import Plan, Slot
from gateway.trial.columns import count, printable
from gateway.trial.listing import failing, inside, may_be, slot_as_json, waits
from gateway.trial.shells import Shell


class _Mark(NamedTuple):
    """A place in a literal, and what is put there."""

    literal: int
    offset: int
    what: str


def lines(shell: Shell) -> Iterator[str]:
    """For people: a tree, from the first byte to the last."""
    plan = shell.plan
    if plan is None:
        return
    size = f"{len(shell.text):,} bytes"
    parts = f"{count(len(plan.literals), 'literal')} and {count(len(plan.slots), 'slot')}"
    yield f"{shell.source.name}: {size} in {parts}, digest {plan.digest}"
    if shell.inclusions:
        yield f"as it is said to a request without cookies and query, in {' and '.join(shell.languages)}"
    marks = _marks(plan)
    for number, literal in enumerate(plan.literals):
        last = number == len(plan.literals) - 1
        yield f"{'└─' if last else '├─'} literal {number}, {len(literal):,} bytes"
        own = [mark for mark in marks if mark.literal == number]
        yield from _branches([f"at {mark.offset:,}: {mark.what}" for mark in own], "   " if last else "│  ")
        if not last:
            yield f"├─ slot {number}, {printable(plan.slots[number].name)}"
            yield from _branches(list(_of_slot(plan.slots[number], shell)), "│  ")
    for each in shell.inclusions:
        yield ""
        yield from listing.of_inclusion(each)


def _branches(rows: list[str], margin: str) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"{margin}{'└─' if number == len(rows) - 1 else '├─'} {row}"


def _of_slot(slot: Slot, shell: Shell) -> Iterator[str]:
    include = slot.include
    yield f"{slot.spelling} in line {slot.line}, {slot.context.value} in {inside(slot)}"
    yield f"if it fails: {failing(slot)}; waits at most: {waits(slot, shell.around)}"
    wanted = f"isolation: {slot.isolation or 'none'}" if include is None else f"from: {printable(include.source)}"
    yield f"{wanted}; may be: {may_be(slot)}"
    if slot.query:
        yield "asks with: " + printable("&".join(f"{name}={value}" for name, value in slot.query))
    if slot.fallback:
        yield f"its content: {len(slot.fallback):,} bytes"
    fragment = shell.around.declared(slot)
    if fragment is not None:
        origin = fragment.upstream.origins[0].url if fragment.upstream.origins else ""
        yield f"team {fragment.team}: {origin}{fragment.path.decode('latin-1')}"


def _marks(plan: Plan) -> list[_Mark]:
    heading = plan.heading
    found = [
        _Mark(region.literal, region.start, f"metadata {printable(key).strip()}") for key, region in heading.metadata
    ]
    if heading.title is not None:
        found.append(_Mark(heading.title.literal, heading.title.start, "title; a primary piece's replaces it"))
    if heading.import_map is not None:
        what = "import map; pieces' are merged into it" if heading.map_text is not None else "import map, if any comes"
        found.append(_Mark(heading.import_map.literal, heading.import_map.start, what))
    if plan.hoist is not None:
        found.append(_Mark(*plan.hoist, "end of the head; pieces' sheets, scripts and hints"))
    if plan.body_end is not None:
        found.append(_Mark(*plan.body_end, "end of the body; late pieces"))
    return sorted(found)


# ---- As JSON --------------------------------------------------------------------------------------------------------


def as_json(shell: Shell) -> dict[str, Any]:
    told = listing.as_json(shell)
    return {key: told[key] for key in ("source", "dialects", "includes", "asked")} | {
        "kind": "plan",
        "bytes": len(shell.text),
        **(_plan_as_json(shell.plan, shell) if shell.plan else {}),
        "problems": told["problems"],
        "exit": shell.code,
    }


def _plan_as_json(plan: Plan, shell: Shell) -> dict[str, Any]:
    heading = plan.heading
    return {
        "digest": plan.digest,
        "quirks": any(slot.quirks for slot in plan.slots),
        "literals": [len(literal) for literal in plan.literals],
        "slots": [_slot_as_json(slot, shell) for slot in plan.slots],
        "head_end": _place(plan.hoist),
        "body_end": _place(plan.body_end),
        "import_map": _place(heading.import_map and heading.import_map[:2]),
        "has_import_map": heading.map_text is not None,
        "title": _place(heading.title and heading.title[:2]),
        "metadata": [{"key": key, **(_place(region[:2]) or {})} for key, region in heading.metadata],
        "present": sorted(heading.present),
    }


def _slot_as_json(slot: Slot, shell: Shell) -> dict[str, Any]:
    include = slot.include
    told = None if include is None else {"source": include.source, "alternative": include.alternative}
    return slot_as_json(slot, shell.around) | {"include": told}


def _place(place: tuple[int, int] | None) -> dict[str, int] | None:
    """Which literal, and where in it."""
    return None if place is None else {"literal": place[0], "offset": place[1]}
