"""What was purged, by number, so that no entry outlives a purge from after its fetch began; and what purges itself.

Numbers are the ledger's and grow. An entry says which one was the last its gateway had followed when it asked for the
answer; whoever holds or reads an entry compares, in any tier, without locks.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from gateway.message import Entry, Head, every

MOST = 16_384  # names that are remembered, some 3 MB; entries from before the oldest of them count as purged
BELOW = 1024  # of these, path prefixes and origins: they are gone through one by one
OWN = ("url:", "team:", "origin:")  # tags that the gateway gives, and nobody else
SAFE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"QUERY", b"PROPFIND", b"REPORT", b"SEARCH"})
TAGS = 64  # of one answer's Surrogate-Key that count
TAG = 256  # characters of a tag


class Purge(Protocol):
    """An order to forget: `kind` says what `value` names, a URL, all below a path or an origin's URL, a tag, a team."""

    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def soft(self) -> bool: ...


class Purged:
    """What was purged so far. `number` is that of the last purge, `floor` of the last one not remembered any more."""

    def __init__(self) -> None:
        self.number = 0
        self.floor = 0
        self._named: dict[str, list[int]] = {}
        self._below: dict[str, list[int]] = {}

    def __repr__(self) -> str:
        return f"<Purged up to {self.number}, {len(self)} names since {self.floor}>"

    def __len__(self) -> int:
        return len(self._named) + len(self._below)

    def add(self, purge: Purge) -> None:
        """Remember a purge, whatever the order they are told in."""
        numbers = self._of(purge)
        if numbers is not None:
            numbers[purge.soft] = max(numbers[purge.soft], purge.number)
        self.number = max(self.number, purge.number)

    def says(self, entry: Entry) -> str:
        """Whether an entry is gone ("hard"), stale ("soft") or neither, by what was purged since it was asked for."""
        since = entry.since
        if since >= self.number:
            return ""
        if since < self.floor:
            return "hard"
        soft = False
        for numbers in self._about(entry.tags):
            if numbers[False] > since:
                return "hard"
            soft = soft or numbers[True] > since
        return "soft" if soft else ""

    def _of(self, purge: Purge) -> list[int] | None:
        """The last hard and the last soft number of a name, which comes to the end of those remembered."""
        known, most = self._named, MOST
        name = purge.value
        if purge.kind in ("prefix", "origin"):
            known, most = self._below, BELOW
            name = f"{'url' if purge.kind == 'prefix' else 'origin'}:{purge.value.rstrip('/')}"
        elif purge.kind != "tag":
            name = f"{purge.kind}:{purge.value}"
        elif purge.value.startswith(OWN):
            return None  # no tag of a team's: it would name what is another's
        numbers = known.pop(name, None) or [0, 0]
        known[name] = numbers
        if len(known) > most:
            self.floor = max(self.floor, *known.pop(next(iter(known))))
        return numbers

    def _about(self, tags: Iterable[str]) -> Iterable[Sequence[int]]:
        named, below = self._named, self._below
        for tag in tags:
            if tag in named:
                yield named[tag]
            if below and tag.startswith(OWN):
                yield from (numbers for name, numbers in below.items() if _is_below(tag, name))


def _is_below(url: str, prefix: str) -> bool:
    """Whole segments only: /hotels is not above /hotels-and-more."""
    return url.startswith(prefix) and url[len(prefix) : len(prefix) + 1] in ("", "/", "?")


def tags(declared: Iterable[str], said: bytes, *, team: str, url: bytes, origin: bytes = b"") -> tuple[str, ...]:
    """What an entry answers to: the manifest's tags, the origin's Surrogate-Key, and its own names.

    `url` is its public path and query, `origin` its URL there. A tag that looks like one of those names is none.
    """
    keys = said.decode("latin-1").replace(",", " ").split()[:TAGS]
    theirs = dict.fromkeys(tag for tag in (*declared, *keys) if len(tag) <= TAG and not tag.startswith(OWN))
    own = [f"team:{team}", f"url:{url.decode('latin-1')}"]
    return (*theirs, *own, f"origin:{origin.decode('latin-1')}") if origin else (*theirs, *own)


# What an answer makes forgotten


def invalidates(method: bytes, status: int, target: bytes, head: Head, *, public: bytes, prefix: bytes) -> list[bytes]:
    """The public paths of which nothing kept may be used after such an answer (RFC 9111 section 4.4).

    An unsafe request that did not fail changed its target, and what it says by Location and Content-Location: of the
    same origin, and below the same mount, since another team's pages are not this one's to forget. `target` is the
    public one, `public` scheme and authority; fields are as viewers see them.
    """
    if method in SAFE or not 200 <= status < 400:
        return []
    found = [target.partition(b"#")[0]]
    for name in (b"location", b"content-location"):
        if name in head.index:
            found += [path for said in every(head.fields, name) if (path := _inside(said, target, public, prefix))]
    return list(dict.fromkeys(found))


def _inside(said: bytes, target: bytes, public: bytes, prefix: bytes) -> bytes | None:
    """The path and query that a reference means, if they are the mount's own."""
    base = (public + target).decode("latin-1")
    try:
        meant = urlsplit(urljoin(base, said.decode("latin-1").strip()))
        same = _origin(meant.scheme, meant.hostname, meant.port) == _origin_of(public)
    except ValueError:
        return None
    path = (meant.path or "/").encode("latin-1", "replace")
    if not same or (prefix and path != prefix and not path.startswith(prefix + b"/")):
        return None
    return path + b"?" + meant.query.encode("latin-1", "replace") if meant.query else path


def _origin_of(public: bytes) -> tuple[str, str | None, int | None]:
    parts = urlsplit(public.decode("latin-1"))
    return _origin(parts.scheme, parts.hostname, parts.port)


def _origin(scheme: str, host: str | None, port: int | None) -> tuple[str, str | None, int | None]:
    """RFC 6454 section 4: a default port may go unsaid."""
    return scheme, host, port or {"http": 80, "https": 443}.get(scheme)
