"""What an origin is told: the outgoing fields of a request, made in one pass.

Forwarding fields are rebuilt from what this gateway saw itself, never appended to what a stranger claims. A page's
request passes whole; a fragment's carries only what its manifest names.
"""

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

import gateway.rules.cookies as jar
from gateway.message import Field, Fields, Head, Request, first, joined, without
from gateway.rules.fields import HOP_BY_HOP, SAID, named_by_connection

Network = IPv4Network | IPv6Network

VIA = b"1.1 portico"  # RFC 9110 section 7.6.3
DECODABLE = (b"gzip", b"br", b"zstd", b"deflate")  # of those `rules.coding` undoes, the fastest for us first

# Rebuilt here or meaningless behind us. Underscore spellings fold into these at CGI-like origins.
FORGED = frozenset(
    {
        b"forwarded",
        b"via",
        b"cf-connecting-ip",
        b"client-ip",
        b"fastly-client-ip",
        b"forwarded-for",
        b"proxy",  # HTTP_PROXY of CGI-like origins (CVE-2016-5385)
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-envoy-external-address",
        b"x-envoy-original-path",
        b"x-forwarded",
        b"x-forwarded-by",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-path",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-forwarded-uri",
        b"x-host",
        b"x-http-method",
        b"x-http-method-override",
        b"x-ingress-path",
        b"x-method-override",
        b"x-middleware-subrequest",  # CVE-2025-29927
        b"x-original-forwarded-for",
        b"x-original-host",
        b"x-original-url",
        b"x-original-uri",
        b"x-real-ip",
        b"x-rewrite-url",
        b"x-script-name",
        b"x-request-id",
    }
)
_DROPPED = HOP_BY_HOP | FORGED | {b"host", b"content-length", b"accept-encoding", b"expect"}
# Connection cannot be used to take these from an origin that relies on them
_KEPT = frozenset({b"authorization", b"cookie", b"content-type", b"origin", b"range", b"if-match", b"if-none-match"})
_ALWAYS_FOR_FRAGMENTS = frozenset({b"accept-language", b"traceparent", b"tracestate"})
_PLAIN_NODE = re.compile(r"[0-9.]+")


def page(
    request: Request,
    *,
    to: bytes,
    base: bytes,
    authority: bytes,
    prefix: bytes,
    aware: bool = False,
    tag: str = "",
    shared: Collection[bytes] = (),
    upgrade: bytes = b"",
) -> Fields:
    """The fields of a page's request to its origin: everything, less hop-by-hop and forged ones.

    `to` is the origin's authority and `base` its scheme and authority; `authority` is the public one. `tag` marks the
    application's cookies, `shared` names those of the site it may read. `upgrade` is the protocol to switch to.
    """
    listed = named_by_connection(request.headers)
    public = _public(request.scheme, authority)
    fields: Fields = [(b"host", to)]
    for field in request.headers:
        name, value = field
        if name in _DROPPED or b"_" in name or (listed and name in listed and name not in _KEPT):
            continue
        if name == b"cookie":
            if kept := jar.taken(value, tag.encode(), shared):
                fields.append((name, kept))
            continue
        translate = _TRANSLATED.get(name)
        fields.append(field if translate is None else (name, translate(value, public, prefix, base)))
    encoding = accepted(request.headers)
    if encoding:
        fields.append((b"accept-encoding", encoding))
    if upgrade:
        fields += ((b"connection", b"Upgrade"), (b"upgrade", upgrade))
    fields += told(request, authority)
    if aware and prefix:
        fields.append((b"x-forwarded-prefix", prefix))
    return fields


@lru_cache(maxsize=1024)
def _public(scheme: bytes, authority: bytes) -> bytes:
    """The public origin as viewers write it: a default port goes unsaid (RFC 6454 section 6.2)."""
    return scheme + b"://" + authority.removesuffix(b":80" if scheme == b"http" else b":443")


def fragment(
    request: Request,
    *,
    to: bytes,
    headers: Collection[bytes],
    cookies: Collection[bytes],
    authority: bytes,
    tag: str = "",
) -> Fields:
    """The fields of a fragment's request: Accept-Language, trace ids, and the fields and cookies its manifest names.

    A named cookie is the application's own, if it has set one, and the site's.
    """
    fields: Fields = [(b"host", to), (b"accept", b"text/html")]
    for field in request.headers:
        name = field[0]
        if name == b"cookie":
            if cookies and (kept := only(jar.taken(field[1], tag.encode(), cookies), cookies)):
                fields.append((name, kept))
        elif name in _ALWAYS_FOR_FRAGMENTS or (name in headers and name not in _DROPPED):
            fields.append(field)
    return [*fields, *told(request, authority)]


