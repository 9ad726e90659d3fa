"""How long an answer may be used, whether it may be kept at all, and how it is asked about again (RFC 9111, RFC 5861).

The clock is passed in. A verdict carries its reason, which ends up in Cache-Status (RFC 9211). What a head says is read
once for all answers that have it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import gateway.rules.targeted as targeted
from gateway.message import Entry, Field, Fields, Head, Response, joined
from gateway.model import CachePolicy
from gateway.rules.directives import LONGEST as LONGEST
from gateway.rules.directives import Said as Said
from gateway.rules.directives import Told, date, is_askable, listed, number, read, seconds
from gateway.rules.directives import directives as directives
from gateway.rules.fields import HOP_BY_HOP, media_type, named_by_connection

ERRORS = 10.0  # seconds an error is kept for at most, unless the manifest names it: nobody means an hour of 500
SKEW = 5.0  # seconds that the clocks of two gateways may differ; an entry from further ahead has outlived a clock
ASKABLE = 600.0  # seconds that what can only be asked about is still worth its place; nginx's inactive=10m
HEURISTIC = 0.1  # of the time since it was modified (RFC 9111 section 4.2.2)
MOST_HEURISTIC = 86400.0

# Kept on the manifest's word alone, and by guessing: what is heuristically cacheable (RFC 9110 section 15.1), less
# parts and errors. All other final ones are kept when their own fields say for how long (RFC 9111 section 3)
KEPT_STATUSES = frozenset({200, 203, 204, 300, 301, 308})
UNDERSTOOD = KEPT_STATUSES | {302, 303, 307, 404, 405, 410, 414, 501}  # for must-understand (section 5.2.2.3)
# Never: a part, what answers a condition or a range, one viewer's own trouble (RFC 6585, RFC 8470, RFC 9110 section 15)
PASSING = frozenset({206, 304, 401, 407, 408, 416, 421, 425, 428, 429, 431, 511})

ASKED = "what a request says of caches"  # key of a head's memo


class Hit(NamedTuple):
    """Fresh; or stale by no more than the viewer takes, then `ttl` is negative."""

    entry: Entry
    ttl: int


class Stale(NamedTuple):
    """May be served now, if it is refreshed meanwhile."""

    entry: Entry
    ttl: int


class Miss(NamedTuple):
    """To be fetched; `last` may stand in when that fails, `known` has what to ask about it by."""

    reason: str
    last: Entry | None = None
    known: Entry | None = None


class Bypass(NamedTuple):
    """Not a matter for the cache."""

    reason: str


class Unmet(NamedTuple):
    """The viewer wants nothing that has to be fetched, and there is nothing else: 504 (RFC 9111 section 5.2.1.7)."""

    reason: str


ABSENT = Miss("uri-miss")
UNMET = Unmet("only-if-cached")
Verdict = Hit | Stale | Miss | Bypass | Unmet


@dataclass(frozen=True, slots=True)
class Lifetime:
    """For how many seconds from now an answer is fresh, and usable beyond that; how old it came.

    `less` are fields that must not be kept with it, since they are one viewer's (RFC 9111 section 5.2.2.7).
    """

    fresh: float
    revalidate: float = 0.0
    error: float = 0.0
    age: float = 0.0
    less: frozenset[bytes] = frozenset()


class Asked(NamedTuple):
    """What a request says of the caches on its way (RFC 9111 section 5.2.1); seconds, None where it says nothing."""

    only_kept: bool = False
    unstored: bool = False
    again: bool = False
    most_age: float | None = None
    least_fresh: float | None = None
    most_stale: float | None = None


# What may be done with what is kept


def judge(entry: Entry | None, now: float, asked: Asked | None = None) -> Verdict:
    """What may be done with what the cache holds, for a request that asks this of it."""
    if asked is not None:
        return _as_asked(entry, now, asked)
    if entry is None:
        return ABSENT
    if now < entry.fresh and entry.stored <= now + SKEW:
        return Hit(entry, int(entry.fresh - now))
    if now < entry.revalidate and entry.stored <= now + SKEW:
        return Stale(entry, int(entry.fresh - now))
    return Miss("stale", entry if now < entry.error else None, entry if is_askable(entry.head) else None)


def _as_asked(entry: Entry | None, now: float, asked: Asked) -> Verdict:
    """Requests narrow what may be used, or widen it. That they want it anew takes it from nobody else."""
    verdict = judge(entry, now)
    if entry is not None:
        known = entry if is_askable(entry.head) else None
        if type(verdict) in (Hit, Stale) and not _new_enough(entry, now, asked):
            verdict = Miss("request", entry, known)
        elif type(verdict) is Miss and _stale_enough(entry, now, asked):
            verdict = Hit(entry, int(entry.fresh - now))
    return UNMET if asked.only_kept and type(verdict) is Miss else verdict


def _new_enough(entry: Entry, now: float, asked: Asked) -> bool:
    """Nobody who says how new it has to be takes a stale one (section 5.2.1.1)."""
    left = entry.fresh - now
    if asked.again or (asked.least_fresh is not None and left < asked.least_fresh):
        return False
    if asked.most_age is None:
        return True
    if left <= 0:
        return False
    # a reload is max-age=0; what is immutable has nothing new to tell (RFC 8246 section 2)
    return now - entry.stored < asked.most_age or read(entry.head).immutable


def _stale_enough(entry: Entry, now: float, asked: Asked) -> bool:
    """max-stale, unless the answer itself forbids it (section 5.2.1.2)."""
    if asked.most_stale is None or asked.again or entry.fresh <= 0 or entry.stored > now + SKEW:
        return False
    told = read(entry.head)
    return now < entry.fresh + asked.most_stale and not (told.strict or told.again or told.capped)


def kept_until(entry: Entry) -> float:
    """When an entry is of no use any more: what can be asked about is a while longer than what cannot."""
    return entry.expires + ASKABLE if entry.expires and is_askable(entry.head) else entry.expires


def asked(head: Head, *, obeyed: bool = True) -> Asked | None:
    """What a request says of caches; None where it says nothing.

    `obeyed`: its wish for something newer is heard. Pragma speaks where Cache-Control is silent (section 5.4).
    """
    index = head.index
    if b"cache-control" not in index and b"pragma" not in index:
        return None
    known: tuple[Asked, Asked] | None = head.memo.get(ASKED)
    whole, less = known or head.keep(ASKED, _asked(head))
    told = whole if obeyed else less
    return None if told == _NOTHING else told


_NOTHING = Asked()


def _asked(head: Head) -> tuple[Asked, Asked]:
    said = directives(joined(head.fields, b"cache-control"))
    if not said and b"cache-control" not in head.index:
        said = {name: None for name in directives(joined(head.fields, b"pragma")) if name == b"no-cache"}
    stale = said.get(b"max-stale", b"")
    less = Asked(
        only_kept=b"only-if-cached" in said,
        unstored=b"no-store" in said,
        most_stale=LONGEST if stale is None else seconds(stale),  # without a number, of any age
    )
    again = b"no-cache" in said
    return less._replace(again=again, most_age=number(said, b"max-age"), least_fresh=number(said, b"min-fresh")), less


# Whether it is kept, and for how long


def lifetime(
    response: Response,
    policy: CachePolicy | None,
    now: float,
    *,
    cookies: bool = False,
    authorized: bool = False,
    narrowed: Collection[bytes] = (),
) -> Lifetime | str:
    """How long this answer may be kept for everybody, or the reason why it may not.

    What the origin says wins; the manifest's policy speaks where it is silent. `cookies` and `authorized` tell what the
    request carried: then silence of the origin about sharing means no. `narrowed` are the request's fields of which the
    origin saw no more than stands in the key.
    """
    status, head = response.status, response.head
    told = read(head)
    if status in PASSING or not 200 <= status <= 599 or (told.understood and status not in UNDERSTOOD):
        return "status"
    if told.never:
        return told.never
    lasts = told.lasts
    if lasts is None and told.until is not None:
        lasts = told.until - (now if told.dated is None else told.dated)
    if lasts is None and policy is None:
        return "no-freshness"
    if authorized and not told.marked:
        return "authorization"
    if cookies:
        if not told.shared and (policy is None or not policy.ttl):
            return "cookie"
        if b"cookie" in told.vary and b"cookie" not in narrowed:
            return "vary"
    age = told.age
    if told.dated is not None and now - told.dated > age:  # RFC 9111 section 4.2.3
        age = now - told.dated
    if lasts is not None:
        return _spoken(status, told, policy, lasts, age)
    assert policy is not None  # or there is no lifetime, as told above
    return _silent(status, told, policy, age, head.index.get(b"last-modified"), now)


def _spoken(status: int, told: Told, policy: CachePolicy | None, lasts: float, age: float) -> Lifetime | str:
    """For as long as the answer says."""
    if status >= 400:
        lasts = min(lasts, max(ERRORS, _negative(status, policy)))
    if told.again:
        lasts = 0.0
    fresh = lasts - age
    beyond, error = (0.0, 0.0) if status >= 400 else _windows(told, policy, fresh)
    if fresh <= 0 and not beyond and not error and not told.askable:
        return "no-cache" if told.again else "stale-on-arrival"
    return Lifetime(max(fresh, 0.0), beyond, error, age, told.less)


def _silent(
    status: int, told: Told, policy: CachePolicy, age: float, modified: bytes | None, now: float
) -> Lifetime | str:
    """For as long as the manifest says of answers that do not, or as long as may be guessed, where it allows that."""
    if status >= 400:
        seconds = _negative(status, policy)
        return Lifetime(seconds, age=age, less=told.less) if seconds else "status"
    if status not in KEPT_STATUSES:
        return "status" if policy.ttl else "no-freshness"
    if policy.ttl:
        return Lifetime(policy.ttl, *_windows(told, policy, policy.ttl), age, told.less)
    guessed = -age
    if policy.heuristic and modified is not None:
        guessed += _guessed(date(modified), now if told.dated is None else told.dated)
    if guessed <= 0:
        return "no-freshness"
    return Lifetime(guessed, *_windows(told, policy, guessed), age, told.less)


def _negative(status: int, policy: CachePolicy | None) -> float:
    return 0.0 if policy is None else policy.negative.get(status, 0.0)


def _guessed(modified: float | None, dated: float) -> float:
    return 0.0 if modified is None else min(MOST_HEURISTIC, HEURISTIC * (dated - modified))


def _windows(told: Told, policy: CachePolicy | None, fresh: float) -> tuple[float, float]:
    """How long it may be used while it is refreshed, and while that fails: the answer's own word goes first (RFC 5861).

    None at all where it forbids what is stale. A window begins when freshness ends, even if that was before it came.
    """
    if told.strict:
        return 0.0, 0.0
    granted = None if told.capped else policy
    beyond, error = told.revalidate, told.error
    if beyond is None:
        beyond = 0.0 if granted is None else granted.stale_while_revalidate
    if error is None:
        error = 0.0 if granted is None else granted.stale_if_error
    gone = min(fresh, 0.0)
    return max(0.0, beyond + gone), max(0.0, error + gone)


# What of it is kept, and how it is asked about


def kept(fields: Fields, life: Lifetime) -> tuple[Field, ...]:
    """The fields that are stored: none of one connection (RFC 9111 section 3.1), none that is one viewer's."""
    hops = named_by_connection(fields)
    return tuple(
        field
        for field in fields
        if field[0] not in HOP_BY_HOP
        and field[0] not in _PASSING
        and field[0] not in life.less
        and field[0] not in hops
    )


