"""What is sent twice, and what never is."""

import pytest

import gateway.rules.retries as retries


@pytest.mark.parametrize(
    ("method", "replayable", "again"),
    [
        pytest.param(b"GET", True, True, id="a read"),
        pytest.param(b"PUT", True, True, id="what may be done twice"),
        pytest.param(b"POST", True, False, id="what counts each time"),
        pytest.param(b"PUT", False, False, id="a body that is gone"),
    ],
)
def test_again_on_a_new_connection(method: bytes, replayable: bool, again: bool) -> None:
    assert retries.again(method, replayable) is again


@pytest.mark.parametrize(
    ("method", "replayable", "failure", "elsewhere"),
    [
        pytest.param(b"POST", True, "connection_refused", True, id="nothing was sent"),
        pytest.param(b"POST", True, "dns_error", True, id="nobody was found"),
        pytest.param(b"POST", True, "connection_terminated", False, id="it may have arrived"),
        pytest.param(b"GET", True, "connection_terminated", True, id="a read that may have arrived"),
        pytest.param(b"GET", False, "connection_refused", False, id="a body that is gone"),
    ],
)
def test_at_another_origin(method: bytes, replayable: bool, failure: str, elsewhere: bool) -> None:
    assert retries.elsewhere(method, replayable, failure) is elsewhere
