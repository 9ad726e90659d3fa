"""The demo's teams as processes, and gateways in front of them: everything a visitor's portal is made of, on loopback.

A crew outlives many portals. What a test kills, stops or moves it brings back, so that the next finds all teams well.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import httpx

import gateway.demo.crew as demo
from gateway.demo.crew import Team
from tests.kit.ports import free_port
from tests.kit.process import Child, running

ROOT = Path(__file__).parents[2]
PORTICO = (sys.executable, "-m", "gateway")
HEADLINES = {"hotels.deals": "hotels", "pets.adoptable": "pets", "cars.featured": "cars", "deals.tonight": "deals"}

Found = TypeVar("Found")


@dataclass(slots=True)
class Crew:
    """The demo's teams, each a process on a port that stays its own."""

    teams: dict[str, Team]
    node: str
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    _lives: dict[str, ExitStack] = field(default_factory=dict)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name: str) -> None:
        """Runs a team that does not run, and waits for its first healthy answer."""
        if name in self.children:
            return
        team = self.teams[name]
        life = ExitStack()
        child = life.enter_context(running(*team.ready(self.ports[name], sys.executable, self.node), cwd=ROOT))
        self._lives[name], self.children[name] = life, child
        child.wait_port(self.ports[name], 20)
        soon(lambda: httpx.get(f"{self.url(name)}{team.health}").is_success, 20)

    def kill(self, name: str) -> None:
        """As a crash would: connections break, the port is closed."""
        self.children.pop(name).end(0)
        self._lives.pop(name).close()

    def manifest(self, name: str) -> str:
        """A team's manifest with the address it has here."""
        team = self.teams[name]
        return demo.placed((ROOT / team.manifest).read_text(), {team.origin: self.url(name)}, ROOT)

    def text(self, name: str, path: str) -> str:
        """What the team's own server says, with no gateway between."""
        answer = httpx.get(f"{self.url(name)}{path}")
        assert answer.status_code == 200, f"{name} answers {answer.status_code} for {path}"
        return answer.text

    def end(self) -> None:
        for name in list(self.children):
            self.kill(name)


@contextmanager
def crew_of_demo() -> Iterator[Crew]:
    teams = demo.teams((ROOT / "demo_teams" / "demo.yaml").read_text())
    node = asyncio.run(demo.find_node())
    assert node is not None, "the pets team needs Node"
    crew = Crew({team.name: team for team in teams}, node)
    try:
        for team in teams:
            crew.ports[team.name] = free_port()
            crew.start(team.name)
        yield crew
    finally:
        crew.end()


@dataclass(frozen=True, slots=True)
class Portal:
    """One running gateway: where it is, and the folders it keeps."""

    child: Child
    url: str
    admin: str
    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def manifest(self, name: str) -> Path:
        """The file a team is declared in, followed live."""
        return self.folder / "teams" / f"{name}.yaml"

    def declare(self, name: str, text: str) -> None:
        """Put in its place at once, as an editor or a deployment does."""
        part = self.folder / f"{name}.part"
        part.write_text(text)
        part.replace(self.manifest(name))

    def get(self, path: str, **more: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=more, timeout=10)

    def home(self) -> str:
        answer = self.get("/")
        assert answer.status_code == 200
        return answer.text

    def portico(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of the command's verbs, told where this gateway is."""
        told = ("--admin", self.admin, "--state", str(self.state))
        return subprocess.run([*PORTICO, *words, *told], cwd=ROOT, capture_output=True, text=True, timeout=30)


@contextmanager
def gateway_for(folder: Path, manifests: dict[str, str], *options: str, workers: int = 1) -> Iterator[Portal]:
    """`portico serve` with these manifests in files, from its first announced listener to the end of the block."""
    (folder / "teams").mkdir(parents=True, exist_ok=True)
    for name, text in manifests.items():
        (folder / "teams" / f"{name}.yaml").write_text(text)
    port, admin_port = free_port(), free_port()
    told = {
        "--listen": f"127.0.0.1:{port}",
        "--admin": f"127.0.0.1:{admin_port}",
        "--manifests": str(folder / "teams" / "*.yaml"),
        "--state": str(folder / "state"),
        "--workers": str(workers),
    }
    command = (*PORTICO, "serve", *(word for pair in told.items() for word in pair), *options)
    with running(*command, line=r"listening on \S+ \(admin\)", cwd=ROOT, timeout=30) as child:
        yield Portal(child, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", folder)


def registered(crew: Crew) -> dict[str, str]:
    """The manifests of all teams that are part of the portal from the start."""
    return {name: crew.manifest(name) for name, team in crew.teams.items() if team.registered}


def soon(holds: Callable[[], Found | Literal[False] | None], within: float = 1.0) -> Found:
    """What `holds` says as soon as it is true, asked again and again; a failure when it is not true in time."""
    end = time.monotonic() + within
    while True:
        asked = time.monotonic()
        try:
            found = holds()
        except httpx.TransportError:
            if asked > end:
                raise
        else:
            if found:
                return found
            assert asked < end, f"not within {within:g} s"
        time.sleep(0.02)


def without_slots(shell: str) -> str:
    """A shell as its origin wrote it, without what it shows when a fragment is missing."""
    return re.sub(r"<mf-slot\b.*?</mf-slot>", "", shell, flags=re.S)


def directives(answer: httpx.Response, field_name: str = "Cache-Status") -> list[str]:
    """The parameters of the one member of a structured list field, such as Cache-Status."""
    return re.split(r"\s*;\s*", answer.headers.get(field_name, ""))
