"""What origins are told a surrogate can do for their pages (Edge Architecture Specification 1.0, section 2.2)."""

from collections.abc import Collection

from gateway.message import Fields, joined, without

ESI = b'portico="ESI/1.0"'


def capable(fields: Fields, dialects: Collection[str]) -> Fields:
    """The fields of a composing mount's request: what others before us can do, and then we."""
    if "esi" not in dialects:
        return fields
    before = joined(fields, b"surrogate-capability")
    told = before + b", " + ESI if before else ESI
    return [*without(fields, b"surrogate-capability"), (b"surrogate-capability", told)]
