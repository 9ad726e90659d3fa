"""The fields of a composed answer, worked out from its parts': the strictest wins, and what named bytes is gone.

The shell says what the page is; its pieces may make it less cacheable, never more, and bring hints. What each field
becomes is a row of WORKED_OUT or GONE; what is in neither is the shell's alone.
"""

import email.utils
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import fragments.patterns as patterns
import gateway.rules.mounting as mounting
from fragments.urls import Place
from gateway.message import Fields, Head, Request, Response, every, first, joined, without
from gateway.rules.fields import media_type
from gateway.rules.freshness import Said, directives

NAMES = 32  # request fields a page may depend on; an answer with more of them is as good as one that is never the same
HINTS = 2048  # bytes of Link that pieces may bring: a head of 4 KiB passes every proxy with its own defaults
WORDS = "what its fields say of its lifetime"  # key of a head's memo
REMEMBERED = 256  # bytes of a Cache-Control; longer ones are read each time
MOST_NONCES = 8  # of one page's policies; nobody needs more than two
NO_SHARING = b"private, no-cache"
SHELLS = "fields of a shell that its page has"  # another
SUM = "what follows from it and the other parts of its page"  # another, of the parts it had the last time
_BY_CODING = (b"vary", b"accept-encoding")
_TYPE = (b"content-type", b"text/html; charset=utf-8")


class Words(NamedTuple):
    """What a part's fields say, read once for each head."""

    said: Said
    vary: frozenset[bytes]
    until: float | None  # seconds of freshness by Expires, None where it is silent
    language: bytes | None
    modified: float | None
    plain: bool = False  # of its lifetime they may speak, of nothing else here


class Part(NamedTuple):
    """The shell or a piece. `fresh` is for how many seconds it still is, as the cache reckons, None when it keeps none.

    `age` is how long ago its origin said so. `asks` are the request fields its manifest shows to its origin, `place` is
    where a piece is shown, `primary` whether it may speak for the page.
    """

    head: Head
    fresh: float | None = None
    age: float = 0.0
    asks: frozenset[bytes] = frozenset()
    place: Place | None = None
    primary: bool = False


class Lasting(NamedTuple):
    """What viewers may do with a page, and for how many seconds from the moment it was put together.

    `own` is for the viewer's own cache, `shared` for those between; `stale` and `error` are how long either may use it
    beyond that, while it asks for another or cannot get one (RFC 5861).
    """

    scope: bytes  # b"public", b"private", or all there is to say
    own: float = 0.0
    shared: float = 0.0
    stale: float = 0.0
    error: float = 0.0
    told: tuple[bytes, ...] = ()  # words beside
    apart: bool = False  # caches between are told a time of their own

    @property
    def lasts(self) -> bool:
        return self.scope in (b"public", b"private")

    def after(self, seconds: float) -> bytes:
        """Cache-Control that many seconds later: what is left, said without an Age."""
        if not self.lasts:
            return b", ".join((self.scope, *self.told))
        own, shared = self.own - seconds, self.shared - seconds
        if (shared if self.apart else own) < 1:
            return b", ".join((NO_SHARING, *self.told))
        if not self.told and not self.apart and not self.stale and not self.error:
            return b"%b, max-age=%d" % (self.scope, own)
        said = [self.scope, b"max-age=%d" % max(own, 0)]
        if self.apart:
            said.append(b"s-maxage=%d" % max(shared, 0))
        for name, beyond in ((b"stale-while-revalidate", self.stale), (b"stale-if-error", self.error)):
            if beyond >= 1:
                said.append(b"%b=%d" % (name, beyond))
        return b", ".join((*said, *self.told))


STAND_IN = Part(Head([(b"cache-control", b"no-cache")]))  # a slot's own content, for now
TO_COME = Part(Head([(b"cache-control", b"no-store")]))  # what is not here as the page leaves may say anything
ONE_VIEWERS = Part(Head([(b"cache-control", NO_SHARING)]))  # what was chosen by who asks


class Sum(NamedTuple):
    """What follows from the heads of a page's parts, whoever asks for it and whenever."""

    pieces: Sequence[Part]
    told: Sequence[Words]
    said: frozenset[bytes]  # all members of their Cache-Control
    any_request: bool  # no two requests need be answered alike
    shells: Fields
    rest: Fields

    def has(self, pieces: Sequence[Part]) -> bool:
        """Identity will do: heads live on, and what is made for a slot is made once."""
        if len(pieces) != len(self.pieces):
            return False
        for one, other in zip(pieces, self.pieces):  # noqa: B905  as long as one another; every page comes by here
            if one.head is not other.head or one.place is not other.place:
                return False
            if one.asks is not other.asks or one.primary is not other.primary:
                return False
        return True


