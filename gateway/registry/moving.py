"""Where applications were mounted before, and so: which prefix leads where. Pure.

A prefix that an application left leads to its new one for a set time, in one step however often it moved on since; it
ends when anybody declares the prefix again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from gateway.model import Manifest
from gateway.store.base import Home
from gateway.table import Moved

PER_TEAM = 1024  # prefixes left that are remembered of one team, as many as a manifest may mount


def settled(known: Iterable[Home], served: Sequence[Manifest], now: float, lasts: float) -> list[Home]:
    """What is known of prefixes once these manifests are served."""
    standing = [
        Home(prefix, manifest.team, mount.upstream) for manifest in served for prefix, mount in manifest.mounts.items()
    ]
    taken = {home.prefix for home in standing}
    before = list(known)
    been = {home.key for home in before if home.left is None}
    places: dict[tuple[str, str], _Places] = {}
    for home in standing:
        places.setdefault((home.team, home.upstream), _Places()).add(home, is_new=home.key not in been)
    gone = [
        _gone(home, places.get((home.team, home.upstream), _Places()), now)
        for home in before
        if home.prefix not in taken and (home.left is None or home.left + lasts > now)
    ]
    return [*standing, *_latest(gone)]


def leads(homes: Iterable[Home], lasts: float) -> list[Moved]:
    """Every prefix that leads elsewhere, to where its application is now."""
    rows = list(homes)
    standing = {home.key for home in rows if home.left is None}
    found: dict[str, Moved] = {}
    for home in sorted(rows, key=lambda home: home.left or 0.0):
        # everything is below "/": no path says that it was meant
        if home.left is not None and home.prefix != "/" and (home.to, home.team, home.upstream) in standing:
            found[home.prefix] = Moved(home.prefix, home.to, home.team, home.upstream, home.left + lasts)
    return [found[prefix] for prefix in sorted(found)]


@dataclass(slots=True)
class _Places:
    """Where one application is, and which of these prefixes it did not have before."""

    all: dict[str, None] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)

    def add(self, home: Home, *, is_new: bool) -> None:
        self.all[home.prefix] = None
        if is_new:
            self.new.append(home.prefix)


def _gone(home: Home, places: _Places, now: float) -> Home:
    """With when it was left, and where its application is: at a prefix it did not have before, if there is one.

    Said anew at each change, so that there is never a way of several steps to follow.
    """
    to = home.to if home.to in places.all else next(iter([*places.new, *places.all]), "")
    return Home(home.prefix, home.team, home.upstream, now if home.left is None else home.left, to)


def _latest(gone: list[Home]) -> list[Home]:
    """No team makes the others' ledger grow by moving about."""
    by_team = sorted(gone, key=lambda home: (home.team, -(home.left or 0.0), home.prefix))
    return [home for _, homes in groupby(by_team, lambda home: home.team) for home in list(homes)[:PER_TEAM]]
