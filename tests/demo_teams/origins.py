"""Starts a demo team as its own process on a free loopback port, the way demo.yaml tells."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from tests.kit import node, ports, process

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0


@dataclass(frozen=True)
class Team:
    """A row of demo.yaml."""

    name: str
    command: list[str]
    health: str
    manifest: str
    origin: str
    registered: bool

    @property
    def declared(self) -> dict[str, Any]:
        return read(ROOT / self.manifest)


def read(file: Path) -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe").load(file)
    return tree


TEAMS = {row["name"]: Team(**row) for row in read(ROOT / "demo_teams" / "demo.yaml")["teams"]}


@contextlib.contextmanager
def started(command: Sequence[str], health: str, control: bool = False) -> Iterator[str]:
    """The address of a command that listens on {port}, from its first healthy answer to its end."""
    port = ports.free_port()
    words = [word.format(python=sys.executable, node=node.find(), port=port) for word in command]
    told = {"HOST": "127.0.0.1", "PORT": str(port), "DEMO_CONTROL": "1" if control else ""}
    with process.running(*words, env=told, cwd=ROOT) as child:
        address = f"http://127.0.0.1:{port}"
        await_health(child, address + health)
        yield address


def await_health(child: process.Child, url: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and child.running:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=1).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"{child!r} did not become healthy at {url}:\n{child.output}")
