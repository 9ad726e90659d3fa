"""A value that comes later, once, awaited without a task: who waits goes on the moment it is set, in the same turn.

Between a socket's bytes and the answer they cause there is then no future, no task and no turn of the loop. Awaited
inside a task it is an ordinary future, so any coroutine may await it.
"""

import asyncio
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
