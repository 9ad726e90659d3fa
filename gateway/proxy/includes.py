"""Where the address of an include leads: below a mount of the table, never to another host.

Public paths and own absolute URLs are looked for in the table like a viewer's; an absolute URL of an origin that a
manifest declares means the mount of that upstream, as Tailor's templates write it. So no page is shown more than its
viewer could ask for.
"""

import re
from urllib.parse import quote

import gateway.rules.keys as keys
import gateway.rules.paths as paths
from fragments.urls import Place
from gateway.exchange import Exchange, Fetch
from gateway.table import Fragment, Mount, tag

TIMEOUT = 1.0  # seconds, as a fragment that declares none
_ABSOLUTE = re.compile(r"(?:(https?):)?[/\\]{2}([^/\\?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_UNSAFE = re.compile(r"[^\x21-\x7e]")
_DEFAULT = {"http": ":80", "https": ":443"}


def fetch_of(source: str, exchange: Exchange, timeout: float) -> Fetch | None:
    """What is wanted for an include; None when its address leads nowhere here."""
    found = _ABSOLUTE.match(source)
    if found is None:
        return _below(source, exchange, timeout) if source.startswith("/") else None
    scheme = (found[1] or exchange.request.scheme.decode()).lower()
    base = f"{scheme}://{found[2].lower().removesuffix(_DEFAULT[scheme])}"
    target = found[3] if found[3].startswith("/") else "/" + found[3]
    if base.encode() == exchange.public or base.encode() + _DEFAULT[scheme].encode() == exchange.public:
        return _below(target, exchange, timeout)
    mount = _mount_of(base, exchange)
    return None if mount is None else _made(target, mount, exchange, timeout)


def _mount_of(base: str, exchange: Exchange) -> Mount | None:
    """The first mount, on this host, of an upstream with such an origin."""
    mounts = (mount for row in exchange.table.mounts.values() for mount in row)
    here = (mount for mount in mounts if not mount.hosts or exchange.host in mount.hosts)
    return next((mount for mount in here if any(origin.url == base for origin in mount.upstream.origins)), None)


def _below(source: str, exchange: Exchange, timeout: float) -> Fetch | None:
    """A public path. What no mount but the root's owns is the including application's own, as it knows no prefix."""
    target = _target(source)
    if target is None:
        return None
    path = paths.split(target)[0]
    mount = exchange.table.find(exchange.host, path)
    here = exchange.mount
    if here is not None and here.prefix and (mount is None or not mount.prefix):
        return _made(source, here, exchange, timeout)
    if mount is None:
        return None
    return _made(paths.strip(target, mount.prefix).decode("latin-1"), mount, exchange, timeout)


def _target(source: str) -> bytes | None:
    """A path as one asks for it; None for one that a viewer would be refused, and for the gateway's own."""
    target = _UNSAFE.sub(lambda found: quote(found[0]), source).encode()
    own = target.startswith(b"/-/") and not target.startswith(b"/-/u/")
    return None if own or paths.refusal(target) is not None else target


def _made(source: str, mount: Mount, exchange: Exchange, timeout: float) -> Fetch | None:
    target = _target(source)
    if target is None:
        return None
    upstream, policy, prefix = mount.upstream, mount.policy, mount.prefix.decode()
    fragment = Fragment(
        name=prefix + target.decode(),
        team=upstream.team,
        upstream=upstream,
        path=target,
        timeout=timeout,
        policy=policy,
        isolation="none",
        alternative="",
        composes=False,
        headers=frozenset(),
        cookies=frozenset(),
        query=frozenset(),
    )
    place = Place(
        prefix,
        frozenset(origin.url for origin in upstream.origins),
        base=prefix + target.decode(),
        public=exchange.public.decode("latin-1"),
        tag=tag(upstream.team, upstream.name) if prefix else "",
    )
    key = keys.fragment(b"/", exchange.request.scheme, exchange.authority, prefix.encode(), target)
    return Fetch(upstream, target, key, place, policy, timeout, fragment=fragment)
