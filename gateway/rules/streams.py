"""Answers that go on: how long one may be silent in its middle, and which ones never mean to end."""

from gateway.message import Head
from gateway.rules.fields import media_type

STALL = 60.0  # seconds without a byte in the middle of a body: nginx's proxy_read_timeout
QUIET = 300.0  # the same when nobody said how long it will be: a long poll, a report that is still being made
ENDLESS = frozenset(
    {
        "text/event-stream",  # HTML, section 9.2: comments against timeouts are advice, not a duty
        "multipart/x-mixed-replace",
        "application/x-ndjson",
        "application/stream+json",
    }
)


def endless(head: Head) -> bool:
    """Does this answer bring news for as long as somebody listens."""
    return media_type(head.index.get(b"content-type")) in ENDLESS


def patience(head: Head, length: int | None) -> float | None:
    """Seconds an origin may be silent in the middle of this answer; None when silence is no sign of a fault."""
    if length is not None:
        return STALL
    return None if endless(head) else QUIET
