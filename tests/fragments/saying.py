"""A page in another include language as a test reads it: said for one request, each include as {its address}."""

from typing import Any

import fragments.dialects as dialects
import fragments.plan as plans
from fragments.plan import Include, Plan
from fragments.values import Asked


def planned(text: str | bytes, *allowed: str, failed: tuple[int, ...] = (), foreign: Any = None, **asked: Any) -> Plan:
    source = text if isinstance(text, bytes) else text.encode()
    page = dialects.read(source, dialects.spoken(source, allowed), foreign)
    shell = dialects.say(page, Asked(**asked), failed)
    return plans.compile(shell.text, shell.includes, foreign)


def said(text: str | bytes, *allowed: str, **more: Any) -> str:
    plan = planned(text, *allowed, **more)
    parts = [plan.literals[0]]
    for slot, literal in zip(plan.slots, plan.literals[1:], strict=True):
        assert slot.include is not None
        parts += [b"{%b}" % slot.include.source.encode(), literal]
    return b"".join(parts).decode()


def include(text: str, *allowed: str, **more: Any) -> Include:
    (slot,) = planned(text, *allowed, **more).slots
    assert slot.include is not None
    return slot.include
