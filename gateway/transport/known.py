"""What an origin said before, recognised by its bytes: nothing in it is read a second time.

A head that llhttp judged once is known again whatever its date; a whole answer that came twice, to its last byte.
"""

from gateway.message import Head
from gateway.recent import Heaped, Kept

HEAD = 2048  # bytes of an answer's head that is remembered
HEADS = 512  # such heads of one origin
ANSWER = 64 * 1024  # bytes of a whole answer that is remembered; what is longer costs more to look at than it saves
ANSWERS = 2 << 20  # bytes of them, of one origin
ENTRY = 500  # what each weighs besides its bytes
PATIENCE, RETRY = 8, 256  # answers that differ one after the other before that is expected; and for how many
DATE = 29  # bytes of a date (RFC 9110 section 5.6.7)


class Known:
    """An answer's head as it was read the first time."""

    __slots__ = ("head", "length", "status")

    def __init__(self, status: int, head: Head, length: int) -> None:
        self.status = status
        self.head = head
        self.length = length


class Seen:
    """A whole answer as it came the last time: what stands `before` its date, that `gap`, what comes `after`, the body.

    It is looked for by its `count` of bytes, -1 as long as it came only once. Where answers differ time after time
    (`misses`), they are looked at for a while only now and then.
    """

    __slots__ = ("after", "before", "body", "count", "gap", "known", "misses")

    def __init__(self, known: Known, body: bytes) -> None:
        self.known = known
        self.body = body
        self.before = self.after = b""
        self.gap = 0
        self.count = -1
        self.misses = 0

    def is_looked_at(self) -> bool:
        """Whether the answer that came now is to be compared with it."""
        if self.misses < PATIENCE:
            return True
        self.misses = (self.misses + 1) % RETRY
        return False

    def came(self, head: bytes, known: Known, body: bytes) -> None:
        """What came this time."""
        if self.known is not known or self.body != body:
            self.known, self.body, self.count = known, body, -1
            self.misses += 1
            return
        self.misses = 0
        if self.count < 0:
            at = _dated(head, len(head))
            self.before, self.gap, self.after = (head, 0, b"") if at < 0 else (head[:at], DATE, head[at + DATE :])
            self.count = len(head) + len(body)


class Familiar:
    """The heads and the answers of one origin that are known again."""

    __slots__ = ("answers", "heads")

    def __init__(self) -> None:
        self.heads: Kept[bytes, Known] = Kept(HEADS)
        self.answers: Heaped[bytes, Seen] = Heaped(ANSWERS)

    def remember(self, head: bytes, known: Known) -> None:
        self.heads.keep(undated(head), known)

    def came(self, target: bytes, head: bytes, known: Known, body: bytes) -> None:
        """A whole answer with a known head."""
        seen = self.answers.get(target)
        if seen is None:
            seen = Seen(known, body)
        else:
            seen.came(head, known, body)
        self.answers.keep(target, seen, len(target) + 2 * len(head) + len(body) + ENTRY)


def undated(head: bytes) -> bytes:
    """A head's bytes less its date, the one thing every second changes."""
    at = _dated(head, len(head))
    return head if at < 0 else head[: at - _DATE_FIELD] + head[at + DATE :]


def _dated(raw: bytes, end: int) -> int:
    """Where in a head its date stands; -1 if there is none, or another kind of date."""
    at = raw.find(b"\r\nDate: ", 0, end)
    if at < 0:
        at = raw.find(b"\r\ndate: ", 0, end)
    at += _DATE_FIELD
    return at if at >= _DATE_FIELD and raw[at + DATE : at + DATE + 2] == b"\r\n" else -1


_DATE_FIELD = len(b"\r\nDate: ")
