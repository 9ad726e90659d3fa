"""What is asked for a page's slots: of which upstream, with which query, for how long, and what else if that fails."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, quote

import gateway.proxy.includes as included
import gateway.rules.keys as keys
import gateway.rules.paths as paths
from fragments.plan import Plan, Slot
from fragments.urls import Place
from gateway.exchange import Exchange, Fetch
from gateway.proxy.composition import Wanted
from gateway.recent import Recent, Weighed
from gateway.table import Fragment, tag

QUERY = 512  # bytes of a viewer's query that a fragment may be shown: a page can have a hundred of them
FETCHES, FETCH = 16 << 20, 1000  # bytes of what is asked for, kept worked out; what each weighs besides its target


class Asking:
    """`deadline` bounds all slots of a page together, in seconds."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._asks: Recent[tuple[str, int], frozenset[str]] = Recent(1024)
        self._wanted: Weighed[tuple[str, int, bytes, str, float], Wanted] = Weighed(FETCHES)

    def wanted(self, exchange: Exchange, plan: Plan, *, nested: bool) -> Wanted:
        """What is asked for each slot. A nested one speaks for no page."""
        table = exchange.table
        viewers = self._viewers(exchange, plan) if b"?" in exchange.request.target else ""
        key = (plan.digest, table.number, exchange.public, viewers, self.longest(exchange))
        known = self._wanted.get(key)
        if known is not None:
            return known
        slots = [replace(slot, primary=False) for slot in plan.slots] if nested else plan.slots
        made = [self.fetch(exchange, slot, viewers) for slot in slots]
        weight = sum(FETCH + 3 * len(fetch.target) for fetch in made if fetch is not None)
        return self._wanted.put(key, Wanted(made, keys_of(slots, made)), weight)

    def _viewers(self, exchange: Exchange, plan: Plan) -> str:
        """Of the viewer's query, what any fragment of the page is shown."""
        table = exchange.table
        asks = self._asks.get((plan.digest, table.number))
        if asks is None:
            named = (table.fragments.get(slot.name) for slot in plan.slots)
            asks = frozenset[str]().union(*(each.query for each in named if each is not None))
            self._asks.put((plan.digest, table.number), asks)
        return picked(exchange.request.target, asks) if asks else ""

    def fetch(self, exchange: Exchange, slot: Slot, viewers: str) -> Fetch | None:
        if slot.include is not None:
            wait = self._wait(exchange, slot, included.TIMEOUT if slot.timeout is None else slot.timeout)
            found = included.fetch_of(slot.include.source, exchange, wait)
            if found is None and slot.include.alternative is not None:
                found = included.fetch_of(slot.include.alternative, exchange, wait)
            return found
        fragment = exchange.table.fragments.get(slot.name)
        if fragment is None:
            return None
        return fetch_of(fragment, slot, exchange, self._wait(exchange, slot, fragment.timeout), viewers)

    def alternative(self, exchange: Exchange, slot: Slot, fetch: Fetch) -> Fetch | None:
        """What is asked for when a slot's first answer is none."""
        if slot.include is not None:
            other = slot.include.alternative
            return included.fetch_of(other, exchange, fetch.timeout) if other is not None else None
        fragment = fetch.fragment
        if fragment is None or not fragment.alternative:
            return None
        if fragment.alternative.startswith("/"):
            instead: Fragment | None = replace(fragment, path=fragment.alternative.encode())
        else:
            instead = exchange.table.fragments.get(fragment.alternative)
        if instead is None:
            return None
        slot = replace(slot, primary=slot.primary and not fetch.follows)
        viewers = picked(exchange.request.target, instead.query) if instead.query else ""
        return fetch_of(instead, slot, exchange, self._wait(exchange, slot, instead.timeout), viewers)

    def longest(self, exchange: Exchange) -> float:
        mount = exchange.mount
        own = None if mount is None else mount.deadline
        return self._deadline if own is None else min(own, self._deadline)

    def _wait(self, exchange: Exchange, slot: Slot, own: float) -> float:
        longest = min(own, self.longest(exchange))
        return longest if slot.timeout is None else min(longest, slot.timeout)

    def address(self, exchange: Exchange, slot: Slot) -> str:
        """Where a viewer finds what a slot holds, as a page of its own; "" if nobody declares it."""
        fragment = exchange.table.fragments.get(slot.name)
        if fragment is None or slot.include is not None:
            return ""
        viewers = picked(exchange.request.target, fragment.query) if fragment.query else ""
        query = asked_with(fragment, slot, viewers)
        return f"/-/fragment/{slot.name}" + (f"?{query}" if query else "")


def keys_of(slots: Sequence[Slot], fetches: Sequence[Fetch | None]) -> frozenset[bytes] | None:
    """What all of it is stored under; None where that depends on the viewer, or something is not asked for as it is."""
    keys = set()
    for slot, fetch in zip(slots, fetches, strict=True):
        if fetch is None or slot.lazy or not fetch.straight:
            return None
        assert fetch.fragment is not None
        if fetch.fragment.headers or fetch.fragment.cookies:
            return None
        keys.add(fetch.key)
    return frozenset(keys)


def fetch_of(fragment: Fragment, slot: Slot, exchange: Exchange, timeout: float, viewers: str = "") -> Fetch:
    """What is wanted for a slot: the fragment's path with the slot's attributes as its query, and of the viewer's own
    what its manifest names."""
    target = fragment.path
    query = asked_with(fragment, slot, viewers)
    if query:
        target += (b"&" if b"?" in target else b"?") + query.encode()
    upstream = fragment.upstream
    if fragment.policy is not None:
        target = keys.target(target, sort=fragment.policy.query.sort, ignore=fragment.policy.query.ignore)
    origins = frozenset(origin.url for origin in upstream.origins)
    base, public = upstream.home + target.decode("latin-1"), exchange.public.decode("latin-1")
    own_tag = tag(upstream.team, upstream.name) if upstream.home else ""
    place = Place(upstream.home, origins, base=base, public=public, tag=own_tag)
    name = (b"primary " if slot.primary else b"") + fragment.name.encode()
    key = keys.fragment(name, exchange.request.scheme, exchange.authority, upstream.home.encode(), target)
    straight = slot.include is None and not fragment.composes and not fragment.alternative
    return Fetch(
        upstream,
        target,
        key,
        place,
        fragment.policy,
        timeout,
        fragment=fragment,
        follows=not slot.primary,
        straight=straight,
    )


def asked_with(fragment: Fragment, slot: Slot, viewers: str) -> str:
    """The query of a slot: its own attributes, and of the viewer's what the fragment's manifest names."""
    asked = list(slot.query)
    if viewers and fragment.query:
        said = {name for name, _ in asked}
        own = parse_qsl(viewers, keep_blank_values=True)
        asked += [(name, value) for name, value in own if name in fragment.query and name not in said]
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in asked)


def picked(target: bytes, names: Iterable[str]) -> str:
    """Of a viewer's query, the parameters with these names, as they came; no more than every slot may repeat."""
    query = (paths.split(target)[1] or b"").decode("latin-1")
    wanted, found, left = frozenset(names), [], QUERY
    for pair in query.split("&"):
        if pair and len(pair) < left and dict(parse_qsl(pair, keep_blank_values=True)).keys() & wanted:
            found.append(pair)
            left -= len(pair) + 1
    return "&".join(found)


def has_alternative(slot: Slot, fetch: Fetch) -> bool:
    if slot.include is not None:
        return slot.include.alternative is not None
    return fetch.fragment is not None and bool(fetch.fragment.alternative)
