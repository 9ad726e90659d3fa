"""An origin's answer as it looks below its mount: which fields carry URLs, which are the gateway's to set.

One pass over the fields; every rule is a row of RULES or DROPPED. URLs are mapped by `fragments.urls`, the same
mapping the body goes through.
"""

import re
import zlib
from collections.abc import Callable
from functools import lru_cache

import gateway.rules.cookies as cookies
import gateway.rules.keys as keys
from fragments.urls import Place, below
from gateway.message import Fields
from gateway.rules.fields import HOP_BY_HOP, named_by_connection

_URL_IN_REFRESH = re.compile(r"(?is)(\s*[\d.]*\s*[;,]?\s*url\s*=\s*)(['\"]?)(.*?)(\2\s*)")
_LINK_TARGET = re.compile(rb'"(?:[^"\\]|\\.)*"|<([^<>]*)>')

Rule = Callable[[bytes, Place], bytes]


def answer(fields: Fields, place: Place) -> Fields:
    """The fields of an origin's answer, put below its mount: mapped, kept, or left out."""
    mounted: Fields = []
    kept = mounted.append
    for field in fields:
        name = field[0]
        if name in DROPPED:
            continue
        rule = RULES.get(name)
        if rule is None:
            kept(field)
        else:
            kept((name, rule(field[1], place)))
    listed = named_by_connection(fields)
    return [field for field in mounted if field[0] not in listed] if listed else mounted


def hop(fields: Fields) -> Fields:
    """The fields less those of the hop they came on."""
    listed = named_by_connection(fields)
    return [field for field in fields if field[0] not in HOP_BY_HOP and (not listed or field[0] not in listed)]


def url(value: bytes, place: Place) -> bytes:
    """A field that is one URL, such as Location (RFC 9110 section 10.2.2)."""
    return below(value.decode("latin-1"), place).encode("latin-1")


def refresh(value: bytes, place: Place) -> bytes:
    """`5; url=/x` (HTML, section 4.2.5.3, shared declarative refresh steps)."""
    match = _URL_IN_REFRESH.fullmatch(value.decode("latin-1"))
    if match is None:
        return value
    return f"{match[1]}{match[2]}{below(match[3], place)}{match[4]}".encode("latin-1")


def link(value: bytes, place: Place) -> bytes:
    """Every target of a Link field (RFC 8288 section 3); parameters stay."""

    def mapped(match: re.Match[bytes]) -> bytes:
        return match[0] if match[1] is None else b"<" + url(match[1], place) + b">"

    return _LINK_TARGET.sub(mapped, value)


def set_cookie(value: bytes, place: Place) -> bytes:
    return cookies.put_below(value, place.prefix.encode())


def scope(value: bytes, place: Place) -> bytes:
    """Service-Worker-Allowed never reaches above the mount, whatever the origin says."""
    return (place.prefix + "/").encode()


DROPPED = HOP_BY_HOP | {
    # what is the whole domain's is the gateway's to say, not one team's
    b"strict-transport-security",
    b"clear-site-data",
    b"alt-svc",
    b"nel",
    b"public-key-pins",
    b"origin-agent-cluster",
    # what tells of the inside or speaks to another proxy
    b"server",
    b"x-powered-by",
    b"x-accel-redirect",
    b"x-sendfile",
    b"x-aspnet-version",
    b"via",
    b"date",
}
RULES: dict[bytes, Rule] = {
    **dict.fromkeys((b"location", b"content-location", b"sourcemap", b"x-sourcemap"), url),
    b"refresh": refresh,
    b"link": link,
    b"set-cookie": set_cookie,
    b"service-worker-allowed": scope,
}


def rewritten(fields: Fields, rules: str) -> Fields:
    """The fields of an answer whose body was edited: validators name the edited bytes, what described the old is gone.

    RFC 9110 section 8.8.1: a strong validator must change with the bytes, so it becomes a weak one of ours.
    """
    kept = []
    for name, value in fields:
        if name == b"etag":
            kept.append((name, etag(value, rules)))
        elif name not in _OF_THE_BYTES:
            kept.append((name, value))
    return kept


_OF_THE_BYTES = frozenset(
    {
        b"content-length",
        b"content-md5",
        b"digest",
        b"repr-digest",
        b"content-digest",
        b"accept-ranges",
        b"content-encoding",
    }
)


@lru_cache(maxsize=1024)
def version(place: Place) -> str:
    """A short name of the rules a body was edited by: other rules, or another prefix, other bytes."""
    return f"{zlib.crc32(repr((place.prefix, place.links_to)).encode()):08x}{keys.RULES}"


def etag(value: bytes, rules: str) -> bytes:
    """The validator of the edited bytes: the origin's, weak, and named after the rules that edited them."""
    opaque = value.removeprefix(b"W/").strip(b'"')
    return b'W/"%b~%b"' % (opaque, rules.encode())


def conditions(fields: Fields, rules: str) -> Fields:
    """A viewer's conditions as the origin knows them: validators of ours are turned back into its own."""
    return [(field[0], _unmask(field[1], rules)) if field[0] in _CONDITIONS else field for field in fields]


_CONDITIONS = frozenset({b"if-none-match", b"if-match"})


def _unmask(value: bytes, rules: str) -> bytes:
    tail = b'~%b"' % rules.encode()
    members = [member.strip() for member in value.split(b",")]
    return b", ".join(member[: -len(tail)] + b'"' if member.endswith(tail) else member for member in members)