_PASSING = frozenset({b"proxy-authentication-info", b"age"})  # an Age is told anew each time


def conditions(entry: Entry) -> Fields:
    """The fields that ask whether a stored answer still holds (section 4.3.1)."""
    index = entry.head.index
    asked: Fields = []
    for validator, condition in ((b"etag", b"if-none-match"), (b"last-modified", b"if-modified-since")):
        if validator in index:
            asked.append((condition, index[validator]))
    return asked


def revalidated(
    entry: Entry,
    head: Head,
    policy: CachePolicy | None,
    now: float,
    *,
    since: int | None = None,
    cookies: bool = False,
    authorized: bool = False,
    narrowed: Collection[bytes] = (),
) -> Entry | None:
    """The entry as a 304 leaves it, fresh again (section 4.3.4); None when the 304 is about another answer.

    One that says it may not be kept any longer gives an entry that is of use only to who asked: its times are 0.
    `since` is the number of the last purge known when it was asked about.
    """
    if not _is_about(entry.head, head):
        return None
    fields = updated(entry.head, head)
    life = lifetime(
        Response(entry.status, fields), policy, now, cookies=cookies, authorized=authorized, narrowed=narrowed
    )
    if isinstance(life, str):
        times = (now, 0.0, 0.0, 0.0)
    else:
        fresh = now + life.fresh
        times = (now - life.age, fresh, fresh + life.revalidate, fresh + life.error)
        fields = list(kept(fields, life))
    fields = [field for field in fields if field[0] not in _NOT_STORED or field[0] in entry.head.index]
    number = entry.since if since is None else since
    return Entry(entry.status, tuple(fields), entry.body, entry.digest, *times, entry.tags, number)


