"""What the fields of an answer say of how long it lasts and for whom, read once for each head (RFC 9111 section 5.2).

Of several fields that could say it, the one counts that is meant for us: a targeted one (RFC 9213), the surrogate's
time, else Cache-Control and Expires. What of it holds for one answer, at one moment, is decided in `freshness`.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import fragments.patterns as patterns
import gateway.rules.keys as keys
import gateway.rules.surrogates as surrogates
import gateway.rules.targeted as targeted
from gateway.message import Head, first, joined

Said = dict[bytes, bytes | None]
LONGEST = 366 * 86400.0
REMEMBERED = 1024  # bytes of what a head says; longer ones are read each time
TOLD = "how long it lasts, and for whom"  # key of a head's memo
_DIRECTIVE = patterns.compile(
    rb"""([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:=(?:"((?:[^"\\]|\\.)*+)"|([^\s,;"]*)))?""", re.DOTALL
)
_LISTING = frozenset({b"private", b"no-cache"})
_NAMES = re.compile(rb"[ \t,]*[A-Za-z0-9!#$%&'*+.^_`|~-]+[A-Za-z0-9!#$%&'*+.^_`|~ \t,-]*")
_SECONDS = re.compile(rb"\d{1,18}")


class Told(NamedTuple):
    """What a head says of how long its answer lasts, whenever that is asked; times in seconds, dates since the epoch.

    `again`: ask at each use; `strict`: never stale; `capped`: s-maxage, stale only if it grants that itself (section
    5.2.2.10); `marked`: even where the request had Authorization; `less`: fields that are one viewer's.
    """

    never: str = ""
    understood: bool = False
    shared: bool = False
    marked: bool = False
    again: bool = False
    strict: bool = False
    capped: bool = False
    askable: bool = False
    lasts: float | None = None
    until: float | None = None
    dated: float | None = None
    age: float = 0.0
    revalidate: float | None = None
    error: float | None = None
    less: frozenset[bytes] = frozenset()
    vary: tuple[bytes, ...] = ()
    immutable: bool = False


def read(head: Head) -> Told:
    known: Told | None = head.memo.get(TOLD)
    return known or head.keep(TOLD, _read(head))


_SPEAKING = (
    b"cache-control",
    b"expires",
    b"pragma",
    b"vary",
    b"age",
    b"date",
    surrogates.CONTROL,
    *targeted.LIST,
)
_COOKIE = Told(never="set-cookie")


def _read(head: Head) -> Told:
    """Many heads say the same of this, and differ in the rest."""
    index = head.index
    if b"set-cookie" in index:
        return _COOKIE
    said = tuple(map(index.get, _SPEAKING))
    if len(index) == len(head.fields) and sum(map(len, filter(None, said))) <= REMEMBERED:
        return _known(said, is_askable(head))
    return _told(head)


@lru_cache(maxsize=1024)
def _known(said: tuple[bytes | None, ...], askable: bool) -> Told:
    fields = [(name, value) for name, value in zip(_SPEAKING, said, strict=True) if value is not None]
    return _told(Head([*fields, (b"etag", b"")] if askable else fields))


def _told(head: Head) -> Told:
    index = head.index
    said = targeted.said(head)
    told = _by_all(head) if said is None else _by_control(said, None)._replace(shared=True)
    return told._replace(
        never=told.never or _unshared(keys.vary(head.fields)),
        askable=is_askable(head),
        dated=date(index[b"date"]) if b"date" in index else None,
        age=_age(first(head.fields, b"age") or b""),
        vary=keys.vary(head.fields),
    )


def _by_all(head: Head) -> Told:
    """What everybody is told, and what surrogates are: their time goes before any other, if they are told one."""
    said = directives(joined(head.fields, b"cache-control"))
    told = _by_control(said, surrogates.lasting(head))
    expires = first(head.fields, b"expires")
    if told.lasts is not None:
        return told
    if expires is not None:
        return told._replace(until=_until(expires))
    if not said and b"no-cache" in directives(joined(head.fields, b"pragma")):
        return told._replace(again=True, strict=True, lasts=0.0)
    return told


def _by_control(said: Said, control: surrogates.Lasting | None) -> Told:
    """What directives say, and in the place of their time a surrogate's."""
    lasts, again = _lasts(said), _whole(said, b"no-cache")
    beyond = (number(said, b"stale-while-revalidate"), number(said, b"stale-if-error"))
    timed = control is not None and control.lasts is not None
    if control is not None and timed:  # its time is the surrogate's own; what is one viewer's stays so
        lasts, again = control.lasts, False
        beyond = (control.beyond, control.beyond) if control.beyond else beyond
    return Told(
        never=_never(said, control),
        understood=b"must-understand" in said,
        shared=timed or not _SHARING.isdisjoint(said),
        marked=not _MARKED.isdisjoint(said),
        again=again,
        strict=again or not _STRICT.isdisjoint(said),
        capped=b"s-maxage" in said,
        lasts=0.0 if again and lasts is None else lasts,
        revalidate=beyond[0],
        error=beyond[1],
        less=listed(said),
        immutable=b"immutable" in said,
    )


