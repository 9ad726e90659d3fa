"""Answers and registrations shared by gateways through Redis. The only file that knows its client, commands and keys.

A Redis that fails is a StoreError, told at once: after the first failure nobody waits for it again before it has
answered a trial, which no request pays for. What is read from it is checked as a stranger's bytes are, never run.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Literal
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as TimedOut

import gateway.store.codec as codec
from gateway.errors import Conflict
from gateway.message import Entry
from gateway.rules.leaks import LIFE, PER_TEAM, Leak
from gateway.store.base import Entries, Home, Ledger, Purge, Registered, StoreError, tag_of

PATIENCE = (
    0.1  # seconds for a connection or an answer: fifty times a round trip in one data centre, and far below a page
)
PAUSE = 1.0  # seconds between two trials while Redis does not answer
CONNECTIONS = 128  # of one process; each serves one question at a time, in well below a millisecond
LEDGER_PATIENCE = 2.0  # seconds; nobody's page waits for a registration
POLL = 0.5  # seconds until a change is seen whose message was lost
PURGES = 10_000  # kept for followers that lag behind; one that starts has nothing to forget

ENTRY = b"portico:1:e:"
TAG = b"portico:1:t:"
LEDGER = "portico:1:{ledger}:"  # braces keep all keys of a script in one slot of a cluster

# All entries of a tag, and the tag itself.
FORGET = """
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('UNLINK', key) end
return redis.call('UNLINK', KEYS[1])
"""
# KEYS: number, manifests, revisions, order. ARGV: channel, team, manifest, at, by, expected ('' for any).
PUT = """
local last = tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or '0')
local current = redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 and last or 0
if ARGV[6] ~= '' and tonumber(ARGV[6]) ~= current then return {0, current} end
local row = {revision = last + 1, manifest = ARGV[3], at = ARGV[4], by = ARGV[5]}
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(row))
redis.call('HSET', KEYS[3], ARGV[2], last + 1)
local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[4], 'NX', number, ARGV[2])
redis.call('PUBLISH', ARGV[1], number)
return {1, last + 1}
"""
# KEYS: number, manifests, revisions. ARGV: channel, team. The revision grows, so that none is ever given twice.
DELETE = """
if redis.call('HDEL', KEYS[2], ARGV[2]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[3], ARGV[2], 1)
redis.call('PUBLISH', ARGV[1], redis.call('INCR', KEYS[1]))
return 1
"""
# KEYS: number, purges. ARGV: channel, kind, value, how many to keep.
WRITE_PURGE = """
local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], number, cjson.encode({number, ARGV[2], ARGV[3]}))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
redis.call('PUBLISH', ARGV[1], number)
return number
"""
# KEYS: number, tokens. ARGV: channel, team, hash.
WRITE_HASH = """
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PUBLISH', ARGV[1], redis.call('INCR', KEYS[1]))
return 1
"""
# KEYS: teams that leak, leaks of a team, when each was seen. ARGV: team, now, end of the forgotten, how many to keep,
# then target and row by turns. Rows are JSON; `times` is added to what is known.
ADD_LEAKS = """
for at = 5, #ARGV, 2 do
  local row = cjson.decode(ARGV[at + 1])
  local known = redis.call('HGET', KEYS[2], ARGV[at])
  if known then row.times = row.times + cjson.decode(known).times end
  redis.call('HSET', KEYS[2], ARGV[at], cjson.encode(row))
  redis.call('ZADD', KEYS[3], row.last, ARGV[at])
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[3])
local much = redis.call('ZCARD', KEYS[3]) - #gone - tonumber(ARGV[4])
if much > 0 then gone = redis.call('ZRANGE', KEYS[3], 0, #gone + much - 1) end
for _, target in ipairs(gone) do
  redis.call('HDEL', KEYS[2], target)
  redis.call('ZREM', KEYS[3], target)
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
return 1
"""


class RedisEntries:
    """Entries under their keys until their last use; tags are sorted sets of keys by the time they end."""

    def __init__(self, url: str) -> None:
        self._name = _without_password(url)
        self._client = _client(url, PATIENCE, CONNECTIONS)
        self._trial: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<RedisEntries {self._name}, {'answers' if self.answers else 'does not answer'}>"

    @property
    def answers(self) -> bool:
        """Whether Redis is asked at all, as far as anyone here knows."""
        return self._trial is None

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """An entry that cannot be read is none: it will be fetched and written anew."""
        found = await self._ask(lambda: self._client.mget([ENTRY + key for key in keys])) if keys else []
        return [_entry(value) for value in found]

    async def put(self, key: bytes, entry: Entry, now: float) -> None:
        life = int((entry.expires - now) * 1000)
        if life <= 0:
            return
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(ENTRY + key, codec.encode(entry), px=life)
            for tag in entry.tags:
                name = TAG + tag.encode("utf-8", "replace")
                pipe.zremrangebyscore(name, "-inf", now)
                pipe.zadd(name, {ENTRY + key: entry.expires})
                pipe.pexpire(name, life, nx=True)
                pipe.pexpire(name, life, gt=True)
            await self._ask(pipe.execute)

    async def purge(self, purge: Purge) -> None:
        name = TAG + tag_of(purge).encode("utf-8", "replace")
        await self._ask(lambda: self._client.eval(FORGET, 1, name))

    async def close(self) -> None:
        if self._trial is not None:
            self._trial.cancel()
            await asyncio.gather(self._trial, return_exceptions=True)
        await self._client.aclose()

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """One round trip. While Redis does not answer, none at all."""
        if self._trial is not None:
            raise StoreError(f"Redis at {self._name} does not answer; it is tried every {PAUSE:g} s.")
        try:
            with _translated(self._name):
                return await question()
        except StoreError as error:
            if isinstance(error.__cause__, (Disconnected, TimedOut, OSError)) and self._trial is None:
                self._trial = asyncio.create_task(self._try(), name="try redis")
            raise

    async def _try(self) -> None:
        """Until it answers; connections from before are of no use."""
        while True:
            await asyncio.sleep(PAUSE)
            try:
                with _translated(self._name):
                    await self._client.connection_pool.disconnect(inuse_connections=False)
                    await self._client.ping()
                    break
            except StoreError:
                continue
        self._trial = None


class RedisLedger:
    """Registrations under one hash tag. Each change is one script, so that it stands whole or not at all."""

    def __init__(self, url: str) -> None:
        self._name = _without_password(url)
        self._client = _client(url, LEDGER_PATIENCE, CONNECTIONS)
        self._channel = f"{LEDGER}changes"

    def __repr__(self) -> str:
        return f"<RedisLedger {self._name}>"

    async def number(self) -> int:
        with _translated(self._name):
            return int(await self._client.get(f"{LEDGER}number") or 0)

    async def manifests(self) -> list[Registered]:
        with _translated(self._name):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hgetall(f"{LEDGER}manifests")
                pipe.zrange(f"{LEDGER}order", 0, -1)
                rows, order = await pipe.execute()
            return [_registered(team, rows[team]) for team in order if team in rows]

    async def put(self, team: str, manifest: str, at: float, by: str, expected: int | None = None) -> Registered:
        wanted = "" if expected is None else expected
        done, revision = await self._run(
            PUT, ("number", "manifests", "revisions", "order"), team, manifest, repr(at), by, wanted
        )
        if not done:
            now = f"is at revision {revision}" if revision else "is not registered"
            raise Conflict(
                f"Team '{team}' {now}, and the change was made on revision {expected}. "
                "Read it again and repeat the change."
            )
        return Registered(team, int(revision), manifest, at, by)

    async def delete(self, team: str, at: float, by: str) -> bool:
        return bool(await self._run(DELETE, ("number", "manifests", "revisions"), team))

    async def purge(self, kind: Literal["url", "tag", "team"], value: str, at: float) -> Purge:
        return Purge(kind, value, int(await self._run(WRITE_PURGE, ("number", "purges"), kind, value, PURGES)))

    async def purges(self, since: int) -> list[Purge]:
        with _translated(self._name):
            rows = await self._client.zrangebyscore(f"{LEDGER}purges", f"({since}", "+inf")
            return [_purge(row) for row in rows if isinstance(row, bytes)]

    async def token(self, team: str) -> str | None:
        with _translated(self._name):
            kept = await self._client.hget(f"{LEDGER}tokens", team)
            return kept.decode() if isinstance(kept, bytes) else kept

    async def set_token(self, team: str, hashed: str) -> None:
        await self._run(WRITE_HASH, ("number", "tokens"), team, hashed)

    async def homes(self) -> list[Home]:
        with _translated(self._name):
            rows = await self._client.hvals(f"{LEDGER}homes")
            return sorted((_home(row) for row in rows if isinstance(row, bytes)), key=lambda home: home.key)

    async def set_homes(self, homes: Sequence[Home]) -> None:
        rows = [word for home in homes for word in (json.dumps(home.key), json.dumps(asdict(home)))]
        with _translated(self._name):
            if rows:
                await self._client.hset(f"{LEDGER}homes", items=rows)

    async def forget_homes(self, homes: Sequence[Home]) -> None:
        with _translated(self._name):
            if homes:
                await self._client.hdel(f"{LEDGER}homes", *(json.dumps(home.key) for home in homes))

    async def add_leaks(self, leaks: Sequence[Leak], now: float) -> None:
        for team in sorted({leak.team for leak in leaks}):
            rows = [leak for leak in leaks if leak.team == team]
            words = [word for leak in rows for word in (json.dumps(leak.key), json.dumps(asdict(leak)))]
            keys = [f"{LEDGER}leaking", f"{LEDGER}leaks:{team}", f"{LEDGER}leaked:{team}"]
            with _translated(self._name):
                await self._client.eval(ADD_LEAKS, 3, *keys, team, repr(now), repr(now - LIFE), PER_TEAM, *words)

    async def leaks(self, team: str | None, now: float) -> list[Leak]:
        with _translated(self._name):
            async with self._client.pipeline(transaction=False) as pipe:
                for each in await self._leaking() if team is None else [team]:
                    pipe.hvals(f"{LEDGER}leaks:{each}")
                found = [_leak(row) for rows in await pipe.execute() for row in rows]
            return [leak for leak in found if leak.last >= now - LIFE]

    async def forget_leaks(self, team: str | None) -> None:
        with _translated(self._name):
            for each in await self._leaking() if team is None else [team]:
                await self._client.unlink(f"{LEDGER}leaks:{each}", f"{LEDGER}leaked:{each}")
                await self._client.zrem(f"{LEDGER}leaking", each)

    async def _leaking(self) -> list[str]:
        teams = await self._client.zrange(f"{LEDGER}leaking", 0, -1)
        return [team.decode() for team in teams if isinstance(team, bytes)]

    async def watch(self) -> AsyncIterator[int]:
        """The number now, then again at each change: at once by message, or by asking where the message was lost."""
        seen = -1
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as messages:
                    with _translated(self._name):
                        await messages.subscribe(self._channel)
                    while True:
                        number = await self.number()
                        if number != seen:
                            seen = number
                            yield number
                        with _translated(self._name):
                            await messages.get_message(timeout=POLL)
                        _unless_cancelled()
            except StoreError:
                await asyncio.sleep(POLL)

    async def close(self) -> None:
        await self._client.aclose()

    async def _run(self, script: str, keys: Sequence[str], *words: str | int) -> Any:
        with _translated(self._name):
            names = [LEDGER + key for key in keys]
            return await self._client.eval(script, len(names), *names, self._channel, *words)


def _client(url: str, patience: float, connections: int) -> "Redis":
    """One try for every command: whether to try again is for the caller to say."""
    client: Redis = Redis.from_url(
        url,
        socket_connect_timeout=patience,
        socket_timeout=patience,
        retry=Retry(NoBackoff(), 0),
        max_connections=connections,
        driver_info=None,
        protocol=2,
    )
    return client


def _unless_cancelled() -> None:
    """redis-py may swallow the cancelling of a task that waits in it; who watches for good has to end nevertheless."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"Redis at {name} failed: {error or type(error).__name__}.") from error


def _entry(value: bytes | None) -> Entry | None:
    if value is None:
        return None
    try:
        return codec.decode(value)
    except ValueError:
        return None


def _registered(team: bytes, row: bytes) -> Registered:
    said = json.loads(row)
    return Registered(team.decode(), int(said["revision"]), str(said["manifest"]), float(said["at"]), str(said["by"]))


def _purge(row: bytes) -> Purge:
    number, kind, value = json.loads(row)
    if kind not in ("url", "tag", "team"):
        raise ValueError(f"{kind!r} is no kind of purge")
    return Purge(kind, str(value), int(number))


def _home(row: bytes) -> Home:
    said = json.loads(row)
    left = said["left"]
    prefix, team, upstream, to = (str(said[name]) for name in ("prefix", "team", "upstream", "to"))
    return Home(prefix, team, upstream, None if left is None else float(left), to)


def _leak(row: bytes) -> Leak:
    said = json.loads(row)
    team, mount, target, kind, how, page = (str(said[name]) for name in _LEAK_TEXTS)
    return Leak(team, mount, target, kind, how, page, int(said["times"]), float(said["last"]))


_LEAK_TEXTS = ("team", "mount", "target", "kind", "how", "page")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}{parts.path}" if parts.hostname else parts.path


_entries: type[Entries] = RedisEntries
_ledger: type[Ledger] = RedisLedger
