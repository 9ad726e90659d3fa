"""The guard and the ladder: a piece stands in a page only on a rung on which the page around cannot tell.

Each rung fences more in and costs more: light, in a section, in a shadow root, in a frame. What a script does once it
runs (document.write, say) is no markup and only the frame contains it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import fragments.parse as parse
from fragments.errors import Uncontained
from fragments.head import METADATA, STYLES, HeadItem
from fragments.piece import Piece
from fragments.plan import ISOLATIONS, WRAPPED, Diagnostic, Slot, around, bare


@dataclass(frozen=True, slots=True)
class Fitted:
    html: bytes  # with its wrapper, as it is sent
    head: tuple[HeadItem, ...] = ()
    rung: str = "light"
    title: str | None = None  # only where the slot is primary
    diagnostics: tuple[Diagnostic, ...] = ()
    inside: int = 0  # where the wrapper's content begins
    plain: bool = True  # nothing of it but sheets, hints and modules goes to the head


def fit(piece: Piece, slot: Slot, isolation: str = "none") -> Fitted:
    """The piece on the first rung that holds it; `isolation`, or the slot's own if stronger, says where to begin.
    Raises Uncontained if none does."""
    wanted = max(isolation, slot.isolation or "none", key=ISOLATIONS.index)
    for rung in _LADDER[wanted] if slot.context in WRAPPED else _UNWRAPPED[wanted]:
        fitted = _RUNGS[rung](piece, slot)
        if fitted is not None:
            return _told(fitted, piece, wanted)
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


def _told(fitted: Fitted, piece: Piece, wanted: str) -> Fitted:
    said = piece.diagnostics
    if wanted == "scope" and fitted.rung in ("light", "section"):
        said += (Diagnostic("scope-not-applied", "Sheets of the piece are not scoped to its slot. Use shadow."),)
    return Fitted(
        fitted.html, fitted.head, fitted.rung, fitted.title, said, fitted.inside, _is_plain(fitted.head, fitted.title)
    )


def _is_plain(items: tuple[HeadItem, ...], title: str | None) -> bool:
    return title is None and not any(item.kind == "importmap" or item.kind in METADATA for item in items)


# ---- The rungs ------------------------------------------------------------------------------------------------------


def _light(piece: Piece, slot: Slot) -> Fitted | None:
    return _inline(piece, slot, "light", "mf-slot")


def _section(piece: Piece, slot: Slot) -> Fitted | None:
    """A section stops an end tag or a list item from looking further up."""
    return _inline(piece, slot, "section", "section")


def _inline(piece: Piece, slot: Slot, rung: str, name: str) -> Fitted | None:
    inside = piece.html.decode()
    if not piece.stable or not parse.holds(around(slot), bare(slot, name), inside, slot.mark):
        return None
    return _fitted(piece, slot, rung, inside, _brought(piece, slot), name)


def _shadow(piece: Piece, slot: Slot) -> Fitted | None:
    """A declarative shadow root; its sheets go in, for none of the page's reaches there."""
    brought = _brought(piece, slot)
    sheets = "".join(item.html.decode() for item in brought if item.kind in STYLES)
    inside = f'<template shadowrootmode="open">{sheets}{piece.html.decode()}</template>'
    if not piece.stable or not parse.holds(around(slot), bare(slot), inside, slot.mark):
        return None
    return _fitted(piece, slot, "shadow", inside, tuple(item for item in brought if item.kind not in STYLES))


def _iframe(piece: Piece, slot: Slot) -> Fitted | None:
    """A document of its own, as one attribute's text: nothing in it is markup to the page."""
    page = parse.quoted(_document(piece))
    style = "display:block;width:100%;border:0"
    inside = f'<iframe title="{parse.quoted(slot.name)}" style="{style}" srcdoc="{page}"></iframe>'
    if not parse.holds(around(slot), bare(slot), "<iframe></iframe>", slot.mark):
        return None
    return _fitted(piece, slot, "iframe", inside, ())


def _document(piece: Piece) -> str:
    roots = {"lang": piece.lang, "dir": piece.dir, "class": piece.classes}
    html = parse.start_tag("html", {name: value for name, value in roots.items() if value})
    head = "".join(_as_markup(item) for item in piece.head)
    title = f"<title>{parse.text(piece.title or '')}</title>"
    return f"<!doctype html>{html}<head>{title}{head}</head><body>{piece.html.decode()}</body></html>"


def _as_markup(item: HeadItem) -> str:
    html = item.html.decode()
    return f'<script type="importmap">{html}</script>' if item.kind == "importmap" else html


def _brought(piece: Piece, slot: Slot) -> tuple[HeadItem, ...]:
    return tuple(item for item in piece.head if slot.primary or item.kind not in METADATA)


def _fitted(
    piece: Piece, slot: Slot, rung: str, inside: str, items: tuple[HeadItem, ...], name: str = "mf-slot"
) -> Fitted:
    classes = " ".join(filter(None, (dict(slot.kept).get("class"), piece.classes)))
    roots = {"class": classes, "lang": piece.lang, "dir": piece.dir}
    before, after = slot.wrapper(name, {key: value for key, value in roots.items() if value})
    html = f"{before}{inside}{after}".encode()
    return Fitted(html, items, rung, piece.title if slot.primary else None, inside=len(before.encode()))


_RUNGS: dict[str, Callable[[Piece, Slot], Fitted | None]] = {
    "light": _light,
    "section": _section,
    "shadow": _shadow,
    "iframe": _iframe,
}
