"""Fields behind a body: which may pass, and to whom (RFC 9110 section 6.5)."""

from gateway.message import Fields, Head
from gateway.rules.fields import HOP_BY_HOP, is_field

# Section 6.5.1: what is needed for framing, routing, request modifiers, authentication or the form of the content comes
# first or not at all; neither may who writes the end of a body set what the gateway decides at its head.
_NEVER = HOP_BY_HOP | {
    b"accept-encoding",
    b"access-control-allow-credentials",
    b"access-control-allow-origin",
    b"age",
    b"alt-svc",
    b"authorization",
    b"cache-control",
    b"clear-site-data",
    b"content-encoding",
    b"content-length",
    b"content-location",
    b"content-range",
    b"content-security-policy",
    b"content-type",
    b"cookie",
    b"date",
    b"etag",
    b"expect",
    b"expires",
    b"forwarded",
    b"host",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"last-modified",
    b"link",
    b"location",
    b"max-forwards",
    b"origin",
    b"pragma",
    b"range",
    b"referer",
    b"refresh",
    b"retry-after",
    b"server",
    b"set-cookie",
    b"strict-transport-security",
    b"vary",
    b"via",
    b"www-authenticate",
}
_FAMILIES = (b"x-forwarded-", b"x-real-ip", b"x-http-method", b"x-method-", b"x-request-id", b"sec-", b"proxy-")
LIMIT = 8 * 1024  # bytes of trailers that pass; checksums, timings and a status of gRPC need some hundred


def passed(fields: Fields) -> Fields:
    """The trailers that may stand behind a body that goes on."""
    kept = [
        (name, value)
        for name, value in fields
        if name not in _NEVER and b"_" not in name and not name.startswith(_FAMILIES) and is_field((name, value))
    ]
    return kept if sum(len(name) + len(value) + 4 for name, value in kept) <= LIMIT else []


def wanted(head: Head) -> bool:
    """Does the viewer take trailers: `TE: trailers` (RFC 9110 section 10.1.4)."""
    return any(member.strip().lower() == b"trailers" for member in head.index.get(b"te", b"").split(b","))
