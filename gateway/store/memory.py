"""Entries in this process: the least recently used ones go when the byte budget is full.

Two segments, as memcached has them: what comes is on probation, what was asked for while there is protected, so that a
crawler, who asks for all once, empties nothing. A hit only leaves a mark; who stays is settled when room is needed.
Synchronous on purpose: what is here is answered without waiting.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gateway.message import Entry, Field
from gateway.store.base import Purge, named, tag_of

PROTECTED = 0.8  # of the budget at most; the rest is where new ones show what they are worth. memcached's share too
ONCE = 4096  # texts that entries have in common and that are kept once: field names, whole fields, tags


@dataclass(frozen=True, slots=True)
class Stats:
    """How full it is, in entries and bytes, and how many entries had to go for others since it was made."""

    entries: int
    size: int
    budget: int
    protected: int
    tags: int
    evicted: int


@dataclass(slots=True)
class _Keys:
    """Keys of a tag, some of them maybe gone, and how many are here. A set would weigh five times as much."""

    keys: list[bytes]
    here: int


class Memory:
    """At most `budget` bytes of entries, by key, with an index of tags."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.size = 0
        self._protected_size = 0
        self._evicted = 0
        self._gone = 0
        # A key stands in one queue, once, as long as it is here; None is what was forgotten since
        self._entries: dict[bytes, Entry | None] = {}
        self._probation: deque[bytes] = deque()
        self._queue: deque[bytes] = deque()
        self._protected: set[bytes] = set()
        self._asked: set[bytes] = set()
        self._tagged: dict[str, bytes | _Keys] = {}
        self._once: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<Memory: {len(self)} entries, {self.size} of {self.budget} bytes>"

    def __len__(self) -> int:
        return len(self._entries) - self._gone

    @property
    def stats(self) -> Stats:
        return Stats(len(self), self.size, self.budget, self._protected_size, len(self._tagged), self._evicted)

    def items(self) -> Iterator[tuple[bytes, Entry]]:
        """All there is now, whatever happens meanwhile."""
        return iter([(key, entry) for key, entry in self._entries.items() if entry is not None])

    def get(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._asked.add(key)
        return entry

    def lacks(self, keys: frozenset[bytes]) -> bool:
        """Whether there is nothing under any of them."""
        return self._entries.keys().isdisjoint(keys) or (self._gone > 0 and not any(map(self._entries.get, keys)))

    def put(self, key: bytes, entry: Entry) -> None:
        """Nothing is kept that alone would fill a quarter of the budget."""
        self.forget(key)
        if entry.size > self.budget // 4:
            return
        self._slim(entry)
        if key not in self._entries:
            self._probation.append(key)
        else:
            self._gone -= 1
        self._entries[key] = entry
        self._count(key, entry.size)
        for tag in dict.fromkeys(entry.tags):
            self._index(tag, key)
        if self.size > self.budget:
            self._make_room()

    def forget(self, key: bytes) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return
        self._entries[key] = None
        self._gone += 1
        self._asked.discard(key)
        self._count(key, -entry.size)
        for tag in dict.fromkeys(entry.tags):
            self._unindex(tag, key)
        if self._gone > 1000 + len(self._entries) // 2:
            self._sweep()

    def clear(self) -> None:
        """Forget everything."""
        for key in list(self._entries):
            self.forget(key)

    def purge(self, purge: Purge, now: float = 0.0) -> int:
        """Forget what the purge names, or (soft) hold it for stale from now on; how many entries that were."""
        keys = self._named(purge)
        for key in keys:
            entry = self._entries[key]
            if entry is not None and purge.soft:
                self._entries[key] = softened(entry, now)
            else:
                self.forget(key)
        return len(keys)

    def _named(self, purge: Purge) -> list[bytes]:
        """A tag's keys are at hand; for what begins with a text, the tags are gone through."""
        if purge.kind not in ("prefix", "origin"):
            return self._carrying(tag_of(purge))
        tags = [tag for tag in self._tagged if named(purge, tag)]
        return list(dict.fromkeys(key for tag in tags for key in self._carrying(tag)))

    def _count(self, key: bytes, size: int) -> None:
        self.size += size
        if key in self._protected:
            self._protected_size += size

    def _make_room(self) -> None:
        """The oldest on probation goes, or is protected if it was asked for; who was protected for long makes room."""
        while self.size > self.budget:
            if not self._probation:
                self._probation.append(self._demoted(self._queue.popleft()))
            key = self._probation.popleft()
            if key in self._asked:
                self._protect(key)
            else:
                self._drop(key)

    def _protect(self, key: bytes) -> None:
        entry = self._entries[key]
        assert entry is not None  # who was asked for is here
        self._asked.discard(key)
        self._protected.add(key)
        self._protected_size += entry.size
        self._queue.append(key)
        while self._protected_size > self.budget * PROTECTED:
            oldest = self._queue.popleft()
            if oldest in self._asked:
                self._asked.discard(oldest)
                self._queue.append(oldest)
            else:
                self._probation.append(self._demoted(oldest))

    def _demoted(self, key: bytes) -> bytes:
        entry = self._entries[key]
        self._protected.discard(key)
        if entry is not None:
            self._protected_size -= entry.size
        return key

    def _drop(self, key: bytes) -> None:
        """Out of every index; it stands in no queue any more."""
        if self._entries[key] is not None:
            self._evicted += 1
            self.forget(key)
        if self._entries.pop(key, self) is None:
            self._gone -= 1

    def _sweep(self) -> None:
        """The queues without those who are gone."""
        gone = {key for key, entry in self._entries.items() if entry is None}
        self._entries = {key: entry for key, entry in self._entries.items() if entry is not None}
        self._probation = deque(key for key in self._probation if key not in gone)
        self._queue = deque(key for key in self._queue if key not in gone)
        self._protected -= gone
        self._gone = 0

    def _index(self, tag: str, key: bytes) -> None:
        """Most tags are a URL's and have one key; keys of the others are struck off when many are gone."""
        kept = self._tagged.get(tag)
        if kept is None:
            self._tagged[tag] = key
        elif isinstance(kept, bytes):
            self._tagged[tag] = _Keys([kept, key], 2)
        else:
            kept.keys.append(key)
            kept.here += 1

    def _unindex(self, tag: str, key: bytes) -> None:
        kept = self._tagged[tag]
        if isinstance(kept, bytes):
            del self._tagged[tag]
            return
        kept.here -= 1
        if not kept.here:
            del self._tagged[tag]
        elif len(kept.keys) > 2 * kept.here + 8:
            kept.keys = self._carrying(tag)

    def _carrying(self, tag: str) -> list[bytes]:
        """The keys of the entries that have this tag now."""
        kept = self._tagged.get(tag)
        if kept is None or isinstance(kept, bytes):
            return [] if kept is None else [kept]
        found = {key: self._entries.get(key) for key in kept.keys}
        return [key for key, entry in found.items() if entry is not None and tag in entry.tags]

    def _slim(self, entry: Entry) -> None:
        """What entries have in common is held once. It stays equal to what it was, so that nobody sees the change."""
        if len(self._once) > ONCE:
            self._once.clear()
        if entry.fresh == entry.revalidate == entry.error:
            object.__setattr__(entry, "revalidate", entry.fresh)
            object.__setattr__(entry, "error", entry.fresh)
        object.__setattr__(entry, "headers", tuple(map(self._field, entry.headers)))
        object.__setattr__(entry, "tags", tuple(self._once.setdefault(tag, tag) for tag in entry.tags))

    def _field(self, field: Field) -> Field:
        known: Field | None = self._once.get(field)
        if known is None:
            name, value = field
            known = self._once.setdefault(name, name), value
            self._once[known] = known
        return known


def softened(entry: Entry, now: float) -> Entry:
    """Stale from now on; the times it may be used stale for begin now."""
    early = max(0.0, entry.fresh - now)
    return replace(entry, fresh=entry.fresh - early, revalidate=entry.revalidate - early, error=entry.error - early)