def page(parts: Sequence[Part]) -> tuple[Fields, Lasting]:
    """The page's fields, less its validator, and how long it lasts. The first part is the shell."""
    shell, pieces = parts[0].head, parts[1:]
    known: Sum | None = shell.memo.get(SUM)
    if known is None or not known.has(pieces):
        known = shell.keep(SUM, _sum(parts))
    lasts = _lasting(parts, known.told, known.said, known.any_request)
    return [*known.shells, (b"cache-control", lasts.after(0.0)), *known.rest], lasts


def _sum(parts: Sequence[Part]) -> Sum:
    told = [words(part.head) for part in parts]
    plain = all(each.plain for each in told) and not any(part.asks for part in parts)
    rest: Fields = [_BY_CODING] if plain else []
    if not plain:
        worked_out = ((name, rule(parts)) for name, rule in WORKED_OUT.items())
        rest = [(name, value) for name, value in worked_out if value is not None] + cookies(parts)
    depends = not plain and _depends_on_all(parts)
    return Sum(parts[1:], told, _all_said(told), depends, _shells(parts[0].head), rest)


def _all_said(told: Sequence[Words]) -> frozenset[bytes]:
    return frozenset[bytes]().union(*(each.said for each in told))


def _shells(head: Head) -> Fields:
    """What the shell alone says."""
    known: Fields | None = head.memo.get(SHELLS)
    if known is None:
        own = [field for field in head.fields if field[0] not in _NOT_KEPT and not _targeted(field[0])]
        known = head.keep(SHELLS, [*own, _TYPE])
    return known


def words(head: Head) -> Words:
    known: Words | None = head.memo.get(WORDS)
    return known or head.keep(WORDS, _words(head))


def _words(head: Head) -> Words:
    fields, index = head.fields, head.index
    if _SPEAKING.isdisjoint(index):
        once = len(index) == len(fields)
        said = index.get(b"cache-control", b"") if once else joined(fields, b"cache-control")
        return _plain(said) if len(said) <= REMEMBERED else _plain.__wrapped__(said)
    names = frozenset(name.strip().lower() for name in joined(fields, b"vary").split(b",")) - {b""}
    language = _listed(joined(fields, b"content-language")) or None
    modified = first(fields, b"last-modified")
    return Words(
        directives(joined(fields, b"cache-control")),
        names,
        _until(fields),
        language,
        None if modified is None else _date(modified),
    )


@lru_cache(maxsize=1024)
def _plain(cache_control: bytes) -> Words:
    return Words(directives(cache_control), frozenset(), None, None, None, plain=True)


_SPEAKING = frozenset({b"vary", b"content-language", b"last-modified", b"expires", b"link", b"set-cookie"})


def _listed(value: bytes) -> bytes:
    return b", ".join(sorted({member.strip().lower() for member in value.split(b",")} - {b""}))


def _until(fields: Fields) -> float | None:
    """What Expires grants behind Date (RFC 9111 section 4.2.1); nonsense, and a moment without a Date, is now."""
    expires = first(fields, b"expires")
    if expires is None:
        return None
    until, since = _date(expires), _date(first(fields, b"date") or b"")
    return 0.0 if until is None or since is None else until - since


def _date(value: bytes) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value.decode("latin-1")).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _seconds(said: Said, name: bytes) -> float | None:
    """Delta-seconds (RFC 9111 section 1.2.2); nonsense is none, silence is None."""
    if name not in said:
        return None
    value = said[name] or b""
    return float(value) if re.fullmatch(rb"[0-9]{1,18}", value) else 0.0


# How long


def lasting(parts: Sequence[Part]) -> Lasting:
    """The strictest of what the parts allow: for whom, for how long, and what else they forbid."""
    told = [words(part.head) for part in parts]
    return _lasting(parts, told, _all_said(told), _depends_on_all(parts))


def _lasting(parts: Sequence[Part], told: Sequence[Words], said: frozenset[bytes], any_request: bool) -> Lasting:
    if b"no-store" in said:
        return _NO_STORE
    beside = tuple(word for word in _FORBIDDING if word in said)
    if b"no-cache" in said or any_request:
        return Lasting(NO_SHARING, told=beside)
    private, parted = b"private" in said, b"s-maxage" in said
    own = [_own(part, each) for part, each in zip(parts, told, strict=True)]
    here, between = min(own), min(part.fresh or 0.0 for part in parts)  # what no cache here kept, none between shall
    if (here if private else between if parted else min(here, between)) < 1:
        return Lasting(NO_SHARING, told=beside)
    scope = b"private" if private else b"public"
    if parted or b"must-revalidate" in beside:  # s-maxage forbids stale answers, too (RFC 9111 section 5.2.2.10)
        return Lasting(scope, here, between, told=beside, apart=parted and not private)
    stale, error = _beyond(b"stale-while-revalidate", told, own), _beyond(b"stale-if-error", told, own)
    return Lasting(scope, here, between, stale, error, beside)


