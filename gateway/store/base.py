"""What the house remembers, as seams: `Entries` for answers, `Ledger` for registrations.

A file beside this one implements each; nothing here does I/O.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from gateway.message import Entry as Entry
from gateway.rules.leaks import Leak


class StoreError(Exception):
    """A store could not be reached or holds nonsense. The caller goes on without it."""


class StoreRefused(StoreError):
    """The store answers, but will not do this: it is full, or may only be read. It goes on being asked."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds it asks the origin for what belongs under a key, for all gateways. Nobody else's token is the same."""

    key: bytes
    token: bytes


Changed = Callable[[Sequence[bytes] | None], None]


class Entries(Protocol):
    """Answers shared by gateways. Every call may raise StoreError; none but `await_entry` may take long."""

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """One round trip for all keys; None for what is not there. Purges are for who asks to apply (`Entry.since`)."""
        ...

    async def put(self, key: bytes, entry: Entry, now: float, claim: Claim | None = None) -> bool:
        """Kept until the entry's last use. Under a claim only while it is held; it is given back with the same step.

        False when nothing was written: the claim was lost to somebody else, or the entry is of no use any more.
        """
        ...

    async def claim(self, key: bytes, seconds: float) -> Claim | None:
        """Hold a key for so long at most; None when somebody else does."""
        ...

    async def yield_claim(self, claim: Claim) -> None:
        """Give it back, if it is still held: whoever waits for it goes on."""
        ...

    async def await_entry(self, key: bytes, seconds: float) -> Entry | None:
        """What is under the key as soon as nobody holds it any more; None when it is nothing, or not in time."""
        ...

    def listen(self, changed: Changed) -> None:
        """Be told of keys whose entry somebody else wrote or deleted, where the store can tell; None is all of them."""
        ...

    async def forget(self, keys: Sequence[bytes]) -> None:
        """Delete what is under these, for all, in one round trip."""
        ...

    async def close(self) -> None: ...


Kind = Literal["url", "prefix", "origin", "tag", "team"]
KINDS: frozenset[str] = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Purge:
    """What to forget: a public URL, all below a public path or an origin's URL, a tag, or all of a team.

    `number` orders it among all changes. `soft`: not forgotten, but held for stale.
    """

    kind: Kind
    value: str
    number: int = 0
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """A team's manifest as it was taken: its JSON text and which revision of that team's it is."""

    team: str
    revision: int
    manifest: str
    at: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """A prefix where a team's upstream was mounted. `left` is when it went, None while it is there; `to` is where."""

    prefix: str
    team: str
    upstream: str
    left: float | None = None
    to: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.prefix, self.team, self.upstream


class Ledger(Protocol):
    """What the registry keeps: each team's manifests, tokens, purges, where its applications were, and its leaks.

    Shared by all workers, maybe by all gateways.
    """

    async def number(self) -> int:
        """Grows with every change, whoever made it. Cheap: asked several times a second."""
        ...

    async def manifests(self) -> list[Registered]:
        """The latest manifest of every registered team, in the order the teams first came."""
        ...

    async def put(self, team: str, manifest: str, at: float, by: str, expected: int | None = None) -> Registered:
        """Compare-and-set: raises errors.Conflict when the team's revision is not `expected` (None: whatever it is)."""
        ...

    async def delete(self, team: str, at: float, by: str) -> bool:
        """Withdraw a team; False when it was not there."""
        ...

    async def purge(self, kind: Kind, value: str, at: float, soft: bool = False) -> Purge:
        """Write a purge down for every gateway to follow."""
        ...

    async def purges(self, since: int) -> list[Purge]:
        """Purges with a number above `since`, oldest first."""
        ...

    async def token(self, team: str) -> str | None:
        """The hash of the team's token, None when it has none."""
        ...

    async def set_token(self, team: str, hashed: str) -> None: ...

    async def homes(self) -> list[Home]:
        """Every prefix an application has or had, as far as it was told. No change of them grows the number."""
        ...

    async def set_homes(self, homes: Sequence[Home]) -> None:
        """Write these down, each in the place of what was known of that prefix and application."""
        ...

    async def forget_homes(self, homes: Sequence[Home]) -> None: ...

    async def add_leaks(self, leaks: Sequence[Leak], now: float) -> None:
        """Counts of one process join those of all; what nobody saw for `LIFE` seconds is forgotten."""
        ...

    async def leaks(self, team: str | None, now: float) -> list[Leak]:
        """A team's leaks, or (None) all."""
        ...

    async def forget_leaks(self, team: str | None) -> None:
        """A team's leaks, or (None) all."""
        ...

    def watch(self) -> AsyncIterator[int]:
        """Yields the number soon after it has grown (at once where the store can tell, by asking every 0.2 s else)."""
        ...

    async def close(self) -> None: ...


def tag_of(purge: Purge) -> str:
    """The tag every entry carries that such a purge is about. URLs and teams are tags too, under names of their own."""
    return purge.value if purge.kind == "tag" else f"{purge.kind}:{purge.value}"


def named(purge: Purge, tag: str) -> bool:
    """Whether an entry with this tag is meant. What is below a path or a URL is found by its URL's tag."""
    match purge.kind:
        case "prefix":
            return _below(purge.value, tag.removeprefix("url:")) if tag.startswith("url:") else False
        case "origin":
            return _below(purge.value, tag.removeprefix("origin:")) if tag.startswith("origin:") else False
        case _:
            return tag == tag_of(purge)


def _below(prefix: str, url: str) -> bool:
    """Whole segments only: /hotels is no prefix of /hotels-for-pets."""
    rest = url.removeprefix(prefix.rstrip("/")) if url.startswith(prefix.rstrip("/")) else "-"
    return rest[:1] in ("", "/", "?")
