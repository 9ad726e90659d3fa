"""The same promise through a running gateway: whatever an origin answers, or half answers, the page around it stays."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.matrix import ASKED, SHELLS, Case, differing, opened, shell
from tests.browser.nasty import ANSWERS
from tests.kit.origin import Answer, Origin, Raw, Seen, html, serving
from tests.live.portal import Portal, gateway_for

SLOT = '<mf-slot name="n"><i>F</i></mf-slot>'
FILLED = b"<p>Hello <b>you</b></p>"
ANYTHING = None  # what a piece may bring for the head is known by the library's own tests

# What goes wrong on the wire, as an origin that crashes, lies or speaks nonsense does it.
ON_THE_WIRE: dict[str, Answer | Raw] = {
    "cut-in-head": Raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "cut-in-body": Raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<div><script>"),
    "cut-in-chunks": Raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<div>\r\n"
    ),
    "bad-chunk": Raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<div>\r\n"
    ),
    "no-http": Raw(b"<!doctype html><p>no status line"),
    "nothing": Raw(b""),
    "two-lengths": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 6\r\n\r\n<p>abc"),
    "gzip-that-is-none": html("<p>plain", ("Content-Encoding", "gzip")),
    "gzip-cut": Answer(gzip.compress(b"<div>" * 1000)[:40], 200, [("Content-Encoding", "gzip")]),
    "gzip-bomb": Answer(gzip.compress(b"<b>" * 20_000_000), 200, [("Content-Encoding", "gzip")]),
    "unknown-coding": html("<p>x", ("Content-Encoding", "rot13")),
    "redirect-away": Answer(b"", 302, [("Location", "http://127.0.0.1:1/")]),
    "redirect-loop": Answer(b"", 302, [("Location", "/piece")]),
    "hints-first": Raw(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p>"
    ),
    "endless": Answer([b"<div>" * 1000] * 5000, 200, [("Content-Type", "text/html")]),
    "never": Answer([b"<div>", 30.0], 200, [("Content-Type", "text/html")]),
}


def answers() -> dict[str, Answer | Raw]:
    found: dict[str, Answer | Raw] = {}
    for name, broken in ANSWERS.items():
        headers = [("Content-Type", broken.content_type), ("Cache-Control", "no-store")]
        if broken.status == 302:
            headers.append(("Location", "/elsewhere"))
        found[name] = Answer(broken.body, broken.status, headers)
    return found | ON_THE_WIRE


@dataclass(slots=True)
class Team:
    """An origin with a shell for each place, whose one fragment answers whatever it is told to."""

    piece: Answer | Raw

    def __call__(self, seen: Seen) -> Answer | Raw:
        if seen.path == "/piece":
            return self.piece
        place = seen.path.removeprefix("/")
        if place in SHELLS:
            return html(SHELLS[place].replace("SLOT", SLOT), ("Cache-Control", "max-age=60"))
        return html("not here", status=404)


@pytest.fixture(scope="module")
def team() -> Team:
    return Team(Answer(b"", 204))


@pytest.fixture(scope="module")
def origin(team: Team) -> Iterator[Origin]:
    with serving(team) as origin:
        yield origin


@pytest.fixture(scope="module")
def portal(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    manifest = f"""\
team: team
upstreams:
  team: {{ origins: ["{origin.url}"], timeout: 5s }}
mounts:
  /: {{ upstream: team, composes: true }}
fragments:
  n: {{ upstream: team, path: /piece, timeout: 400ms }}
"""
    with gateway_for(tmp_path_factory.mktemp("broken"), {"team": manifest}) as portal:
        yield portal


@pytest.fixture(scope="module")
def pages(team: Team, portal: Portal) -> dict[str, dict[str, str]]:
    """What the gateway sends: by place, by the name of the fragment's answer, and "empty" for none."""
    sent: dict[str, dict[str, str]] = {}
    with httpx.Client(base_url=portal.url, timeout=20) as visitor:
        for place in ASKED:
            sent[place] = {}
            for name, piece in {"empty": Answer(b"", 204), "whole": html(FILLED.decode()), **answers()}.items():
                team.piece = piece
                answer = visitor.get(f"/{place}")
                assert answer.status_code == 200, f"{place}: {name}"
                sent[place][name] = answer.text
    return sent


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = opened(browser)
    yield page
    page.close()


def test_a_good_piece_is_shown(pages: dict[str, dict[str, str]]) -> None:
    assert "<p>Hello <b>you</b></p>" in pages["body"]["whole"]
    assert "Hello" not in pages["body"]["empty"]


@pytest.mark.parametrize("scripting", [True, False], ids=["scripting", "no-scripting"])
@pytest.mark.parametrize("place", ASKED)
def test_outside_the_slot_nothing_changes(
    tab: Page, pages: dict[str, dict[str, str]], place: str, scripting: bool
) -> None:
    (slot,) = shell(place, SLOT).slots
    empty = pages[place]["empty"]
    compared = [Case(name, filled, empty, (slot.mark,), ANYTHING) for name, filled in pages[place].items()]
    assert len(compared) > len(ANSWERS) >= 130
    assert slot.mark in empty
    assert not differing(tab, compared, scripting=scripting)


def test_the_comparison_would_see_it(tab: Page, pages: dict[str, dict[str, str]]) -> None:
    (slot,) = shell("body", SLOT).slots
    empty = pages["body"]["empty"]
    spoilt = empty.replace("<div>2</div>", "<div>2<p></div>")
    assert differing(tab, [Case("spoilt", spoilt, empty, (slot.mark,), ANYTHING)], scripting=True)


@pytest.mark.parametrize(
    "name", [*sorted(ON_THE_WIRE.keys() - {"hints-first"}), "json", "text", "redirect", "server-error", "gzip-garbage"]
)
def test_what_is_no_whole_piece_is_the_fallback(pages: dict[str, dict[str, str]], name: str) -> None:
    assert "<i>F</i>" in pages["body"][name]


def test_the_gateway_is_well_after_all_of_it(team: Team, portal: Portal, pages: dict[str, dict[str, str]]) -> None:
    team.piece = html(FILLED.decode())
    assert pages and FILLED in portal.get("/body").content
    assert portal.child.running and "Traceback" not in portal.child.output
    assert portal.child.memory < 300 << 20  # among them a gzip bomb of 60 MB and megabytes of tags
