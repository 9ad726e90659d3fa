"""Filling a plan: at once or in order, parts kept apart, heads filled once, and whole pages as golden pairs."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragments.contain import Fitted, fit
from fragments.piece import read
from fragments.plan import Plan, compile
from fragments.stitch import Fallback, Filling, Nothing, Stitch, page
from fragments.urls import Place

CASES = Path(__file__).parent / "cases" / "stitch"


def plan(shell: str) -> Plan:
    return compile(shell.encode())


def fill(plan: Plan, at: int, source: str, prefix: str = "/cart") -> Fitted:
    slot = plan.slots[at]
    return fit(read(source.encode(), "text/html", Place(prefix, base=f"{prefix}/f"), slot.context), slot)


def stitched(shell: str, *sources: str) -> str:
    """The page with the marks left out, for reading."""
    made = plan(shell)
    html = b"".join(page(made, [fill(made, at, source) for at, source in enumerate(sources)])).decode()
    for slot in made.slots:
        html = html.replace(f' data-mf-slot="{slot.mark}"', "").replace(slot.mark, "@")
    return html


def golden(folder: Path) -> bytes:
    """Each slot's piece is the file of its name, shown below the prefix of its name; without a file it failed."""
    made = compile((folder / "shell.html").read_bytes())
    fillings: list[Filling] = []
    for slot in made.slots:
        file = folder / f"{slot.name}.html"
        place = Place(f"/{slot.name}", base=f"/{slot.name}/fragments/x")
        missing: Filling = Nothing() if slot.optional else Fallback()
        answered = file.exists()
        fillings.append(fit(read(file.read_bytes(), "text/html", place, slot.context), slot) if answered else missing)
    return b"".join(page(made, fillings))


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_golden(folder: Path) -> None:
    assert golden(folder).decode() == (folder / "page.html").read_text()


A = '<mf-slot name="a"><i>F</i></mf-slot>'
B = '<mf-slot name="b"></mf-slot>'
SHEET = "<link rel=stylesheet href=/s.css>"
MODULE = "<script type=module src=/m.js></script>"

PAGES = [
    pytest.param(
        f"<header>{A}</header>", ["<b>x"], '<header><mf-slot name="a"><b>x</b></mf-slot></header>', id="slot-plain"
    ),
    pytest.param(
        f"<head></head>{A}{B}",
        [SHEET + "<p>a", SHEET + "<p>b"],
        '<head><link rel="stylesheet" href="/cart/s.css"></head>'
        '<mf-slot name="a"><p>a</p></mf-slot><mf-slot name="b"><p>b</p></mf-slot>',
        id="piece-css-once",
    ),
    pytest.param(
        f"<head></head>{A}{B}",
        [MODULE, MODULE],
        '<head><script type="module" src="/cart/m.js"></script></head>'
        '<mf-slot name="a"></mf-slot><mf-slot name="b"></mf-slot>',
        id="piece-module-once",
    ),
    pytest.param(
        '<head><link rel=stylesheet href="/cart/s.css"></head>' + A,
        [SHEET],
        '<head><link rel=stylesheet href="/cart/s.css"></head><mf-slot name="a"></mf-slot>',
        id="not what the shell has already",
    ),
    pytest.param(
        "<title>S</title><mf-slot name=a primary></mf-slot>",
        ["<title>T&lt;</title><p>x"],
        '<title>T&lt;</title><mf-slot name="a"><p>x</p></mf-slot>',
        id="piece-primary-title",
    ),
    pytest.param(
        "<mf-slot name=a primary></mf-slot>",
        ["<title>T</title><meta name=robots content=x>"],
        '<title>T</title><meta name="robots" content="x"><mf-slot name="a"></mf-slot>',
        id="a title where there was none",
    ),
    pytest.param(
        f"<title>S</title>{A}",
        ["<title>T</title><link rel=canonical href=/c>"],
        '<title>S</title><mf-slot name="a"></mf-slot>',
        id="none but the primary names the page",
    ),
    pytest.param(
        "<title>S</title><link rel=canonical href=/s><mf-slot name=a primary></mf-slot>",
        ["<link rel=canonical href=/c>"],
        '<title>S</title><link rel="canonical" href="/cart/c"><mf-slot name="a"></mf-slot>',
        id="one canonical address",
    ),
    pytest.param(
        f'<script type=importmap>{{"imports":{{"lib":"/lib1.js"}}}}</script>{A}',
        ['<script type=importmap>{"imports":{"lib":"/lib2.js"}}</script>'],
        '<script type=importmap>{"imports":{"lib":"/lib1.js"},"scopes":{"/cart/":{"lib":"/cart/lib2.js"}}}</script>'
        '<mf-slot name="a"></mf-slot>',
        id="piece-importmap",
    ),
    pytest.param(
        f"<head><script type=module src=/app.js></script></head>{A}",
        ['<script type=importmap>{"imports":{"lib":"/lib2.js"}}</script>' + SHEET],
        '<head><script type="importmap">{"scopes":{"/cart/":{"lib":"/cart/lib2.js"}}}</script>'
        '<script type=module src=/app.js></script><link rel="stylesheet" href="/cart/s.css"></head>'
        '<mf-slot name="a"></mf-slot>',
        id="an import map before any module",
    ),
    pytest.param(
        f"<script type=importmap>oops</script>{A}",
        ["<script type=importmap>{}</script>"],
        '<script type=importmap>oops</script><mf-slot name="a"></mf-slot>',
        id="a map that cannot be read is left alone",
    ),
    pytest.param(
        f"<head>{A}<title>T</title></head>{B}",
        ["<meta name=k content=v>", SHEET],
        '<head><!--mf:@--><meta name="k" content="v"><!--/mf:@--><title>T</title>'
        '<link rel="stylesheet" href="/cart/s.css"></head><mf-slot name="b"></mf-slot>',
        id="slot-in-head",
    ),
    pytest.param(
        f"<table>{A}</table>",
        ["<tr><td>1"],
        "<table><!--mf:@--><tbody><tr><td>1</td></tr></tbody><!--/mf:@--></table>",
        id="slot-element-in-table",
    ),
    pytest.param(
        f"{A}{B}", ["<!--", "-->"], '<mf-slot name="a"></mf-slot><mf-slot name="b">--&gt;</mf-slot>', id="pair"
    ),
]


