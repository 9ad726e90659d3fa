"""A port that was asked for is taken or refused; the usual one gives way."""

import socket
from collections.abc import Iterator

import pytest

import gateway.demo.ports as ports
from gateway.demo.ports import PortTaken


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind((ports.HOST, 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_that_was_asked_for_is_taken_or_refused(listener: int, free_port: int) -> None:
    assert ports.choose(free_port, 8080, "--port") == free_port
    with pytest.raises(PortTaken, match=f"Port {listener} of 127.0.0.1 is taken by another program. Give another with"):
        ports.choose(listener, 8080, "--port")


def test_the_usual_port_gives_way_to_the_next(listener: int) -> None:
    assert listener < ports.choose(None, listener, "--port") < listener + 200


def test_two_listeners_never_share_a_port(free_port: int) -> None:
    with pytest.raises(PortTaken, match="is taken"):
        ports.choose(free_port, 8080, "--admin-port", [free_port])
    assert ports.choose(None, free_port, "--admin-port", [free_port]) > free_port
    assert 0 < ports.free() < 32_768
    assert ports.free([ports.free()]) > ports.free()
