"""The smoke of `portico demo --smoke`: the portal walked as a visitor would, and the home page's pieces looked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

import gateway.rules.documents as documents
import gateway.walk as walk
from gateway.demo.crew import DemoError, Team
from gateway.demo.stage import Demo


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
