"""An origin that is a function."""

import pytest

from gateway.message import Request, Response
from gateway.table import Origin
from gateway.transport.mock import Mock

HERE = Origin("http://o.test", host="o.test", port=80)


@pytest.mark.anyio
async def test_every_request_is_answered_and_remembered() -> None:
    async def echo(request: Request, origin: Origin) -> Response:
        return Response(200, [(b"x-origin", origin.url.encode())], request.target)

    mock = Mock(echo)
    first, second = Request(b"GET", b"/1", []), Request(b"GET", b"/2", [])
    answer = await mock.handle_async_request(first, HERE, 1.0)
    await mock.handle_async_request(second, HERE, 1.0)
    assert (answer.body, answer.headers) == (b"/1", [(b"x-origin", b"http://o.test")])
    assert mock.seen == [first, second]
    await mock.aclose()
    assert mock.seen == []