@pytest.mark.parametrize(("shell", "sources", "expected"), PAGES)
def test_page(shell: str, sources: list[str], expected: str) -> None:
    assert stitched(shell, *sources) == expected


def test_a_failed_slot_shows_its_fallback_and_an_empty_one_nothing() -> None:
    made = plan(f"{A}|{A}")
    first, second = made.slots
    assert b"".join(page(made, [Fallback(), Nothing()])).decode() == (
        f'<mf-slot name="a" data-mf-slot="{first.mark}"><i>F</i></mf-slot>|'
        f'<mf-slot name="a" data-mf-slot="{second.mark}"></mf-slot>'
    )


def test_a_page_without_slots_is_the_shell() -> None:
    assert b"".join(page(plan("<p>x"), [])) == b"<p>x"


def test_parts_are_the_plan_and_the_pieces_themselves() -> None:
    made = plan(f"<head><title>T</title></head><p>1{A}2")
    piece = fill(made, 0, SHEET + "x")
    parts = page(made, [piece])
    before, after = made.hoisted[0]
    assert parts == [before, piece.head[0].html, after, piece.html, b"2"]
    assert parts[0] is before and parts[2] is after and parts[3] is piece.html and parts[4] is made.literals[1]


@pytest.mark.parametrize("source", ["<title>T</title>", SHEET, "x"])
def test_a_plan_without_a_head_gets_nothing_into_it(source: str) -> None:
    made = replace(plan("<p><mf-slot name=a primary></mf-slot>"), hoist=None)
    piece = fill(made, 0, source)
    assert b"".join(page(made, [piece])) == b"<p>" + piece.html
    stitch = Stitch(made, [None])
    assert stitch.open() == [b"", b"<p>"]
    assert (LINK in b"".join(stitch.fill(piece))) is (source == SHEET)


HEAD = "<head><title>S</title></head>"
LINK = b'<link rel="stylesheet" href="/cart/s.css">'


def test_in_order_up_to_what_is_not_known() -> None:
    made = plan(f"1{A}2{B}3{B}4")
    known = fill(made, 1, "b")
    stitch = Stitch(made, [None, known, None])
    assert b"".join(stitch.open()) == b"1"
    assert stitch.waiting == "a"
    assert repr(stitch) == "<Stitch 1/3, waiting for a>"
    assert b"".join(stitch.fill(Fallback())) == made.fallbacks[0] + b"2" + known.html + b"3"
    assert stitch.waiting == "b"
    assert b"".join(stitch.fill(Nothing())) == made.empties[2] + b"4"
    assert stitch.waiting is None


def test_known_pieces_bring_to_the_head_wherever_they_stand() -> None:
    made = plan(f"{HEAD}{A}{B}")
    opened = Stitch(made, [None, fill(made, 1, SHEET)]).open()
    assert LINK + b"</head>" in b"".join(opened)


