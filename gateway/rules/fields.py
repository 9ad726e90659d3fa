"""Header fields as every intermediary must treat them: hop-by-hop ones, Host, the domain-wide ones.

Pure functions over lower-case names and raw values (RFC 9110 sections 5 and 7).
"""

import re
from collections.abc import Collection
from functools import lru_cache

from gateway.message import Field, Fields, Request, every

# RFC 9110 section 7.6.1, with the older names that some still send
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
_HOST = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_.-])?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?")
SAID = 128  # field values of strangers that are kept worked out; each may be as long as a head
_BORING = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})


def named_by_connection(fields: Fields) -> Collection[bytes]:
    """Names that Connection declares to be for this hop only (RFC 9110 section 7.6.1)."""
    values = [value for name, value in fields if name == b"connection" and value not in _BORING]
    if not values:
        return ()
    return frozenset(token.strip().lower() for value in values for token in value.split(b","))


def authority(request: Request, absolute: bytes | None) -> tuple[bytes, str | None]:
    """Whom the request is for, lower-case and with its port, and why it cannot be told.

    One Host and no more (RFC 9112 section 3.2); an absolute-form target's authority wins over it (section 3.2.2).
    """
    host = request.index.get(b"host")
    if len(request.index) != len(request.headers) and len(every(request.headers, b"host")) > 1:
        return b"", "The request has more than one Host."
    if host is None:
        if request.version != b"1.0":
            return b"", "The request has no Host."
        host = b""
    if absolute is not None:
        host = absolute
    return _authority(host)


@lru_cache(maxsize=1024)
def _authority(host: bytes) -> tuple[bytes, str | None]:
    match = _HOST.fullmatch(host)
    if match is None and host:
        return b"", "The request's Host is not a host name with an optional port."
    if match is not None and match[1] is not None and int(match[1]) > 65535:
        return b"", "The request's Host has a port that does not exist."
    return host.lower(), None


@lru_cache(maxsize=1024)
def hostname(authority: bytes) -> bytes:
    """An authority without its port."""
    if authority.startswith(b"["):
        return authority.partition(b"]")[0] + b"]"
    return authority.partition(b":")[0]


def allowed(authority: bytes, hosts: Collection[bytes]) -> bool:
    """Is this one of the hosts the gateway answers for; no hosts at all means any."""
    return not hosts or authority in hosts or hostname(authority) in hosts


@lru_cache(maxsize=SAID)
def media_type(value: bytes | None) -> str:
    """A Content-Type's type/subtype, lower-case, without parameters; empty when there is none."""
    return (value or b"").partition(b";")[0].strip().lower().decode("latin-1")


def is_field(field: Field) -> bool:
    """May this go out: a token for a name, and no byte in the value that could start another line."""
    name, value = field
    return re.fullmatch(rb"[a-z0-9!#$%&'*+.^_`|~-]+", name) is not None and not re.search(rb"[\x00\r\n]", value)
