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
from gateway.transport.connection import Coming, Connection

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
    """One answer under way, like a `Run`: what is to become of it is known by its heirs.

    `read` makes of it what is wanted, or leaves it to `rest`; `connection` is what it was asked on.
    """

    __slots__ = ("_error", "_run", "_value", "connection", "done", "then")

    def __init__(self) -> None:
        self.done = False
        self.then: Callable[[Sent[T]], None] | None = None
        self.connection: Connection | None = None
        self._run: Run[T] | None = None
        self._error: BaseException | None = None
        self._value: T = _UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'done' if self.done else 'waiting'}>"

    def read(self, response: Response) -> T | None:
        """What is wanted of an answer, at a look; None when it takes more."""
        raise NotImplementedError

    def rest(self, begun: Coming) -> Coroutine[Any, Any, T]:
        """The same, whatever it takes."""
        raise NotImplementedError

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value if self._run is None else self._run.result()

    def cancel(self) -> None:
        if self.done:
            return
        if self._run is not None:
            self._run.cancel()
        elif self.connection is not None:
            connection, self.connection = self.connection, None
            connection.close()

    # What the connection tells

    def set(self, response: Response) -> None:
        if self.connection is None:
            return
        try:
            read = self.read(response)
        except BaseException as error:
            self._error = error
        else:
            if read is None:
                coming = Coming(self.connection)
                coming.set(response)
                return self._goes_on(coming)
            self._value = read
        self._end(None)

    def fail(self, error: BaseException) -> None:
        if self.connection is not None:
            coming = Coming(self.connection)
            coming.fail(error)
            self._goes_on(coming)

    def _goes_on(self, coming: Coming) -> None:
        run = self._run = Run(self.rest(coming))
        if run.done:
            self._end(None)
        else:
            run.then = self._end

    def _end(self, _: object) -> None:
        self.done = True
        then, self.then = self.then, None
        if then is not None:
            then(self)
