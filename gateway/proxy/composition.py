"""A plan on its way to a page: what is asked for its slots, and what came."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from fragments.contain import Fitted
from fragments.plan import Plan
from fragments.stitch import Filling, page
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Fields
from gateway.proxy.eager import Run
from gateway.proxy.straight import Sent
from gateway.rules.algebra import STAND_IN, Part
from gateway.rules.freshness import Verdict

MOST = 100  # fetches for one page; larger portals than any we know of, and a bound for a bomb


class Filled:
    """A slot's filling, and what it says about the page it stands in. `beneath` is what its own slots hold."""

    __slots__ = ("beneath", "entry", "fetch", "filling", "name", "outcome", "part", "seconds")

    def __init__(
        self,
        name: str,
        filling: Filling,
        outcome: str,
        part: Part | None = STAND_IN,
        seconds: float = 0.0,
        fetch: Fetch | None = None,
        entry: Entry | None = None,
        beneath: "Sequence[Filled]" = (),
    ) -> None:
        self.name = name
        self.filling = filling
        self.outcome = outcome
        self.part = part  # None of what says nothing about its page
        self.seconds = seconds
        self.fetch = fetch  # what was asked for
        self.entry = entry  # the stored answer it is made of, if it is one
        self.beneath = beneath

    def all(self) -> "Iterator[Filled]":
        """Itself and everything in it."""
        yield self
        for each in self.beneath:
            yield from each.all()


OnItsWay = Run[Filled] | Sent[Filled]


Answers = dict[bytes, tuple[Answer, Fetch]]  # by the key of what was asked for first
Pending = dict[int, OnItsWay]


class Wanted(NamedTuple):
    """What is asked for the slots of a plan, None where nobody declares it.

    `keys` are what all of it is stored under, where that is the same for every viewer; else None.
    """

    fetches: Sequence[Fetch | None]
    keys: frozenset[bytes] | None = None


class Allowance:
    """What one page may still cost, whatever stands in what: so many fetches, and time until a moment."""

    __slots__ = ("fetches", "told", "until")

    def __init__(self, until: float) -> None:
        self.fetches = MOST
        self.until = until
        self.told = False  # that there are no more; once for all slots that would have liked one

    def take(self) -> bool:
        """One more fetch, if there is one left."""
        self.fetches -= 1
        return self.fetches >= 0


class Composition:
    """A plan on its way to a page: what is asked for its slots, and what came.

    `above` are the fragments it stands in, `until` the moment by which all has to be here. `status`, `location` and
    `challenge` are what a primary fragment says of the page.
    """

    __slots__ = (
        "above",
        "allowance",
        "answers",
        "challenge",
        "counted",
        "due",
        "exchange",
        "fetches",
        "filled",
        "location",
        "pending",
        "plan",
        "status",
        "until",
        "verdicts",
        "wanted",
        "within",
    )

    def __init__(
        self,
        exchange: Exchange,
        plan: Plan,
        wanted: Wanted,
        answers: Answers,
        allowance: Allowance,
        until: float,
        above: tuple[str, ...] = (),
    ) -> None:
        self.exchange = exchange
        self.plan = plan
        self.wanted = wanted
        self.fetches = wanted.fetches
        self.answers = answers
        self.allowance = allowance
        self.until = until
        self.above = above
        self.counted = 0  # slots whose fetches are taken from the allowance
        self.filled: list[Filled | None] = [None] * len(wanted.fetches)
        self.pending: Pending = {}
        self.due: dict[int, float] = {}  # the moment after which nobody waits for what is pending
        self.verdicts: dict[int, Verdict] = {}  # why a slot is not filled from the cache, if that is not all empty
        self.within: dict[int, tuple[Filled, Composition]] = {}  # pieces that are here, whose own slots are not
        self.status = 0
        self.location = b""
        self.challenge: Fields = []

    def give_up(self) -> None:
        """Nobody waits any longer for what is not here."""
        given_up = list(self.pending.values())
        self.pending.clear()
        for run in given_up:
            run.cancel()


def joined(filled: Filled, inner: Composition) -> Filled:
    """A piece with its own slots filled is one piece."""
    outer = filled.filling
    assert isinstance(outer, Fitted)
    beneath = [each for each in inner.filled if each is not None]
    pieces = [each.filling for each in beneath]
    fitted = [each for each in pieces if isinstance(each, Fitted)]
    filled.filling = replace(
        outer,
        html=b"".join(page(inner.plan, pieces)),
        head=(*outer.head, *(item for each in fitted for item in each.head)),
        plain=outer.plain and all(each.plain for each in fitted),
    )
    filled.beneath = beneath
    return filled
