"""The start page of the admin listener: who mounts what, which fragments there are, and what needs attention.

One page, read-only, without script, cookie or anything from elsewhere. What it shows comes from the table in service
and from what the registry says about its sources; nothing is decided here.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from gateway.model import kept, spoken
from gateway.registry.check import Problem
from gateway.registry.service import Service, Shown
from gateway.store.base import StoreError
from gateway.table import Current, Fragment, Mount, Moved, Table

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team, and where its manifest comes from."""

    name: str
    source: str
    since: str
    mounts: int
    fragments: int


@dataclass(frozen=True, slots=True)
class MountRow:
    prefix: str
    hosts: str
    team: str
    upstream: str
    origins: tuple[str, ...]
    composes: bool
    link: str
    leaks: int


@dataclass(frozen=True, slots=True)
class MovedRow:
    """A prefix that leads elsewhere."""

    prefix: str
    leads_to: str
    team: str
    until: str


@dataclass(frozen=True, slots=True)
class FragmentRow:
    name: str
    team: str
    path: str
    origins: tuple[str, ...]
    cache: str
    timeout: str
    isolation: str


@dataclass(frozen=True, slots=True)
class TroubleRow:
    """One thing that is not served as it is declared."""

    where: str
    path: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Start:
    """All that the page shows."""

    number: int
    teams: tuple[TeamRow, ...]
    mounts: tuple[MountRow, ...]
    fragments: tuple[FragmentRow, ...]
    troubles: tuple[TroubleRow, ...]
    portal: str
    moved: tuple[MovedRow, ...] = ()


def router(service: Service, current: Current, portal: str = "") -> APIRouter:
    """Serves the page at `/`. With the portal's address, mounts lead there."""
    pages = APIRouter(include_in_schema=False)

    @pages.api_route("/", methods=["GET", "HEAD"])
    async def start() -> HTMLResponse:
        view = start_of(current.table, service.teams(), service.troubles(), portal, await _leaks(service))
        page, style = _template()
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
        return HTMLResponse(page.render(view=view, style=style), headers=headers)

    return pages


async def _leaks(service: Service) -> dict[tuple[str, str], int]:
    """How many paths leak from each mount; a store that is away is told among the troubles."""
    try:
        return Counter((leak.team, leak.mount) for leak in await service.leaks())
    except StoreError:
        return {}


def start_of(
    table: Table,
    teams: list[Shown],
    troubles: dict[str, tuple[Problem, ...]],
    portal: str = "",
    leaks: Mapping[tuple[str, str], int] | None = None,
) -> Start:
    mounts = sorted((mount for row in table.mounts.values() for mount in row), key=lambda mount: mount.name)
    return Start(
        number=table.number,
        teams=tuple(_team(shown) for shown in teams),
        mounts=tuple(_mount(mount, portal, (leaks or {}).get((mount.team, mount.name), 0)) for mount in mounts),
        fragments=tuple(_fragment(table.fragments[name]) for name in sorted(table.fragments)),
        troubles=tuple(row for source, problems in troubles.items() for row in _troubles(source, problems)),
        portal=portal,
        moved=tuple(_moved(table.moved[old]) for old in sorted(table.moved)),
    )


def _team(shown: Shown) -> TeamRow:
    since = _clock(shown.at) if shown.at else ""
    source = shown.file or f"revision {shown.revision}, by {shown.by or 'the API'}"
    return TeamRow(shown.team, source, since, len(shown.manifest.mounts), len(shown.manifest.fragments))


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _moved(move: Moved) -> MovedRow:
    return MovedRow(move.old, move.new, move.team, _clock(move.until))


def _mount(mount: Mount, portal: str, leaks: int) -> MountRow:
    return MountRow(
        prefix=mount.name,
        hosts=", ".join(sorted(host.decode() for host in mount.hosts)),
        team=mount.team,
        upstream=mount.upstream.name,
        origins=tuple(origin.url for origin in mount.upstream.origins),
        composes=mount.composes,
        link=f"{portal}{mount.name.rstrip('/')}/" if portal else "",
        leaks=leaks,
    )


def _fragment(fragment: Fragment) -> FragmentRow:
    return FragmentRow(
        name=fragment.name,
        team=fragment.team,
        path=fragment.path.decode(),
        origins=tuple(origin.url for origin in fragment.upstream.origins),
        cache=kept(fragment.policy),
        timeout=spoken(fragment.timeout),
        isolation=fragment.isolation,
    )


def _troubles(source: str, problems: tuple[Problem, ...]) -> Iterator[TroubleRow]:
    for problem in problems:
        at = f":{problem.line}:{problem.column}" if problem.line else ""
        yield TroubleRow(f"{source}{at}", problem.path, problem.message, problem.hint)


@cache
def _template() -> "tuple[jinja2.Template, str]":
    """The page and its style, which stands in it so that the page is one answer.

    Two megabytes of every worker for a page that most workers never show: read when somebody asks for it.
    """
    import jinja2

    loader = jinja2.PackageLoader("gateway.registry", "templates")
    shelf = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return shelf.get_template("start.html"), loader.get_source(shelf, "start.css")[0]
