"""The guard and the ladder: a piece stands in a page only on a rung on which the page around cannot tell.

Each rung fences more in and costs more: light, in a section, in a shadow root, in a frame. What a script does once it
runs (document.write, say) is no markup and only the frame contains it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import fragments.fence as fence
import fragments.frame as frame
import fragments.parse as parse
from fragments.budgets import FORMATTING
from fragments.errors import Uncontained
from fragments.head import METADATA, RULES, HeadItem
from fragments.piece import Piece
from fragments.plan import ISOLATIONS, WRAPPED, Context, Diagnostic, Slot, around, bare, parsed_as


@dataclass(frozen=True, slots=True)
class Fitted:
    html: bytes  # with its wrapper, as it is sent
    head: tuple[HeadItem, ...] = ()
    rung: str = "light"
    title: str | None = None  # only where the slot is primary
    diagnostics: tuple[Diagnostic, ...] = ()
    inside: int = 0  # where the wrapper's content begins
    plain: bool = True  # nothing of it but sheets, hints and modules goes to the head
    module: str = ""  # the public URL of a module that takes it over, if one does
    ids: frozenset[str] = frozenset()  # those that the page's own could be mistaken for
    defines: frozenset[str] = frozenset()  # custom elements


def fit(piece: Piece, slot: Slot, isolation: str = "none") -> Fitted:
    """The piece on the first rung that holds it; `isolation`, or the slot's own if stronger, says where to begin.
    Raises Uncontained if none does."""
    wanted = max(isolation, slot.isolation or "none", key=ISOLATIONS.index)
    for rung in _LADDER[wanted] if slot.context in WRAPPED else _UNWRAPPED[wanted]:
        given = fence.scoped(piece, slot.name) if wanted == "scope" and _scopes(rung, slot) else piece
        fitted = _RUNGS[rung](given, slot)
        if fitted is not None:
            return _told(fitted, given, slot, wanted)
    place = " > ".join(slot.chain)
    raise Uncontained(
        f"No isolation contains the piece for slot '{slot.name}' in {place}. Move the slot, or close tags."
    )


_LADDER = {
    "none": ("light", "section", "shadow", "iframe"),
    "scope": ("light", "section", "shadow", "iframe"),
    "shadow": ("shadow", "iframe"),
    "iframe": ("iframe",),
}
_UNWRAPPED: dict[str, tuple[str, ...]] = {"none": ("light",), "scope": ("light",), "shadow": (), "iframe": ()}
_FRAME_MODULE = "In a frame, a module loads only if its origin answers with Access-Control-Allow-Origin: *."
_ELEMENTS = WRAPPED | {Context.SVG, Context.MATH}  # where an element stands around the piece


def _scopes(rung: str, slot: Slot) -> bool:
    return rung in ("light", "section") and slot.context in _ELEMENTS


def _told(fitted: Fitted, piece: Piece, slot: Slot, wanted: str) -> Fitted:
    said = list(piece.diagnostics)
    if wanted == "scope" and slot.context not in _ELEMENTS:
        said.append(Diagnostic("scope-not-applied", "Where no element can stand around it, no sheet has a scope."))
    if piece.module and slot.context not in WRAPPED:
        said.append(Diagnostic("mount-refused", "No module can take over a slot where no element of ours can stand."))
    if not slot.primary and any(item.kind == RULES for item in piece.head):
        said.append(Diagnostic("piece-rules", "Speculation rules are taken from a primary piece only."))
    framed = fitted.rung == "iframe"
    if framed and (piece.module or any(item.kind == "module" for item in piece.head)):
        said.append(Diagnostic("frame-module", _FRAME_MODULE))
    return Fitted(
        fitted.html,
        fitted.head,
        fitted.rung,
        fitted.title,
        tuple(said),
        fitted.inside,
        _is_plain(fitted.head, fitted.title),
        piece.module if slot.context in WRAPPED and not framed else "",
        piece.ids if fitted.rung in ("light", "section") else frozenset(),
        frozenset() if framed else piece.defines,
    )


def _is_plain(items: tuple[HeadItem, ...], title: str | None) -> bool:
    return title is None and not any(item.kind == "importmap" or item.kind in METADATA for item in items)


# ---- The rungs ------------------------------------------------------------------------------------------------------


def _light(piece: Piece, slot: Slot) -> Fitted | None:
    return _inline(piece, slot, "light", "mf-slot")


def _section(piece: Piece, slot: Slot) -> Fitted | None:
    """A section stops an end tag or a list item from looking further up. Of formatting that the slot's own tag opens
    again, it opens none (13.2.6.4.7): where that may be, it would stand elsewhere."""
    return None if slot.chain[-1].encode() in FORMATTING else _inline(piece, slot, "section", "section")


def _inline(piece: Piece, slot: Slot, rung: str, name: str) -> Fitted | None:
    inside = piece.html.decode()
    if not _holds(piece, slot, bare(slot, name), inside):
        return None
    return _fitted(piece, slot, rung, inside, _brought(piece, slot), name)


def _shadow(piece: Piece, slot: Slot) -> Fitted | None:
    """A declarative shadow root; its sheets go in, for none of the page's reaches there."""
    sheets, others = fence.shadowed(_brought(piece, slot))
    inside = f'<template shadowrootmode="open">{sheets}{piece.html.decode()}</template>'
    if not _holds(piece, slot, bare(slot), inside):
        return None
    return _fitted(piece, slot, "shadow", inside, others)


