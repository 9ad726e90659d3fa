"""From what is declared to what is served: the ledger and the manifest files, followed live in every process.

What turns bad never goes live: its team's last good manifest stays. Files belong to the operator and come first.
Files are looked at, not listened to: mounted volumes and network disks send no notices, and a folder may be missing.
"""

import asyncio
import glob
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gateway.registry.check as check
import gateway.registry.moving as moving
import gateway.settings as settings
import gateway.table as table
from gateway.errors import Conflict, SettingsError
from gateway.model import Manifest, Release, Upstream
from gateway.registry.check import Problem, Surroundings
from gateway.store.base import Home, Ledger, Purge, Registered, StoreError
from gateway.table import Current, Moved, Table

INTERVAL = 0.15  # seconds between two looks at the files; a change is taken at the second look that finds it the same
SHARE = 0.02  # of one core at most for looking: with thousands of files the looks become rarer
LONGEST = 0.4  # seconds between two looks at most: a change is taken within a second, whatever looking costs
PATIENCE = 1.0  # seconds before a ledger that failed is asked again
MOVED_FOR = 30 * 86400.0  # seconds an old prefix leads to the new one, where nobody said otherwise

Forget = Callable[[Purge], Awaitable[None]]
Signature = dict[Path, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class News:
    """What happened to a source of manifests: a file's path, `team NAME`, or `ledger`. Problems say why not."""

    source: str
    message: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """A file's text, the manifests it was held against, and what came of it; no manifest when it may not be taken."""

    text: str
    others: tuple[Manifest, ...]
    manifest: Manifest | None
    problems: tuple[Problem, ...]


class Follow:
    """Keeps one process's table at what is declared. `load` once before listening, then `run` for good."""

    def __init__(
        self,
        ledger: Ledger,
        current: Current,
        forget: Forget,
        *,
        globs: Sequence[str] = (),
        surroundings: Surroundings | None = None,
        report: Callable[[News], None] = lambda news: None,
        moved_for: float = MOVED_FOR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rows: dict[str, Registered] = {}
        self.files: dict[str, Path] = {}
        self.manifests: tuple[Manifest, ...] = ()
        self._ledger = ledger
        self._current = current
        self._forget = forget
        self._globs = tuple(globs)
        self._surroundings = surroundings or Surroundings()
        self._report = report
        self._moved_for = moved_for
        self._clock = clock
        self._lock = asyncio.Lock()
        self._number = -1
        self._signature: Signature = {}
        self._judged: dict[Path, _Judged] = {}
        self._from_files: dict[Path, Manifest] = {}
        self._from_ledger: dict[str, Manifest] = {}
        self._broken: dict[str, tuple[Problem, ...]] = {}
        self._ledger_trouble = ""
        self._homes: list[Home] = []
        self._written: dict[tuple[str, str, str], Home] | None = None  # homes as the ledger has them, once it was read

    def __repr__(self) -> str:
        return f"<Follow {len(self.files)} files, {len(self.rows)} registrations, {len(self.troubles)} troubles>"

    @property
    def troubles(self) -> Mapping[str, tuple[Problem, ...]]:
        """What is not served as it is declared, and why, by source."""
        found = {str(path): judged.problems for path, judged in self._judged.items() if judged.manifest is None}
        found |= {f"team {team}": problems for team, problems in self._broken.items()}
        if self._ledger_trouble:
            found["ledger"] = (Problem("", self._ledger_trouble, code="ledger"),)
        return found

    @property
    def moved(self) -> list[Moved]:
        """Prefixes that applications left, and where each leads."""
        return moving.leads(self._homes, self._moved_for)

    async def load(self) -> None:
        """Everything once. Whatever is broken is reported, and the rest serves."""
        async with self._lock:
            await self._read_files(await asyncio.to_thread(self._look))
            try:
                await self._read_ledger()
            except StoreError as error:
                self._ledger_fails(error)
            await self._swap(forgetting=False)

    async def refresh(self) -> None:
        """The ledger as it is now: who changed it awaits this, and the change is served here. Raises StoreError."""
        async with self._lock:
            purges = await self._read_ledger()
            await self._swap()
            await self._forget_all(purges)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_ledger(), name="follow ledger")
            group.create_task(self._follow_time(), name="follow time")
            if self._globs:
                group.create_task(self._follow_files(), name="follow files")

    async def _follow_ledger(self) -> None:
        while True:
            try:
                async for number in self._ledger.watch():
                    if number != self._number:
                        await self._catch_up()
            except StoreError as error:
                self._ledger_fails(error)
            await asyncio.sleep(PATIENCE)

    async def _catch_up(self) -> None:
        """Once a change is known it is not let go of."""
        while True:
            try:
                await self.refresh()
                return
            except StoreError as error:
                self._ledger_fails(error)
                await asyncio.sleep(PATIENCE)

    async def _follow_time(self) -> None:
        """Moves end, and what the ledger did not take is written when it takes it."""
        while True:
            await asyncio.sleep(PATIENCE)
            if self._is_late(self._clock()):
                async with self._lock:
                    await self._swap()

    def _is_late(self, now: float) -> bool:
        ended = any(home.left is not None and home.left + self._moved_for <= now for home in self._homes)
        return ended or (self._written is not None and self._written != {home.key: home for home in self._homes})

    async def _follow_files(self) -> None:
        before = self._signature
        while True:
            now, took = await asyncio.to_thread(self._timed_look)
            if now == before and now != self._signature:
                async with self._lock:
                    await self._read_files(now)
                    await self._swap()
            before = now
            await asyncio.sleep(min(max(INTERVAL, took / SHARE), LONGEST))

    def _timed_look(self) -> tuple[Signature, float]:
        """With the seconds of processor time it took: waiting for a busy machine is no work of ours."""
        began = time.thread_time()
        return self._look(), time.thread_time() - began

    def _look(self) -> Signature:
        """The files there are, and what tells that one has changed."""
        found: Signature = {}
        for name in {name for pattern in self._globs for name in glob.glob(pattern, recursive=True)}:
            try:
                status = os.stat(name)
            except OSError:
                continue
            found[Path(name)] = status.st_mtime_ns, status.st_size, status.st_ino
        return dict(sorted(found.items()))

    async def _read_files(self, signature: Signature) -> None:
        """Every file judged next to those before it. Called with the lock held."""
        self._signature = signature
        judged: dict[Path, _Judged] = {}
        serving: dict[Path, Manifest] = {}
        for path, text in (await asyncio.to_thread(_texts, list(signature))).items():
            judged[path] = await self._judge(path, text, tuple(serving.values()))
            manifest = judged[path].manifest or self._from_files.get(path)
            if manifest and manifest.team not in {other.team for other in serving.values()}:
                serving[path] = manifest
        for path in self._judged.keys() - judged.keys():
            self._report(News(str(path), "The file is gone, and what it declared with it."))
        self._judged, self._from_files = judged, serving
        self.files = {manifest.team: path for path, manifest in serving.items()}

    async def _judge(self, path: Path, text: str | SettingsError, others: tuple[Manifest, ...]) -> _Judged:
        before = self._judged.get(path)
        if before and before.text == str(text) and before.others == others:
            return before
        around = replace(self._surroundings, others=others, trusted=True, team=None)
        now = await asyncio.to_thread(_judge, path, text, around)
        if before is None or before.problems != now.problems or before.manifest != now.manifest:
            self._report(News(str(path), _outcome(now, path in self._from_files), now.problems))
        return now

    async def _read_ledger(self) -> list[Purge]:
        """Rows into manifests; gives the purges nobody here has seen. Called with the lock held."""
        number = await self._ledger.number()
        rows = {row.team: row for row in await self._ledger.manifests()}
        purges = await self._ledger.purges(self._number) if 0 <= self._number <= number else []
        if self._written is None:
            self._written = {home.key: home for home in await self._ledger.homes()}
            self._homes = list((self._written | {home.key: home for home in self._homes}).values())
        if number < self._number:
            rows = await self._restore(rows)
            self._written = {}
        for team in self.rows.keys() - rows.keys():
            self._report(News(f"team {team}", "Withdrawn."))
        changed = [row for team, row in rows.items() if row != self.rows.get(team)]
        taken = {row.team: await asyncio.to_thread(_parse, row) for row in changed}
        self._take(rows, taken)
        self._number = max(number, *(purge.number for purge in purges)) if purges else number
        self._ledger_trouble = ""
        return purges

    def _take(
        self, rows: dict[str, Registered], taken: Mapping[str, tuple[Manifest | None, tuple[Problem, ...]]]
    ) -> None:
        for team, (manifest, problems) in taken.items():
            if manifest is None:
                self._broken[team] = problems
                self._report(News(f"team {team}", "What is registered cannot be read; nothing changes.", problems))
            else:
                self._broken.pop(team, None)
                self._from_ledger[team] = manifest
                self._report(News(f"team {team}", f"Revision {rows[team].revision} is taken."))
        self._broken = {team: problems for team, problems in self._broken.items() if team in rows}
        self._from_ledger = {team: self._from_ledger[team] for team in rows if team in self._from_ledger}
        self.rows = rows

    async def _restore(self, rows: dict[str, Registered]) -> dict[str, Registered]:
        """A ledger that went back in time has lost registrations; this process still has them and puts them back."""
        self._report(News("ledger", "The ledger has lost changes. What it lacks is registered again."))
        restored = dict(rows)
        for row in self.rows.values():
            if row.team not in rows:
                try:
                    restored[row.team] = await self._ledger.put(row.team, row.manifest, row.at, row.by, expected=0)
                except Conflict:
                    restored[row.team] = row  # another process was faster; the next look reads what it wrote
        return restored

    async def _swap(self, *, forgetting: bool = True) -> None:
        """Called with the lock held. A mount that changed has answers stored that were mounted by the old."""
        served = self._in_order()
        homes = moving.settled(self._homes, served, self._clock(), self._moved_for)
        moved = moving.leads(homes, self._moved_for)
        if served != self.manifests or {move.old.encode(): move for move in moved} != self._current.table.moved:
            before, was = self._current.table, self.manifests
            table_now = await asyncio.to_thread(table.compile, served, before.number + 1, moved)
            self._current.swap(table_now)
            self.manifests = served
            if forgetting:
                changed = dict.fromkeys([*_changed(was, served), *_relinked(before, table_now)])
                numbers = {team: max(self._number, 0) for team in self._from_ledger}  # of files nobody counts changes
                await self._forget_all(Purge("team", team, numbers.get(team, 0)) for team in changed)
        self._homes = homes
        await self._write_homes()

    async def _write_homes(self) -> None:
        """Where applications are outlives this process. A ledger that is away is told by who reads it."""
        if self._written is None:
            return
        now = {home.key: home for home in self._homes}
        try:
            await self._ledger.set_homes([home for key, home in now.items() if home != self._written.get(key)])
            await self._ledger.forget_homes([home for key, home in self._written.items() if key not in now])
        except StoreError as error:
            self._ledger_fails(error)
            return
        self._written = now

    def _in_order(self) -> tuple[Manifest, ...]:
        """Files first, then registrations in the order their teams came: what an earlier one owns stays its own."""
        registered = (manifest for team, manifest in self._from_ledger.items() if team not in self.files)
        return (*self._from_files.values(), *registered)

    async def _forget_all(self, purges: Iterable[Purge]) -> None:
        for purge in purges:
            try:
                await self._forget(purge)
            except StoreError as error:
                self._report(
                    News("ledger", f"The purge of {purge.kind} {purge.value} did not reach the store: {error}")
                )

    def _ledger_fails(self, error: StoreError) -> None:
        if not self._ledger_trouble:
            self._report(News("ledger", f"{error} What is served stays as it is."))
        self._ledger_trouble = str(error)


def _changed(before: Iterable[Manifest], now: Iterable[Manifest]) -> Iterator[str]:
    """Teams that declare something else than before."""
    was, now_is = ({manifest.team: manifest for manifest in manifests} for manifests in (before, now))
    return (team for team in {**was, **now_is} if was.get(team) != now_is.get(team))


def _relinked(before: Table, now: Table) -> Iterator[str]:
    """Teams whose pages link to what has moved since, or no longer leads there."""
    was = {mount.prefix: mount.relinked for row in before.mounts.values() for mount in row}
    mounts = (mount for row in now.mounts.values() for mount in row)
    return (mount.team for mount in mounts if mount.prefix in was and was[mount.prefix] != mount.relinked)


def _texts(paths: Iterable[Path]) -> dict[Path, str | SettingsError]:
    return {path: _text(path) for path in paths}


def _text(path: Path) -> str | SettingsError:
    try:
        return settings.open_text(path)
    except SettingsError as error:
        return error


def _judge(path: Path, text: str | SettingsError, around: Surroundings) -> _Judged:
    others = tuple(around.others)
    if isinstance(text, SettingsError):
        return _Judged(str(text), others, None, (Problem("", str(text), code="unreadable"),))
    finding = check.check(text, around)
    problems = finding.errors  # its warnings are about others, who may stand in a file further down
    manifest = None if finding.errors else finding.manifest
    if manifest is not None and manifest.team in {other.team for other in others}:
        message = f"Team '{manifest.team}' is declared by another file."
        manifest, problems = None, (*problems, Problem("team", message, "Keep one file per team.", code="owned"))
    if manifest is not None:
        manifest, problems = _compiling(_absolute(manifest, path.parent), problems)
    return _Judged(text, others, manifest, problems)


def _parse(row: Registered) -> tuple[Manifest | None, tuple[Problem, ...]]:
    manifest, problems = check.parse(row.manifest)
    return (None, tuple(problems)) if manifest is None else _compiling(manifest, ())


def _compiling(manifest: Manifest, problems: tuple[Problem, ...]) -> tuple[Manifest | None, tuple[Problem, ...]]:
    """One manifest that cannot be compiled must not keep all others from being served."""
    try:
        table.compile([manifest])
    except Exception as error:
        return None, (*problems, Problem("", f"The manifest does not compile: {error}.", code="compile"))
    return manifest, problems


def _outcome(judged: _Judged, served_before: bool) -> str:
    if judged.manifest is not None:
        return f"Team '{judged.manifest.team}' is taken from it."
    return "It has problems; the last good one stays." if served_before else "It has problems and is left out."


def _absolute(manifest: Manifest, folder: Path) -> Manifest:
    """Folder origins of a file are relative to the file."""
    upstreams = {name: _absolute_upstream(upstream, folder) for name, upstream in manifest.upstreams.items()}
    return manifest.model_copy(update={"upstreams": upstreams})


def _absolute_upstream(upstream: Upstream, folder: Path) -> Upstream:
    releases = {name: _absolute_release(release, folder) for name, release in upstream.releases.items()}
    return upstream.model_copy(update={"origins": _absolute_origins(upstream.origins, folder), "releases": releases})


def _absolute_release(release: Release, folder: Path) -> Release:
    return release.model_copy(update={"origins": _absolute_origins(release.origins, folder)})


def _absolute_origins(origins: Sequence[str], folder: Path) -> list[str]:
    return [
        f"file:{os.path.abspath(folder / origin.removeprefix('file:'))}" if origin.startswith("file:") else origin
        for origin in origins
    ]
