"""How another terminal tells a running demo to kill, start or slow a team: a loopback socket and the secret beside it.

What is wished is one line of JSON, what comes of it another.
"""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import gateway.demo.ports as ports
from gateway.demo.crew import DemoError
from gateway.demo.ports import HOST

RUNNING = "running.json"
PATIENCE = 25.0  # seconds for an answer: a team that is started is waited for
Verb = Literal["kill", "start", "slow"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a team should be made to do; `seconds` is how much later it should answer."""

    verb: Verb
    team: str
    seconds: float = 0.0


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

    def write(self) -> None:
        """For the owner's eyes only: who reads it may tell the demo what to do."""
        place = Path(self.state) / RUNNING
        place.touch(mode=0o600)
        place.write_text(json.dumps(asdict(self)), encoding="utf-8")


async def listen(secret: str, obey: Callable[[Wish], Awaitable[str]]) -> asyncio.Server:
    """Takes wishes from who knows the secret."""

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), 5)
            answer = {"said": await obey(wished(line, secret))}
        except (DemoError, TimeoutError, OSError) as error:
            answer = {"error": str(error)}
        writer.write(json.dumps(answer).encode() + b"\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    return await asyncio.start_server(asked, HOST, 0)


def wished(line: bytes, secret: str) -> Wish:
    try:
        said = json.loads(line)
        wish = Wish(said["verb"], str(said["team"]), float(said["seconds"]))
        told = str(said["secret"])
    except (ValueError, TypeError, KeyError) as error:
        raise DemoError("That is not how the demo is asked.") from error
    if not secrets.compare_digest(told.encode(), secret.encode()):
        raise DemoError("That is another demo's secret.")
    if wish.verb not in get_args(Verb):
        raise DemoError(f"The demo cannot '{wish.verb}'.")
    return wish


def live(near: Path | None = None) -> list[Running]:
    """The demos that run: of one folder, or of this working folder."""
    places = [near / RUNNING] if near else sorted(Path(".portico").glob(f"demo-*/{RUNNING}"))
    return [running for place in places if (running := _read(place)) and not ports.is_free(running.control)]


def _read(place: Path) -> Running | None:
    try:
        said = json.loads(place.read_text(encoding="utf-8"))
        return Running(**said | {"teams": tuple(said["teams"]), "newcomers": tuple(said["newcomers"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def ask(near: Path | None, wish: Wish) -> str:
    """Tells the one running demo to do something; what it says."""
    found = live(near)
    if not found:
        where = f"from {near}" if near else "in this folder"
        raise DemoError(f"No demo runs {where}. Start one with `portico demo`, or say with --state where it is.")
    if len(found) > 1:
        states = ", ".join(running.state for running in found)
        raise DemoError(f"Several demos run here. Say which with --state: {states}.")
    return tell(found[0], wish)


def tell(running: Running, wish: Wish) -> str:
    message = json.dumps({**asdict(wish), "secret": running.secret}).encode() + b"\n"
    try:
        with socket.create_connection((HOST, running.control), timeout=PATIENCE) as talk:
            talk.sendall(message)
            answer = json.loads(talk.makefile("rb").readline())
    except (OSError, ValueError) as error:
        raise DemoError(f"The demo of {running.state} does not answer. Has it ended?") from error
    if "error" in answer:
        raise DemoError(str(answer["error"]))
    return str(answer["said"])
