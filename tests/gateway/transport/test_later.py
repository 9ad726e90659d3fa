"""A value that comes later: awaited in a task like any other, once."""

import asyncio

import pytest

from gateway.transport.later import Later

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
