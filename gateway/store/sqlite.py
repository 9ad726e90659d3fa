"""Registrations, homes and leaks in one SQLite file: the ledger of a gateway without services, shared by its workers.

Every change is a row that stays: a withdrawn team can be read again. The only file that knows sqlite3. Calls run in one
thread of their own, because a commit waits for the disk and maybe for another process, and the event loop must not.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import TypeVar

from gateway.errors import Conflict
from gateway.rules.leaks import LIFE, PER_TEAM, Leak
from gateway.store.base import Home, Kind, Ledger, Purge, Registered, StoreError

Result = TypeVar("Result")

INTERVAL = 0.2  # seconds between two looks at the number: a read of some 20 µs, five times a second
BUSY = 5.0  # seconds to wait for another process's write, which takes milliseconds
PURGES = 10_000  # kept for followers that lag behind; one that starts has nothing to forget

SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (1, 0);
CREATE TABLE IF NOT EXISTS manifests (
    id INTEGER PRIMARY KEY,
    team TEXT NOT NULL,
    revision INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    at REAL NOT NULL,
    by TEXT NOT NULL,
    withdrawn INTEGER NOT NULL,
    UNIQUE (team, revision)
);
CREATE TABLE IF NOT EXISTS purged (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, soft INTEGER NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (team TEXT PRIMARY KEY, hashed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS homes (
    prefix TEXT NOT NULL, team TEXT NOT NULL, upstream TEXT NOT NULL, "left" REAL, "to" TEXT NOT NULL,
    PRIMARY KEY (prefix, team, upstream)
);
CREATE TABLE IF NOT EXISTS leaks (
    team TEXT NOT NULL,
    mount TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    how TEXT NOT NULL,
    page TEXT NOT NULL,
    times INTEGER NOT NULL,
    last REAL NOT NULL,
    PRIMARY KEY (team, mount, target)
);
"""
ADD_LEAK = """
INSERT INTO leaks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (team, mount, target) DO UPDATE SET
    kind = excluded.kind, how = excluded.how, page = excluded.page, times = times + excluded.times, last = excluded.last
"""
SPARE_LEAKS = """
DELETE FROM leaks WHERE team = ? AND rowid NOT IN (
    SELECT rowid FROM leaks WHERE team = ? ORDER BY last DESC, times DESC LIMIT ?
)
"""
LATEST = """
SELECT team, revision, manifest, at, by FROM manifests AS latest
WHERE NOT withdrawn AND revision = (SELECT max(revision) FROM manifests WHERE team = latest.team)
ORDER BY (SELECT min(id) FROM manifests WHERE team = latest.team)
"""


