"""How fast bodies are edited, without sockets: pages and sheets of installed packages, and the worst made up.

Throughput on what people write; on what nobody would, how much longer four times as much takes, and the longest single
step of the gateway, which is how long everybody else waits.
"""

import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import fragments.rewrite as rewrite
from fragments.urls import Place
from gateway.proxy.mounting import SLICE
from tests.bench.table import Figure, Table
from tests.fragments.documents_of_strangers import PACKAGES, pages

MB = 1_000_000
PLACE = Place("/hotels", frozenset({"http://hotels.internal:8000"}), ("/pets",), public="http://shop.test")
OPENING = b'<script src="/-/browser/mount.js"></script>'
LARGE = 10 * MB
SPEEDS = ("bodies", "what", "MB/s", "bytes")
STEPS = ("10 MB of", "what", "longest step ms", "whole s")
GROWTH = ("10 MB of", "what", "times 2.5 MB")
ODD = {
    "text": b"All work and no play. ",
    "links": b'<a href="/x">y</a>',
    "<a ": b"<a ",
    "<": b"<",
    "& in values": b'<a title="&&&&&&&&&&&&&&&">',
    "quotes": b"\"'",
    "comments never closed": b"<!-- ",
    "a script never closed": b"<script>",
    "attributes": b" a=/x",
    "nested svg": b"<svg>",
    "url( in style": b"<p style='background:url(/x)'>",
}
ODD_SHEETS = {
    "rules": b"a{background:url(/x)}",
    "url(": b"url(",
    "strings never closed": b'"\\',
    "comments never closed": b"/*",
    "image-set(": b"image-set(",
    "@import": b"@import ",
}


def tables(rounds: int) -> list[Table]:
    sheets = [path.read_bytes() for path in _sheets()]
    speeds = [
        _speed("pages of packages", "text/html", [path.read_bytes() for path in pages()], 25.0, rounds),
        _speed("sheets of packages", "text/css", sheets, 40.0, rounds),
    ]
    odd = [("text/html", name, piece) for name, piece in ODD.items()]
    odd += [("text/css", name, piece) for name, piece in ODD_SHEETS.items()]
    steps, growth = [], []
    for kind, name, piece in odd:
        longest, whole = _stepped(kind, piece, LARGE)
        quarter = _stepped(kind, piece, LARGE // 4)[1]
        steps.append(Figure(name, kind, (f"{longest * 1000:.1f}", f"{whole:.2f}"), longest * 1000, 50.0))
        growth.append(Figure(name, kind, (f"{whole / quarter:.1f}",), whole / quarter, 6.0))
    return [
        Table("rewriting", "Editing bodies: never seen before, one core", SPEEDS, speeds),
        Table("rewriting", "Editing what nobody would write: the longest step", STEPS, steps, at_most=True),
        Table("rewriting", "Editing what nobody would write: four times as much", GROWTH, growth, at_most=True),
    ]


def _sheets() -> list[Path]:
    found: list[Path] = []
    for package in PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found += sorted(Path(folder).rglob("*.css"))
    return found


def _speed(work: str, kind: str, bodies: Sequence[bytes], floor: float, rounds: int) -> Figure:
    """The best round: what else ran on this core is nobody's merit."""
    size = sum(map(len, bodies))
    best = min(_timed(lambda: [_edited(kind, body) for body in bodies]) for _ in range(rounds))
    return Figure(work, kind, (f"{size / best / MB:.1f}", f"{size:,}"), size / best / MB, floor)


def _stepped(kind: str, piece: bytes, size: int) -> tuple[float, float]:
    """Seconds of the longest step, and of all together."""
    body = piece * (size // len(piece))
    editing = rewrite.rewriter(kind, PLACE, OPENING)
    assert editing is not None
    steps = [
        _timed(lambda at=at: editing.feed(body[at : at + SLICE]))  # type: ignore[misc]  # a default binds the loop's value
        for at in range(0, len(body), SLICE)
    ]
    steps.append(_timed(editing.close))
    return max(steps), sum(steps)


def _edited(kind: str, body: bytes) -> bytes:
    editing = rewrite.rewriter(kind, PLACE, OPENING)
    assert editing is not None
    return editing.feed(body) + editing.close()


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
