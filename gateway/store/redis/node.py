"""A Redis as it is known here: asked while it answers, tried in the background while it does not.

After the first failure nobody waits for it again before it has answered a trial, which no request pays for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.store.base import StoreError
from gateway.store.redis.address import Login
from gateway.store.redis.pipe import PATIENCE, Heard, Pipe, Prefixes, Server, opened

PAUSE = 1.0  # seconds between two trials while it does not answer


class Node:
    """`find` says where it is, anew for each trial: after a failover it is somewhere else."""

    def __init__(
        self, name: str, find: Callable[[], Awaitable[Server]], login: Login, prefixes: Prefixes, heard: Heard
    ) -> None:
        self.name = name
        self.pipe: Pipe | None = None
        self._find = find
        self._login = login
        self._prefixes = prefixes
        self._heard = heard
        self._reason = ""
        self._trial: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Node {self.name}, {'answers' if self.answers else f'does not answer: {self._reason}'}>"

    @property
    def answers(self) -> bool:
        """Whether it is asked at all, as far as anyone here knows."""
        return not self._reason

    async def ready(self) -> Pipe:
        """Its connection. The first to want it waits a moment for it."""
        if self.pipe is not None:
            return self.pipe
        if not self._reason:
            self._begin(0.0)
            assert self._trial is not None
            await asyncio.wait((self._trial,), timeout=PATIENCE)
        if self.pipe is None:
            self._reason = self._reason or "no answer in time"
            raise StoreError(f"Redis at {self.name} does not answer: {self._reason}. It is tried every {PAUSE:g} s.")
        return self.pipe

    async def ask(self, question: bytes) -> Any:
        return await (self.pipe or await self.ready()).ask(question)

    def leave(self, reason: str) -> None:
        """Its connection is of no use any more; where it is now is found out."""
        if self.pipe is not None:
            self.pipe.end(reason)

    async def close(self) -> None:
        if self._trial is not None:
            self._trial.cancel()
            await asyncio.gather(self._trial, return_exceptions=True)
        if self.pipe is not None:
            self.pipe.lost = None
            self.pipe.end("This gateway closed it.")
            self.pipe = None

    def _begin(self, pause: float) -> None:
        if self._trial is None:
            self._trial = asyncio.create_task(self._try(pause), name="try redis")

    async def _try(self, pause: float) -> None:
        """Until it answers."""
        while True:
            await asyncio.sleep(pause)
            try:
                pipe = await opened(await self._find(), self._login, self._prefixes, self._heard)
                break
            except StoreError as error:
                self._reason = str(error)
                pause = PAUSE
        pipe.lost = self._lost
        self.pipe, self._reason, self._trial = pipe, "", None

    def _lost(self, reason: str) -> None:
        """At once once more: a server that restarts or a master that changes closes connections that are good again."""
        self.pipe, self._reason = None, reason
        self._begin(0.0)
