"""Which request may be sent a second time, and where (RFC 9110 section 9.2.2)."""

IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"})
# failures before a byte of the request left, by their word of RFC 9209
NOT_SENT = frozenset({"connection_refused", "connection_timeout", "destination_ip_prohibited", "dns_error"})


def again(method: bytes, replayable: bool) -> bool:
    """On a new connection to the same origin, when a kept one died before a byte of the answer came."""
    return replayable and method in IDEMPOTENT


def elsewhere(method: bytes, replayable: bool, failure: str) -> bool:
    """At another origin of the upstream: what was not sent, or does no more when it is done twice.

    `replayable` tells that the body is still at hand.
    """
    return replayable and (failure in NOT_SENT or method in IDEMPOTENT)
