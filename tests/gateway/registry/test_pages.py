"""The start page shows what is served, problems first, and nothing a team wrote can act on it."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

import gateway.registry.pages as pages
import gateway.table as table
from gateway.model import Manifest
from gateway.registry.check import Problem
from gateway.registry.service import LeakRow, Service, Shown
from gateway.store.base import StoreError
from gateway.table import Current, Moved

HOTELS = Manifest.model_validate(
    {
        "team": "hotels",
        "upstreams": {"hotels": {"origins": ["http://hotels:8000"]}},
        "mounts": {"/hotels": {"upstream": "hotels", "composes": True, "hosts": ["portal.example"]}},
        "fragments": {
            "hotels.deals": {
                "upstream": "hotels",
                "path": "/fragments/deals?a=<b>",
                "timeout": "500ms",
                "cache": {"ttl": "30s", "stale_while_revalidate": "5m", "stale_if_error": "1d"},
            }
        },
    }
)


class Told:
    """What a service tells the page."""

    def __init__(
        self, shown: list[Shown], troubles: dict[str, tuple[Problem, ...]], leaks: list[LeakRow] | None
    ) -> None:
        self.shown, self.broken, self.leaking = shown, troubles, leaks

    def teams(self) -> list[Shown]:
        return self.shown

    def troubles(self) -> dict[str, tuple[Problem, ...]]:
        return self.broken

    async def leaks(self) -> list[LeakRow]:
        if self.leaking is None:
            raise StoreError("away")
        return self.leaking


async def get(
    shown: list[Shown],
    troubles: dict[str, tuple[Problem, ...]] | None = None,
    portal: str = "",
    leaks: list[LeakRow] | None = None,
    moved: tuple[Moved, ...] = (),
) -> httpx.Response:
    app = FastAPI()
    current = Current(table.compile([row.manifest for row in shown], 7, moved))
    app.include_router(pages.router(cast(Service, Told(shown, troubles or {}, leaks)), current, portal))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin") as client:
        return await client.get("/")


def words(answer: httpx.Response) -> str:
    """The text of the page, one blank between words."""

    class Reader(HTMLParser):
        text = ""
        styled = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.styled = tag == "style"

        def handle_data(self, data: str) -> None:
            self.text += "" if self.styled else f" {data}"

    reader = Reader()
    reader.feed(answer.text)
    return " ".join(reader.text.split())


@pytest.mark.anyio
@pytest.mark.parametrize(
    "told",
    [
        pytest.param("Table 7", id="the table's number"),
        pytest.param("/hotels on portal.example hotels hotels http://hotels:8000 filled", id="a mount and its origin"),
        pytest.param("hotels.deals hotels http://hotels:8000 /fragments/deals?a=<b>", id="a fragment and its path"),
        pytest.param("30 s, 5 min more while refreshed, 1 d more on errors 500 ms none", id="how it is kept"),
        pytest.param("1 mount, 1 fragment teams/hotels.yaml", id="a team and its file"),
        pytest.param("Everything is served as it is declared.", id="that all is well"),
    ],
)
async def test_it_tells(told: str) -> None:
    assert told in words(await get([Shown("hotels", HOTELS, file="teams/hotels.yaml")]))


@pytest.mark.anyio
async def test_a_registered_team_tells_its_revision() -> None:
    answer = await get([Shown("hotels", HOTELS, revision=3, at=0.5, by="operator")])
    assert "revision 3, by operator 1970-01-01 00:00 UTC" in words(answer)


@pytest.mark.anyio
async def test_problems_come_before_what_is_served() -> None:
    problem = Problem("mounts./x", "Mount '/x' is <script>alert(1)</script>", "Did you mean '/y'?", 7, 3)
    answer = await get([Shown("hotels", HOTELS)], {"teams/x.yaml": (problem,)})
    assert "1 thing needs attention ; what was good before is still served." in words(answer)
    assert "teams/x.yaml:7:3 mounts./x Mount '/x' is <script>alert(1)</script> Did you mean '/y'?" in words(answer)
    assert answer.text.index("Needs attention") < answer.text.index("hotels.deals")
    assert "<script" not in answer.text


@pytest.mark.anyio
async def test_an_empty_registry_shows_how_to_begin() -> None:
    told = words(await get([]))
    assert "No team mounts anything yet." in told
    assert "team: hotels" in told


@pytest.mark.anyio
async def test_mounts_lead_to_the_portal_when_its_address_is_known() -> None:
    with_portal = await get([Shown("hotels", HOTELS)], portal="http://127.0.0.1:8080")
    assert 'href="http://127.0.0.1:8080/hotels/"' in with_portal.text
    assert "/hotels/" not in (await get([Shown("hotels", HOTELS)])).text


@pytest.mark.anyio
async def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    answer = await get([])
    style = re.search(r"<style>(.*?)</style>", answer.text, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"style=|<script|<img|@import|url\(|\son\w+=", answer.text)


def leak(target: str, mount: str = "/hotels") -> LeakRow:
    return LeakRow("hotels", mount, target, "/hotels/", "empty", "rescue", 3, 1.0, "Mend it.")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("leaks", "told"),
    [
        pytest.param([], "filled none seen", id="none"),
        pytest.param([leak("/a"), leak("/b")], "filled 2 paths", id="of this mount"),
        pytest.param([leak("/a")], "portico leaks says which, and what mends each.", id="with where to read on"),
        pytest.param([leak("/a", "/other")], "filled none seen", id="of another mount"),
        pytest.param(None, "filled none seen", id="a store that is away"),
    ],
)
async def test_a_mount_tells_how_many_paths_leak(leaks: list[LeakRow] | None, told: str) -> None:
    assert told in words(await get([Shown("hotels", HOTELS)], leaks=leaks))


@pytest.mark.anyio
async def test_a_prefix_that_moved_is_told() -> None:
    moved = (Moved("/rooms", "/hotels", "hotels", "hotels", 0.0),)
    told = words(await get([Shown("hotels", HOTELS)], moved=moved))
    assert "/rooms of hotels leads to /hotels until 1970-01-01 00:00 UTC" in told