_NO_STORE = Lasting(b"no-store")
_FORBIDDING = (b"must-revalidate", b"proxy-revalidate", b"no-transform")


def _own(part: Part, told: Words) -> float:
    """Seconds left in the viewer's own cache; s-maxage speaks of the others only, silence is the manifest's to fill."""
    said = _seconds(told.said, b"max-age")
    granted = told.until if said is None else said
    if part.fresh is None:  # there is a reason why the cache has none; that it is private is one
        return granted if granted is not None and b"private" in told.said else 0.0
    if part.fresh <= 0 or (granted is None and b"s-maxage" in told.said):
        return 0.0
    left = part.fresh if granted is None else granted - part.age
    return left if b"s-maxage" in told.said else min(left, part.fresh)


def _beyond(name: bytes, told: Sequence[Words], lasts: Sequence[float]) -> float:
    """How long a stale page may be used: until the first of its parts may not."""
    ends = [left + (_seconds(each.said, name) or 0.0) for left, each in zip(lasts, told, strict=True)]
    return min(ends) - min(lasts)


# For whom


def vary(parts: Sequence[Part]) -> bytes:
    """What any part depends on, and the coding, which is the gateway's; `*` if one depends on all, or on too much."""
    return b"*" if _depends_on_all(parts) else b", ".join(sorted(_names(parts)))


def _names(parts: Sequence[Part]) -> set[bytes]:
    names = {b"accept-encoding"}
    for part in parts:
        names |= words(part.head).vary
        names |= part.asks
    return names


def _depends_on_all(parts: Sequence[Part]) -> bool:
    names = _names(parts)
    return b"*" in names or len(names) > NAMES


def language(parts: Sequence[Part]) -> bytes | None:
    """The shell's, unless a piece says another; a piece that says none is in the page's."""
    told = first(parts[0].head.fields, b"content-language")
    said = {words(part.head).language for part in parts} - {None}
    return told if told is not None and len(said) == 1 else None


def modified(parts: Sequence[Part]) -> bytes | None:
    """The latest, when every part has one: a page with a part that changed at an unknown time has none."""
    dates = [words(part.head).modified for part in parts]
    known = [date for date in dates if date is not None]
    return email.utils.formatdate(max(known), usegmt=True).encode() if len(known) == len(dates) else None


# What pieces bring


def links(parts: Sequence[Part]) -> bytes | None:
    """What pieces ask the viewer to fetch early, each once, below their mounts; what the page is, its shell says."""
    found: dict[bytes, None] = {}
    left = HINTS
    for part in parts[1:]:
        if part.place is not None and b"link" in part.head.index:
            for hint in _hints(part.head, part.place):
                left -= 0 if hint in found else len(hint) + 2
                if left >= 0:
                    found[hint] = None
    return b", ".join(found) or None


_LINK = patterns.compile(rb'<[^<>]*+>(?:[^,<>"]|"(?:[^"\\]|\\.)*+")*+')  # RFC 8288 section 3
_PARAMETER = patterns.compile(rb';[ \t]*([^\s;,="]+)[ \t]*(?:=[ \t]*("(?:[^"\\]|\\.)*+"|[^\s;,"]*))?')
_EARLY = frozenset({b"preload", b"modulepreload", b"preconnect"})


def _hints(head: Head, place: Place) -> list[bytes]:
    key = ("hints", place)
    known: list[bytes] | None = head.memo.get(key)
    if known is None:
        said = joined(head.fields, b"link")
        known = head.keep(key, [mounting.link(link.strip(), place) for link in _LINK.findall(said) if _early(link)])
    return known


def _early(link: bytes) -> bool:
    told: dict[bytes, bytes] = {}
    for name, value in _PARAMETER.findall(link, link.index(b">")):
        told.setdefault(name.lower(), value.strip(b'"').lower())
    return told.get(b"rel") in _EARLY and b"anchor" not in told


def cookies(parts: Iterable[Part]) -> Fields:
    """The shell's as they are, and those of a primary piece, below its mount; of any other piece none."""
    told: Fields = []
    for part in parts:
        if part.primary and part.place is not None and b"set-cookie" in part.head.index:
            values = (mounting.set_cookie(value, part.place) for value in every(part.head.fields, b"set-cookie"))
            told += [(b"set-cookie", value) for value in values if value is not None]
    return told


# Which answers of an origin are a shell, and a whole one


