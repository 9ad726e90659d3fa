"""Under which key an answer is kept. Everything that may change the answer is in it, or is not forwarded.

A key is bytes: readable as long as it is short, parts kept apart by a byte no part can hold. What a manifest declares
to make no difference is taken out of the request itself: no origin can answer by it, and nobody poison what is kept.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache

import gateway.rules.cookies as jar
import gateway.rules.forwarding as forwarding
from gateway.message import Field, Fields, every, joined
from gateway.recent import Recent

RULES = "1"  # counts up whenever what is stored means something else than before
LONGEST = 1024  # bytes of a key; of longer ones, the end is a digest
NAMES = 32  # request fields an answer may depend on; with more it is as good as never the same
REMEMBERED = 512  # bytes of a field of strangers that is kept worked out
VARIANTS = 64  # of one URL that are kept; what depends on more than that is as good as never the same
URLS = 4096  # whose variants are counted at a time


def page(scheme: bytes, authority: bytes, prefix: bytes) -> bytes:
    """The beginning of a page's or asset's key; the target as the origin gets it is the rest."""
    return b" ".join((b"page", scheme, authority, prefix or b"/", b""))


def fragment(name: bytes, scheme: bytes, authority: bytes, prefix: bytes, target: bytes) -> bytes:
    """A fragment asked for with this target. Host and prefix stand in it, since URLs in a piece depend on them."""
    return limited(b" ".join((b"fragment", scheme, authority, prefix or b"/", name, target)))


def limited(key: bytes) -> bytes:
    """The same key, if it is not too long: then its beginning, and a digest of all of it that nobody can forge."""
    if len(key) <= LONGEST:
        return key
    return key[: LONGEST - 66] + b"\n#" + hashlib.blake2b(key, digest_size=32).hexdigest().encode()


def vary(fields: Fields) -> tuple[bytes, ...]:
    """The request fields an answer depends on, in one order (RFC 9111 section 4.1)."""
    said = joined(fields, b"vary")
    return _listed(said) if len(said) <= REMEMBERED else _listed.__wrapped__(said)


@lru_cache(maxsize=256)
def _listed(value: bytes) -> tuple[bytes, ...]:
    names = {name.strip().lower() for name in value.split(b",")}
    return tuple(sorted(names - {b""}))


def variant(key: bytes, names: Iterable[bytes], request: Fields) -> bytes:
    """The key of the one answer chosen by these request fields."""
    return limited(b"\n".join([key, *(name + b"=" + _normal(name, request) for name in names)]))


def _normal(name: bytes, request: Fields) -> bytes:
    if name == b"accept-encoding":
        return forwarding.accepted(request)
    return b",".join(value.strip() for value in every(request, name))


class Variants:
    """How many variants of each URL are kept, near enough: one process counts what it has stored itself."""

    def __init__(self, most: int = VARIANTS, urls: int = URLS) -> None:
        self._most = most
        self._seen: Recent[bytes, dict[bytes, float]] = Recent(urls)

    def __repr__(self) -> str:
        return f"<Variants of {len(self._seen)} URLs>"

    def admits(self, url: bytes, key: bytes, until: float, now: float) -> bool:
        """May this variant be kept, too; those that are of no use any more do not count."""
        seen = self._seen.get(url)
        if seen is None:
            seen = self._seen.put(url, {})
        name = hashlib.blake2b(key, digest_size=16).digest()
        if name not in seen and len(seen) >= self._most:
            for old in [old for old, end in seen.items() if end <= now]:
                del seen[old]
            if len(seen) >= self._most:
                return False
        seen[name] = until
        return True

    def forget(self, url: bytes) -> None:
        """All variants of it were purged."""
        self._seen.put(url, {})


# What of a query makes a difference


def target(whole: bytes, *, sort: bool = False, ignore: Sequence[str] = ()) -> bytes:
    """A target as it is both asked for and kept: less the parameters that make no difference, maybe in one order.

    `ignore` names parameters, a star at the end stands for any rest. Names are compared as they are written: one that
    is spelled otherwise, in escapes, is another one and stays.
    """
    path, mark, query = whole.partition(b"?")
    if not mark or not (sort or ignore):
        return whole
    given = query.split(b"&")
    kept = given
    if ignore:
        ignorable = _ignorable(tuple(ignore))
        kept = [each for each in given if not ignorable(each.partition(b"=")[0])]
    if sort:
        kept = sorted(kept, key=lambda each: each.partition(b"=")[0])
    if len(kept) == len(given):
        return path + b"?" + b"&".join(kept)
    return path + b"?" + b"&".join(kept) if kept else path


@lru_cache(maxsize=256)
def _ignorable(patterns: tuple[str, ...]) -> Callable[[bytes], bool]:
    exact = frozenset(each.encode() for each in patterns if not each.endswith("*"))
    begins = tuple(each[:-1].encode() for each in patterns if each.endswith("*"))
    return lambda name: name in exact or name.startswith(begins)


# What of a request's fields makes a difference


def narrows(languages: Sequence[str] = (), cookies: Collection[str] = (), device: bool = False) -> frozenset[bytes]:
    """The request fields that a mount narrows: their values are few, so answers that depend on them can be shared."""
    declared = ((b"accept-language", languages), (b"cookie", cookies), (b"user-agent", device))
    return frozenset(name for name, any_of in declared if any_of)


def narrowed(
    fields: Fields, languages: Sequence[str] = (), cookies: Collection[str] = (), device: bool = False, tag: str = ""
) -> Fields:
    """A request's fields with no more in them than is declared to make a difference, for the key and for the origin.

    `tag` marks the application's own cookies: they are named as it named them.
    """
    if not (languages or cookies or device):
        return fields
    kept: Fields = []
    named = frozenset(name.encode() for name in cookies)
    for field in fields:
        if cookies and field[0] == b"cookie":
            kept += _jar(field[1], named, tag.encode())
        elif not (languages and field[0] == b"accept-language") and not (device and field[0] == b"user-agent"):
            kept.append(field)
    if languages:
        kept.append((b"accept-language", language(joined(fields, b"accept-language")[:REMEMBERED], tuple(languages))))
    if device:
        kept.append((b"user-agent", agent(joined(fields, b"user-agent"))))
    return kept


def _jar(value: bytes, named: Collection[bytes], tag: bytes) -> list[Field]:
    """The named cookies, the application's own and the site's, in one order: browsers sort theirs by path and age."""
    pairs = [pair.strip() for pair in value.split(b";")]
    kept = sorted(pair for pair in pairs if _is_named(pair.partition(b"=")[0].strip(), named, tag))
    return [(b"cookie", b"; ".join(kept))] if kept else []


def _is_named(name: bytes, named: Collection[bytes], tag: bytes) -> bool:
    return name in named or (bool(tag) and jar.original(name, tag) in named)


@lru_cache(maxsize=1024)
def language(accepted: bytes, offered: tuple[str, ...]) -> bytes:
    """The one of the offered languages that a viewer likes best (RFC 4647 section 3.4); the first, if none is liked.

    A range finds a language that is longer, too: a viewer who takes `de` takes `de-AT`.
    """
    known = {each.lower().encode(): each.encode() for each in reversed(offered)}
    for wanted in _ranges(accepted):
        found = known.get(wanted) or _longer(wanted, known) or _shorter(wanted, known)
        if found is not None:
            return found
    return offered[0].encode()


def _longer(wanted: bytes, known: dict[bytes, bytes]) -> bytes | None:
    return next((tag for name, tag in reversed(known.items()) if name.startswith(wanted + b"-")), None)


def _shorter(wanted: bytes, known: dict[bytes, bytes]) -> bytes | None:
    while b"-" in wanted:
        wanted = wanted.rpartition(b"-")[0]
        if wanted in known:
            return known[wanted]
    return None


_RANGE = re.compile(
    rb"[ \t]*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8})[ \t]*(?:;[ \t]*[qQ]=([01](?:\.\d{0,3})?))?[ \t]*"
)
MOST_RANGES = 32  # of one Accept-Language that are read; browsers send a handful


def _ranges(accepted: bytes) -> list[bytes]:
    """The languages a viewer names, best first; refused ones, and what is none, left out."""
    found: list[tuple[float, bytes]] = []
    for member in accepted.split(b",")[:MOST_RANGES]:
        match = _RANGE.fullmatch(member)
        weight = 0.0 if match is None else float(match[2] or 1)
        if match is not None and weight > 0:
            found.append((-weight, match[1].lower()))
    return [name for _, name in sorted(found, key=lambda each: each[0])]


MOBILE = b"Mozilla/5.0 (Linux; Android 14; Mobile) Portico"
DESKTOP = b"Mozilla/5.0 (X11; Linux x86_64) Portico"


def agent(value: bytes) -> bytes:
    """One of two User-Agents, by the word that browsers on telephones say (Mozilla's advice: look for `Mobi`)."""
    return MOBILE if b"Mobi" in value else DESKTOP
