"""Coroutines run where they stand, and are cancelled like tasks, wherever they wait."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest

from gateway.proxy.eager import Run
from gateway.transport.later import Later

pytestmark = pytest.mark.anyio


async def test_what_needs_no_waiting_is_done_at_once() -> None:
    async def add() -> int:
        return 1 + 1

    ended: list[Run[int]] = []
    run = Run(add(), ended.append)
    assert run.done and run.result() == 2
    assert ended == [run]
    assert repr(run) == "<Run done>"


async def test_a_failure_is_the_results() -> None:
    async def fail() -> None:
        raise ValueError("no")

    run = Run(fail())
    with pytest.raises(ValueError, match="no"):
        run.result()


async def test_who_waits_for_a_later_goes_on_in_the_same_turn_and_without_a_task() -> None:
    later: Later[int] = Later()
    tasks = []

    async def wait() -> int:
        value = await later
        tasks.append(Later.taskless)
        return value

    run = Run(wait())
    assert not run.done and repr(run) == "<Run waiting>"
    later.set(7)
    assert run.done and run.result() == 7
    assert tasks == [True]


async def test_a_task_takes_over_when_asyncio_is_waited_for() -> None:
    later: Later[int] = Later()

    async def wait() -> tuple[int, bool]:
        await asyncio.sleep(0.01)
        inside = asyncio.current_task() is not None
        return await later, inside

    run = Run(wait())
    await asyncio.sleep(0.02)
    assert not run.done
    later.set(7)
    await asyncio.sleep(0.01)
    assert run.result() == (7, True)


async def test_a_failure_after_the_task_took_over_is_the_results() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    run = Run(fail())
    await end(run)
    with pytest.raises(ValueError, match="no"):
        run.result()


async def test_a_future_that_fails_fails_where_it_is_awaited() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait() -> str:
        try:
            await future
        except ValueError:
            return "caught"
        return "missed"

    run = Run(wait())
    future.set_exception(ValueError("no"))
    await end(run)
    assert run.result() == "caught"


class Waits:
    """Waits in one of the ways; remembers that it was told to stop."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.later: Later[int] = Later()

    async def for_later(self) -> None:
        await self._told(self._later())

    async def for_asyncio(self) -> None:
        await self._told(asyncio.sleep(5))

    async def _later(self) -> None:
        await self.later

    async def _told(self, waited: Coroutine[Any, Any, None]) -> None:
        try:
            await waited
        except asyncio.CancelledError:
            self.told.append("cancelled")
            raise


async def end(run: Run[Any]) -> None:
    """Waits for a run that goes on without us."""
    ended = asyncio.Event()
    if not run.done:
        run.then = lambda _: ended.set()
        await ended.wait()


async def cancelled(run: Run[None]) -> None:
    run.cancel()
    await end(run)
    with pytest.raises(asyncio.CancelledError):
        run.result()


async def test_cancel_while_it_waits_for_a_later() -> None:
    waits = Waits()
    await cancelled(Run(waits.for_later()))
    assert waits.told == ["cancelled"]
    waits.later.set(1)  # who sets it does not wake the dead


async def test_cancel_before_the_tasks_first_turn() -> None:
    """It hears of it as of any cancellation: what it holds is let go by `except CancelledError`."""
    waits = Waits()
    await cancelled(Run(waits.for_asyncio()))
    assert waits.told == ["cancelled"]


async def test_cancel_after_the_task_took_over() -> None:
    waits = Waits()
    run = Run(waits.for_asyncio())
    await asyncio.sleep(0.01)
    await cancelled(run)
    assert waits.told == ["cancelled"]


async def test_cancel_of_what_is_done_is_nothing() -> None:
    async def one() -> int:
        return 1

    run = Run(one())
    run.cancel()
    assert run.result() == 1


async def test_who_minds_being_cancelled_may_finish() -> None:
    later: Later[int] = Later()

    async def stubborn() -> str:
        try:
            await later
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "tidied"
        return "never"

    run = Run(stubborn())
    run.cancel()
    await end(run)
    assert run.result() == "tidied"


async def test_a_run_may_cancel_itself() -> None:
    runs: list[Run[None]] = []
    waits = Waits()

    async def itself() -> None:
        runs[0].cancel()
        await waits.for_asyncio()

    async def begin() -> None:
        await asyncio.sleep(0)
        await itself()

    runs.append(Run(begin()))
    await end(runs[0])
    assert waits.told == ["cancelled"]


async def test_a_run_inside_a_run_leaves_the_outer_one_in_order() -> None:
    inner: Later[int] = Later()
    outer: Later[int] = Later()

    async def nested() -> int:
        async def wait() -> int:
            return await inner

        run = Run(wait())
        value = await outer
        return value + run.result()

    run = Run(nested())
    inner.set(1)
    outer.set(2)
    assert run.result() == 3
    gc.collect()
