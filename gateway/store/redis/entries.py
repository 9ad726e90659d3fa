"""Answers shared by gateways through Redis. What is read from it is checked as a stranger's bytes are, never run.

Under `portico:2:`, everything of one entry in one slot of a cluster, by the braces around its key:
`e:{key}` the entry, with its body unless that is large; `p:{key}:digest:number` pieces of a large body;
`c:{key}` the claim of whoever asks its origin just now. All have a time to live. There is no index: a purge is a number
that entries are held against (`Entry.since`), so that none written by a fetch from before it is ever used.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import gateway.rules.freshness as freshness
import gateway.store.codec as codec
import gateway.store.redis.address as address
import gateway.store.redis.topology as topology
from gateway.message import Entry
from gateway.store.base import Changed, Claim, Entries, StoreError, StoreRefused
from gateway.store.redis.pipe import packed, said

ENTRY = b"portico:2:e:{"
CLAIM = b"portico:2:c:{"
PIECE = b"portico:2:p:{"
LARGE = 512 << 10  # bytes of a body that is cut: a server busy with one answer has the others wait
PIECES = 256 << 10  # bytes of each piece
KNOWN = 4 << 20  # bytes of values read lately, whose entries need no reading anew: some thousand fragments
REFUSED = 1.0  # seconds a server that is full, or may only be read, is not offered anything
SOON, LATER = 0.01, 0.1  # seconds between two looks for an entry, at first and at last, where nothing is told
TOLD = 0.25  # seconds between two looks where changes are told, should a message be lost

# KEYS: entry, claim. ARGV: token, milliseconds, entry. Written only while the claim is held, which ends with it.
PUT_CLAIMED = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
return redis.call('DEL', KEYS[2])
"""
# KEYS: claim. ARGV: token. Only the holder's own.
YIELD = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisEntries:
    """Entries under their keys until their last use."""

    def __init__(self, url: str) -> None:
        self._address = address.read(url)
        self._topology = topology.opened(self._address, (ENTRY, CLAIM), self._heard)
        self._changed: Changed | None = None
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._refused: tuple[float, StoreRefused] | None = None
        self._known: dict[bytes, tuple[bytes, Entry]] = {}
        self._known_size = 0

    def __repr__(self) -> str:
        return f"<RedisEntries {self._address}, {'answers' if self.answers else 'does not answer'}>"

    @property
    def answers(self) -> bool:
        """Whether Redis is asked at all, as far as anyone here knows."""
        return self._topology.answers

    @property
    def tracks(self) -> bool:
        """Whether what others change is told here."""
        return self._topology.tracks

    def listen(self, changed: Changed) -> None:
        self._changed = changed

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """An entry that cannot be read is none: it will be fetched and written anew."""
        if not keys:
            return []
        values = await self._topology.read([b"%b%b}" % (ENTRY, key) for key in keys])
        if isinstance(values[0], StoreError) and all(isinstance(value, StoreError) for value in values):
            raise values[0]
        found = [self._entry(value) for value in values]
        lacking = [at for at, value in enumerate(values) if found[at] is None and type(value) is bytes]
        if lacking:
            await self._complete(keys, values, found, lacking)
        return found

    async def put(self, key: bytes, entry: Entry, now: float, claim: Claim | None = None) -> bool:
        life = int((freshness.kept_until(entry) - now) * 1000)
        if life <= 0:
            return False
        self._unless_refused()
        name, px = b"%b%b}" % (ENTRY, key), b"%d" % life
        large = len(entry.body) > LARGE
        pieces = _pieces(key, entry.digest, len(entry.body)) if large else []
        cuts = [entry.body[at : at + PIECES] for at in range(0, len(entry.body), PIECES)] if large else []
        questions = [packed(b"SET", piece, cut, b"PX", px) for piece, cut in zip(pieces, cuts, strict=True)]
        value = codec.head(entry) if large else codec.encode(entry)
        if claim is None:
            questions.append(packed(b"SET", name, value, b"PX", px))
        else:
            questions.append(_script(PUT_CLAIMED, (name, _claimed(key)), claim.token, px, value))
        return (await self._write(name, *questions)) in (b"OK", 1)

    async def claim(self, key: bytes, seconds: float) -> Claim | None:
        self._unless_refused()
        name, token = _claimed(key), secrets.token_bytes(12)
        taken = await self._write(name, packed(b"SET", name, token, b"NX", b"PX", b"%d" % max(1, int(seconds * 1000))))
        return Claim(key, token) if taken == b"OK" else None

    async def yield_claim(self, claim: Claim) -> None:
        name = _claimed(claim.key)
        await self._write(name, _script(YIELD, (name,), claim.token))

    async def await_entry(self, key: bytes, seconds: float) -> Entry | None:
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + seconds, SOON
        while True:
            told = loop.create_future()
            self._waiting.setdefault(key, []).append(told)  # before looking, so that no change falls in between
            try:
                if await self._is_free(key):
                    return (await self.get([key]))[0]
                left = end - loop.time()
                if left <= 0:
                    return None
                await asyncio.wait((told,), timeout=min(left, TOLD if self.tracks else pause))
            finally:
                self._no_longer(key, told)
            pause = min(2 * pause, LATER)

    async def forget(self, keys: Sequence[bytes]) -> None:
        """Pieces of large bodies end by themselves."""
        names = [b"%b%b}" % (ENTRY, key) for key in keys]
        await asyncio.gather(*(self._write(name, packed(b"UNLINK", name)) for name in names))

    async def close(self) -> None:
        await self._topology.close()

    def _entry(self, value: object) -> Entry | None:
        """The same value is the same entry, so that what was made of it serves again."""
        if type(value) is not bytes:
            return None
        seal = codec.seal(value)
        known = self._known.get(seal)
        if known is not None and known[0] == value:
            return known[1]
        entry = _decoded(value)
        if entry is not None and len(value) <= KNOWN >> 6:
            self._known_size += len(value)
            if self._known_size > KNOWN:
                self._known.clear()
                self._known_size = len(value)
            self._known[seal] = value, entry
        return entry

    async def _complete(
        self, keys: Sequence[bytes], values: Sequence[Any], found: list[Entry | None], lacking: Sequence[int]
    ) -> None:
        """Large bodies, all in one more round trip."""
        names: list[bytes] = []
        spans: list[tuple[int, int]] = []
        for at in lacking:
            missing = codec.lacks(values[at])
            if missing is not None:
                pieces = _pieces(keys[at], *missing)
                spans.append((at, len(pieces)))
                names += pieces
        if not names:
            return
        read = iter(await self._topology.read(names))
        for at, count in spans:
            cuts = [next(read) for _ in range(count)]
            if all(type(cut) is bytes for cut in cuts):
                found[at] = _decoded(b"".join((values[at], *cuts)))

    async def _is_free(self, key: bytes) -> bool:
        (claim,) = await self._topology.read([_claimed(key)])
        if isinstance(claim, StoreError):
            raise claim
        return claim is None

    async def _write(self, name: bytes, *questions: bytes) -> Any:
        """The last answer; all have to be right."""
        answers = await self._topology.ask(name, *questions)
        try:
            return [said(answer) for answer in answers][-1]
        except StoreRefused as error:
            self._refused = asyncio.get_running_loop().time() + REFUSED, error
            raise

    def _unless_refused(self) -> None:
        """A server that is full would be sent bodies for nothing."""
        if self._refused is not None:
            until, error = self._refused
            if asyncio.get_running_loop().time() < until:
                raise error
            self._refused = None

    def _heard(self, push: Sequence[Any]) -> None:
        """Names whose value somebody else changed, or that ended; None is all of them, as after FLUSHALL."""
        if push[0] != b"invalidate":
            return
        if push[1] is None:
            self._tell(None)
            for key in list(self._waiting):
                self._wake(key)
            return
        told = []
        for name in push[1]:
            key = name[len(ENTRY) : -1]
            if name.startswith(ENTRY):
                told.append(key)
            elif name.startswith(CLAIM) and key in self._waiting:
                self._wake(key)
        self._tell(told)

    def _tell(self, keys: Sequence[bytes] | None) -> None:
        if self._changed is not None and (keys is None or keys):
            self._changed(keys)

    def _wake(self, key: bytes) -> None:
        for told in self._waiting[key]:
            if not told.done():
                told.set_result(None)

    def _no_longer(self, key: bytes, told: "asyncio.Future[None]") -> None:
        waiting = self._waiting[key]
        waiting.remove(told)
        if not waiting:
            del self._waiting[key]


def _decoded(value: bytes) -> Entry | None:
    try:
        return codec.decode(value)
    except ValueError:
        return None


def _claimed(key: bytes) -> bytes:
    return b"%b%b}" % (CLAIM, key)


def _pieces(key: bytes, digest: bytes, length: int) -> list[bytes]:
    """Names of a body's pieces. They hold its digest: pieces of two bodies never mix, however writers overtake."""
    start = b"%b%b}:%b:" % (PIECE, key, digest.hex().encode())
    return [b"%b%d" % (start, number) for number in range(-(-length // PIECES))]


def _script(script: str, names: Sequence[bytes], *words: bytes) -> bytes:
    return packed(b"EVAL", script.encode(), b"%d" % len(names), *names, *words)


_entries: type[Entries] = RedisEntries
