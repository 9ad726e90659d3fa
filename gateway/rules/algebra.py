"""The fields of a composed answer, worked out from its parts': the strictest wins, and what named bytes is gone."""

from collections.abc import Iterable

from gateway.message import Fields
from gateway.rules.freshness import directives

_OF_ONE_PART = frozenset(
    {
        b"content-length",
        b"content-encoding",
        b"content-type",
        b"etag",
        b"last-modified",
        b"accept-ranges",
        b"content-md5",
        b"digest",
        b"content-digest",
        b"repr-digest",
        b"cache-control",
        b"expires",
        b"age",
    }
)


def shell(fields: Fields) -> Fields:
    """A shell's fields, less those that spoke of its own bytes or lifetime: the page is another representation."""
    return [field for field in fields if field[0] not in _OF_ONE_PART] + [
        (b"content-type", b"text/html; charset=utf-8")
    ]


def cache_control(parts: Iterable[bytes], remaining: float | None) -> bytes:
    """What a viewer may do with the page. `parts` are Cache-Control values, `remaining` the shortest freshness left.

    No part's lifetime is exceeded; a page with a part that nobody may keep is not kept either.
    """
    said = [directives(part) for part in parts]
    if any(b"no-store" in part for part in said):
        return b"no-store"
    if remaining is None or remaining < 1 or any(b"no-cache" in part for part in said):
        return b"private, no-cache"
    private = any(b"private" in part for part in said)
    return shared(b"private" if private else b"public", remaining)


def shared(scope: bytes, remaining: float) -> bytes:
    """A lifetime of whole seconds for these caches: b"public" or b"private"."""
    return b"%b, max-age=%d" % (scope, int(remaining))
