"""What can be done with the registry, each thing one method; the API, the start page and the wiring call nothing else.

A change is checked against what is registered now, written down, and served by this process before its caller hears
of it; the other processes follow. Who may do it is asked before, in `registry.access`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import gateway.registry.access as access
import gateway.registry.check as check
import gateway.rules.leaks as leaking
from gateway.errors import Conflict, Rejected, Unknown
from gateway.model import CachePolicy, Manifest
from gateway.registry.check import Finding, Problem, Surroundings
from gateway.registry.follow import Follow
from gateway.rules.leaks import Leak
from gateway.store.base import Ledger, Purge, Registered, StoreError
from gateway.table import Current, Fragment, Mount, Upstream

Kind = Literal["url", "tag", "team"]


class Refused(Rejected):
    """A manifest with problems, all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = sum(problem.level == "error" for problem in problems)
        super().__init__(f"The manifest has {count} problem{'' if count == 1 else 's'}. Nothing was changed.")
        self.problems = problems


class Outdated(Conflict):
    """A change made on a revision that is not the latest any more (RFC 9110 section 15.5.13)."""

    status = 412


@dataclass(frozen=True, slots=True)
class Taken:
    """A registration: what is kept now, whether the team is new, and what may still be said about it."""

    registered: Registered
    created: bool
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A team's manifest as it is served, and where it comes from: its file, or the API (empty)."""

    team: str
    manifest: Manifest
    file: str = ""
    revision: int = 0
    at: float | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class MountRow:
    prefix: str
    hosts: list[str]
    team: str
    upstream: str
    composes: bool
    aware: str


@dataclass(frozen=True, slots=True)
class FragmentRow:
    name: str
    team: str
    upstream: str
    path: str
    isolation: str
    timeout: float
    cache: CachePolicy | None


@dataclass(frozen=True, slots=True)
class UpstreamRow:
    name: str
    team: str
    origins: list[str]


@dataclass(frozen=True, slots=True)
class MovedRow:
    """A prefix that leads to where its application is now, and until when (seconds since the epoch)."""

    prefix: str
    leads_to: str
    team: str
    until: float


@dataclass(frozen=True, slots=True)
class LeakRow:
    """A leak as its team is told of it, with what mends it."""

    team: str
    mount: str
    target: str
    page: str
    kind: str
    how: str
    times: int
    last: float
    fix: str


@dataclass(frozen=True, slots=True)
class TableRows:
    """The table as it may be shown."""

    number: int
    teams: list[str]
    mounts: list[MountRow]
    fragments: list[FragmentRow]
    upstreams: list[UpstreamRow]
    moved: list[MovedRow]