class SqliteLedger:
    """A file that is made when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None

    def __repr__(self) -> str:
        return f"<SqliteLedger {self.path}>"

    async def number(self) -> int:
        return await self._do(_number)

    async def manifests(self) -> list[Registered]:
        return await self._do(lambda connection: [Registered(*row) for row in connection.execute(LATEST)])

    async def put(self, team: str, manifest: str, at: float, by: str, expected: int | None = None) -> Registered:
        def change(connection: sqlite3.Connection) -> Registered:
            with _change(connection):
                last, current = _revisions(connection, team)
                if expected is not None and expected != current:
                    raise Conflict(_outdated(team, current, expected))
                _write(connection, team, last + 1, manifest, at, by, withdrawn=False)
            return Registered(team, last + 1, manifest, at, by)

        return await self._do(change)

    async def delete(self, team: str, at: float, by: str) -> bool:
        def change(connection: sqlite3.Connection) -> bool:
            with _change(connection):
                last, current = _revisions(connection, team)
                if current:
                    _write(connection, team, last + 1, "", at, by, withdrawn=True)
            return bool(current)

        return await self._do(change)

    async def purge(self, kind: Kind, value: str, at: float, soft: bool = False) -> Purge:
        def change(connection: sqlite3.Connection) -> Purge:
            with _change(connection):
                number = _number(connection) + 1
                connection.execute("INSERT INTO purged VALUES (?, ?, ?, ?, ?)", (number, kind, value, soft, at))
                connection.execute(
                    "DELETE FROM purged WHERE number NOT IN (SELECT number FROM purged ORDER BY number DESC LIMIT ?)",
                    (PURGES,),
                )
            return Purge(kind, value, number, soft)

        return await self._do(change)

    async def purges(self, since: int) -> list[Purge]:
        asked = "SELECT kind, value, number, soft FROM purged WHERE number > ? ORDER BY number"
        rows = await self._do(lambda connection: connection.execute(asked, (since,)).fetchall())
        return [Purge(kind, value, number, bool(soft)) for kind, value, number, soft in rows]

    async def token(self, team: str) -> str | None:
        asked = "SELECT hashed FROM tokens WHERE team = ?"
        row = await self._do(lambda connection: connection.execute(asked, (team,)).fetchone())
        return None if row is None else str(row[0])

    async def set_token(self, team: str, hashed: str) -> None:
        def change(connection: sqlite3.Connection) -> None:
            with _change(connection):
                connection.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?)", (team, hashed))

        await self._do(change)

    async def homes(self) -> list[Home]:
        asked = 'SELECT prefix, team, upstream, "left", "to" FROM homes ORDER BY prefix, team, upstream'
        return await self._do(lambda connection: [Home(*row) for row in connection.execute(asked)])

    async def set_homes(self, homes: Sequence[Home]) -> None:
        rows = [(home.prefix, home.team, home.upstream, home.left, home.to) for home in homes]
        await self._note("INSERT OR REPLACE INTO homes VALUES (?, ?, ?, ?, ?)", rows)

    async def forget_homes(self, homes: Sequence[Home]) -> None:
        rows = [home.key for home in homes]
        await self._note("DELETE FROM homes WHERE prefix = ? AND team = ? AND upstream = ?", rows)

    async def add_leaks(self, leaks: Sequence[Leak], now: float) -> None:
        rows = [astuple(leak) for leak in leaks]
        teams = sorted({leak.team for leak in leaks})

        def note(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(ADD_LEAK, rows)
                connection.execute("DELETE FROM leaks WHERE last < ?", (now - LIFE,))
                connection.executemany(SPARE_LEAKS, [(team, team, PER_TEAM) for team in teams])

        await self._do(note)

    async def leaks(self, team: str | None, now: float) -> list[Leak]:
        asked = (
            "SELECT team, mount, target, kind, how, page, times, last FROM leaks "
            "WHERE last >= ? AND (? IS NULL OR team = ?)"
        )
        return await self._do(
            lambda connection: [Leak(*row) for row in connection.execute(asked, (now - LIFE, team, team))]
        )

    async def forget_leaks(self, team: str | None) -> None:
        await self._note("DELETE FROM leaks WHERE ? IS NULL OR team = ?", [(team, team)])

    async def _note(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Written down whole; no change that others have to follow."""

        def note(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(statement, rows)

        await self._do(note)

    async def watch(self) -> AsyncIterator[int]:
        """The number now, then again soon after each change. A file that cannot be read is asked again."""
        seen = -1
        while True:
            try:
                number = await self.number()
            except StoreError:
                number = seen
            if number != seen:
                seen = number
                yield number
            await asyncio.sleep(INTERVAL)

    async def close(self) -> None:
        """Nothing may be asked afterwards."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _do(self, ask: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, ask)

    def _ask(self, ask: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            if self._connection is None:
                self._connection = _open(self.path)
            return ask(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"The ledger {self.path} cannot be used: {error}.") from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
        _patiently(lambda: connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))
    except BaseException:
        connection.close()
        raise
    return connection


def _patiently(step: Callable[[], object]) -> None:
    """Several processes may open a new file at once, and the change to WAL does not wait for its turn by itself."""
    end = time.monotonic() + BUSY
    while True:
        try:
            step()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextmanager
def _change(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that counts as one change."""
    with _transaction(connection):
        yield
        connection.execute("UPDATE counter SET number = number + 1")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Nothing of it stands when it fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT number FROM counter").fetchone()[0])


def _revisions(connection: sqlite3.Connection, team: str) -> tuple[int, int]:
    """The last revision ever, and the one registered now; 0 for none."""
    asked = "SELECT revision, withdrawn FROM manifests WHERE team = ? ORDER BY revision DESC LIMIT 1"
    revision, withdrawn = connection.execute(asked, (team,)).fetchone() or (0, 1)
    return revision, 0 if withdrawn else revision


def _write(
    connection: sqlite3.Connection, team: str, revision: int, manifest: str, at: float, by: str, *, withdrawn: bool
) -> None:
    row = (team, revision, manifest, at, by, int(withdrawn))
    connection.execute(
        "INSERT INTO manifests (team, revision, manifest, at, by, withdrawn) VALUES (?, ?, ?, ?, ?, ?)", row
    )


def _outdated(team: str, current: int, expected: int) -> str:
    now = f"is at revision {current}" if current else "is not registered"
    return f"Team '{team}' {now}, and the change was made on revision {expected}. Read it again and repeat the change."


_guard: type[Ledger] = SqliteLedger
