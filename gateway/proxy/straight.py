"""A fragment asked for on a connection that is open, and taken as it comes whole: no coroutine runs for it.

Most fragments are had so. What is not plain about an answer, or fails, is a coroutine's, which goes on from there.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Response
from gateway.proxy.cache import Cache
from gateway.proxy.eager import Run
from gateway.proxy.forward import Forward
from gateway.proxy.mounting import Mounting
from gateway.rules.freshness import Bypass, Miss
from gateway.transport.connection import Coming

T = TypeVar("T")
_UNSET: Any = None


class Straight:
    """What a fetch goes through between the cache and its origin, step by step."""

    def __init__(self, cache: Cache, forward: Forward, mounting: Mounting) -> None:
        self._cache = cache
        self._mounting = mounting
        self._send = forward.send
        self.begin = forward.begin

    def taken(self, exchange: Exchange, fetch: Fetch, response: Response, verdict: Miss | Bypass) -> Answer | None:
        """The answer as the cache would have brought it; None when that takes more than a look."""
        answer = self._mounting.untouched(exchange, fetch, response)
        return None if answer is None else self._cache.taken(exchange, fetch, answer, verdict)

    async def rest(self, exchange: Exchange, fetch: Fetch, verdict: Miss | Bypass, begun: Coming) -> Answer:
        """The same, whatever it takes."""
        response = await self._send(exchange, fetch, begun=begun)
        answer = self._mounting.untouched(exchange, fetch, response) or await self._mounting.edited(fetch, response)
        return self._cache.taken(exchange, fetch, answer, verdict)


class Sent(Generic[T]):
    """One answer under way, like a `Run`. `read` makes of it what is wanted, or leaves it to `rest`."""

    __slots__ = ("_coming", "_error", "_read", "_rest", "_run", "_value", "done", "then")

    def __init__(
        self,
        coming: Coming,
        read: Callable[[Response], T | None],
        rest: Callable[[Coming], Coroutine[Any, Any, T]],
    ) -> None:
        self.done = False
        self.then: Callable[[Sent[T]], None] | None = None
        self._coming = coming
        self._read = read
        self._rest = rest
        self._run: Run[T] | None = None
        self._error: BaseException | None = None
        self._value: T = _UNSET
        coming.then = self._came

    def __repr__(self) -> str:
        return f"<Sent {'done' if self.done else 'waiting'}>"

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value if self._run is None else self._run.result()

    def cancel(self) -> None:
        if self.done:
            return
        if self._run is not None:
            self._run.cancel()
        else:
            self._coming.give_up()

    def _came(self) -> None:
        try:
            read = None if self._coming.failed else self._read(self._coming.result())
        except BaseException as error:
            self._error = error
        else:
            if read is None:
                self._run = Run(self._rest(self._coming))
                if not self._run.done:
                    self._run.then = self._ran
                    return
            else:
                self._value = read
        self._ran(None)

    def _ran(self, _: object) -> None:
        self.done = True
        then, self.then = self.then, None
        if then is not None:
            then(self)
