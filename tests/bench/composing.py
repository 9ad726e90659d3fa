"""What a shell and a piece never seen before cost, without sockets: plans compiled, answers read and fitted.

Both happen when something enters the cache, on the loop that everybody else waits for. The best round counts; and of
what nobody would write, how much longer four times as much takes. A child measures, in the Python that is asked about.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import fragments.contain as contain
import fragments.piece as piece
import fragments.plan as plan
import tests.bench.pages as made
from fragments.errors import FragmentsError
from fragments.urls import Place
from tests.bench.table import Figure, Table
from tests.bench.wrk import Unfit
from tests.fragments.documents_of_strangers import pages as strangers

ROOT = Path(__file__).parents[2]
PLACE = Place("/hotels", frozenset({"http://hotels.internal:8000"}), base="/hotels/deals", public="http://shop.test")
COST = ("work", "what", "ms", "bytes", "bytes/tag")
GROWTH = ("2 MB of", "what", "s", "times 0.5 MB")
SHELL_BYTES, PIECE_BYTES, ODD_BYTES = 100_000, 20_000, 2_000_000
LONGEST = 600  # seconds
SLOT = '<mf-slot name="a.deals" city="paris"><p>Soon.</p></mf-slot>'
SHELL = '<mf-slot name="a"></mf-slot>'

ROOM = (
    '<li class="result result--wide" data-n="%d"><a class="link link--quiet" href="/rooms/7?city=paris">A room'
    ' with a view</a> <span class="price price--now">from 123 euros a night</span> and breakfast is included</li>\n'
)
CARD = """<article class="card card--deal" data-id="%d">
  <a class="card__link" href="/rooms/7?city=paris&amp;nights=2"><img class="card__pic" src="/img/7.jpg"
    srcset="/img/7.jpg 1x, /img/7@2x.jpg 2x" alt="A room over the old harbour" width="320" height="200"></a>
  <h3 class="card__title">Harbour view, room number 7</h3>
  <p class="card__text">Two nights for two, breakfast is included and the dog may come. <strong>From 123.</strong></p>
