"""Where bytes of origins land: one buffer for all connections of a worker, which is read into again and again.

What is long is lent as a view, so that a body passes without being copied. The buffer is left to whoever still holds
such a view when the next bytes come.
"""

from gateway.transport.known import Seen

SIZE = 128 * 1024  # bytes of one read at most; small enough to stay in a core's second cache


class Landing:
    """The buffer, and what came to lie in it."""

    __slots__ = ("_buffer", "_lent")

    def __init__(self) -> None:
        self._buffer = bytearray(SIZE)
        self._lent = False

    def room(self) -> bytearray:
        """Where the next bytes may be written. CPython refuses to resize what a view is held of."""
        if self._lent:
            self._lent = False
            try:
                self._buffer.append(self._buffer.pop())
            except BufferError:
                self._buffer = bytearray(SIZE)
        return self._buffer

    def taken(self, count: int) -> bytes:
        """The first bytes, for good."""
        return bytes(memoryview(self._buffer)[:count])

    def holds(self, seen: Seen) -> bool:
        """Whether these bytes came, with some of one line where its date stood."""
        at, buffer = len(seen.before), self._buffer
        then = at + seen.gap
        return (
            buffer.startswith(seen.before)
            and buffer.startswith(seen.after, then)
            and buffer.startswith(seen.body, then + len(seen.after))
            and buffer.find(b"\n", at, then) < 0
        )

    def lent(self, count: int) -> memoryview:
        """The first bytes, to be used at once; who keeps the view keeps the buffer."""
        self._lent = True
        return memoryview(self._buffer)[:count]