_SHARING = frozenset({b"public", b"s-maxage"})
_MARKED = frozenset({b"public", b"s-maxage", b"must-revalidate"})  # RFC 9111 section 3.5
_STRICT = frozenset({b"must-revalidate", b"proxy-revalidate"})


def _never(said: Said, control: surrogates.Lasting | None) -> str:
    """Why nobody may keep an answer with these, whatever a policy says; empty when there is no reason."""
    if control is not None and control.never:
        return "no-store"
    if b"no-store" in said and b"must-understand" not in said:  # section 5.2.2.3: who understands it may keep it
        return "no-store"
    return "private" if _whole(said, b"private") else ""


def _unshared(vary: tuple[bytes, ...]) -> str:
    return "vary" if len(vary) > keys.NAMES or any(b"*" in name for name in vary) else ""


def _whole(said: Said, name: bytes) -> bool:
    """Whether a directive is about all of the answer. With fields it is about those (sections 5.2.2.4 and 5.2.2.7)."""
    return name in said and not said[name]


def listed(said: Said) -> frozenset[bytes]:
    """The fields that `private` and `no-cache` name, if they name some."""
    named = [value for name in _LISTING if (value := said.get(name))]
    return frozenset(name.strip().lower() for value in named for name in value.split(b",")) - {b""}


def _lasts(said: Said) -> float | None:
    """Section 4.2.1; nonsense counts as stale, silence as None."""
    for name in (b"s-maxage", b"max-age"):
        if name in said:
            return seconds(said[name]) or 0.0
    return None


def _until(expires: bytes) -> float:
    """Nonsense is the past (section 5.3)."""
    until = date(expires)
    return 0.0 if until is None else until


def _age(value: bytes) -> float:
    """The first of several counts, and nonsense does not (section 5.1)."""
    return seconds(value.partition(b",")[0]) or 0.0


def directives(value: bytes) -> Said:
    """Cache-Control's members by lower-case name.

    The first of a name counts (section 4.2.1 lets us choose between that and stale). `private` and `no-cache` may name
    fields, in quotes; if they stand alone anywhere, or with what names none, they are about the whole answer.
    """
    found: Said = {}
    for name, quoted, plain in _DIRECTIVE.findall(value):
        name = name.lower()
        if name in _LISTING:
            listed = quoted if quoted and _NAMES.fullmatch(quoted) else None
            before = found.get(name, b"")
            found[name] = None if listed is None or before is None else b", ".join(filter(None, (before, listed)))
        else:
            found.setdefault(name, quoted or plain or None)
    return found


def seconds(value: bytes | None) -> float | None:
    """Delta-seconds (section 1.2.2)."""
    if value is None or not _SECONDS.fullmatch(value.strip()):
        return None
    return min(float(value), LONGEST)


_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_DATES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rb"[a-z]{3}, (?P<day>\d\d) (?P<month>[a-z]{3}) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) GMT",
        rb"[a-z]{6,9}, (?P<day>\d\d)-(?P<month>[a-z]{3})-(?P<year>\d\d) (?P<time>\d\d:\d\d:\d\d) GMT",
        rb"[a-z]{3} (?P<month>[a-z]{3}) (?P<day>[ \d]\d) (?P<time>\d\d:\d\d:\d\d) (?P<year>\d{4})",
    )
)


def date(value: bytes) -> float | None:
    """A date in one of HTTP's three forms, in seconds since the epoch; None for nonsense (RFC 9110 section 5.6.7)."""
    return _date(value) if len(value) <= 64 else None


@lru_cache(maxsize=256)
def _date(value: bytes) -> float | None:
    match = next((found for form in _DATES if (found := form.fullmatch(value.strip()))), None)
    if match is None or match["month"].lower() not in _MONTHS:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 2000 if year < 70 else 1900
    hour, minute, second = map(int, match["time"].split(b":"))
    try:
        month = _MONTHS.index(match["month"].lower()) + 1
        at = datetime(year, month, int(match["day"]), hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return at.timestamp()


def number(said: Said, name: bytes) -> float | None:
    return seconds(said[name]) if name in said else None


def is_askable(head: Head) -> bool:
    """Whether its origin can be asked if it still holds (section 4.3.1)."""
    return b"etag" in head.index or b"last-modified" in head.index
