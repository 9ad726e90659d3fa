"""Registrations shared by gateways through Redis, all under one hash tag: `portico:1:{ledger}:`.

Each change is one script, so that it stands whole or not at all, and is published, so that others follow at once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

import gateway.store.redis.address as address
import gateway.store.redis.topology as topology
from gateway.errors import Conflict
from gateway.rules.leaks import LIFE, PER_TEAM, Leak
from gateway.store.base import KINDS, Home, Kind, Ledger, Purge, Registered, StoreError
from gateway.store.redis.topology import translated

LEDGER_PATIENCE = 2.0  # seconds; nobody's page waits for a registration
POLL = 0.5  # seconds until a change is seen whose message was lost
PURGES = 10_000  # kept for followers that lag behind
LEDGER = "portico:1:{ledger}:"  # braces keep all keys of a script in one slot of a cluster

# The number begins at the clock's milliseconds: where Redis was emptied, it must not count again what entries in
# memories have seen already.
GROWN = """
local function grown(key)
  if redis.call('EXISTS', key) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', key, now[1] * 1000 + math.floor(now[2] / 1000))
  end
  return redis.call('INCR', key)
end
"""
# KEYS: manifests, order. Both as they are at one moment.
ALL = "return {redis.call('HGETALL', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1)}"
# KEYS: number, manifests, revisions, order. ARGV: channel, team, manifest, at, by, expected ('' for any).
PUT = """
local last = tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or '0')
local current = redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 and last or 0
if ARGV[6] ~= '' and tonumber(ARGV[6]) ~= current then return {0, current} end
local row = {revision = last + 1, manifest = ARGV[3], at = ARGV[4], by = ARGV[5]}
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(row))
redis.call('HSET', KEYS[3], ARGV[2], last + 1)
local number = grown(KEYS[1])
redis.call('ZADD', KEYS[4], 'NX', number, ARGV[2])
redis.call('PUBLISH', ARGV[1], number)
return {1, last + 1}
"""
# KEYS: number, manifests, revisions. ARGV: channel, team. The revision grows, so that none is ever given twice.
DELETE = """
if redis.call('HDEL', KEYS[2], ARGV[2]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[3], ARGV[2], 1)
redis.call('PUBLISH', ARGV[1], grown(KEYS[1]))
return 1
"""
# KEYS: number, purges. ARGV: channel, kind, value, how many to keep, 'soft' or ''.
WRITE_PURGE = """
local number = grown(KEYS[1])
redis.call('ZADD', KEYS[2], number, cjson.encode({number, ARGV[2], ARGV[3], ARGV[5]}))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
redis.call('PUBLISH', ARGV[1], number)
return number
"""
# KEYS: number, tokens. ARGV: channel, team, hash.
WRITE_HASH = """
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PUBLISH', ARGV[1], grown(KEYS[1]))
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


class RedisLedger:
    """What the registry keeps, in one place of one Redis."""

    def __init__(self, url: str) -> None:
        self._address = address.read(url)
        self._client = topology.client(self._address, LEDGER_PATIENCE)
        self._channel = f"{LEDGER}changes"

    def __repr__(self) -> str:
        return f"<RedisLedger {self._address}>"

    async def number(self) -> int:
        with translated(str(self._address)):
            return int(await self._client.get(f"{LEDGER}number") or 0)

    async def manifests(self) -> list[Registered]:
        said, order = await self._run(ALL, ("manifests", "order"))
        with translated(str(self._address)):
            rows = dict(zip(said[::2], said[1::2], strict=True))
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

    async def purge(self, kind: Kind, value: str, at: float, soft: bool = False) -> Purge:
        words = kind, value, PURGES, "soft" if soft else ""
        return Purge(kind, value, int(await self._run(WRITE_PURGE, ("number", "purges"), *words)), soft)

    async def purges(self, since: int) -> list[Purge]:
        with translated(str(self._address)):
            rows = await self._client.zrangebyscore(f"{LEDGER}purges", f"({since}", "+inf")
            return [_purge(row) for row in rows if isinstance(row, bytes)]

    async def token(self, team: str) -> str | None:
        with translated(str(self._address)):
            kept = await self._client.hget(f"{LEDGER}tokens", team)
            return kept.decode() if isinstance(kept, bytes) else kept

    async def set_token(self, team: str, hashed: str) -> None:
        await self._run(WRITE_HASH, ("number", "tokens"), team, hashed)

    async def homes(self) -> list[Home]:
        with translated(str(self._address)):
            rows = await self._client.hvals(f"{LEDGER}homes")
            return sorted((_home(row) for row in rows if isinstance(row, bytes)), key=lambda home: home.key)

    async def set_homes(self, homes: Sequence[Home]) -> None:
        rows = [word for home in homes for word in (json.dumps(home.key), json.dumps(asdict(home)))]
        with translated(str(self._address)):
            if rows:
                await self._client.hset(f"{LEDGER}homes", items=rows)

    async def forget_homes(self, homes: Sequence[Home]) -> None:
        with translated(str(self._address)):
            if homes:
                await self._client.hdel(f"{LEDGER}homes", *(json.dumps(home.key) for home in homes))

    async def add_leaks(self, leaks: Sequence[Leak], now: float) -> None:
        for team in sorted({leak.team for leak in leaks}):
            rows = [leak for leak in leaks if leak.team == team]
            words = [word for leak in rows for word in (json.dumps(leak.key), json.dumps(asdict(leak)))]
            keys = [f"{LEDGER}leaking", f"{LEDGER}leaks:{team}", f"{LEDGER}leaked:{team}"]
            with translated(str(self._address)):
                await self._client.eval(ADD_LEAKS, 3, *keys, team, repr(now), repr(now - LIFE), PER_TEAM, *words)

    async def leaks(self, team: str | None, now: float) -> list[Leak]:
        with translated(str(self._address)):
            teams = await self._leaking() if team is None else [team]
            kept = await asyncio.gather(*(self._client.hvals(f"{LEDGER}leaks:{each}") for each in teams))
            found = [_leak(row) for rows in kept for row in rows if isinstance(row, bytes)]
            return [leak for leak in found if leak.last >= now - LIFE]

    async def forget_leaks(self, team: str | None) -> None:
        with translated(str(self._address)):
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
                async with topology.messages(self._client, self._address) as messages:
                    with translated(str(self._address)):
                        await messages.subscribe(self._channel)
                    while True:
                        number = await self.number()
                        if number != seen:
                            seen = number
                            yield number
                        with translated(str(self._address)):
                            await messages.get_message(timeout=POLL)
                        _unless_cancelled()
            except StoreError:
                await asyncio.sleep(POLL)

    async def close(self) -> None:
        await topology.closed(self._client)

    async def _run(self, script: str, keys: Sequence[str], *words: str | int) -> Any:
        with translated(str(self._address)):
            names = [LEDGER + key for key in keys]
            return await self._client.eval(GROWN + script, len(names), *names, self._channel, *words)


def _unless_cancelled() -> None:
    """redis-py may swallow the cancelling of a task that waits in it; who watches for good has to end nevertheless."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _registered(team: bytes, row: bytes) -> Registered:
    said = json.loads(row)
    return Registered(team.decode(), int(said["revision"]), str(said["manifest"]), float(said["at"]), str(said["by"]))


def _purge(row: bytes) -> Purge:
    number, kind, value, *soft = json.loads(row)
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of purge")
    return Purge(kind, str(value), int(number), soft == ["soft"])


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


_ledger: type[Ledger] = RedisLedger
