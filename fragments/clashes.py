"""What pieces of one page cannot all have: an id, a custom element's name, a module under one specifier."""

from __future__ import annotations

from collections.abc import Sequence

import fragments.head as head
from fragments.contain import Fitted
from fragments.plan import Diagnostic

_TOLD = 5  # of one kind; who has more has read enough


def between(pieces: Sequence[tuple[str, Fitted]], shell_map: str | None = None) -> list[Diagnostic]:
    """Each clash once, said to whom it hits: the later one. `pieces` have their fragments' names."""
    maps = [(item.key, item.html) for _, piece in pieces for item in piece.head if item.kind == "importmap"]
    return [
        *(
            Diagnostic("id-twice", f"'{second}' has the id '{id}', and so has '{first}'. Use ids: prefix.")
            for id, first, second in _twice([(name, piece.ids) for name, piece in pieces])
        ),
        *(
            Diagnostic("element-twice", f"'{second}' defines <{tag}>, and so does '{first}': the later one throws.")
            for tag, first, second in _twice([(name, piece.defines) for name, piece in pieces])
        ),
        *(Diagnostic("import-map-conflict", said) for said in head.conflicts(shell_map, maps)[:_TOLD]),
    ]


def _twice(named: Sequence[tuple[str, frozenset[str]]]) -> list[tuple[str, str, str]]:
    first: dict[str, str] = {}
    found: list[tuple[str, str, str]] = []
    for name, those in named:
        found += [(each, first[each], name) for each in sorted(those) if each in first]
        first = {**dict.fromkeys(those, name), **first}
    return found[:_TOLD]