class Service:
    """One per process of the control plane."""

    def __init__(
        self,
        ledger: Ledger,
        follow: Follow,
        current: Current,
        surroundings: Surroundings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._follow = follow
        self._current = current
        self._surroundings = surroundings or Surroundings()
        self._clock = clock
        self._lock = asyncio.Lock()

    async def check(self, text: str, team: str | None = None) -> Finding:
        """All problems a registration of this text would meet; nothing changes."""
        others = tuple(manifest for manifest in self._follow.manifests if manifest.team != team)
        moved = {move.old: move.new for move in self._follow.moved}
        around = replace(self._surroundings, others=others, trusted=False, team=team, moved=moved)
        return await asyncio.to_thread(check.check, text, around)

    async def register(self, team: str, text: str, by: str, expected: int | None = None) -> Taken:
        """Take a team's manifest. `expected` is the revision it was made on, 0 for a team that must be new."""
        async with self._lock:
            self._must_not_be_a_file(team)
            await self._follow.refresh()
            finding = await self.check(text, team)
            if finding.manifest is None or finding.errors:
                raise Refused(finding.problems)
            return await self._write(team, finding.manifest, finding.problems, by, expected)

    async def _write(
        self, team: str, manifest: Manifest, warnings: tuple[Problem, ...], by: str, expected: int | None
    ) -> Taken:
        before = self._follow.rows.get(team)
        text = manifest.model_dump_json(exclude_unset=True)
        if before and before.manifest == text and expected in (None, before.revision):
            return Taken(before, created=False, warnings=warnings)
        try:
            registered = await self._ledger.put(team, text, self._clock(), by, expected)
        except Conflict as error:
            raise Outdated(str(error)) from error
        await self._serve()
        return Taken(registered, created=before is None, warnings=warnings)

    async def withdraw(self, team: str, by: str, expected: int | None = None) -> None:
        async with self._lock:
            self._must_not_be_a_file(team)
            await self._follow.refresh()
            row = self._follow.rows.get(team)
            if row is None:
                raise Unknown(_unknown(team))
            if expected not in (None, row.revision):
                raise Outdated(f"Team '{team}' is at revision {row.revision}, not {expected}. Read it again first.")
            await self._ledger.delete(team, self._clock(), by)
            await self._serve()

    def show(self, team: str) -> Shown:
        for shown in self.teams():
            if shown.team == team:
                return shown
        raise Unknown(_unknown(team))

    def teams(self) -> list[Shown]:
        """Every team that is served, files first."""
        return [self._shown(manifest) for manifest in self._follow.manifests]

    def troubles(self) -> dict[str, tuple[Problem, ...]]:
        """What is not served as declared, by source: a file's path, `team NAME` or `ledger`."""
        return dict(self._follow.troubles)

    def table(self) -> TableRows:
        table = self._current.table
        mounts = [mount for row in table.mounts.values() for mount in row]
        return TableRows(
            number=table.number,
            teams=list(table.teams),
            mounts=[_mount(mount) for mount in sorted(mounts, key=lambda mount: mount.name)],
            fragments=[_fragment(table.fragments[name]) for name in sorted(table.fragments)],
            upstreams=[_upstream(table.upstreams[name]) for name in sorted(table.upstreams)],
            moved=[MovedRow(move.old, move.new, move.team, move.until) for move in self._follow.moved],
        )

    async def leaks(self, team: str | None = None) -> list[LeakRow]:
        """Of a team, or all: by mount, what happens most often first."""
        return [_leak(leak) for leak in leaking.ordered(await self._ledger.leaks(team, self._clock()))]

    async def forget_leaks(self, team: str | None = None) -> None:
        """So that what is not mended shows again, and the rest does not."""
        await self._ledger.forget_leaks(team)

    async def purge(self, kind: Kind, value: str) -> Purge:
        """Written down for every process; done in this one when the call returns."""
        purge = await self._ledger.purge(kind, value, self._clock())
        await self._serve()
        return purge

    def owns(self, team: str, kind: Kind, value: str) -> bool:
        """Whether what a purge names is a team's own: itself, a URL below its mounts, a tag its manifest declares."""
        match kind:
            case "team":
                return value == team
            case "tag":
                return value in self._tags(team)
            case "url":
                path = value.partition("?")[0].encode("utf-8", "replace")
                mount = self._current.table.find(b"", path)
                return mount is not None and mount.team == team

    async def issue_token(self, team: str) -> str:
        """A new token for a team; the one before is worth nothing from now on. It is shown only here."""
        token = access.new_token(team)
        await self._ledger.set_token(team, access.hashed(token))
        return token

    def _tags(self, team: str) -> set[str]:
        declared = next((manifest for manifest in self._follow.manifests if manifest.team == team), None)
        if declared is None:
            return {team}
        policies = [mount.cache for mount in declared.mounts.values()]
        policies += [fragment.cache for fragment in declared.fragments.values()]
        return {team, *(tag for policy in policies if policy for tag in policy.tags)}

    def _must_not_be_a_file(self, team: str) -> None:
        if team in self._follow.files:
            raise Conflict(f"Team '{team}' is declared by the file {self._follow.files[team].name}. Change it there.")

    def _shown(self, manifest: Manifest) -> Shown:
        file = self._follow.files.get(manifest.team)
        row = self._follow.rows.get(manifest.team)
        if file is not None or row is None:
            return Shown(manifest.team, manifest, file=str(file or ""))
        return Shown(manifest.team, manifest, revision=row.revision, at=row.at, by=row.by)

    async def _serve(self) -> None:
        """What is written is taken; should the ledger fail right now, it will be served when it answers again."""
        try:
            await self._follow.refresh()
        except StoreError:
            return


def _unknown(team: str) -> str:
    return f"Team '{team}' is not registered. GET /api/teams lists those that are."


def _mount(mount: Mount) -> MountRow:
    return MountRow(
        prefix=mount.name,
        hosts=sorted(host.decode() for host in mount.hosts),
        team=mount.team,
        upstream=mount.upstream.name,
        composes=mount.composes,
        aware=mount.aware,
    )


def _leak(leak: Leak) -> LeakRow:
    return LeakRow(
        leak.team,
        leak.mount,
        leak.target,
        leak.page,
        leak.kind,
        leak.how,
        leak.times,
        leak.last,
        leaking.fix(leak),
    )


def _fragment(fragment: Fragment) -> FragmentRow:
    return FragmentRow(
        name=fragment.name,
        team=fragment.team,
        upstream=fragment.upstream.name,
        path=fragment.path.decode(),
        isolation=fragment.isolation,
        timeout=fragment.timeout,
        cache=fragment.policy,
    )


def _upstream(upstream: Upstream) -> UpstreamRow:
    return UpstreamRow(name=upstream.name, team=upstream.team, origins=[origin.url for origin in upstream.origins])
