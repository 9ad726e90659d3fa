"""Leaks counted in this process until somebody takes the counts to where those of all processes come together.

Each is told on once between two takings, so that a page that leaks on every visit is one line a second at most.
"""

from collections.abc import Iterable

from gateway.rules.leaks import Leak, added, short
from gateway.telemetry.facts import Fact, Leaked
from gateway.telemetry.log import Teller

MOST = 4000  # counted between two takings; strangers may make paths up, and the rest is not worth their memory


class Leaks:
    """Stands before a teller of facts: counts leaks, passes everything on."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._counted: dict[tuple[str, str, str], Leak] = {}

    def __repr__(self) -> str:
        return f"<Leaks: {len(self._counted)} to be taken>"

    def tell(self, fact: Fact) -> None:
        if not isinstance(fact, Leaked) or self._count(_leak(fact)):
            self._tell(fact)

    def take(self) -> list[Leak]:
        """What was counted since the last time."""
        taken = list(self._counted.values())
        self._counted = {}
        return taken

    def put_back(self, leaks: Iterable[Leak]) -> None:
        """What was taken and could not be kept."""
        for leak in leaks:
            self._count(leak)

    def _count(self, leak: Leak) -> bool:
        """Whether it is new here."""
        known = self._counted.get(leak.key)
        if known is not None or len(self._counted) < MOST:
            self._counted[leak.key] = added(known, leak)
            return known is None
        return False


def _leak(fact: Leaked) -> Leak:
    """Text from here on: as Latin-1, in which no byte is lost."""
    page, target, kind = (said.decode("latin-1") for said in (fact.page, fact.target, fact.kind))
    return Leak(fact.team, fact.mount.decode() or "/", short(target), kind[:32], fact.how, short(page), 1, fact.at)