# Said to us alone, with each answer; what the entry had of it, it keeps
_NOT_STORED = frozenset({b"surrogate-control", b"surrogate-key", targeted.OURS})


def _is_about(stored: Head, told: Head) -> bool:
    """A strong validator names the very bytes, a weak one their like; a 304 without one answers what it was asked."""
    etag, ours = told.index.get(b"etag"), stored.index.get(b"etag")
    if etag is not None and ours is not None:
        if etag.startswith(b"W/"):
            return etag.removeprefix(b"W/") == ours.removeprefix(b"W/")
        return etag == ours
    modified, when = told.index.get(b"last-modified"), stored.index.get(b"last-modified")
    return modified is None or when is None or modified == when


def updated(stored: Head, told: Head) -> Fields:
    """The stored fields, those that a 304 brings in their places (section 3.2).

    Not what speaks of the bytes that are stored, of one connection or one viewer; nor a type for which the body would
    have been edited otherwise. A Date and an Age that the 304 does not repeat were of another moment.
    """
    hops = named_by_connection(told.fields)
    less = listed(directives(joined(told.fields, b"cache-control")))
    brought = [
        field
        for field in told.fields
        if field[0] not in _OF_THE_BYTES
        and field[0] not in HOP_BY_HOP
        and field[0] not in less
        and field[0] not in hops
        if field[0] != b"etag" or b"etag" not in stored.index
        if field[0] != b"content-type" or media_type(field[1]) == media_type(stored.index.get(b"content-type"))
    ]
    gone = {name for name, _ in brought} | {b"age", b"date"} | less
    return [field for field in stored.fields if field[0] not in gone] + brought


_OF_THE_BYTES = frozenset(
    {
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"proxy-authentication-info",
        b"set-cookie",
        b"set-cookie2",
        b"transfer-encoding",
    }
)
