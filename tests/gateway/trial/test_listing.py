"""What is told of a shell: columns for people, the same as JSON."""

import json

import pytest

import gateway.table as tables
import gateway.trial.listing as listing
import gateway.trial.shells as shells
import gateway.trial.spoken as spoken
from gateway.model import Manifest
from gateway.trial.shells import Around, Shell, Source

PAGE = b"""<!doctype html>
<title>Home</title>
<main><mf-slot name="hotels.deals" timeout="400ms" city="paris">Soon.</mf-slot>
<table><template mf-slot="pets.rows" required></template></table>
<mf-slot name="cars.last" late optional></mf-slot></main>
"""
PORTAL = Around(
    tables.compile(
        [
            Manifest.model_validate(
                {
                    "team": "hotels",
                    "upstreams": {"hotels": {"origins": ["http://hotels:8000"]}},
                    "fragments": {"hotels.deals": {"upstream": "hotels", "path": "/deals", "timeout": "250ms"}},
                }
            )
        ]
    ),
    "next to hotels.yaml",
    True,
)


def read(body: bytes, around: Around = shells.NOWHERE, languages: tuple[str, ...] = ()) -> Shell:
    return spoken.read(Source("home.html", body), around, languages)


def test_slots_stand_in_columns() -> None:
    assert list(listing.lines(read(PAGE))) == [
        "home.html: 3 slots.",
        "",
        "LINE  SLOT          WRITTEN AS  CONTEXT  IF IT FAILS    WAITS   ISOLATION  MAY BE  INSIDE",
        "3     hotels.deals  element     flow     its content    400 ms  none       any     html > body > main",
        "4     pets.rows     template    table    no page (502)  -       none       none    html > body > main > table",
        "5     cars.last     element     flow     nothing, late  -       none       any     html > body > main",
    ]


def test_the_shorter_time_holds() -> None:
    shell = read(PAGE, PORTAL)
    assert listing.waits(shell.slots[0], PORTAL) == "250 ms"


@pytest.mark.parametrize(
    ("attributes", "inside", "told"),
    [
        pytest.param("", "x", "its content", id="its content"),
        pytest.param("", "", "nothing", id="which may be none"),
        pytest.param("optional", "x", "nothing", id="optional"),
        pytest.param("required", "x", "no page (502)", id="required"),
        pytest.param("primary", "x", "its content, primary", id="primary"),
        pytest.param("lazy", "x", "its content, lazy", id="lazy"),
    ],
)
def test_what_a_page_does_without_it(attributes: str, inside: str, told: str) -> None:
    (slot,) = read(f"<!doctype html><mf-slot name=x {attributes}>{inside}</mf-slot>".encode()).slots
    assert listing.failing(slot) == told


def test_an_include_is_told_with_all_that_decides_about_it() -> None:
    page = b"""<!doctype html>
<esi:choose><esi:when test="$(HTTP_COOKIE{a})==1"><esi:include src="/x" onerror="continue"/></esi:when></esi:choose>"""
    assert list(listing.lines(read(page, languages=("esi",)))) == [
        "home.html: 0 slots, 1 include.",
        "",
        "line 2, esi: /x",
        "    from         the mount that owns this path, or the page's own application",
        "    if it fails  nothing",
        "    only if      $(HTTP_COOKIE{a})==1",
        "    depends on   $(HTTP_COOKIE{a}); so the page is for one viewer",
        "    stands in    html > body (flow)",
    ]


def test_what_was_not_read_is_said() -> None:
    told = list(listing.lines(read(b"<!doctype html><esi:include src=/x />")))
    assert told == [
        "home.html has no slots: it is sent as it is.",
        "",
        "It may speak esi: --dialects esi reads that, too.",
    ]


def test_nothing_is_listed_of_what_cannot_be_read() -> None:
    assert list(listing.lines(read(b""))) == []


def test_what_strangers_wrote_moves_no_cursor() -> None:
    told = "\n".join(listing.lines(read(b'<!doctype html><mf-slot name="\x1b[2J"></mf-slot>')))
    assert "\x1b" not in told


def test_all_of_it_as_json() -> None:
    told = json.loads(json.dumps(listing.as_json(read(PAGE, PORTAL))))
    assert (told["kind"], told["source"], told["asked"], told["exit"]) == (
        "shell",
        "home.html",
        "next to hotels.yaml",
        1,
    )
    assert [problem["code"] for problem in told["problems"]] == ["slot-undeclared", "slot-undeclared"]
    first, second, third = told["slots"]
    assert first == {
        "name": "hotels.deals",
        "line": 3,
        "spelling": "element",
        "context": "flow",
        "chain": ["html", "body", "main"],
        "isolation": None,
        "allowed": ["none", "scope", "shadow", "iframe"],
        "criticality": "default",
        "primary": False,
        "late": False,
        "lazy": False,
        "timeout": 0.4,
        "query": [["city", "paris"]],
        "fallback_bytes": 5,
        "mark": first["mark"],
        "declared": True,
        "team": "hotels",
        "path": "/deals",
    }
    assert (second["criticality"], second["spelling"], second["declared"]) == ("required", "template", False)
    assert (third["criticality"], third["late"]) == ("optional", True)


def test_nobody_knows_what_is_declared_when_nobody_was_asked() -> None:
    assert {slot["declared"] for slot in listing.as_json(read(PAGE))["slots"]} == {None}


def test_an_include_as_json() -> None:
    (told,) = listing.as_json(read(b"<!doctype html><!--#include virtual='/a' -->", languages=("ssi",)))["includes"]
    assert told == {
        "language": "ssi",
        "line": 1,
        "source": "/a",
        "leads": "the mount that owns this path, or the page's own application",
        "refused": False,
        "failing": "nothing",
        "when": [],
        "depends": [],
        "context": "flow",
        "chain": ["html", "body"],
    }