def _holds(piece: Piece, slot: Slot, wrapper: parse.Wrapper, inside: str) -> bool:
    """Whether the page is safe from the piece, and the piece is read as it is written: there or, if the place changes
    that, where it was read first."""

    def comes_back() -> bool:
        return parse.comes_back(piece.html.decode(), *parsed_as(slot.context))

    page = around(slot)
    if not piece.stable or not parse.holds(page, wrapper, inside, slot.mark, comes_back):
        return False
    if "<search" not in inside and "search" not in slot.chain:
        return True
    chain = tuple("x-search" if name == "search" else name for name in slot.chain)
    return parse.holds(replace(page, chain=chain), wrapper, _SEARCH.sub(r"<\1x-search", inside), slot.mark)


_SEARCH = re.compile("<(/?)search")  # to an older parser it is no block, and stops no list item from looking further up


def _iframe(piece: Piece, slot: Slot) -> Fitted | None:
    """One attribute's text: nothing in it is markup to the page."""
    if not parse.holds(around(slot), bare(slot), "<iframe></iframe>", slot.mark):
        return None
    return _fitted(piece, slot, "iframe", frame.element(piece, slot), ())


def _brought(piece: Piece, slot: Slot) -> tuple[HeadItem, ...]:
    return tuple(item for item in piece.head if slot.primary or item.kind not in METADATA)


def _fitted(
    piece: Piece, slot: Slot, rung: str, inside: str, items: tuple[HeadItem, ...], name: str = "mf-slot"
) -> Fitted:
    classes = " ".join(filter(None, (dict(slot.kept).get("class"), piece.classes)))
    roots = {"class": classes, "lang": piece.lang, "dir": piece.dir, **dict(piece.data)}
    written = {key: value for key, value in roots.items() if value is not None and (value or key not in _ROOTS)}
    if piece.module and slot.context in WRAPPED and rung != "iframe":
        written |= {"data-mf-module": piece.module, "data-mf-base": piece.base}
    before, after = slot.wrapper(name, written)
    html = f"{before}{inside}{after}".encode()
    return Fitted(html, items, rung, piece.title if slot.primary else None, inside=len(before.encode()))


_ROOTS = frozenset({"class", "lang", "dir"})  # which say nothing when they are empty
_RUNGS: dict[str, Callable[[Piece, Slot], Fitted | None]] = {
    "light": _light,
    "section": _section,
    "shadow": _shadow,
    "iframe": _iframe,
}
