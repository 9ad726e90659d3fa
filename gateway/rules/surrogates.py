"""What origins are told we can do for their pages, and what those ask for (Edge Architecture Specification 1.0)."""

import re
from collections.abc import Collection
from typing import NamedTuple

from gateway.message import Fields, Head, joined, without

CONTROL = b"surrogate-control"
_OURS = b"MF/1.0"
_ESI = b"ESI/1.0"
_CONTENT = re.compile(rb'(?:^|[,;])[ \t]*content[ \t]*=[ \t]*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)
_ASKED = "what a page asks to be done"  # keys of a head's memo
_SHOWN = "fields without what is for surrogates"


def capable(fields: Fields, dialects: Collection[str]) -> Fields:
    """The fields of a composing mount's request: what others before us can do, and then we."""
    told = b'portico="%b"' % (b" ".join((_OURS, _ESI)) if "esi" in dialects else _OURS)
    before = joined(fields, b"surrogate-capability")
    return [
        *without(fields, b"surrogate-capability"),
        (b"surrogate-capability", before + b", " + told if before else told),
    ]


def asked(head: Head) -> frozenset[bytes] | None:
    """What a page asks to be done with it, b"esi" or b"mf" among it; None where it says nothing of that."""
    if CONTROL not in head.index:
        return None
    known: frozenset[bytes] | None = head.memo.get(_ASKED)
    return known if known is not None else head.keep(_ASKED, _asked(joined(head.fields, CONTROL)))


def _asked(said: bytes) -> frozenset[bytes] | None:
    found = _CONTENT.search(said)
    if found is None:
        return None
    words = (found[1] or found[2] or b"").lower().split()
    return frozenset(word.partition(b"/")[0] for word in words)


def shown(head: Head) -> Head:
    """The same fields for everybody else."""
    if CONTROL not in head.index:
        return head
    known: Head | None = head.memo.get(_SHOWN)
    return known or head.keep(_SHOWN, Head(without(head.fields, CONTROL)))


class Lasting(NamedTuple):
    """What Surrogate-Control says of keeping: never, or for how many seconds, and how many more while stale."""

    never: bool = False
    lasts: float | None = None
    beyond: float = 0.0


_DIRECTIVE = re.compile(
    rb"(?:^|[,;])[ \t]*(max-age|no-store)(?![\w-])"
    rb"(?:=(\d{1,9})(?:\+(\d{1,9}))?(?=[ \t]*(?:[,;]|$))|[^,;]*)(?:[ \t]*;[ \t]*([\w.-]+)(?=[ \t]*(?:[,;]|$)))?",
    re.IGNORECASE,
)
_QUOTED = re.compile(rb'"[^"]*"')
_NAME = b"portico"


def lasting(head: Head) -> Lasting | None:
    """How long surrogates may keep it (Edge Architecture section 2.1); None where it says nothing of that.

    What is meant for us goes before what is meant for all, what is meant for others is not ours to read.
    """
    if CONTROL not in head.index:
        return None
    named: dict[bytes, Lasting] = {}
    for word, seconds, beyond, named_target in _DIRECTIVE.findall(_QUOTED.sub(b"", joined(head.fields, CONTROL))):
        target = named_target.lower()
        before = named.get(target, Lasting())
        if word.lower() == b"no-store":
            named[target] = before._replace(never=True)
        elif before.lasts is None:
            named[target] = before._replace(lasts=float(seconds or 0), beyond=float(beyond or 0))
    return named.get(_NAME) or named.get(b"")
