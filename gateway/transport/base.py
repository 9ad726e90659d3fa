"""How a request reaches an origin, as a seam. The shape is httpx's transport, with our own messages.

A file beside this one implements each kind of origin: `pool` over HTTP/1.1, `folder` from a directory, `mock` from a
function. Every failure leaves here as one of `errors.OriginError`.
"""

from typing import Protocol

from gateway.message import Request, Response
from gateway.table import Origin


class Transport(Protocol):
    async def handle_async_request(self, request: Request, origin: Origin, timeout: float) -> Response:
        """Send, and return when the answer's head is here; within `timeout` seconds, or errors.TimedOut.

        A body that is complete by then comes as bytes, any other as a Stream that must be read to its end or closed.
        """
        ...

    async def aclose(self) -> None:
        """Let go of everything."""
        ...
