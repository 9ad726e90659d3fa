"""A value that comes later, once, awaited without a task: who waits goes on the moment it is set, in the same turn.

Between a socket's bytes and the answer they cause there is then no future, no task and no turn of the loop. Awaited
inside a task it is an ordinary future, so any coroutine may await it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, ClassVar, Generic, TypeVar

T = TypeVar("T")
_UNSET: Any = None


class Later(Generic[T]):
    """Set once, with a value or an error; awaited by one. What is set after that is not heard."""

    __slots__ = ("_error", "_value", "done", "then")

    # set while a coroutine runs that is resumed by `then`, and not by a task
    taskless: ClassVar[bool] = False

    def __init__(self) -> None:
        self.done = False
        self.then: Callable[[], None] | None = None
        self._value: T = _UNSET
        self._error: BaseException | None = None

    def set(self, value: T) -> None:
        if not self.done:
            self.done = True
            self._value = value
            then, self.then = self.then, None
            if then is not None:
                then()

    def fail(self, error: BaseException) -> None:
        if not self.done:
            self.done = True
            self._error = error
            then, self.then = self.then, None
            if then is not None:
                then()

    def result(self) -> T:
        """What was set; raises what it failed with."""
        if self._error is not None:
            raise self._error
        return self._value

    @property
    def failed(self) -> bool:
        return self._error is not None

    def __await__(self) -> Generator[object, None, T]:
        if not self.done:
            if Later.taskless:
                yield self
            else:
                yield from self._in_a_task()
        if self._error is not None:
            raise self._error
        return self._value

    def _in_a_task(self) -> Generator[object, None, None]:
        set_now = asyncio.Event()
        self.then = set_now.set
        yield from set_now.wait().__await__()


class Moment:
    """The same short while for many: one timer of the loop, for who began to wait first. `seconds` is how long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[tuple[float, Later[None]]] = deque()

    def over(self, later: Later[None]) -> None:
        """It is set then, unless it was before."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._seconds
        if not self._waiting:
            loop.call_at(due, self._tick, loop)
        self._waiting.append((due, later))

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now, waiting = loop.time(), self._waiting
        while waiting and (waiting[0][1].done or waiting[0][0] <= now):
            later = waiting.popleft()[1]
            if not later.done:
                after_reading(later)
        if waiting:
            loop.call_at(waiting[0][0], self._tick, loop)


def after_reading(later: Later[None]) -> None:
    """Sets it once around the loop: timers come before sockets are read, and what lies there already is not late."""
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, later.set, None)
