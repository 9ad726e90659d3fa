"""Leaks of every process come together in the ledger; while it is away they wait."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

import gateway.registry.leaks as keeping
from gateway.rules.leaks import Leak
from gateway.store.base import StoreError
from gateway.store.sqlite import SqliteLedger
from gateway.telemetry.facts import Leaked
from gateway.telemetry.leaks import Leaks

pytestmark = pytest.mark.anyio


def counted(*targets: bytes) -> Leaks:
    leaks = Leaks(lambda fact: None)
    for target in targets:
        leaks.tell(Leaked(1000.0, b"/hotels", "hotels", b"/hotels/", target))
    return leaks


async def test_what_two_processes_counted_comes_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PAUSE", 0.01)
    ledgers = [SqliteLedger(tmp_path / "ledger.sqlite") for _ in range(2)]
    tasks = [asyncio.create_task(keeping.keep(counted(b"/api", b"/api"), ledger, lambda: 1000.0)) for ledger in ledgers]
    found: list[Leak] = []
    for _ in range(200):
        found = await ledgers[0].leaks(None, 1000.0)
        if [leak.times for leak in found] == [4]:
            break
        await asyncio.sleep(0.01)
    assert [(leak.target, leak.times) for leak in found] == [("/api", 4)]
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    for ledger in ledgers:
        await ledger.close()


async def test_counts_wait_for_a_ledger_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, leaks = SqliteLedger(tmp_path / "ledger.sqlite"), counted(b"/api")

    async def away(leaks: Sequence[Leak], now: float) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "add_leaks", away)
        await keeping.keep_once(leaks, ledger, lambda: 1000.0)
    await keeping.keep_once(leaks, ledger, lambda: 1000.0)
    await keeping.keep_once(leaks, ledger, lambda: 1000.0)
    assert [leak.times for leak in await ledger.leaks(None, 1000.0)] == [1]
    await ledger.close()
