"""Coroutines begun on the spot: what needs no waiting ends at once, without a task and a turn of the loop.

A task is made at the first real wait, and takes over from there. Until then there may be no current task, so code on
this path times itself with the loop's timers, and gives what needs a task (a Redis call) one of its own.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Done(Generic[T]):
    """The coroutine ended without waiting."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def begin(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> "Done[T] | asyncio.Task[T]":
    """Run up to the first wait. What the coroutine raises before that, this raises."""
    try:
        waited = coroutine.send(None)
    except StopIteration as end:
        return Done(end.value)
    return loop.create_task(_rest(coroutine, waited))


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, T], waited: object) -> Generator[Any, Any, T]:
    """The remainder of a coroutine that already waits for something."""
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
