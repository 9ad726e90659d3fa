"""From the leaks one process counts to where those of all come together: once a second, as long as it lives."""

import asyncio
import time
from collections.abc import Callable

from gateway.store.base import Ledger, StoreError
from gateway.telemetry.leaks import Leaks

PAUSE = 1.0  # seconds between two takings: a team that mends a leak sees it stop at once


async def keep(leaks: Leaks, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(PAUSE)
        await keep_once(leaks, ledger, clock)


async def keep_once(leaks: Leaks, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
    """What was counted joins the ledger; while that is away the counts wait here."""
    taken = leaks.take()
    if not taken:
        return
    try:
        await ledger.add_leaks(taken, clock())
    except StoreError:
        leaks.put_back(taken)