def may_be_composed(answer: Response) -> bool:
    """A page in HTML that is all here, and that nobody forbids to change (RFC 9111 section 5.2.2.6)."""
    index = answer.head.index
    return (
        media_type(index.get(b"content-type")) == "text/html"
        and answer.status not in (204, 205, 206, 304)
        and b"content-encoding" not in index
        and b"no-transform" not in words(answer.head).said
    )


def of_the_shell(request: Request, answer: Response) -> bool:
    """Whether a 206 or a 304 is about a shell, whose page may have changed all the same.

    A 304 seldom says its type. Browsers say what a request is for, and hold an ETag of ours of every page that has one;
    what is left are dates in requests of others, and those may be about either.
    """
    kind, index = media_type(answer.head.index.get(b"content-type")), request.head.index
    if request.method not in (b"GET", b"HEAD") or kind not in ("", "text/html"):
        return False
    if answer.status == 206:
        return kind == "text/html"
    asked = index.get(b"if-none-match")
    return is_etag(asked) if asked is not None else b"sec-fetch-dest" not in index


_CONDITIONS = (b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range", b"range")


def unconditional(request: Request) -> Request:
    """The same request for the whole, whatever the viewer holds of it."""
    return Request(
        request.method,
        request.target,
        without(request.headers, *_CONDITIONS),
        request.body,
        scheme=request.scheme,
        peer=request.peer,
        version=request.version,
    )


def etag(names: Iterable[bytes]) -> bytes:
    """A weak validator that names every byte of a page, in whatever coding (RFC 9110 section 8.8.1).

    `names` are the digests of all that is sent, in order, so that it holds only while nothing of it changed.
    """
    return b'W/"page-%b"' % hashlib.blake2b(b"".join(names), digest_size=12).hexdigest().encode()


def is_etag(value: bytes) -> bool:
    """Whether a condition names a composed page, of which no origin knows."""
    return b'"page-' in value


Rule = Callable[[Sequence[Part]], bytes | None]
WORKED_OUT: dict[bytes, Rule] = {
    b"vary": vary,
    b"content-language": language,
    b"last-modified": modified,
    b"link": links,
}
# what spoke of the shell's bytes, of its lifetime, or of a moment that is gone; the page is another representation
GONE = frozenset(
    {
        b"accept-ranges",
        b"age",
        b"cache-control",
        b"content-digest",
        b"content-encoding",
        b"content-length",
        b"content-md5",
        b"content-range",
        b"content-type",
        b"date",
        b"delta-base",
        b"digest",
        b"edge-control",
        b"etag",
        b"expires",
        b"im",
        b"no-vary-search",
        b"pragma",
        b"repr-digest",
        b"signature",
        b"signature-input",
        b"surrogate-control",
        b"use-as-dictionary",
        b"warning",
        b"x-accel-expires",
    }
)
_NOT_KEPT = GONE | (WORKED_OUT.keys() - {b"link"})


def _targeted(name: bytes) -> bool:
    """Cache-Control for some caches only (RFC 9213): they would keep the page for as long as its shell."""
    return name.endswith(b"-cache-control")


# The policy's nonce


def nonces(fields: Fields) -> list[bytes]:
    """Those that the shell's policies let scripts and sheets in by, the first one said first."""
    said = (value for name, value in fields if name in _POLICIES)
    return list(dict.fromkeys(nonce for value in said for nonce in _NONCE.findall(value)))[:MOST_NONCES]


def unguessable(nonce: bytes) -> bool:
    """Long enough to be random, and so to stand nowhere by chance (CSP, section 7.1)."""
    return len(nonce) >= 16


def renewed(fields: Fields, old: Iterable[bytes], new: bytes) -> Fields:
    """The policies with a nonce of this answer in the place of those that were kept with its shell."""
    gone = frozenset(old)
    return [
        (name, _NONCE.sub(lambda met: b"'nonce-%b'" % (new if met[1] in gone else met[1]), value))
        if name in _POLICIES
        else (name, value)
        for name, value in fields
    ]


def spelled(nonces: Iterable[bytes]) -> re.Pattern[bytes]:
    """Where a page says one of them: as it is, or as templates escape it in an attribute."""
    return re.compile(b"|".join(b"".join(map(_either, nonce)) for nonce in nonces))


def _either(byte: int) -> bytes:
    plain = re.escape(bytes((byte,)))
    return b"(?:%b|&#(?:%d|[xX]%x|[xX]%X);)" % (plain, byte, byte, byte) if byte in b"+/=-_" else plain


_POLICIES = (b"content-security-policy", b"content-security-policy-report-only")
_NONCE = re.compile(rb"(?i)'nonce-([A-Za-z0-9+/_-]+=*)'")
