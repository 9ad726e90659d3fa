"""What origins are told we can do for their pages, and what those ask for (Edge Architecture Specification 1.0)."""

import re
from collections.abc import Collection

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
