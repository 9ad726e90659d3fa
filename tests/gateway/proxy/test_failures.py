"""What a viewer sees when something failed: the kind, the request's id, nothing of the inside."""

import inspect
import json

import pytest

import gateway.errors as errors
import gateway.proxy.failures as failures
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.message import Fields, Request, first
from gateway.table import Table

LEAVES = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, (errors.ViewerError, errors.OriginError))
]
INSIDE = "http://10.1.2.3:8000 <script>"


def exchange(*headers: tuple[bytes, bytes]) -> Exchange:
    fields: Fields = list(headers)
    return Exchange(Request(b"GET", b"/<script>alert(1)</script>", fields), Table(), b"the-id", 0.0, 0.0)


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_page(kind: type[GatewayError]) -> None:
    response = failures.response(kind(INSIDE), exchange())
    assert isinstance(response.body, bytes)
    assert response.status == kind.status
    assert first(response.headers, b"proxy-status") == b"portico; error=" + kind.proxy_error.encode()
    assert first(response.headers, b"cache-control") == b"no-store"
    assert first(response.headers, b"content-type") == b"text/html; charset=utf-8"
    assert b"the-id" in response.body and str(kind.status).encode() in response.body
    assert b"10.1.2.3" not in response.body and b"<script" not in response.body


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        pytest.param(b"application/json", b"application/problem+json", id="JSON when asked for"),
        pytest.param(b"application/problem+json, */*;q=0.1", b"application/problem+json", id="problem JSON too"),
        pytest.param(b"text/html, application/json;q=0.5", b"text/html; charset=utf-8", id="a browser gets a page"),
        pytest.param(b"*/*", b"text/html; charset=utf-8", id="anything is a page"),
    ],
)
def test_form(accept: bytes, kind: bytes) -> None:
    response = failures.response(errors.TimedOut(INSIDE), exchange((b"accept", accept)))
    assert first(response.headers, b"content-type") == kind


def test_problem_json_says_what_the_page_says() -> None:
    response = failures.response(errors.NotFound(INSIDE), exchange((b"accept", b"application/json")))
    assert isinstance(response.body, bytes)
    said = json.loads(response.body)
    assert (said["status"], said["request"], said["type"]) == (404, "the-id", "about:blank")
    assert said["title"] and "10.1.2.3" not in json.dumps(said)


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        pytest.param(errors.MethodRefused("x"), b"allow", True, id="405 says what is allowed"),
        pytest.param(errors.Overloaded("x"), b"retry-after", True, id="503 says when to come again"),
        pytest.param(errors.BadAnswer("x"), b"retry-after", False, id="502 does not"),
        pytest.param(errors.NotFound("x"), b"allow", False, id="404 does not"),
    ],
)
def test_fields_of_a_status(error: GatewayError, name: bytes, value: bool) -> None:
    assert (first(failures.response(error, exchange()).headers, name) is not None) is value


def test_a_status_without_words_of_its_own_still_has_a_page() -> None:
    class Odd(GatewayError):
        status = 418

    response = failures.response(Odd("x"), exchange())
    assert response.status == 418 and b"418" in bytes(response.body)  # type: ignore[arg-type]
