"""Manifests compiled into what the data plane serves from: immutable, numbered, swapped whole.

Everything about a mount, an upstream or a fragment that does not depend on the request is worked out here, once.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import gateway.model as model
from gateway.model import CachePolicy, Manifest, Rewrite

PORTS = {"http": 80, "https": 443}
UNMOUNTED = model.Mount(upstream="any")  # how an upstream without a mount is served below /-/u/


@dataclass(frozen=True, slots=True)
class Origin:
    """One address of a team's server. `folder` is set, and host empty, for a directory origin."""

    url: str
    scheme: str = "http"
    host: str = ""
    port: int = 0
    folder: str = ""
    authority: bytes = b""
    base: bytes = b""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A team's named application, with the first mount it is reachable below."""

    name: str
    team: str
    origins: tuple[Origin, ...]
    timeout: float
    health: bytes
    home: str
    dialects: tuple[str, ...] = ()  # which include languages its pages may speak


@dataclass(frozen=True, slots=True)
class Mount:
    """A public prefix (b"" for "/") and what is served below it.

    `tag` is what its cookies' names begin with: of the application, not of the prefix, so that it may move. "" at "/".
    `cookies` are those of the whole site that it may read besides its own.
    """

    prefix: bytes
    team: str
    upstream: Upstream
    composes: bool
    aware: str
    links_to: tuple[str, ...]
    hosts: frozenset[bytes]
    policy: CachePolicy | None
    deadline: float | None
    rewrite: Rewrite
    spa_fallback: bytes
    cookies: frozenset[bytes] = frozenset()
    tag: str = ""
    runtime: bool = True
    router: str = "auto"
    asked: bool = False  # only pages that ask for it are composed
    navigation: model.Navigation = field(default_factory=model.Navigation)
    relinked: tuple[tuple[str, str], ...] = ()  # of what it links to, prefixes that moved: old and new

    @property
    def name(self) -> str:
        return self.prefix.decode() or "/"


