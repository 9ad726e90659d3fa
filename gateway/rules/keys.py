"""Under which key an answer is kept. Everything that may change the answer is in it, or is not forwarded.

A key is bytes: readable, without a length limit of its own, parts kept apart by a byte no part can hold.
"""

from collections.abc import Iterable

import gateway.rules.forwarding as forwarding
from gateway.message import Fields, every, joined

RULES = "1"  # counts up whenever what is stored means something else than before


def page(scheme: bytes, authority: bytes, prefix: bytes) -> bytes:
    """The beginning of a page's or asset's key; the target as the origin gets it is the rest."""
    return b" ".join((b"page", scheme, authority, prefix or b"/", b""))


def fragment(name: bytes, scheme: bytes, authority: bytes, prefix: bytes, target: bytes) -> bytes:
    """A fragment asked for with this target. Host and prefix stand in it, since URLs in a piece depend on them."""
    return b" ".join((b"fragment", scheme, authority, prefix or b"/", name, target))


def vary(fields: Fields) -> tuple[bytes, ...]:
    """The request fields an answer depends on, in one order (RFC 9111 section 4.1)."""
    names = {name.strip().lower() for name in joined(fields, b"vary").split(b",")}
    return tuple(sorted(names - {b""}))


def variant(key: bytes, names: Iterable[bytes], request: Fields) -> bytes:
    """The key of the one answer chosen by these request fields."""
    return b"\n".join([key, *(name + b"=" + _normal(name, request) for name in names)])


def _normal(name: bytes, request: Fields) -> bytes:
    if name == b"accept-encoding":
        return forwarding.accepted(request)
    return b",".join(value.strip() for value in every(request, name))
