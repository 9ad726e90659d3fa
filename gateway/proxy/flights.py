"""One question for many: who wants what is being asked for already waits for that answer, if it is for all.

An answer that is nobody else's is remembered as such for a while, and its like is asked for by each on his own.
"""

import asyncio

from gateway.errors import OriginError
from gateway.message import Entry
from gateway.recent import Kept
from gateway.transport.later import Later

LONE = 60.0  # seconds an address is known to answer each viewer alone
LONES = 16_384  # such addresses
PATIENCE = 5.0  # seconds another's answer is waited for at most; then who waits asks himself


class Flight:
    """One fetch under way. Of what came of it, those who wait learn whether to look into the cache or to ask."""

    __slots__ = ("_key", "_of", "_turn", "began", "entry", "error", "lone", "over", "waiting")

    def __init__(self, of: "Flights", key: bytes, turn: int) -> None:
        self._of = of
        self._key = key
        self._turn = turn
        self.began = asyncio.get_running_loop().time()
        self.waiting: list[Later[None]] = []
        self.over = False
        self.lone = False  # it was for one viewer
        self.error: OriginError | None = None  # there was no answer, for nobody
        self.entry: Entry | None = None  # what stands in for it

    def __repr__(self) -> str:
        return f"<Flight {'over' if self.over else 'under way'}, {len(self.waiting)} waiting>"

    async def landed(self, seconds: float) -> bool:
        """Waits for its end, no longer than that; whether it came."""
        if self.over:
            return True
        later: Later[None] = Later()
        self.waiting.append(later)
        timer = asyncio.get_running_loop().call_later(seconds, later.set, None)
        try:
            await later
        finally:
            timer.cancel()
        return self.over

    def end(self) -> None:
        """Those who wait go on, each in a turn of the loop of its own."""
        if self.over:
            return
        self.over = True
        self._of.forget(self, self._key, self._turn)
        loop = asyncio.get_running_loop()
        for later in self.waiting:
            loop.call_soon(later.set, None)
        self.waiting = []

    def fails(self, error: OriginError, instead: Entry | None = None) -> None:
        self.error, self.entry = error, instead
        self.end()

    def is_lone(self, now: float) -> None:
        """What came is nobody else's; for those who wait that is all there is to know."""
        self.lone = True
        self._of.lone(self._key, now)
        self.end()


class Flights:
    """What is asked for now, by key, and by how many purges were known: nobody waits for what is older than a purge."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[bytes, int], Flight] = {}
        self._lone: Kept[bytes, float] = Kept(LONES)

    def __len__(self) -> int:
        return len(self._under_way)

    def get(self, key: bytes, turn: int) -> Flight | None:
        """The one that may be waited for. One that takes longer than anybody waits is as good as none."""
        flight = self._under_way.get((key, turn))
        if flight is None or asyncio.get_running_loop().time() - flight.began > PATIENCE:
            return None
        return flight

    def begin(self, key: bytes, turn: int) -> Flight:
        flight = self._under_way[key, turn] = Flight(self, key, turn)
        return flight

    def forget(self, flight: Flight, key: bytes, turn: int) -> None:
        if self._under_way.get((key, turn)) is flight:
            del self._under_way[key, turn]

    def lone(self, key: bytes, now: float) -> None:
        self._lone.keep(key, now + LONE)

    def is_lone(self, key: bytes, now: float) -> bool:
        """Whether waiting for another's answer would be for nothing, as far as anyone knows."""
        return self._lone.get(key, 0.0) > now
