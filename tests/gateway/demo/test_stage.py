"""What a running demo does with its teams when it is asked."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

import gateway.demo.control as control
import gateway.demo.ports as ports
from gateway.demo.control import Verb, Wish
from gateway.demo.crew import DemoError, Team
from gateway.demo.stage import Demo

ROOM = "import http.server, os; http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), "
ROOM += "http.server.SimpleHTTPRequestHandler).serve_forever()"


DEALS = Team("deals", ("{node}", "deals.mjs"), "/", "deals.yaml", "http://deals:8000", registered=False)


def with_demo(folder: Path, then: Callable[[Demo], Awaitable[None]]) -> list[str]:
    """A demo whose control listens and whose one team is a tiny server; no gateway."""
    said: list[str] = []
    (folder / "hotels.yaml").write_text("origins: [http://hotels:8000]\n")

    async def live() -> None:
        team = Team("hotels", ("{python}", "-c", ROOM), "/", "hotels.yaml", "http://hotels:8000")
        own = {"hotels": ports.free(), "deals": ports.free()}
        made = Demo(
            redis="",
            program="portico",
            keeps_state=False,
            say=lambda who, what: said.append(what),
            root=folder,
            crew=(team, DEALS),
            port=1,
            admin_port=2,
            state=folder / "state",
            ports=own,
            node=None,
        )
        made.write(team)
        made.children["hotels"] = made.child(team)
        made.server = await control.listen(made.secret, made.obey)
        made.running().write()
        try:
            await then(made)
        finally:
            await made.end()

    asyncio.run(live())
    return said


async def ask(made: Demo, verb: Verb, team: str, seconds: float = 0.0) -> str:
    return await asyncio.to_thread(control.ask, made.state, Wish(verb, team, seconds))


def test_a_team_is_started_and_killed_on_request(tmp_path: Path) -> None:
    async def then(made: Demo) -> None:
        assert await ask(made, "kill", "hotels") == "hotels is down already"
        assert await ask(made, "start", "hotels") == "hotels runs again"
        assert await ask(made, "start", "hotels") == "hotels runs already"
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(made.address(made.crew[0]))).status_code == 200
        assert await ask(made, "kill", "hotels") == "hotels is killed"
        assert ports.is_free(made.ports["hotels"])

    said = with_demo(tmp_path, then)
    assert "hotels is killed" in said
    assert not (tmp_path / "state").exists()


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    async def then(made: Demo) -> None:
        with pytest.raises(DemoError, match=r"no team 'hotel'. Teams are hotels, deals"):
            await ask(made, "kill", "hotel")
        with pytest.raises(DemoError, match="needs Node"):
            await ask(made, "start", "deals")
        with pytest.raises(DemoError, match="cannot be slowed"):
            await ask(made, "slow", "hotels", 1.0)

    with_demo(tmp_path, then)


def test_a_manifest_follows_its_team_s_port(tmp_path: Path) -> None:
    async def then(made: Demo) -> None:
        team = made.crew[0]
        assert made.manifest(team) == made.state / "teams" / "hotels.yaml"
        assert made.manifest(team).read_text() == f"origins: [{made.address(team)}]\n"
        assert made.manifest(DEALS) == made.state / "deals.yaml"

    with_demo(tmp_path, then)
