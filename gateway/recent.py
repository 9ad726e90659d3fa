"""Things worked out, by what they were worked out from, and never more of them than can be afforded."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(dict[K, V]):
    """A dictionary that starts anew when it is full: for what is looked up all the time and cheap to find again."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: K, value: V) -> V:
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value


class Heaped(dict[K, V]):
    """The same by weight: `budget` bytes together, as each is said to weigh."""

    def __init__(self, budget: int) -> None:
        super().__init__()
        self.weight = 0
        self._budget = budget
        self._weights: dict[K, int] = {}

    def keep(self, key: K, value: V, weight: int) -> V:
        self.weight += weight - self._weights.get(key, 0)
        if self.weight > self._budget:
            self.clear()
            self._weights.clear()
            self.weight = weight
        self._weights[key] = weight
        self[key] = value
        return value


class Weighed(Generic[K, V]):
    """Values of at most `budget` bytes together; the one not asked for longest goes first.

    Each weighs what it is said to, and ENTRY for being here, so that a million small ones are not free.
    """

    ENTRY = 500

    def __init__(self, budget: int) -> None:
        self.weight = 0
        self._budget = budget
        self._pressed = budget // 2  # below that nothing has to go soon, and the order is nobody's business
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        found = self._kept.get(key)
        if found is None:
            return None
        if self.weight > self._pressed:
            self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, weight: int) -> V:
        """Nothing is kept that alone would fill a quarter of the budget."""
        before = self._kept.pop(key, None)
        if before is not None:
            self.weight -= before[1]
        weight += self.ENTRY
        if weight <= self._budget // 4:
            self._kept[key] = value, weight
            self.weight += weight
            while self.weight > self._budget:
                self.weight -= self._kept.popitem(last=False)[1][1]
        return value


class Recent(Generic[K, V]):
    """At most `most` values; the one not asked for longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V:
        self._kept[key] = value
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value