</article>
"""
ROW = (
    '<tr><td>%d</td><td><a href="/book/7">Room 7</a></td><td class="num">123.40</td><td><svg viewBox="0 0 24 24">'
    '<path d="M12 2l3 7h7l-6 4 2 7-6-4-6 4 2-7-6-4h7z"/></svg></td><td><button name="pick">Choose</button></td></tr>\n'
)
PROSE = (
    '<p>Item %d. Once there was a <em>harbour</em> with a <a href="/lantern">lantern</a>, a meadow, and willows; people'
    " came by ferry and bought letters at the market.</p>\n<ul><li>one <code>x</code></li><li>two</li></ul>\n"
)
ODD = {
    "slots": b"<mf-slot name=a></mf-slot>",
    "slots never closed": b"<mf-slot name=a>",
    "slots in text": b"mf-slot= ",
    "comments": b"<!--mf:slot name=a-->",
    "templates": b"<template mf-slot=a></template>",
    "ends of the body": b"x</body>",
    "scripts": b"<script><mf-slot </script>",
    "metadata": b"<meta name=x>",
    "tables": b"<table>",
    "quotes": b"\"'",
    "<": b"<",
}


def shells() -> dict[str, bytes]:
    """Pages of 100 KB: prose, a list with many tags, and documentation out of an installed package."""
    return {"prose": _prose(), "a list of results": _results(), "a stranger's page": _stranger()}


def pieces() -> dict[str, bytes]:
    """Answers of 20 KB: cards, the rows of a table, and a whole document."""
    return {
        "cards": _repeated('<section class="deals"><h2>Deals</h2>', CARD, "</section>", PIECE_BYTES),
        "a table": _repeated("<table><thead><tr><th>No</th></tr></thead><tbody>", ROW, "</tbody></table>", PIECE_BYTES),
        "a document": _repeated(
            '<!doctype html><html lang="en"><head><title>T</title><link rel="stylesheet" href="/s.css"></head><body>',
            PROSE,
            '<script type="module" src="/m.js"></script></body></html>',
            PIECE_BYTES,
        ),
    }


def _repeated(before: str, each: str, after: str, size: int) -> bytes:
    count = (size - len(before) - len(after)) // len(each)
    return (before + "".join(each % number for number in range(count)) + after).encode()


def _prose() -> bytes:
    text = made.shell(lambda number: f"{SHELL}{number}")
    before, first, second, *others = text.split(SHELL)
    return SHELL.join([before, first * ((SHELL_BYTES - len(text)) // len(first) + 1), second, *others]).encode()


def _results() -> bytes:
    before = f'<!doctype html><html lang="en"><head><title>T</title></head><body><header>{SLOT}</header><main><ul>'
    return _repeated(before, ROOM, f"</ul>{SLOT}</main>{SLOT}</body></html>", SHELL_BYTES)


def _stranger() -> bytes:
    page = min((path.read_bytes() for path in strangers()), key=lambda page: abs(len(page) - SHELL_BYTES))
    body = page.index(b">", page.index(b"<body")) + 1
    end = page.rindex(b"</body")
    return page[:body] + SLOT.encode() + page[body:end] + SLOT.encode() + page[end:]


def tables(python: str, rounds: int) -> list[Table]:
    """What a child with this Python measures. It is given the shells, as it may lack the packages they are from."""
    given = json.dumps({name: page.decode("latin-1") for name, page in shells().items()})
    asked = [python, "-m", "tests.bench.composing", str(rounds)]
    done = subprocess.run(asked, input=given, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST)
    if done.returncode:
        raise Unfit(f"{python} cannot compose: {(done.stderr.strip() or 'it says nothing').splitlines()[-1]}")
    return [_table(said) for said in json.loads(done.stdout)]


def _table(said: dict[str, Any]) -> Table:
    figures = [Figure(**{**each, "cells": tuple(each["cells"]), "rounds": ()}) for each in said["figures"]]
    return Table(**{**said, "columns": tuple(said["columns"]), "figures": figures})


def measured(shells: Mapping[str, bytes], rounds: int) -> list[Table]:
    """The figures of this process and its Python."""
    (slot,) = plan.compile(f"<!doctype html><main><div>{SHELL}</div></main>".encode()).slots

    def composed(answer: bytes) -> object:
        return contain.fit(piece.read(answer, "text/html", PLACE, slot.context), slot)

    costs = [_cost("compile a shell", name, page, plan.compile, 5.0, rounds) for name, page in shells.items()]
    costs += [_cost("read and fit a piece", name, page, composed, 1.5, rounds) for name, page in pieces().items()]
    return [
        Table("composing", "Composing: never seen before, one core", COST, costs, at_most=True),
        Table("composing", "Shells nobody would write: four times as much", GROWTH, _growths(), at_most=True),
    ]


def _cost(work: str, name: str, page: bytes, done: Callable[[bytes], object], ceiling: float, rounds: int) -> Figure:
    """The best of many: what else ran on this core is nobody's merit."""
    best = 1000 * min(_timed(lambda: done(page)) for _ in range(15 * rounds))
    cells = (f"{best:.2f}", f"{len(page):,}", f"{len(page) / page.count(b'<'):.0f}")
    return Figure(work, name, cells, best, ceiling)


def _growths() -> list[Figure]:
    figures = []
    for name, bit in ODD.items():
        quarter, whole = _timed(partial(_tried, bit, ODD_BYTES // 4)), _timed(partial(_tried, bit, ODD_BYTES))
        figures.append(Figure(name, "compile", (f"{whole:.2f}", f"{whole / quarter:.1f}"), whole / quarter, 6.0))
    return figures


def _tried(bit: bytes, size: int) -> None:
    with suppress(FragmentsError):
        plan.compile(bit * (size // len(bit)))


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    read = {name: text.encode("latin-1") for name, text in json.load(sys.stdin).items()}
    print(json.dumps([asdict(table) for table in measured(read, int(sys.argv[1]))]))
