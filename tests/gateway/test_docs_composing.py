"""The page about composing shows what the code does: its tables are worked out by the code.

`python -m tests.gateway.test_docs_composing` writes them.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import gateway.rules.algebra as algebra
from gateway.message import Fields, Head
from gateway.rules.algebra import STAND_IN, Part

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


MADE: dict[str, Callable[[], str]] = {"lifetimes": of_lifetimes, "fields": of_fields, "gone": of_gone}


@pytest.mark.parametrize("part", MADE)
def test_the_page_shows_what_the_code_does(part: str) -> None:
    shown = {found[2]: found[3] for found in MARKED.finditer(PAGE.read_text())}
    assert shown[part] == MADE[part](), "run python -m tests.gateway.test_docs_composing"


def test_every_field_that_is_worked_out_is_told() -> None:
    told = set(re.findall(r"^\| `([a-z-]+)` \|", of_fields(), re.M))
    assert {name.decode() for name in algebra.WORKED_OUT} < told


if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda at: at[1] + MADE[at[2]]() + at[4] if at[2] in MADE else at[0], PAGE.read_text()))
