"""What can go wrong: each kind answers with a status and a word of RFC 9209 that a viewer may be told."""

import re

import pytest

import gateway.errors as errors
from gateway.errors import GatewayError

# RFC 9209 section 2.3
WORDS = {
    "dns_timeout",
    "dns_error",
    "destination_not_found",
    "destination_unavailable",
    "destination_ip_prohibited",
    "destination_ip_unroutable",
    "connection_refused",
    "connection_terminated",
    "connection_timeout",
    "connection_read_timeout",
    "connection_write_timeout",
    "connection_limit_reached",
    "tls_protocol_error",
    "tls_certificate_error",
    "tls_alert_received",
    "http_request_error",
    "http_request_denied",
    "http_response_incomplete",
    "http_response_timeout",
    "http_protocol_error",
    "proxy_internal_response",
    "proxy_internal_error",
    "proxy_configuration_error",
    "proxy_loop_detected",
}
# the docstring's tree: depth by its lines, then the name and its status
DRAWN = re.compile(r"^    ((?:[│ ]   )*)[├└]── (\w+) +(\d{3})?", re.MULTILINE)
ON_TOP = {errors.ViewerError: 400, errors.OriginError: 502, errors.RegistryError: 422, errors.SettingsError: 500}


def kinds(kind: type[GatewayError] = GatewayError) -> set[type[GatewayError]]:
    """Those of the file itself; other rooms have a few of their own below them."""
    below = {each for each in kind.__subclasses__() if each.__module__ == errors.__name__}
    return below.union(*map(kinds, below))


def drawn() -> dict[str, tuple[int, str]]:
    return {name: (len(lines) // 4, status) for lines, name, status in DRAWN.findall(errors.__doc__ or "")}


def test_every_kind_is_drawn() -> None:
    assert set(drawn()) == {kind.__name__ for kind in kinds()}


@pytest.mark.parametrize("kind", sorted(kinds(), key=str), ids=lambda kind: kind.__name__)
def test_a_kind_is_where_it_is_drawn_and_answers_as_drawn(kind: type[GatewayError]) -> None:
    depth, status = drawn()[kind.__name__]
    assert kind.__mro__.index(GatewayError) - 1 == depth
    assert kind.status == (int(status) if status else ON_TOP[kind])


@pytest.mark.parametrize("kind", sorted(kinds() | {GatewayError}, key=str), ids=lambda kind: kind.__name__)
def test_a_kind_has_a_word_of_the_standard(kind: type[GatewayError]) -> None:
    assert kind.proxy_error in WORDS


def test_a_failure_may_know_its_word_better_than_its_kind() -> None:
    failure = errors.Unreachable("The origin has no address.", proxy_error="dns_error")
    assert (failure.proxy_error, failure.status, str(failure)) == ("dns_error", 502, "The origin has no address.")
    assert errors.Unreachable("No.").proxy_error == errors.Unreachable.proxy_error == "connection_refused"
