"""An origin that is a function: for tests, and for what the gateway itself has to say in an origin's place."""

from collections.abc import Awaitable, Callable

from gateway.message import Request, Response
from gateway.table import Origin
from gateway.transport.base import Transport

Answers = Callable[[Request, Origin], Awaitable[Response]]


class Mock:
    """Hands every request to a coroutine function, and remembers them in order."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.seen: list[Request] = []

    async def handle_async_request(self, request: Request, origin: Origin, timeout: float) -> Response:
        self.seen.append(request)
        return await self._answers(request, origin)

    async def aclose(self) -> None:
        self.seen.clear()


_: type[Transport] = Mock