def believe(request: Request, trusted: Sequence[Network]) -> None:
    """What a trusted proxy in front of us says of the viewer takes the place of what we see: the proxy."""
    if not _among(request.peer, trusted):
        return
    chain = [hop.strip() for hop in joined(request.headers, b"x-forwarded-for").decode("latin-1").split(",")]
    strangers = [hop for hop in chain if hop and not _among(hop, trusted)]
    if strangers:
        request.peer = strangers[-1]
    scheme = first(request.headers, b"x-forwarded-proto")
    if scheme in (b"http", b"https"):
        request.scheme = scheme
    host = first(request.headers, b"x-forwarded-host")
    if host is not None:
        request.head = Head([*without(request.headers, b"host"), (b"host", host)])


def _among(address: str, networks: Sequence[Network]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)


def told(request: Request, authority: bytes) -> tuple[Field, ...]:
    """What we saw of the viewer, in the standard's field (RFC 7239) and in the ones applications read."""
    return _told(request.peer, authority, request.scheme)


@lru_cache(maxsize=4096)
def _told(peer: str, authority: bytes, scheme: bytes) -> tuple[Field, ...]:
    node = peer.encode() if _PLAIN_NODE.fullmatch(peer) else b'"[%b]"' % peer.encode() if peer else b"unknown"
    return (
        (b"x-forwarded-for", peer.encode() or b"unknown"),
        (b"x-forwarded-host", authority),
        (b"x-forwarded-proto", scheme),
        (b"forwarded", b'for=%b;host="%b";proto=%b' % (node, authority, scheme)),
        (b"via", VIA),
    )


def only(value: bytes, names: Collection[bytes]) -> bytes:
    """The cookies of these names, in order."""
    kept = [pair.strip() for pair in value.split(b";") if pair.split(b"=", 1)[0].strip() in names]
    return b"; ".join(kept)


# What a viewer says in public URLs, said to the application in its own: (value, public, prefix, base) -> value


def origin(value: bytes, public: bytes, prefix: bytes, base: bytes) -> bytes:
    """Origin as the application expects it of its own pages, so that its checks against forgery hold."""
    return base if value == public else value


def referer(value: bytes, public: bytes, prefix: bytes, base: bytes) -> bytes:
    """A page inside the own mount as the application knows it; of another mount's only the origin.

    Browsers cut a Referer so between sites (Referrer Policy, section 3.7), and mounts stand for sites of their own:
    one team's paths, and what they may hold, are not the next team's to read.
    """
    rest = _inside(value, public + prefix)
    if rest is not None:
        return base + rest
    return public + b"/" if value.startswith(public + b"/") else value


def destination(value: bytes, public: bytes, prefix: bytes, base: bytes) -> bytes:
    """WebDAV's Destination (RFC 4918 section 10.3), absolute or a path; one outside the mount stays outside."""
    rest = _inside(value, public + prefix)
    if rest is not None:
        return base + rest
    if not value.startswith(b"/") or value.startswith(b"//"):
        return value
    rest = _inside(value, prefix)
    return public + value if rest is None else rest


def lists(value: bytes, public: bytes, prefix: bytes, base: bytes) -> bytes:
    """WebDAV's If (RFC 4918 section 10.4): the resources its lists are tagged with; states and ETags stay."""

    def mapped(match: re.Match[bytes]) -> bytes:
        return match[0] if match[1] is None else b"<" + destination(match[1], public, prefix, base) + b">"

    return _TAGGED.sub(mapped, value)


_TAGGED = re.compile(rb'\((?:[^()"]|"[^"]*")*\)|<([^<>]*)>')
_TRANSLATED: dict[bytes, Callable[[bytes, bytes, bytes, bytes], bytes]] = {
    b"origin": origin,
    b"referer": referer,
    b"hx-current-url": referer,
    b"turbolinks-referrer": referer,
    b"destination": destination,
    b"if": lists,
}


def _inside(value: bytes, base: bytes) -> bytes | None:
    """What follows a base in a URL, as a path of its own; None when the URL lies elsewhere."""
    rest = value[len(base) :]
    if not value.startswith(base) or rest[:1] not in (b"/", b"?", b"#", b""):
        return None
    return rest if rest.startswith(b"/") else b"/" + rest


def accepted(fields: Fields) -> bytes:
    """The codings an origin may use: those the viewer takes and we can undo, so that a body can be rewritten."""
    for name, value in fields:
        if name == b"accept-encoding":
            return _decodable(value)
    return b""


@lru_cache(maxsize=SAID)
def _decodable(accept_encoding: bytes) -> bytes:
    return b", ".join(coding for coding in DECODABLE if accepts(accept_encoding, coding))


@lru_cache(maxsize=SAID)
def accepts(accept_encoding: bytes, coding: bytes) -> bool:
    """Does the viewer take this coding (RFC 9110 section 12.5.3)."""
    star = False
    for member in accept_encoding.lower().split(b","):
        name, _, parameters = member.partition(b";")
        name = name.strip()
        refused = re.fullmatch(rb"q=0(\.0*)?", parameters.strip()) is not None
        if name == coding:
            return not refused
        if name == b"*":
            star = not refused
    return star
