"""Slots that are filled after their page has left: what stands in their place, and what is sent for them later.

A late piece comes at the end of the same answer, in a `<template for>` that a browser patches into the page as it
parses, or a script of ours does; a lazy one is asked for by the viewer, at an address of its own. Whoever has neither
sees the fallback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import fragments.parse as parse
from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.plan import WRAPPED, Slot, parsed_as

_TEMPLATE = ("<template>", "</template>")
_BODY = parse.Surroundings(("html", "body"), _TEMPLATE)


def waiting(slot: Slot, runtime: Sequence[HeadItem]) -> Fitted:
    """The slot with its fallback, between marks by which a patch in the same answer finds it."""
    if slot.context not in WRAPPED:
        # the marks have to be siblings, so nothing between them may leave an element open that the last one falls into
        slot = replace(slot, fallback=parse.serialise(_fallback(slot)).encode())
    html = f'<?start name="{_name(slot)}"?>'.encode() + slot.filled(slot.fallback) + b"<?end?>"
    return Fitted(html, tuple(runtime), "late")


def _fallback(slot: Slot) -> list[parse.Node]:
    return parse.part(slot.fallback.decode("utf-8", "replace"), *parsed_as(slot.context))


def patch(slot: Slot, html: bytes) -> bytes | None:
    """What takes the place of a slot that waits, wherever in the body it is sent: the slot filled, wrapper and all.

    None if it would not stay in there; then the fallback does.
    """
    if not parse.holds(_BODY, _TEMPLATE, html.decode(), slot.mark):
        return None
    start = parse.start_tag("template", {"for": _name(slot), "data-mf-late": slot.mark})
    return start.encode() + html + b"</template><!---->"  # by what follows a script sees that it is whole


def lazy(slot: Slot, address: str, runtime: Sequence[HeadItem]) -> Fitted:
    """The slot with its fallback, and where a script gets the piece once it is near; a frame for who runs none."""
    before, after = slot.wrapper(more={"data-mf-lazy": address})
    frame = parse.start_tag(
        "iframe", {"src": address, "title": slot.name, "loading": "lazy", "style": "width:100%;border:0"}
    )
    inside = slot.fallback + f"<noscript>{frame}</iframe></noscript>".encode()
    return Fitted(before.encode() + inside + after.encode(), tuple(runtime), "lazy")


def _name(slot: Slot) -> str:
    return f"mf-{slot.mark}"
