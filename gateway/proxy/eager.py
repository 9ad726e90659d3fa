"""Coroutines run where they stand: from call to call of what they wait for, without a task and a turn of the loop.

A coroutine here may wait for a `Later` and is then resumed by whoever sets it. When it waits for anything of asyncio's
own, a task takes over. Until then there is no current task: code on this path times itself with the loop's timers, and
gives what needs a task one of its own.
"""

import asyncio
import inspect
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar, cast

from gateway.transport.later import Later

T = TypeVar("T")
_UNSET: Any = None


class Run(Generic[T]):
    """One coroutine under way. `then` is called once, at its end, with the run itself."""

    __slots__ = ("_coroutine", "_error", "_task", "_value", "_waits", "done", "then")

    def __init__(self, coroutine: Coroutine[Any, Any, T], then: "Callable[[Run[T]], None] | None" = None) -> None:
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None
        self._waits: Later[Any] | None = None
        self._error: BaseException | None = None
        self._value: T = _UNSET
        self.done = False
        self.then = then
        self._step()

    def __repr__(self) -> str:
        return f"<Run {'done' if self.done else 'waiting'}>"

    def result(self) -> T:
        """What it returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> None:
        """As a task is cancelled: by asyncio.CancelledError at the place where it waits."""
        if self.done:
            return
        if self._task is not None:
            self._task.cancel()
        elif self._waits is not None:
            waits, self._waits = self._waits, None
            waits.then = None
            self._advance(self._coroutine.throw, asyncio.CancelledError())
        else:
            asyncio.get_running_loop().call_soon(self.cancel)  # it runs at this very moment

    def _step(self) -> None:
        self._waits = None
        self._advance(self._coroutine.send, None)

    def _advance(self, move: Callable[[Any], object], what: object) -> None:
        before, Later.taskless = Later.taskless, True
        try:
            waited = move(what)
        except StopIteration as end:
            Later.taskless = before
            self._end(end.value, None)
        except BaseException as error:
            Later.taskless = before
            self._end(cast(T, None), error)
        else:
            Later.taskless = before
            self._wait(waited)

    def _wait(self, waited: object) -> None:
        if isinstance(waited, Later):
            self._waits = waited
            waited.then = self._step
        else:
            self._task = asyncio.get_running_loop().create_task(_rest(self._coroutine, waited))
            self._task.add_done_callback(self._task_ended)

    def _task_ended(self, task: "asyncio.Task[T]") -> None:
        if task.cancelled():
            if inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CLOSED:
                self._end(cast(T, None), asyncio.CancelledError())
            else:
                # the task was cancelled before its first turn: the coroutine has not heard of it
                self._advance(self._coroutine.throw, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self._end(cast(T, None), error)
        else:
            self._end(task.result(), None)

    def _end(self, value: T, error: BaseException | None) -> None:
        self._value, self._error = value, error
        self.done = True
        then, self.then = self.then, None
        if then is not None:
            then(self)


async def _rest(coroutine: Coroutine[Any, Any, T], waited: object) -> T:
    """The remainder of a coroutine that already waits for something of asyncio's."""
    return await _driven(coroutine, waited)


@types.coroutine
def _driven(coroutine: Coroutine[Any, Any, T], waited: object) -> Generator[Any, Any, T]:
    try:
        while True:
            try:
                sent = yield waited
            except BaseException as error:
                waited = coroutine.throw(error)
            else:
                waited = coroutine.send(sent)
    except StopIteration as end:
        value: T = end.value
        return value