def test_a_late_piece_carries_what_is_new() -> None:
    made = plan(f"{HEAD}{A}{B}")
    stitch = Stitch(made, [fill(made, 0, SHEET), None])
    stitch.open()
    late = b"".join(stitch.fill(fill(made, 1, SHEET + "<style>b{}</style><p>x")))
    before = made.slots[1].wrapper()[0].encode()
    assert late == before + b"<style>b{}</style><p>x</p></mf-slot>"


def test_late_pieces_bring_each_thing_once() -> None:
    made = plan(f"{HEAD}{A}{B}")
    stitch = Stitch(made, [None, None])
    stitch.open()
    assert LINK in b"".join(stitch.fill(fill(made, 0, SHEET)))
    assert LINK not in b"".join(stitch.fill(fill(made, 1, SHEET)))


def test_while_the_head_is_ahead_it_is_still_filled() -> None:
    made = plan(f"<head>{A}<title>S</title></head><mf-slot name=b primary></mf-slot>")
    stitch = Stitch(made, [None, fill(made, 1, "<title>T</title>" + SHEET)])
    assert b"".join(stitch.open()) == b"<head>"
    rest = b"".join(stitch.fill(fill(made, 0, "<meta name=k content=v>")))
    assert b"<title>T</title>" + LINK + b"</head>" in rest
    assert b'<meta name="k" content="v">' in rest


IMPORTED = b'<style>@import "/cart/s.css" print;</style>'
LATE = [
    pytest.param(
        f"<table>{A}", "<tr><td>1", IMPORTED + b"<style>b{}</style><tbody>", id="a table: a style may, a link not"
    ),
    pytest.param(f"<table><tr>{A}", "<td>1", IMPORTED + b"<style>b{}</style><td>", id="a row"),
    pytest.param(f"<select>{A}", "<option>1", b"<option>", id="options bring nothing"),
]


@pytest.mark.parametrize(("shell", "source", "inside"), LATE)
def test_what_a_late_piece_may_carry_depends_on_its_place(shell: str, source: str, inside: bytes) -> None:
    made = plan(HEAD + shell)
    stitch = Stitch(made, [None])
    stitch.open()
    brought = "<link rel=stylesheet media=print href=/s.css><style>b{}</style>"
    html = b"".join(stitch.fill(fill(made, 0, brought + source)))
    assert html.startswith(made.slots[0].wrapper()[0].encode() + inside)


SOURCES = ["x", SHEET + "<p>y", MODULE, "<style>b{}</style>", "<script type=importmap>{}</script>", "<title>T</title>"]


@given(st.lists(st.sampled_from([*SOURCES, None, ""]), min_size=3, max_size=3), st.sets(st.integers(0, 2)))
def test_filling_in_order_loses_and_repeats_nothing(sources: list[str | None], known: set[int]) -> None:
    made = plan(f"<head>{A}<title>S</title></head>{A}{B}z")
    fillings: list[Filling] = [
        Fallback() if source is None else Nothing() if source == "" else fill(made, at, source)
        for at, source in enumerate(sources)
    ]
    stitch = Stitch(made, [filling if at in known else None for at, filling in enumerate(fillings)])
    html = b"".join(stitch.open())
    while stitch.waiting is not None:
        at = len([slot for slot in made.slots if slot.mark.encode() in html])
        html += b"".join(stitch.fill(fillings[at]))
    whole = b"".join(page(made, fillings))
    assert html.endswith(b"z")
    assert len(html) == len(whole) or set(known) != {0, 1, 2}
    for brought in (LINK, b'<script type="module" src="/cart/m.js">', b"<style>b{}</style>"):
        assert html.count(brought) == whole.count(brought)


# What it costs


def test_warm_parts_are_not_copied() -> None:
    """A page of 100 KB is put together out of the parts as they are: what is new is the list of them."""
    row = "<p>" + "x" * 4000 + "</p>"
    shell = plan(f"<!doctype html><title>t</title><body>{row * 10}{'<mf-slot name=a></mf-slot>' * 5}{row}")
    pieces = [fill(shell, at, f"<b>{at}</b>{row * 3}") for at in range(5)]
    page(shell, pieces)
    tracemalloc.start()
    parts = page(shell, pieces)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(b"".join(parts)) > 100_000
    assert most < 8_000, held
    own = {id(each) for each in (*shell.literals, *(half for halves in shell.hoisted for half in halves))}
    assert all(id(part) in own or any(part is each.html for each in pieces) for part in parts)
