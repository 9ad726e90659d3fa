"""What was purged, so that no fetch from before it brings back what it named, in this process or from the shared store.

Among fetches of this process purges are told by their turn; among those of all, by their number, which entries carry.
"""

from collections import deque
from collections.abc import Iterable

import gateway.rules.purges as purges
from gateway.message import Entry
from gateway.store.base import Purge, named

LATELY = 1000  # purges that are remembered by their turn; a fetch that began before all of them is not kept

Mark = tuple[int, int]


class Purged:
    """`mark` says where we are: how many purges were followed, and the number of the last one."""

    def __init__(self) -> None:
        self.mark: Mark = (0, 0)
        self._numbers = purges.Purged()
        self._lately: deque[tuple[int, Purge]] = deque(maxlen=LATELY)

    def __repr__(self) -> str:
        return f"<Purged {self.mark[0]} times>"

    def add(self, purge: Purge) -> None:
        turn, number = self.mark
        self.mark = turn + 1, max(number, purge.number)
        self._lately.append((turn + 1, purge))
        self._numbers.add(purge)

    def names(self, tags: Iterable[str], since: Mark) -> bool:
        """Whether what was asked for then, and has these tags, was purged meanwhile."""
        turn = since[0]
        if turn == self.mark[0]:
            return False
        if self._lately[0][0] > turn + 1:
            return True
        later = [purge for at, purge in self._lately if at > turn]
        return any(named(purge, tag) for purge in later for tag in tags)

    def says(self, entry: Entry) -> str:
        """Of an entry from elsewhere: whether it was purged since it was asked for, and how ("hard", "soft" or "")."""
        return self._numbers.says(entry)
