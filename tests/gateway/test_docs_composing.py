"""The page about composing shows what the code does: its tables are worked out by the code.

`python -m tests.gateway.test_docs_composing` writes them.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import fragments.cutting as cutting
import fragments.dialects as dialects
import fragments.directives as directives
import fragments.placing as placing
import fragments.sift as sift
import gateway.proxy.asking as asking
import gateway.proxy.composition as composition
import gateway.proxy.scoped as scoped
import gateway.proxy.slots as slots
import gateway.rules.algebra as algebra
from fragments.budgets import GROWTH, PIECE, SHELL, SLACK
from gateway.message import Fields, Head
from gateway.rules.algebra import STAND_IN, Part
from gateway.settings import Settings
from tests.house.tree import MODULES

PAGE = Path(__file__).parents[2] / "docs" / "composing.md"
MARKED = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)
FALLBACK = "(its slot's content)"

# the shell and its pieces, each as fresh as it says; what none of the gateway's caches may keep has no such time
LIFETIMES: tuple[tuple[str, ...], ...] = (
    ("max-age=60", "max-age=30"),
    ("max-age=60, s-maxage=600", "max-age=30"),
    ("max-age=60", "s-maxage=600"),
    ("max-age=60", "private, max-age=20"),
    ("max-age=60", "private"),
    ("max-age=60", "no-cache"),
    ("max-age=60", "no-store"),
    ("max-age=60", "max-age=60, must-revalidate"),
    ("max-age=60", "max-age=20, stale-while-revalidate=30"),
    ("max-age=60", "max-age=60, stale-while-revalidate=30"),
    ("max-age=60", ""),
    ("max-age=60", FALLBACK),
    ("private, max-age=60", "max-age=20"),
    ("max-age=60", "max-age=30", "private, max-age=20", "must-revalidate, max-age=40"),
)


def part(cache_control: str) -> Part:
    if cache_control == FALLBACK:
        return STAND_IN
    times = re.findall(r"s-maxage=(\d+)", cache_control) or re.findall(r"max-age=(\d+)", cache_control)
    unkept = not times or re.search(r"private|no-cache|no-store", cache_control)
    fields: Fields = [(b"cache-control", cache_control.encode())] if cache_control else []
    return Part(Head(fields), None if unkept else float(times[0]))


def of_lifetimes() -> str:
    rows = ["| Shell | Fragments | Page |\n|---|---|---|\n"]
    for shell, *pieces in LIFETIMES:
        told = algebra.lasting([part(shell), *map(part, pieces)]).after(0.0).decode()
        shown = ", and ".join(said if said == FALLBACK else f"`{said}`" if said else "(nothing)" for said in pieces)
        rows.append(f"| `{shell}` | {shown} | `{told}` |\n")
    return "".join(rows)


def of_fields() -> str:
    rules = {name: sentence(rule) for name, rule in algebra.WORKED_OUT.items()}
    rules[b"cache-control"] = sentence(algebra.lasting)
    rules[b"set-cookie"] = sentence(algebra.cookies)
    rules[b"etag"] = sentence(algebra.etag)
    rows = [f"| `{name.decode()}` | {rules[name]} |\n" for name in sorted(rules)]
    return "".join(["| Field | What the page says |\n|---|---|\n", *rows])


def sentence(rule: object) -> str:
    return (inspect.getdoc(rule) or "").partition("\n")[0]


def of_gone() -> str:
    gone = algebra.GONE - {b"cache-control", b"content-type", b"etag"}
    return ", ".join(f"`{name.decode()}`" for name in sorted(gone)) + ", and any `…-cache-control`\n"


def mebi(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def of_limits() -> str:
    """What a page may cost, and what comes of more."""
    settings = Settings()
    rows = [
        ("a page", f"`page_bytes`, {mebi(settings.page_bytes)}, and {mebi(SHELL.size)} in any case", _AS_IT_IS),
        ("", f"{SHELL.depth} levels deep, {SHELL.tags:,} tags", _AS_IT_IS),
        ("", f"{cutting.MOST} slots", "the others are left as they are"),
        (
            "",
            f"{composition.MOST} fetches, with those of fragments' own slots and of alternatives; "
            "what is stored counts, `lazy` does not",
            "its slot shows its content: `unknown`",
        ),
        ("", f"{slots.DEEPEST} fragments in one another", "its slot shows its content: `unknown`"),
        (
            "",
            f"`page_deadline`, {settings.page_deadline:g} s, or the mount's `deadline`",
            "open slots show their content",
        ),
        ("", f"{mebi(algebra.HINTS)} of `Link` from its pieces", "the others are left out"),
        ("in ESI or SSI", f"{directives.MOST:,} directives", "the others are text"),
        ("", f"{directives.DEPTH} in one another", "the tags of those inside go"),
        ("", f"{mebi(dialects.GROWTH)} once they are done", _AS_IT_IS),
        ("a fragment", f"{asking.QUERY} bytes of a visitor's query", "longer parameters are left out"),
        ("", f"{mebi(PIECE.size)}, {PIECE.depth} levels deep, {PIECE.tags:,} tags", _REFUSED),
        ("", f"{PIECE.formatting} unclosed formatting elements, {PIECE.attributes:,} attributes on a tag", _REFUSED),
        ("", f"{GROWTH} times its size, and {mebi(SLACK)}, once it is closed properly", _REFUSED),
        ("", f"{sift._MAPS} import maps", "the others are left out"),
        ("a sheet in `scope` or `shadow`", mebi(scoped.LONGEST), "it is sent empty"),
    ]
    told = (f"| {what or ' '} | {limit} | {beyond} |\n".replace("|   |", "| |") for what, limit, beyond in rows)
    return "".join(["| Of | At most | Beyond that |\n|---|---|---|\n", *told])


_AS_IT_IS = "it is sent as it is, without its fragments: `uncomposed` in the log"
_REFUSED = "it counts as failed: `refused`"
MADE: dict[str, Callable[[], str]] = {
    "lifetimes": of_lifetimes,
    "fields": of_fields,
    "gone": of_gone,
    "limits": of_limits,
}


@pytest.mark.parametrize("part", MADE)
def test_the_page_shows_what_the_code_does(part: str) -> None:
    shown = {found[2]: found[3] for found in MARKED.finditer(PAGE.read_text())}
    assert shown[part] == MADE[part](), "run python -m tests.gateway.test_docs_composing"


def test_every_field_that_is_worked_out_is_told() -> None:
    told = set(re.findall(r"^\| `([a-z-]+)` \|", of_fields(), re.M))
    assert {name.decode() for name in algebra.WORKED_OUT} < told


SAID = re.compile(r"(?:Diagnostic\(|\.say\(|{name}: )\s*\"?([a-z]+(?:-[a-z]+)+)(?:\"|:)")
OF_PIECES = ("piece", "sift", "contain", "fence", "clashes")


def codes() -> set[str]:
    """What may be said of a piece, found in the source of those who say it."""
    rooms = [*(f"fragments.{name}" for name in OF_PIECES), "gateway.proxy.scoped"]
    return {code for room in rooms for code in SAID.findall(MODULES[room].read_text())}


def test_every_code_of_a_piece_is_told_and_no_other() -> None:
    page = PAGE.read_text()
    section = page[page.index("## What the log says of a piece") : page.index("## Limits")]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.M)) == codes()
    assert {"piece-meta", "id-twice", "frame-module", "sheet-not-scoped"} < codes()


def test_every_attribute_of_a_slot_is_told() -> None:
    page = PAGE.read_text()
    section = page[page.index("| Attribute |") : page.index("## Time")]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.M)
    assert {name for row in rows for name in re.findall(r"`([a-z]+)`", row)} == placing._OWN - {"data-mf-slot"}


def test_every_attribute_that_is_read_of_tailor_is_told_to_who_comes_from_there() -> None:
    read = set(
        re.findall(r'given(?:\.get\(|\[)"([a-z-]+)"|"([a-z-]+)" in given', inspect.getsource(dialects._tailored))
    )
    page = PAGE.read_text()
    section = page[page.index("| Tailor | Here |") : page.index("| ESI | Here |")]
    assert {"src", "primary", "async"} < (names := {either or other for either, other in read})
    assert not {name for name in names if not re.search(rf"^\| `[^|]*\b{name}\b[^|]*` \|", section, re.M)}


if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda at: at[1] + MADE[at[2]]() + at[4] if at[2] in MADE else at[0], PAGE.read_text()))
