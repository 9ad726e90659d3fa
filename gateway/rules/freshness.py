"""How long an answer may be used, and whether it may be kept at all (RFC 9111 sections 3 and 4.2, RFC 5861).

The clock is passed in. A verdict carries its reason, which ends up in Cache-Status (RFC 9211).
"""

import email.utils
import re
from dataclasses import dataclass
from typing import NamedTuple

from gateway.message import Entry, Fields, Head, Response, first, joined
from gateway.model import CachePolicy

# Kept when their freshness is told (RFC 9110 section 15.1); others need more care than they are worth
KEPT_STATUSES = frozenset({200, 203, 204, 301, 308, 404, 410})
_DIRECTIVE = re.compile(rb"""([A-Za-z0-9_-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?""")
SAID = "what Cache-Control says"  # key of a head's memo
NEVER = "why it is never kept"  # another
Said = dict[bytes, bytes | None]
LONGEST = 366 * 86400.0


class Hit(NamedTuple):
    entry: Entry
    ttl: int


class Stale(NamedTuple):
    """May be served now, if it is refreshed meanwhile."""

    entry: Entry
    ttl: int


class Miss(NamedTuple):
    """To be fetched; `last` may stand in when that fails."""

    reason: str
    last: Entry | None = None


class Bypass(NamedTuple):
    """Not a matter for the cache."""

    reason: str


ABSENT = Miss("uri-miss")
Verdict = Hit | Stale | Miss | Bypass


@dataclass(frozen=True, slots=True)
class Lifetime:
    """For how many seconds from now an answer is fresh, and usable beyond that; how old it came."""

    fresh: float
    revalidate: float = 0.0
    error: float = 0.0
    age: float = 0.0


def judge(entry: Entry | None, now: float) -> Verdict:
    """What may be done with what the cache holds."""
    if entry is None:
        return ABSENT
    ttl = int(entry.fresh - now)
    if now < entry.fresh:
        return Hit(entry, ttl)
    if now < entry.revalidate:
        return Stale(entry, ttl)
    return Miss("stale", entry if now < entry.error else None)


def directives(value: bytes) -> Said:
    """Cache-Control's members by lower-case name; the first of a name counts (RFC 9111 section 4.2.1)."""
    found: dict[bytes, bytes | None] = {}
    for name, quoted, plain in _DIRECTIVE.findall(value):
        found.setdefault(name.lower(), quoted or plain or None)
    return found


def lifetime(response: Response, policy: CachePolicy | None, now: float, *, cookies: bool = False) -> Lifetime | str:
    """How long this answer may be kept for everybody, or the reason why it may not.

    What the origin says wins; the manifest's policy speaks where it is silent. `cookies` tells that the request
    carried some: then silence of the origin about sharing means no.
    """
    status, head = response.status, response.head
    if status not in KEPT_STATUSES:
        return "status"
    never: str | None = head.memo.get(NEVER)
    if never is None:
        never = head.keep(NEVER, _never(head))
    if never:
        return never
    fields, index = head.fields, head.index
    if b"cache-control" not in index and b"expires" not in index and policy is None:
        return "no-freshness"
    said = _said(head)
    if cookies and policy is None and not {b"public", b"s-maxage"} & said.keys():
        return "cookie"
    told = _told(said, fields, now)
    if told is None:
        if policy is None or not policy.ttl:
            return "no-freshness"
        if status in (404, 410):
            return "status"
        return Lifetime(policy.ttl, policy.stale_while_revalidate, policy.stale_if_error)
    age = _seconds(first(fields, b"age")) or 0.0
    fresh = told - age
    strict = {b"must-revalidate", b"proxy-revalidate"} & said.keys()
    beyond = error = 0.0
    if not strict:
        beyond = _stale(said, b"stale-while-revalidate", policy.stale_while_revalidate if policy else 0.0)
        error = _stale(said, b"stale-if-error", policy.stale_if_error if policy else 0.0)
    if fresh <= 0 and not beyond and not error:
        return "stale-on-arrival"
    return Lifetime(max(fresh, 0.0), beyond, error, age)


def _never(head: Head) -> str:
    """Why nobody may keep an answer with these fields, whatever a policy says; empty when there is no reason."""
    if b"set-cookie" in head.index:
        return "set-cookie"
    if b"vary" in head.index and b"*" in joined(head.fields, b"vary"):
        return "vary"
    said = _said(head)
    return next((word.decode() for word in (b"no-store", b"private", b"no-cache") if word in said), "")


def _said(head: Head) -> Said:
    known: Said | None = head.memo.get(SAID)
    return head.keep(SAID, directives(joined(head.fields, b"cache-control"))) if known is None else known


def _told(said: dict[bytes, bytes | None], fields: Fields, now: float) -> float | None:
    """Freshness lifetime in seconds by RFC 9111 section 4.2.1; nonsense counts as stale, silence as None."""
    for name in (b"s-maxage", b"max-age"):
        if name in said:
            return _seconds(said[name]) or 0.0
    expires = first(fields, b"expires")
    if expires is None:
        return None
    until = _date(expires)
    if until is None:
        return 0.0
    return until - (_date(first(fields, b"date") or b"") or now)


def _stale(said: dict[bytes, bytes | None], name: bytes, policy: float) -> float:
    told = _seconds(said[name]) if name in said else None
    return policy if told is None else told


def _seconds(value: bytes | None) -> float | None:
    """Delta-seconds (RFC 9111 section 1.2.2)."""
    if value is None or not re.fullmatch(rb"\d{1,18}", value.strip()):
        return None
    return min(float(value), LONGEST)


def _date(value: bytes) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value.decode("latin-1")).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
