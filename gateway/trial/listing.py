"""What is told of a shell: its slots in columns, its includes one by one; the same as JSON. Pure: text out."""

from collections.abc import Iterator
from typing import Any

import gateway.trial.shells as shells
from fragments.plan import ISOLATIONS, Slot
from gateway.model import spoken
from gateway.trial.columns import columns, count, printable
from gateway.trial.shells import Around, Inclusion, Shell

HEAD = ("LINE", "SLOT", "WRITTEN AS", "CONTEXT", "IF IT FAILS", "WAITS", "ISOLATION", "MAY BE", "INSIDE")


def lines(shell: Shell) -> Iterator[str]:
    """For people: the slots, then the includes; nothing of what is wrong with them."""
    if shell.plan is None:
        return
    if not shell.slots and not shell.inclusions:
        yield f"{shell.source.name} has no slots: it is sent as it is."
        yield from _of_unread(shell)
        return
    kinds = [count(len(shell.slots), "slot")]
    kinds += [count(len(shell.inclusions), "include")] if shell.languages else []
    yield f"{shell.source.name}: {', '.join(kinds)}."
    if shell.slots:
        yield ""
        yield from columns([HEAD, *(_row(slot, shell.around) for slot in shell.slots)])
    for each in shell.inclusions:
        yield ""
        yield from of_inclusion(each)
    yield from _of_unread(shell)


def _of_unread(shell: Shell) -> Iterator[str]:
    if shell.unread:
        yield ""
        yield f"It may speak {' and '.join(shell.unread)}: --dialects {','.join(shell.unread)} reads that, too."


def _row(slot: Slot, around: Around) -> tuple[str, ...]:
    return (
        str(slot.line),
        printable(slot.name),
        slot.spelling,
        slot.context.value,
        failing(slot),
        waits(slot, around),
        shells.isolation(slot, around.declared(slot)),
        may_be(slot),
        inside(slot),
    )


def may_be(slot: Slot) -> str:
    """Isolations its place can have."""
    allowed = shells.allowed(slot)
    return "any" if allowed == ISOLATIONS else " ".join(allowed)


def inside(slot: Slot) -> str:
    return " > ".join(slot.chain)


def failing(slot: Slot) -> str:
    """What a page does without it; then how else it differs from an ordinary slot."""
    told = "no page (502)" if slot.required else "nothing" if slot.optional else "its content"
    if not slot.required and not slot.optional and not slot.fallback:
        told = "nothing"
    words = [word for word, holds in (("primary", slot.primary), ("late", slot.late), ("lazy", slot.lazy)) if holds]
    return ", ".join([told, *words])


def waits(slot: Slot, around: Around) -> str:
    """The shorter of the slot's time and the fragment's, where they are known."""
    fragment = around.declared(slot)
    times = [time for time in (slot.timeout, fragment.timeout if fragment else None) if time is not None]
    return spoken(min(times)) if times else "-"


def of_inclusion(each: Inclusion) -> Iterator[str]:
    yield f"line {each.line}, {each.language}: {printable(each.source)}"
    told = [("refused" if each.refused else "from", each.leads), ("if it fails", each.failing)]
    told += [("only if", test) for test in each.when]
    told += [("depends on", ", ".join(each.depends) + "; so the page is for one viewer")] if each.depends else []
    told += [("stands in", f"{inside(each.slot)} ({each.slot.context.value})")] if each.slot else []
    yield from (f"    {label:<13}{printable(text)}" for label, text in told)


# ---- As JSON --------------------------------------------------------------------------------------------------------


def as_json(shell: Shell) -> dict[str, Any]:
    return {
        "kind": "shell",
        "source": shell.source.name,
        "slots": [slot_as_json(slot, shell.around) for slot in shell.slots],
        "includes": [_inclusion_as_json(each) for each in shell.inclusions],
        "dialects": list(shell.languages),
        "unread": list(shell.unread),
        "asked": shell.around.told or None,
        "problems": [remark.as_json() for remark in shell.remarks],
        "exit": shell.code,
    }


def slot_as_json(slot: Slot, around: Around) -> dict[str, Any]:
    fragment = around.declared(slot)
    return {
        "name": slot.name,
        "line": slot.line,
        "spelling": slot.spelling,
        "context": slot.context.value,
        "chain": list(slot.chain),
        "isolation": slot.isolation,
        "allowed": list(shells.allowed(slot)),
        "criticality": "required" if slot.required else "optional" if slot.optional else "default",
        "primary": slot.primary,
        "late": slot.late,
        "lazy": slot.lazy,
        "timeout": slot.timeout,
        "query": [list(pair) for pair in slot.query],
        "fallback_bytes": len(slot.fallback),
        "mark": slot.mark,
        "declared": fragment is not None if around.is_known and slot.include is None else None,
        "team": fragment.team if fragment else None,
        "path": fragment.path.decode("latin-1") if fragment else None,
    }


def _inclusion_as_json(each: Inclusion) -> dict[str, Any]:
    return {
        "language": each.language,
        "line": each.line,
        "source": each.source,
        "leads": each.leads,
        "refused": each.refused,
        "failing": each.failing,
        "when": list(each.when),
        "depends": list(each.depends),
        "context": each.slot.context.value if each.slot else None,
        "chain": list(each.slot.chain) if each.slot else None,
    }
