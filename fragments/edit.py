"""Edits in place: what replaces which bytes. Every byte that no edit names stays as it was."""

from __future__ import annotations


class Edits:
    """Replacements in one source, added from left to right and never overlapping."""

    def __init__(self) -> None:
        self._edits: list[tuple[int, int, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._edits)

    def __repr__(self) -> str:
        return f"<Edits: {len(self._edits)}>"

    def replace(self, start: int, end: int, new: bytes) -> None:
        assert not self._edits or self._edits[-1][1] <= start, "edits go from left to right"
        self._edits.append((start, end, new))

    def insert(self, at: int, new: bytes) -> None:
        self.replace(at, at, new)

    def apply(self, source: bytes, start: int = 0, end: int | None = None) -> bytes:
        """`source[start:end]` with the edits made."""
        parts: list[bytes] = []
        at = start
        for begin, stop, new in self._edits:
            parts += (source[at:begin], new)
            at = stop
        parts.append(source[at:end])
        return b"".join(parts)
