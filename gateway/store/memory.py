"""Entries in this process: the least recently used ones go when the byte budget is full.

Synchronous on purpose: what is here is answered without waiting.
"""

from collections import OrderedDict

from gateway.message import Entry
from gateway.store.base import Purge, tag_of


class Memory:
    """At most `budget` bytes of entries, by key, with an index of tags."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.size = 0
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._tagged: dict[str, set[bytes]] = {}

    def __repr__(self) -> str:
        return f"<Memory: {len(self._entries)} entries, {self.size} of {self.budget} bytes>"

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def lacks(self, keys: frozenset[bytes]) -> bool:
        """Whether there is nothing under any of them."""
        return self._entries.keys().isdisjoint(keys)

    def put(self, key: bytes, entry: Entry) -> None:
        """Nothing is kept that alone would fill a quarter of the budget."""
        self.forget(key)
        if entry.size > self.budget // 4:
            return
        self._entries[key] = entry
        self.size += entry.size
        for tag in entry.tags:
            self._tagged.setdefault(tag, set()).add(key)
        while self.size > self.budget:
            self.forget(next(iter(self._entries)))

    def forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.size -= entry.size
        for tag in entry.tags:
            keys = self._tagged.get(tag)
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._tagged[tag]

    def purge(self, purge: Purge) -> int:
        """Forget what the purge names; how many entries that were."""
        keys = list(self._tagged.get(tag_of(purge), ()))
        for key in keys:
            self.forget(key)
        return len(keys)
