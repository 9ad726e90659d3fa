"""A value that comes later: awaited in a task like any other, once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.transport.later import Later, Moment

pytestmark = pytest.mark.anyio


async def test_who_waits_gets_the_value() -> None:
    later: Later[int] = Later()

    async def wait() -> int:
        return await later

    waiting = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    later.set(7)
    assert await waiting == 7


async def test_what_is_there_already_is_not_waited_for() -> None:
    later: Later[int] = Later()
    later.set(7)
    assert await later == 7
    assert await later == 7


async def test_who_waits_hears_of_a_failure() -> None:
    later: Later[int] = Later()
    asyncio.get_running_loop().call_soon(later.fail, ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await later


async def test_only_the_first_word_counts() -> None:
    later: Later[int] = Later()
    later.set(1)
    later.set(2)
    later.fail(ValueError("no"))
    assert later.done
    assert await later == 1


async def test_then_is_called_once_at_the_moment_it_is_set() -> None:
    later: Later[int] = Later()
    called = []
    later.then = lambda: called.append("then")
    later.set(1)
    later.set(2)
    assert called == ["then"]


async def test_what_was_set_may_be_had_without_waiting() -> None:
    later: Later[int] = Later()
    later.set(7)
    assert (later.failed, later.result()) == (False, 7)


async def test_a_failure_may_be_had_without_waiting() -> None:
    later: Later[int] = Later()
    later.fail(ValueError("no"))
    assert later.failed
    with pytest.raises(ValueError, match="no"):
        later.result()


# The same short while for many


async def test_a_moment_is_over_for_each_as_long_after_it_began() -> None:
    loop, moment = asyncio.get_running_loop(), Moment(0.05)
    ended: list[float] = []

    async def wait() -> None:
        began, later = loop.time(), Later[None]()
        moment.over(later)
        await later
        ended.append(loop.time() - began)

    waiting = []
    for _ in range(3):
        waiting.append(asyncio.ensure_future(wait()))
        await asyncio.sleep(0.02)
    await asyncio.gather(*waiting)
    assert all(seconds >= 0.045 for seconds in ended)
    assert len(ended) == 3


async def test_what_was_set_before_is_left_as_it_is() -> None:
    moment, later = Moment(0.01), Later[None]()
    told: list[None] = []
    moment.over(later)
    later.then = lambda: told.append(None)
    later.set(None)
    await asyncio.sleep(0.05)
    assert told == [None]


async def test_a_moment_needs_one_timer_however_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, moment = asyncio.get_running_loop(), Moment(0.01)
    timers: list[float] = []
    call_at = loop.call_at

    def counted(due: float, callback: Callable[..., object], *more: Any) -> asyncio.TimerHandle:
        timers.append(due)
        return call_at(due, callback, *more)

    waiting = [Later[None]() for _ in range(100)]
    with monkeypatch.context() as patched:
        patched.setattr(loop, "call_at", counted)
        for later in waiting:
            moment.over(later)
    assert len(timers) == 1
    for later in waiting:
        await later