@dataclass(frozen=True, slots=True)
class Moved:
    """A prefix that an application left, and where it is now; until when the one leads to the other."""

    old: str
    new: str
    team: str
    upstream: str
    until: float = 0.0

    @property
    def tag(self) -> str:
        """What the names of the application's cookies begin with, there as here."""
        return tag(self.team, self.upstream)

    def leads(self, path: bytes) -> bytes:
        """The same path below the new prefix."""
        return self.new.rstrip("/").encode() + path[len(self.old) :] or b"/"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named piece of HTML, and how it is asked for."""

    name: str
    team: str
    upstream: Upstream
    path: bytes
    timeout: float
    policy: CachePolicy | None
    isolation: str
    alternative: str
    composes: bool
    headers: frozenset[bytes]
    cookies: frozenset[bytes]
    query: frozenset[str]
    ids: str = "keep"

    @property
    def fitting(self) -> bytes:
        """All that says how its pieces are made to stand in a page."""
        return f"{self.isolation} {self.ids} {self.composes:d}".encode()

    @property
    def is_personal(self) -> bool:
        """One that is shown cookies or Authorization is never shared."""
        return bool(self.cookies) or b"authorization" in self.headers


@dataclass(frozen=True, slots=True)
class Table:
    """All manifests of one moment. Longest segment-bounded prefix wins."""

    number: int = 0
    mounts: dict[bytes, tuple[Mount, ...]] = field(default_factory=dict)
    fragments: dict[str, Fragment] = field(default_factory=dict)
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    moved: dict[bytes, Moved] = field(default_factory=dict)
    depths: dict[bytes, int] = field(default_factory=dict)  # by first segment, the segments of the longest prefix

    def __repr__(self) -> str:
        count = sum(len(mounts) for mounts in self.mounts.values())
        return f"<Table {self.number}: {len(self.teams)} teams, {count} mounts, {len(self.fragments)} fragments>"

    def find(self, host: bytes, path: bytes) -> Mount | None:
        """The mount that owns a path on a host (without port); whole segments only, longest prefix first."""
        mounts = self.mounts
        end = path.find(b"/", 1)
        first = path if end < 0 else path[:end]
        depth = self.depths.get(first, 0)
        if depth == 1:
            row = mounts[first]
            if not row[0].hosts:
                return row[0]
        for end in reversed(_ends(path, depth)):
            for mount in mounts.get(path[:end], ()):
                if not mount.hosts or host in mount.hosts:
                    return mount
        return None

    def left(self, path: bytes, mount: Mount | None) -> Moved | None:
        """The move of a path below a prefix that its application left; a mount declared deeper than that wins."""
        for end in reversed(_ends(path, max(prefix.count(b"/") for prefix in self.moved))) if self.moved else ():
            moved = self.moved.get(path[:end])
            if moved is not None and (mount is None or len(mount.prefix) < end):
                return moved
        return None


class Current:
    """Where the table is swapped. Readers take `table` once per exchange and keep that one to its end."""

    __slots__ = ("table",)

    def __init__(self, table: Table | None = None) -> None:
        self.table = table or Table()

    def swap(self, table: Table) -> None:
        self.table = table


def compile(manifests: Iterable[Manifest], number: int = 0, moved: Iterable[Moved] = ()) -> Table:
    """A table of manifests that `registry.check` found to fit together; what an earlier one owns stays its own.

    A mount that links to a prefix which moved links to where it is now as well.
    """
    left = {move.old: move for move in moved}
    mounts: dict[bytes, list[Mount]] = {}
    fragments: dict[str, Fragment] = {}
    upstreams: dict[str, Upstream] = {}
    teams = []
    for manifest in manifests:
        teams.append(manifest.team)
        own = {name: _upstream(name, manifest) for name in manifest.upstreams if name not in upstreams}
        upstreams |= own
        for prefix, declared in manifest.mounts.items():
            if declared.upstream in own:
                _add(mounts, _mount(prefix, declared, own[declared.upstream], manifest.team, left))
        for upstream in own.values():
            if upstream.home.startswith("/-/u/"):
                _add(mounts, _mount(upstream.home, UNMOUNTED, upstream, manifest.team, left))
        for name, fragment in manifest.fragments.items():
            if fragment.upstream in own and name not in fragments:
                fragments[name] = _fragment(name, fragment, own[fragment.upstream], manifest.team)
    depths: dict[bytes, int] = {}
    for taken in filter(None, mounts):
        first = b"/" + taken.split(b"/", 2)[1]
        depths[first] = max(depths.get(first, 0), taken.count(b"/"))
    rows = {prefix: tuple(row) for prefix, row in mounts.items()}
    gone = {old.encode(): move for old, move in left.items()}
    return Table(number, rows, fragments, upstreams, tuple(teams), gone, depths)


def tag(team: str, upstream: str) -> str:
    """Eight hex digits that stand for an application; among ten thousand, two share theirs once in a hundred portals.

    Whoever shares a tag must still share a path to be sent the other's cookies.
    """
    return hashlib.sha256(f"{team}/{upstream}".encode()).hexdigest()[:8]


def _ends(path: bytes, depth: int) -> list[int]:
    """Where the segment-bounded beginnings of a path that may be mounts end, shortest first: b"" is one of them."""
    ends = [0]
    at = 0
    for _ in range(depth):
        at = path.find(b"/", at + 1)
        if at < 0:
            ends.append(len(path))
            break
        ends.append(at)
    return ends


def _add(mounts: dict[bytes, list[Mount]], mount: Mount) -> None:
    row = mounts.setdefault(mount.prefix, [])
    taken = any(not other.hosts or not mount.hosts or other.hosts & mount.hosts for other in row)
    if not taken:
        row.append(mount)


def _origin(url: str) -> Origin:
    if url.startswith("file:"):
        return Origin(url, scheme="file", folder=url.removeprefix("file:"))
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    bracketed = f"[{host}]" if ":" in host else host
    authority = bracketed if port == PORTS[parts.scheme] else f"{bracketed}:{port}"
    return Origin(
        f"{parts.scheme}://{authority}",
        parts.scheme,
        host,
        port,
        authority=authority.encode(),
        base=f"{parts.scheme}://{authority}".encode(),
    )


def _upstream(name: str, manifest: Manifest) -> Upstream:
    declared = manifest.upstreams[name]
    origins = declared.origins or [origin for release in declared.releases.values() for origin in release.origins]
    first = next((prefix for prefix, mount in manifest.mounts.items() if mount.upstream == name), None)
    home = f"/-/u/{name}" if first is None else first.rstrip("/")
    return Upstream(
        name=name,
        team=manifest.team,
        origins=tuple(_origin(origin) for origin in origins),
        timeout=declared.timeout,
        health=(declared.health or "").encode(),
        home=home,
        dialects=tuple(declared.dialects),
    )


def _relinked(links_to: Iterable[str], left: Mapping[str, Moved]) -> Iterator[tuple[str, str]]:
    """Prefixes of others that moved, as (old, new)."""
    return ((prefix, left[prefix].new) for prefix in links_to if prefix in left)


def _mount(prefix: str, declared: model.Mount, upstream: Upstream, team: str, left: Mapping[str, Moved]) -> Mount:
    relinked = tuple(_relinked(declared.links_to, left))
    return Mount(
        prefix=b"" if prefix == "/" else prefix.encode(),
        team=team,
        upstream=upstream,
        composes=bool(declared.composes),
        asked=declared.composes == "asked",
        aware=declared.aware,
        links_to=tuple(dict.fromkeys((*declared.links_to, *(new for _, new in relinked if new != prefix)))),
        hosts=frozenset(host.lower().encode() for host in declared.hosts),
        policy=declared.cache,
        deadline=declared.deadline,
        rewrite=declared.rewrite,
        spa_fallback=(declared.spa_fallback or "").encode(),
        cookies=frozenset(cookie.encode() for cookie in declared.cookies),
        tag="" if prefix == "/" else tag(team, upstream.name),
        runtime=declared.runtime == "on",
        router=declared.router,
        navigation=declared.navigation,
        relinked=relinked,
    )


def _fragment(name: str, declared: model.Fragment, upstream: Upstream, team: str) -> Fragment:
    return Fragment(
        name=name,
        team=team,
        upstream=upstream,
        path=declared.path.encode(),
        timeout=declared.timeout,
        policy=declared.cache,
        isolation=declared.isolation,
        alternative=declared.alternative or "",
        composes=declared.composes,
        headers=frozenset(header.lower().encode() for header in declared.forward.headers),
        cookies=frozenset(cookie.encode() for cookie in declared.forward.cookies),
        query=frozenset(declared.forward.query),
        ids=declared.ids,
    )
